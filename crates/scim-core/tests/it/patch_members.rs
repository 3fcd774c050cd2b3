//! PATCH: membership becomes steps over rows.

use crate::patch::steps_of;
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
