//! The admin API over HTTP: heads and bodies on one side, calls and answers on the other.
//!
//! **Invariant**: the body is read after the caller is known and may call; every answer that is no success is
//! `application/problem+json`.

use super::Admin;
use super::access::Access;
use super::answer::Answer;
use super::call::Facts;
use super::dispatch::{Found, Request, dispatch, etag, find, nowhere};
use super::endpoint::Endpoint;
use super::operator::Operator;
use super::page;
use super::problem::{Code, Problem};
use crate::auth::address::client_address;
use crate::auth::caller::context;
use crate::rate_limit::Standing;
use crate::state::State;
use crate::telemetry::http::Outcome;
use actix_web::guard::GuardContext;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::StreamExt;
use std::sync::Arc;

/// The largest body.
const BODY_BYTES: usize = 256 * 1024;
const PROBLEM_JSON: &str = "application/problem+json";
const JSON: &str = "application/json";
/// What is shown of an endpoint that was not found.
const NOWHERE: &str = "/admin/*";

/// Whether a request is for this host.
#[must_use]
pub fn is_for(context: &GuardContext<'_>) -> bool {
    let head = context.head();
    let named = head.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    // An absolute request target names the host in place of the header (RFC 9112 §3.2.2).
    let host = head.uri.host().or(named);
    let state = context.app_data::<web::Data<State>>();
    state.zip(host).is_some_and(|(state, host)| state.hosts.is_admin(host))
}

/// Answers a request.
pub async fn serve(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return HttpResponse::ServiceUnavailable().finish();
    };
    let admin = Arc::clone(&state.admin);
    let mut seen = Seen { route: NOWHERE, operation: None, tenant: None, standing: None };
    let address = client_address(&request, &state.config.server.trusted_proxies);
    if let Some(seconds) = admin.standing_of(address).retry_after {
        let problem = Problem::new(Code::RateLimited, "Too many calls from this address.");
        return respond(&admin, &request, Err(problem.retry_after(seconds)), seen);
    }
    if request.path() == "/docs" && matches!(request.method().as_str(), "GET" | "HEAD") {
        return page::respond(&admin);
    }
    let result = handle(&admin, &request, payload, &mut seen).await;
    respond(&admin, &request, result, seen)
}

/// What the line of the request says.
struct Seen {
    route: &'static str,
    operation: Option<&'static str>,
    tenant: Option<String>,
    standing: Option<Standing>,
}

async fn handle(
    admin: &Arc<Admin>,
    request: &HttpRequest,
    payload: web::Payload,
    seen: &mut Seen,
) -> Result<Answer, Problem> {
    // A name that its caller left empty must not lead to the path without it: from one tenant to the list of all.
    let found = if context(request).has_empty_part {
        Found::Nothing
    } else {
        find(request.method().as_str(), request.path())
    };
    let (endpoint, path) = match found {
        Found::Endpoint(endpoint, path) => (endpoint, path),
        // Who has no token is not told what there is.
        Found::Others(allow) => {
            caller(admin, request, seen).await?;
            return Err(nowhere(Some(allow)));
        }
        Found::Nothing => {
            caller(admin, request, seen).await?;
            return Err(nowhere(None));
        }
    };
    (seen.route, seen.operation) = (endpoint.path, Some(endpoint.id));
    let operator = match endpoint.access {
        Access::Public => Operator::nobody(),
        Access::Caller | Access::Operator(_) | Access::Tenant(_) => {
            caller(admin, request, seen).await?
        }
    };
    operator.check(endpoint.access)?;
    let tenant = path.iter().find(|(name, _)| *name == "tenant");
    seen.tenant = tenant.map(|(_, named)| named.clone()).filter(|named| named.starts_with("ten_"));
    let context = context(request);
    let facts = Facts {
        request_id: context.request_id,
        trace_id: context.trace_id,
        started: context.started,
        now: admin.clock.now(),
    };
    let asked = Request {
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        if_match: header_of(request, &header::IF_MATCH)?,
        idempotency_key: header_of(request, &HeaderName::from_static("idempotency-key"))?,
        body: body(admin, request, payload, endpoint).await?,
        facts,
    };
    dispatch(admin, operator, (endpoint, path), asked).await
}

/// Who calls, within the rate of one caller.
async fn caller(
    admin: &Admin,
    request: &HttpRequest,
    seen: &mut Seen,
) -> Result<Operator, Problem> {
    let missing = || {
        Problem::new(
            Code::TokenMissing,
            "Send Authorization: Bearer and a token from `muster operator token`, or from the configured issuer.",
        )
    };
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let (Some(value), None) = (sent.next(), sent.next()) else { return Err(missing()) };
    let text = value.to_str().map_err(|_not_text| missing())?.trim();
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(missing()),
    };
    let operator = admin.issuers.operator(token, admin.clock.now()).await?;
    let standing = admin.standing(&operator);
    seen.standing = Some(standing);
    match standing.retry_after {
        None => Ok(operator),
        Some(seconds) => Err(Problem::new(
            Code::RateLimited,
            format!("Too many calls with this token's subject. The next one will be answered in {seconds} s."),
        )
        .retry_after(seconds)),
    }
}

fn header_of(request: &HttpRequest, name: &HeaderName) -> Result<Option<String>, Problem> {
    let wrong = |detail| Err(Problem::of_field(Code::HeaderInvalid, name.as_str(), detail));
    let mut values = request.headers().get_all(name);
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text.to_owned())),
        (Some(Err(_)), _) => wrong("must be ASCII"),
        (Some(_), Some(_)) => wrong("is given twice"),
    }
}

async fn body(
    admin: &Admin,
    request: &HttpRequest,
    mut payload: web::Payload,
    endpoint: &Endpoint,
) -> Result<Vec<u8>, Problem> {
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("The body is larger than {BODY_BYTES} bytes."));
    let read = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_incomplete| {
                Problem::new(Code::BodyMalformed, "The body ended early. Send it again.")
            })?;
            if bytes.len() + chunk.len() > BODY_BYTES {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    if request.method().is_safe() {
        let headers = request.headers();
        let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
        if length.is_some_and(|length| length != b"0")
            || headers.contains_key(header::TRANSFER_ENCODING)
        {
            return Err(Problem::new(Code::BodyMalformed, "This takes no body."));
        }
        return Ok(Vec::new());
    }
    let patience = admin.config.limits.body_timeout;
    let bytes = tokio::time::timeout(patience, read).await.map_err(|_elapsed| {
        Problem::new(Code::BodyTimeout, "The body did not arrive in time. Send it again.")
    })??;
    if !bytes.is_empty() && endpoint.body.is_some() {
        check_media(request)?;
    }
    Ok(bytes)
}

fn check_media(request: &HttpRequest) -> Result<(), Problem> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    // A PATCH is a merge (RFC 7396), under either name.
    let known = [JSON, "application/merge-patch+json"];
    let is_plain =
        text(header::CONTENT_ENCODING).is_none_or(|c| c.eq_ignore_ascii_case("identity"));
    if known.iter().any(|name| media.eq_ignore_ascii_case(name)) && is_plain {
        return Ok(());
    }
    Err(Problem::new(
        Code::MediaTypeUnsupported,
        "The body must be sent with Content-Type: application/json, and not compressed.",
    ))
}

fn respond(
    admin: &Admin,
    request: &HttpRequest,
    result: Result<Answer, Problem>,
    seen: Seen,
) -> HttpResponse {
    let (mut response, reason, outcome) = match result {
        Ok(answer) => {
            let outcome = if request.method().is_safe() { "read" } else { "done" };
            (success(answer), None, outcome)
        }
        Err(problem) => {
            let reason = Some(problem.code.as_str());
            (refusal(admin, request, &problem), reason, "refused")
        }
    };
    if let Some(standing) = seen.standing {
        for (name, value) in [
            ("ratelimit-limit", standing.limit),
            ("ratelimit-remaining", standing.remaining),
            ("ratelimit-reset", standing.reset),
        ] {
            response.headers_mut().insert(HeaderName::from_static(name), value.into());
        }
    }
    response.extensions_mut().insert(Outcome {
        route: seen.route,
        region: None,
        tenant: seen.tenant,
        operation: seen.operation,
        reason,
        outcome,
        quirks: 0,
    });
    response
}

fn success(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut builder = head(status, JSON);
    if let Some(version) = answer.version {
        builder.insert_header((header::ETAG, etag(version)));
    }
    if let Some(location) = answer.location {
        builder.insert_header((header::LOCATION, location));
    }
    if answer.is_replayed {
        builder.insert_header(("idempotency-replayed", "true"));
    }
    builder.body(answer.body)
}

fn refusal(admin: &Admin, request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut builder = head(status, PROBLEM_JSON);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = if problem.code == Code::TokenMissing {
            "Bearer realm=\"admin\""
        } else {
            "Bearer realm=\"admin\", error=\"invalid_token\""
        };
        builder.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if problem.code == Code::ScopeMissing {
        let challenge = "Bearer realm=\"admin\", error=\"insufficient_scope\"";
        builder.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Some(seconds) = problem.retry_after {
        builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if let Some(allow) = &problem.allow {
        builder.insert_header((header::ALLOW, allow.as_str()));
    }
    builder.body(problem.to_json(&admin.hosts.admin_base_url(), &context(request).request_id))
}

fn head(status: StatusCode, media: &'static str) -> HttpResponseBuilder {
    let mut builder = HttpResponseBuilder::new(status);
    builder
        .insert_header((header::CONTENT_TYPE, media))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    builder
}
