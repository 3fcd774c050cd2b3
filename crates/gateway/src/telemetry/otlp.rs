//! Traces: OpenTelemetry over HTTP, in batches, from a thread of its own.
//!
//! **Invariant**: the exporter is the blocking one. The asynchronous one panics in the batch thread, which has no
//! runtime, and then no span ever leaves. An exporter that fails is logged by the SDK and never fails a request.

use crate::config::OtelSettings;
use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Whether spans are read by anyone, so that requests do not describe themselves for nothing.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Whether spans leave this process.
#[must_use]
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// The exporter and its queue.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the exporter if an endpoint is configured.
    ///
    /// # Errors
    /// When its client cannot be made.
    pub fn start(settings: &OtelSettings) -> anyhow::Result<Option<Self>> {
        if !settings.is_on {
            return Ok(None);
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .build()
            .context("the trace exporter could not be made")?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sampled)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(
                Resource::builder().with_service_name(settings.service_name.clone()).build(),
            )
            .build();
        IS_ON.store(true, Ordering::Relaxed);
        Ok(Some(Self { provider }))
    }

    /// The layer that turns spans into traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // The line of a request says what its span says already; the libraries' own spans are theirs.
        let ours = |metadata: &Metadata<'_>| {
            let target = metadata.target();
            metadata.is_span() && OURS.iter().any(|name| target.starts_with(name))
        };
        tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.provider.tracer("muster"))
            .with_filter(filter_fn(ours))
    }

    /// Sends what is queued and ends the thread.
    pub(super) fn stop(self) {
        IS_ON.store(false, Ordering::Relaxed);
        if let Err(error) = self.provider.shutdown_with_timeout(Duration::from_secs(5)) {
            tracing::warn!(error = %error, "the last spans could not be sent");
        }
    }
}

/// Where our spans come from.
const OURS: [&str; 8] = [
    "muster",
    "gateway",
    "directory",
    "tenant_registry",
    "region_router",
    "provisioning",
    "scim_core",
    "migrations",
];
