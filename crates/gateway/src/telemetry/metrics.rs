//! Counters and histograms, rendered for Prometheus on the ops port.
//!
//! **Invariant**: every label has a bounded set of values; no tenant, person, path id or token is one.

use crate::telemetry::http::Outcome;
use anyhow::Context as _;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use provisioning::Reason;
use region_router::Region;
use scim_core::Notes;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Seconds, close together where requests are answered and wide where they are not.
const DURATION_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Seconds, where a question to Redis is answered: its limit is 20 ms.
const STORE_DURATION_BUCKETS: [f64; 8] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025];

const DURATION: &str = "http_server_request_duration_seconds";
const ACTIVE: &str = "http_server_active_requests";
const UNREADABLE: &str = "http_server_unreadable_requests_total";
const OPERATIONS: &str = "scim_operations_total";
const AUTH_FAILURES: &str = "scim_auth_failures_total";
const RATE_LIMITED: &str = "scim_rate_limited_total";
const TOKEN_REQUESTS: &str = "oauth_token_requests_total";
const QUIRKS: &str = "scim_quirks_total";
const CONNECTIONS: &str = "db_client_connection_count";
const SNAPSHOT_AGE: &str = "registry_snapshot_age_seconds";
const SNAPSHOT_REFUSED: &str = "registry_snapshot_refused_total";
const FORWARDS: &str = "region_forwards_total";
const BREAKER: &str = "region_breaker_open";
const STORE_DURATION: &str = "db_client_operation_duration_seconds";
const REDIS_SKIPPED: &str = "redis_skipped_total";
const REDIS_UP: &str = "redis_up";
const MEMORY: &str = "process_resident_memory_bytes";

/// What a request was, for the metrics.
#[derive(Debug)]
pub(super) struct Answered<'a> {
    pub(super) method: &'static str,
    pub(super) route: &'a str,
    pub(super) status: u16,
    pub(super) duration: Duration,
    pub(super) outcome: Option<&'a Outcome>,
}

/// The recorder of this process, installed when it is first asked for.
///
/// # Errors
/// When another recorder is installed already.
pub fn recorder() -> anyhow::Result<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let handle = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &DURATION_BUCKETS)
                .and_then(|builder| {
                    let name = Matcher::Full(STORE_DURATION.to_owned());
                    builder.set_buckets_for_metric(name, &STORE_DURATION_BUCKETS)
                })
                .and_then(PrometheusBuilder::install_recorder)
                .map_err(|error| error.to_string())?;
            describe();
            Ok(handle)
        })
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("the metrics recorder could not be installed")
}

fn describe() {
    describe_histogram!(DURATION, Unit::Seconds, "How long requests took");
    describe_gauge!(ACTIVE, Unit::Count, "Requests being answered now");
    describe_counter!(UNREADABLE, Unit::Count, "What was sent and is no request, by the answer");
    describe_counter!(OPERATIONS, Unit::Count, "SCIM operations by what became of them");
    describe_counter!(AUTH_FAILURES, Unit::Count, "Refused credentials by reason");
    describe_counter!(RATE_LIMITED, Unit::Count, "Requests beyond their tenant's rate");
    describe_counter!(TOKEN_REQUESTS, Unit::Count, "Requests for access tokens");
    describe_counter!(QUIRKS, Unit::Count, "Tolerated deviations of identity providers");
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections to the stores by state");
    describe_gauge!(SNAPSHOT_AGE, Unit::Seconds, "Time since the registry was last read");
    describe_counter!(
        SNAPSHOT_REFUSED,
        Unit::Count,
        "Contents of the registry's database that were not taken, by the doubt"
    );
    describe_counter!(FORWARDS, Unit::Count, "Requests for regions that are elsewhere");
    describe_gauge!(BREAKER, Unit::Count, "Whether a region's gateway does not answer");
    describe_histogram!(STORE_DURATION, Unit::Seconds, "How long questions to Redis took");
    describe_counter!(REDIS_SKIPPED, Unit::Count, "Questions that Redis was not asked");
    describe_gauge!(REDIS_UP, Unit::Count, "Whether Redis answers");
    describe_gauge!(MEMORY, Unit::Bytes, "Resident memory");
    gauge!(ACTIVE).set(0.0);
    // An alert on a rate needs the series to be there before the first failure.
    for reason in Reason::ALL.iter().map(|reason| reason.as_str()).filter(|r| is_token(r)) {
        counter!(AUTH_FAILURES, "reason" => reason).absolute(0);
    }
}

fn is_token(reason: &str) -> bool {
    reason.starts_with("token_")
}

/// Counts a request that is being answered, until it is dropped.
#[derive(Debug)]
pub(super) struct Active(());

impl Active {
    pub(super) fn count() -> Self {
        gauge!(ACTIVE).increment(1.0);
        NOW_ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        gauge!(ACTIVE).decrement(1.0);
        NOW_ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Requests that are being answered, for the stop of the process: a gauge can be written and not read.
static NOW_ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// How many requests are being answered.
#[must_use]
pub fn active() -> usize {
    NOW_ACTIVE.load(Ordering::Relaxed)
}

/// Counts a request that was answered.
pub(super) fn answered(request: &Answered<'_>) {
    let region = request.outcome.and_then(|o| o.region.as_deref()).unwrap_or("none").to_owned();
    let outcome = request.outcome.map_or("none", |o| o.outcome);
    histogram!(
        DURATION,
        "http_request_method" => request.method,
        "http_route" => request.route.to_owned(),
        "http_response_status_code" => request.status.to_string(),
        "region" => region,
        "outcome" => outcome,
    )
    .record(request.duration.as_secs_f64());
    if let Some(outcome) = request.outcome {
        operated(outcome);
    }
}

/// Counts what could not be read as a request, by the status of its answer.
pub(crate) fn count_unreadable(status: u16) {
    counter!(UNREADABLE, "http_response_status_code" => status.to_string()).increment(1);
}

/// Counts an operation: a request, or a part of a bulk request.
pub(crate) fn operated(outcome: &Outcome) {
    let Some(reason) = outcome.reason else { return };
    if let Some(operation) = outcome.operation {
        counter!(
            OPERATIONS,
            "operation" => operation,
            "outcome" => outcome.outcome,
            "reason" => reason,
            "region" => outcome.region.clone().unwrap_or_else(|| "none".to_owned()),
        )
        .increment(1);
    }
    if is_token(reason) {
        counter!(AUTH_FAILURES, "reason" => reason).increment(1);
    }
}

/// Counts a request that is beyond its tenant's rate.
pub(crate) fn count_rate_limited(region: &Region) {
    counter!(RATE_LIMITED, "region" => region.as_str().to_owned()).increment(1);
}

/// Counts a request for an access token, by what it came to.
pub(crate) fn count_token_request(outcome: &'static str) {
    counter!(TOKEN_REQUESTS, "outcome" => outcome).increment(1);
}

/// Counts a request for a region that is elsewhere, by what became of it.
pub(crate) fn count_forward(region: &Region, outcome: &'static str) {
    let region = region.as_str().to_owned();
    counter!(FORWARDS, "region" => region, "outcome" => outcome).increment(1);
}

/// Shows whether a region's gateway does not answer.
pub(crate) fn show_breaker(region: &Region, is_open: bool) {
    let open = if is_open { 1.0 } else { 0.0 };
    gauge!(BREAKER, "region" => region.as_str().to_owned()).set(open);
}

/// Counts a question to Redis, by what came of it.
pub(crate) fn count_redis(operation: &'static str, outcome: &'static str, duration: Duration) {
    histogram!(
        STORE_DURATION,
        "db_system_name" => "redis",
        "db_operation_name" => operation,
        "outcome" => outcome,
    )
    .record(duration.as_secs_f64());
}

/// Counts a question that Redis was not asked, since it would not answer in time.
pub(crate) fn count_redis_skipped(operation: &'static str) {
    counter!(REDIS_SKIPPED, "db_operation_name" => operation).increment(1);
}

/// Shows whether Redis answers.
pub(crate) fn show_redis(is_up: bool) {
    gauge!(REDIS_UP).set(if is_up { 1.0 } else { 0.0 });
}

/// Counts the quirks that a request of a client's family needed.
pub fn count_quirks(notes: &Notes, client: &'static str) {
    for quirk in notes.quirks() {
        counter!(QUIRKS, "quirk" => quirk.id(), "client" => client).increment(1);
    }
}

/// Shows how many connections a pool has.
pub(crate) fn show_pool(pool: &str, idle: u32, used: u32) {
    for (state, count) in [("idle", idle), ("used", used)] {
        gauge!(CONNECTIONS, "pool" => pool.to_owned(), "state" => state).set(f64::from(count));
    }
}

/// Shows how old the registry's snapshot is.
pub(crate) fn show_snapshot_age(age: Duration) {
    gauge!(SNAPSHOT_AGE).set(age.as_secs_f64());
}

/// Shows how often what the registry's database held was not taken, for one reason.
pub(crate) fn show_snapshots_refused(reason: &'static str, count: u64) {
    counter!(SNAPSHOT_REFUSED, "reason" => reason).absolute(count);
}

/// Shows how much memory the process has, where the system tells (Linux).
pub(crate) fn show_memory() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u32>().ok());
    if let Some(kibibytes) = kibibytes {
        gauge!(MEMORY).set(f64::from(kibibytes) * 1024.0);
    }
}
