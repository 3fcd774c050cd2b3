//! The errors of the token endpoint (RFC 6749 §5.2).
//!
//! **Invariant**: one of six codes, and a description of the characters that the RFC allows; nothing of what was sent is in it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde_json::json;

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The client is unknown here, or did not prove who it is.
    InvalidClient,
    /// The assertion that stands for a grant is not good.
    InvalidGrant,
    /// The client is known and may not have this.
    UnauthorizedClient,
    /// The grant is of a kind that is not offered.
    UnsupportedGrantType,
    /// The scope is unknown, or more than the client has.
    InvalidScope,
}

impl Code {
    /// The word of the RFC.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::InvalidScope => StatusCode::BAD_REQUEST,
        }
    }
}

/// Why no token is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthError {
    /// The kind.
    pub code: Code,
    status: StatusCode,
    description: String,
    retry_after: Option<u32>,
    allow: Option<&'static str>,
}

impl OauthError {
    /// An error, explained to the administrator who reads it in the identity provider.
    pub fn new(code: Code, description: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            description: allowed(&description.into()),
            retry_after: None,
            allow: None,
        }
    }

    /// A request that the RFC does not allow.
    pub fn request(description: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, description)
    }

    /// With another status than the code's.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// For a method that the path does not take (RFC 9110 §15.5.6).
    pub fn method(allow: &'static str) -> Self {
        let error = Self::request(format!("The method of this path is {allow}."));
        Self { allow: Some(allow), ..error.status(StatusCode::METHOD_NOT_ALLOWED) }
    }

    /// To be sent again after some seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The answer.
    #[must_use]
    pub fn respond(&self) -> HttpResponse {
        let mut answer = super::json(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6749 §5.2 wants it where Basic was used, and RFC 9110 §15.5.2 with every 401.
            answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"oauth2\""));
        }
        if let Some(allow) = self.allow {
            answer.insert_header((header::ALLOW, allow));
        }
        if let Some(seconds) = self.retry_after {
            answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        let body = json!({ "error": self.code.as_str(), "error_description": self.description });
        answer.body(body.to_string())
    }
}

/// RFC 6749 §5.2: printable ASCII without quote and backslash.
fn allowed(text: &str) -> String {
    let one = |c: char| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{Code, OauthError};

    #[test]
    fn a_description_holds_what_the_rfc_allows() {
        let error = OauthError::new(Code::InvalidGrant, "a \"b\" \\ é\n~");
        assert_eq!(error.description, "a 'b' ? ??~");
    }
}
