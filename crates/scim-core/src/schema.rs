//! Schemas as data (RFC 7643 §7): what an attribute is, in one place for parsing, PATCH, filters and `/Schemas`.
//!
//! **Invariant**: no other module knows an attribute's type, case rule or mutability by heart.

pub mod builtin;
pub mod custom;

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

impl Kind {
    /// The word of RFC 7643 §7.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
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

impl Mutability {
    /// The word of RFC 7643 §7.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
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

impl Returned {
    /// The word of RFC 7643 §7.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
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

impl Uniqueness {
    /// The word of RFC 7643 §7.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
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
    /// What the service makes of it beyond what RFC 7643 §7 describes.
    pub handling: Handling,
}

/// What the service makes of an attribute beyond the characteristics of RFC 7643 §7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handling {
    /// What it says of the value that it is a part of.
    pub role: Role,
    /// What becomes of a value that a client sends.
    pub sent: Sent,
    /// The form that its text has to have.
    pub format: Format,
    /// The longest text that is kept, in bytes.
    pub longest_bytes: usize,
    /// Whether it is compared as RFC 8265 says (`UsernameCaseMapped`) and not by case folding.
    pub precis: bool,
    /// Whether `required` is judged by the tenant's profile, on the whole result and in its own words.
    pub judged_later: bool,
    /// What `/Schemas` says of its mutability, where clients rely on the RFC's word for a part that is computed.
    pub announced: Option<Mutability>,
}

impl Default for Handling {
    fn default() -> Self {
        Self {
            role: Role::None,
            sent: Sent::Kept,
            format: Format::Any,
            longest_bytes: 16 * 1024,
            precis: false,
            judged_later: false,
            announced: None,
        }
    }
}

/// What a part says of the value that it belongs to: the default sub-attributes of RFC 7643 §2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing that every list knows.
    None,
    /// The significant value.
    Value,
    /// What the value is for: `type`.
    Type,
    /// Whether it is the preferred one.
    Primary,
    /// How people read it.
    Display,
    /// The address of the resource that it names: `$ref`.
    Reference,
}

/// What becomes of a value that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is kept, if it may be written at all.
    Kept,
    /// It is taken, held to no rule and dropped, and the attribute is not announced: `password` (idp-wire row 20).
    Dropped,
    /// It only repeats what the service knows, wherever it stands: `id`, `schemas`.
    Echoed,
}

/// The form of a text, where RFC 7643 §4.1.1 has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Any.
    Any,
    /// A language tag (RFC 5646).
    LanguageTag,
    /// The value of an `Accept-Language` header (RFC 9110 §12.5.4).
    LanguageRanges,
    /// The name of a time zone in the IANA database.
    TimeZone,
}

impl Attribute {
    /// The sub-attribute of this name, in any case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }

    /// The sub-attribute with this role.
    #[must_use]
    pub fn part(&self, role: Role) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|a| a.handling.role == role)
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
    /// Whether stored documents may hold what an answer does not show unless it is asked for, or never: what is not declared
    /// any more, or is not returned by default.
    pub hides: bool,
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
