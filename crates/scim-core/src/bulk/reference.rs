//! References by bulkId within the data of an operation (RFC 7644 §3.7.2).

use serde_json::{Map, Value};

const PREFIX: &str = "bulkId:";

/// The name in a text that is a reference: `bulkId:` alone is a text like any other.
pub(super) fn name_in(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX).filter(|name| !name.is_empty())
}

/// Calls `found` with every name that a value refers to, and gives the length of the longest list.
pub(super) fn survey<'a>(key: &str, value: &'a Value, found: &mut impl FnMut(&'a str)) -> usize {
    match value {
        Value::String(text) => {
            if let Some(name) = name_in(text) {
                found(name);
            } else if key.eq_ignore_ascii_case("path") {
                quoted(text).for_each(found);
            }
            0
        }
        Value::Array(items) => {
            let inner = items.iter().map(|item| survey(key, item, found)).max().unwrap_or_default();
            inner.max(items.len())
        }
        Value::Object(map) => survey_all(map, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The same for an object.
pub(super) fn survey_all<'a>(
    map: &'a Map<String, Value>,
    found: &mut impl FnMut(&'a str),
) -> usize {
    map.iter().map(|(key, value)| survey(key, value, found)).max().unwrap_or_default()
}

/// Puts ids in the place of the names that have one.
pub(super) fn replace<'i>(
    key: &str,
    value: &mut Value,
    id_of: &impl Fn(&str) -> Option<&'i String>,
) {
    match value {
        Value::String(text) => {
            if let Some(id) = name_in(text).and_then(id_of) {
                text.clone_from(id);
            } else if key.eq_ignore_ascii_case("path") && text.contains(PREFIX) {
                *text = replaced(text, id_of);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(key, item, id_of)),
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| replace(key, value, id_of));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The names that the texts of a PATCH path refer to: `members[value eq "bulkId:ada"]`.
fn quoted(path: &str) -> impl Iterator<Item = &str> {
    path.split('"').skip(1).step_by(2).filter_map(name_in)
}

fn replaced<'i>(path: &str, id_of: &impl Fn(&str) -> Option<&'i String>) -> String {
    let parts: Vec<&str> = path
        .split('"')
        .enumerate()
        .map(|(number, part)| {
            let id = (number % 2 == 1).then(|| name_in(part).and_then(id_of)).flatten();
            id.map_or(part, String::as_str)
        })
        .collect();
    parts.join("\"")
}
