//! The body of a PATCH: read, and applied to a user and to a group.

use super::scene;
use scim_core::{
    Attributes, Document, MemberStep, Notes, PatchRequest, ResourceType, ScimError, Tolerance,
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Any bytes.
pub(crate) fn run(data: &[u8]) {
    let Ok(body) = Attributes::parse(data, &scene::JSON) else { return };
    for tolerance in scene::tolerances() {
        for of in scene::types() {
            check(&body, of, &tolerance);
        }
    }
}

fn check(body: &Attributes, of: &ResourceType, tolerance: &Tolerance) {
    let before = scene::seeded(of);
    let Ok(after) = apply(body, &before, of, tolerance) else { return };
    scene::check_canonical(&after, of);
    if is_one_plain_replace(body) {
        assert_eq!(apply(body, &after, of, tolerance), Ok(after.clone()), "replaced twice");
    }
    if let Some(failing) = with_a_failing_end(body) {
        assert!(apply(&failing, &before, of, tolerance).is_err(), "the last operation fails");
    }
    // What a strict tenant takes, every tenant takes, and with the same result.
    let lenient = apply(body, &before, of, &Tolerance::default());
    assert_eq!(lenient.as_ref().ok(), Some(&after), "with all tolerated");
}

fn apply(
    body: &Attributes,
    before: &Document,
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<Document, ScimError> {
    let mut notes = Notes::default();
    let mut request = PatchRequest::parse(body, &scene::PATCH, tolerance, &mut notes)?;
    request.check_id("own")?;
    if of.name == "Group" {
        let (rest, steps) = request.split_members("own", tolerance, &mut notes)?;
        steps.iter().for_each(check_step);
        request = rest;
    }
    request.apply(before, of, tolerance, &mut notes)
}

/// No id is in both lists, or twice in one.
fn check_step(step: &MemberStep) {
    let MemberStep::Change { clear, add, remove } = step else { return };
    let mut seen = HashSet::new();
    let ids = add.iter().map(|member| &member.id).chain(remove);
    assert!(ids.into_iter().all(|id| !id.is_empty() && seen.insert(id)), "{step:?}");
    assert!(!clear || remove.is_empty(), "{step:?}");
    assert!(*clear || !seen.is_empty(), "a step that does nothing");
}

fn operations(body: &Attributes) -> &[Value] {
    match body.get("Operations") {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

/// One `replace` that chooses nothing by a filter: what a filter chooses may be no longer chosen afterwards.
fn is_one_plain_replace(body: &Attributes) -> bool {
    let [Value::Object(only)] = operations(body) else { return false };
    let only = Attributes::from(only.clone());
    let is_replace =
        only.get("op").and_then(Value::as_str).is_some_and(|op| op.eq_ignore_ascii_case("replace"));
    let path = only.get("path").and_then(Value::as_str).unwrap_or_default();
    is_replace && !path.contains('[') && !has_choosing_key(only.get("value"))
}

fn has_choosing_key(value: Option<&Value>) -> bool {
    let Some(Value::Object(parts)) = value else { return false };
    parts.iter().any(|(key, value)| key.contains('[') || has_choosing_key(Some(value)))
}

/// The same request with an operation at its end that nothing tolerates.
fn with_a_failing_end(body: &Attributes) -> Option<Attributes> {
    let mut list = operations(body).to_vec();
    list.push(json!({"op": "add", "path": "noSuchAttribute", "value": "x"}));
    if list.len() > scene::PATCH.operations {
        return None;
    }
    let mut map: Map<String, Value> = body.as_map().clone();
    map.retain(|name, _| !name.eq_ignore_ascii_case("Operations"));
    map.insert("Operations".into(), Value::Array(list));
    Some(Attributes::from(map))
}
