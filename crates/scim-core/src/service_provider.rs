//! The discovery documents: what the service can do, what it holds, and how that looks (RFC 7644 §4).
//!
//! **Invariant**: `/Schemas` is written from the same data that requests are checked by.

use crate::schema::builtin::discovery::{self, CONFIG, RESOURCE_TYPE, SCHEMA};
use crate::schema::{Attribute, Kind, Schema, Schemas, Sent};
use serde_json::{Map, Value, json};

/// The limits that are announced.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The most resources that one list answer holds.
    pub filter_max_results: u64,
    /// The most operations of a bulk request; 0 when there is no bulk.
    pub bulk_max_operations: u64,
    /// The largest bulk request.
    pub bulk_max_payload_bytes: u64,
    /// The resources of one page when no count is asked for.
    pub page_default: u64,
    /// How long a cursor lives, in seconds.
    pub cursor_timeout_seconds: u64,
    /// Where people read more.
    pub documentation_uri: Option<String>,
}

/// The one `ServiceProviderConfig` resource (RFC 7643 §5, RFC 9865 §4).
///
/// Every object is complete even where `supported` is false: a client that misses `bulk.maxOperations` turns PATCH
/// and filters off with it (idp-wire row 22).
#[must_use]
pub fn service_provider_config(announced: &Announced, base_url: &str) -> Value {
    let mut config = json!({
        "schemas": [CONFIG],
        "patch": { "supported": true },
        "bulk": {
            "supported": announced.bulk_max_operations > 0 && announced.bulk_max_payload_bytes > 0,
            "maxOperations": announced.bulk_max_operations,
            "maxPayloadSize": announced.bulk_max_payload_bytes,
        },
        "filter": { "supported": true, "maxResults": announced.filter_max_results },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": announced.page_default,
            "maxPageSize": announced.filter_max_results,
            "cursorTimeout": announced.cursor_timeout_seconds,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the tenant in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": meta("ServiceProviderConfig", base_url, "/ServiceProviderConfig"),
    });
    if let (Some(uri), Value::Object(config)) = (&announced.documentation_uri, &mut config) {
        config.insert("documentationUri".into(), json!(uri));
    }
    config
}

/// The resource types of a tenant (RFC 7643 §6).
#[must_use]
pub fn resource_types(schemas: &Schemas, base_url: &str) -> Vec<Value> {
    [&schemas.user, &schemas.group]
        .map(|of| {
            let extensions: Vec<Value> = of
                .extensions
                .iter()
                .map(|schema| json!({ "schema": schema.id, "required": is_required(schema) }))
                .collect();
            json!({
                "schemas": [RESOURCE_TYPE],
                "id": of.name,
                "name": of.name,
                "endpoint": of.endpoint,
                "description": of.description,
                "schema": of.core.id,
                "schemaExtensions": extensions,
                "meta": meta("ResourceType", base_url, &format!("/ResourceTypes/{}", of.name)),
            })
        })
        .into()
}

/// Whether a resource cannot be without the extension.
fn is_required(extension: &Schema) -> bool {
    extension.attributes.iter().any(|attribute| attribute.required)
}

/// The schemas of all resource types of a tenant (RFC 7643 §7).
///
/// Those of the discovery resources are not among them: identity providers offer every attribute that they find here
/// for mapping (idp-wire row 23). They are there by their URN; see [`discovery_schemas`].
#[must_use]
pub fn schemas(schemas: &Schemas, base_url: &str) -> Vec<Value> {
    [&schemas.user, &schemas.group]
        .into_iter()
        .flat_map(|of| std::iter::once(&of.core).chain(&of.extensions))
        .map(|schema| described(schema, base_url))
        .collect()
}

/// The schemas of the discovery resources (RFC 7643 §8.7.2).
#[must_use]
pub fn discovery_schemas(base_url: &str) -> Vec<Value> {
    discovery::schemas().iter().map(|schema| described(schema, base_url)).collect()
}

fn described(schema: &Schema, base_url: &str) -> Value {
    let announced = schema.attributes.iter().filter(|a| a.handling.sent != Sent::Dropped);
    let attributes: Vec<Value> = announced.map(characteristics).collect();
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes,
        "meta": meta("Schema", base_url, &format!("/Schemas/{}", schema.id)),
    })
}

/// An attribute as RFC 7643 §7 describes it; what does not apply to its type is left out.
fn characteristics(attribute: &Attribute) -> Value {
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        all.insert(name.to_owned(), value);
    };
    put("name", json!(attribute.name));
    put("type", json!(attribute.kind.keyword()));
    put("multiValued", json!(attribute.multi_valued));
    put("description", json!(attribute.description));
    put("required", json!(attribute.required));
    let mutability = attribute.handling.announced.unwrap_or(attribute.mutability);
    put("mutability", json!(mutability.keyword()));
    put("returned", json!(attribute.returned.keyword()));
    put("uniqueness", json!(attribute.uniqueness.keyword()));
    if matches!(attribute.kind, Kind::String | Kind::Reference | Kind::Binary) {
        put("caseExact", json!(attribute.case_exact));
    }
    if !attribute.canonical_values.is_empty() {
        put("canonicalValues", json!(attribute.canonical_values));
    }
    if !attribute.reference_types.is_empty() {
        put("referenceTypes", json!(attribute.reference_types));
    }
    if !attribute.sub_attributes.is_empty() {
        put("subAttributes", attribute.sub_attributes.iter().map(characteristics).collect());
    }
    Value::Object(all)
}

fn meta(resource_type: &str, base_url: &str, path: &str) -> Value {
    let base_url = base_url.trim_end_matches('/');
    json!({ "resourceType": resource_type, "location": format!("{base_url}{path}") })
}
