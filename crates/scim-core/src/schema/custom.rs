//! Attributes that a tenant declares for its users: schema data like any other.
//!
//! A declaration is a JSON object in the words of RFC 7643 §7: the `id` of the schema, and `attributes` with `name`,
//! `type` and what differs from its defaults. The schema is the tenant's own, or the enterprise extension, where
//! Deskpro puts such attributes.
//!
//! **Invariant**: a [`Custom`] is sound: its URN is one of the two, its names are names and clash with nothing in the
//! same schema, and all of it is within limits.

mod parse;
mod place;

use super::{Kind, Mutability, Returned};
use crate::error::ScimError;
use crate::normal::fold;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

/// What a tenant declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// The URN of the tenant's own extension, or that of the enterprise extension.
    pub urn: String,
    /// The attributes, in the order of `/Schemas`.
    pub attributes: Vec<CustomAttribute>,
}

/// One declared attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomAttribute {
    /// The name: `ATTRNAME` of RFC 7643 §2.1.
    pub name: String,
    /// The type; never complex.
    pub kind: Kind,
    /// Whether it is a list of plain values.
    pub multi_valued: bool,
    /// What it is, for people.
    pub description: String,
    /// Whether a user must have it.
    pub required: bool,
    /// Whether text is compared exactly.
    pub case_exact: bool,
    /// Who may write it: readWrite, immutable or writeOnly.
    pub mutability: Mutability,
    /// When it is in an answer; never, when it is writeOnly.
    pub returned: Returned,
    /// Suggested values; others are accepted.
    pub canonical_values: Vec<String>,
}

impl Custom {
    /// Reads a declaration.
    ///
    /// # Errors
    /// `invalidValue`, naming the attribute and what is wrong with it; `invalidSyntax` when it is not JSON.
    pub fn parse(json: &str) -> Result<Self, ScimError> {
        parse::custom(json)
    }

    /// Compact JSON that [`Custom::parse`] reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        let attributes: Vec<Value> = self.attributes.iter().map(CustomAttribute::to_json).collect();
        json!({ "id": self.urn, "attributes": attributes }).to_string()
    }

    /// The URN of the own extension of the tenant with this slug.
    #[must_use]
    pub fn own_urn(slug: &str) -> String {
        format!("urn:ietf:params:scim:schemas:extension:{slug}:2.0:User")
    }
}

impl CustomAttribute {
    /// An attribute of this name and type, with the defaults of RFC 7643 §2.2.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: String::new(),
            required: false,
            // RFC 7643 §2.3.6 and §2.3.7.
            case_exact: matches!(kind, Kind::Binary | Kind::Reference),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            canonical_values: Vec::new(),
        }
    }

    /// The name of the attribute for a field that people call `label`, by Deskpro's rule: lower case, without
    /// punctuation, dashes for spaces. Empty when nothing is left that begins with a letter.
    ///
    /// ```
    /// # use scim_core::CustomAttribute;
    /// assert_eq!(CustomAttribute::name_of("Some User's Field"), "some-users-field");
    /// ```
    #[must_use]
    pub fn name_of(label: &str) -> String {
        // Names are ASCII, so an accent goes and its letter stays.
        let plain: String = fold(label).nfd().collect();
        let kept: String = plain
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || c.is_whitespace() || matches!(c, '-' | '_'))
            .collect();
        let name = kept.split_whitespace().collect::<Vec<_>>().join("-");
        name.trim_start_matches(|c: char| !c.is_ascii_alphabetic())
            .chars()
            .take(parse::NAME_BYTES)
            .collect()
    }

    fn to_json(&self) -> Value {
        let default = Self::new(self.name.as_str(), self.kind);
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
        put("name", json!(self.name));
        put("type", json!(self.kind.keyword()));
        if self.multi_valued {
            put("multiValued", json!(true));
        }
        if !self.description.is_empty() {
            put("description", json!(self.description));
        }
        if self.required {
            put("required", json!(true));
        }
        if self.case_exact != default.case_exact {
            put("caseExact", json!(self.case_exact));
        }
        if self.mutability != default.mutability {
            put("mutability", json!(self.mutability.keyword()));
        }
        if self.returned != default.returned {
            put("returned", json!(self.returned.keyword()));
        }
        if !self.canonical_values.is_empty() {
            put("canonicalValues", json!(self.canonical_values));
        }
        Value::Object(all)
    }
}
