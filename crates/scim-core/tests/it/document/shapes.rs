//! Values and names in other shapes than the RFC's: what they become, and the quirks that it takes.

use super::{ENTERPRISE, USER, table};
use crate::support::{about, ignored, lenient, quirks, refusal};
use scim_core::{ErrorKind, Quirk};
use serde_json::json;

#[test]
fn unassigned_values_are_no_values() {
    table(&[
        (json!({"title": null, "emails": [], "roles": null}), json!({}), &[]),
        (json!({"name": {"givenName": null}, "emails": [{"value": null}]}), json!({}), &[]),
        (json!({"groups": [], "meta": {}, "id": ""}), json!({}), &[]),
        (json!({"nickName": ""}), json!({}), &[Quirk::EmptyValue]),
        (json!({"title": []}), json!({}), &[Quirk::EmptyValue]),
        (json!({"name": {}}), json!({}), &[Quirk::EmptyValue]),
        (json!({"name": {"familyName": ""}}), json!({}), &[Quirk::EmptyValue]),
        (json!({"emails": [null]}), json!({}), &[Quirk::EmptyValue]),
        (json!({"emails": ["", {}, {"value": ""}]}), json!({}), &[Quirk::EmptyValue]),
        (json!({ENTERPRISE: {}}), json!({}), &[Quirk::EmptyValue]),
        (json!({ENTERPRISE: null}), json!({}), &[]),
    ]);
}

#[test]
fn booleans_as_text_are_booleans_in_any_case() {
    table(&[
        (json!({"active": "False"}), json!({"active": false}), &[Quirk::StringBool]),
        (json!({"active": "TRUE"}), json!({"active": true}), &[Quirk::StringBool]),
        (
            json!({"emails": [{"value": "a@b.c", "primary": "True"}]}),
            json!({"emails": [{"value": "a@b.c", "primary": true}]}),
            &[Quirk::StringBool],
        ),
    ]);
    let error = refusal(&json!({"active": "yes"}), &[]);
    assert_eq!(about(&error), (ErrorKind::InvalidValue, Some("active")));
    assert!(error.detail().contains("true") && error.detail().contains("false"));
}

#[test]
fn a_stray_text_in_primary_is_dropped_with_a_note() {
    let (document, notes) =
        lenient(&json!({"schemas": [USER], "phoneNumbers": [{"value": "1", "primary": "+1 55"}]}));
    assert_eq!(document.get("phoneNumbers"), Some(&json!([{"value": "1"}])));
    assert_eq!(ignored(&notes), ["phoneNumbers.primary"]);
    assert_eq!(quirks(&notes), [Quirk::StrayPrimary]);
}

#[test]
fn shapes_are_taken_where_the_meaning_is_plain() {
    table(&[
        (
            json!({"emails": {"value": "a@b.c"}}),
            json!({"emails": [{"value": "a@b.c"}]}),
            &[Quirk::ListShape],
        ),
        (
            json!({"emails": ["a@b.c"]}),
            json!({"emails": [{"value": "a@b.c"}]}),
            &[Quirk::PlainElement],
        ),
        (
            json!({"roles": "admin"}),
            json!({"roles": [{"value": "admin"}]}),
            &[Quirk::ListShape, Quirk::PlainElement],
        ),
        (json!({"title": ["Dr"]}), json!({"title": "Dr"}), &[Quirk::ListShape]),
        (
            json!({"name": [{"givenName": "Ada"}]}),
            json!({"name": {"givenName": "Ada"}}),
            &[Quirk::ListShape],
        ),
        (json!({"title": 7}), json!({"title": "7"}), &[Quirk::TextFromScalar]),
        (
            json!({"name": {"givenName": true}}),
            json!({"name": {"givenName": "true"}}),
            &[Quirk::TextFromScalar],
        ),
        (
            json!({"emails": [{"value": "a"}, {"value": "a"}, {"value": "b"}]}),
            json!({"emails": [{"value": "a"}, {"value": "b"}]}),
            &[Quirk::DuplicateValue],
        ),
        (
            json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
            json!({"emails": [{"value": "a", "primary": false}, {"value": "b", "primary": true}]}),
            &[Quirk::ManyPrimaries],
        ),
    ]);
}

#[test]
fn app_roles_as_json_text_are_unpacked() {
    let role = json!({"roles": [{"value": "admin", "display": "Admin"}]});
    let text = r#"{"id":"18d1","value":"admin","displayName":"Admin"}"#;
    table(&[
        (json!({"roles": [{"value": text}]}), role.clone(), &[Quirk::JsonText]),
        (json!({"roles": [text]}), role.clone(), &[Quirk::JsonText]),
        (
            json!({"roles": [{"value": text, "display": "Own", "primary": false}]}),
            json!({"roles": [{"value": "admin", "display": "Own", "primary": false}]}),
            &[Quirk::JsonText],
        ),
        (
            json!({"roles": [{"value": "admin", "displayName": "Admin"}]}),
            role,
            &[Quirk::DisplayNameKey],
        ),
        (
            json!({"roles": [{"value": r#"{"id":"1"}"#}, {"value": "{not json"}]}),
            json!({"roles": [{"value": r#"{"id":"1"}"#}, {"value": "{not json"}]}),
            &[],
        ),
    ]);
}

#[test]
fn the_manager_is_taken_in_every_shape() {
    let kept = json!({ENTERPRISE: {"manager": {"value": "26118915"}}});
    for (manager, met) in [
        (json!({"value": "26118915"}), &[][..]),
        (json!({"value": "26118915", "$ref": null}), &[]),
        (json!("26118915"), &[Quirk::ManagerShape]),
        (json!([{"value": "26118915", "$ref": "../Users/1"}]), &[Quirk::ManagerShape]),
        (json!({"$ref": "https://example.com/scim/v2/Users/26118915"}), &[Quirk::ReferenceOnly]),
        (json!({"$ref": "../Users/26118915/", "value": null}), &[Quirk::ReferenceOnly]),
        (json!([{"value": "26118915"}, {"value": "2"}]), &[Quirk::ManagerShape]),
        (json!(["26118915"]), &[Quirk::ManagerShape]),
    ] {
        table(&[(json!({ENTERPRISE: {"manager": manager}}), kept.clone(), met)]);
    }
    for (gone, met) in [
        (json!(null), &[][..]),
        (json!({"value": null, "$ref": null}), &[]),
        (json!({"$ref": ""}), &[]),
        (json!(""), &[Quirk::EmptyValue]),
        (json!([]), &[Quirk::EmptyValue]),
        (json!({}), &[Quirk::EmptyValue]),
        (json!({"value": ""}), &[Quirk::EmptyValue]),
    ] {
        table(&[(json!({ENTERPRISE: {"manager": gone}}), json!({}), met)]);
    }
}

#[test]
fn keys_may_be_paths() {
    table(&[
        (
            json!({"name": {"familyName": "L"}, "name.givenName": "Ada"}),
            json!({"name": {"familyName": "L", "givenName": "Ada"}}),
            &[Quirk::DottedKey],
        ),
        (
            json!({format!("{ENTERPRISE}:department"): "R&D"}),
            json!({ENTERPRISE: {"department": "R&D"}}),
            &[Quirk::DottedKey],
        ),
        (
            json!({format!("{}:MANAGER.value", ENTERPRISE.to_uppercase()): "7"}),
            json!({ENTERPRISE: {"manager": {"value": "7"}}}),
            &[Quirk::DottedKey],
        ),
        (json!({format!("{USER}:title"): "Dr"}), json!({"title": "Dr"}), &[Quirk::DottedKey]),
        (json!({USER: {"title": "Dr"}}), json!({"title": "Dr"}), &[Quirk::DottedKey]),
        (
            json!({"emails.value": "a@b.c", "emails.type": "work"}),
            json!({"emails": [{"value": "a@b.c", "type": "work"}]}),
            &[Quirk::DottedKey],
        ),
        (
            json!({ENTERPRISE: {"manager.value": "7"}}),
            json!({ENTERPRISE: {"manager": {"value": "7"}}}),
            &[Quirk::DottedKey],
        ),
    ]);
}

#[test]
fn enterprise_attributes_find_their_way_home() {
    let home = json!({ENTERPRISE: {"department": "R&D"}});
    let misspelt = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
    for (stray, met) in [
        (json!({"department": "R&D"}), &[Quirk::MisplacedExtension][..]),
        (json!({"Department": "R&D", "manager": null}), &[Quirk::MisplacedExtension]),
        (
            json!({"department": "R&D", "manager": ""}),
            &[Quirk::MisplacedExtension, Quirk::EmptyValue],
        ),
        (
            json!({"department": "other", ENTERPRISE: {"department": "R&D"}}),
            &[Quirk::MisplacedExtension],
        ),
        (json!({misspelt: {"department": "R&D"}}), &[Quirk::MisspeltUrn]),
        (json!({format!("{misspelt}:department"): "R&D"}), &[Quirk::MisspeltUrn]),
        (
            json!({"urn:scim:schemas:extension:enterprise:1.0": {"department": "R&D"}}),
            &[Quirk::MisspeltUrn],
        ),
    ] {
        table(&[(stray, home.clone(), met)]);
    }
}

#[test]
fn an_extension_that_schemas_does_not_name_is_taken_and_noted() {
    let sent = json!({"schemas": [USER], "userName": "ada", ENTERPRISE: {"division": "D"}});
    let (document, notes) = lenient(&sent);
    assert_eq!(document.get("schemas"), Some(&json!([USER, ENTERPRISE])));
    assert_eq!(quirks(&notes), [Quirk::UnnamedExtension]);
    let error = refusal(&sent, &[Quirk::UnnamedExtension]);
    assert_eq!(about(&error), (ErrorKind::InvalidSyntax, Some(ENTERPRISE)));
}

#[test]
fn names_are_canonical_whatever_their_case() {
    table(&[(
        json!({"USERNAME": "ada", "Name": {"GIVENNAME": "Ada"}, "eMails": [{"VALUE": "a@b.c"}]}),
        json!({"userName": "ada", "name": {"givenName": "Ada"}, "emails": [{"value": "a@b.c"}]}),
        &[],
    )]);
}
