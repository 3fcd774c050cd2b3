//! The ops port: alive, ready, metrics, version.
//!
//! **Invariant**: alive looks at nothing; ready asks every store this node serves, at most once a second.

use crate::state::State;
use crate::telemetry::metrics;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a store may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer of the stores stands.
const FRESH: Duration = Duration::from_secs(1);

/// The last answer of the stores.
#[derive(Debug, Default)]
pub struct Readiness {
    last: Mutex<Option<(Instant, Report)>>,
}

#[derive(Debug, Clone)]
struct Report {
    is_ready: bool,
    checks: Map<String, Value>,
}

/// Adds the routes of the ops port.
pub fn configure(service: &mut web::ServiceConfig) {
    service
        .service(web::resource("/livez").get(livez))
        .service(web::resource("/readyz").get(readyz))
        .service(web::resource("/metrics").get(render))
        .service(web::resource("/version").get(version));
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": "muster", "version": env!("CARGO_PKG_VERSION") }))
}

async fn readyz(state: web::Data<State>) -> HttpResponse {
    if state.draining.is_draining() {
        return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining" }));
    }
    let report = state.readiness.report(&state).await;
    if report.is_ready {
        return answer(StatusCode::OK, &json!({ "status": "ready", "checks": report.checks }));
    }
    let failed: Vec<&String> =
        report.checks.iter().filter(|(_, found)| *found != "ok").map(|(name, _)| name).collect();
    let body = json!({ "status": "not ready", "failed": failed, "checks": report.checks });
    answer(StatusCode::SERVICE_UNAVAILABLE, &body)
}

async fn render(state: web::Data<State>) -> HttpResponse {
    crate::jobs::gauges::refresh(&state);
    match metrics::recorder() {
        Ok(recorder) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(recorder.render()),
        Err(error) => HttpResponse::InternalServerError().body(format!("{error:#}\n")),
    }
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).insert_header(("Cache-Control", "no-store")).json(body)
}

impl Readiness {
    /// Asks the stores, unless they were asked a moment ago. Those who ask at once wait for one answer.
    async fn report(&self, state: &State) -> Report {
        let mut last = self.last.lock().await;
        if let Some((at, report)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let report = check(state).await;
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

async fn check(state: &State) -> Report {
    let mut checks = Map::new();
    // `Registry::open` returns with a snapshot or not at all, and serving goes on with it when the registry is gone:
    // its age is shown, and is no reason to send the requests to another node, which has lost the registry too.
    checks.insert("registry_snapshot".to_owned(), "ok".into());
    let asked = state.directories.iter().map(|(region, directory)| async move {
        let found = match tokio::time::timeout(PATIENCE, directory.ping()).await {
            Ok(Ok(())) => "ok",
            Ok(Err(_)) => "failed",
            Err(_) => "no answer within 1 s",
        };
        (format!("store_{region}"), found)
    });
    for (name, found) in futures_util::future::join_all(asked).await {
        checks.insert(name, found.into());
    }
    Report { is_ready: checks.values().all(|found| found == "ok"), checks }
}
