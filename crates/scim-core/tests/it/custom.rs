//! A tenant's own attributes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use scim_core::{Custom, CustomAttribute, ErrorKind, Kind, Mutability, Returned, Schemas};
use serde_json::{Value, json};

pub(crate) const OWN: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One attribute of every kind.
pub(crate) fn every_kind(urn: &str) -> Custom {
    let declaration = json!({"id": urn, "attributes": [
        {"name": "badge", "description": "The number on the badge", "caseExact": true},
        {"name": "shirt", "canonicalValues": ["S", "M", "L"]},
        {"name": "vip", "type": "boolean"},
        {"name": "hired", "type": "dateTime"},
        {"name": "level", "type": "integer"},
        {"name": "rate", "type": "decimal"},
        {"name": "page", "type": "reference"},
        {"name": "seal", "type": "binary"},
        {"name": "tags", "multiValued": true},
        {"name": "grades", "type": "integer", "multiValued": true},
        {"name": "birthplace", "mutability": "immutable"},
        {"name": "pin", "mutability": "writeOnly"},
        {"name": "notes", "returned": "request"},
    ]});
    Custom::parse(&declaration.to_string()).unwrap()
}

pub(crate) fn schemas(urn: &str) -> Schemas {
    Schemas::builtin().with(&every_kind(urn))
}

#[test]
fn a_declaration_reads_as_it_is_written() {
    for urn in [OWN, ENTERPRISE] {
        let custom = every_kind(urn);
        assert_eq!(Custom::parse(&custom.to_json()).unwrap(), custom);
    }
    let minimal = Custom::parse(&format!(r#"{{"ID":"{OWN}","Attributes":[{{"name":"a"}}]}}"#));
    assert_eq!(minimal.unwrap().attributes, [CustomAttribute::new("a", Kind::String)]);
    assert_eq!(Custom::own_urn("acme"), OWN);
    let pin = &every_kind(OWN).attributes[11];
    assert_eq!((pin.mutability, pin.returned), (Mutability::WriteOnly, Returned::Never));
}

#[test]
fn an_unsound_declaration_is_refused_by_name() {
    let one = |attribute: Value| json!({"id": OWN, "attributes": [attribute]});
    let many: Vec<Value> = (0..101).map(|n| json!({"name": format!("a{n}")})).collect();
    for (declaration, attribute) in [
        (json!({"attributes": []}), "id"),
        (json!({"id": "urn:x", "attributes": []}), "id"),
        (json!({"id": OWN.replace("acme", "Ac me"), "attributes": []}), "id"),
        (json!({"id": OWN.replace("acme", ""), "attributes": []}), "id"),
        (json!({"id": OWN}), "attributes"),
        (json!({"id": OWN, "attributes": [7]}), "attributes"),
        (json!({"id": OWN, "attributes": [], "extra": 1}), "a declaration"),
        (json!({"id": OWN, "attributes": many}), "attributes"),
        (one(json!({})), "attributes"),
        (one(json!({"name": "1st"})), "1st"),
        (one(json!({"name": "a b"})), "a b"),
        (one(json!({"name": "a.b"})), "a.b"),
        (one(json!({"name": "$ref"})), "$ref"),
        (one(json!({"name": "é"})), "é"),
        (one(json!({"name": "x".repeat(65)})), &"x".repeat(65)),
        (one(json!({"name": "a", "type": "complex"})), "a"),
        (one(json!({"name": "a", "type": 7})), "a"),
        (one(json!({"name": "a", "multivalue": true})), "a"),
        (one(json!({"name": "a", "multiValued": "yes"})), "a"),
        (one(json!({"name": "a", "mutability": "readOnly"})), "a"),
        (one(json!({"name": "a", "mutability": "writeOnly", "returned": "default"})), "a"),
        (one(json!({"name": "a", "returned": "sometimes"})), "a"),
        (one(json!({"name": "a", "uniqueness": "server"})), "a"),
        (one(json!({"name": "a", "description": "x".repeat(1025)})), "a"),
        (one(json!({"name": "a", "canonicalValues": ["x", "x"]})), "a"),
        (one(json!({"name": "a", "canonicalValues": [""]})), "a"),
        (one(json!({"name": "a", "type": "boolean", "canonicalValues": ["x"]})), "a"),
        (json!({"id": OWN, "attributes": [{"name": "a"}, {"name": "A"}]}), "A"),
        (json!({"id": ENTERPRISE, "attributes": [{"name": "Manager"}]}), "Manager"),
    ] {
        let error = Custom::parse(&declaration.to_string()).unwrap_err();
        assert_eq!(error.attribute(), Some(attribute), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
    }
    assert_eq!(Custom::parse("{").unwrap_err().kind(), ErrorKind::InvalidSyntax);
}

#[test]
fn a_label_becomes_a_name() {
    for (label, name) in [
        ("Some User's Field", "some-users-field"),
        ("  T-Shirt  Size (EU) ", "t-shirt-size-eu"),
        ("Größe", "grosse"),
        ("2nd phone", "nd-phone"),
        ("???", ""),
        ("部門", ""),
    ] {
        assert_eq!(CustomAttribute::name_of(label), name, "{label}");
    }
}

#[test]
fn declared_attributes_are_added_once_to_their_schema() {
    let schemas = schemas(OWN).with(&every_kind(ENTERPRISE)).with(&every_kind(OWN));
    let [enterprise, own] = schemas.user.extensions.as_slice() else { unreachable!() };
    assert_eq!((own.id.as_str(), own.attributes.len()), (OWN, 13));
    assert_eq!((enterprise.id.as_str(), enterprise.attributes.len()), (ENTERPRISE, 6 + 13));
    assert!(own.attribute("TAGS").unwrap().multi_valued);
    assert_eq!(Schemas::builtin().user.extensions.len(), 1);
}

#[test]
fn what_a_profile_requires_is_marked() {
    let department = format!("{ENTERPRISE}:department");
    let paths =
        ["userName", "name.givenName", r#"emails[type eq "work"].value"#, &department, "no.such"];
    let schemas = Schemas::builtin().requiring(&paths);
    let name = schemas.user.attribute("name").unwrap();
    assert!(name.required && name.sub_attribute("givenName").unwrap().required);
    assert!(!name.sub_attribute("familyName").unwrap().required);
    let emails = schemas.user.attribute("emails").unwrap();
    assert!(emails.required && !emails.sub_attribute("value").unwrap().required);
    assert!(schemas.user.extension(ENTERPRISE).unwrap().attribute("department").unwrap().required);
    assert!(!schemas.user.attribute("userName").unwrap().handling.judged_later);
}
