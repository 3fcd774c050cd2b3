//! What holds for every PATCH.

use crate::patch::{document, patch, request};
use crate::support::body;
use proptest::prelude::*;
use scim_core::{Document, Notes, ResourceType, Tolerance};
use serde_json::{Value, json};

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("True")),
        any::<bool>().prop_map(Value::Bool),
        "[a-zA-Z@. ]{0,6}".prop_map(Value::String),
        (0..100_i32).prop_map(|n| json!(n)),
    ]
}

fn any_part() -> impl Strategy<Value = (String, Value)> {
    let name =
        prop::sample::select(vec!["value", "type", "primary", "display", "givenName", "$ref", "x"]);
    let value = prop_oneof![
        3 => any_scalar(),
        2 => prop::sample::select(vec!["work", "home"]).prop_map(|t| json!(t)),
    ];
    (name.prop_map(str::to_owned), value)
}

fn any_value() -> impl Strategy<Value = Value> {
    let object = prop::collection::btree_map("x", Just(Value::Null), 0..1).prop_flat_map(|_| {
        prop::collection::vec(any_part(), 0..4)
            .prop_map(|parts| Value::Object(parts.into_iter().collect()))
    });
    prop_oneof![
        any_scalar(),
        object.clone(),
        prop::collection::vec(prop_oneof![any_scalar(), object.boxed()], 0..4)
            .prop_map(Value::Array),
    ]
}

fn any_path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "userName",
        "title",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[type eq \"work\"].primary",
        "emails[primary eq \"True\"].value",
        "emails[not (value pr)]",
        "roles",
        "addresses[type eq \"home\"].country",
        "manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "id",
        "groups",
        "unknown",
    ])
}

fn any_operation() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "replace", "remove", "Replace"]);
    prop_oneof![
        4 => (op.clone(), any_path(), any_value())
            .prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value})),
        1 => (op, any_path(), any_value())
            .prop_map(|(op, key, value)| json!({"op": op, "value": {key: value}})),
    ]
}

fn any_user() -> impl Strategy<Value = Document> {
    (prop::collection::vec((any_path(), any_value()), 0..5)).prop_map(|parts| {
        let of = ResourceType::user();
        let start = document(&json!({"userName": "b"}), of);
        parts.into_iter().fold(start, |user, (path, value)| {
            let operations = json!([{"op": "add", "path": path, "value": value}]);
            patch(&user, &request(&operations), of, &Tolerance::default())
                .map_or(user, |patched| patched.after)
        })
    })
}

/// Whether an operation leaves the elements that its path chooses chosen.
fn keeps_its_choice(path: &str, value: &Value) -> bool {
    !path.contains("not (") && (!path.ends_with(']') || !value.to_string().contains("type"))
}

fn some_operations() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(any_operation(), 0..6)
}

fn apply(user: &Document, operations: &Value) -> Option<Document> {
    let of = ResourceType::user();
    patch(user, &request(operations), of, &Tolerance::default()).ok().map(|patched| patched.after)
}

proptest! {
    #[test]
    fn a_replace_twice_is_a_replace_once(
        user in any_user(), path in any_path(), value in any_value()
    ) {
        let replace = json!([{"op": "replace", "path": path, "value": value}]);
        if let (Some(once), false) = (apply(&user, &replace), path.contains("not (")) {
            prop_assert_eq!(apply(&once, &replace), Some(once));
        }
    }

    #[test]
    fn an_add_twice_is_an_add_once(
        user in any_user(), path in any_path(), value in any_value()
    ) {
        let add = json!([{"op": "add", "path": path, "value": value}]);
        if let (Some(once), true) = (apply(&user, &add), keeps_its_choice(path, &value)) {
            prop_assert_eq!(apply(&once, &add), Some(once));
        }
    }

    #[test]
    fn what_comes_out_is_canonical(user in any_user(), operations in some_operations()) {
        if let Some(after) = apply(&user, &json!(operations)) {
            let sent = body(&Value::Object(after.as_map().clone()));
            let (of, tolerance) = (ResourceType::user(), Tolerance::default());
            let read = Document::parse(&sent, of, &tolerance, &mut Notes::default());
            prop_assert_eq!(read, Ok(after));
        }
    }

    #[test]
    fn a_failing_operation_leaves_nothing_behind(
        user in any_user(), mut operations in some_operations()
    ) {
        let before = user.clone();
        operations.push(json!({"op": "add", "path": "unknown", "value": "x"}));
        prop_assert_eq!(apply(&user, &json!(operations)), None);
        prop_assert_eq!(user, before);
    }

    #[test]
    fn a_list_has_one_primary_at_most(user in any_user(), operations in some_operations()) {
        let after = apply(&user, &json!(operations)).unwrap_or(user);
        for list in after.as_map().values().filter_map(Value::as_array) {
            let is_primary = |element: &&Value| element.get("primary") == Some(&json!(true));
            prop_assert!(list.iter().filter(is_primary).count() < 2);
        }
    }
}
