//! The forms in which values are compared.
//!
//! **Invariant**: every form is a fixed point of its own function, so that comparing compared forms changes nothing.

use crate::schema::{Attribute, Kind};
use crate::user_name::UserName;
use serde_json::{Map, Number, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
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
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let local = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]"
        );
        PrimitiveDateTime::parse(text, local).ok().map(PrimitiveDateTime::assume_utc)
    })?;
    let at = at.checked_to_offset(UtcOffset::UTC).filter(|at| (0..=9999).contains(&at.year()))?;
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.nanosecond()
    ))
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
    fn instants_are_utc_with_nine_digits() {
        for (text, expected) in [
            ("2011-05-13T04:42:34Z", Some("2011-05-13T04:42:34.000000000Z")),
            ("2011-05-13T06:42:34.5+02:00", Some("2011-05-13T04:42:34.500000000Z")),
            ("2011-05-13T04:42:34", Some("2011-05-13T04:42:34.000000000Z")),
            ("2011-05-13T04:42:34.123", Some("2011-05-13T04:42:34.123000000Z")),
            ("2011-05-13", None),
            ("2011-13-13T04:42:34Z", None),
            ("0000-01-01T00:00:00+10:00", None),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text).as_deref(), expected, "{text}");
        }
    }
}
