//! What holds for every body and every text.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::support::{LIMITS, body};
use proptest::prelude::*;
use scim_core::{Attributes, Document, Notes, ResourceType, Tolerance, UserName, fold};
use serde_json::{Map, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 ._@-]{0,12}", "\\PC{0,8}"]
}

/// Any JSON, shallow, with names that the schema knows among those that it does not.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        text().prop_map(Value::String),
        Just(json!("True")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(part(), inner, 0..4)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

fn part() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["value", "type", "primary", "givenName", "$ref", "formatted", "x"])
        .prop_map(str::to_owned)
}

fn any_body() -> impl Strategy<Value = Map<String, Value>> {
    let names = vec![
        "userName",
        "name",
        "emails",
        "active",
        "roles",
        "addresses",
        "x509Certificates",
        "groups",
        "externalId",
        "meta",
        "manager",
        "department",
        "name.givenName",
        "emails.value",
        "unknown",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ENTERPRISE,
        "schemas",
        "photos",
    ];
    let name = prop::sample::select(names).prop_map(str::to_owned);
    prop::collection::btree_map(name, any_json(), 0..6).prop_map(Map::from_iter)
}

/// A body whose values mostly fit, so that most of them are taken.
fn likely_body() -> impl Strategy<Value = Map<String, Value>> {
    let emails = prop::collection::vec(
        (text(), prop::option::of(text()), prop::option::of(any::<bool>())).prop_map(
            |(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary}),
        ),
        0..4,
    );
    (text(), text(), text(), emails, any::<bool>(), text()).prop_map(
        |(user_name, given, external, emails, active, department)| {
            let body = json!({
                "userName": user_name, "name": {"givenName": given, "formatted": null},
                "externalId": external, "emails": emails, "active": active,
                ENTERPRISE: {"department": department},
            });
            body.as_object().unwrap().clone()
        },
    )
}

fn parsed(map: Map<String, Value>) -> Option<Document> {
    let (of, tolerance) = (ResourceType::user(), Tolerance::default());
    Document::parse(&Attributes::from(map), of, &tolerance, &mut Notes::default()).ok()
}

/// Whether anything inside is null, "" or empty.
fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty() || items.iter().any(holds_nothing),
        Value::Object(map) => map.is_empty() || map.values().any(holds_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

proptest! {
    #[test]
    fn a_document_reads_as_it_was_written(map in prop_oneof![any_body(), likely_body()]) {
        if let Some(document) = parsed(map) {
            let text = document.to_text();
            let again = Document::stored(&text).unwrap();
            prop_assert_eq!(&again, &document);
            prop_assert_eq!(again.to_text(), text);
        }
    }

    #[test]
    fn a_document_is_canonical(map in prop_oneof![any_body(), likely_body()]) {
        if let Some(document) = parsed(map) {
            prop_assert!(!document.as_map().values().any(holds_nothing));
            let once_more = parsed(document.as_map().clone());
            prop_assert_eq!(once_more, Some(document));
        }
    }

    #[test]
    fn the_search_form_of_a_search_form_is_itself(map in prop_oneof![any_body(), likely_body()]) {
        if let Some(document) = parsed(map) {
            let of = ResourceType::user();
            let once = document.search_text(of);
            let twice = Document::stored(&once).unwrap().search_text(of);
            prop_assert_eq!(twice, once);
        }
    }

    #[test]
    fn the_key_of_a_key_is_that_key(name in prop_oneof![text(), any::<String>()]) {
        let key = UserName::key_of(&name);
        prop_assert_eq!(UserName::key_of(&key), key);
    }

    #[test]
    fn what_is_folded_stays_folded(text in any::<String>()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }

    #[test]
    fn the_parser_reads_every_json_object_as_serde_json_does(map in any_body()) {
        let value = Value::Object(map.clone());
        let read = body(&value);
        prop_assert_eq!(read.as_map(), &map);
    }

    #[test]
    fn no_bytes_make_the_parser_fail_otherwise_than_by_refusing(bytes in any::<Vec<u8>>()) {
        let ours = Attributes::parse(&bytes, &LIMITS).is_ok();
        let theirs = serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok();
        prop_assert!(!ours || theirs);
    }
}

#[test]
fn keys_and_folds_of_every_letter_are_fixed_points() {
    // Han and Hangul, between these ranges, have no case; what follows them has no letters yet.
    for c in ('\u{80}'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{e000}'..='\u{1ffff}')
    {
        for text in [c.to_string(), format!("a{c}\u{345}")] {
            let (key, folded) = (UserName::key_of(&text), fold(&text));
            assert_eq!(UserName::key_of(&key), key, "{text:?}");
            assert_eq!(fold(&folded), folded, "{text:?}");
        }
    }
}
