//! One attribute before and after one operation: attributes with a single value.

use super::Verb;
use crate::document::check::{coerce, is_empty, is_unassigned};
use crate::document::parts::parts;
use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, Mutability, Role};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// An operation on one attribute.
pub(super) struct Edit<'a> {
    pub(super) attribute: &'a Attribute,
    /// Its canonical name, with the URN when it is in an extension.
    pub(super) path: &'a str,
    pub(super) tolerance: &'a Tolerance,
    pub(super) notes: &'a mut Notes,
    pub(super) effort: &'a mut Effort,
}

/// How many list elements the operations of one request have looked at.
///
/// Many operations on a long list cost their product, which neither of the two limits bounds.
#[derive(Debug, Default)]
pub(super) struct Effort {
    spent: usize,
}

impl Effort {
    const MOST: usize = 500_000;

    pub(super) fn spend(&mut self, looks: usize) -> Result<(), ScimError> {
        self.spent = self.spent.saturating_add(looks);
        if self.spent > Self::MOST {
            let detail = "too many operations on long lists; send them in several requests.";
            return Err(ScimError::new(ErrorKind::InvalidValue, detail));
        }
        Ok(())
    }
}

impl Edit<'_> {
    /// An attribute with one value, or the part `sub` of it. `None` means unassigned, before and after.
    pub(super) fn single(
        &mut self,
        current: Option<Value>,
        verb: Verb,
        sub: Option<&Attribute>,
        value: Option<&Value>,
    ) -> Result<Option<Value>, ScimError> {
        if verb == Verb::Remove {
            self.no_value(value)?;
        }
        let value = value.filter(|_| verb != Verb::Remove);
        if let Some(sub) = sub {
            let mut object = object(current);
            self.set_part(&mut object, sub, value)?;
            return Ok(some(object));
        }
        let Some(value) = value else { return Ok(None) };
        if self.attribute.kind != Kind::Complex {
            let value = self.unwrapped(value)?;
            return coerce(self.attribute, self.path, &value, self.tolerance, self.notes);
        }
        if self.is_empty(value)? {
            return Ok(None);
        }
        let mut object = object(current);
        if let Value::Object(parts) = value {
            self.merge(&mut object, parts)?;
            return Ok(some(object));
        }
        // The manager as text or as a list (idp-wire row 21).
        match coerce(self.attribute, self.path, value, self.tolerance, self.notes)? {
            Some(Value::Object(parts)) => self.merge(&mut object, &parts)?,
            _ => return Ok(None),
        }
        Ok(some(object))
    }

    /// RFC 7644 §3.5.2.3: what is named is replaced, the other parts stay.
    pub(super) fn merge(
        &mut self,
        object: &mut Map<String, Value>,
        sent: &Map<String, Value>,
    ) -> Result<(), ScimError> {
        for (sub, part) in parts(self.attribute, self.path, sent, self.tolerance, self.notes)? {
            self.set_part(object, sub, Some(&part))?;
        }
        Ok(())
    }

    /// RFC 7644 §3.5.2.2 has no value on remove.
    pub(super) fn no_value(&mut self, value: Option<&Value>) -> Result<(), ScimError> {
        match value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => self.bend(Quirk::RemoveWithValue, "takes no value on remove"),
        }
    }

    /// Whether the value says that there is none.
    pub(super) fn is_empty(&mut self, value: &Value) -> Result<bool, ScimError> {
        is_empty(self.attribute, self.path, value, self.tolerance, self.notes)
    }

    /// Sets or, without a value, removes one part.
    pub(super) fn set_part(
        &mut self,
        object: &mut Map<String, Value>,
        sub: &Attribute,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        if sub.mutability == Mutability::ReadOnly {
            return self.echo(sub, value);
        }
        let after = match value {
            Some(value) => {
                let path = format!("{}.{}", self.path, sub.name);
                coerce(sub, &path, value, self.tolerance, self.notes)?
            }
            None => None,
        };
        match after {
            Some(after) => {
                object.insert(sub.name.clone(), after);
            }
            // Passed over, not unassigned: made-up text in `primary`.
            None if value.is_some_and(|value| !is_unassigned(value)) => {}
            None => {
                object.remove(&sub.name);
            }
        }
        Ok(())
    }

    /// A readOnly part among others that are to be written: the manager's `displayName`.
    fn echo(&mut self, sub: &Attribute, value: Option<&Value>) -> Result<(), ScimError> {
        if value.is_none_or(is_unassigned) {
            return Ok(());
        }
        let name = format!("{}.{}", self.path, sub.name);
        // The examples of RFC 7644 §3.5.2.1 have the address beside the id that it follows from.
        if sub.handling.role != Role::Reference {
            self.tolerance.bend(Quirk::ReadOnlyEcho, self.notes, || {
                let detail = format!("{name} is read-only; leave it out of the mapping.");
                ScimError::new(ErrorKind::Mutability, detail).about(name.as_str())
            })?;
        }
        self.notes.ignored(name);
        Ok(())
    }

    /// Entra's older PATCH has `"value": [{"$ref": null, "value": "Ada"}]` for plain attributes.
    pub(super) fn unwrapped<'v>(&mut self, value: &'v Value) -> Result<Cow<'v, Value>, ScimError> {
        let Value::Array(items) = value else { return Ok(Cow::Borrowed(value)) };
        let inner: Option<Vec<Value>> =
            items.iter().map(|item| item.as_object()?.get("value").cloned()).collect();
        let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
            return Ok(Cow::Borrowed(value));
        };
        if self.attribute.multi_valued {
            self.bend(Quirk::WrappedValue, "takes plain values, not objects")?;
            return Ok(Cow::Owned(Value::Array(inner)));
        }
        match <[Value; 1]>::try_from(inner) {
            Ok([only]) => {
                self.bend(Quirk::WrappedValue, "takes one plain value, not a list of objects")?;
                Ok(Cow::Owned(only))
            }
            Err(_several) => Ok(Cow::Borrowed(value)),
        }
    }

    /// Notes a deviation, or refuses it where the tenant does not tolerate it.
    pub(super) fn bend(&mut self, quirk: Quirk, rule: &str) -> Result<(), ScimError> {
        let path = self.path;
        self.tolerance.bend(quirk, self.notes, || refusal(path, ErrorKind::InvalidValue, rule))
    }

    /// A refusal about this attribute: its name, then `rule`.
    pub(super) fn refusal(&self, kind: ErrorKind, rule: &str) -> ScimError {
        refusal(self.path, kind, rule)
    }
}

pub(super) fn refusal(path: &str, kind: ErrorKind, rule: &str) -> ScimError {
    ScimError::new(kind, format!("{path} {rule}.")).about(path)
}

fn object(current: Option<Value>) -> Map<String, Value> {
    match current {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn some(object: Map<String, Value>) -> Option<Value> {
    (!object.is_empty()).then_some(Value::Object(object))
}
