//! What an answer says: what came of the request, and whether it shows what no answer may.
//!
//! **Invariant**: an answer of 500 or more counts as not done only where it says so itself.

use super::history::{Event, Op, Outcome};
use super::http::Answer;
use serde_json::Value;

/// What canaries begin with.
const CANARY: &str = "cnry";
/// What no answer shows: statements, panics, the names of sources and libraries.
const SMELLS: [&str; 8] =
    ["SELECT ", "INSERT INTO", "UPDATE ", "panicked", "sqlx", ".rs:", "postgres", "sqlite"];

/// Writes into an event what its answer says; `canary` is what of such the tenant itself may see.
pub(super) fn read(answer: &Answer, canary: &str, event: &mut Event) {
    let text = String::from_utf8_lossy(&answer.body);
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
    event.status = answer.status;
    event.reason.clone_from(&answer.reason);
    event.retry_after.clone_from(&answer.retry_after);
    event.outcome = match answer.status {
        200..300 => Outcome::Ok,
        400..500 => Outcome::Fail,
        // It says itself whether it was done; the checker holds it to its word.
        _ if detail.contains("othing was changed") => Outcome::Fail,
        _ => Outcome::Unknown,
    };
    event.smell = smell(&text, canary);
    if answer.status >= 400 {
        event.note = detail.chars().take(160).collect();
        return;
    }
    event.version = version(&answer.etag);
    let found = body.get("Resources").and_then(|list| list.get(0)).unwrap_or(&body);
    event.total = body.get("totalResults").and_then(Value::as_u64);
    if matches!(event.op, Op::Create | Op::MakeGroup | Op::Find) {
        found.get("id").and_then(Value::as_str).unwrap_or_default().clone_into(&mut event.id);
    }
    if matches!(event.op, Op::Find | Op::Get) {
        found.get("title").and_then(Value::as_str).unwrap_or_default().clone_into(&mut event.stamp);
        let said = found.pointer("/meta/version").and_then(Value::as_str);
        event.version = said.map_or(0, version);
    }
}

/// `W/"3"` is 3.
fn version(etag: &str) -> u64 {
    etag.trim_start_matches("W/").trim_matches('"').parse().unwrap_or(0)
}

/// What the answer holds that it must not.
fn smell(text: &str, own: &str) -> String {
    let foreign = text
        .match_indices(CANARY)
        .find(|(at, _)| !text.get(*at..).unwrap_or_default().starts_with(own));
    if let Some((at, _)) = foreign {
        return text.get(at..).unwrap_or_default().chars().take(20).collect();
    }
    let smells = SMELLS.iter().find(|smell| text.contains(*smell));
    smells.map(|smell| (*smell).to_owned()).unwrap_or_default()
}
