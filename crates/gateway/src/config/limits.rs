//! `[limits]`: how much one request may ask for.
//!
//! **Invariant**: everything that a request could make large has its limit here and nowhere else.

use super::values::Values;
use scim_core::JsonLimits;
use std::time::Duration;

/// How much one request may ask for, and how long it may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body; more is 413.
    pub body_bytes: usize,
    /// Nesting and length of the JSON in it; more is 400.
    pub json: JsonLimits,
    /// Length, nesting and terms of a filter; more is 400 `invalidFilter`.
    pub filter: scim_core::FilterLimits,
    /// Resources in a page when the client does not say.
    pub page_default: u64,
    /// Resources in a page at most.
    pub page_max: u64,
    /// How long a cursor may be used (RFC 9865).
    pub cursor_lifetime: Duration,
    /// Operations of one PATCH.
    pub patch_operations: usize,
    /// Members in one request.
    pub members: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Operations of a bulk request; more is 413, and with 0 there is no bulk.
    pub bulk_operations: u64,
    /// Bytes of a bulk request; more is 413, and with 0 there is no bulk.
    pub bulk_payload_bytes: u64,
    /// Requests of one tenant a second, sustained; more is 429, and with 0 only tenants with a rate of their own have one.
    pub rate_per_second: u32,
    /// Requests of one tenant at once.
    pub rate_burst: u32,
    /// Connections of one worker at the same time; more wait in the listener's queue.
    pub connections: usize,
}

pub(super) fn read(values: &mut Values) -> Limits {
    let span = Duration::from_millis(100)..=Duration::from_mins(10);
    let seconds = Duration::from_secs;
    let limits = Limits {
        body_bytes: values.number("limits.body_bytes", 1 << 20, 1024..=1 << 28),
        json: JsonLimits {
            depth: values.number("limits.json_depth", 64, 4..=120),
            array_values: values.number("limits.json_array_values", 10_000, 1..=1_000_000),
        },
        filter: scim_core::FilterLimits {
            bytes: values.number("limits.filter_bytes", 4096, 64..=65_536),
            depth: values.number("limits.filter_depth", 32, 1..=64),
            terms: values.number("limits.filter_terms", 100, 1..=500),
        },
        page_default: values.number("limits.page_default", 200, 1..=10_000),
        page_max: values.number("limits.page_max", 1000, 1..=10_000),
        cursor_lifetime: values.span(
            "limits.cursor_lifetime",
            Duration::from_hours(1),
            seconds(1)..=Duration::from_hours(24),
        ),
        patch_operations: values.number("limits.patch_operations", 1000, 1..=100_000),
        members: values.number("limits.members", 10_000, 1..=1_000_000),
        request_timeout: values.span("limits.request_timeout", seconds(25), span.clone()),
        body_timeout: values.span("limits.body_timeout", seconds(30), span),
        bulk_operations: values.number("limits.bulk_operations", 1000, 0..=100_000),
        bulk_payload_bytes: values.number("limits.bulk_payload_bytes", 1 << 20, 0..=1 << 28),
        rate_per_second: values.number("limits.rate_per_second", 100, 0..=1_000_000),
        rate_burst: values.number("limits.rate_burst", 1000, 1..=1_000_000),
        connections: values.number("limits.connections", 8192, 16..=1 << 20),
    };
    if limits.page_default > limits.page_max {
        let (default, max) = (limits.page_default, limits.page_max);
        let key = if values.is_given("limits.page_default") {
            "limits.page_default"
        } else {
            "limits.page_max"
        };
        values.problem(
            key,
            format!("page_default is {default} and page_max is {max}: a page is at most page_max"),
        );
    }
    if limits.rate_per_second > limits.rate_burst {
        let (rate, burst) = (limits.rate_per_second, limits.rate_burst);
        let key = if values.is_given("limits.rate_burst") {
            "limits.rate_burst"
        } else {
            "limits.rate_per_second"
        };
        values.problem(
            key,
            format!("rate_per_second is {rate} and rate_burst is {burst}: a burst is at least what a second brings"),
        );
    }
    limits
}
