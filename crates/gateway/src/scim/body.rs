//! Reading a request's body: only after the caller is known, within limits of size and time.

use super::error::Failure;
use crate::config::Limits;
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use provisioning::Reason;
use scim_core::{Attributes, Notes, Quirk};

/// Reads the body as a JSON object.
///
/// # Errors
/// 415 for another media type or an encoded body, 413 beyond the limit, 408 when it does not arrive, 400 when it is not
/// a JSON object within its limits.
#[tracing::instrument(name = "scim.body.read", skip_all)]
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Attributes, Failure> {
    check_headers(request, limits, notes)?;
    let bytes = tokio::time::timeout(limits.body_timeout, collect(payload, limits.body_bytes))
        .await
        .map_err(|_elapsed| {
            Failure::new(
                Reason::RequestTimeout,
                "The body did not arrive in time. Send the request again.",
            )
            .status(408)
        })??;
    Ok(Attributes::parse(&bytes, &limits.json)?)
}

fn check_headers(request: &HttpRequest, limits: &Limits, notes: &mut Notes) -> Result<(), Failure> {
    let value =
        |name| request.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    match value(header::CONTENT_TYPE) {
        None => notes.met(Quirk::NoContentType),
        Some(text) => {
            let media = text.split(';').next().unwrap_or_default().trim();
            // RFC 7644 §3.1: application/scim+json; application/json is to be accepted.
            let known = ["application/scim+json", "application/json"];
            if !known.iter().any(|name| media.eq_ignore_ascii_case(name)) {
                return Err(Failure::new(
                    Reason::MediaTypeUnsupported,
                    "The body must be sent with Content-Type application/scim+json (or application/json).",
                ));
            }
        }
    }
    if value(header::CONTENT_ENCODING).is_some_and(|text| !text.eq_ignore_ascii_case("identity")) {
        return Err(Failure::new(
            Reason::MediaTypeUnsupported,
            "The body must not be compressed: send it without Content-Encoding.",
        ));
    }
    let announced = value(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes as u64) {
        return Err(too_large(limits.body_bytes));
    }
    Ok(())
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<web::BytesMut, Failure> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_incomplete| {
            Failure::new(Reason::SyntaxInvalid, "The body ended early. Send the request again.")
        })?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        Reason::BodyTooLarge,
        format!(
            "The body is larger than {limit} bytes. Send fewer members or operations in one request."
        ),
    )
}
