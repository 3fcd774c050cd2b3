//! Documents side by side: the comparison form, and what differs.

use crate::normal::comparable;
use crate::schema::{Attribute, Kind, ResourceType};
use serde_json::{Map, Value};

/// Every value in the form in which it is compared.
pub(super) fn search(map: &Map<String, Value>, of: &ResourceType) -> Map<String, Value> {
    map.iter()
        .map(|(name, value)| {
            let compared = match (of.attribute(name), of.extension(name), value) {
                (Some(attribute), _, value) => comparable(attribute, value),
                (None, Some(schema), Value::Object(inner)) => Value::Object(
                    inner
                        .iter()
                        .map(|(name, value)| (name.clone(), side(schema.attribute(name), value)))
                        .collect(),
                ),
                _ => value.clone(),
            };
            (name.clone(), compared)
        })
        .collect()
}

fn side(attribute: Option<&Attribute>, value: &Value) -> Value {
    attribute.map_or_else(|| value.clone(), |attribute| comparable(attribute, value))
}

/// The names of what differs, sorted. `schemas` follows from the rest and is left out.
pub(super) fn changed(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    of: &ResourceType,
) -> Vec<String> {
    let mut names = Vec::new();
    for name in either(before, after) {
        if name == "schemas" {
            continue;
        }
        let (was, is) = (before.get(name), after.get(name));
        if was == is {
            continue;
        }
        match of.extension(name) {
            None => add(name, of.attribute(name), was, is, &mut names),
            Some(schema) => {
                let (none_before, none_after) = (Map::new(), Map::new());
                let was = was.and_then(Value::as_object).unwrap_or(&none_before);
                let is = is.and_then(Value::as_object).unwrap_or(&none_after);
                for inner in either(was, is) {
                    let full = format!("{name}:{inner}");
                    add(&full, schema.attribute(inner), was.get(inner), is.get(inner), &mut names);
                }
            }
        }
    }
    names.sort();
    names
}

/// Adds the name, or the names of the parts that differ when it is one complex value.
fn add(
    name: &str,
    attribute: Option<&Attribute>,
    was: Option<&Value>,
    is: Option<&Value>,
    names: &mut Vec<String>,
) {
    if was == is {
        return;
    }
    let in_parts = attribute.is_some_and(|a| a.kind == Kind::Complex && !a.multi_valued);
    if !in_parts {
        names.push(name.to_owned());
        return;
    }
    let none = Map::new();
    let was = was.and_then(Value::as_object).unwrap_or(&none);
    let is = is.and_then(Value::as_object).unwrap_or(&none);
    let differing = either(was, is).filter(|part| was.get(*part) != is.get(*part));
    names.extend(differing.map(|part| format!("{name}.{part}")));
}

fn either<'a>(
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a str> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    after.keys().chain(gone).map(String::as_str)
}
