//! A POST or PUT body becomes a document.
//!
//! **Invariant**: a value in its proper place wins over one that a quirk puts there.

use super::Document;
use super::check::{coerce, is_unassigned, shown, unknown};
use super::place::{self, Place, Spot};
use crate::attributes::Attributes;
use crate::error::{ErrorKind, ScimError};
use crate::patch::chosen::{chooses, put_chosen};
use crate::path::{self, Home};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, ResourceType, Schema, Sent};
use serde_json::{Map, Value};

/// Reads the body; the raw value of the core attribute `aside` is handed back unread.
pub(super) fn read<'a>(
    body: &'a Attributes,
    of: &ResourceType,
    tolerance: &Tolerance,
    notes: &mut Notes,
    aside: Option<&str>,
) -> Result<(Document, Option<&'a Value>), ScimError> {
    let mut reader = Reader { of, tolerance, notes, map: Map::new() };
    let named = reader.schemas(body.get("schemas"))?;

    let mut set_aside = None;
    let mut later = Vec::new();
    let mut chosen = Vec::new();
    for (name, value) in body.as_map() {
        match place::find(name, of) {
            Place::Schemas => {}
            Place::Unknown => match chooses(name, of, aside) {
                Some(named) => {
                    reader.bend(Some(Quirk::DottedKey), name)?;
                    chosen.push((name.as_str(), value, named));
                }
                None => unknown(&shown(name), tolerance, reader.notes)?,
            },
            Place::Attribute(spot) if is_whole(&spot, aside) => {
                reader.bend(spot.quirk, name)?;
                set_aside = Some(value);
            }
            Place::Attribute(spot) if spot.quirk.is_none() => reader.put(&spot, value)?,
            Place::Object { extension, quirk: None } => {
                reader.unnamed(extension, &named, value)?;
                reader.object(name, extension, value)?;
            }
            deviating => later.push((name, value, deviating)),
        }
    }
    for (name, value, place) in later {
        match place {
            Place::Attribute(spot) => {
                reader.bend(spot.quirk, name)?;
                reader.put(&spot, value)?;
            }
            Place::Object { extension, quirk } => {
                reader.bend(quirk, name)?;
                reader.object(name, extension, value)?;
            }
            Place::Schemas | Place::Unknown => {}
        }
    }
    let document = Document::canonical(reader.map, of);
    if chosen.is_empty() {
        return Ok((document, set_aside));
    }
    Ok((put_chosen(&document, &chosen, of, tolerance, notes)?, set_aside))
}

fn is_whole(spot: &Spot<'_>, aside: Option<&str>) -> bool {
    spot.extension.is_none()
        && spot.sub.is_none()
        && aside.is_some_and(|aside| spot.attribute.name == aside)
}

struct Reader<'a> {
    of: &'a ResourceType,
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
    map: Map<String, Value>,
}

impl<'a> Reader<'a> {
    /// RFC 7643 §3 asks for `schemas`, with the core URN in it. Many clients know better. Gives the URNs, or nothing
    /// when there are none to hold the body to.
    fn schemas(&mut self, value: Option<&Value>) -> Result<Vec<&'a str>, ScimError> {
        let urns = match value {
            Some(Value::Array(urns)) => urns.as_slice(),
            Some(one @ Value::String(urn)) if !urn.is_empty() => {
                self.bend(Some(Quirk::ListShape), "schemas")?;
                std::slice::from_ref(one)
            }
            None | Some(Value::Null | Value::String(_)) => &[],
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                return Err(schemas_refused("schemas must be a list of URNs as texts."));
            }
        };
        let mut named = Vec::with_capacity(urns.len());
        let mut has_core = false;
        for urn in urns {
            let Value::String(urn) = urn else {
                return Err(schemas_refused("schemas must be a list of URNs as texts."));
            };
            match path::home_of(urn, self.of) {
                Some(Home { extension: None, .. }) => has_core = true,
                Some(Home { extension: Some(schema), quirk }) => {
                    self.bend(quirk, urn)?;
                    named.push(schema.id.as_str());
                }
                None => self.bend(Some(Quirk::UnknownSchemaUri), urn)?,
            }
        }
        if has_core {
            return Ok(named);
        }
        let core = &self.of.core.id;
        self.tolerance.bend(Quirk::MissingSchemas, self.notes, || {
            schemas_refused(&format!("schemas must name {core}."))
        })?;
        Ok(named)
    }

    /// RFC 7643 §3: `schemas` names every schema that the body uses.
    fn unnamed(
        &mut self,
        extension: Option<&Schema>,
        named: &[&str],
        value: &Value,
    ) -> Result<(), ScimError> {
        match extension {
            Some(schema) if !is_unassigned(value) && !named.contains(&schema.id.as_str()) => {
                self.bend(Some(Quirk::UnnamedExtension), &schema.id)
            }
            _ => Ok(()),
        }
    }

    /// The object of a whole schema: `"urn:…:enterprise:2.0:User": {…}`.
    fn object(
        &mut self,
        name: &str,
        extension: Option<&'a Schema>,
        value: &Value,
    ) -> Result<(), ScimError> {
        if is_unassigned(value) {
            return self.empty(name, value);
        }
        let Value::Object(map) = value else {
            let detail = format!("{name} must be an object with the attributes of that schema.");
            return Err(ScimError::new(ErrorKind::InvalidValue, detail).about(name));
        };
        let schema = extension.unwrap_or(&self.of.core);
        for (key, value) in map {
            let Some((attribute, sub)) = place::within(schema, key) else {
                unknown(&format!("{}:{}", schema.id, shown(key)), self.tolerance, self.notes)?;
                continue;
            };
            let quirk = sub.map(|_| Quirk::DottedKey);
            self.bend(quirk, key)?;
            self.put(&Spot { extension, attribute, sub, quirk }, value)?;
        }
        Ok(())
    }

    /// RFC 7643 §2.5 has null for what has no value.
    fn empty(&mut self, name: &str, value: &Value) -> Result<(), ScimError> {
        if value.is_null() {
            return Ok(());
        }
        self.tolerance.bend(Quirk::EmptyValue, self.notes, || {
            let detail = format!("{name} has an empty value; send null, or leave it out.");
            ScimError::new(ErrorKind::InvalidValue, detail).about(name)
        })
    }

    fn put(&mut self, spot: &Spot<'a>, value: &Value) -> Result<(), ScimError> {
        let Spot { extension, attribute, sub, .. } = *spot;
        if attribute.handling.sent == Sent::Dropped {
            return Ok(());
        }
        let path = extension.map(|schema| format!("{}:{}", schema.id, attribute.name));
        let path = path.as_deref().unwrap_or(&attribute.name);
        let value = match sub {
            None => coerce(attribute, path, value, self.tolerance, self.notes)?,
            Some(sub) => {
                let path = format!("{path}.{}", sub.name);
                coerce(sub, &path, value, self.tolerance, self.notes)?
            }
        };
        let Some(value) = value else { return Ok(()) };
        let home = match extension {
            None => &mut self.map,
            Some(schema) => {
                let home = self.map.entry(schema.id.clone()).or_insert_with(empty_object);
                let Value::Object(home) = home else { return Ok(()) };
                home
            }
        };
        match sub {
            None => {
                home.entry(attribute.name.clone()).or_insert(value);
            }
            Some(sub) => put_part(home, attribute, sub, value),
        }
        Ok(())
    }

    /// Notes the deviation of a name, or refuses the body where the tenant does not tolerate it.
    fn bend(&mut self, quirk: Option<Quirk>, name: &str) -> Result<(), ScimError> {
        let Some(quirk) = quirk else { return Ok(()) };
        self.tolerance.bend(quirk, self.notes, || {
            let name = shown(name);
            let remedy = match quirk {
                Quirk::ListShape => "must be a list",
                Quirk::UnknownSchemaUri => {
                    "is not a schema of this resource; leave it out of schemas"
                }
                Quirk::UnnamedExtension => "is used and must be named in schemas",
                Quirk::MisspeltUrn => "is misspelt; see /Schemas for the URN",
                Quirk::MisplacedExtension => "belongs into the object of its extension",
                _ => "must be sent as an object with its parts",
            };
            let detail = format!("{name} {remedy}.");
            ScimError::new(ErrorKind::InvalidSyntax, detail).about(name)
        })
    }
}

/// Puts one part of a complex value; of a list, into its first element.
fn put_part(home: &mut Map<String, Value>, attribute: &Attribute, sub: &Attribute, value: Value) {
    let whole = home.entry(attribute.name.clone()).or_insert_with(|| {
        if attribute.multi_valued { Value::Array(vec![empty_object()]) } else { empty_object() }
    });
    let object = match whole {
        Value::Array(list) => list.first_mut(),
        other => Some(other),
    };
    if let Some(Value::Object(object)) = object {
        object.entry(sub.name.clone()).or_insert(value);
    }
}

fn empty_object() -> Value {
    Value::Object(Map::new())
}

fn schemas_refused(detail: &str) -> ScimError {
    ScimError::new(ErrorKind::InvalidSyntax, detail).about("schemas")
}
