//! `POST /oauth2/token` on each SCIM host: access tokens for clients (RFC 6749 §4.4, RFC 7523).
//!
//! **Invariant**: every answer is JSON of RFC 6749 and is not to be stored; none is a SCIM message. A token is good for the
//! client's own place alone, and for no more than the client is.

mod assertion;
mod error;
mod form;
mod grant;
mod metadata;
mod presented;
mod replay;
mod scope;

pub use error::{Code, OauthError};
pub use metadata::{metadata, only_get};
pub use replay::Replays;

use crate::auth::caller::{context, host_of};
use crate::auth::client_address;
use crate::rate_limit::Rate;
use crate::state::State;
use crate::telemetry::http::Outcome;
use crate::telemetry::metrics;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use form::Form;
use futures_util::StreamExt;
use grant::{Asking, Grant};
use region_router::Place;
use serde_json::json;
use std::net::IpAddr;

/// The path of the endpoint.
pub const TOKEN_PATH: &str = "/oauth2/token";
/// The path of its description (RFC 8414 §3).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

const CLIENT_CREDENTIALS: &str = "client_credentials";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The largest body, in bytes.
const LARGEST: usize = 64 * 1024;
/// Requests of one address a second, and at once: a token is good for an hour, and many clients may have one address.
const RATE: (u32, u32) = (20, 200);

/// `POST /oauth2/token`.
#[tracing::instrument(name = "gateway.oauth.token", skip_all)]
pub async fn token(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let mut whose = None;
    let result = answer(&request, payload, &state, &mut whose).await;
    let (response, reason) = match result {
        Ok(grant) => (given(&grant), None),
        Err(error) => (error.respond(), Some(error.code.as_str())),
    };
    finish(response, TOKEN_PATH, reason, whose)
}

/// A method that the endpoint does not take.
pub async fn only_post() -> HttpResponse {
    let error = OauthError::method("POST");
    finish(error.respond(), TOKEN_PATH, Some(error.code.as_str()), None)
}

/// Tells the line of the request, and the metrics, what became of it.
fn finish(
    mut response: HttpResponse,
    route: &'static str,
    reason: Option<&'static str>,
    whose: Option<(String, String)>,
) -> HttpResponse {
    metrics::count_token_request(reason.unwrap_or("issued"));
    let (region, tenant) = whose.unzip();
    let outcome = if reason.is_none() { "done" } else { "refused" };
    let outcome = Outcome { route, region, tenant, operation: None, reason, outcome, quirks: 0 };
    response.extensions_mut().insert(outcome);
    response
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    state: &web::Data<State>,
    whose: &mut Option<(String, String)>,
) -> Result<Grant, OauthError> {
    let host = place_of(request, state).ok_or_else(|| no_endpoint(state))?;
    let address = client_address(request, &state.config.server.trusted_proxies);
    check_rate(state, address)?;
    let form = read(request, payload, state).await?;
    let asking = Asking { state, request, context: context(request), host, address, form: &form };
    // It may have been made on another node a moment ago.
    if asking.is_of_stranger()
        && let Some(look) = state.registry.look_again()
    {
        look.done().await;
    }
    asking.grant(whose).await
}

/// The place of the host that was asked.
fn place_of(request: &HttpRequest, state: &State) -> Option<Place> {
    state.hosts.place(host_of(request))
}

fn no_endpoint(state: &State) -> OauthError {
    let known: Vec<String> = state.hosts.all().iter().map(|place| endpoint(state, place)).collect();
    OauthError::request(format!(
        "This host gives no tokens. The token endpoints are {}.",
        known.join(", ")
    ))
    .status(StatusCode::NOT_FOUND)
}

fn endpoint(state: &State, place: &Place) -> String {
    format!("{}{TOKEN_PATH}", state.hosts.origin(place))
}

/// An address is nobody's id, so that it is counted on this node alone. Of IPv6 it is the network that a site has.
pub(crate) fn check_rate(state: &State, address: IpAddr) -> Result<(), OauthError> {
    let site = match address {
        IpAddr::V4(address) => format!("oauth {address}"),
        IpAddr::V6(address) => format!("oauth {:x}", u128::from(address) >> 64),
    };
    let (per_second, burst) = RATE;
    within(state, &site, Rate::new(per_second, burst))
}

fn within(state: &State, caller: &str, rate: Rate) -> Result<(), OauthError> {
    match state.limiter.take(caller, rate, 1).retry_after {
        None => Ok(()),
        Some(seconds) => Err(OauthError::request(format!(
            "Too many tokens are asked for. A token is good until it expires: keep it. Try again in {seconds} s."
        ))
        .status(StatusCode::TOO_MANY_REQUESTS)
        .retry_after(seconds)),
    }
}

async fn read(
    request: &HttpRequest,
    mut payload: web::Payload,
    state: &State,
) -> Result<Form, OauthError> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OauthError::request(
            "The body must be a form: Content-Type application/x-www-form-urlencoded.",
        ));
    }
    let query = request.query_string();
    if ["client_secret", "client_assertion", "assertion"].iter().any(|name| query.contains(name)) {
        return Err(OauthError::request(
            "Secrets do not belong into a URL (RFC 6749 2.3.1): send them in the body. Those that were sent should be replaced.",
        ));
    }
    let collect = async {
        let mut bytes = web::BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk =
                chunk.map_err(|_incomplete| OauthError::request("The body ended early."))?;
            if bytes.len() + chunk.len() > LARGEST {
                return Err(OauthError::request("The body is larger than 64 KiB.")
                    .status(StatusCode::PAYLOAD_TOO_LARGE));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    let patience = context(request).within(state.limits.body_timeout);
    match tokio::time::timeout(patience, collect).await {
        Ok(bytes) => Form::parse(&bytes?),
        Err(_elapsed) => Err(OauthError::request("The body did not arrive in time.")
            .status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// RFC 6749 §5.1.
fn given(grant: &Grant) -> HttpResponse {
    let body = json!({
        "access_token": grant.token(),
        "token_type": "Bearer",
        "expires_in": grant.lifetime.as_secs(),
        "scope": grant.scope,
    });
    json(StatusCode::OK).body(body.to_string())
}

/// An answer in JSON that nobody stores (RFC 6749 §5.1).
fn json(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"));
    answer
}
