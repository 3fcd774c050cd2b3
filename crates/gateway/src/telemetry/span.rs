//! The root span of a request, and the trace that it belongs to.
//!
//! **Invariant**: what comes from outside decides neither whether we sample nor in which trace our spans are.

use super::http::{Outcome, method};
use super::otlp;
use crate::forward::Hop;
use actix_web::dev::ServiceRequest;
use actix_web::http::Version;
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of the span that carries the request id.
pub(super) const SPAN_TARGET: &str = "muster::request";

pub(super) fn root_span(request: &ServiceRequest, request_id: &str, hop: Option<&Hop>) -> Span {
    if !otlp::is_on() {
        return tracing::info_span!(target: SPAN_TARGET, parent: None, "request", request_id);
    }
    let span = tracing::info_span!(
        target: SPAN_TARGET,
        parent: None,
        "request",
        otel.kind = "server",
        request_id,
        http.request.method = method(request.method()),
        url.scheme = "http",
        network.protocol.version = protocol(request.version()),
    );
    // What comes from outside must not decide whether we sample, or put its spans into our traces: a link, no parent.
    // Another gateway of ours is not outside: one trace from the edge to the home region.
    match hop {
        Some(hop) => {
            if let Some(edge) = hop.trace_parent.as_deref().and_then(trace_parent) {
                span.set_parent(Context::new().with_remote_span_context(edge)).ok();
            }
        }
        None => {
            let caller = request.headers().get("traceparent");
            if let Some(caller) = caller.and_then(|text| trace_parent(text.to_str().ok()?)) {
                span.add_link(caller);
            }
        }
    }
    span
}

fn protocol(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "1.0" } else { "1.1" }
}

/// The current span for another gateway, when traces are on (W3C Trace Context §3.2).
pub(crate) fn trace_context() -> Option<String> {
    if !otlp::is_on() {
        return None;
    }
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    let flags = span.trace_flags().to_u8();
    span.is_valid().then(|| format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id()))
}

pub(super) fn trace_id(span: &Span) -> Option<String> {
    if !otlp::is_on() {
        return None;
    }
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != TraceId::INVALID).then(|| id.to_string())
}

pub(super) fn describe_span(
    span: &Span,
    method: &str,
    route: &str,
    status: u16,
    outcome: Option<&Outcome>,
) {
    span.context().span().update_name(format!("{method} {route}"));
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_attribute("error.type", status.to_string());
        span.set_status(Status::error(""));
    }
    let Some(outcome) = outcome else { return };
    if let Some(region) = &outcome.region {
        span.set_attribute("region", region.clone());
    }
    if let Some(tenant) = &outcome.tenant {
        span.set_attribute("tenant.id", tenant.clone());
    }
    if let Some(operation) = outcome.operation {
        span.set_attribute("scim.operation", operation);
    }
    if let Some(reason) = outcome.reason {
        span.set_attribute("scim.reason", reason);
    }
    span.set_attribute("scim.outcome", outcome.outcome);
}

/// Reads a `traceparent` (W3C Trace Context §3.2). `tracestate` and `baggage` from outside are not read at all.
fn trace_parent(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_known =
        is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !is_known || !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::trace_parent;

    #[test]
    fn a_trace_parent_is_read_as_the_standard_says() {
        let read = trace_parent;
        let good = read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(good.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(good.is_remote());
        assert!(read("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x").is_some());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
