//! Why a request is refused by the RFCs, and the one table from kind to status and `scimType`.
//!
//! **Invariant**: `detail` is written for the person who reads it in an identity provider's log. It names the
//! attribute and the remedy, and never a store or another tenant.

use std::fmt;

/// The kinds of refusal that SCIM knows (RFC 7644 §3.12, table 9, and RFC 9865 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The body is not JSON, or not of the schema that the request needs.
    InvalidSyntax,
    /// The filter is malformed, or its attribute and operator do not go together.
    InvalidFilter,
    /// The PATCH path is malformed or names nothing in the schema.
    InvalidPath,
    /// The PATCH path matches nothing to work on.
    NoTarget,
    /// A required value is missing, or a value does not fit its attribute.
    InvalidValue,
    /// The attribute may not be written in this way.
    Mutability,
    /// Another resource holds the value already.
    Uniqueness,
    /// The filter would cost or yield too much.
    TooMany,
    /// The cursor is none that this service gave for this query (RFC 9865 §2.1).
    InvalidCursor,
    /// The cursor is older than cursors live (RFC 9865 §2.1).
    ExpiredCursor,
    /// `count` is no whole number where a cursor pages (RFC 9865 §2.1).
    InvalidCount,
    /// The request is larger than the limit.
    TooLarge,
    /// There is no such resource.
    NotFound,
    /// `If-Match` does not hold.
    PreconditionFailed,
}

impl ErrorKind {
    /// The HTTP status (RFC 7644 §3.12).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidSyntax
            | Self::InvalidFilter
            | Self::InvalidPath
            | Self::NoTarget
            | Self::InvalidValue
            | Self::Mutability
            | Self::TooMany
            | Self::InvalidCursor
            | Self::ExpiredCursor
            | Self::InvalidCount => 400,
            Self::NotFound => 404,
            Self::Uniqueness => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
        }
    }

    /// The `scimType` keyword, where RFC 7644 table 9 or RFC 9865 §4 has one.
    #[must_use]
    pub fn scim_type(self) -> Option<&'static str> {
        match self {
            Self::InvalidSyntax => Some("invalidSyntax"),
            Self::InvalidFilter => Some("invalidFilter"),
            Self::InvalidPath => Some("invalidPath"),
            Self::NoTarget => Some("noTarget"),
            Self::InvalidValue => Some("invalidValue"),
            Self::Mutability => Some("mutability"),
            Self::Uniqueness => Some("uniqueness"),
            Self::TooMany => Some("tooMany"),
            Self::InvalidCursor => Some("invalidCursor"),
            Self::ExpiredCursor => Some("expiredCursor"),
            Self::InvalidCount => Some("invalidCount"),
            Self::TooLarge | Self::NotFound | Self::PreconditionFailed => None,
        }
    }
}

/// A refusal that the RFCs define.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    kind: ErrorKind,
    attribute: Option<String>,
    detail: String,
    missing: bool,
}

impl ScimError {
    /// A refusal of `kind`, explained by `detail`: a full sentence that names the remedy.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, attribute: None, detail: detail.into(), missing: false }
    }

    /// The refusal of a resource without the required attributes named; it is about the first of them.
    #[must_use]
    pub fn missing(paths: &[String]) -> Self {
        let (subject, pronoun) = match paths.len() {
            1 => ("is required and has no value", "it"),
            _ => ("are required and have no value", "each of them"),
        };
        let detail = format!(
            "{} {subject}; map {pronoun} in your identity provider, and make sure that there is a \
             value.",
            paths.join(", ")
        );
        let attribute = paths.first().cloned();
        Self { kind: ErrorKind::InvalidValue, attribute, detail, missing: true }
    }

    /// The refusal of a PATCH that takes away the required attributes named (RFC 7644 §3.5.2.2).
    #[must_use]
    pub(crate) fn taken(paths: &[String]) -> Self {
        let (are, them) = match paths.len() {
            1 => ("is", "it has a value"),
            _ => ("are", "each of them has one"),
        };
        let detail = format!(
            "{} {are} required and cannot be removed; correct the mapping in your identity provider so that {them}.",
            paths.join(", ")
        );
        let attribute = paths.first().cloned();
        Self { kind: ErrorKind::Mutability, attribute, detail, missing: false }
    }

    /// Whether a required attribute has no value, rather than a wrong one.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.missing
    }

    /// The same refusal, naming the attribute it is about.
    #[must_use]
    pub fn about(mut self, attribute: impl Into<String>) -> Self {
        self.attribute = Some(attribute.into());
        self
    }

    /// The same refusal, said of PATCH operation `number` (counted from 1).
    #[must_use]
    pub fn in_operation(mut self, number: usize) -> Self {
        self.detail = format!("Operation {number}: {}", self.detail);
        self
    }

    /// What kind of refusal this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The attribute it is about, if one.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// The sentence for the administrator.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// An Error message of RFC 7644 §3.12, with exactly its members.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ErrorBody<'a> {
    schemas: [&'static str; 1],
    status: String,
    #[serde(rename = "scimType", skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'a str>,
    detail: &'a str,
}

impl<'a> ErrorBody<'a> {
    /// An error body; `status` is rendered as text, as the RFC asks.
    #[must_use]
    pub fn new(status: u16, scim_type: Option<&'a str>, detail: &'a str) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
            status: status.to_string(),
            scim_type,
            detail,
        }
    }
}

impl fmt::Display for ErrorBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_not_possible| fmt::Error)?)
    }
}
