//! Which attributes an answer carries: `attributes`, `excludedAttributes` and `returned` (RFC 7644 §3.9).
//!
//! **Invariant**: `id`, `schemas` and whatever is returned always stay; what is returned never goes.

use crate::error::{ErrorKind, ScimError};
use crate::path::{AttrPath, resolve};
use crate::schema::{Attribute, Mutability, ResourceType, Returned, Schema, Sent};
use serde_json::{Map, Value};

/// The choice of attributes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
    /// What is always returned: the URN of its extension, and its name.
    always: Vec<(Option<String>, String)>,
    /// Whether something is stored that is not returned unless asked for, or never.
    hides: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Default,
    Only(Vec<Name>),
    Without(Vec<Name>),
}

/// A name in one of the two parameters, in canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    extension: Option<String>,
    /// `None`: the whole extension.
    attribute: Option<String>,
    sub: Option<String>,
}

/// How far something was named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    No,
    Parts(Vec<String>),
    Whole,
}

impl Projection {
    /// Reads the two parameters. Names that no schema knows are passed over.
    ///
    /// # Errors
    /// `invalidValue` when both are given: RFC 7644 §3.9 allows one of them.
    pub fn parse(
        attributes: Option<&str>,
        excluded: Option<&str>,
        of: &ResourceType,
    ) -> Result<Self, ScimError> {
        let given = |text: Option<&str>| {
            text.filter(|text| !text.trim().is_empty()).map(|text| names(text, of)).transpose()
        };
        let choice = match (given(attributes)?, given(excluded)?) {
            (None, None) => Choice::Default,
            (Some(names), None) => Choice::Only(names),
            (None, Some(names)) => Choice::Without(names),
            (Some(_), Some(_)) => {
                return Err(ScimError::new(
                    ErrorKind::InvalidValue,
                    "attributes and excludedAttributes are both given; send one of them.",
                )
                .about("attributes"));
            }
        };
        let always = attributes_of(of)
            .filter(|(_, attribute)| attribute.returned == Returned::Always)
            .map(|(home, attribute)| (home.map(|s| s.id.clone()), attribute.name.clone()))
            .collect();
        let hides = attributes_of(of).any(|(_, attribute)| is_stored_and_hidden(attribute));
        Ok(Self { choice, always, hides })
    }

    /// Whether all that is stored is in the answer, so that there is nothing to take out of it.
    #[must_use]
    pub fn everything(&self) -> bool {
        self.choice == Choice::Default && !self.hides
    }

    /// Whether one of the parameters was given.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        self.choice != Choice::Default
    }

    fn is_always(&self, extension: Option<&str>, attribute: &str) -> bool {
        self.always.iter().any(|(home, name)| home.as_deref() == extension && name == attribute)
    }

    /// Whether the answer carries something of a top-level attribute, named canonically, or of an extension's URN.
    ///
    /// A name that no schema knows is taken for one that is returned by default.
    #[must_use]
    pub fn wants(&self, attribute: &str) -> bool {
        let is_of = |name: &Name| name.extension.as_deref() == Some(attribute);
        let is_extension = attribute.starts_with("urn:");
        let is_always = if is_extension {
            self.always.iter().any(|(home, _)| home.as_deref() == Some(attribute))
        } else {
            self.is_always(None, attribute)
        };
        is_always
            || match &self.choice {
                Choice::Default => true,
                Choice::Only(names) if is_extension => names.iter().any(is_of),
                Choice::Without(names) if is_extension => {
                    !names.iter().any(|name| is_of(name) && name.attribute.is_none())
                }
                Choice::Only(names) => how_far(names, None, attribute) != Named::No,
                Choice::Without(names) => how_far(names, None, attribute) != Named::Whole,
            }
    }

    /// Whether a sub-attribute was asked for by name, as one that is returned on request must be.
    #[must_use]
    pub fn asks_for(&self, attribute: &str, sub: &str) -> bool {
        let Choice::Only(names) = &self.choice else { return false };
        names.iter().any(|name| {
            name.extension.is_none()
                && name.attribute.as_deref() == Some(attribute)
                && name.sub.as_deref() == Some(sub)
        })
    }

    /// Takes out of a rendered resource what the answer does not carry.
    pub fn apply(&self, resource: &mut Map<String, Value>, of: &ResourceType) {
        resource.retain(|key, value| match of.extension(key) {
            Some(extension) => self.keep_extension(extension, value),
            // What was declared once, and is not any more, is not shown.
            None if key.starts_with("urn:") => false,
            None => self.keep(None, key, of.attribute(key), value),
        });
        if let Some(Value::Array(schemas)) = resource.get_mut("schemas") {
            let is_known = |urn: &str| of.core.id == urn || of.extension(urn).is_some();
            schemas.retain(|urn| urn.as_str().is_some_and(is_known));
        }
    }

    fn keep_extension(&self, extension: &Schema, value: &mut Value) -> bool {
        let Value::Object(map) = value else { return self.wants(&extension.id) };
        map.retain(|key, _| extension.attribute(key).is_some());
        map.retain(|key, value| {
            self.keep(Some(&extension.id), key, extension.attribute(key), value)
        });
        !map.is_empty()
    }

    fn keep(
        &self,
        extension: Option<&str>,
        key: &str,
        attribute: Option<&Attribute>,
        value: &mut Value,
    ) -> bool {
        let returned = attribute.map_or(Returned::Default, |attribute| attribute.returned);
        match returned {
            Returned::Never => return false,
            Returned::Always => return true,
            Returned::Default | Returned::Request => {}
        }
        let is_request = returned == Returned::Request;
        match &self.choice {
            Choice::Default => !is_request && keep_parts(value, attribute, &|_| true),
            Choice::Only(names) => match how_far(names, extension, key) {
                Named::No => !is_request && has_whole(names, extension),
                Named::Whole => keep_parts(value, attribute, &|_| true),
                Named::Parts(parts) => {
                    keep_parts(value, attribute, &|part| parts.iter().any(|p| p == part))
                }
            },
            Choice::Without(names) => match how_far(names, extension, key) {
                _ if is_request || has_whole(names, extension) => false,
                Named::Whole => false,
                Named::No => keep_parts(value, attribute, &|_| true),
                Named::Parts(parts) => {
                    keep_parts(value, attribute, &|part| parts.iter().all(|p| p != part))
                }
            },
        }
    }
}

/// Every attribute, with the extension that it is in.
fn attributes_of(of: &ResourceType) -> impl Iterator<Item = (Option<&Schema>, &Attribute)> {
    let top = of.common.iter().chain(&of.core.attributes).map(|attribute| (None, attribute));
    let inner = of.extensions.iter().flat_map(|schema| {
        schema.attributes.iter().map(move |attribute| (Some(schema), attribute))
    });
    top.chain(inner)
}

/// Computed attributes are rendered when they are wanted, so only what is kept of clients' values counts.
fn is_stored_and_hidden(attribute: &Attribute) -> bool {
    attribute.handling.sent == Sent::Kept
        && attribute.mutability != Mutability::ReadOnly
        && (matches!(attribute.returned, Returned::Never | Returned::Request)
            || attribute.sub_attributes.iter().any(is_stored_and_hidden))
}

/// Whether an extension was named as a whole.
fn has_whole(names: &[Name], extension: Option<&str>) -> bool {
    extension.is_some()
        && names
            .iter()
            .any(|name| name.extension.as_deref() == extension && name.attribute.is_none())
}

fn how_far(names: &[Name], extension: Option<&str>, attribute: &str) -> Named {
    let mut parts = Vec::new();
    for name in names {
        if name.extension.as_deref() == extension && name.attribute.as_deref() == Some(attribute) {
            match &name.sub {
                None => return Named::Whole,
                Some(sub) => parts.push(sub.clone()),
            }
        }
    }
    if parts.is_empty() { Named::No } else { Named::Parts(parts) }
}

/// Keeps the parts that `keep` holds, but for those that are returned always or never; false when nothing is left.
/// What is returned on request is rendered only when it is asked for, so it needs no look here.
fn keep_parts(
    value: &mut Value,
    attribute: Option<&Attribute>,
    keep: &dyn Fn(&str) -> bool,
) -> bool {
    narrow(value, &|part| match returned_of(attribute, part) {
        Returned::Always => true,
        Returned::Never => false,
        Returned::Default | Returned::Request => keep(part),
    })
}

fn returned_of(attribute: Option<&Attribute>, part: &str) -> Returned {
    attribute
        .and_then(|attribute| attribute.sub_attribute(part))
        .map_or(Returned::Default, |sub| sub.returned)
}

/// Keeps these parts in an object, or in each element of a list; plain values stay.
fn narrow(value: &mut Value, keep: &dyn Fn(&str) -> bool) -> bool {
    let one = |value: &mut Value| {
        let Value::Object(map) = value else { return true };
        map.retain(|part, _| keep(part));
        !map.is_empty()
    };
    match value {
        Value::Array(items) => {
            items.retain_mut(one);
            !items.is_empty()
        }
        single => one(single),
    }
}

/// Names that one parameter may hold: more than all schemas have.
const NAMES: usize = 500;

fn names(text: &str, of: &ResourceType) -> Result<Vec<Name>, ScimError> {
    if text.split(',').count() > NAMES {
        return Err(ScimError::new(
            ErrorKind::InvalidValue,
            format!("More than {NAMES} attributes are named; name each once, or none to get all."),
        ));
    }
    let name_of = |text: &str| {
        if let Some(extension) = of.extension(text) {
            return Some(Name {
                extension: Some(extension.id.clone()),
                attribute: None,
                sub: None,
            });
        }
        let named = resolve(&AttrPath::parse(text)?, of)?;
        Some(Name {
            extension: named.extension.map(|schema| schema.id.clone()),
            attribute: Some(named.attribute.name.clone()),
            sub: named.sub.map(|sub| sub.name.clone()),
        })
    };
    let mut names: Vec<Name> = Vec::new();
    for name in text.split(',').filter_map(|text| name_of(text.trim())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}
