//! Schemas as data (RFC 7643 §7): what an attribute is, in one place for parsing, PATCH, filters and `/Schemas`.
//!
//! **Invariant**: no other module knows an attribute's type, case rule or mutability by heart.

pub mod builtin;

use std::sync::{Arc, LazyLock};

/// The `type` of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A real number.
    Decimal,
    /// A whole number.
    Integer,
    /// An instant as `xsd:dateTime`.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may write an attribute, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Written by the service provider only.
    ReadOnly,
    /// Free to write.
    ReadWrite,
    /// Written once.
    Immutable,
    /// Written and never shown.
    WriteOnly,
}

/// When an attribute is in an answer (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// In every answer, whatever `excludedAttributes` says.
    Always,
    /// In no answer.
    Never,
    /// Unless excluded.
    Default,
    /// Only when asked for.
    Request,
}

/// How far a value is unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not unique.
    None,
    /// Unique within the tenant.
    Server,
    /// Unique everywhere.
    Global,
}

/// One attribute or sub-attribute (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The canonical spelling; compared in any case (RFC 7643 §2.1).
    pub name: String,
    /// The data type.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// What it is, for `/Schemas`.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether text is compared exactly.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is in an answer.
    pub returned: Returned,
    /// How far it is unique.
    pub uniqueness: Uniqueness,
    /// Suggested values; others are accepted (RFC 7643 §7).
    pub canonical_values: Vec<String>,
    /// What a reference may point at: `User`, `Group`, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// The sub-attribute of this name, in any case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// A schema: an URN and its attributes (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The URN; compared in any case (RFC 7644 §3.10).
    pub id: String,
    /// The name for people.
    pub name: String,
    /// What it describes.
    pub description: String,
    /// Its attributes, in the order of `/Schemas`.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute of this name, in any case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// A kind of resource: its endpoint, its core schema and the extensions it may carry (RFC 7643 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    /// `User` or `Group`.
    pub name: String,
    /// `/Users` or `/Groups`.
    pub endpoint: String,
    /// What it is, for `/ResourceTypes`.
    pub description: String,
    /// The attributes every resource has: `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3.1).
    pub common: Vec<Attribute>,
    /// The core schema.
    pub core: Schema,
    /// The extensions it may carry; none is required.
    pub extensions: Vec<Schema>,
}

/// The resource types of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schemas {
    /// `User`, with its extensions.
    pub user: ResourceType,
    /// `Group`.
    pub group: ResourceType,
}

impl Schemas {
    /// Those of a tenant that has declared nothing of its own.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }
}

static BUILTIN: LazyLock<Arc<Schemas>> =
    LazyLock::new(|| Arc::new(Schemas { user: builtin::user(), group: builtin::group() }));

impl ResourceType {
    /// `User`, with the enterprise extension (RFC 7643 §4.1, §4.3).
    #[must_use]
    pub fn user() -> &'static Self {
        &BUILTIN.user
    }

    /// `Group` (RFC 7643 §4.2).
    #[must_use]
    pub fn group() -> &'static Self {
        &BUILTIN.group
    }

    /// The common or core attribute of this name, in any case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.common
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(name))
            .or_else(|| self.core.attribute(name))
    }

    /// The extension with this URN, in any case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions.iter().find(|s| s.id.eq_ignore_ascii_case(urn))
    }
}
