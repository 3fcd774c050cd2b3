//! A user's `userName`: kept as written, compared as RFC 8265 says.
//!
//! **Invariant**: two names that must collide have one key; the key of a key is that key.

use crate::error::{ErrorKind, ScimError};
use crate::normal::fold;
use crate::quirk::{Notes, Quirk, Tolerance};
use precis_core::profile::PrecisFastInvocation;
use precis_profiles::UsernameCaseMapped;

/// The longest key, in bytes: an index row must hold it, and folding may lengthen a name.
const KEY_BYTES: usize = 2048;

/// A `userName` (RFC 7643 §4.1.1), unique within a tenant in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName {
    as_written: String,
    key: String,
}

impl UserName {
    /// Takes a name as it was sent.
    ///
    /// # Errors
    /// `invalidValue` when it is blank or too long, or outside the PRECIS profile where the tenant is strict.
    pub fn parse(text: &str, tolerance: &Tolerance, notes: &mut Notes) -> Result<Self, ScimError> {
        if text.trim().is_empty() {
            return Err(ScimError::missing(&["userName".to_owned()]));
        }
        let key = match by_profile(text) {
            Some(key) => key,
            None => {
                tolerance.bend(Quirk::UserNameNotPrecis, notes, || {
                    refused(
                        "userName has a character that RFC 8265 (UsernameCaseMapped) does not \
                         allow, such as a space; map it to an attribute without it.",
                    )
                })?;
                by_folding(text)
            }
        };
        if key.len() > KEY_BYTES {
            return Err(refused("userName is too long; at most 1024 bytes are kept."));
        }
        Ok(Self { as_written: text.to_owned(), key })
    }

    /// The key of any text, for look-ups and for parts of names in filters; it never fails.
    #[must_use]
    pub fn key_of(text: &str) -> String {
        by_profile(text).unwrap_or_else(|| by_folding(text))
    }

    /// The name as it was sent.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.as_written
    }

    /// The name as it is compared and indexed.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

fn refused(detail: &str) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, detail).about("userName")
}

/// `UsernameCaseMapped` (RFC 8265 §3.3). Printable ASCII but the space is allowed as it is, so it takes no table.
fn by_profile(text: &str) -> Option<String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Some(text.to_ascii_lowercase());
    }
    let key = UsernameCaseMapped::enforce(text).ok()?;
    // RFC 8264 §7: a string that the rules do not leave stable is to be rejected. Lower case may be a later
    // addition to Unicode than upper case, as in Cherokee.
    UsernameCaseMapped::enforce(key.as_ref())
        .is_ok_and(|again| again == key)
        .then(|| key.into_owned())
}

/// Folding may turn a disallowed name into an allowed one (the ligature in `ﬁona`), which must then have that one's key.
fn by_folding(text: &str) -> String {
    let folded = fold(text);
    by_profile(&folded).unwrap_or(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        let key = UserName::key_of("åsa.öberg@example.com");
        for spelling in [
            "Åsa.Öberg@example.com",
            "A\u{30a}sa.O\u{308}berg@EXAMPLE.com",
            "ÅSA.ÖBERG@EXAMPLE.COM",
            "a\u{30a}sa.o\u{308}berg@example.com",
        ] {
            assert_eq!(UserName::key_of(spelling), key, "{spelling}");
        }
    }

    #[test]
    fn a_name_outside_the_profile_is_folded_and_noted() {
        let mut notes = Notes::default();
        let name = UserName::parse("Ada Lovelace", &Tolerance::default(), &mut notes).unwrap();
        assert_eq!((name.as_written(), name.key()), ("Ada Lovelace", "ada lovelace"));
        assert_eq!(notes.quirks().collect::<Vec<_>>(), [Quirk::UserNameNotPrecis]);

        let strict = Tolerance::all_but([Quirk::UserNameNotPrecis]);
        let error = UserName::parse("Ada Lovelace", &strict, &mut notes).unwrap_err();
        assert_eq!((error.kind(), error.attribute()), (ErrorKind::InvalidValue, Some("userName")));
    }

    #[test]
    fn an_ordinary_name_meets_no_quirk() {
        for name in ["ada", "Ada.Lovelace+test@example.com", "O'Brien!", "用户", "أحمد"] {
            let mut notes = Notes::default();
            UserName::parse(name, &Tolerance::default(), &mut notes).unwrap();
            assert_eq!(notes, Notes::default(), "{name}");
        }
    }

    #[test]
    fn the_ascii_short_cut_agrees_with_the_profile() {
        for byte in 0x21..0x7f_u8 {
            let text = char::from(byte).to_string();
            let by_table = UsernameCaseMapped::enforce(text.as_str()).unwrap();
            assert_eq!(by_profile(&text).unwrap(), by_table);
        }
    }

    #[test]
    fn a_blank_name_is_refused() {
        for blank in ["", " ", "\u{a0}\t"] {
            let error = UserName::parse(blank, &Tolerance::default(), &mut Notes::default());
            assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidValue);
        }
    }
}
