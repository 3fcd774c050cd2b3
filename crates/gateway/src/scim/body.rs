//! Reading a request's body: only after the caller is known, within limits of size and time.

use super::error::Failure;
use super::exchange::Exchange;
use crate::config::Limits;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use provisioning::Reason;
use scim_core::{Attributes, JsonLimits, Quirk};

/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// Bytes; more is 413.
    pub bytes: usize,
    /// Nesting and length of its JSON.
    pub json: JsonLimits,
    /// What the refusal of more bytes calls the limit, and says.
    pub advice: &'static str,
}

impl Allowed {
    /// For one resource, one PATCH or one search.
    #[must_use]
    pub fn usual(limits: &Limits) -> Self {
        let advice = "Send fewer members or operations in one request.";
        Self { bytes: limits.body_bytes, json: limits.json, advice }
    }
}

/// Reads the body as a JSON object.
///
/// # Errors
/// 415 for another media type or an encoded body, 413 beyond the limit, 408 when it does not arrive, 400 when it is not
/// a JSON object within its limits.
#[tracing::instrument(name = "scim.body.read", skip_all)]
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    allowed: &Allowed,
    exchange: &mut Exchange,
) -> Result<Attributes, Failure> {
    check_media(request, exchange)?;
    let announced = header_of(request, header::CONTENT_LENGTH);
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > allowed.bytes as u64) {
        return Err(too_large(allowed));
    }
    let caller = &exchange.caller;
    let patience = caller.context.within(caller.state.limits.body_timeout);
    let bytes =
        tokio::time::timeout(patience, collect(payload, allowed)).await.map_err(|_elapsed| {
            Failure::new(
                Reason::RequestTimeout,
                "The body did not arrive in time. Send the request again.",
            )
            .status(408)
        })??;
    Ok(Attributes::parse(&bytes, &allowed.json)?)
}

fn header_of(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn check_media(request: &HttpRequest, exchange: &mut Exchange) -> Result<(), Failure> {
    let unsupported = |detail| Failure::new(Reason::MediaTypeUnsupported, detail);
    let wanted =
        "The body must be sent with Content-Type application/scim+json (or application/json).";
    match header_of(request, header::CONTENT_TYPE) {
        None if exchange.caller.tolerance.allows(Quirk::NoContentType) => {
            exchange.asked.notes.met(Quirk::NoContentType);
        }
        None => return Err(unsupported(wanted)),
        Some(text) => {
            let media = text.split(';').next().unwrap_or_default().trim();
            // RFC 7644 §3.1: application/scim+json; application/json is to be accepted.
            let known = ["application/scim+json", "application/json"];
            if !known.iter().any(|name| media.eq_ignore_ascii_case(name)) {
                return Err(unsupported(wanted));
            }
        }
    }
    let encoding = header_of(request, header::CONTENT_ENCODING);
    if encoding.is_some_and(|text| !text.eq_ignore_ascii_case("identity")) {
        return Err(unsupported(
            "The body must not be compressed: send it without Content-Encoding.",
        ));
    }
    Ok(())
}

async fn collect(mut payload: web::Payload, allowed: &Allowed) -> Result<web::BytesMut, Failure> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_incomplete| {
            Failure::new(Reason::SyntaxInvalid, "The body ended early. Send the request again.")
        })?;
        if bytes.len() + chunk.len() > allowed.bytes {
            return Err(too_large(allowed));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(allowed: &Allowed) -> Failure {
    let Allowed { bytes, advice, .. } = allowed;
    Failure::new(Reason::BodyTooLarge, format!("The body is larger than {bytes} bytes. {advice}"))
}
