//! The scope of a token (RFC 6749 §3.3).
//!
//! **Invariant**: it is never more than the client's own.

use super::error::{Code, OauthError};
use tenant_registry::Scopes;

/// What is asked for, or all that the client may do (RFC 6749 §3.3). Who names operations alone, or resources alone, gets
/// those of the client's.
pub(super) fn scopes(asked: Option<&str>, granted: Scopes) -> Result<Scopes, OauthError> {
    let own: Vec<&str> = granted.words().collect();
    let invalid = |text: &str| {
        OauthError::new(Code::InvalidScope, format!("{text} The client has: {}.", own.join(" ")))
    };
    let words: Vec<&str> = asked.unwrap_or_default().split(' ').filter(|w| !w.is_empty()).collect();
    let is_known = |word: &&str| Scopes::ALL.words().any(|known| known == *word);
    if !words.iter().all(is_known) {
        return Err(invalid("There is no such scope; scopes are words with spaces between them."));
    }
    if !words.iter().all(|word| own.contains(word)) {
        return Err(invalid("That is more than the client has."));
    }
    let is_resource = |word: &&str| matches!(*word, "users" | "groups");
    let mut wanted = words.clone();
    for kind in [true, false] {
        if !words.iter().any(|word| is_resource(word) == kind) {
            wanted.extend(own.iter().filter(|word| is_resource(word) == kind));
        }
    }
    Scopes::parse(&wanted.join(",")).map_err(|_unknown| invalid("There is no such scope."))
}

#[cfg(test)]
mod tests {
    use super::{Scopes, scopes};

    #[test]
    fn a_scope_is_what_is_asked_for_and_no_more_than_there_is() {
        let granted = Scopes::parse("read,create,users").unwrap();
        let words = |asked| scopes(asked, granted).map(|s| s.words().collect::<Vec<_>>().join(" "));
        assert_eq!(words(None).unwrap(), "read create users");
        assert_eq!(words(Some(" ")).unwrap(), "read create users");
        assert_eq!(words(Some("users read")).unwrap(), "read users");
        assert_eq!(words(Some("read")).unwrap(), "read users");
        assert_eq!(words(Some("users")).unwrap(), "read create users");
        for bad in ["delete users", "groups read", "all", "read,users", "openid", "read\tusers"] {
            assert!(words(Some(bad)).is_err(), "{bad}");
        }
    }
}
