//! A path: of an attribute, and of a PATCH operation; and the names in `attributes` and `excludedAttributes`.

use super::scene;
use scim_core::{
    AttrPath, Attributes, Document, Filter, Notes, PatchRequest, Projection, ResourceType,
    ScimError, Sort, Tolerance,
};
use serde_json::{Value, json};

/// Any bytes.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(path) = AttrPath::parse(text) {
        assert_eq!(path.to_string(), text);
    }
    for tolerance in scene::tolerances() {
        check_printed(text, &tolerance);
        // One operation for each path keeps the fuzzer fast; which one follows from the input.
        let operations = [
            ("remove", Value::Null),
            ("add", json!("x")),
            ("replace", json!({"value": "x", "type": "work", "primary": true})),
            ("add", json!([{"value": "y"}, {"value": "z", "type": "home"}])),
            ("replace", json!(false)),
        ];
        let chosen = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % operations.len();
        if let Some((op, value)) = operations.get(chosen) {
            scene::types().into_iter().for_each(|of| apply(op, text, value, of, &tolerance));
        }
    }
    for of in scene::types() {
        for tolerance in scene::tolerances() {
            if let Ok(sort) = Sort::parse(text, None, of, &tolerance, &mut Notes::default()) {
                assert!(!sort.descending && !sort.target.attribute.is_empty(), "{text}");
            }
        }
        for (attributes, excluded) in [(Some(text), None), (None, Some(text))] {
            if let Ok(projection) = Projection::parse(attributes, excluded, of) {
                assert!(projection.is_explicit() || text.trim().is_empty(), "{text}");
                for name in ["userName", "members", "emails", "displayName", scene::ENTERPRISE] {
                    std::hint::black_box(projection.wants(name));
                }
            }
        }
    }
}

fn removal(text: &str, tolerance: &Tolerance) -> Result<PatchRequest, ScimError> {
    request(&json!({"op": "remove", "path": text}), tolerance)
}

fn request(operation: &Value, tolerance: &Tolerance) -> Result<PatchRequest, ScimError> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
    });
    let body = Attributes::parse(body.to_string().as_bytes(), &scene::JSON)?;
    PatchRequest::parse(&body, &scene::PATCH, tolerance, &mut Notes::default())
}

/// A value path reads as the filter that it looks like: printed as that, it is the same path.
fn check_printed(text: &str, tolerance: &Tolerance) {
    let Ok(path) = removal(text, tolerance) else { return };
    let Some(end) = text.rfind(']') else { return };
    let (filter, sub) = text.split_at(end + 1);
    let read = Filter::parse(filter, &scene::FILTER, tolerance, &mut Notes::default());
    let Ok(filter @ Filter::Element { .. }) = read else {
        panic!("{text} is a path, and its filter is {read:?}");
    };
    let printed = format!("{filter}{}", sub.trim());
    if printed.len() <= scene::FILTER.bytes
        && let Ok(again) = removal(&printed, &Tolerance::strict())
    {
        assert_eq!(again, path, "{text} printed as {printed}");
    }
}

fn apply(op: &str, text: &str, value: &Value, of: &ResourceType, tolerance: &Tolerance) {
    let Ok(request) = request(&json!({"op": op, "path": text, "value": value}), tolerance) else {
        return;
    };
    let before = scene::seeded(of);
    let mut notes = Notes::default();
    let rest = match of.name.as_str() {
        "Group" => request.split_members("own", tolerance, &mut notes).map(|(rest, _)| rest),
        _ => Ok(request),
    };
    let after: Result<Document, ScimError> =
        rest.and_then(|rest| rest.apply(&before, of, tolerance, &mut notes));
    if let Ok(after) = after {
        scene::check_canonical(&after, of);
        if op == "remove" && !text.contains('[') {
            // What is gone cannot go again.
            let again = rest_of(op, text, value, of, tolerance)
                .and_then(|rest| rest.apply(&after, of, tolerance, &mut notes));
            assert_eq!(again, Ok(after), "{text} removed twice");
        }
    }
}

fn rest_of(
    op: &str,
    text: &str,
    value: &Value,
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<PatchRequest, ScimError> {
    let request = request(&json!({"op": op, "path": text, "value": value}), tolerance)?;
    if of.name != "Group" {
        return Ok(request);
    }
    request.split_members("own", tolerance, &mut Notes::default()).map(|(rest, _)| rest)
}
