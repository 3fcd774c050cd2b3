//! PATCH: membership becomes steps over rows.

use crate::patch::{document, patch, request, steps_of};
use scim_core::{ResourceType, Tolerance};
use serde_json::{Value, json};

#[test]
fn membership_operations_fold_into_one_step() {
    for (operations, expected) in [
        (json!([]), json!([])),
        (json!([{"op": "add", "path": "members", "value": []}]), json!([])),
        // A value that names nobody removes nobody; seven servers emptied the group.
        (json!([{"op": "remove", "path": "members", "value": null}]), json!([])),
        (json!([{"op": "remove", "path": "members", "value": []}]), json!([])),
        (
            json!([
                {"op": "add", "path": "members", "value": [{"value": "a"}]},
                {"op": "remove", "path": "members"},
                {"op": "add", "path": "members[value eq \"b\"]", "value": [{"value": "b"}]},
                {"op": "remove", "path": "members[value eq \"c\" or value eq \"d\"]"}
            ]),
            json!([{"clear": true, "add": ["b"], "remove": []}]),
        ),
        (
            json!([
                {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": [{"value": "a"}]},
                {"op": "remove", "path": "members[type eq \"Group\"]"},
                {"op": "add", "path": "Members", "value": {"value": "b"}},
                {"op": "remove", "path": "members.value", "value": ["c"]}
            ]),
            json!([
                {"clear": false, "add": ["a"], "remove": []},
                "where",
                {"clear": false, "add": ["b"], "remove": ["c"]}
            ]),
        ),
        (
            json!([{"op": "add", "value": {"Members": [{"value": "a"}], "members[value eq \"b\"]": "b",
                    "urn:ietf:params:scim:schemas:core:2.0:Group": {"members": [{"value": "c"}]}}}]),
            json!([{"clear": false, "add": ["a", "b", "c"], "remove": []}]),
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"a\"].display", "value": "A"}]),
            json!([]),
        ),
    ] {
        assert_eq!(Value::Array(steps_of(&operations)), expected, "{operations}");
    }
}

/// RFC 7643 §4.2: the id of a member is immutable. A 204 that did nothing would be drift (idp-wire §6).
#[test]
fn a_member_is_not_replaced_by_another_one() {
    let of = ResourceType::group();
    let before = document(&json!({"displayName": "G"}), of);
    for value in [
        json!({"value": "b"}),
        json!({"Value": "b", "display": "B"}),
        json!([{"value": "b"}]),
        json!([{"value": "a"}, {"value": "b"}]),
        json!({"$ref": "https://example.com/scim/v2/Users/b"}),
        json!("b"),
        json!(7),
    ] {
        for op in ["add", "replace"] {
            let change = |path: &str| json!([{"op": op, "path": path, "value": value}]);
            for operations in [
                change("members[value eq \"a\"]"),
                json!([{"op": op, "value": {"members[value eq \"a\"]": value}}]),
            ] {
                let error =
                    patch(&before, &request(&operations), of, &Tolerance::default()).unwrap_err();
                assert_eq!(error.kind().scim_type(), Some("mutability"), "{operations}: {error}");
                assert!(error.detail().contains("remove the one member and add the other"));
            }
        }
    }
    for value in [
        json!({"value": "a", "display": "A"}),
        json!([{"value": "a"}]),
        json!({"$ref": "https://example.com/scim/v2/Users/a"}),
        json!({"display": "A"}),
        json!("a"),
        json!(null),
    ] {
        let operations =
            json!([{"op": "replace", "path": "members[value eq \"a\"]", "value": value}]);
        let expected = json!([{"clear": false, "add": ["a"], "remove": []}]);
        assert_eq!(Value::Array(steps_of(&operations)), expected, "{operations}");
    }
}
