//! A refusal: the reason, the attribute, and the sentence for the administrator.
//!
//! **Invariant**: `detail` is read in Entra's or Okta's log. It says what is wrong and what to do, and holds nothing about
//! anybody but the person in the request.

use crate::reason::Reason;
use scim_core::{ErrorKind, ScimError};

/// Why an operation is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The code.
    pub reason: Reason,
    /// The attribute it is about, if one, as a SCIM path.
    pub attribute: Option<String>,
    /// What is wrong and what to do, in full sentences.
    pub detail: String,
}

impl Refusal {
    /// A refusal for `reason`, explained by `detail`.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, attribute: None, detail: detail.into() }
    }

    /// The same refusal, naming the attribute it is about.
    #[must_use]
    pub fn about(mut self, attribute: impl Into<String>) -> Self {
        self.attribute = Some(attribute.into());
        self
    }
}

impl From<&ScimError> for Refusal {
    fn from(error: &ScimError) -> Self {
        let reason = match error.kind() {
            ErrorKind::InvalidSyntax => Reason::SyntaxInvalid,
            ErrorKind::InvalidFilter => Reason::FilterInvalid,
            ErrorKind::InvalidPath => Reason::PathInvalid,
            ErrorKind::NoTarget => Reason::NoTarget,
            ErrorKind::InvalidValue if error.is_missing() => Reason::AttributeMissing,
            ErrorKind::InvalidValue => Reason::AttributeInvalid,
            ErrorKind::Mutability => Reason::Mutability,
            ErrorKind::Uniqueness if error.attribute() == Some("displayName") => {
                Reason::DisplayNameTaken
            }
            ErrorKind::Uniqueness => Reason::UserNameTaken,
            ErrorKind::TooMany => Reason::TooMany,
            ErrorKind::InvalidCursor => Reason::CursorInvalid,
            ErrorKind::ExpiredCursor => Reason::CursorExpired,
            ErrorKind::InvalidCount => Reason::CountInvalid,
            ErrorKind::TooLarge => Reason::BodyTooLarge,
            ErrorKind::NotFound => Reason::NotFound,
            ErrorKind::PreconditionFailed => Reason::VersionMismatch,
        };
        Self {
            reason,
            attribute: error.attribute().map(str::to_owned),
            detail: error.detail().to_owned(),
        }
    }
}
