//! The parts of one object by the names of the schema, whatever the identity provider calls them.

use super::check::{is_unassigned, shown, unknown};
use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Mutability, Role};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A part of the schema, and the value that was sent for it.
pub(crate) type Part<'a, 'v> = (&'a Attribute, Cow<'v, Value>);

/// Says which part of `attribute` each value of `map` is for. Names that no schema knows are passed over and noted.
pub(crate) fn parts<'a, 'v>(
    attribute: &'a Attribute,
    path: &str,
    map: &'v Map<String, Value>,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Vec<Part<'a, 'v>>, ScimError> {
    let mut found: Vec<Part<'a, 'v>> = Vec::with_capacity(map.len());
    let mut unpacked_from = None;
    for (key, value) in map {
        let Some(sub) = attribute.sub_attribute(key) else {
            match attribute.part(Role::Display).filter(|_| key.eq_ignore_ascii_case("displayName"))
            {
                Some(display) => {
                    let name = format!("{path}.{key}");
                    tolerance.bend(Quirk::DisplayNameKey, notes, || {
                        let detail = format!("{name} is called {} here.", display.name);
                        ScimError::new(ErrorKind::InvalidSyntax, detail).about(name.as_str())
                    })?;
                    set(&mut found, display, Cow::Borrowed(value));
                }
                None => unknown(&format!("{path}.{}", shown(key)), tolerance, notes)?,
            }
            continue;
        };
        let inside = match value {
            Value::String(text) if sub.handling.role == Role::Value => unpacked(attribute, text),
            _ => None,
        };
        match inside {
            Some(inside) => unpacked_from = Some(inside),
            None => found.push((sub, Cow::Borrowed(value))),
        }
    }
    if let Some(inside) = unpacked_from {
        tolerance.bend(Quirk::JsonText, notes, || {
            let detail = format!("{path} takes plain text, not JSON inside of text.");
            ScimError::new(ErrorKind::InvalidValue, detail).about(path)
        })?;
        for (sub, value) in inside {
            set(&mut found, sub, Cow::Owned(value));
        }
    }
    reference_only(attribute, path, &mut found, tolerance, notes)?;
    Ok(found)
}

/// Adds a part, unless it was sent under its own name.
fn set<'a, 'v>(found: &mut Vec<Part<'a, 'v>>, sub: &'a Attribute, value: Cow<'v, Value>) {
    if !found.iter().any(|(there, _)| there.name == sub.name) {
        found.push((sub, value));
    }
}

/// Entra's app role assignments are JSON as text: `{"id":…,"value":…,"displayName":…}` (idp-wire §2.2). Text that is
/// JSON without a `value` is text like any other.
pub(super) fn unpacked<'a>(
    attribute: &'a Attribute,
    text: &str,
) -> Option<Vec<(&'a Attribute, Value)>> {
    if !attribute.multi_valued || !text.trim_start().starts_with('{') {
        return None;
    }
    let (value, display) = (attribute.part(Role::Value)?, attribute.part(Role::Display)?);
    let inside: Map<String, Value> = serde_json::from_str(text).ok()?;
    let text_of = |name: &str| {
        let found = inside.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|value| value.as_str().is_some_and(|t| !t.is_empty()))
    };
    let mut parts = vec![(value, text_of(&value.name)?.clone())];
    let shown = text_of("displayName").or_else(|| text_of(&display.name));
    parts.extend(shown.map(|shown| (display, shown.clone())));
    Some(parts)
}

/// Where the address follows from the id, an address without an id gives the id: its last segment.
fn reference_only<'a>(
    attribute: &'a Attribute,
    path: &str,
    found: &mut Vec<Part<'a, '_>>,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let computed = attribute.part(Role::Reference).filter(|a| a.mutability == Mutability::ReadOnly);
    let (Some(value), Some(reference)) = (attribute.part(Role::Value), computed) else {
        return Ok(());
    };
    let has_value = |(sub, sent): &Part<'_, '_>| sub.name == value.name && !is_unassigned(sent);
    if found.iter().any(has_value) {
        return Ok(());
    }
    let address = found.iter().find(|(sub, _)| sub.name == reference.name);
    let Some(id) = address.and_then(|(_, sent)| sent.as_str()).and_then(last_segment) else {
        return Ok(());
    };
    let id = Value::String(id.to_owned());
    tolerance.bend(Quirk::ReferenceOnly, notes, || {
        let detail = format!("{path} has no {}; send the id in it.", value.name);
        ScimError::new(ErrorKind::InvalidValue, detail).about(path)
    })?;
    found.retain(|(sub, _)| sub.name != value.name);
    found.push((value, Cow::Owned(id)));
    Ok(())
}

/// The id in an address such as `https://example.com/scim/v2/Users/26118915` or `../Users/26118915`.
pub(crate) fn last_segment(address: &str) -> Option<&str> {
    let path = address.split(['?', '#']).next()?;
    let (_, last) = path.trim_end_matches('/').rsplit_once('/')?;
    (!last.is_empty()).then_some(last)
}
