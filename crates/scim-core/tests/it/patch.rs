//! PATCH: the RFC's examples and what identity providers send, body before and body after.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene has failed"
)]

use crate::support::{body, ignored};
use scim_core::{
    Document, FilterLimits, MemberStep, Notes, PatchLimits, PatchRequest, Quirk, ResourceType,
    ScimError, Tolerance,
};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(crate) const PATCH_LIMITS: PatchLimits = PatchLimits {
    operations: 1000,
    members: 10_000,
    filter: FilterLimits { bytes: 4096, depth: 32, terms: 100 },
};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What came of a PATCH.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) after: Document,
    pub(crate) steps: Vec<MemberStep>,
    pub(crate) notes: Notes,
}

pub(crate) fn document(value: &Value, of: &ResourceType) -> Document {
    Document::parse(&body(value), of, &Tolerance::default(), &mut Notes::default()).unwrap()
}

pub(crate) fn patch(
    before: &Document,
    patch: &Value,
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<Patched, ScimError> {
    let mut notes = Notes::default();
    let mut request = PatchRequest::parse(&body(patch), &PATCH_LIMITS, tolerance, &mut notes)?;
    let mut steps = Vec::new();
    request.check_id("own")?;
    if of.name == "Group" {
        (request, steps) = request.split_members("own", tolerance, &mut notes)?;
    }
    let after = request.apply(before, of, tolerance, &mut notes)?;
    Ok(Patched { after, steps, notes })
}

pub(crate) fn request(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// A user after operations that are all tolerated, without `schemas`.
pub(crate) fn user_after(before: &Value, operations: &Value) -> Value {
    let of = ResourceType::user();
    let before = document(before, of);
    let patched = patch(&before, &request(operations), of, &Tolerance::default()).unwrap();
    without_schemas(&patched.after)
}

pub(crate) fn user_error(before: &Value, operations: &Value) -> ScimError {
    let of = ResourceType::user();
    let before = document(before, of);
    patch(&before, &request(operations), of, &Tolerance::default()).unwrap_err()
}

pub(crate) fn steps_of(operations: &Value) -> Vec<Value> {
    let of = ResourceType::group();
    let before = document(&json!({"displayName": "G"}), of);
    let patched = patch(&before, &request(operations), of, &Tolerance::default()).unwrap();
    patched.steps.iter().map(shown).collect()
}

pub(crate) fn without_schemas(document: &Document) -> Value {
    let mut map: Map<String, Value> = document.as_map().clone();
    map.remove("schemas");
    Value::Object(map)
}

pub(crate) fn shown(step: &MemberStep) -> Value {
    match step {
        MemberStep::Change { clear, add, remove } => {
            let add: Vec<&str> = add.iter().map(|member| member.id.as_str()).collect();
            json!({"clear": clear, "add": add, "remove": remove})
        }
        MemberStep::RemoveWhere(_) => json!("where"),
    }
}

pub(crate) fn quirk_ids(notes: &Notes) -> Vec<&'static str> {
    let mut ids: Vec<_> = notes.quirks().map(Quirk::id).collect();
    ids.sort_unstable();
    ids
}

pub(crate) fn texts(value: &Value) -> Vec<&str> {
    let mut texts: Vec<_> =
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

fn run_fixture(path: &Path) {
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let name = path.display();
    let of =
        if fixture["resource"] == "Group" { ResourceType::group() } else { ResourceType::user() };
    let refused = texts(&fixture["not_tolerated"]);
    let refused = Quirk::ALL.iter().copied().filter(|quirk| refused.contains(&quirk.id()));
    let tolerance = Tolerance::all_but(refused);
    let before = document(&fixture["before"], of);
    let patched = patch(&before, &fixture["patch"], of, &tolerance);
    if let Some(error) = fixture.get("error") {
        let came = patched.unwrap_err();
        assert_eq!(came.kind().scim_type(), error["kind"].as_str(), "{name}: {came}");
        assert!(came.detail().contains(error["says"].as_str().unwrap()), "{name}: {came}");
        return;
    }
    let patched = patched.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(without_schemas(&patched.after), fixture["after"], "{name}");
    assert_eq!(quirk_ids(&patched.notes), texts(&fixture["quirks"]), "{name}");
    assert_eq!(ignored(&patched.notes), texts(&fixture["ignored"]), "{name}");
    let steps: Value = patched.steps.iter().map(shown).collect();
    assert_eq!(steps, fixture.get("members").cloned().unwrap_or_else(|| json!([])), "{name}");
}

fn run_fixtures(folder: &str, prefix: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut ran = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(prefix) {
            run_fixture(&path);
            ran += 1;
        }
    }
    ran
}

#[test]
fn the_examples_of_rfc_7644_come_out_as_it_says() {
    assert_eq!(run_fixtures("rfc", "rfc7644-3.5.2"), 14);
}

#[test]
fn entras_patches_do_what_entra_means() {
    assert!(run_fixtures("idp/entra", "patch-") > 25);
}

#[test]
fn oktas_patches_do_what_okta_means() {
    assert!(run_fixtures("idp/okta", "patch-") > 5);
}

#[test]
fn other_clients_patches_do_what_they_mean() {
    assert!(run_fixtures("idp/others", "patch-") > 0);
}
