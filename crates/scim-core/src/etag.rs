//! Versions as entity tags, and the conditions on them (RFC 7644 §3.14, RFC 9110 §13.1).
//!
//! **Invariant**: tags are compared weakly. RFC 7644's own examples send weak tags in `If-Match`, where RFC 9110
//! would have them never match.

use std::fmt;

/// The entity tag of one version of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub u64);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// Whether `If-Match` holds: the header names the current version, or is `*`. Otherwise the answer is 412.
#[must_use]
pub fn if_match(header: &str, current: u64) -> bool {
    names(header, current)
}

/// Whether `If-None-Match` holds: the header does not name the current version. Otherwise a GET answers 304.
#[must_use]
pub fn if_none_match(header: &str, current: u64) -> bool {
    !names(header, current)
}

fn names(header: &str, current: u64) -> bool {
    header.split(',').map(str::trim).any(|tag| tag == "*" || version(tag) == Some(current))
}

fn version(tag: &str) -> Option<u64> {
    let quoted = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    let digits = quoted.strip_prefix('"')?.strip_suffix('"')?;
    // `+3` parses as a number, and is another tag than `3`.
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_as_it_is_written() {
        assert_eq!(ETag(3).to_string(), "W/\"3\"");
        assert!(if_match(&ETag(3).to_string(), 3));
    }

    #[test]
    fn weak_strong_and_listed_tags_match() {
        for (header, matches) in [
            ("W/\"3\"", true),
            ("\"3\"", true),
            ("w/\"3\"", true),
            ("*", true),
            ("\"1\", W/\"3\"", true),
            ("W/\"4\"", false),
            ("3", false),
            ("\"+3\"", false),
            ("\"x,3\"", false),
            ("", false),
            ("\"99999999999999999999\"", false),
        ] {
            assert_eq!(if_match(header, 3), matches, "{header}");
            assert_eq!(if_none_match(header, 3), !matches, "{header}");
        }
    }
}
