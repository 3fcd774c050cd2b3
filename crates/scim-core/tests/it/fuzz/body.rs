//! The body of a POST or PUT: as JSON, as a document, as a user and as a group.

use super::scene;
use scim_core::{Attributes, Document, Group, Notes, ResourceType, Tolerance, User};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Any bytes.
pub(crate) fn run(data: &[u8]) {
    let Ok(body) = Attributes::parse(data, &scene::JSON) else { return };
    let plain: Map<String, Value> = serde_json::from_slice(data).unwrap_or_default();
    assert_eq!(body.as_map(), &plain, "as any JSON parser reads it");
    for of in scene::types() {
        for tolerance in scene::tolerances() {
            check(&body, of, &tolerance);
        }
    }
}

fn check(body: &Attributes, of: &ResourceType, tolerance: &Tolerance) {
    let mut notes = Notes::default();
    let Ok(document) = Document::parse(body, of, tolerance, &mut notes) else { return };
    scene::check_canonical(&document, of);
    let quirks: Vec<_> = notes.quirks().collect();
    assert!(quirks.iter().all(|quirk| tolerance.allows(*quirk)), "{quirks:?}");

    // What a strict tenant takes, every tenant takes as it is.
    let lenient = Document::parse(body, of, &Tolerance::default(), &mut Notes::default());
    assert_eq!(lenient.as_ref().ok(), Some(&document), "with all tolerated");

    match of.name.as_str() {
        "Group" => check_group(body, of, tolerance),
        _ => check_user(body, of, tolerance),
    }
}

fn check_user(body: &Attributes, of: &ResourceType, tolerance: &Tolerance) {
    let Ok((user, _)) = User::parse(body, of, tolerance) else { return };
    assert!(user.document().text("userName").is_some_and(|name| !name.is_empty()));
    let again = User::from_document(user.document().clone(), tolerance, &mut Notes::default());
    assert_eq!(again.as_ref(), Ok(&user), "the same from the store");
    let texts = [user.work_email(), user.primary_email(), user.external_id(), user.display_name()];
    assert!(texts.into_iter().flatten().all(|text| !text.is_empty()));
}

fn check_group(body: &Attributes, of: &ResourceType, tolerance: &Tolerance) {
    const MOST: usize = 100;
    let Ok((group, members, _)) = Group::parse(body, of, tolerance, MOST) else { return };
    assert!(!group.display_name().trim().is_empty() && !group.display_key().is_empty());
    assert_eq!(group.document().get("members"), None, "members are rows of their own");
    let members = members.unwrap_or_default();
    let mut seen = HashSet::new();
    assert!(members.len() <= MOST);
    assert!(members.iter().all(|member| !member.id.is_empty() && seen.insert(&member.id)));
}
