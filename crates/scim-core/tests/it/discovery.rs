//! The discovery documents.

use scim_core::Announced;
use scim_core::service_provider::{resource_types, schemas, service_provider_config};
use serde_json::{Value, json};

const BASE: &str = "https://app.example.com/scim/v2";

#[test]
fn the_configuration_is_complete_also_where_nothing_is_supported() {
    let announced = Announced {
        filter_max_results: 1000,
        bulk_max_operations: 1000,
        bulk_max_payload_bytes: 1_048_576,
        documentation_uri: Some("https://example.com/docs".into()),
    };
    let config = service_provider_config(&announced, BASE);
    assert_eq!(
        config["bulk"],
        json!({"supported": false, "maxOperations": 1000, "maxPayloadSize": 1_048_576})
    );
    assert_eq!(config["filter"], json!({"supported": true, "maxResults": 1000}));
    for (feature, supported) in
        [("patch", true), ("etag", true), ("sort", false), ("changePassword", false)]
    {
        assert_eq!(config[feature], json!({ "supported": supported }));
    }
    assert_eq!(config["documentationUri"], "https://example.com/docs");
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
}

#[test]
fn the_resource_types_name_their_schemas() {
    let types = resource_types(&format!("{BASE}/"));
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
    let schemas = schemas(BASE);
    let ids: Vec<&Value> = schemas.iter().map(|schema| &schema["id"]).collect();
    assert_eq!(
        ids,
        [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:core:2.0:Group",
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
    let schemas = schemas(BASE);
    let user_name = &schemas[0]["attributes"][0];
    assert_eq!(user_name["name"], "userName");
    assert_eq!(user_name["required"], true);
    assert_eq!(user_name["caseExact"], false);
    assert_eq!(user_name["uniqueness"], "server");
    assert!(!schemas[0].to_string().contains("password"));
}
