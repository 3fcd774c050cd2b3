//! Names that people give: to tenants, credentials, clients, plans and roles.
//!
//! **Invariant**: a name fits on a line of a page and of a log.

use crate::error::RegistryError;

/// Characters of a name.
pub(crate) const NAME: usize = 200;
/// Characters of the name of a role, a plan, or an identity provider.
pub(crate) const WORD: usize = 100;
/// Characters of a sentence that administrators read.
pub(crate) const TEXT: usize = 1_000;

/// Checks that a name is something, is not longer than it may be, and has no control characters.
pub(crate) fn check(what: &'static str, name: &str, most: usize) -> Result<(), RegistryError> {
    if name.trim().is_empty() {
        return Err(RegistryError::NameInvalid { what, most });
    }
    check_or_none(what, name, most)
}

/// The same, where nothing is a name as well.
pub(crate) fn check_or_none(
    what: &'static str,
    name: &str,
    most: usize,
) -> Result<(), RegistryError> {
    if name.chars().count() > most || name.chars().any(char::is_control) {
        return Err(RegistryError::NameInvalid { what, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_is_something_on_one_line() {
        assert!(check("name", &"é".repeat(200), 200).is_ok());
        for bad in ["", "  ", "a\nb", "\u{7f}", &"a".repeat(201)] {
            assert!(check("name", bad, 200).is_err(), "{bad:?}");
        }
    }
}
