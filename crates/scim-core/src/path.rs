//! Names of attributes as clients write them: `userName`, `name.givenName`, `urn:…:User:manager.value`.
//!
//! **Invariant**: an [`AttrPath`] is well formed (RFC 7644 §3.10); whether it names anything is asked of the schema.

use crate::quirk::Quirk;
use crate::schema::{Attribute, ResourceType, Schema};
use std::fmt;

/// An attribute name with its optional schema URN and sub-attribute (RFC 7644 §3.10), as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// The schema URN in front of the last colon.
    pub urn: Option<String>,
    /// The attribute.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
}

impl AttrPath {
    /// Parses `[URN:]name[.sub]`; `None` when it is not of this form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // URNs hold dots ("2.0") and colons; names hold neither. So the last colon ends the URN.
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) if is_urn(urn) => (Some(urn.to_owned()), rest),
            Some(_) => return None,
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let well_formed = is_name(name) && sub.is_none_or(is_name);
        well_formed.then(|| Self { urn, name: name.to_owned(), sub: sub.map(str::to_owned) })
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// `ATTRNAME` of RFC 7644 §3.4.2.2, and `$ref`.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$'))
}

fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '[' | ']' | '(' | ')'))
}

/// What a path names in a resource type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The extension it lives in; `None` for common and core attributes.
    pub(crate) extension: Option<&'a Schema>,
    /// The attribute.
    pub(crate) attribute: &'a Attribute,
    /// Its sub-attribute, if one is named.
    pub(crate) sub: Option<&'a Attribute>,
    /// What the spelling deviates from; whoever takes the path notes it.
    pub(crate) quirk: Option<Quirk>,
}

impl Named<'_> {
    /// The path in canonical spelling.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        if let Some(extension) = self.extension {
            path.push_str(&extension.id);
            path.push(':');
        }
        path.push_str(&self.attribute.name);
        if let Some(sub) = self.sub {
            path.push('.');
            path.push_str(&sub.name);
        }
        path
    }
}

/// Finds what `path` names, in any case (RFC 7644 §3.10). `None`: the schemas know no such attribute.
pub(crate) fn resolve<'a>(path: &AttrPath, of: &'a ResourceType) -> Option<Named<'a>> {
    let (home, attribute) = match &path.urn {
        Some(urn) => {
            let home = home_of(urn, of)?;
            let attribute = match home.extension {
                Some(extension) => extension.attribute(&path.name)?,
                None => of.attribute(&path.name)?,
            };
            (home, attribute)
        }
        None => match of.attribute(&path.name) {
            Some(attribute) => (Home { extension: None, quirk: None }, attribute),
            // Entra writes `manager` and `department` without their URN (idp-wire 2.1 and 2.2).
            None => {
                let (extension, attribute) =
                    of.extensions.iter().find_map(|e| Some((e, e.attribute(&path.name)?)))?;
                let quirk = Some(Quirk::MisplacedExtension);
                (Home { extension: Some(extension), quirk }, attribute)
            }
        },
    };
    let sub = match &path.sub {
        Some(sub) => Some(attribute.sub_attribute(sub)?),
        None => None,
    };
    Some(Named { extension: home.extension, attribute, sub, quirk: home.quirk })
}

/// The schema that a URN means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    /// The extension; `None` for the core.
    pub(crate) extension: Option<&'a Schema>,
    /// What the spelling deviates from.
    pub(crate) quirk: Option<Quirk>,
}

/// The schema of this URN, in any case or misspelt in a known way.
pub(crate) fn home_of<'a>(urn: &str, of: &'a ResourceType) -> Option<Home<'a>> {
    if urn.eq_ignore_ascii_case(&of.core.id) {
        return Some(Home { extension: None, quirk: None });
    }
    if let Some(extension) = of.extension(urn) {
        return Some(Home { extension: Some(extension), quirk: None });
    }
    let extension = of.extensions.iter().find(|schema| is_misspelt(urn, schema))?;
    Some(Home { extension: Some(extension), quirk: Some(Quirk::MisspeltUrn) })
}

/// `…:enterprise:2.0User` is Entra's guide (idp-wire §2.2); the drafts' URNs are `OneLogin`'s (idp-wire §4).
fn is_misspelt(urn: &str, schema: &Schema) -> bool {
    let (version, name) = schema.id.rsplit_once(':').unwrap_or((&schema.id, ""));
    let draft = version.replacen("urn:ietf:params:scim:", "urn:scim:", 1);
    let known =
        [format!("{version}{name}"), version.to_owned(), draft.replace("2.0", "1.0"), draft];
    known.iter().any(|misspelt| urn.eq_ignore_ascii_case(misspelt))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(urn: Option<&str>, name: &str, sub: Option<&str>) -> Option<AttrPath> {
        Some(AttrPath {
            urn: urn.map(str::to_owned),
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    #[test]
    fn paths_are_read_with_and_without_urn_and_sub_attribute() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        for (text, expected) in [
            ("userName", path(None, "userName", None)),
            ("name.familyName", path(None, "name", Some("familyName"))),
            ("manager.$ref", path(None, "manager", Some("$ref"))),
            (&format!("{enterprise}:department"), path(Some(enterprise), "department", None)),
            (
                &format!("{enterprise}:manager.value"),
                path(Some(enterprise), "manager", Some("value")),
            ),
        ] {
            let parsed = AttrPath::parse(text);
            assert_eq!(parsed, expected, "{text}");
            assert_eq!(parsed.unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_path_is_none() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "1a",
            "a b",
            "a:b",
            "urn:a:",
            "urn:a:2.0",
            "ünder",
            "a/b",
        ] {
            assert_eq!(AttrPath::parse(text), None, "{text}");
        }
    }
}
