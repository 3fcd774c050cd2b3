//! What a document must have, and what a change must leave.

use crate::document::check::is_unassigned;
use crate::error::{ErrorKind, ScimError};
use crate::normal::comparable;
use crate::schema::{Attribute, Kind, Mutability, ResourceType, Sent};
use serde_json::{Map, Value};

/// The places where attributes lie: the top level, and the object of each extension.
fn homes(of: &ResourceType) -> impl Iterator<Item = (Option<&str>, &Attribute)> {
    let top = of.common.iter().chain(&of.core.attributes).map(|attribute| (None, attribute));
    let inner = of.extensions.iter().flat_map(|schema| {
        schema.attributes.iter().map(|attribute| (Some(schema.id.as_str()), attribute))
    });
    top.chain(inner)
}

fn full_name(home: Option<&str>, name: &str) -> String {
    home.map_or_else(|| name.to_owned(), |urn| format!("{urn}:{name}"))
}

pub(super) fn check_required(map: &Map<String, Value>, of: &ResourceType) -> Result<(), ScimError> {
    let missing = missing(map, of);
    if missing.is_empty() { Ok(()) } else { Err(ScimError::missing(&missing)) }
}

/// Refuses what a PATCH of `before` leaves without a required value: `mutability` where it took one away (RFC 7644
/// §3.5.2.2), `invalidValue` where what it brought lacks one.
pub(super) fn check_still_required(
    map: &Map<String, Value>,
    before: &Map<String, Value>,
    of: &ResourceType,
) -> Result<(), ScimError> {
    let missing = missing(map, of);
    if missing.is_empty() {
        return Ok(());
    }
    let taken: Vec<String> =
        missing.iter().filter(|path| is_taken(before, map, path)).cloned().collect();
    Err(if taken.is_empty() { ScimError::missing(&missing) } else { ScimError::taken(&taken) })
}

/// Whether what is missing at `path` was there and is not any more. Blank text is a value, if none that will do.
fn is_taken(before: &Map<String, Value>, after: &Map<String, Value>, path: &str) -> bool {
    let (urn, name) = match path.rsplit_once(':') {
        Some((urn, name)) => (Some(urn), name),
        None => (None, path),
    };
    let (name, sub) = name.split_once('.').map_or((name, None), |(name, sub)| (name, Some(sub)));
    let value = |map: &'_ Map<String, Value>| match urn {
        Some(urn) => map.get(urn).and_then(|inner| inner.get(name)).cloned(),
        None => map.get(name).cloned(),
    };
    let (Some(was), is) = (value(before), value(after)) else { return false };
    let (Some(sub), Some(is)) = (sub, &is) else { return is.is_none() };
    let (was, is) = (elements(&was), elements(is));
    // Of a list, one more value that lacks the part is one that came without it.
    was.len() >= is.len()
        && was.iter().all(|element| element.get(sub).is_some())
        && is.iter().any(|element| element.get(sub).is_none())
}

/// The paths of what is required and has no value, also in a part of what has one.
fn missing(map: &Map<String, Value>, of: &ResourceType) -> Vec<String> {
    let mut missing = Vec::new();
    for (home, attribute) in homes(of) {
        // `id` and `schemas` are the service's to give.
        if attribute.handling.sent != Sent::Kept {
            continue;
        }
        let value = match home {
            None => map.get(&attribute.name),
            Some(urn) => map.get(urn).and_then(|inner| inner.get(&attribute.name)),
        };
        if lacks(attribute, value) {
            missing.push(full_name(home, &attribute.name));
        }
        for element in value.into_iter().flat_map(elements).filter(|element| element.is_object()) {
            let lacking = |sub: &&Attribute| lacks(sub, element.get(&sub.name));
            for sub in attribute.sub_attributes.iter().filter(lacking) {
                let name = full_name(home, &format!("{}.{}", attribute.name, sub.name));
                if !missing.contains(&name) {
                    missing.push(name);
                }
            }
        }
    }
    missing
}

/// Blank text names nobody.
fn lacks(attribute: &Attribute, value: Option<&Value>) -> bool {
    attribute.required
        && !attribute.handling.judged_later
        && attribute.mutability != Mutability::ReadOnly
        && value.is_none_or(|value| match value {
            Value::String(text) => text.trim().is_empty(),
            value => is_unassigned(value),
        })
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

pub(super) fn keep(
    map: &mut Map<String, Value>,
    old: &Map<String, Value>,
    of: &ResourceType,
) -> Result<(), ScimError> {
    let none = Map::new();
    for (home, attribute) in homes(of) {
        if attribute.handling.sent != Sent::Kept || !outlives(attribute) {
            continue;
        }
        let (new, old) = match home {
            None => (&mut *map, old),
            Some(urn) => {
                let old = old.get(urn).and_then(Value::as_object).unwrap_or(&none);
                let new = map.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                let Value::Object(new) = new else { continue };
                (new, old)
            }
        };
        let before = old.get(&attribute.name);
        let after = new.remove(&attribute.name);
        if let Some(after) = kept(attribute, &full_name(home, &attribute.name), before, after)? {
            new.insert(attribute.name.clone(), after);
        }
    }
    Ok(())
}

/// Whether a value of the attribute, or of a part of it, can outlive a PUT.
pub(crate) fn outlives(attribute: &Attribute) -> bool {
    matches!(attribute.mutability, Mutability::Immutable | Mutability::WriteOnly)
        || (!attribute.multi_valued && attribute.sub_attributes.iter().any(outlives))
}

/// What a value is after it was to be replaced by `after`. Elements of lists are added and removed as wholes, so their
/// parts are not looked at.
fn kept(
    attribute: &Attribute,
    path: &str,
    before: Option<&Value>,
    after: Option<Value>,
) -> Result<Option<Value>, ScimError> {
    let Some(before) = before else { return Ok(after) };
    match attribute.mutability {
        Mutability::WriteOnly => return Ok(after.or_else(|| Some(before.clone()))),
        Mutability::Immutable => {
            if after.is_none_or(|after| same(attribute, before, &after)) {
                return Ok(Some(before.clone()));
            }
            return Err(altered(path));
        }
        Mutability::ReadOnly | Mutability::ReadWrite => {}
    }
    let (Kind::Complex, false, Value::Object(old)) =
        (attribute.kind, attribute.multi_valued, before)
    else {
        return Ok(after);
    };
    let mut object = match after {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    for sub in attribute.sub_attributes.iter().filter(|sub| outlives(sub)) {
        let after = object.remove(&sub.name);
        let path = format!("{path}.{}", sub.name);
        if let Some(after) = kept(sub, &path, old.get(&sub.name), after)? {
            object.insert(sub.name.clone(), after);
        }
    }
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// Refuses a PATCH operation that changes or removes what is immutable and has a value (RFC 7643 §7).
pub(crate) fn check_immutable(
    attribute: &Attribute,
    path: &str,
    before: &Value,
    after: Option<&Value>,
) -> Result<(), ScimError> {
    if attribute.mutability == Mutability::Immutable {
        return match after {
            Some(after) if same(attribute, before, after) => Ok(()),
            _ => Err(altered(path)),
        };
    }
    if attribute.multi_valued {
        return Ok(());
    }
    for sub in &attribute.sub_attributes {
        if let Some(before) = before.get(&sub.name) {
            let after = after.and_then(|after| after.get(&sub.name));
            check_immutable(sub, &format!("{path}.{}", sub.name), before, after)?;
        }
    }
    Ok(())
}

fn same(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    comparable(attribute, left) == comparable(attribute, right)
}

fn altered(path: &str) -> ScimError {
    let detail = format!("{path} is immutable and has another value; leave it out of the mapping.");
    ScimError::new(ErrorKind::Mutability, detail).about(path)
}
