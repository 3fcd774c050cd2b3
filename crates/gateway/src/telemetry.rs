//! What the process says about itself: the log, traces, metrics.
//!
//! **Invariant**: no token, body, name, e-mail address, query or path id is in any of the three. Field names are those
//! of docs/logging.md.

pub mod http;
pub mod metrics;
pub mod otlp;
pub(crate) mod span;

use crate::config::{Config, LogFormat, LogSettings};
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::writer::MakeWriterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// What was started and must be ended.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<otlp::Traces>,
}

/// Starts the log and, when an endpoint is configured, traces. Once in a process.
///
/// # Errors
/// When a log is already there, or when the exporter cannot be made.
pub fn start(config: &Config) -> anyhow::Result<Telemetry> {
    let traces = otlp::Traces::start(&config.otel)?;
    // Without an exporter nobody reads the spans inside a request; only the one that carries the request id is made.
    let all_spans = traces.is_some();
    let text = filter_fn(move |metadata| {
        metadata.is_event() || all_spans || metadata.target() == span::SPAN_TARGET
    });
    Registry::default()
        .with(layer(&config.log).with_filter(text))
        .with(traces.as_ref().map(otlp::Traces::layer))
        .with(config.log.level.clone())
        .try_init()?;
    Ok(Telemetry { traces })
}

/// Whether the listener was closed on purpose.
static LISTENER_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// From now on, that connections cannot be accepted is no news.
pub(crate) fn expect_closed_listener() {
    LISTENER_IS_CLOSED.store(true, Ordering::Relaxed);
}

/// Starts a log of warnings for a command that ends by itself.
///
/// # Errors
/// When a log is already there.
pub fn start_quiet() -> anyhow::Result<()> {
    let settings = LogSettings {
        format: LogFormat::Text,
        level: Targets::new().with_default(LevelFilter::WARN),
    };
    Registry::default().with(layer(&settings)).with(settings.level).try_init()?;
    Ok(())
}

impl Telemetry {
    /// Sends the spans that are still here. Blocks; not for a thread of the server.
    pub fn stop(self) {
        if let Some(traces) = self.traces {
            traces.stop();
        }
    }
}

fn layer<S>(settings: &LogSettings) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let is_terminal = io::stderr().is_terminal();
    let is_text = match settings.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => is_terminal,
    };
    let writer = io::stderr
        .with_filter(|metadata| {
            !is_of_connections(metadata)
                && (metadata.target() != "actix_server::accept"
                    || !LISTENER_IS_CLOSED.load(Ordering::Relaxed))
        })
        .or_else((|| NotOfClients(io::stderr())).with_filter(is_of_connections));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_target(true);
    if is_text {
        layer.with_ansi(is_terminal).boxed()
    } else {
        layer.json().flatten_event(true).with_span_list(false).boxed()
    }
}

/// Whether the server library says it of one connection.
fn is_of_connections(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "actix_http::h1::dispatcher"
}

/// Leaves out what the server library takes for an error and is a client's: anybody can send what is not HTTP, without end.
/// `connection::refusal` counts it, and tells it at `debug`. A filter of events would be the place for it; tracing-subscriber 0.3.23 panics in a debug build when one takes effect.
struct NotOfClients<W>(W);

impl<W: Write> Write for NotOfClients<W> {
    /// One line is one write.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if String::from_utf8_lossy(line).contains("stream error: request parse error") {
            return Ok(line.len());
        }
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
