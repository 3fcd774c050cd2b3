//! The forms of texts: languages, time zones, URIs, base64.
//!
//! **Invariant**: a form is looked at, never repaired: what is kept is what was sent.

use crate::schema::Format;

/// Whether the text has the form.
pub(super) fn fits(format: Format, text: &str) -> bool {
    match format {
        Format::Any => true,
        Format::LanguageTag => is_tag(text),
        Format::LanguageRanges => text.split(',').all(|range| is_range(range.trim())),
        Format::TimeZone => is_zone(text),
    }
}

/// A language tag by its outline (RFC 5646 §2.1): subtags of up to eight letters and digits between hyphens.
fn is_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let fits = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let first = subtags.next().unwrap_or_default();
    let begins = fits(first)
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && (first.len() > 1 || first.eq_ignore_ascii_case("x") || first.eq_ignore_ascii_case("i"));
    begins && subtags.all(fits)
}

/// One range of `Accept-Language` with its weight (RFC 9110 §12.4.2, §12.5.4).
fn is_range(text: &str) -> bool {
    let (range, weight) = match text.split_once(';') {
        Some((range, weight)) => (range.trim_end(), Some(weight.trim_start())),
        None => (text, None),
    };
    let is_weight = |weight: &str| {
        let digits = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="));
        digits.is_some_and(|digits| {
            digits.len() <= 5 && digits.parse::<f32>().is_ok_and(|q| (0.0..=1.0).contains(&q))
        })
    };
    (range == "*" || is_tag(range.strip_suffix("-*").unwrap_or(range)))
        && weight.is_none_or(is_weight)
}

/// A name of the IANA time zone database by its outline: `Europe/Berlin`, `Etc/GMT+5`, `UTC`.
fn is_zone(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+".contains(&b))
        })
}

/// Whether the text has only characters that a URI has, with whole percent signs (RFC 3986 §2).
pub(super) fn is_uri(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let fits = match byte {
            b'%' => {
                let is_hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
                is_hex(rest.next()) && is_hex(rest.next())
            }
            byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// How far a text is base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base64 {
    /// RFC 4648 §4; RFC 7643 §2.3.6 lets the padding be left out.
    Standard,
    /// In the alphabet of RFC 4648 §5, or with line breaks.
    Bent,
    /// Not at all.
    None,
}

pub(super) fn base64(text: &str) -> Base64 {
    let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
    let body = text.trim_end_matches(['=', '\r', '\n']);
    let padding = text.bytes().skip(body.len()).filter(|b| *b == b'=').count();
    let digits = body.bytes().filter(|b| !is_break(b)).count();
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b) || is_break(&b);
    let padding_fits = padding == 0 || (padding <= 2 && (digits + padding).is_multiple_of(4));
    if !body.bytes().all(is_digit) || digits % 4 == 1 || !padding_fits {
        return Base64::None;
    }
    if text.bytes().any(|b| is_break(&b) || b"-_".contains(&b)) {
        return Base64::Bent;
    }
    Base64::Standard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_zones_are_told_by_their_outline() {
        for (format, text, expected) in [
            (Format::LanguageTag, "en", true),
            (Format::LanguageTag, "zh-Hant-TW", true),
            (Format::LanguageTag, "x-private", true),
            (Format::LanguageTag, "en_us", false),
            (Format::LanguageTag, "en-", false),
            (Format::LanguageTag, "1-en", false),
            (Format::LanguageTag, "e", false),
            (Format::LanguageRanges, "en-US, de;q=0.8, *;q=0", true),
            (Format::LanguageRanges, "en-*", true),
            (Format::LanguageRanges, "en;q=2", false),
            (Format::LanguageRanges, "English (US)", false),
            (Format::TimeZone, "America/Argentina/Buenos_Aires", true),
            (Format::TimeZone, "Etc/GMT+5", true),
            (Format::TimeZone, "UTC", true),
            (Format::TimeZone, "W. Europe Standard Time", false),
            (Format::TimeZone, "+01:00", false),
            (Format::Any, "", true),
        ] {
            assert_eq!(fits(format, text), expected, "{text}");
        }
    }

    #[test]
    fn uris_and_base64_are_told_by_their_characters() {
        for (text, expected) in [
            ("https://example.com/a?b=c#d", true),
            ("../Users/7", true),
            ("urn:example:a", true),
            ("/a%20b", true),
            ("/a%2", false),
            ("not a url", false),
            ("https://exämple.com", false),
        ] {
            assert_eq!(is_uri(text), expected, "{text}");
        }
        for (text, expected) in [
            ("TQ==", Base64::Standard),
            ("TQ", Base64::Standard),
            ("ab+/", Base64::Standard),
            ("", Base64::Standard),
            ("ab-_", Base64::Bent),
            ("TWFu\r\nTQ==", Base64::Bent),
            ("TQ=", Base64::None),
            ("T", Base64::None),
            ("TWFu====", Base64::None),
            ("not base64!", Base64::None),
        ] {
            assert_eq!(base64(text), expected, "{text}");
        }
    }
}
