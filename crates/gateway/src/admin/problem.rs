//! What can go wrong, as RFC 9457 has it.
//!
//! **Invariant**: a code keeps its spelling and its status. No text of a store, no name of another tenant, and nothing of
//! what was sent but the name of its field is in a problem.

use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Why a call is not done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it is, the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// No token.
    TokenMissing = "token_missing", 401, "There is no bearer token";
    /// A token of SCIM.
    TokenIsScim = "token_is_scim", 401, "This is a token for SCIM";
    /// No JWT, a forged one, or one of somebody else.
    TokenInvalid = "token_invalid", 401, "The token is not good here";
    /// Its time is over.
    TokenExpired = "token_expired", 401, "The token is expired";
    /// It lacks a scope.
    ScopeMissing = "scope_missing", 403, "The token lacks a scope";
    /// It is of another role.
    RoleForbidden = "role_forbidden", 403, "The token is of a role that may not do this";
    /// It is not good for a region.
    RegionForbidden = "region_forbidden", 403, "The token is not good for this region";
    /// There is no such thing, or it is another tenant's.
    NotFound = "not_found", 404, "There is no such thing";
    /// There is no such path.
    PathUnknown = "path_unknown", 404, "There is no such path";
    /// The path does not take the method.
    MethodNotAllowed = "method_not_allowed", 405, "The path does not take this method";
    /// The body is not JSON, or not an object of the form.
    BodyMalformed = "body_malformed", 400, "The body cannot be read";
    /// The query has an unknown or repeated parameter, or one with another form.
    QueryInvalid = "query_invalid", 400, "The query cannot be used";
    /// A header has another form.
    HeaderInvalid = "header_invalid", 400, "A header cannot be used";
    /// The body did not arrive.
    BodyTimeout = "body_timeout", 408, "The body did not arrive in time";
    /// The body is too large.
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    /// The body is not `application/json`.
    MediaTypeUnsupported = "media_type_unsupported", 415, "The body must be application/json";
    /// A field has a value that it cannot have.
    FieldInvalid = "field_invalid", 422, "A field has a value that it cannot have";
    /// A field cannot be changed.
    FieldImmutable = "field_immutable", 422, "A field cannot be changed";
    /// The key came with another body before.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key was used for another request";
    /// The first request with the key is not answered yet.
    IdempotencyInFlight = "idempotency_in_flight", 409, "The first request with this Idempotency-Key is not answered yet";
    /// The version in `If-Match` is not the current one.
    VersionMismatch = "version_mismatch", 412, "The thing has changed since that version";
    /// Another tenant has the slug.
    SlugTaken = "slug_taken", 409, "The slug is taken";
    /// Not from this state.
    StateConflict = "state_conflict", 409, "This cannot be done in this state";
    /// The other population.
    PopulationConflict = "population_conflict", 409, "The tenant is provisioned for the other population";
    /// Too many live credentials, clients or secrets.
    TooMany = "too_many", 409, "There are as many as there may be";
    /// The name of a restored person is taken, or another conflict in the directory.
    DirectoryConflict = "directory_conflict", 409, "The directory does not allow this";
    /// No free seat.
    SeatsExhausted = "seats_exhausted", 403, "No seat is free";
    /// The question would look at too many rows.
    TooExpensive = "too_expensive", 400, "The question is about too many rows";
    /// The region's store is not on this node.
    RegionNotHere = "region_not_here", 421, "The region's store is not on this node";
    /// Too many calls.
    RateLimited = "rate_limited", 429, "Too many calls";
    /// The key set of the OIDC issuer cannot be read.
    IssuerUnavailable = "issuer_unavailable", 503, "The keys of the issuer cannot be read";
    /// The registry does not answer.
    RegistryUnavailable = "registry_unavailable", 503, "The registry does not answer";
    /// The region's store does not answer.
    StoreUnavailable = "store_unavailable", 503, "The region's store does not answer";
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field, as a path with dots; of a query or a header, the name.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub detail: String,
}

/// Why a call is not done (RFC 9457).
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which of the problems.
    pub code: Code,
    /// What happened and what to do.
    pub detail: String,
    /// Which fields.
    pub errors: Vec<FieldProblem>,
    /// Whole seconds after which another try is worth it.
    pub retry_after: Option<u32>,
    /// The methods that the path takes.
    pub allow: Option<String>,
}

/// The members of the body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[schema(example = json!({
    "type": "http://admin.localhost:8080/docs#problem-slug_taken",
    "title": "The slug is taken",
    "status": 409,
    "code": "slug_taken",
    "detail": "Another tenant has the slug. Choose another one.",
    "request_id": "019376f2-7b1c-7c3e-9d5a-0a4b1c2d3e4f",
    "errors": [{ "field": "slug", "detail": "is taken" }],
}))]
pub struct Body<'a> {
    /// A page that explains the problem.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// What it is, the same for every occurrence.
    pub title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The stable code.
    pub code: &'a str,
    /// What happened and what to do.
    pub detail: &'a str,
    /// The id under which the log knows the call.
    pub request_id: &'a str,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    pub errors: &'a [FieldProblem],
}

impl Problem {
    /// A problem, explained.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None }
    }

    /// A field that is wrong: which one, and what would be right.
    #[must_use]
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        Self::of_field(Code::FieldInvalid, field, detail)
    }

    /// A problem with one field.
    #[must_use]
    pub fn of_field(code: Code, field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            errors: vec![FieldProblem { field: field.to_owned(), detail: detail.clone() }],
            ..Self::new(code, format!("{field}: {detail}"))
        }
    }

    /// 404, the same for what is not there and for what is another tenant's.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// Says when another try is worth it.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self, admin_base_url: &str, request_id: &str) -> String {
        let body = Body {
            kind: format!("{admin_base_url}/docs#problem-{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            code: self.code.as_str(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

mod from;
