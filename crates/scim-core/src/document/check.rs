//! One value against one attribute of the schema: taken as it is, coerced, or refused.
//!
//! **Invariant**: what comes out is of the attribute's type, in canonical names, and never null, "" or []
//! (RFC 7643 §2.5). A refusal names the attribute, what came and what is due, and never the value.

use super::at::{At, refusal, wrong_type};
use super::parts::parts;
use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, Mutability, Role};
use serde_json::{Map, Value};
use std::collections::HashSet;

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

/// Whether the value says that the attribute has none, as [`is_unassigned`] tells; what RFC 7643 §2.5 does not know
/// for it is a quirk.
pub(crate) fn is_empty(
    attribute: &Attribute,
    path: &str,
    value: &Value,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<bool, ScimError> {
    Check { tolerance, notes }.is_empty(attribute, At { path, sub: None }, value)
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

/// Drops elements that are equal in every part to an earlier one (RFC 7643 §2.4); says whether there were any.
pub(crate) fn collapse(list: &mut Vec<Value>) -> bool {
    if list.len() < 2 {
        return false;
    }
    let mut seen = HashSet::with_capacity(list.len());
    let mut keep = list.iter().map(|item| seen.insert(item)).collect::<Vec<_>>().into_iter();
    let before = list.len();
    list.retain(|_| keep.next().unwrap_or(true));
    list.len() < before
}

/// Leaves the truth of `primary` to the last element that has it; says whether another had it too (RFC 7643 §2.4).
pub(crate) fn one_primary(attribute: &Attribute, list: &mut [Value]) -> bool {
    let Some(primary) = attribute.part(Role::Primary) else { return false };
    let mut found = false;
    let mut several = false;
    for element in list.iter_mut().rev() {
        let Some(primary) = element.get_mut(&primary.name) else { continue };
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

/// Passes over an attribute that no schema knows, where the tenant tolerates it.
pub(crate) fn unknown(
    name: &str,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    tolerance.bend(Quirk::UnknownAttribute, notes, || {
        ScimError::new(
            ErrorKind::InvalidSyntax,
            format!("{name} is not an attribute of this resource; remove it from the mapping."),
        )
        .about(name)
    })?;
    // A body can hold a hundred thousand names; the first ones tell enough.
    if notes.ignored_attributes().nth(NAMES_NOTED).is_none() {
        notes.ignored(name);
    }
    Ok(())
}

pub(super) struct Check<'a> {
    pub(super) tolerance: &'a Tolerance,
    pub(super) notes: &'a mut Notes,
}

impl Check<'_> {
    fn value(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Option<Value>, ScimError> {
        // RFC 7644 §3.3 and §3.5.1: readOnly values are ignored. PATCH, which refuses them, asks before.
        if attribute.mutability == Mutability::ReadOnly {
            if !is_unassigned(value) {
                self.notes.ignored(place.to_string());
            }
            return Ok(None);
        }
        if self.is_empty(attribute, place, value)? {
            return Ok(None);
        }
        if attribute.multi_valued {
            return self.list(attribute, place, value);
        }
        if is_stray_primary(attribute, value) {
            self.bend(Quirk::StrayPrimary, place, "takes true or false")?;
            self.notes.ignored(place.to_string());
            return Ok(None);
        }
        match value {
            Value::Array(items) => self.only_one(attribute, place, items),
            _ => self.single(attribute, place, value),
        }
    }

    /// RFC 7643 §2.5 knows null, and `[]` for a list.
    fn is_empty(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<bool, ScimError> {
        if !is_unassigned(value) {
            return Ok(false);
        }
        if !(value.is_null() || attribute.multi_valued && value.is_array()) {
            self.bend(Quirk::EmptyValue, place, "has an empty value; send null, or leave it out")?;
        }
        Ok(true)
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
        if collapse(&mut kept) {
            self.bend(Quirk::DuplicateValue, place, "has the same value twice")?;
        }
        if one_primary(attribute, &mut kept) {
            self.bend(Quirk::ManyPrimaries, place, "may have one value with primary true only")?;
            // Two values may have differed in that alone.
            collapse(&mut kept);
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
            self.bend(Quirk::EmptyValue, place, "has an empty value in its list; leave it out")?;
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
        let is_link = attribute.part(Role::Value).is_some();
        if is_link {
            self.bend(Quirk::ManagerShape, place, "takes an object, not a list")?;
        } else {
            self.bend(Quirk::ListShape, place, "takes one value, not a list")?;
        }
        let Some(first) = items.next() else { return Ok(None) };
        if !is_link && items.next().is_some() {
            let detail = format!("{place} takes one value, and several were sent.");
            return Err(refusal(place, detail));
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
                // A text may stand for the element whose value it is; a number in the place of e-mails is a mistake.
                let part = attribute.part(Role::Value);
                let part = part.filter(|_| value.is_string() || !attribute.multi_valued);
                let Some(sub) = part else { return Err(wrong_type(attribute, place, value)) };
                // As an element that has this value; the text may be JSON.
                let alone = Map::from_iter([(sub.name.clone(), value.clone())]);
                let found = self.complex(attribute, place, &alone)?;
                // Entra sends the manager as plain text; others send `"emails": ["ada@example.com"]`. An element
                // that is JSON as text is Quirk::JsonText alone, which has been noted.
                match value.as_str().and_then(|text| super::parts::unpacked(attribute, text)) {
                    Some(_) => {}
                    None if attribute.multi_valued => {
                        self.bend(
                            Quirk::PlainElement,
                            place,
                            "takes objects; send {\"value\": …}",
                        )?;
                    }
                    None => {
                        self.bend(
                            Quirk::ManagerShape,
                            place,
                            "takes an object; send {\"value\": …}",
                        )?;
                    }
                }
                Ok(found)
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
        for (sub, value) in parts(attribute, &place.to_string(), map, self.tolerance, self.notes)? {
            let inner = At { path: place.path, sub: Some(&sub.name) };
            if let Some(value) = self.value(sub, inner, &value)? {
                kept.insert(sub.name.clone(), value);
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Object(kept)))
    }

    /// Notes a deviation, or refuses it where the tenant does not tolerate it.
    pub(super) fn bend(
        &mut self,
        quirk: Quirk,
        place: At<'_>,
        rule: &str,
    ) -> Result<(), ScimError> {
        self.tolerance.bend(quirk, self.notes, || refusal(place, format!("{place} {rule}.")))
    }
}

/// Microsoft's validator puts made-up text, a telephone number say, into `primary`.
fn is_stray_primary(attribute: &Attribute, value: &Value) -> bool {
    attribute.handling.role == Role::Primary
        && match value {
            Value::String(text) => super::scalar::boolean_text(text).is_none(),
            value => value.is_number(),
        }
}
