//! `attributes` and `excludedAttributes`.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use scim_core::{ErrorKind, Projection, ResourceType};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn resource() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1",
        "userName": "ada",
        "name": {"givenName": "Ada", "familyName": "King"},
        "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}],
        "meta": {"resourceType": "User", "location": "l"},
        ENTERPRISE: {"department": "D", "manager": {"value": "m", "displayName": "M"}}
    })
}

fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let of = ResourceType::user();
    let mut value = resource();
    let projection = Projection::parse(attributes, excluded, of).unwrap();
    projection.apply(value.as_object_mut().unwrap(), of);
    let map = value.as_object_mut().unwrap();
    assert!(map.remove("schemas").is_some() && map.remove("id").is_some());
    value
}

#[test]
fn attributes_keep_what_they_name() {
    let manager = format!("{ENTERPRISE}:manager.value");
    for (attributes, expected) in [
        ("userName", json!({"userName": "ada"})),
        (" USERNAME , unknown,name.x", json!({"userName": "ada"})),
        ("name.givenName", json!({"name": {"givenName": "Ada"}})),
        ("name.givenName,name", json!({"name": {"givenName": "Ada", "familyName": "King"}})),
        ("emails.type", json!({"emails": [{"type": "work"}]})),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({"userName": "ada"})),
        (&manager, json!({ENTERPRISE: {"manager": {"value": "m"}}})),
        ("department", json!({ENTERPRISE: {"department": "D"}})),
        (
            ENTERPRISE,
            json!({ENTERPRISE: {"department": "D", "manager": {"value": "m", "displayName": "M"}}}),
        ),
        ("unknown", json!({})),
        ("id", json!({})),
    ] {
        assert_eq!(shown(Some(attributes), None), expected, "{attributes}");
    }
}

#[test]
fn excluded_attributes_go_but_those_always_returned() {
    let all = || {
        let mut all = resource();
        all.as_object_mut().unwrap().retain(|key, _| key != "id" && key != "schemas");
        all
    };
    for (excluded, expected) in [
        ("id,schemas,unknown", all()),
        ("name.givenName, emails.value,meta", {
            let mut left = all();
            left["name"] = json!({"familyName": "King"});
            left["emails"] = json!([{"type": "work"}]);
            left.as_object_mut().unwrap().remove("meta");
            left
        }),
        (ENTERPRISE, {
            let mut left = all();
            left.as_object_mut().unwrap().remove(ENTERPRISE);
            left
        }),
    ] {
        assert_eq!(shown(None, Some(excluded)), expected, "{excluded}");
    }
}

#[test]
fn members_are_wanted_unless_excluded() {
    let of = ResourceType::group();
    for (attributes, excluded, wanted) in [
        (None, None, true),
        (None, Some("members"), false),
        (None, Some("MEMBERS,x"), false),
        (None, Some("members.display"), true),
        (Some("displayName"), None, false),
        (Some("members.value"), None, true),
        (Some(""), Some(""), true),
    ] {
        let projection = Projection::parse(attributes, excluded, of).unwrap();
        assert_eq!(projection.wants("members"), wanted, "{attributes:?} {excluded:?}");
        assert!(projection.wants("id"));
    }
}

#[test]
fn both_parameters_together_are_refused() {
    let of = ResourceType::user();
    let error = Projection::parse(Some("userName"), Some("emails"), of).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(Projection::parse(None, None, of).unwrap().everything());
    assert!(Projection::parse(None, Some("x"), of).unwrap().is_explicit());
}
