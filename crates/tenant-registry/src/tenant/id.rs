//! The id of a tenant.
//!
//! **Invariant**: it is drawn at random and never changes; a text of another form is none.

use std::fmt;

/// The alphabet of RFC 4648 §6 in small letters.
const BASE32: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
    't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
];
const ID_PREFIX: &str = "ten_";
const ID_DIGITS: usize = 16;

/// A tenant's id: `ten_` and sixteen digits in base 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Parses an id.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, TenantIdError> {
        let digits = text.strip_prefix(ID_PREFIX).ok_or(TenantIdError)?;
        if digits.len() == ID_DIGITS && digits.chars().all(|c| BASE32.contains(&c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TenantIdError)
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id without what all of them begin with.
    pub(super) fn digits(&self) -> &str {
        self.0.strip_prefix(ID_PREFIX).unwrap_or_default()
    }

    pub(crate) fn random() -> Self {
        let digit = |_| BASE32.get(rand::random_range(0..BASE32.len())).copied().unwrap_or('a');
        let digits: String = (0..ID_DIGITS).map(digit).collect();
        Self(format!("{ID_PREFIX}{digits}"))
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a tenant's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id is ten_ and sixteen small letters and digits")]
pub struct TenantIdError;

#[cfg(test)]
mod tests {
    use super::TenantId;

    #[test]
    fn a_random_id_parses() {
        for _ in 0..100 {
            let id = TenantId::random();
            assert_eq!(TenantId::parse(id.as_str()), Ok(id));
        }
        for bad in
            ["", "ten_", "ten_aaaaaaaaaaaaaaa", "ten_aaaaaaaaaaaaaaa1", "TEN_aaaaaaaaaaaaaaaa"]
        {
            assert!(TenantId::parse(bad).is_err(), "{bad}");
        }
    }
}
