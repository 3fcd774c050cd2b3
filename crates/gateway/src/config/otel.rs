//! The standard `OTEL_*` variables: where traces go, and how many of them.

use super::problem::{Problem, Source};
use super::values::Values;

/// Where traces go. The exporter itself reads the rest (`OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`,
/// `OTEL_RESOURCE_ATTRIBUTES`) from the environment.
#[derive(Debug, Clone)]
pub struct OtelSettings {
    /// Whether an endpoint is named and the SDK is not switched off.
    pub is_on: bool,
    /// The name under which spans are filed.
    pub service_name: String,
    /// The share of traces that are kept, from 0 to 1.
    pub sampled: f64,
}

const SAMPLERS: &str =
    "unknown sampler; known are always_on, always_off, traceidratio and their parentbased_ forms";

pub(super) fn read(variables: &[(String, String)], values: &mut Values) -> OtelSettings {
    let find = |name: &str| {
        variables.iter().find(|(n, value)| n == name && !value.is_empty()).map(|(_, v)| v.as_str())
    };
    let mut problem = |name: &str, text: String| {
        let source = Source::Variable(name.to_owned());
        values.add_problem(Problem { key: name.to_owned(), source, text });
    };
    let endpoint = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .into_iter()
        .filter_map(|name| find(name).map(|url| (name, url)));
    let mut is_on = false;
    for (name, url) in endpoint {
        is_on = true;
        // The exporter's client has no TLS, and would fail on every batch.
        if !url.starts_with("http://") {
            let expected = "the http:// URL of a collector nearby, such as http://127.0.0.1:4318";
            problem(name, format!("must be {expected}"));
        }
    }
    for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] {
        if let Some(other) = find(name).filter(|protocol| *protocol != "http/protobuf") {
            problem(name, format!("only http/protobuf is spoken, and it is {other:?}"));
        }
    }
    let ratio = match find("OTEL_TRACES_SAMPLER_ARG").map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => {
            problem("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1".to_owned());
            1.0
        }
    };
    // No context from outside becomes a parent, so the parentbased_ forms are the same as the others.
    let sampler = find("OTEL_TRACES_SAMPLER").map(|name| name.trim_start_matches("parentbased_"));
    let sampled = match sampler {
        None | Some("traceidratio") => ratio,
        Some("always_on") => 1.0,
        Some("always_off") => 0.0,
        Some(_) => {
            problem("OTEL_TRACES_SAMPLER", SAMPLERS.to_owned());
            ratio
        }
    };
    let is_off = find("OTEL_SDK_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    OtelSettings {
        is_on: is_on && !is_off,
        service_name: find("OTEL_SERVICE_NAME").unwrap_or("muster").to_owned(),
        sampled,
    }
}
