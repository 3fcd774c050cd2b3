//! RFC 7643 §8: what its representations of schemas say, beside what is announced here.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene has failed"
)]

use scim_core::service_provider::{resource_types, schemas, service_provider_config};
use scim_core::{Announced, Schemas};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const BASE: &str = "https://example.com/v2";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const SERVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

/// Where an attribute is announced otherwise than §8.7.1 has it: schema, attribute, characteristic, the RFC's value and
/// ours (null: it is not there), and why.
const DEVIATIONS: &[(&str, &str, &str, &str, &str, &str)] = &[
    (USER, "addresses.primary", "it", "null", "there", "§2.4 and the example in §8.2 have it"),
    (USER, "groups.$ref", "caseExact", "false", "true", REFERENCE),
    (
        USER,
        "groups.$ref",
        "referenceTypes",
        "[User,Group]",
        "[Group]",
        "its own description says that it refers to a Group",
    ),
    (USER, "password", "it", "there", "null", "none is ever kept, so none is announced"),
    (USER, "photos.value", "caseExact", "false", "true", REFERENCE),
    (USER, "profileUrl", "caseExact", "false", "true", REFERENCE),
    (USER, "x509Certificates.value", "caseExact", "false", "true", "§2.3.6: base64 is case exact"),
    (ENTERPRISE, "manager.$ref", "caseExact", "false", "true", REFERENCE),
    (ENTERPRISE, "manager.$ref", "mutability", "readWrite", "readOnly", COMPUTED),
    (GROUP, "displayName", "required", "false", "true", "§4.2 says REQUIRED"),
    (GROUP, "displayName", "uniqueness", "none", "server", "Entra asks for it (idp-wire row 14)"),
    (GROUP, "members.$ref", "caseExact", "false", "true", REFERENCE),
    (GROUP, "members.value", "required", "false", "true", "a member without an id is nobody"),
    (GROUP, "members.display", "it", "null", "there", "§2.4 and the example in §8.4 have it"),
];
const REFERENCE: &str = "§2.3.7: references are case exact";
const COMPUTED: &str = "it follows from the id; what a client sends is not kept";

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/rfc/rfc7643-{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The characteristics of each attribute by its path; `uniqueness` is `none` where it is not given (§7).
fn flat(attributes: &Value, prefix: &str, into: &mut BTreeMap<String, Map<String, Value>>) {
    for attribute in attributes.as_array().into_iter().flatten() {
        let mut all = attribute.as_object().unwrap().clone();
        let path = format!("{prefix}{}", all.remove("name").unwrap().as_str().unwrap());
        flat(&all.remove("subAttributes").unwrap_or_default(), &format!("{path}."), into);
        all.remove("description");
        all.entry("uniqueness").or_insert_with(|| json!("none"));
        // §7: only "string" and the types that are text have it; the RFC gives it to x509Certificates itself.
        if all["type"] == "complex" {
            all.remove("caseExact");
        }
        for list in ["canonicalValues", "referenceTypes"] {
            if all.get(list) == Some(&json!([])) {
                all.remove(list);
            }
        }
        into.insert(path, all);
    }
}

fn of_schema(list: &Value, id: &str) -> BTreeMap<String, Map<String, Value>> {
    let mut all = BTreeMap::new();
    let schema = list.as_array().unwrap().iter().find(|schema| schema["id"] == id).unwrap();
    flat(&schema["attributes"], "", &mut all);
    all
}

/// What differs between two descriptions of one schema: attribute, characteristic, theirs and ours.
fn differences(
    rfc: &BTreeMap<String, Map<String, Value>>,
    ours: &BTreeMap<String, Map<String, Value>>,
) -> BTreeSet<(String, String, String, String)> {
    let mut found = BTreeSet::new();
    let paths: BTreeSet<&String> = rfc.keys().chain(ours.keys()).collect();
    for path in paths {
        let (Some(theirs), Some(own)) = (rfc.get(path), ours.get(path)) else {
            let is = |there: bool| if there { "there" } else { "null" }.to_owned();
            let (theirs, own) = (is(rfc.contains_key(path)), is(ours.contains_key(path)));
            found.insert((path.clone(), "it".into(), theirs, own));
            continue;
        };
        let names: BTreeSet<&String> = theirs.keys().chain(own.keys()).collect();
        for name in names {
            let [theirs, own] = [theirs, own].map(|all| all.get(name).unwrap_or(&Value::Null));
            if theirs != own {
                let [theirs, own] = [theirs, own].map(|v| v.to_string().replace('"', ""));
                found.insert((path.clone(), name.clone(), theirs, own));
            }
        }
    }
    found
}

#[test]
fn every_characteristic_is_that_of_the_rfc_or_a_deviation_with_its_reason() {
    let (rfc, ours) =
        (fixture("8.7.1-schemas")["schemas"].take(), json!(schemas(&Schemas::builtin(), BASE)));
    for schema in rfc.as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        let found = differences(&of_schema(&rfc, id), &of_schema(&ours, id));
        let expected: BTreeSet<_> = DEVIATIONS
            .iter()
            .filter(|(of, ..)| id == *of)
            .map(|&(_, path, name, theirs, own, _)| {
                (path.to_owned(), name.to_owned(), theirs.to_owned(), own.to_owned())
            })
            .collect();
        let unexplained: Vec<_> = found.difference(&expected).collect();
        let gone: Vec<_> = expected.difference(&found).collect();
        assert!(
            unexplained.is_empty() && gone.is_empty(),
            "{id}: {unexplained:#?}, gone: {gone:#?}"
        );
    }
}

/// What the example of §8.5 and the text of §5 have and the schema of §8.7.2 forgets; and what every resource has.
const NOT_IN_THE_SCHEMA: &[&str] = &[
    "schemas",
    "meta",
    "id",
    "etag",
    // RFC 9865 §4.
    "pagination",
    "authenticationSchemes.type",
    "authenticationSchemes.primary",
    // The schema of schemas itself has a level more than it describes.
    "attributes.subAttributes.subAttributes",
];

/// Checks a discovery document against a schema of §8.7.2.
fn check_against(schema: &BTreeMap<String, Map<String, Value>>, document: &Value, prefix: &str) {
    for (path, all) in schema {
        let Some(name) = path.strip_prefix(prefix).filter(|name| !name.contains('.')) else {
            continue;
        };
        let Some(value) = document.get(name) else {
            assert_ne!(all["required"], true, "{path} is required: {document}");
            continue;
        };
        // §6, §7 and §8.6 have lists where the schema of §8.7.2 forgets that they are.
        let is_list = all["multiValued"] == true
            || ["schemaExtensions", "attributes.subAttributes.referenceTypes"]
                .contains(&path.as_str());
        assert_eq!(value.is_array(), is_list, "{path}: {value}");
        for one in value.as_array().unwrap_or(&vec![value.clone()]) {
            match all["type"].as_str().unwrap() {
                "complex" => check_against(schema, one, &format!("{path}.")),
                "boolean" => assert!(one.is_boolean(), "{path}: {one}"),
                "integer" => assert!(one.is_u64(), "{path}: {one}"),
                _ => assert!(one.as_str().is_some_and(|text| !text.is_empty()), "{path}: {one}"),
            }
            if let (Some(suggested), Some(_)) = (all.get("canonicalValues"), one.as_str())
                // The schema of §8.7.2 has no "binary", which §2.3 has and x509Certificates needs.
                && one != "binary"
            {
                assert!(suggested.as_array().unwrap().contains(one), "{path}: {one}");
            }
        }
    }
    for name in document.as_object().unwrap().keys() {
        let path = format!("{prefix}{name}");
        // §8.7.2 describes attributes of attributes one level deep; ours have no third.
        let is_known = schema.contains_key(&path) || NOT_IN_THE_SCHEMA.contains(&path.as_str());
        assert!(is_known, "{path} is in no schema of the RFC");
    }
}

fn announced() -> Announced {
    Announced {
        filter_max_results: 200,
        page_default: 100,
        cursor_timeout_seconds: 3600,
        bulk_max_operations: 1000,
        bulk_max_payload_bytes: 1_048_576,
        documentation_uri: Some("http://example.com/help/scim.html".into()),
    }
}

#[test]
fn the_discovery_documents_are_of_the_schemas_of_the_rfc() {
    let rfc = fixture("8.7.2-schemas")["schemas"].take();
    let of = |name: &str| of_schema(&rfc, &format!("{SERVICE}{name}"));
    check_against(&of("ServiceProviderConfig"), &service_provider_config(&announced(), BASE), "");
    for document in resource_types(&Schemas::builtin(), BASE) {
        check_against(&of("ResourceType"), &document, "");
    }
    for document in schemas(&Schemas::builtin(), BASE) {
        check_against(&of("Schema"), &document, "");
    }
}

#[test]
fn the_configuration_has_the_members_of_the_example() {
    let (mut rfc, ours) =
        (fixture("8.5-service-provider-config"), service_provider_config(&announced(), BASE));
    // When it changed says nothing of a configuration that follows from the process, and nothing is kept of it.
    for name in ["created", "lastModified", "version"] {
        rfc["meta"].as_object_mut().unwrap().remove(name);
    }
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for (name, value) in rfc.as_object().unwrap() {
        assert!(names(&ours).contains(name), "{name}");
        if value.is_object() {
            let missing: Vec<_> =
                names(value).into_iter().filter(|part| ours[name].get(part).is_none()).collect();
            assert_eq!(missing, [] as [&str; 0], "{name}");
        }
    }
    assert_eq!(ours["documentationUri"], rfc["documentationUri"]);
    assert_eq!(ours["filter"], rfc["filter"]);
    assert_eq!(ours["meta"], rfc["meta"]);
    let schemes = [&rfc, &ours].map(|config| config["authenticationSchemes"][0]["type"].clone());
    assert_eq!(schemes[0], schemes[1]);
}

#[test]
fn the_resource_types_are_those_of_the_example() {
    let rfc = fixture("8.6-resource-types")["resourceTypes"].take();
    for (rfc, ours) in rfc.as_array().unwrap().iter().zip(resource_types(&Schemas::builtin(), BASE))
    {
        for (name, value) in rfc.as_object().unwrap() {
            match name.as_str() {
                // For people.
                "description" => assert!(!ours[name].as_str().unwrap().is_empty()),
                // The example requires the extension; here nobody need send it.
                "schemaExtensions" => {
                    assert_eq!(ours[name][0]["schema"], value[0]["schema"]);
                    assert_eq!(ours[name][0]["required"], false);
                }
                _ => assert_eq!(&ours[name], value, "{name}"),
            }
        }
    }
}
