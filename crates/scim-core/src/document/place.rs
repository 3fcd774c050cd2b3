//! Where a top-level name of a body belongs.
//!
//! **Invariant**: knows no attribute by heart; the schemas alone tell.

use crate::quirk::Quirk;
use crate::schema::{Attribute, ResourceType, Schema};

/// What a name at the top level of a body means.
pub(super) enum Place<'a> {
    /// The list of URNs.
    Schemas,
    /// An attribute or a part of it.
    Attribute(Spot<'a>),
    /// An object with the attributes of a schema (`None`: of the core).
    Object { extension: Option<&'a Schema>, quirk: Option<Quirk> },
    /// Nothing that a schema knows.
    Unknown,
}

/// One attribute, or one part of it.
pub(super) struct Spot<'a> {
    /// The extension that it is in; `None` for common and core attributes.
    pub(super) extension: Option<&'a Schema>,
    /// The attribute.
    pub(super) attribute: &'a Attribute,
    /// The part of it that is meant, if not all of it.
    pub(super) sub: Option<&'a Attribute>,
    /// What the spelling deviates from.
    pub(super) quirk: Option<Quirk>,
}

/// Finds the place of a top-level name.
pub(super) fn find<'a>(name: &str, of: &'a ResourceType) -> Place<'a> {
    if name.eq_ignore_ascii_case("schemas") {
        return Place::Schemas;
    }
    if let Some(attribute) = of.attribute(name) {
        return Place::Attribute(Spot { extension: None, attribute, sub: None, quirk: None });
    }
    if name.contains(':') {
        return of_urn(name, of);
    }
    if let Some((attribute, sub)) = dotted(name, |name| of.attribute(name)) {
        let quirk = Some(Quirk::DottedKey);
        return Place::Attribute(Spot { extension: None, attribute, sub: Some(sub), quirk });
    }
    // Entra's guide has `department` and `manager` at top level (idp-wire row 19).
    for schema in &of.extensions {
        if let Some((attribute, sub)) = within(schema, name) {
            let quirk = Some(Quirk::MisplacedExtension);
            return Place::Attribute(Spot { extension: Some(schema), attribute, sub, quirk });
        }
    }
    Place::Unknown
}

/// The attribute of a schema, or the part of one, that a name inside of its object means.
pub(super) fn within<'a>(
    schema: &'a Schema,
    name: &str,
) -> Option<(&'a Attribute, Option<&'a Attribute>)> {
    if let Some(attribute) = schema.attribute(name) {
        return Some((attribute, None));
    }
    dotted(name, |name| schema.attribute(name)).map(|(attribute, sub)| (attribute, Some(sub)))
}

fn dotted<'a>(
    name: &str,
    find: impl Fn(&str) -> Option<&'a Attribute>,
) -> Option<(&'a Attribute, &'a Attribute)> {
    let (attribute, sub) = name.split_once('.')?;
    let attribute = find(attribute)?;
    Some((attribute, attribute.sub_attribute(sub)?))
}

fn of_urn<'a>(name: &str, of: &'a ResourceType) -> Place<'a> {
    if let Some(rest) = after(name, &of.core.id) {
        let quirk = Some(Quirk::DottedKey);
        if rest.is_empty() {
            return Place::Object { extension: None, quirk };
        }
        if let Some(attribute) = of.attribute(rest) {
            return Place::Attribute(Spot { extension: None, attribute, sub: None, quirk });
        }
        return dotted(rest, |name| of.attribute(name)).map_or(
            Place::Unknown,
            |(attribute, sub)| {
                Place::Attribute(Spot { extension: None, attribute, sub: Some(sub), quirk })
            },
        );
    }
    for schema in &of.extensions {
        if let Some(place) = of_extension(name, &schema.id, schema, None) {
            return place;
        }
        for misspelt in misspellings(schema) {
            let quirk = Some(Quirk::MisplacedExtension);
            if let Some(place) = of_extension(name, &misspelt, schema, quirk) {
                return place;
            }
        }
    }
    Place::Unknown
}

fn of_extension<'a>(
    name: &str,
    urn: &str,
    schema: &'a Schema,
    quirk: Option<Quirk>,
) -> Option<Place<'a>> {
    let rest = after(name, urn)?;
    if rest.is_empty() {
        return Some(Place::Object { extension: Some(schema), quirk });
    }
    let (attribute, sub) = within(schema, rest)?;
    let quirk = quirk.or(Some(Quirk::DottedKey));
    Some(Place::Attribute(Spot { extension: Some(schema), attribute, sub, quirk }))
}

/// What follows the URN: "" for the URN alone, else the part behind the colon.
fn after<'n>(name: &'n str, urn: &str) -> Option<&'n str> {
    let head = name.get(..urn.len())?;
    let rest = name.get(urn.len()..)?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
}

/// Whether the URN is one of the known misspellings of this schema's.
pub(super) fn is_misspelt(urn: &str, schema: &Schema) -> bool {
    misspellings(schema).iter().any(|misspelt| urn.eq_ignore_ascii_case(misspelt))
}

/// `…:enterprise:2.0User` is Entra's guide (idp-wire §2.2); the drafts' URNs are `OneLogin`'s (idp-wire §4).
fn misspellings(schema: &Schema) -> [String; 4] {
    let (version, name) = schema.id.rsplit_once(':').unwrap_or((&schema.id, ""));
    let draft = version.replacen("urn:ietf:params:scim:", "urn:scim:", 1);
    [format!("{version}{name}"), version.to_owned(), draft.clone(), draft.replace("2.0", "1.0")]
}
