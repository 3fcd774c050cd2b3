//! A region: the legal and physical home of data.
//!
//! **Invariant**: a region's name fits a host name, a token and a configuration key without quoting.

use std::fmt;

/// The longest name that is taken.
const MAX_LENGTH: usize = 8;

/// The name of a region, such as `us` or `eu`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// Parses a name: a small letter, then at most seven small letters or digits.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let starts_with_letter = text.starts_with(|first: char| first.is_ascii_lowercase());
        let all_fit = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if starts_with_letter && all_fit && text.len() <= MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(RegionError)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people read it in a sentence: `EU`.
    #[must_use]
    pub fn label(&self) -> String {
        self.0.to_ascii_uppercase()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the name of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is a small letter followed by at most seven small letters or digits")]
pub struct RegionError;

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_name_is_one_to_eight_small_letters_and_digits() {
        for good in ["us", "eu", "a", "ap1", "abcdefgh"] {
            assert_eq!(Region::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "EU", "eu-", "e_u", "e u", "abcdefghi", "é", "eu\n"] {
            assert!(Region::parse(bad).is_err(), "{bad:?}");
        }
    }
}
