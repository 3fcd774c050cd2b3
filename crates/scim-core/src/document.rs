//! A resource as a canonical JSON object: what is stored, compared, patched and rendered.
//!
//! **Invariant**: names are spelled as in the schema, values are of the schema's types, nothing is null, "" or []
//! (RFC 7643 §2.5). Extensions stand under their canonical URN; `schemas` names the core and the extensions present.
//! There is no readOnly attribute and none that is dropped.

mod at;
pub(crate) mod check;
mod compare;
mod format;
pub(crate) mod keep;
pub(crate) mod parts;
mod place;
mod read;
mod scalar;

use crate::attributes::Attributes;
use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Tolerance};
use crate::schema::ResourceType;
use serde_json::{Map, Value};

/// A resource without what the service adds to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    map: Map<String, Value>,
}

impl Document {
    /// Checks a POST or PUT body against the schema; unknown and readOnly attributes are passed over and noted.
    ///
    /// # Errors
    /// `invalidValue` when a value does not fit its attribute, `invalidSyntax` when the body is not of the schema.
    pub fn parse(
        body: &Attributes,
        of: &ResourceType,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        read::read(body, of, tolerance, notes, None).map(|(document, _)| document)
    }

    /// The same, but the raw value of the core attribute `aside` is handed back instead of checked.
    pub(crate) fn parse_without<'a>(
        aside: &str,
        body: &'a Attributes,
        of: &ResourceType,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<(Self, Option<&'a Value>), ScimError> {
        read::read(body, of, tolerance, notes, Some(aside))
    }

    /// From the text that [`Document::to_text`] made.
    ///
    /// # Errors
    /// `invalidSyntax` when the text is not a JSON object, which means that the store is damaged.
    pub fn stored(text: &str) -> Result<Self, ScimError> {
        serde_json::from_str(text).map(|map| Self { map }).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = format!("A stored document is not JSON (line {line}, column {column}).");
            ScimError::new(ErrorKind::InvalidSyntax, detail)
        })
    }

    /// From a map that is canonical but for `schemas` and for emptied extensions, as PATCH leaves it.
    pub(crate) fn canonical(mut map: Map<String, Value>, of: &ResourceType) -> Self {
        map.retain(|_, value| !check::is_unassigned(value));
        let schemas = std::iter::once(&of.core)
            .chain(of.extensions.iter().filter(|schema| map.contains_key(&schema.id)))
            .map(|schema| Value::String(schema.id.clone()))
            .collect();
        map.insert("schemas".into(), Value::Array(schemas));
        Self { map }
    }

    /// Refuses the document when the schema requires what it does not have, also in a part of what it has. What the
    /// tenant's profile requires is for the profile to judge.
    ///
    /// # Errors
    /// `invalidValue` that [`ScimError::is_missing`], naming everything that is missing at once.
    pub fn check_required(&self, of: &ResourceType) -> Result<(), ScimError> {
        keep::check_required(&self.map, of)
    }

    /// The same of what a PATCH has made of `before`.
    ///
    /// # Errors
    /// `mutability` when it took away what is required; otherwise as [`Document::check_required`].
    pub(crate) fn check_still_required(
        &self,
        before: &Document,
        of: &ResourceType,
    ) -> Result<(), ScimError> {
        keep::check_still_required(&self.map, &before.map, of)
    }

    /// The document that a PUT of this one leaves where `old` was (RFC 7644 §3.5.1): what is immutable stays, and
    /// so does what is writeOnly and not sent.
    ///
    /// # Errors
    /// `mutability` when an immutable attribute has another value already.
    pub fn replacing(mut self, old: &Document, of: &ResourceType) -> Result<Self, ScimError> {
        keep::keep(&mut self.map, &old.map, of)?;
        Ok(Self::canonical(self.map, of))
    }

    /// Compact JSON with `schemas`; never an empty object.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Text keys and JSON values cannot fail to be written.
        serde_json::to_string(&self.map).unwrap_or_default()
    }

    /// The attributes by their canonical names.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// A top-level value, by its canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// A text by its canonical name, dotted where it is a part: `name.givenName`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(value) = self.map.get(name) {
            return value.as_str();
        }
        let (attribute, sub) = name.split_once('.')?;
        self.map.get(attribute)?.get(sub)?.as_str()
    }

    /// Sets a top-level value, canonical in name and form; an unassigned one removes it.
    pub fn set(&mut self, name: &str, value: Value) {
        if check::is_unassigned(&value) {
            self.map.remove(name);
        } else {
            self.map.insert(name.to_owned(), value);
        }
    }

    /// The comparison form as compact JSON text.
    #[must_use]
    pub fn search_text(&self, of: &ResourceType) -> String {
        serde_json::to_string(&self.search(of)).unwrap_or_default()
    }

    /// The comparison form: the same names, and every value in the form in which it is compared.
    #[must_use]
    pub fn search(&self, of: &ResourceType) -> Map<String, Value> {
        compare::search(&self.map, of)
    }

    /// The names of the attributes that differ, sorted; names and no values.
    #[must_use]
    pub fn changed_since(&self, before: &Document, of: &ResourceType) -> Vec<String> {
        compare::changed(&before.map, &self.map, of)
    }

    /// The names of all attributes that have a value, spelled as [`Document::changed_since`] spells them.
    #[must_use]
    pub fn attribute_names(&self, of: &ResourceType) -> Vec<String> {
        compare::changed(&Map::new(), &self.map, of)
    }
}
