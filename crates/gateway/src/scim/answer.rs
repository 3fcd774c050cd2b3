//! What an operation came to, and the one place where that becomes an HTTP answer.
//!
//! **Invariant**: an operation knows nothing of HTTP messages, so that a bulk request calls the same one.

use super::error::SCIM_JSON;
use super::members::{GroupText, ListText};
use actix_web::HttpResponse;
use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use provisioning::Reason;
use scim_core::ETag;

/// The header that carries the reason code.
pub(crate) const X_REASON: HeaderName = HeaderName::from_static("x-reason");

/// What an operation came to.
#[derive(Debug)]
pub struct Answered {
    /// Why it ended so.
    pub reason: Reason,
    /// The status.
    pub status: StatusCode,
    /// The version of the resource, if it is about one that is there.
    pub version: Option<u64>,
    /// The address of the resource, if it is about one.
    pub location: Option<String>,
    /// What the client is shown.
    pub body: Option<Body>,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// The whole of it.
    Text(String),
    /// A group with its members, written as it is taken.
    Group(Box<GroupText>),
    /// A list with large groups in it, and the texts before and after its resources.
    List(Box<ListText>, String, String),
}

impl Answered {
    /// A document or a list: 200.
    #[must_use]
    pub fn document(reason: Reason, text: String) -> Self {
        let body = Some(Body::Text(text));
        Self { reason, status: StatusCode::OK, version: None, location: None, body }
    }

    /// A list: 200.
    #[must_use]
    pub fn list(reason: Reason, body: Body) -> Self {
        let body = Some(body);
        Self { reason, status: StatusCode::OK, version: None, location: None, body }
    }

    /// The answer to a request of its own.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if let Ok(value) = HeaderValue::from_str(self.reason.as_str()) {
            answer.insert_header((X_REASON, value));
        }
        if let Some(version) = self.version {
            answer.insert_header((header::ETAG, ETag(version).to_string()));
        }
        // RFC 7644 §3.3: the address of what was made; its examples have it wherever a resource is shown. RFC 7643
        // §3.1 wants `meta.location` to be the Content-Location.
        if let Some(location) = self.location
            && self.body.is_some()
        {
            answer.insert_header((header::CONTENT_LOCATION, location.as_str()));
            answer.insert_header((header::LOCATION, location));
        }
        match self.body {
            None => answer.finish(),
            Some(Body::Text(text)) => {
                answer.insert_header((header::CONTENT_TYPE, SCIM_JSON)).body(text)
            }
            Some(Body::Group(group)) => {
                answer.insert_header((header::CONTENT_TYPE, SCIM_JSON)).body(*group)
            }
            Some(Body::List(list, head, tail)) => answer
                .insert_header((header::CONTENT_TYPE, SCIM_JSON))
                .body(BodyStream::new(Box::pin(list.pieces(head, tail)))),
        }
    }
}
