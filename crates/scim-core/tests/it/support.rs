//! What the tests share: bodies, fixtures, and what was noted.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use scim_core::{Attributes, Document, JsonLimits, Notes, Quirk, ResourceType, Tolerance};
use scim_core::{ErrorKind, ScimError};
use serde_json::Value;

pub(crate) const LIMITS: JsonLimits = JsonLimits { depth: 64, array_values: 10_000 };

/// A request body.
pub(crate) fn body(value: &Value) -> Attributes {
    Attributes::parse(value.to_string().as_bytes(), &LIMITS).unwrap()
}

/// An example of RFC 7643 §8.
pub(crate) fn rfc7643(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/rfc/rfc7643-{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A user body read with everything tolerated.
pub(crate) fn lenient(value: &Value) -> (Document, Notes) {
    let mut notes = Notes::default();
    let tolerance = Tolerance::default();
    let document =
        Document::parse(&body(value), ResourceType::user(), &tolerance, &mut notes).unwrap();
    (document, notes)
}

/// The refusal of a user body by a tenant that does not tolerate these quirks.
pub(crate) fn refusal(value: &Value, refused: &[Quirk]) -> ScimError {
    let tolerance = Tolerance::all_but(refused.iter().copied());
    let mut notes = Notes::default();
    Document::parse(&body(value), ResourceType::user(), &tolerance, &mut notes).unwrap_err()
}

/// Kind and attribute of a refusal.
pub(crate) fn about(error: &ScimError) -> (ErrorKind, Option<&str>) {
    (error.kind(), error.attribute())
}

/// The quirks noted.
pub(crate) fn quirks(notes: &Notes) -> Vec<Quirk> {
    notes.quirks().collect()
}

/// The attributes noted as passed over.
pub(crate) fn ignored(notes: &Notes) -> Vec<&str> {
    notes.ignored_attributes().collect()
}
