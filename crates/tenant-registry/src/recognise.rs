//! What was sent in place of a token, and whose token it looks like: for the log of that tenant, where its administrator
//! looks (requirements N3), and for nothing else.
//!
//! **Invariant**: it grants nothing, it never looks at a secret, and it does the same whether or not it finds anything.

use crate::authenticate::Authenticated;
use crate::credential::base62;
use crate::credential::token::{KEY_ID_DIGITS, PREFIX};
use crate::oauth::authenticate::looks_like;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// What of a header is looked at.
const BYTES: usize = 512;

/// Whose token the text of an `Authorization` header looks like: by its hint where no other live token has it, or by a key id
/// that stands somewhere in it.
pub(crate) fn recognise(snapshot: &Snapshot, authorization: &str) -> Option<Authenticated> {
    let text: String = authorization.chars().take(BYTES).collect();
    let by_hint = hint(&text).and_then(|hint| snapshot.only_with_hint(&hint));
    let key_id = key_id(&text).unwrap_or_default();
    let credential = by_hint.or_else(|| snapshot.credential(key_id));
    let of_client = looks_like(snapshot, key_id);
    let of_token = credential.and_then(|credential| {
        let tenant = Arc::clone(snapshot.tenant(&credential.tenant_id)?);
        Some(Authenticated { tenant, credential: Arc::clone(credential) })
    });
    // Of a tenant that is gone there is no log to write to.
    of_token.or(of_client).filter(|found| !found.tenant.state.is_gone())
}

/// The hint as it is kept, however its dots are written.
fn hint(text: &str) -> Option<String> {
    let start = text.find(&format!("{PREFIX}_"))?;
    let mut parts = text.get(start..)?.splitn(4, '_');
    let (prefix, region, population) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = parts.next()?.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let last_four: String = rest.chars().skip_while(|c| !c.is_ascii_alphanumeric()).collect();
    let is_hidden = rest.chars().next().is_some_and(|c| !c.is_ascii_alphanumeric());
    (is_hidden && last_four.len() == 4 && base62::is_base62(&last_four))
        .then(|| format!("{prefix}_{region}_{population}_****{last_four}"))
}

/// The first word of the length of a key id.
fn key_id(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| word.len() == KEY_ID_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::{hint, key_id};

    #[test]
    fn a_hint_is_read_however_its_dots_are_written() {
        for text in [
            "mst_eu_pf_****9f3c",
            "Bearer mst_eu_pf_****9f3c",
            "mst_eu_pf_••••9f3c",
            "\"mst_eu_pf_...9f3c\"",
        ] {
            assert_eq!(hint(text).as_deref(), Some("mst_eu_pf_****9f3c"), "{text}");
        }
        for text in
            ["", "****9f3c", "mst_eu_pf_9f3c", "mst_eu_pf_****9f3", "mst_eu_pf_****", "mst_"]
        {
            assert_eq!(hint(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_id_is_found_wherever_it_stands() {
        let id = "0123456789abcdeF";
        for text in [
            id.to_owned(),
            format!("tok_{id}"),
            format!("Bearer tok_{id}"),
            format!("mst_eu_pf_{id}_cut"),
            format!("mst_eu_pf_{id}"),
            format!("pf_{id}_{}", "x".repeat(49)),
            format!("“mst_eu_pf_{id}_{}”", "x".repeat(49)),
        ] {
            assert_eq!(key_id(&text), Some(id), "{text}");
        }
        for text in ["", "mst_eu_pf_0123", &"x".repeat(17)] {
            assert_eq!(key_id(text), None, "{text}");
        }
    }
}
