//! The OpenAPI document (3.1), from the table of endpoints.
//!
//! **Invariant**: nothing is written here that the table and the types do not say; a test compares the committed copy.

mod sample;

use super::access::Access;
use super::endpoint::{Endpoint, Form, Param, Shape};
use super::input::DRY_RUN;
use super::problem::{Body, Code};
use super::routes::{NOUNS, PATH_PARTS, endpoints};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The document, for an admin API at this base URL.
#[must_use]
pub fn document(base_url: &str) -> Value {
    let mut schemas = BTreeMap::new();
    collect(&mut schemas, &Shape::of::<Body<'static>>());
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints() {
        collect(&mut schemas, &endpoint.gives.1);
        if let Some(shape) = &endpoint.body {
            collect(&mut schemas, shape);
            schemas.entry((shape.name)().into_owned()).and_modify(|schema| *schema = sent(schema));
        }
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            let mut described = operation(endpoint);
            let (status, shape) = &endpoint.gives;
            let content = format!("/responses/{status}/content/application~1json");
            if let Some(content) = described.pointer_mut(&content) {
                content["example"] = sample::sample(&schemas, &reference(shape));
            }
            item.insert(endpoint.method.as_str().to_ascii_lowercase(), described);
        }
    }
    let tags: Vec<Value> =
        NOUNS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": include_str!("openapi/about.md"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": base_url }],
        "tags": tags,
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "A token of the built-in issuer (`muster operator token`) or of the configured OIDC issuer, for the audience `muster-admin`.",
            } },
            "responses": { },
        },
    })
}

fn collect(schemas: &mut BTreeMap<String, Value>, shape: &Shape) {
    let mut found = Vec::new();
    (shape.refs)(&mut found);
    found.push(((shape.name)().into_owned(), (shape.schema)()));
    for (name, schema) in found {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
}

/// The schema of what is sent: a field that can be absent can be null as well, and both are the same.
fn sent(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let required = schema.get("required").cloned().unwrap_or_else(|| json!([]));
    let is_required =
        |name: &str| required.as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in properties.into_iter().flatten() {
        let kind = field.get("type").filter(|kind| kind.is_string()).cloned();
        if let (Some(kind), false) = (kind, is_required(name)) {
            field["type"] = json!([kind, "null"]);
            if let Some(words) = field.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
        }
    }
    schema
}

fn reference(shape: &Shape) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", (shape.name)()) })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut described = json!({
        "operationId": endpoint.id.replace('.', "_"),
        "summary": endpoint.summary,
        "tags": [endpoint.noun()],
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
    });
    let about = about(endpoint);
    let Some(object) = described.as_object_mut() else { return described };
    object.insert("description".to_owned(), json!(about));
    if endpoint.access == Access::Public {
        object.insert("security".to_owned(), json!([]));
    }
    if let Some(shape) = &endpoint.body {
        let content = json!({ "application/json": { "schema": reference(shape) } });
        object.insert(
            "requestBody".to_owned(),
            json!({ "required": !endpoint.body_is_optional, "content": content }),
        );
    }
    described
}

fn about(endpoint: &Endpoint) -> String {
    let needs = match endpoint.access {
        Access::Public => "Needs no token.".to_owned(),
        Access::Caller => "Needs any good token.".to_owned(),
        Access::Operator(right) => format!("For operators with the scope `{right}`."),
        Access::Tenant(right) => {
            format!("For operators and the tenant's administrators with the scope `{right}`.")
        }
    };
    format!("{} {needs}", endpoint.about).trim().to_owned()
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let mut all = Vec::new();
    for part in endpoint.path.split('/') {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some((name, about, pattern, example)) =
            name.and_then(|name| PATH_PARTS.iter().find(|part| part.0 == name))
        {
            all.push(json!({
                "name": name, "in": "path", "required": true, "description": about,
                "schema": { "type": "string", "pattern": pattern }, "example": example,
            }));
        }
    }
    let dry_run = endpoint.method.is_mutating().then_some(DRY_RUN);
    all.extend(endpoint.query.iter().chain(&dry_run).map(|param| {
        json!({
            "name": param.name, "in": "query", "description": param.about, "schema": form(param),
        })
    }));
    if endpoint.method.is_mutating() && endpoint.is_versioned {
        all.push(json!({
            "name": "If-Match", "in": "header",
            "description": "The `ETag` of the thing as it was read: refused when it has changed since.",
            "schema": { "anyOf": [
                { "type": "string", "enum": ["*"] },
                { "type": "string", "pattern": "^(W/)?\"[0-9]{1,18}\"$" },
            ] }, "example": "\"42\"",
        }));
    }
    if endpoint.method == super::endpoint::Method::Post {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "A random text of yours: the same request with the same key within 24 hours is done once and answered alike.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" }, "example": "8a6e0804-2bd0-4672-b79d-d97027f9071a",
        }));
    }
    all
}

fn form(param: &Param) -> Value {
    match param.form {
        Form::Text => {
            json!({ "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$" })
        }
        Form::Number(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Form::Instant => json!({ "type": "string", "format": "date-time" }),
        Form::Bool => json!({ "type": "boolean" }),
        Form::Word(words) => json!({ "type": "string", "enum": words }),
    }
}

fn responses(endpoint: &Endpoint) -> Value {
    let (status, shape) = &endpoint.gives;
    let mut headers = json!({
        "X-Request-Id": { "description": "The id of this call in the log.", "schema": { "type": "string" } },
    });
    if let Some(headers) = headers.as_object_mut() {
        if endpoint.is_versioned {
            headers.insert("ETag".to_owned(), json!({ "description": "The version, for If-Match.", "schema": { "type": "string" } }));
        }
        if *status == 201 {
            headers.insert(
                "Location".to_owned(),
                json!({ "description": "Where it is.", "schema": { "type": "string" } }),
            );
        }
    }
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    all.insert(
        status.to_string(),
        json!({
            "description": endpoint.summary,
            "headers": headers,
            "content": { "application/json": { "schema": reference(shape) } },
        }),
    );
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in endpoint.all_problems() {
        by_status.entry(code.status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        all.insert(status.to_string(), problem_response(&codes));
    }
    json!(all)
}

fn problem_response(codes: &[Code]) -> Value {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let examples: BTreeMap<&str, Value> = codes
        .iter()
        .map(|code| {
            let value = json!({
                "type": format!("http://admin.localhost:8080/docs#problem-{}", code.as_str()),
                "title": code.title(), "status": code.status(), "code": code.as_str(),
                "detail": format!("{}.", code.title()),
                "request_id": "019376f2-7b1c-7c3e-9d5a-0a4b1c2d3e4f",
            });
            (code.as_str(), json!({ "value": value }))
        })
        .collect();
    let mut response = json!({
        "description": lines.join("\n"),
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "examples": examples,
        } },
    });
    let waits = codes.iter().any(|code| matches!(code.status(), 429 | 503));
    if let (true, Some(object)) = (waits, response.as_object_mut()) {
        object.insert("headers".to_owned(), json!({
            "Retry-After": { "description": "Whole seconds.", "schema": { "type": "integer", "minimum": 0 } },
        }));
    }
    response
}
