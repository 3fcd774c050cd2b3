//! The index of e-mails: a row for each e-mail of a user, so that a look-up by one reads no document.
//!
//! **Invariant**: every e-mail that fits into an index row has one.

use crate::script::{Script, list_of, one_of_many};
use migrations::Engine;
use serde_json::{Map, Value};

/// The longest e-mail that the index of e-mails holds, in bytes: an index row must hold it. Longer ones are found in
/// the document.
pub(crate) const EMAIL_KEY_BYTES: usize = 1_024;

/// The e-mails of a comparison form that are indexed, each once.
pub(super) fn emails(search: &Map<String, Value>) -> Vec<String> {
    let list =
        search.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut keys: Vec<String> = list
        .iter()
        .filter_map(|email| email.get("value").and_then(Value::as_str))
        .filter(|key| key.len() <= EMAIL_KEY_BYTES)
        .map(str::to_owned)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Adds the index rows of e-mails, however many: a look-up that found some only would let a twin be made.
pub(super) fn add_emails(script: &mut Script, id: &str, keys: &[String]) {
    if keys.is_empty() {
        return;
    }
    let (id, keys) = (script.bind(id), script.bind(serde_json::json!(keys).to_string()));
    let list = match script.engine() {
        Engine::Sqlite => format!("json_each({keys}) k"),
        Engine::Postgres => format!("jsonb_array_elements_text({keys}::jsonb) k(value)"),
    };
    let gate = script.gate();
    // The conflict can only be with itself, when the list was changed and changed back.
    let sql = format!(
        "INSERT INTO user_emails (tenant_id, email_key, user_id) SELECT $1, k.value, {id} FROM {list} WHERE {gate}
         ON CONFLICT (tenant_id, email_key, user_id) DO UPDATE SET user_id = excluded.user_id"
    );
    script.step("emails_came", sql);
}

/// Rewrites the index rows of the e-mails that came or went.
pub(super) fn change_emails(script: &mut Script, id: &str, before: &[String], after: &[String]) {
    // Both are sorted.
    let gone: Vec<&str> =
        before.iter().filter(|k| after.binary_search(k).is_err()).map(String::as_str).collect();
    let came: Vec<String> =
        after.iter().filter(|k| before.binary_search(k).is_err()).cloned().collect();
    if !gone.is_empty() {
        let id = script.bind(id);
        let engine = script.engine();
        let keys = script.bind(list_of(engine, &gone));
        let is_gone = one_of_many(engine, "email_key", &keys);
        let gate = script.gate();
        script.step(
            "emails_gone",
            format!(
                "DELETE FROM user_emails WHERE tenant_id = $1 AND user_id = {id} AND {is_gone} AND {gate}"
            ),
        );
    }
    add_emails(script, id, &came);
}
