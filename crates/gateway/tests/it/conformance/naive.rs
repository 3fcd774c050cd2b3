//! A server that stores whatever it gets and knows no rule: most checks must fail on what they are about, not on the way.

use super::wrong::{Wrong, discovery};
use super::{check, ids};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What even such a server does right: it keeps values, and it is honest about what it keeps.
const PASSED: &[&str] = &[
    "7643-2.1-urn-any-case",
    "7643-2.2-always",
    "7643-2.2-case-kept",
    "7643-2.3-boolean",
    "7643-2.3-date-time",
    "7643-2.5-null",
    "7643-2.5-put-null",
    "7643-3-schemas",
    "7643-3.1-content-location",
    "7643-3.1-external-id",
    "7643-3.1-id",
    "7643-3.1-id-assigned",
    "7643-3.1-id-not-reused",
    "7643-3.1-id-stable",
    "7643-3.1-location",
    "7643-3.1-meta",
    "7643-3.1-meta-read-only",
    "7643-3.1-resource-type",
    "7643-3.1-unmodified",
    "7643-3.3-extension",
    "7643-3.3-extension-absent",
    "7643-4.1.1-attributes",
    "7643-4.1.2-attributes",
    "7643-4.2-attributes",
    "7643-4.2-member",
    "7643-4.2-members-kept",
    "7643-4.2-nested",
    "7643-4.3-attributes",
    "7643-4.3-manager",
    "7643-5-authentication",
    "7643-5-bulk",
    "7643-5-features",
    "7643-5-filter",
    "7643-5-served",
    "7643-6-endpoints-work",
    "7643-6-extensions",
    "7643-6-required",
    "7643-6-schemas-known",
    "7643-6-urn",
    "7643-7-attributes",
    "7643-7-canonical",
    "7643-7-complex",
    "7643-7-ids",
    "7643-7-keywords",
    "7643-7-names",
    "7643-7-references",
    "7643-7-types",
    "7643-8.7-group",
    "7643-8.7-user",
    "7644-3.1-accepts",
    "7644-3.1-accepts-json",
    "7644-3.1-answers",
    "7644-3.13-version",
    "7644-3.14-header",
    "7644-3.14-version",
    "7644-3.3-created",
    "7644-3.3-etag",
    "7644-3.3-group",
    "7644-3.3-location",
    "7644-3.4.1-read",
    "7644-3.4.2-list",
    "7644-3.4.2.4-default",
    "7644-3.5.1-cleared",
    "7644-3.5.1-extension",
    "7644-3.5.1-external-id",
    "7644-3.5.1-group",
    "7644-3.5.1-multi-valued",
    "7644-3.5.1-read-only-ignored",
    "7644-3.5.1-rename",
    "7644-3.5.1-replaced",
    "7644-3.5.1-same",
    "7644-3.5.2.2-absent",
    "7644-3.6-deleted",
    "7644-3.8-accept",
    "7644-3.8-utf-8",
    "7644-3.9-id-always",
    "7644-4-media-type",
    "7644-4-schemas-list",
    "7644-4-types-list",
    "7644-7.5-token-not-in-uri",
    "9865-2.3-default",
    "9865-4-details",
    "9865-4-pagination",
];

#[derive(Default)]
struct Store {
    resources: BTreeMap<String, Value>,
    count: u64,
}

fn scim(status: u16, body: &Value) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    let mut answer = HttpResponse::build(status);
    if let Some(location) = body["meta"]["location"].as_str() {
        answer.insert_header(("location", location)).insert_header(("etag", "W/\"1\""));
    }
    answer.content_type("application/scim+json").body(body.to_string())
}

/// Keeps what is sent, under the next number.
fn keep(store: &mut Store, base: &str, kind: &str, mut body: Value) -> Value {
    store.count += 1;
    let path = format!("/{kind}/{}", store.count);
    if body.is_object() {
        body["id"] = json!(store.count.to_string());
        body["meta"] = json!({
            "resourceType": kind.trim_end_matches('s'),
            "created": "2026-01-01T00:00:00Z",
            "lastModified": "2026-01-01T00:00:00Z",
            "location": format!("{base}{path}"),
            "version": "W/\"1\"",
        });
    }
    store.resources.insert(path, body.clone());
    body
}

fn list(store: &Store, kind: &str) -> Value {
    let prefix = format!("/{kind}/");
    let all: Vec<&Value> = store
        .resources
        .iter()
        .filter(|(path, _)| path.starts_with(&prefix))
        .map(|(_, one)| one)
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": all.len(), "startIndex": 1, "itemsPerPage": all.len(), "Resources": all,
    })
}

/// Says of every operation that it was done, and does none.
fn bulk(body: &Value) -> Value {
    let operations: Vec<Value> = body["Operations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| json!({ "method": one["method"], "bulkId": one["bulkId"], "status": "201", "location": "/v2/Users/1" }))
        .collect();
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": operations })
}

fn answer(store: &Mutex<Store>, request: &HttpRequest, body: &web::Bytes) -> HttpResponse {
    if let Some(document) = discovery(request) {
        return document;
    }
    let mut store = store.lock().unwrap();
    let base = format!("http://{}/v2", request.connection_info().host());
    let path = request.path().trim_start_matches("/v2").to_owned();
    let kind = if path.starts_with("/Groups") { "Groups" } else { "Users" };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match (request.method().as_str(), path.as_str()) {
        ("POST", "/Bulk") => scim(200, &bulk(&body)),
        (_, _) if !body.is_object() && ["POST", "PUT"].contains(&request.method().as_str()) => {
            scim(200, &json!({}))
        }
        ("POST", "/Users" | "/Groups") => scim(201, &keep(&mut store, &base, kind, body)),
        ("POST", _) | ("GET", "/Users" | "/Groups" | "/") => scim(200, &list(&store, kind)),
        ("PUT", _) => {
            let old = store.resources.get(&path).cloned().unwrap_or_default();
            let mut new = body;
            if new.is_object() {
                new["id"] = old["id"].clone();
                new["meta"] = old["meta"].clone();
            }
            store.resources.insert(path, new.clone());
            scim(200, &new)
        }
        ("GET", _) => scim(200, store.resources.get(&path).unwrap_or(&json!({}))),
        // PATCH and DELETE are agreed to, and forgotten.
        _ => HttpResponse::NoContent().finish(),
    }
}

#[actix_web::test]
async fn a_server_without_rules_passes_only_what_needs_none() {
    let store = Arc::new(Mutex::new(Store::default()));
    let server = Wrong::with(move |request, body| answer(&store, &request, &body));

    let report = check(&server.base, Some("token")).await;

    let passed: Vec<&str> = ids(&report, "pass").into_iter().collect();
    assert_eq!(passed, PASSED);
}
