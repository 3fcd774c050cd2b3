//! The discovery documents.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene has failed"
)]

use scim_core::service_provider::{
    discovery_schemas, resource_types, schemas, service_provider_config,
};
use scim_core::{Announced, Schemas};
use serde_json::{Value, json};

const BASE: &str = "https://app.example.com/scim/v2";

#[test]
fn the_configuration_is_complete() {
    let announced = Announced {
        filter_max_results: 1000,
        bulk_max_operations: 1000,
        bulk_max_payload_bytes: 1_048_576,
        page_default: 100,
        cursor_timeout_seconds: 3600,
        documentation_uri: Some("https://example.com/docs".into()),
    };
    let config = service_provider_config(&announced, BASE);
    assert_eq!(
        config["bulk"],
        json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576})
    );
    assert_eq!(config["filter"], json!({"supported": true, "maxResults": 1000}));
    for (feature, supported) in
        [("patch", true), ("etag", true), ("sort", true), ("changePassword", false)]
    {
        assert_eq!(config[feature], json!({ "supported": supported }));
    }
    assert_eq!(
        config["pagination"],
        json!({
            "cursor": true, "index": true, "defaultPaginationMethod": "index",
            "defaultPageSize": 100, "maxPageSize": 1000, "cursorTimeout": 3600,
        })
    );
    assert_eq!(config["documentationUri"], "https://example.com/docs");
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
}

#[test]
fn the_resource_types_name_their_schemas() {
    let types = resource_types(&Schemas::builtin(), &format!("{BASE}/"));
    let ids: Vec<&Value> = types.iter().map(|of| &of["id"]).collect();
    assert_eq!(ids, ["User", "Group"]);
    assert_eq!(
        types[0]["schemaExtensions"],
        json!([{
            "schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "required": false,
        }])
    );
    assert_eq!(types[1]["meta"]["location"], format!("{BASE}/ResourceTypes/Group"));
}

#[test]
fn the_schemas_describe_each_attribute_without_nulls() {
    fn walk(attributes: &Value) {
        for attribute in attributes.as_array().unwrap() {
            for required in
                ["name", "type", "multiValued", "description", "required", "mutability", "returned"]
            {
                assert!(!attribute[required].is_null(), "{attribute}: {required}");
            }
            assert!(attribute.as_object().unwrap().values().all(|value| !value.is_null()));
            assert_eq!(attribute["type"] == "complex", attribute.get("subAttributes").is_some());
            if let Some(parts) = attribute.get("subAttributes") {
                walk(parts);
            }
        }
    }
    let mut schemas = schemas(&Schemas::builtin(), BASE);
    assert_eq!(schemas.len(), 3, "identity providers offer what is listed for mapping");
    schemas.extend(discovery_schemas(BASE));
    let ids: Vec<&Value> = schemas.iter().map(|schema| &schema["id"]).collect();
    assert_eq!(
        ids,
        [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
            "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
            "urn:ietf:params:scim:schemas:core:2.0:Schema",
        ]
    );
    for schema in &schemas {
        walk(&schema["attributes"]);
        let id = schema["id"].as_str().unwrap();
        assert_eq!(schema["meta"]["location"], format!("{BASE}/Schemas/{id}"));
    }
}

#[test]
fn the_user_name_is_announced_as_it_is_checked() {
    let schemas = schemas(&Schemas::builtin(), BASE);
    let user_name = &schemas[0]["attributes"][0];
    assert_eq!(user_name["name"], "userName");
    assert_eq!(user_name["required"], true);
    assert_eq!(user_name["caseExact"], false);
    assert_eq!(user_name["uniqueness"], "server");
    assert!(!schemas[0].to_string().contains("password"));
}

/// Whether the schemas announce every name in a discovery document, so that what is sent can be understood.
fn announced(schemas: &[Value], document: &Value) {
    fn walk(attributes: &Value, object: &Value, at: &str) {
        for (name, value) in object.as_object().unwrap() {
            let named = |attribute: &&Value| attribute["name"] == name.as_str();
            let attribute = attributes.as_array().unwrap().iter().find(named);
            let attribute = attribute.unwrap_or_else(|| panic!("{at}.{name} is not announced"));
            let many = value.as_array();
            assert_eq!(attribute["multiValued"], many.is_some(), "{at}.{name}");
            for one in many.map_or(std::slice::from_ref(value), Vec::as_slice) {
                if one.is_object() && name != "subAttributes" {
                    walk(&attribute["subAttributes"], one, &format!("{at}.{name}"));
                }
            }
        }
    }
    let id = &document["schemas"][0];
    let schema = schemas.iter().find(|schema| schema["id"] == *id).unwrap();
    let mut own = document.clone();
    own.as_object_mut().unwrap().retain(|name, _| name != "schemas" && name != "meta");
    walk(&schema["attributes"], &own, id.as_str().unwrap());
}

#[test]
fn the_discovery_documents_keep_to_their_own_schemas() {
    let all = Schemas::builtin();
    let mut schemas = schemas(&all, BASE);
    schemas.extend(discovery_schemas(BASE));
    for document in resource_types(&all, BASE).iter().chain(&schemas) {
        announced(&schemas, document);
    }
    let limits = Announced {
        filter_max_results: 1,
        bulk_max_operations: 1,
        bulk_max_payload_bytes: 1,
        page_default: 1,
        cursor_timeout_seconds: 1,
        documentation_uri: Some("https://example.com".into()),
    };
    announced(&schemas, &service_provider_config(&limits, BASE));
}

#[test]
fn a_tenants_own_schemas_are_announced_as_they_are() {
    let all = crate::custom::schemas(crate::custom::OWN)
        .requiring(&["name.givenName", &format!("{}:badge", crate::custom::OWN)]);
    let types = resource_types(&all, BASE);
    assert_eq!(
        types[0]["schemaExtensions"][1],
        json!({"schema": crate::custom::OWN, "required": true})
    );
    let mut schemas = schemas(&all, BASE);
    schemas.extend(discovery_schemas(BASE));
    let own = schemas.iter().find(|schema| schema["id"] == crate::custom::OWN).unwrap();
    assert_eq!(
        own["attributes"][0],
        json!({
            "name": "badge", "type": "string", "multiValued": false, "required": true,
            "description": "The number on the badge", "caseExact": true,
            "mutability": "readWrite", "returned": "default", "uniqueness": "none",
        })
    );
    assert_eq!(own["attributes"][1]["canonicalValues"], json!(["S", "M", "L"]));
    let pin = &own["attributes"][11];
    assert_eq!((&pin["mutability"], &pin["returned"]), (&json!("writeOnly"), &json!("never")));
    let name = &schemas[0]["attributes"][1];
    assert_eq!((&name["name"], &name["required"]), (&json!("name"), &json!(true)));
}
