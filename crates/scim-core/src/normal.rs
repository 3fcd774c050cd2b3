//! The forms in which values are compared.
//!
//! **Invariant**: every form is a fixed point of its own function, so that comparing compared forms changes nothing.

use crate::schema::{Attribute, Kind};
use crate::user_name::UserName;
use serde_json::{Map, Number, Value};
use time::macros::format_description;
use time::{Date, PrimitiveDateTime, Time, UtcOffset};
use unicode_normalization::UnicodeNormalization;

/// Text as it is compared where case does not count: NFC, full case folding, NFC (Unicode 3.13, D146).
///
/// Computed here, since a database's `lower()` folds what its locale tells it, or ASCII alone.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed: String = text.nfc().collect();
    caseless::default_case_fold_str(&composed).nfc().collect()
}

/// A value in the form in which it is compared, by the rules of its attribute.
pub(crate) fn comparable(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(comparable_text(attribute, text)),
        Value::Array(items) => items.iter().map(|item| comparable(attribute, item)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let compared = attribute
                        .sub_attribute(key)
                        .map_or_else(|| value.clone(), |sub| comparable(sub, value));
                    (key.clone(), compared)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Number(number) => Value::Number(self::number(number)),
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

/// A number as both databases hold it: 64 bits with a sign, or floating point.
pub(crate) fn number(number: &Number) -> Number {
    match number.as_f64() {
        Some(float) if !number.is_i64() => {
            Number::from_f64(float).unwrap_or_else(|| number.clone())
        }
        _ => number.clone(),
    }
}

fn comparable_text(attribute: &Attribute, text: &str) -> String {
    match attribute.kind {
        Kind::DateTime => instant(text).unwrap_or_else(|| text.to_owned()),
        _ if attribute.case_exact => text.to_owned(),
        // RFC 7644 §5 asks for RFC 8265 on userName, which is no case folding.
        _ if attribute.handling.precis => UserName::key_of(text),
        _ => fold(text),
    }
}

/// An `xsd:dateTime` as UTC with nine digits of fraction and `Z`; without a zone it is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<String> {
    Instant::parse(text).map(|instant| instant.utc)
}

/// A text that is an instant (RFC 7643 §2.3.5).
pub(crate) struct Instant {
    /// In the form of `xsd:dateTime`, with the zone and the digits as sent.
    pub(crate) text: String,
    /// As it is compared.
    pub(crate) utc: String,
    /// Whether it was sent in another form.
    pub(crate) is_bent: bool,
}

impl Instant {
    /// Reads an `xsd:dateTime` (XML Schema 1.1 part 2, §3.3.7) of a year of four digits. What RFC 3339 allows beside it,
    /// a space for `T` and both letters in lower case, is bent.
    pub(crate) fn parse(sent: &str) -> Option<Self> {
        let mut text = sent.to_owned();
        let is_bent = text.get(10..11).is_some_and(|t| t == " " || t == "t") || text.ends_with('z');
        if is_bent {
            let time = text.get(11..)?.replace('z', "Z");
            text = format!("{}T{time}", text.get(..10)?);
        }
        let (local, offset) = zone(&text)?;
        let (date, clock) = local.split_once('T')?;
        let form = format_description!("[year]-[month]-[day]");
        let date = Date::parse(date, form).ok().filter(|_| date.len() == "2026-01-31".len())?;
        // There is no year 0 before XML Schema 1.1, nor in a calendar that people know.
        if !(1..=9999).contains(&date.year()) {
            return None;
        }
        // Midnight at the end of the day is that of the next one.
        let (clock, date) = match clock.strip_prefix("24:00:00") {
            Some(rest) if rest.trim_start_matches('.').bytes().all(|digit| digit == b'0') => {
                (format!("00:00:00{rest}"), date.next_day()?)
            }
            _ => (clock.to_owned(), date),
        };
        let form = format_description!("[hour]:[minute]:[second][optional [.[subsecond]]]");
        let at = PrimitiveDateTime::new(date, Time::parse(&clock, form).ok()?);
        let at = at.assume_offset(offset).checked_to_offset(UtcOffset::UTC)?;
        if !(0..=9999).contains(&at.year()) {
            return None;
        }
        let utc = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.nanosecond()
        );
        Some(Self { text, utc, is_bent })
    }
}

/// The zone at the end of a text, and what is before it. None is UTC; the farthest are 14 hours away.
fn zone(text: &str) -> Option<(&str, UtcOffset)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, UtcOffset::UTC));
    }
    let at = text.len().checked_sub("+00:00".len())?;
    let (Some(local), Some(zone)) = (text.get(..at), text.get(at..)) else { return None };
    let sign: i32 = match zone.as_bytes().first() {
        Some(b'+') => 1,
        // The hyphen of a date stands where the time is missing, and then there is no instant.
        Some(b'-') => -1,
        _ => return Some((text, UtcOffset::UTC)),
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |digits: &str| -> Option<i32> {
        (digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| digits.parse().ok())?
    };
    let minutes = two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?;
    let offset = UtcOffset::from_whole_seconds(sign * minutes * 60).ok();
    Some((local, offset.filter(|_| minutes <= 14 * 60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_makes_one_of_case_and_of_composition() {
        for spelling in ["ÅSA", "åsa", "A\u{30a}SA", "a\u{30a}sa"] {
            assert_eq!(fold(spelling), "åsa");
        }
        assert_eq!(fold("STRASSE"), fold("Straße"));
        assert_eq!(fold("Ada@Example.COM"), "ada@example.com");
    }

    #[test]
    fn an_instant_is_bent_where_xsd_has_other_letters() {
        for (sent, text, is_bent) in [
            ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34Z", false),
            ("2011-05-13T24:00:00", "2011-05-13T24:00:00", false),
            ("2011-05-13T04:42:34.50-00:00", "2011-05-13T04:42:34.50-00:00", false),
            ("2011-05-13 04:42:34+02:00", "2011-05-13T04:42:34+02:00", true),
            ("2011-05-13t04:42:34Z", "2011-05-13T04:42:34Z", true),
            ("2011-05-13T04:42:34z", "2011-05-13T04:42:34Z", true),
        ] {
            let instant = Instant::parse(sent).unwrap();
            assert_eq!((instant.text.as_str(), instant.is_bent), (text, is_bent), "{sent}");
        }
    }

    #[test]
    fn instants_are_utc_with_nine_digits() {
        for (text, expected) in [
            ("2011-05-13T04:42:34Z", Some("2011-05-13T04:42:34.000000000Z")),
            ("2011-05-13T06:42:34.5+02:00", Some("2011-05-13T04:42:34.500000000Z")),
            ("2011-05-13T04:42:34", Some("2011-05-13T04:42:34.000000000Z")),
            ("2011-05-13T04:42:34.123", Some("2011-05-13T04:42:34.123000000Z")),
            ("2011-05-13", None),
            ("2011-13-13T04:42:34Z", None),
            ("2011-05-13 04:42:34z", Some("2011-05-13T04:42:34.000000000Z")),
            ("2011-12-31T24:00:00.0Z", Some("2012-01-01T00:00:00.000000000Z")),
            ("2011-05-13T24:00:00-14:00", Some("2011-05-14T14:00:00.000000000Z")),
            ("2011-05-13T24:00:01Z", None),
            ("2011-05-13T04:42:60Z", None),
            ("2011-05-13T04:42:34+14:01", None),
            ("2011-05-13T04:42:34+15:00", None),
            ("2011-05-13T04:42:34+1:00", None),
            ("2011-05-13T04:42Z", None),
            ("2011-05-13T", None),
            ("2011-05-13T04:42:34.", None),
            ("0000-01-01T00:00:00Z", None),
            ("0000-01-01T00:00:00+10:00", None),
            ("+2011-05-13T04:42:34Z", None),
            ("2011-05-13T04:42:34ZZ", None),
            ("é", None),
            ("", None),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text).as_deref(), expected, "{text}");
        }
    }
}
