//! Index paging (RFC 7644 §3.4.2.4).
//!
//! **Invariant**: a [`ListQuery`] is within bounds: it starts at 1 or later and asks for no more than the page limit.

use crate::error::{ErrorKind, ScimError};

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// The first result, counted from 1.
    pub start_index: u64,
    /// How many results at most; 0 asks for the total alone.
    pub count: u64,
}

impl ListQuery {
    /// Reads `startIndex` and `count`; below 1 is 1, below 0 is 0, above `max` is `max` (RFC 7644 §3.4.2.4).
    ///
    /// # Errors
    /// `invalidValue` when one of them is not a whole number.
    pub fn parse(
        start_index: Option<&str>,
        count: Option<&str>,
        default: u64,
        max: u64,
    ) -> Result<Self, ScimError> {
        let start_index = start_index.map_or(Ok(1), |text| whole("startIndex", text))?.max(1);
        let count = count.map_or(Ok(default), |text| whole("count", text))?.min(max);
        Ok(Self { start_index, count })
    }
}

/// A whole number of any length; below zero is zero, and beyond `i64` (what databases count in) is its largest.
fn whole(name: &str, text: &str) -> Result<u64, ScimError> {
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ScimError::new(
            ErrorKind::InvalidValue,
            format!("{name} is not a whole number; send digits, as in {name}=1."),
        )
        .about(name));
    }
    let largest = i64::MAX.unsigned_abs();
    Ok(if negative { 0 } else { digits.parse::<u64>().map_or(largest, |n| n.min(largest)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_bounds_is_brought_into_bounds() {
        for (start_index, count, expected) in [
            (None, None, (1, 200)),
            (Some("0"), Some("0"), (1, 0)),
            (Some("-5"), Some("-5"), (1, 0)),
            (Some("101"), Some("100"), (101, 100)),
            (Some("1"), Some("100000"), (1, 1000)),
            (Some(" 2 "), Some("+3"), (2, 3)),
            (
                Some("99999999999999999999999"),
                Some("99999999999999999999999"),
                (i64::MAX.unsigned_abs(), 1000),
            ),
        ] {
            let query = ListQuery::parse(start_index, count, 200, 1000).unwrap();
            assert_eq!((query.start_index, query.count), expected, "{start_index:?} {count:?}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused_by_name() {
        for (start_index, count, name) in [
            (Some("one"), None, "startIndex"),
            (Some("1"), Some("1.5"), "count"),
            (Some(""), None, "startIndex"),
            (None, Some("-"), "count"),
        ] {
            let error = ListQuery::parse(start_index, count, 200, 1000).unwrap_err();
            assert_eq!((error.kind(), error.attribute()), (ErrorKind::InvalidValue, Some(name)));
        }
    }
}
