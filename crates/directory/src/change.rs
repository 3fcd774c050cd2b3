//! What happened: the change row, numbered without a gap per resource, and the outbox row that has it delivered.
//!
//! **Invariant**: a change's number is the version that its resource got in the same statement, so the numbers of one
//! resource have no gap, and no counter is shared between resources.

use crate::decisions::Asked;
use crate::scope::micros;
use crate::script::Script;

/// What is said of a resource.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) resource_type: &'static str,
    pub(crate) resource_id: &'a str,
    /// The number of this change: the resource's new version.
    pub(crate) seq: u64,
    /// Such as `user.created`.
    pub(crate) kind: &'static str,
    /// The names of the attributes that changed.
    pub(crate) changed: &'a [String],
    /// What the product is told.
    pub(crate) data: String,
}

/// Adds the change and its outbox row to a script, after a step that changed the resource.
pub(crate) fn record(script: &mut Script, asked: &Asked, id: &str, change: Change<'_>) {
    let resource_type = script.bind(change.resource_type);
    let resource_id = script.bind(change.resource_id);
    let seq = script.bind(i64::try_from(change.seq).unwrap_or(i64::MAX));
    let at = script.bind(micros(asked.now));
    let kind = script.bind(change.kind);
    let changed = script.bind(change.changed.join(" "));
    let data = script.bind(change.data);
    let request_id = script.bind(asked.request_id.as_str());
    let actor = script.bind(asked.key_id.as_str());
    let gate = script.gate();
    script.step(
        "change",
        format!(
            "INSERT INTO changes (tenant_id, resource_type, resource_id, seq, at, kind, changed, data, request_id, actor)
             SELECT $1, {resource_type}, {resource_id}, {seq}, {at}, {kind}, {changed}, {data}, {request_id}, {actor}
             WHERE {gate}"
        ),
    );
    let id = script.bind(id);
    let gate = script.gate();
    script.step(
        "event",
        format!(
            "INSERT INTO outbox (tenant_id, id, resource_type, resource_id, seq, at)
             SELECT $1, {id}, {resource_type}, {resource_id}, {seq}, {at} WHERE {gate}"
        ),
    );
}
