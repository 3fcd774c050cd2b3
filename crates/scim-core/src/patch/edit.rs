//! One attribute before and after one operation: attributes with a single value.

use super::Verb;
use crate::document::check::{coerce, is_unassigned, shown, unknown};
use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, Mutability};
use serde_json::{Map, Value};

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
        let value = value.filter(|_| verb != Verb::Remove);
        if let Some(sub) = sub {
            let mut object = object(current);
            self.set_part(&mut object, sub, value)?;
            return Ok(some(object));
        }
        let Some(value) = value else { return Ok(None) };
        if self.attribute.kind != Kind::Complex {
            let value = self.unwrapped(value)?;
            return coerce(self.attribute, self.path, value, self.tolerance, self.notes);
        }
        if is_unassigned(value) {
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
        parts: &Map<String, Value>,
    ) -> Result<(), ScimError> {
        let names_reference = parts.keys().any(|key| key.eq_ignore_ascii_case("$ref"));
        let value_before = object.get("value").cloned();
        for (key, part) in parts {
            match self.attribute.sub_attribute(key) {
                Some(sub) => self.put(object, sub, Some(part))?,
                None => {
                    let name = format!("{}.{}", self.path, shown(key));
                    unknown(&name, self.tolerance, self.notes)?;
                }
            }
        }
        if !names_reference && object.get("value") != value_before.as_ref() {
            object.remove("$ref");
        }
        Ok(())
    }

    /// Sets or, without a value, removes one part. A reference to the old `value` does not outlive it.
    pub(super) fn set_part(
        &mut self,
        object: &mut Map<String, Value>,
        sub: &Attribute,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let value_before = object.get("value").cloned();
        self.put(object, sub, value)?;
        if object.get("value") != value_before.as_ref() {
            object.remove("$ref");
        }
        Ok(())
    }

    fn put(
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
        if !self.tolerance.allows(Quirk::ReadOnlyEcho) {
            let detail = format!("{name} is read-only; leave it out of the mapping.");
            return Err(ScimError::new(ErrorKind::Mutability, detail).about(name));
        }
        self.notes.met(Quirk::ReadOnlyEcho);
        self.notes.ignored(name);
        Ok(())
    }

    /// Entra's older PATCH has `"value": [{"$ref": null, "value": "Ada"}]` for plain attributes.
    fn unwrapped<'v>(&mut self, value: &'v Value) -> Result<&'v Value, ScimError> {
        let inner = match value {
            Value::Array(items) => match items.as_slice() {
                [Value::Object(only)] => only.get("value"),
                _ => None,
            },
            _ => None,
        };
        match inner {
            Some(inner) => {
                self.bend(Quirk::ListShape, "takes one plain value, not a list of objects")?;
                Ok(inner)
            }
            None => Ok(value),
        }
    }

    /// Notes a deviation, or refuses it where the tenant does not tolerate it.
    pub(super) fn bend(&mut self, quirk: Quirk, rule: &str) -> Result<(), ScimError> {
        if self.tolerance.allows(quirk) {
            self.notes.met(quirk);
            return Ok(());
        }
        Err(self.refusal(ErrorKind::InvalidValue, rule))
    }

    /// A refusal about this attribute: its name, then `rule`.
    pub(super) fn refusal(&self, kind: ErrorKind, rule: &str) -> ScimError {
        ScimError::new(kind, format!("{} {rule}.", self.path)).about(self.path)
    }
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
