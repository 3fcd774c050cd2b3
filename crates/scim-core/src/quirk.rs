//! Every tolerated deviation from the RFCs: its id, its clause, and which apply to a tenant.
//!
//! **Invariant**: code that bends a rule does so under a [`Quirk`] that [`Tolerance`] allows, and notes it.

use std::collections::BTreeSet;

/// One tolerated deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quirk {
    /// `"op": "Add"`: operation names in another case (RFC 7644 §3.5.2 defines them in lower case). Entra.
    OpCase,
    /// `"active": "False"`: a boolean as text (RFC 7643 §2.3.2). Entra.
    StringBool,
    /// `{"name.givenName": "…"}` in a path-less value: a dotted or URN key (RFC 7644 §3.5.2.1). Entra.
    DottedKey,
    /// `emails[type eq "work"].value` matches nothing and the element is made (RFC 7644 §3.5.2.3 says `noTarget`).
    ElementCreated,
    /// `remove` with a value list removes only those values (RFC 7644 §3.5.2.2 has no value on remove). Entra.
    RemoveWithValue,
    /// The manager as text, list or empty text (RFC 7643 §4.3 makes it an object). Entra.
    ManagerShape,
    /// An object or a single value where a list is due, or the reverse (RFC 7643 §2.4).
    ListShape,
    /// A number or boolean where text is due (RFC 7643 §2.3.1).
    TextFromScalar,
    /// Unknown `schemas` URIs are passed over (RFC 7643 §3). Entra, OneLogin.
    UnknownSchemaUri,
    /// No `schemas` in the body (RFC 7643 §3 requires it).
    MissingSchemas,
    /// Enterprise attributes at top level or under a misspelt URN (RFC 7643 §4.3). Entra.
    MisplacedExtension,
    /// An unquoted text in a filter (RFC 7644 §3.4.2.2 wants a JSON string). Entra's guide.
    UnquotedValue,
    /// `emails[type eq "work"].value eq "x"` in a filter (not in the grammar of RFC 7644 §3.4.2.2). Entra.
    FilterAfterValuePath,
    /// An empty `Operations` list is taken as no change (RFC 7644 §3.5.2 wants one or more). Microsoft's validator.
    EmptyOperations,
    /// More than one `primary`; the last one named keeps it (RFC 7643 §2.4).
    ManyPrimaries,
    /// A list value that is a JSON text, such as Entra's app role assignments (RFC 7643 §2.3).
    JsonText,
    /// A userName outside the PRECIS UsernameCaseMapped profile, a space say (RFC 7644 §5, RFC 8265 §3.3).
    UserNameNotPrecis,
    /// A readOnly attribute in a PATCH equal to what is stored, or one that identity providers always send.
    ReadOnlyEcho,
    /// An unknown attribute is passed over in POST, PUT or PATCH (RFC 7644 §3.3 leaves it open).
    UnknownAttribute,
    /// The bare token without `Bearer` (RFC 6750 §2.1). Okta's header mode.
    BareToken,
    /// `bearer` in another case than `Bearer` (RFC 9110 §11.1 allows it; noted for the reader).
    BearerCase,
    /// A body without a `Content-Type` (RFC 7644 §3.1).
    NoContentType,
    /// The query ends with `&`, or the URL with a bare `?` or a slash (RFC 3986). OneLogin.
    TrailingSeparator,
}

impl Quirk {
    /// Every quirk, in the order of its declaration.
    pub const ALL: &'static [Self] = &[
        Self::OpCase,
        Self::StringBool,
        Self::DottedKey,
        Self::ElementCreated,
        Self::RemoveWithValue,
        Self::ManagerShape,
        Self::ListShape,
        Self::TextFromScalar,
        Self::UnknownSchemaUri,
        Self::MissingSchemas,
        Self::MisplacedExtension,
        Self::UnquotedValue,
        Self::FilterAfterValuePath,
        Self::EmptyOperations,
        Self::ManyPrimaries,
        Self::JsonText,
        Self::UserNameNotPrecis,
        Self::ReadOnlyEcho,
        Self::UnknownAttribute,
        Self::BareToken,
        Self::BearerCase,
        Self::NoContentType,
        Self::TrailingSeparator,
    ];

    /// The stable id, as decisions, metrics and the documentation spell it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::OpCase => "Q-op-case",
            Self::StringBool => "Q-bool-string",
            Self::DottedKey => "Q-dotted-key",
            Self::ElementCreated => "Q-element-created",
            Self::RemoveWithValue => "Q-remove-with-value",
            Self::ManagerShape => "Q-manager-shape",
            Self::ListShape => "Q-list-shape",
            Self::TextFromScalar => "Q-text-from-scalar",
            Self::UnknownSchemaUri => "Q-unknown-schema-uri",
            Self::MissingSchemas => "Q-missing-schemas",
            Self::MisplacedExtension => "Q-misplaced-extension",
            Self::UnquotedValue => "Q-unquoted-value",
            Self::FilterAfterValuePath => "Q-filter-after-value-path",
            Self::EmptyOperations => "Q-empty-operations",
            Self::ManyPrimaries => "Q-many-primaries",
            Self::JsonText => "Q-json-text",
            Self::UserNameNotPrecis => "Q-username-not-precis",
            Self::ReadOnlyEcho => "Q-read-only-echo",
            Self::UnknownAttribute => "Q-unknown-attribute",
            Self::BareToken => "Q-bare-token",
            Self::BearerCase => "Q-bearer-case",
            Self::NoContentType => "Q-no-content-type",
            Self::TrailingSeparator => "Q-trailing-separator",
        }
    }
}

/// Which deviations a tenant tolerates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tolerance {
    refused: BTreeSet<Quirk>,
}

impl Tolerance {
    /// Tolerates everything but the quirks named.
    #[must_use]
    pub fn all_but(refused: impl IntoIterator<Item = Quirk>) -> Self {
        Self { refused: refused.into_iter().collect() }
    }

    /// Whether this deviation is tolerated.
    #[must_use]
    pub fn allows(&self, quirk: Quirk) -> bool {
        !self.refused.contains(&quirk)
    }
}

/// What was tolerated and what was passed over while one request was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    quirks: BTreeSet<Quirk>,
    ignored: BTreeSet<String>,
}

impl Notes {
    /// Notes that a deviation was met.
    pub fn met(&mut self, quirk: Quirk) {
        self.quirks.insert(quirk);
    }

    /// Notes that an attribute was accepted and not kept.
    pub fn ignored(&mut self, attribute: impl Into<String>) {
        self.ignored.insert(attribute.into());
    }

    /// The deviations met.
    pub fn quirks(&self) -> impl Iterator<Item = Quirk> + '_ {
        self.quirks.iter().copied()
    }

    /// The names of the attributes passed over.
    pub fn ignored_attributes(&self) -> impl Iterator<Item = &str> + '_ {
        self.ignored.iter().map(String::as_str)
    }

    /// Takes over what `other` noted.
    pub fn absorb(&mut self, other: Self) {
        self.quirks.extend(other.quirks);
        self.ignored.extend(other.ignored);
    }
}
