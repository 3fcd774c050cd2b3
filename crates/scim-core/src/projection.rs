//! Which attributes an answer carries: `attributes`, `excludedAttributes` and `returned` (RFC 7644 §3.9).
//!
//! **Invariant**: `id`, `schemas` and whatever is returned always stay; what is returned never goes.

use crate::error::{ErrorKind, ScimError};
use crate::path::{AttrPath, resolve};
use crate::quirk::{Notes, Tolerance};
use crate::schema::{Attribute, ResourceType, Returned, Schema};
use serde_json::{Map, Value};

/// The choice of attributes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
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
        Ok(Self { choice })
    }

    /// Whether neither parameter was given.
    #[must_use]
    pub fn everything(&self) -> bool {
        self.choice == Choice::Default
    }

    /// Whether one of the parameters was given.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        !self.everything()
    }

    /// Whether the answer carries something of a top-level attribute, named canonically, or of an extension's URN.
    ///
    /// A name that no schema knows is taken for one that is returned by default.
    #[must_use]
    pub fn wants(&self, attribute: &str) -> bool {
        if attribute.starts_with("urn:") {
            return match &self.choice {
                Choice::Default => true,
                Choice::Only(names) => {
                    names.iter().any(|name| name.extension.as_deref() == Some(attribute))
                }
                Choice::Without(names) => !names.iter().any(|name| {
                    name.extension.as_deref() == Some(attribute) && name.attribute.is_none()
                }),
            };
        }
        match &self.choice {
            Choice::Default => true,
            Choice::Only(names) => {
                is_fixed(attribute) || how_far(names, None, attribute) != Named::No
            }
            Choice::Without(names) => {
                is_fixed(attribute) || how_far(names, None, attribute) != Named::Whole
            }
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
            None => is_fixed(key) || self.keep(None, key, of.attribute(key), value),
        });
    }

    fn keep_extension(&self, extension: &Schema, value: &mut Value) -> bool {
        let whole = |names: &[Name]| {
            names.iter().any(|name| {
                name.extension.as_deref() == Some(&extension.id) && name.attribute.is_none()
            })
        };
        match &self.choice {
            Choice::Without(names) if whole(names) => return false,
            Choice::Only(names) if whole(names) => return true,
            _ => {}
        }
        let Value::Object(map) = value else { return self.wants(&extension.id) };
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
        match (&self.choice, returned) {
            (_, Returned::Never) => false,
            (_, Returned::Always) => true,
            (Choice::Default, returned) => returned != Returned::Request,
            (Choice::Only(names), _) => match how_far(names, extension, key) {
                Named::No => false,
                Named::Whole => true,
                Named::Parts(parts) => {
                    keep_parts(value, attribute, &|part| parts.iter().any(|name| name == part))
                }
            },
            (Choice::Without(names), returned) => match how_far(names, extension, key) {
                Named::Whole => false,
                _ if returned == Returned::Request => false,
                Named::No => true,
                Named::Parts(parts) => {
                    keep_parts(value, attribute, &|part| parts.iter().all(|name| name != part))
                }
            },
        }
    }
}

/// RFC 7643 §3.1 and RFC 7644 §3.9: `id` is always returned, and a representation without `schemas` is none.
fn is_fixed(name: &str) -> bool {
    matches!(name, "id" | "schemas")
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

/// Keeps the parts asked for in an object or in each element of a list; false when nothing is left.
fn keep_parts(
    value: &mut Value,
    attribute: Option<&Attribute>,
    keep: &dyn Fn(&str) -> bool,
) -> bool {
    let always = |part: &str| {
        attribute
            .and_then(|attribute| attribute.sub_attribute(part))
            .is_some_and(|sub| sub.returned == Returned::Always)
    };
    let narrow = |value: &mut Value| {
        let Value::Object(map) = value else { return true };
        map.retain(|part, _| keep(part) || always(part));
        !map.is_empty()
    };
    match value {
        Value::Array(items) => {
            items.retain_mut(narrow);
            !items.is_empty()
        }
        single => narrow(single),
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
    // A deviation in a name is no deviation of the body, so it is not noted.
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let mut name_of = |text: &str| {
        if let Some(extension) = of.extension(text) {
            return Some(Name {
                extension: Some(extension.id.clone()),
                attribute: None,
                sub: None,
            });
        }
        let named = resolve(&AttrPath::parse(text)?, of, &tolerance, &mut notes)?;
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
