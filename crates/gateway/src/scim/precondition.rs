//! The conditions of a request on the version of its resource (RFC 7644 §3.14, RFC 9110 §13.1).
//!
//! **Invariant**: they are values, read before the body, so that a bulk operation's `version` is one of them.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use directory::DirectoryError;
use scim_core::etag::{if_match, if_none_match};

/// The conditions of one operation.
#[derive(Debug, Clone, Default)]
pub struct Preconditions {
    /// `If-Match`.
    pub wanted: Option<String>,
    /// `If-None-Match`.
    pub unwanted: Option<String>,
}

impl Preconditions {
    /// Reads them from the headers.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self {
            wanted: list_of(request, &header::IF_MATCH),
            unwanted: list_of(request, &header::IF_NONE_MATCH),
        }
    }

    /// Whether they allow a change of this version.
    #[must_use]
    pub fn allow(&self, version: u64) -> bool {
        self.wanted.as_deref().is_none_or(|tags| if_match(tags, version))
            && self.unwanted.as_deref().is_none_or(|tags| if_none_match(tags, version))
    }

    /// Whether the client says that it holds this version already.
    ///
    /// # Errors
    /// 412 when it insists on another one.
    pub fn is_held(&self, version: u64) -> Result<bool, DirectoryError> {
        if self.wanted.as_deref().is_some_and(|tags| !if_match(tags, version)) {
            return Err(DirectoryError::VersionMismatch);
        }
        Ok(self.unwanted.as_deref().is_some_and(|tags| !if_none_match(tags, version)))
    }
}

/// A header that is a list: its lines are one list (RFC 9110 §5.3).
fn list_of(request: &HttpRequest, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> =
        request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
