//! From a refusal or a failure to the SCIM error that the identity provider shows.
//!
//! **Invariant**: the body has the members of RFC 7644 §3.12 and no others. The reason code and the request id travel
//! in headers, and in words at the end of `detail`. A store's text never leaves.

#![warn(clippy::wildcard_enum_match_arm)]

use super::answer::X_REASON;
use crate::auth::Caller;
use crate::auth::caller::context;
use crate::telemetry::http::{Outcome, RequestContext};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use directory::DirectoryError;
use provisioning::{Reason, Refusal};
use region_router::Region;
use scim_core::ScimError;
use scim_core::error::ErrorBody;
use std::fmt;

/// The media type of every answer (RFC 7644 §3.1), without a charset: JSON has none.
pub(crate) const SCIM_JSON: &str = "application/scim+json";

/// Seconds after which a store that failed is worth another try.
const RETRY_AFTER: u32 = 5;

/// Why a request is not done.
#[derive(Debug)]
pub struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    refusal: Refusal,
    status: u16,
    headers: Vec<(HeaderName, String)>,
    close: bool,
    cause: Option<DirectoryError>,
    request_id: String,
    route: &'static str,
    /// The region and the tenant, where the caller is known.
    whose: Option<(String, String)>,
}

impl Failure {
    /// A refusal for a reason, explained by a sentence.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Refusal::new(reason, detail).into()
    }

    /// 401: the token is not good here (RFC 6750 §3.1).
    pub fn unauthorized(reason: Reason, detail: impl fmt::Display) -> Self {
        let challenge = if reason == Reason::TokenMissing {
            "Bearer realm=\"scim\""
        } else {
            "Bearer realm=\"scim\", error=\"invalid_token\""
        };
        Self::new(reason, detail.to_string()).with(header::WWW_AUTHENTICATE, challenge)
    }

    /// 421: the region's store is not on this node (RFC 9110 §15.5.20); nothing was read.
    #[must_use]
    pub fn not_here(region: &Region, base_url: &str) -> Self {
        let mut failure = Self::new(
            Reason::RegionNotHere,
            format!(
                "The data of region {region} is not on this node. The base URL is {base_url}; if it is what you use, its name resolves to the wrong region."
            ),
        )
        .with(header::CACHE_CONTROL, "no-store");
        failure.0.close = true;
        failure
    }

    /// The tenant's data has left the region that its token names, and nothing leads there from here.
    #[must_use]
    pub fn moved(reason: Reason, region: &Region, base_url: &str) -> Self {
        let detail = format!(
            "The data of this account has moved to region {region}. Use {base_url} as the base URL in your identity provider, with a new token of that region."
        );
        let mut failure = match reason.status() {
            401 => Self::unauthorized(reason, detail),
            _ => Self::new(reason, detail).with(header::CACHE_CONTROL, "no-store"),
        };
        failure.0.close = reason == Reason::RegionNotHere;
        failure.correct_base_url(base_url)
    }

    /// Names the base URL that would have been right.
    #[must_use]
    pub fn correct_base_url(self, base_url: &str) -> Self {
        self.with(HeaderName::from_static("x-scim-correct-base-url"), base_url)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Answers with another status than the reason's usual one.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    /// Says which request it is about.
    #[must_use]
    pub fn of_request(mut self, context: &RequestContext, request: &HttpRequest) -> Self {
        self.0.request_id.clone_from(&context.request_id);
        self.0.route = crate::routes::template(request);
        self
    }

    /// Says which request it is about.
    #[must_use]
    pub fn named(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.0.request_id);
        self
    }

    /// Says whose request it is.
    #[must_use]
    pub fn of_tenant(mut self, caller: &Caller) -> Self {
        let (region, tenant) = (caller.tenant.region.as_str(), caller.tenant.id.as_str());
        self.0.whose = Some((region.to_owned(), tenant.to_owned()));
        self
    }

    /// The reason, the attribute and the sentence.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.0.refusal
    }

    /// The status of the answer.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// The Error message (RFC 7644 §3.12).
    #[must_use]
    pub fn body(&self) -> String {
        let Parts { refusal, status, request_id, .. } = &*self.0;
        let reason = refusal.reason;
        let detail = format!("{} (reason {reason}, request {request_id})", refusal.detail);
        let scim_type = reason.scim_type().filter(|_| *status == reason.status());
        ErrorBody::new(*status, scim_type, &detail).to_string()
    }

    /// Logs what the store said, if it failed. The line of the request has its id and says the rest.
    pub fn log_cause(&self) {
        let Parts { cause: Some(cause), refusal, request_id, .. } = &*self.0 else { return };
        let (error, reason) = (migrations::causes(cause), refusal.reason.as_str());
        tracing::error!(error, request_id, reason, "the directory failed");
    }

    /// The answer.
    #[must_use]
    pub fn respond(&self, outcome: Outcome) -> HttpResponse {
        let mut answer = HttpResponseBuilder::new(self.status_code());
        for (name, value) in &self.0.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.insert_header((name.clone(), value));
            }
        }
        if self.0.close {
            answer.force_close();
        }
        answer.insert_header((header::CONTENT_TYPE, SCIM_JSON));
        answer.insert_header((X_REASON, self.0.refusal.reason.as_str()));
        let mut response = answer.body(self.body());
        if self.0.close {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response.extensions_mut().insert(outcome);
        response
    }

    /// What the log line says of a request that came no further than its caller.
    fn outcome(&self) -> Outcome {
        let (region, tenant) = self.0.whose.clone().unzip();
        Outcome {
            route: self.0.route,
            region,
            tenant,
            operation: None,
            reason: Some(self.0.refusal.reason.as_str()),
            outcome: "refused",
            quirks: 0,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.refusal.detail)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        Self::status_code(self)
    }

    fn error_response(&self) -> HttpResponse {
        self.respond(self.outcome())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(Parts {
            status: refusal.reason.status(),
            refusal,
            headers: Vec::new(),
            close: false,
            cause: None,
            request_id: String::new(),
            route: "/*",
            whose: None,
        }))
    }
}

impl From<ScimError> for Failure {
    fn from(error: ScimError) -> Self {
        Refusal::from(&error).into()
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let later = |reason, detail: &str, seconds: u32| {
            Self::new(reason, detail).with(header::RETRY_AFTER, seconds.to_string())
        };
        match error {
            DirectoryError::NotFound => Self::new(
                Reason::NotFound,
                "There is no such resource. If your identity provider remembers it, it was deleted: let it match or create the resource again.",
            ),
            DirectoryError::VersionMismatch => Self::new(
                Reason::VersionMismatch,
                "The resource has changed since the version in If-Match. Read it again, then repeat the change.",
            ),
            DirectoryError::Scim(error) => error.into(),
            DirectoryError::Refused(refusal) => Self::from(*refusal),
            DirectoryError::Fenced => later(
                Reason::TenantFrozen,
                "The account's data is being moved. Nothing was changed; the same request will work in a moment.",
                RETRY_AFTER,
            ),
            DirectoryError::Contended => later(
                Reason::StoreUnavailable,
                "The resource is being changed by many requests at once. Nothing was changed by this one; send it again.",
                1,
            ),
            DirectoryError::Crowded => later(
                Reason::StoreUnavailable,
                "Too many lists that look at all resources are being made at once. Send the request again in a moment, or filter by userName, externalId, id or e-mail.",
                1,
            ),
            DirectoryError::TooExpensive => Self::new(
                Reason::TooMany,
                "This filter looks at too many resources. Filter by userName, externalId, id or e-mail, or by a narrower value.",
            ),
            error @ DirectoryError::Uncertain(_) => {
                let mut failure = later(
                    Reason::StoreUnavailable,
                    "The connection to the directory was lost while the change was being made, and it is not known whether it was. Send the same request again to see.",
                    RETRY_AFTER,
                );
                failure.0.cause = Some(error);
                failure
            }
            error @ (DirectoryError::Unavailable(_)
            | DirectoryError::Store(_)
            // No request of SCIM carries a key.
            | DirectoryError::OnceReused
            | DirectoryError::WrongRegion(_)
            | DirectoryError::WrongShard(_)
            | DirectoryError::Open(_)) => {
                let mut failure = later(
                    Reason::StoreUnavailable,
                    "The directory does not answer at the moment. Nothing is lost; send the same request again later.",
                    RETRY_AFTER,
                );
                failure.0.cause = Some(error);
                failure
            }
        }
    }
}

/// A failure of a request that has no caller, as its answer.
pub(crate) fn refuse(failure: Failure, request: &HttpRequest) -> HttpResponse {
    failure.of_request(&context(request), request).error_response()
}
