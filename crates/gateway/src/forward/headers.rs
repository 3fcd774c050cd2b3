//! Headers, out and back, between two versions of one library.
//!
//! **Invariant**: what concerns one connection stays on it (RFC 9110 §7.6.1); the body's length is told by the body.

use actix_web::http::StatusCode;
use actix_web::http::header::{self as here, HeaderMap};
use actix_web::{HttpResponse, HttpResponseBuilder};
use reqwest::header as there;

/// What is of one connection alone.
const OF_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What this side says itself, or says in the assertion.
const OURS: [&str; 6] =
    ["host", "traceparent", "via", "x-forwarded-for", "x-muster-hop", "x-request-id"];

/// A value for a header of a request.
pub(super) fn value(bytes: &[u8]) -> Option<there::HeaderValue> {
    there::HeaderValue::from_bytes(bytes).ok()
}

/// The headers of a request on its way to a peer.
pub(super) fn onward(headers: &HeaderMap, request_id: &str, via: &str) -> there::HeaderMap {
    let mut onward = there::HeaderMap::with_capacity(headers.len() + 4);
    let named = of_connection(headers.get_all(here::CONNECTION).map(here::HeaderValue::as_bytes));
    for (name, value) in headers {
        let name = name.as_str();
        if OF_CONNECTION.contains(&name) || OURS.contains(&name) || named.iter().any(|n| n == name)
        {
            continue;
        }
        let name = there::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Some(value)) = (name, self::value(value.as_bytes())) {
            onward.append(name, value);
        }
    }
    for (name, text) in [("x-request-id", request_id), ("via", via)] {
        if let Some(value) = self::value(text.as_bytes()) {
            onward.insert(name, value);
        }
    }
    onward
}

/// Whether a gateway said it. A server that waits for a head in vain, and a balancer whose gateways are gone, answer for
/// themselves, and no identity provider can read that.
pub(super) fn is_of_a_gateway(head: &PeerHead) -> bool {
    let may_be_others = head.status.as_u16() == 408 || head.status.is_server_error();
    !may_be_others || head.headers.contains_key("x-request-id")
}

/// The answer of a peer, without its body.
pub(super) fn back(head: &PeerHead) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = HttpResponse::build(status);
    let connection = head.headers.get_all(there::CONNECTION);
    let named = of_connection(connection.iter().map(there::HeaderValue::as_bytes));
    for (name, value) in &head.headers {
        let name = name.as_str();
        if OF_CONNECTION.contains(&name) || OURS.contains(&name) || named.iter().any(|n| n == name)
        {
            continue;
        }
        let name = here::HeaderName::from_bytes(name.as_bytes());
        let value = here::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            answer.append_header((name, value));
        }
    }
    answer
}

/// Status and headers of a peer's answer.
type PeerHead = region_router::peer::link::Head;

/// The headers that `Connection` names.
fn of_connection<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values
        .filter_map(|value| std::str::from_utf8(value).ok())
        .flat_map(|list| list.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        // Who the client is cannot be taken off by the client.
        .filter(|name| !name.is_empty() && name != "authorization")
        .collect()
}
