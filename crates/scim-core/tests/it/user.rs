//! Users: the name, the e-mail addresses.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::support::{about, body, quirks};
use scim_core::{ErrorKind, Quirk, ResourceType, Tolerance, User};
use serde_json::{Value, json};

fn parse(value: &Value) -> User {
    User::parse(&body(value), ResourceType::user(), &Tolerance::default()).unwrap().0
}

#[test]
fn a_user_without_a_user_name_is_refused() {
    for sent in
        [json!({}), json!({"userName": null}), json!({"userName": ""}), json!({"userName": " "})]
    {
        let error = User::parse(&body(&sent), ResourceType::user(), &Tolerance::default());
        assert_eq!(about(&error.unwrap_err()), (ErrorKind::InvalidValue, Some("userName")));
    }
}

#[test]
fn a_user_tells_its_main_values() {
    let user = parse(&json!({"userName": "Ada", "externalId": "7", "displayName": "Ada L"}));
    assert_eq!((user.name().as_written(), user.name().key()), ("Ada", "ada"));
    assert_eq!((user.external_id(), user.display_name()), (Some("7"), Some("Ada L")));
    assert!(user.active());
    assert!(user.document().get("active").is_none());
    assert!(!parse(&json!({"userName": "Ada", "active": "False"})).active());
}

#[test]
fn the_work_and_primary_addresses_are_found_leniently() {
    for (emails, work, primary) in [
        (json!(null), None, None),
        (json!([{"value": "a"}]), Some("a"), Some("a")),
        (json!([{"value": "a"}, {"value": "b"}]), None, None),
        (json!([{"value": "a", "type": "home"}]), Some("a"), Some("a")),
        (
            json!([{"value": "a", "primary": true}, {"value": "b", "type": "Work"}]),
            Some("b"),
            Some("a"),
        ),
        (json!([{"value": "a", "primary": true}, {"value": "b"}]), Some("a"), Some("a")),
        (json!([{"value": "a"}, {"value": "b", "type": "work"}]), Some("b"), Some("b")),
        (json!([{"type": "work"}, {"value": "b"}]), Some("b"), Some("b")),
    ] {
        let user = parse(&json!({"userName": "ada", "emails": emails}));
        assert_eq!((user.work_email(), user.primary_email()), (work, primary), "{emails}");
    }
}

#[test]
fn a_name_with_a_space_is_taken_and_noted() {
    let sent = body(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Ada L",
    }));
    let (_, notes) = User::parse(&sent, ResourceType::user(), &Tolerance::default()).unwrap();
    assert_eq!(quirks(&notes), [Quirk::UserNameNotPrecis]);
}
