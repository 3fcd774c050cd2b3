//! Operations on a copy of the document: where each value goes.

use super::edit::{Edit, Effort};
use super::{At, Operation, PatchLimits, Verb};
use crate::document::Document;
use crate::document::check::{is_unassigned, shown, unknown};
use crate::document::keep::{check_immutable, outlives};
use crate::error::{ErrorKind, ScimError};
use crate::filter::ValuePath;
use crate::path::{self, AttrPath, Home, Named};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Kind, Mutability, ResourceType, Schema, Sent};
use serde_json::{Map, Value};

/// The copy that operations work on.
pub(super) struct Draft<'a> {
    pub(super) map: Map<String, Value>,
    of: &'a ResourceType,
    limits: &'a PatchLimits,
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
    effort: Effort,
}

/// Where a name stands: a path is a deliberate choice, while the keys of a path-less value are whatever the identity
/// provider has. So what cannot be written is refused in a path and passed over in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Path,
    Key,
}

impl<'a> Draft<'a> {
    pub(super) fn of(
        document: &Document,
        of: &'a ResourceType,
        limits: &'a PatchLimits,
        tolerance: &'a Tolerance,
        notes: &'a mut Notes,
    ) -> Self {
        let map = document.as_map().clone();
        Self { map, of, limits, tolerance, notes, effort: Effort::default() }
    }

    pub(super) fn finish(self) -> Document {
        Document::canonical(self.map, self.of)
    }

    pub(super) fn run(&mut self, operation: &Operation) -> Result<(), ScimError> {
        match &operation.at {
            At::Resource(parts) => self.parts(operation.verb, parts),
            At::Path(path, value) => self.at(operation.verb, path, value.as_ref(), Manner::Path),
        }
    }

    /// A path-less value (RFC 7644 §3.5.2.1), with the keys that Entra sends in it (idp-wire row 4).
    fn parts(&mut self, verb: Verb, parts: &Map<String, Value>) -> Result<(), ScimError> {
        for (key, value) in parts {
            if let Some(home) = self.schema(key) {
                if home.extension.is_none() {
                    self.dotted(key)?;
                }
                self.schema_object(verb, key, home, Some(value))?;
                continue;
            }
            let path = match AttrPath::parse(key) {
                Some(attr) => Some(ValuePath { attr, filter: None, sub: None }),
                None if key.contains('[') => {
                    Some(ValuePath::parse(key, &self.limits.filter, self.tolerance, self.notes)?)
                }
                None => None,
            };
            let Some(path) = path else {
                unknown(&shown(key), self.tolerance, self.notes)?;
                continue;
            };
            if path.filter.is_some() || path.attr.urn.is_some() || path.attr.sub.is_some() {
                self.dotted(key)?;
            }
            self.at(verb, &path, Some(value), Manner::Key)?;
        }
        Ok(())
    }

    /// A key that is a path rather than a name.
    fn dotted(&mut self, key: &str) -> Result<(), ScimError> {
        self.tolerance.bend(Quirk::DottedKey, self.notes, || {
            let key = shown(key);
            let detail =
                format!("the key {key} is a path; send it as the path of its own operation.");
            ScimError::new(ErrorKind::InvalidSyntax, detail).about(key)
        })
    }

    /// The schema whose URN the text is.
    fn schema(&self, text: &str) -> Option<Home<'a>> {
        if text.contains(':') { path::home_of(text, self.of) } else { None }
    }

    /// The object of a whole schema: `"urn:…:enterprise:2.0:User": {…}`, as a key or as a path.
    fn schema_object(
        &mut self,
        verb: Verb,
        urn: &str,
        home: Home<'a>,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        self.spelt(urn, home.quirk, ErrorKind::InvalidSyntax)?;
        let id = home.extension.map_or(&self.of.core.id, |schema| &schema.id);
        let parts = match value {
            Some(Value::Object(parts)) if verb != Verb::Remove => parts,
            // The extension goes as a whole; the core does not, for that would be everything.
            value if verb == Verb::Remove || value.is_none_or(is_unassigned) => {
                if let Some(extension) = home.extension {
                    return self.remove_extension(extension);
                }
                let detail = format!("{id} is the whole resource; name the attribute to remove.");
                return Err(ScimError::new(ErrorKind::NoTarget, detail).about(id));
            }
            _ => {
                let detail = format!("{id} takes an object with the attributes of that schema.");
                return Err(ScimError::new(ErrorKind::InvalidValue, detail).about(id));
            }
        };
        let urn = home.extension.map(|schema| schema.id.clone());
        for (key, value) in parts {
            match AttrPath::parse(key).filter(|path| path.urn.is_none()) {
                Some(attr) => {
                    if attr.sub.is_some() {
                        self.dotted(key)?;
                    }
                    let attr = AttrPath { urn: urn.clone(), ..attr };
                    let path = ValuePath { attr, filter: None, sub: None };
                    self.at(verb, &path, Some(value), Manner::Key)?;
                }
                None => unknown(&format!("{id}:{}", shown(key)), self.tolerance, self.notes)?,
            }
        }
        Ok(())
    }

    fn remove_extension(&mut self, extension: &Schema) -> Result<(), ScimError> {
        let Some(Value::Object(there)) = self.map.get(&extension.id) else { return Ok(()) };
        for (name, before) in there {
            if let Some(attribute) = extension.attribute(name) {
                let path = format!("{}:{name}", extension.id);
                check_immutable(attribute, &path, before, None)?;
            }
        }
        self.map.remove(&extension.id);
        Ok(())
    }

    /// Notes that a name is not spelt as the schemas spell it.
    fn spelt(
        &mut self,
        name: &str,
        quirk: Option<Quirk>,
        kind: ErrorKind,
    ) -> Result<(), ScimError> {
        let Some(quirk) = quirk else { return Ok(()) };
        self.tolerance.bend(quirk, self.notes, || {
            let name = shown(name);
            let detail = format!("{name} is not the full name of the attribute; see /Schemas.");
            ScimError::new(kind, detail).about(name)
        })
    }

    /// One value at one place.
    fn at(
        &mut self,
        verb: Verb,
        path: &ValuePath,
        value: Option<&Value>,
        manner: Manner,
    ) -> Result<(), ScimError> {
        if path.filter.is_none() && path.attr.urn.is_some() {
            let text = path.attr.to_string();
            if let Some(home) = self.schema(&text) {
                return self.schema_object(verb, &text, home, value);
            }
        }
        let Some(named) = self.find(path) else {
            return self.not_found(path, manner);
        };
        let kind = match manner {
            Manner::Path => ErrorKind::InvalidPath,
            Manner::Key => ErrorKind::InvalidSyntax,
        };
        self.spelt(&path.attr.to_string(), named.quirk, kind)?;
        let name = named.path();
        match named.attribute.handling.sent {
            Sent::Dropped => {
                self.notes.ignored(name);
                return Ok(());
            }
            // `schemas` follows from what is stored; whether the `id` is the own one, `check_id` has said.
            Sent::Echoed if verb != Verb::Remove => return self.echo(&name),
            Sent::Echoed | Sent::Kept => {}
        }
        let parts = std::iter::once(named.attribute).chain(named.sub);
        if parts.into_iter().any(|a| a.mutability == Mutability::ReadOnly) {
            if manner == Manner::Key {
                return self.echo(&name);
            }
            let detail = format!("{name} is read-only; leave it out of the mapping.");
            return Err(ScimError::new(ErrorKind::Mutability, detail).about(name));
        }
        self.write(verb, named, &name, path, value)
    }

    fn write(
        &mut self,
        verb: Verb,
        named: Named<'a>,
        name: &str,
        path: &ValuePath,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let attribute_path = Named { sub: None, ..named }.path();
        let Some(home) = home(&mut self.map, named.extension) else {
            return Err(ScimError::new(ErrorKind::NoTarget, format!("{name} has no place.")));
        };
        let current = home.remove(&named.attribute.name);
        let before = current.clone().filter(|_| outlives(named.attribute));
        let mut edit = Edit {
            attribute: named.attribute,
            path: &attribute_path,
            tolerance: self.tolerance,
            notes: self.notes,
            effort: &mut self.effort,
        };
        let after = match &path.filter {
            Some(filter) => edit.selected(current, verb, filter, named.sub, value)?,
            None if named.attribute.multi_valued => edit.list(current, verb, named.sub, value)?,
            None => edit.single(current, verb, named.sub, value)?,
        };
        if let Some(before) = &before {
            check_immutable(named.attribute, &attribute_path, before, after.as_ref())?;
        }
        if let Some(after) = after {
            home.insert(named.attribute.name.clone(), after);
        }
        Ok(())
    }

    /// What the path names, with the sub-attribute behind the bracket.
    fn find(&self, path: &ValuePath) -> Option<Named<'a>> {
        let named = path::resolve(&path.attr, self.of)?;
        // A plain list is a list of its values, and `value` the name of each.
        let is_plain = named.attribute.kind != Kind::Complex && path.filter.is_some();
        match &path.sub {
            None => Some(named),
            Some(sub) if is_plain && sub.eq_ignore_ascii_case("value") => Some(named),
            Some(sub) => Some(Named { sub: Some(named.attribute.sub_attribute(sub)?), ..named }),
        }
    }

    /// idp-wire §6, last rows: an unknown path is an error, since a silent 200 lets the two sides drift apart.
    fn not_found(&mut self, path: &ValuePath, manner: Manner) -> Result<(), ScimError> {
        let name = match &path.sub {
            None => shown(&path.attr.to_string()),
            Some(sub) => shown(&format!("{}.{sub}", path.attr)),
        };
        if manner == Manner::Key {
            return unknown(&name, self.tolerance, self.notes);
        }
        let detail = format!(
            "the path {name} is not an attribute of {}; correct or remove it in the mapping \
             (see /Schemas).",
            self.of.name
        );
        Err(ScimError::new(ErrorKind::InvalidPath, detail).about(name))
    }

    /// A readOnly attribute among others that are to be written.
    fn echo(&mut self, name: &str) -> Result<(), ScimError> {
        self.tolerance.bend(Quirk::ReadOnlyEcho, self.notes, || {
            let detail = format!("{name} is read-only; leave it out of the mapping.");
            ScimError::new(ErrorKind::Mutability, detail).about(name)
        })?;
        self.notes.ignored(name);
        Ok(())
    }
}

fn home<'m>(
    map: &'m mut Map<String, Value>,
    extension: Option<&Schema>,
) -> Option<&'m mut Map<String, Value>> {
    match extension {
        None => Some(map),
        Some(schema) => map
            .entry(schema.id.clone())
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut(),
    }
}
