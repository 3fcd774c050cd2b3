//! Groups: the name, and the members beside the document.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::support::{about, body, ignored, quirks, rfc7643};
use scim_core::{ErrorKind, Group, Member, MemberKind, Notes, Quirk, ResourceType, Tolerance};
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn parse(value: &Value) -> (Group, Option<Vec<Member>>, Notes) {
    Group::parse(&body(value), ResourceType::group(), &Tolerance::default(), 3).unwrap()
}

fn ids(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.id.as_str()).collect()
}

#[test]
fn the_example_of_the_rfc_is_a_group_with_two_members() {
    let (group, members, notes) = parse(&rfc7643("8.4-group"));
    assert_eq!((group.display_name(), group.display_key()), ("Tour Guides", "tour guides"));
    assert_eq!(
        group.document().as_map(),
        json!({"schemas": [GROUP], "displayName": "Tour Guides"}).as_object().unwrap()
    );
    assert_eq!(
        ids(&members.unwrap()),
        ["2819c223-7f76-453a-919d-413861904646", "902c246b-6245-4190-8e05-00816be7344a"]
    );
    assert_eq!(quirks(&notes), []);
    assert_eq!(ignored(&notes), ["id", "meta"]);
}

#[test]
fn no_members_is_another_thing_than_none_named() {
    let base = json!({"schemas": [GROUP], "displayName": "a"});
    assert_eq!(parse(&base).1, None);
    for empty in [json!([]), json!(null), json!("")] {
        let mut sent = base.clone();
        sent["Members"] = empty;
        assert_eq!(parse(&sent).1, Some(vec![]));
    }
}

#[test]
fn members_are_taken_in_every_shape_and_once() {
    for (value, expected, met) in [
        (json!([{"value": "a"}, {"VALUE": "b"}]), &["a", "b"][..], &[][..]),
        (json!([{"value": "a"}, {"value": "a"}]), &["a"], &[Quirk::DuplicateValue]),
        (
            json!([{"$ref": "https://example.com/Users/a", "display": "A"}]),
            &["a"],
            &[Quirk::ReferenceOnly],
        ),
        (json!(""), &[], &[Quirk::EmptyValue]),
        (json!({"value": "a", "$ref": null}), &["a"], &[Quirk::ListShape]),
        (json!("a"), &["a"], &[Quirk::ListShape, Quirk::PlainElement]),
        (json!(["a", "b"]), &["a", "b"], &[Quirk::PlainElement]),
        (json!([{"value": 7}]), &["7"], &[Quirk::TextFromScalar]),
    ] {
        let mut notes = Notes::default();
        let members = Group::parse_members(&value, &Tolerance::default(), &mut notes, 3).unwrap();
        assert_eq!(ids(&members), expected, "{value}");
        assert_eq!(quirks(&notes), met, "{value}");
        for quirk in met {
            let strict = Tolerance::all_but([*quirk]);
            assert!(Group::parse_members(&value, &strict, &mut notes, 3).is_err(), "{value}");
        }
    }
}

#[test]
fn the_type_of_a_member_is_read_in_any_case() {
    let value = json!([{"value": "a", "type": "user"}, {"value": "b", "type": "GROUP"},
        {"value": "c", "type": "device"}]);
    let mut notes = Notes::default();
    let members = Group::parse_members(&value, &Tolerance::default(), &mut notes, 3).unwrap();
    let kinds: Vec<_> = members.iter().map(|member| member.kind).collect();
    assert_eq!(kinds, [Some(MemberKind::User), Some(MemberKind::Group), None]);
    assert_eq!(ignored(&notes), ["members.type"]);
}

#[test]
fn members_without_an_id_or_beyond_the_limit_are_refused() {
    for (value, attribute) in [
        (json!([{"value": "a"}, {"display": "b"}]), "members.value"),
        (json!([{}]), "members.value"),
        (json!([null]), "members.value"),
        (json!([{"value": null}]), "members.value"),
        (json!([{"value": {"a": 1}}]), "members.value"),
        (json!([{"value": "x".repeat(256)}]), "members.value"),
        (json!(["a", "b", "c", "d"]), "members"),
    ] {
        let error = Group::parse_members(&value, &Tolerance::default(), &mut Notes::default(), 3);
        assert_eq!(about(&error.unwrap_err()), (ErrorKind::InvalidValue, Some(attribute)));
    }
}

#[test]
fn a_group_without_a_name_is_refused() {
    for sent in [json!({}), json!({"displayName": ""}), json!({"displayName": "  "})] {
        let error = Group::parse(&body(&sent), ResourceType::group(), &Tolerance::default(), 3);
        assert_eq!(about(&error.unwrap_err()), (ErrorKind::InvalidValue, Some("displayName")));
    }
}

#[test]
fn entras_group_is_taken() {
    let (group, members, notes) = parse(&json!({
        "schemas": [GROUP,
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Ädmins", "meta": {"resourceType": "Group"},
    }));
    assert_eq!(group.external_id(), Some("8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"));
    assert_eq!((group.display_key(), members), ("ädmins", None));
    assert_eq!(quirks(&notes), [Quirk::UnknownSchemaUri]);
}
