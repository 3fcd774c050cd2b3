//! References by bulkId within the data of an operation (RFC 7644 §3.7.2).
//!
//! **Invariant**: a reference stands where the id of a resource does: in a member, a manager or a `$ref`, and in the path
//! of a PATCH operation that chooses among members. Every other text is a text, a password above all.

use serde_json::{Map, Value};

const PREFIX: &str = "bulkId:";

/// The name in a text that is a reference: `bulkId:` alone is a text like any other.
pub(super) fn name_in(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX).filter(|name| !name.is_empty())
}

/// What a value may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The attributes of a resource, or of a schema of it.
    Resource,
    /// A PATCH: `Operations`, each with a path that says what its value is.
    Patch,
    /// The path of a PATCH operation that chooses among links.
    Path,
    /// A link to a resource: its id, an object with it, or a list of such.
    Link,
    /// Anything else.
    Plain,
}

impl Place {
    /// The place of what stands under `key` in an object `map` that stands here.
    fn of(self, key: &str, map: &Map<String, Value>) -> Self {
        match self {
            _ if key.eq_ignore_ascii_case("$ref") => Self::Link,
            Self::Resource if key.contains(':') && !is_link(key) => Self::Resource,
            Self::Resource if is_link(key) => Self::Link,
            Self::Link if key.eq_ignore_ascii_case("value") => Self::Link,
            Self::Patch if key.eq_ignore_ascii_case("Operations") => Self::Patch,
            Self::Patch => Self::of_operation(key, map),
            Self::Resource | Self::Path | Self::Link | Self::Plain => Self::Plain,
        }
    }

    /// Within one operation of a PATCH.
    fn of_operation(key: &str, operation: &Map<String, Value>) -> Self {
        // Before the path is looked for: an object may have many keys that are neither.
        if !key.eq_ignore_ascii_case("path") && !key.eq_ignore_ascii_case("value") {
            return Self::Plain;
        }
        let path = operation.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
        let path = path.and_then(|(_, path)| path.as_str()).unwrap_or_default().trim();
        let chooses_links = is_link(path);
        if key.eq_ignore_ascii_case("path") {
            return if chooses_links { Self::Path } else { Self::Plain };
        }
        match path.rsplit_once(':') {
            _ if chooses_links => Self::Link,
            _ if path.is_empty() => Self::Resource,
            // The object of a whole schema; of anything else there are no links in it.
            Some(_) => Self::Resource,
            None => Self::Plain,
        }
    }
}

/// Whether a key, or a path, names members or the manager (RFC 7643 §4.2 and §4.3), with their id or as wholes:
/// `manager`, `urn:…:User:manager.value`, `members[value eq "…"]`.
fn is_link(key: &str) -> bool {
    let (name, rest) = match key.split_once('[') {
        Some((name, rest)) => (name, rest.rsplit_once(']').map_or("", |(_, rest)| rest)),
        None => (key, ""),
    };
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    let (name, sub) = name.split_once('.').unwrap_or((name, rest.trim_start_matches('.')));
    let is_any = |name: &str, of: &[&str]| of.iter().any(|one| name.eq_ignore_ascii_case(one));
    is_any(name, &["members", "manager"]) && is_any(sub, &["", "value", "$ref"])
}

/// Calls `found` with every name that a value refers to, and gives the length of the longest list.
pub(super) fn survey<'a>(place: Place, value: &'a Value, found: &mut impl FnMut(&'a str)) -> usize {
    match value {
        Value::String(text) => {
            match place {
                Place::Link => name_in(text).into_iter().for_each(found),
                Place::Path => quoted(text).for_each(found),
                Place::Resource | Place::Patch | Place::Plain => {}
            }
            0
        }
        Value::Array(items) => {
            let inner =
                items.iter().map(|item| survey(place, item, found)).max().unwrap_or_default();
            inner.max(items.len())
        }
        Value::Object(map) => survey_all(place, map, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The same for an object.
pub(super) fn survey_all<'a>(
    place: Place,
    map: &'a Map<String, Value>,
    found: &mut impl FnMut(&'a str),
) -> usize {
    map.iter()
        .map(|(key, value)| survey(place.of(key, map), value, found))
        .max()
        .unwrap_or_default()
}

/// Puts ids in the place of the names that have one.
pub(super) fn replace<'i>(
    place: Place,
    value: &mut Value,
    id_of: &impl Fn(&str) -> Option<&'i String>,
) {
    match value {
        Value::String(text) => match place {
            Place::Link => {
                if let Some(id) = name_in(text).and_then(id_of) {
                    text.clone_from(id);
                }
            }
            Place::Path => *text = replaced(text, id_of),
            Place::Resource | Place::Patch | Place::Plain => {}
        },
        Value::Array(items) => items.iter_mut().for_each(|item| replace(place, item, id_of)),
        Value::Object(map) => replace_all(place, map, id_of),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same for an object.
pub(super) fn replace_all<'i>(
    place: Place,
    map: &mut Map<String, Value>,
    id_of: &impl Fn(&str) -> Option<&'i String>,
) {
    // All are told before one is changed: what a value is, another one may say.
    let places: Vec<Place> = map.keys().map(|key| place.of(key, map)).collect();
    for (value, place) in map.values_mut().zip(places) {
        replace(place, value, id_of);
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
