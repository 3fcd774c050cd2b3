//! Around every request of the main listener: its id, its span, its one log line, its metrics.
//!
//! **Invariant**: exactly one line a request, also when the client goes away; every answer carries `X-Request-Id`.

use super::metrics::{self, Active, Answered};
use super::otlp;
use super::span::{describe_span, root_span, trace_id};
use crate::clock::Clock;
use crate::forward;
use crate::rate_limit::Standing;
use crate::scim::operation::looks_secret;
use crate::state::State;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use std::fmt;
use std::time::{Duration, Instant};
use tracing::{Instrument, Span};

/// The route of a request that no route took.
const UNMATCHED: &str = "/*";
/// The status of the log line when nobody waited for the answer.
pub(crate) const CLIENT_GONE: u16 = 499;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before its handler runs; in the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The client's `X-Request-Id` if it is usable, else one made here.
    pub request_id: String,
    /// The trace, when traces are on.
    pub trace_id: Option<String>,
    /// When the head of the request was read.
    pub started: Instant,
    /// Whether its path ended with a slash, which no route sees.
    pub is_slashed: bool,
    /// Whether a part of its path was empty, at its end or within, which no route sees either.
    pub has_empty_part: bool,
    /// How the caller stands within its rate, if it has one.
    pub standing: Option<Standing>,
    /// When nobody waits for the answer any more: said by the gateway that forwarded the request.
    pub deadline: Option<Instant>,
}

impl RequestContext {
    /// A time limit, no longer than anybody waits.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline.map_or(limit, |deadline| limit.min(left(deadline)))
    }
}

/// What became of a request; the handler puts it into the response's extensions.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The template of the path.
    pub route: &'static str,
    /// The region of the data.
    pub region: Option<String>,
    /// The tenant's id.
    pub tenant: Option<String>,
    /// `user.create` and the like.
    pub operation: Option<&'static str>,
    /// The reason code.
    pub reason: Option<&'static str>,
    /// `done`, `unchanged`, `read` or `refused`.
    pub outcome: &'static str,
    /// How many quirks were tolerated.
    pub quirks: usize,
}

/// The middleware; for `actix_web::middleware::from_fn`, outside everything else.
///
/// # Errors
/// Those of the inner service, with the request id added to their answer.
pub async fn observe<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let started = Instant::now();
    let hop = forward::receive(&mut request);
    let request_id = request_id(request.headers());
    let span = root_span(&request, &request_id, hop.as_ref());
    let context = RequestContext {
        trace_id: trace_id(&span),
        request_id: request_id.clone(),
        started,
        is_slashed: request.path().trim_end_matches('/').len() < request.path().len(),
        has_empty_part: request.path().contains("//") || request.path().ends_with('/'),
        standing: None,
        deadline: hop.as_ref().map(|hop| hop.deadline(started)),
    };
    let mut line = Line::of(&request, &context, span.clone());
    let state = request.app_data::<web::Data<State>>().cloned();
    request.extensions_mut().insert(context);
    if let Some(hop) = hop {
        request.extensions_mut().insert(hop);
    }
    let result = next.call(request).instrument(span).await;
    // A stop may have begun meanwhile.
    let is_draining = state.is_some_and(|state| state.draining.is_draining());
    let id = HeaderValue::try_from(&request_id).ok();
    match result {
        Ok(mut response) => {
            let route = response.request().match_pattern();
            let outcome = response.response().extensions().get::<Outcome>().cloned();
            line.finish(response.status(), outcome.as_ref(), route.as_deref());
            let standing = standing(response.request());
            let head = response.response_mut().head_mut();
            if let Some(standing) = standing {
                show(standing, head.headers_mut());
            }
            if let Some(id) = id {
                head.headers_mut().insert(X_REQUEST_ID, id);
            }
            if is_draining {
                head.set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        }
        Err(inner) => {
            line.finish(inner.as_response_error().status_code(), None, None);
            Err(Identified { inner, id, is_draining }.into())
        }
    }
}

fn standing(request: &HttpRequest) -> Option<Standing> {
    request.extensions().get::<RequestContext>().and_then(|context| context.standing)
}

/// The fields of draft-ietf-httpapi-ratelimit-headers-03 §3, which clients know best: all whole numbers.
fn show(standing: Standing, headers: &mut HeaderMap) {
    let Standing { limit, remaining, reset, .. } = standing;
    for (name, value) in [
        (HeaderName::from_static("ratelimit-limit"), limit),
        (HeaderName::from_static("ratelimit-remaining"), remaining),
        (HeaderName::from_static("ratelimit-reset"), reset),
    ] {
        headers.insert(name, HeaderValue::from(value));
    }
}

/// An error whose answer carries the request id.
struct Identified {
    inner: actix_web::Error,
    id: Option<HeaderValue>,
    is_draining: bool,
}

impl fmt::Debug for Identified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl fmt::Display for Identified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl ResponseError for Identified {
    fn status_code(&self) -> StatusCode {
        self.inner.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = self.inner.as_response_error().error_response();
        if let Some(id) = &self.id {
            response.headers_mut().insert(X_REQUEST_ID, id.clone());
        }
        if self.is_draining {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }
}

/// The one line of a request, written when it is finished or dropped.
struct Line {
    method: &'static str,
    context: RequestContext,
    span: Span,
    is_written: bool,
    _active: Active,
}

impl Line {
    fn of(request: &ServiceRequest, context: &RequestContext, span: Span) -> Self {
        Self {
            method: method(request.method()),
            context: context.clone(),
            span,
            is_written: false,
            _active: Active::count(),
        }
    }

    fn finish(&mut self, status: StatusCode, outcome: Option<&Outcome>, pattern: Option<&str>) {
        let route = outcome.map(|o| o.route).or(pattern).unwrap_or(UNMATCHED);
        self.write(status.as_u16(), outcome, route);
    }

    fn write(&mut self, status: u16, outcome: Option<&Outcome>, route: &str) {
        self.is_written = true;
        let duration = self.context.started.elapsed();
        metrics::answered(&Answered { method: self.method, route, status, duration, outcome });
        if otlp::is_on() {
            describe_span(&self.span, self.method, route, status, outcome);
        }
        let duration_ms = (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let region = outcome.and_then(|o| o.region.as_deref());
        let tenant = outcome.and_then(|o| o.tenant.as_deref());
        let operation = outcome.and_then(|o| o.operation);
        let reason = outcome.and_then(|o| o.reason);
        let became = outcome.map(|o| o.outcome);
        let quirks = outcome.map(|o| o.quirks).filter(|count| *count > 0);
        let request_id = self.context.request_id.as_str();
        let trace_id = self.context.trace_id.as_deref();
        tracing::info!(
            target: "muster::http",
            parent: None,
            method = self.method,
            route,
            status,
            duration_ms,
            request_id,
            trace_id,
            tenant.id = tenant,
            region,
            operation,
            outcome = became,
            reason,
            quirks,
            "request"
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_written {
            self.write(CLIENT_GONE, None, UNMATCHED);
        }
    }
}

/// The client's id if it can be logged and echoed as it is, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_usable = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            && !looks_secret(id)
    };
    let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(is_usable);
    sent.map_or_else(|| Clock.new_id().to_string(), str::to_owned)
}

/// The methods that are known by name; a label must not be free text.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::request_id;
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn a_request_id_is_kept_only_if_it_can_be_logged_as_it_is() {
        let sent = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers
                .insert(HeaderName::from_static("x-request-id"), HeaderValue::from_static(value));
            request_id(&headers)
        };
        for good in ["a", "01890a5d-ac96-774b-bcce-b302099a8057", "A.b_c-1"] {
            assert_eq!(sent(good), good);
        }
        let long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        for bad in ["", "a b", "<script>", "a\tb", "a/b", "mst_us_pf_a", long] {
            let made = sent(bad);
            assert_ne!(made, bad);
            assert_eq!(uuid::Uuid::parse_str(&made).unwrap().get_version_num(), 7);
        }
    }
}
