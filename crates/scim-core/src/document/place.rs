//! Where a top-level name of a body belongs.
//!
//! **Invariant**: knows no attribute by heart; the schemas alone tell.

use crate::path::{Home, home_of};
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

/// A key that is the URN of a schema stands for an extension (RFC 7643 §3.3); that of the core, or a URN with a name
/// behind it, is a path.
fn of_urn<'a>(name: &str, of: &'a ResourceType) -> Place<'a> {
    let dotted_key = Some(Quirk::DottedKey);
    if let Some(Home { extension, quirk }) = home_of(name, of) {
        let quirk = if extension.is_some() { quirk } else { dotted_key };
        return Place::Object { extension, quirk };
    }
    let found = name.rsplit_once(':').and_then(|(urn, rest)| {
        let Home { extension, quirk } = home_of(urn, of)?;
        let find = |name: &str| match extension {
            Some(schema) => schema.attribute(name),
            None => of.attribute(name),
        };
        let (attribute, sub) = match find(rest) {
            Some(attribute) => (attribute, None),
            None => dotted(rest, find).map(|(attribute, sub)| (attribute, Some(sub)))?,
        };
        Some(Spot { extension, attribute, sub, quirk: quirk.or(dotted_key) })
    });
    found.map_or(Place::Unknown, Place::Attribute)
}
