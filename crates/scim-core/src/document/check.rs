//! One value against one attribute of the schema: taken as it is, coerced, or refused.
//!
//! **Invariant**: what comes out is of the attribute's type, in canonical names, and never null, "" or []
//! (RFC 7643 §2.5). A refusal names the attribute, what came and what is due, and never the value.

use super::at::{At, refusal, wrong_type};
use crate::error::{ErrorKind, ScimError};
use crate::normal;
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, Mutability};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The longest text of any attribute, in bytes.
const TEXT_BYTES: usize = 16 * 1024;
/// The longest text of an attribute that is the key of an index, in bytes.
const KEY_BYTES: usize = 1024;

/// How many unknown names are noted of one request.
const NAMES_NOTED: usize = 63;

/// Checks `value` as the whole value of `attribute`, which `path` names for the reader.
///
/// `None` means unassigned. A multi-valued attribute gives an array. A readOnly attribute is noted as ignored.
pub(crate) fn coerce(
    attribute: &Attribute,
    path: &str,
    value: &Value,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    Check { tolerance, notes }.value(attribute, At { path, sub: None }, value)
}

/// Checks `value` as one element of the multi-valued `attribute`.
pub(crate) fn coerce_element(
    attribute: &Attribute,
    path: &str,
    value: &Value,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    Check { tolerance, notes }.element(attribute, At { path, sub: None }, value)
}

/// Whether the value says that the attribute has none (RFC 7643 §2.5; `""` is what Entra sends for it).
pub(crate) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Drops elements that are equal in every part to an earlier one (RFC 7643 §2.4).
pub(crate) fn collapse(list: &mut Vec<Value>) {
    if list.len() < 2 {
        return;
    }
    let mut seen = HashSet::with_capacity(list.len());
    let mut keep = list.iter().map(|item| seen.insert(item)).collect::<Vec<_>>().into_iter();
    list.retain(|_| keep.next().unwrap_or(true));
}

/// Leaves `primary: true` to the last element that has it; says whether another had it too (RFC 7643 §2.4).
pub(crate) fn one_primary(list: &mut [Value]) -> bool {
    let mut found = false;
    let mut several = false;
    for element in list.iter_mut().rev() {
        let Some(primary) = element.get_mut("primary") else { continue };
        if *primary == Value::Bool(true) {
            if found {
                *primary = Value::Bool(false);
                several = true;
            }
            found = true;
        }
    }
    several
}

/// A name that a client sent, short enough for a log.
pub(crate) fn shown(name: &str) -> String {
    const LONGEST: usize = 120;
    if name.chars().nth(LONGEST).is_none() {
        return name.to_owned();
    }
    name.chars().take(LONGEST).chain(['…']).collect()
}

struct Check<'a> {
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
}

impl Check<'_> {
    fn value(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Option<Value>, ScimError> {
        if is_unassigned(value) {
            return Ok(None);
        }
        // RFC 7644 §3.3 and §3.5.1: readOnly values are ignored. PATCH, which refuses them, asks before.
        if attribute.mutability == Mutability::ReadOnly {
            self.notes.ignored(place.to_string());
            return Ok(None);
        }
        if attribute.multi_valued {
            return self.list(attribute, place, value);
        }
        if is_stray_primary(attribute, value) && self.tolerance.allows(Quirk::StringBool) {
            self.notes.met(Quirk::StringBool);
            self.notes.ignored(place.to_string());
            return Ok(None);
        }
        match value {
            Value::Array(items) => self.only_one(attribute, place, items),
            _ => self.single(attribute, place, value),
        }
    }

    fn list(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Option<Value>, ScimError> {
        let items = if let Value::Array(items) = value {
            items.as_slice()
        } else {
            self.bend(
                Quirk::ListShape,
                place,
                "takes a list of values; put the value into a list",
            )?;
            std::slice::from_ref(value)
        };
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            kept.extend(self.element(attribute, place, item)?);
        }
        collapse(&mut kept);
        if one_primary(&mut kept) {
            self.bend(Quirk::ManyPrimaries, place, "may have one value with primary true only")?;
        }
        Ok((!kept.is_empty()).then_some(Value::Array(kept)))
    }

    fn element(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Option<Value>, ScimError> {
        if is_unassigned(value) {
            return Ok(None);
        }
        self.single(attribute, place, value)
    }

    /// A list where one value is due: a list of one will do. Entra's guide sends the manager so (idp-wire row 21).
    fn only_one(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        items: &[Value],
    ) -> Result<Option<Value>, ScimError> {
        let mut items = items.iter().filter(|item| !is_unassigned(item));
        let Some(first) = items.next() else { return Ok(None) };
        if has_plain_value(attribute) {
            self.bend(Quirk::ManagerShape, place, "takes an object, not a list")?;
        } else {
            self.bend(Quirk::ListShape, place, "takes one value, not a list")?;
            if items.next().is_some() {
                let detail = format!("{place} takes one value, and several were sent.");
                return Err(refusal(place, detail));
            }
        }
        self.single(attribute, place, first)
    }

    fn single(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Option<Value>, ScimError> {
        if attribute.kind != Kind::Complex {
            return self.scalar(attribute, place, value).map(Some);
        }
        match value {
            Value::Object(map) => self.complex(attribute, place, map),
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let Some(sub) = attribute.sub_attribute("value") else {
                    return Err(wrong_type(attribute, place, value));
                };
                // Entra sends the manager as plain text; others send `"emails": ["ada@example.com"]`.
                let quirk =
                    if attribute.multi_valued { Quirk::ListShape } else { Quirk::ManagerShape };
                self.bend(quirk, place, "takes objects; send {\"value\": …}")?;
                let inner = At { path: place.path, sub: Some(&sub.name) };
                let inner = self.scalar(sub, inner, value)?;
                Ok(Some(Value::Object(Map::from_iter([(sub.name.clone(), inner)]))))
            }
            Value::Null | Value::Array(_) => Err(wrong_type(attribute, place, value)),
        }
    }

    fn complex(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        map: &Map<String, Value>,
    ) -> Result<Option<Value>, ScimError> {
        let mut kept = Map::new();
        for (key, value) in map {
            let Some(sub) = attribute.sub_attribute(key) else {
                self.unknown(&format!("{place}.{}", shown(key)))?;
                continue;
            };
            let inner = At { path: place.path, sub: Some(&sub.name) };
            if let Some(value) = self.value(sub, inner, value)? {
                kept.insert(sub.name.clone(), value);
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Object(kept)))
    }

    fn unknown(&mut self, name: &str) -> Result<(), ScimError> {
        unknown(name, self.tolerance, self.notes)
    }

    fn scalar(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        match attribute.kind {
            Kind::String | Kind::Reference => self.text(attribute, place, value).map(Value::String),
            Kind::Boolean => self.boolean(attribute, place, value),
            Kind::Integer if value.is_i64() || value.is_u64() => Ok(value.clone()),
            Kind::Decimal if value.is_number() => Ok(value.clone()),
            Kind::DateTime => {
                let text = self.text(attribute, place, value)?;
                if normal::instant(&text).is_none() {
                    return Err(refusal(
                        place,
                        format!(
                            "{place} is not a date and time; send it as 2026-01-31T08:00:00Z \
                             (RFC 7643, 2.3.5)."
                        ),
                    ));
                }
                Ok(Value::String(text))
            }
            Kind::Binary => {
                let text = self.text(attribute, place, value)?;
                if !is_base64(&text) {
                    return Err(refusal(
                        place,
                        format!("{place} is not base64 text (RFC 7643, 2.3.6)."),
                    ));
                }
                Ok(Value::String(text))
            }
            Kind::Integer | Kind::Decimal | Kind::Complex => {
                Err(wrong_type(attribute, place, value))
            }
        }
    }

    fn text(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<String, ScimError> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => {
                self.bend(Quirk::TextFromScalar, place, "takes text; put the value into quotes")?;
                value.to_string()
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(wrong_type(attribute, place, value));
            }
        };
        let longest = longest_text(attribute, place);
        if text.len() > longest {
            let detail =
                format!("{place} is {} bytes long; at most {longest} are kept.", text.len());
            return Err(refusal(place, detail));
        }
        // Entra's app role assignments arrive as `roles: [{"value": "{\"id\":…}"}]`; they are kept as they are.
        if place.sub == Some("value")
            && text.starts_with('{')
            && serde_json::from_str::<IgnoredAny>(&text).is_ok()
        {
            self.bend(Quirk::JsonText, place, "takes plain text, not JSON inside of text")?;
        }
        Ok(text)
    }

    fn boolean(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = match value {
            Value::Bool(_) => return Ok(value.clone()),
            Value::String(text) => text.as_str(),
            _ => return Err(wrong_type(attribute, place, value)),
        };
        let truth = boolean_text(text).ok_or_else(|| wrong_type(attribute, place, value))?;
        // Entra sends `"active": "False"` unless its feature flag is set (RFC 7643 §2.3.2 makes it a type error).
        self.bend(Quirk::StringBool, place, "takes true or false without quotes")?;
        Ok(Value::Bool(truth))
    }

    /// Notes a deviation, or refuses it where the tenant does not tolerate it.
    fn bend(&mut self, quirk: Quirk, place: At<'_>, rule: &str) -> Result<(), ScimError> {
        if self.tolerance.allows(quirk) {
            self.notes.met(quirk);
            return Ok(());
        }
        Err(refusal(place, format!("{place} {rule}.")))
    }
}

/// Passes over an attribute that no schema knows, where the tenant tolerates it (RFC 7644 §3.3 leaves it open).
pub(crate) fn unknown(
    name: &str,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    if !tolerance.allows(Quirk::UnknownAttribute) {
        return Err(ScimError::new(
            ErrorKind::InvalidSyntax,
            format!("{name} is not an attribute of this resource; remove it from the mapping."),
        )
        .about(name));
    }
    notes.met(Quirk::UnknownAttribute);
    // A body can hold a hundred thousand names; the first ones tell enough.
    if notes.ignored_attributes().nth(NAMES_NOTED).is_none() {
        notes.ignored(name);
    }
    Ok(())
}

fn boolean_text(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

/// Microsoft's validator puts made-up text, a telephone number say, into `primary`.
fn is_stray_primary(attribute: &Attribute, value: &Value) -> bool {
    attribute.kind == Kind::Boolean
        && attribute.name == "primary"
        && match value {
            Value::String(text) => boolean_text(text).is_none(),
            value => value.is_number(),
        }
}

/// The manager, or an element of a list such as emails: an object whose essence is its `value`.
fn has_plain_value(attribute: &Attribute) -> bool {
    attribute.kind == Kind::Complex && attribute.sub_attribute("value").is_some()
}

fn longest_text(attribute: &Attribute, place: At<'_>) -> usize {
    let is_key = place.sub.is_none()
        && matches!(attribute.name.as_str(), "userName" | "displayName" | "externalId");
    if is_key { KEY_BYTES } else { TEXT_BYTES }
}

/// Standard and URL-safe alphabet (RFC 4648 §4, §5), with or without padding and line breaks.
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches(['=', '\r', '\n']);
    let alphabet = |b: u8| b.is_ascii_alphanumeric() || b"+/-_\r\n".contains(&b);
    text.len() - body.len() <= 4 && body.bytes().all(alphabet)
}
