//! An example of an answer, put together from its schema.
//!
//! **Invariant**: a sample is of its schema; what a type says itself by `example` is taken as it is.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How deep schemas are followed.
const DEEPEST: usize = 8;

/// An example of what a schema describes.
pub(super) fn sample(schemas: &BTreeMap<String, Value>, schema: &Value) -> Value {
    of("", schemas, schema, 0)
}

fn of(name: &str, schemas: &BTreeMap<String, Value>, schema: &Value, depth: usize) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if depth > DEEPEST {
        return Value::Null;
    }
    let referred =
        schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    if let Some(target) = referred.and_then(|name| schemas.get(name)) {
        return of(name, schemas, target, depth + 1);
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let mut all = Map::new();
        for part in parts {
            if let Value::Object(members) = of(name, schemas, part, depth + 1) {
                all.extend(members);
            }
        }
        return Value::Object(all);
    }
    // What may be missing is: most things that may are, of most things.
    let may_be_null = schema.get("oneOf").is_some()
        || schema
            .get("type")
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.contains(&json!("null")));
    if may_be_null {
        return Value::Null;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let members = schema.get("properties").and_then(Value::as_object);
            let members = members.into_iter().flatten();
            members
                .map(|(name, member)| (name.clone(), of(name, schemas, member, depth + 1)))
                .collect()
        }
        Some("array") => schema
            .get("items")
            .map_or(json!([]), |items| json!([of(name, schemas, items, depth + 1)])),
        Some("boolean") => json!(true),
        Some("integer" | "number") => {
            schema.get("minimum").filter(|least| **least != json!(0)).cloned().unwrap_or(json!(1))
        }
        Some("string") => text(name, schema),
        Some(_) | None => json!({}),
    }
}

fn text(name: &str, schema: &Value) -> Value {
    let word = schema.get("enum").and_then(Value::as_array).and_then(|words| words.first());
    if let Some(word) = word {
        return word.clone();
    }
    match (schema.get("format").and_then(Value::as_str), name) {
        (Some("date-time"), _) => json!("2026-11-22T10:00:00Z"),
        (_, "tenant_id") => json!("ten_a2b3c4d5e6f7g2h3"),
        (_, "id" | "request_id") => json!("019376f2-7b1c-7c3e-9d5a-0a4b1c2d3e4f"),
        (_, "region" | "home_region" | "region_tag") => json!("eu"),
        (_, "population" | "from") => json!("platform"),
        (_, "to") => json!("board"),
        (_, "") => json!("text"),
        (_, name) => json!(name),
    }
}
