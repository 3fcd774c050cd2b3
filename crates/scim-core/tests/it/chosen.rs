//! Keys of a POST or PUT body that are paths with a filter.

use crate::support::{body, ignored, lenient, quirks, refusal};
use scim_core::{Document, ErrorKind, Group, Notes, Quirk, ResourceType, Tolerance};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const WORK: &str = "emails[type eq \"work\"].value";

fn with(attributes: &Value) -> Value {
    let mut map = attributes.as_object().cloned().unwrap_or_default();
    map.extend([("schemas".to_owned(), json!([USER])), ("userName".to_owned(), json!("ada"))]);
    Value::Object(map)
}

#[test]
fn a_value_path_as_key_makes_the_value_that_it_describes() {
    for (sent, name, kept) in [
        (json!({WORK: "a@x"}), "emails", json!([{"type": "work", "value": "a@x"}])),
        (
            json!({WORK: "a@x", "emails[type eq \"work\"].primary": true}),
            "emails",
            json!([{"type": "work", "value": "a@x", "primary": true}]),
        ),
        (
            json!({WORK: "a@x", "emails[type eq \"home\"].value": "b@x"}),
            "emails",
            json!([{"type": "home", "value": "b@x"}, {"type": "work", "value": "a@x"}]),
        ),
        (
            json!({WORK: "a@x", "emails": [{"type": "home", "value": "b@x"}]}),
            "emails",
            json!([{"type": "home", "value": "b@x"}, {"type": "work", "value": "a@x"}]),
        ),
        (
            json!({format!("{USER}:phoneNumbers[type eq \"work\"].value"): "+1"}),
            "phoneNumbers",
            json!([{"type": "work", "value": "+1"}]),
        ),
        (
            json!({"addresses[type eq \"work\"]": {"country": "DE"}}),
            "addresses",
            json!([{"type": "work", "country": "DE"}]),
        ),
    ] {
        let (document, notes) = lenient(&with(&sent));
        assert_eq!(document.get(name), Some(&kept), "{sent}");
        assert_eq!(quirks(&notes), [Quirk::DottedKey, Quirk::ElementCreated], "{sent}");
        assert!(ignored(&notes).is_empty());
    }
}

#[test]
fn a_value_in_its_proper_place_wins_over_the_one_of_a_value_path() {
    let emails = json!([{"type": "work", "value": "b@x", "primary": true}]);
    let (document, notes) = lenient(&with(&json!({WORK: "a@x", "emails": emails})));
    assert_eq!(document.get("emails"), Some(&emails));
    assert_eq!(quirks(&notes), [Quirk::DottedKey]);
    // A part that is missing is no other value.
    let emails = json!([{"type": "work", "display": "B"}]);
    let (document, _) = lenient(&with(&json!({WORK: "a@x", "emails": emails})));
    let filled = json!([{"type": "work", "display": "B", "value": "a@x"}]);
    assert_eq!(document.get("emails"), Some(&filled));
}

#[test]
fn a_value_path_as_key_is_refused_by_who_takes_no_paths_as_keys() {
    let error = refusal(&with(&json!({WORK: "a@x"})), &[Quirk::DottedKey]);
    assert_eq!(error.kind(), ErrorKind::InvalidSyntax);
    assert_eq!(error.attribute(), Some(WORK));
}

#[test]
fn a_key_with_brackets_that_is_no_path_is_passed_over() {
    for key in ["emails[type eq", "emails[]", "nothing[type eq \"work\"].value", "[]", "a[b"] {
        let (document, notes) = lenient(&with(&json!({key: "a@x"})));
        assert_eq!(document, lenient(&with(&json!({}))).0, "{key}");
        assert_eq!(quirks(&notes), [Quirk::UnknownAttribute], "{key}");
    }
    // Members are no part of a document.
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G",
        "members[value eq \"a\"].value": "a"});
    let of = ResourceType::group();
    let (group, members, _) = Group::parse(&body(&group), of, &Tolerance::default(), 10).unwrap();
    assert!(members.is_none_or(|members| members.is_empty()));
    assert_eq!(group.document().get("members"), None);
}

#[test]
fn a_value_of_another_type_is_refused_under_a_value_path_too() {
    let sent = with(&json!({WORK: {"not": "text"}}));
    let (of, mut notes) = (ResourceType::user(), Notes::default());
    let error = Document::parse(&body(&sent), of, &Tolerance::default(), &mut notes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
}
