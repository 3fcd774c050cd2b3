//! PATCH: what is refused, with which keyword and which words.

use crate::patch::{PATCH_LIMITS, document, patch, request, user_error};
use crate::support::body;
use scim_core::{Notes, PatchRequest, ResourceType, Tolerance};
use serde_json::{Value, json};

#[test]
fn a_bad_value_is_refused_with_operation_and_path() {
    for (operation, kind, says) in [
        (json!({"op": "replace", "path": "active", "value": "perhaps"}), "invalidValue", "active"),
        (json!({"op": "replace", "path": "name", "value": "Ada"}), "invalidValue", "name"),
        (
            json!({"op": "replace", "path": "name.givenName", "value": {"a": 1}}),
            "invalidValue",
            "name.givenName",
        ),
        (json!({"op": "replace", "path": "title"}), "invalidValue", "title"),
        (json!({"op": "replace", "value": "Ada"}), "invalidValue", "object"),
        (
            json!({"op": "replace", "path": "title[type eq \"x\"]", "value": "x"}),
            "invalidPath",
            "title",
        ),
        (json!({"op": "replace", "path": "name.nick", "value": "x"}), "invalidPath", "name.nick"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].nick", "value": "x"}),
            "invalidPath",
            "emails.nick",
        ),
        (json!({"op": "replace", "path": "a b", "value": "x"}), "invalidPath", "a b"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"]value", "value": "x"}),
            "invalidPath",
            "emails",
        ),
        (json!({"op": "replace", "path": 7, "value": "x"}), "invalidPath", "path"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"", "value": "x"}),
            "invalidFilter",
            "`]`",
        ),
        (
            json!({"op": "replace", "path": "emails[nick eq \"work\"].value", "value": "x"}),
            "invalidFilter",
            "emails.nick",
        ),
        (json!({"op": "remove", "path": "id"}), "mutability", "id"),
        (json!({"op": "remove", "path": "schemas"}), "mutability", "schemas"),
        (
            json!({"op": "replace", "path": "meta.created", "value": "x"}),
            "mutability",
            "meta.created",
        ),
        (json!({"op": "replace", "path": "id", "value": "other"}), "mutability", "id"),
        (
            json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"}),
            "noTarget",
            "whole resource",
        ),
        (json!({"op": "move", "path": "title"}), "invalidSyntax", "`move`"),
        (json!({"path": "title"}), "invalidSyntax", "op"),
        (json!("add"), "invalidSyntax", "object"),
    ] {
        let ok = json!({"op": "add", "path": "nickName", "value": "B"});
        let error = user_error(&json!({"userName": "b"}), &json!([ok, operation]));
        assert_eq!(error.kind().scim_type(), Some(kind), "{operation}: {error}");
        assert!(error.detail().starts_with("Operation 2: "), "{error}");
        assert!(error.detail().contains(says), "{error}");
    }
}

#[test]
fn a_body_that_is_no_patch_is_refused() {
    let tolerance = Tolerance::default();
    for (value, kind) in [
        (json!({}), "invalidSyntax"),
        (json!({"Operations": "add"}), "invalidSyntax"),
        (
            json!({"operations": vec![json!({"op": "remove", "path": "title"}); 1001]}),
            "invalidValue",
        ),
    ] {
        let error =
            PatchRequest::parse(&body(&value), &PATCH_LIMITS, &tolerance, &mut Notes::default());
        assert_eq!(error.unwrap_err().kind().scim_type(), Some(kind));
    }
}

#[test]
fn members_beyond_the_limit_or_without_id_are_refused() {
    let of = ResourceType::group();
    let before = document(&json!({"displayName": "G"}), of);
    let many: Vec<Value> = (0..6000).map(|n| json!({"value": n.to_string()})).collect();
    for (operations, kind) in [
        (
            json!([{"op": "add", "path": "members", "value": many}, {"op": "add", "path": "members", "value": many}]),
            "invalidValue",
        ),
        (json!([{"op": "add", "path": "members", "value": [{"display": "x"}]}]), "invalidValue"),
        (
            json!([{"op": "add", "path": "members[type eq \"User\"]", "value": {"value": "x"}}]),
            "noTarget",
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"x\"].value", "value": "y"}]),
            "mutability",
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"x\"].nick", "value": "y"}]),
            "invalidPath",
        ),
        (json!([{"op": "remove", "path": "members[nick eq \"x\"]"}]), "invalidFilter"),
        (json!([{"op": "replace", "path": "id", "value": "other"}]), "mutability"),
    ] {
        let error = patch(&before, &request(&operations), of, &Tolerance::default()).unwrap_err();
        assert_eq!(error.kind().scim_type(), Some(kind), "{error}");
        assert!(error.detail().starts_with("Operation "), "{error}");
    }
}

#[test]
fn many_operations_on_a_long_list_are_bounded() {
    let emails: Vec<Value> = (0..5000).map(|n| json!({"value": format!("{n}@x")})).collect();
    let mut operations = vec![json!({"op": "add", "path": "emails", "value": emails})];
    operations.extend(
        (0..500)
            .map(|n| json!({"op": "add", "path": "emails", "value": [{"value": n.to_string()}]})),
    );
    let error = user_error(&json!({"userName": "b"}), &Value::Array(operations));
    assert_eq!(error.kind().scim_type(), Some("invalidValue"));
}
