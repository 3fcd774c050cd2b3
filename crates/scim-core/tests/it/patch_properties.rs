//! What holds for every PATCH.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

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

proptest! {
    #[test]
    fn a_replace_twice_is_a_replace_once(user in any_user(), path in any_path(), value in any_value()) {
        let of = ResourceType::user();
        let replace = request(&json!([{"op": "replace", "path": path, "value": value}]));
        let Ok(once) = patch(&user, &replace, of, &Tolerance::default()) else { return Ok(()) };
        let twice = patch(&once.after, &replace, of, &Tolerance::default());
        prop_assert_eq!(twice.unwrap().after, once.after);
    }

    #[test]
    fn an_add_twice_is_an_add_once(user in any_user(), path in any_path(), value in any_value()) {
        let of = ResourceType::user();
        let add = request(&json!([{"op": "add", "path": path, "value": value}]));
        let Ok(once) = patch(&user, &add, of, &Tolerance::default()) else { return Ok(()) };
        let twice = patch(&once.after, &add, of, &Tolerance::default());
        prop_assert_eq!(twice.unwrap().after, once.after);
    }

    #[test]
    fn what_comes_out_is_canonical(user in any_user(), operations in prop::collection::vec(any_operation(), 0..6)) {
        let of = ResourceType::user();
        let Ok(patched) = patch(&user, &request(&json!(operations)), of, &Tolerance::default()) else {
            return Ok(());
        };
        let text = patched.after.to_text();
        let again = Document::parse(
            &body(&serde_json::from_str(&text).unwrap()),
            of,
            &Tolerance::default(),
            &mut Notes::default(),
        );
        prop_assert_eq!(again.unwrap(), patched.after);
    }

    #[test]
    fn a_failing_operation_leaves_nothing_behind(user in any_user(), operations in prop::collection::vec(any_operation(), 0..4)) {
        let of = ResourceType::user();
        let before = user.clone();
        let mut operations = operations;
        operations.push(json!({"op": "add", "path": "unknown", "value": "x"}));
        prop_assert!(patch(&user, &request(&json!(operations)), of, &Tolerance::default()).is_err());
        prop_assert_eq!(user, before);
    }

    #[test]
    fn one_list_has_one_primary(user in any_user(), operations in prop::collection::vec(any_operation(), 0..6)) {
        let of = ResourceType::user();
        let Ok(patched) = patch(&user, &request(&json!(operations)), of, &Tolerance::default()) else {
            return Ok(());
        };
        for list in patched.after.as_map().values().filter_map(Value::as_array) {
            prop_assert!(list.iter().filter(|element| element.get("primary") == Some(&json!(true))).count() < 2);
        }
    }
}
