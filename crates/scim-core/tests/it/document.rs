//! A body becomes a document: what is kept of it, refusals, comparison.

use crate::support::{about, ignored, lenient, quirks, refusal, rfc7643};
use scim_core::{Document, ErrorKind, Quirk, ResourceType};
use serde_json::{Value, json};

mod shapes;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A value as it is sent, as it is kept, and the quirks that it takes.
fn table(rows: &[(Value, Value, &[Quirk])]) {
    for (sent, kept, met) in rows {
        let sent = with_schemas(sent);
        let (document, notes) = lenient(&sent);
        let mut map = document.as_map().clone();
        map.remove("schemas");
        assert_eq!(&Value::Object(map), kept, "{sent}");
        assert_eq!(quirks(&notes), *met, "{sent}");
        for quirk in *met {
            refusal(&sent, &[*quirk]);
        }
    }
}

fn with_schemas(sent: &Value) -> Value {
    let mut map = sent.as_object().cloned().unwrap_or_default();
    let urns = if map.contains_key(ENTERPRISE) { json!([USER, ENTERPRISE]) } else { json!([USER]) };
    map.insert("schemas".into(), urns);
    Value::Object(map)
}

#[test]
fn the_examples_of_the_rfc_keep_all_but_what_the_service_gives() {
    for (name, of) in [
        ("8.1-minimal-user", ResourceType::user()),
        ("8.2-full-user", ResourceType::user()),
        ("8.3-enterprise-user", ResourceType::user()),
    ] {
        let sent = rfc7643(name);
        let (document, notes) = lenient(&sent);

        let mut expected = sent.as_object().unwrap().clone();
        for given in ["id", "meta", "groups", "password"] {
            expected.remove(given);
        }
        if let Some(manager) = expected.get_mut(ENTERPRISE).map(|e| &mut e["manager"]) {
            manager.as_object_mut().unwrap().retain(|part, _| part == "value");
        }
        assert_eq!(document.as_map(), &expected, "{name}");
        assert_eq!(quirks(&notes), [], "{name}");
        assert!(!ignored(&notes).contains(&"password"));
        assert_eq!(Document::stored(&document.to_text()).unwrap(), document);
        assert!(document.attribute_names(of).contains(&"userName".to_owned()));
    }
}

#[test]
fn read_only_attributes_are_passed_over_and_noted() {
    let (_, notes) = lenient(&rfc7643("8.3-enterprise-user"));
    assert_eq!(
        ignored(&notes),
        [
            "groups",
            "id",
            "meta",
            &format!("{ENTERPRISE}:manager.$ref"),
            &format!("{ENTERPRISE}:manager.displayName"),
        ]
    );
}

#[test]
fn unknown_attributes_are_passed_over_and_noted() {
    let sent = json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "ada",
        "shoeSize": 38,
        "urn:example:2.0:User": {"a": 1},
        "emails": [{"nonsense": 1}, {"value": "a@b.c", "colour": "red"}],
        ENTERPRISE: {"badge": 7},
        "x".repeat(500): 1,
    });
    let (document, notes) = lenient(&sent);
    assert_eq!(
        document.as_map(),
        json!({"schemas": [USER], "userName": "ada", "emails": [{"value": "a@b.c"}]})
            .as_object()
            .unwrap()
    );
    assert_eq!(quirks(&notes), [Quirk::UnknownAttribute]);
    let long = format!("{}…", "x".repeat(120));
    assert_eq!(
        ignored(&notes),
        [
            "emails.colour",
            "emails.nonsense",
            "shoeSize",
            "urn:example:2.0:User",
            &format!("{ENTERPRISE}:badge"),
            &long,
        ]
    );
    let error = refusal(&json!({"shoeSize": 38}), &[Quirk::UnknownAttribute]);
    assert_eq!(about(&error), (ErrorKind::InvalidSyntax, Some("shoeSize")));
}

#[test]
fn schemas_may_be_missing_or_foreign_but_not_of_another_kind() {
    for (schemas, met) in [
        (json!([USER, ENTERPRISE]), &[][..]),
        (json!([USER.to_uppercase()]), &[]),
        (json!(null), &[Quirk::MissingSchemas]),
        (json!([]), &[Quirk::MissingSchemas]),
        (json!([USER, "urn:example:x"]), &[Quirk::UnknownSchemaUri]),
        (json!(USER), &[Quirk::ListShape]),
        (json!(["urn:scim:schemas:core:2.0"]), &[Quirk::MissingSchemas, Quirk::UnknownSchemaUri]),
        (
            json!([USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]),
            &[Quirk::MisspeltUrn],
        ),
    ] {
        let sent = json!({"schemas": schemas, "userName": "ada"});
        let (document, notes) = lenient(&sent);
        assert_eq!(document.get("schemas"), Some(&json!([USER])), "{sent}");
        assert_eq!(quirks(&notes), met, "{sent}");
        for quirk in met {
            assert_eq!(refusal(&sent, &[*quirk]).kind(), ErrorKind::InvalidSyntax, "{sent}");
        }
    }
    for schemas in [json!(7), json!({"a": 1}), json!([7]), json!([null])] {
        let error = refusal(&json!({"schemas": schemas}), &[]);
        assert_eq!(about(&error), (ErrorKind::InvalidSyntax, Some("schemas")));
    }
}

#[test]
fn values_that_cannot_be_taken_are_refused_by_name() {
    let long = "x".repeat(16 * 1024 + 1);
    let long_key = "x".repeat(1025);
    for (sent, attribute) in [
        (json!({"userName": {"a": 1}}), "userName"),
        (json!({"userName": ["a", "b"]}), "userName"),
        (json!({"userName": long_key}), "userName"),
        (json!({"externalId": long_key}), "externalId"),
        (json!({"displayName": long_key}), "displayName"),
        (json!({"title": long}), "title"),
        (json!({"name": "Ada"}), "name"),
        (json!({"name": [{"givenName": "a"}, {"givenName": "b"}]}), "name"),
        (json!({"name": {"givenName": {"a": 1}}}), "name.givenName"),
        (json!({"active": 1}), "active"),
        (json!({"active": {"value": true}}), "active"),
        (json!({"emails": [[{"value": "a"}]]}), "emails"),
        (json!({"emails": [{"value": {"a": 1}}]}), "emails.value"),
        (json!({"addresses": ["Main Street"]}), "addresses"),
        (json!({"x509Certificates": [{"value": "not base64!"}]}), "x509Certificates.value"),
        (json!({ENTERPRISE: "x"}), ENTERPRISE),
        (json!({ENTERPRISE: {"department": {"a": 1}}}), &format!("{ENTERPRISE}:department")),
    ] {
        let error = refusal(&sent, &[]);
        assert_eq!(about(&error), (ErrorKind::InvalidValue, Some(attribute)));
        assert!(error.detail().contains(attribute), "{}", error.detail());
    }
}

#[test]
fn texts_are_kept_as_sent() {
    let sent = json!({
        "preferredLanguage": "en-US, de;q=0.8", "locale": "en-us", "timezone": "Mars/Olympus",
        "profileUrl": "not-a-url", "title": " spaced ", "externalId": "CaSe",
        "x509Certificates": [{"value": "TQ"}, {"value": "TQ=="}],
    });
    table(&[(sent.clone(), sent, &[])]);
    for (sent, met) in [
        (json!({"locale": "en_us"}), Quirk::TextFormat),
        (json!({"preferredLanguage": "English (US)"}), Quirk::TextFormat),
        (json!({"timezone": "W. Europe Standard Time"}), Quirk::TextFormat),
        (json!({"profileUrl": "not a url"}), Quirk::UriForm),
        (json!({"x509Certificates": [{"value": "ab-_"}]}), Quirk::Base64Form),
    ] {
        table(&[(sent.clone(), sent, &[met])]);
    }
}

#[test]
fn the_search_form_is_what_is_compared() {
    let (document, _) = lenient(&json!({
        "schemas": [USER], "userName": "ÅSA", "externalId": "CaSe", "active": true,
        "profileUrl": "https://Example.com/A",
        "emails": [{"value": "Ada@Example.COM", "type": "Work", "primary": true}],
        ENTERPRISE: {"department": "R&D"},
    }));
    assert_eq!(
        Value::Object(document.search(ResourceType::user())),
        json!({
            "schemas": [USER.to_lowercase(), ENTERPRISE.to_lowercase()],
            "userName": "åsa", "externalId": "CaSe", "active": true,
            "profileUrl": "https://Example.com/A",
            "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
            ENTERPRISE: {"department": "r&d"},
        })
    );
}

#[test]
fn differences_are_told_by_name() {
    let (before, _) = lenient(&json!({
        "userName": "ada", "title": "Dr", "name": {"givenName": "Ada", "familyName": "L"},
        ENTERPRISE: {"department": "A", "manager": {"value": "1"}},
    }));
    let (after, _) = lenient(&json!({
        "userName": "ada", "active": false, "name": {"givenName": "Eda", "familyName": "L"},
        "emails": [{"value": "a@b.c"}], ENTERPRISE: {"department": "B"},
    }));
    assert_eq!(
        after.changed_since(&before, ResourceType::user()),
        [
            "active",
            "emails",
            "name.givenName",
            "title",
            &format!("{ENTERPRISE}:department"),
            &format!("{ENTERPRISE}:manager.value"),
        ]
    );
    assert_eq!(after.changed_since(&after, ResourceType::user()), [] as [&str; 0]);
    assert_eq!(
        after.attribute_names(ResourceType::user()),
        [
            "active",
            "emails",
            "name.familyName",
            "name.givenName",
            &format!("{ENTERPRISE}:department"),
            "userName",
        ]
    );
}

#[test]
fn texts_are_found_by_dotted_name() {
    let (mut document, _) = lenient(&rfc7643("8.2-full-user"));
    assert_eq!(document.text("name.givenName"), Some("Barbara"));
    assert_eq!(document.text("userName"), Some("bjensen@example.com"));
    assert_eq!(document.text("name"), None);
    document.set("active", json!(false));
    document.set("title", json!(null));
    assert_eq!((document.get("active"), document.get("title")), (Some(&json!(false)), None));
}

#[test]
fn a_damaged_store_is_told_without_its_contents() {
    let error = Document::stored("{\"userName\":\"secret").unwrap_err();
    assert!(!error.detail().contains("secret"));
}

#[test]
fn a_body_of_unknown_names_is_noted_in_part() {
    let body = (0..1000).map(|n| (format!("unknown{n}"), json!(n))).collect();
    let (_, notes) = lenient(&Value::Object(body));
    assert_eq!(ignored(&notes).len(), 64);
}
