//! The ops port: alive, ready, metrics, version.
//!
//! **Invariant**: alive looks at nothing; ready asks every store this node serves, at most once a second. A node that serves
//! from an old snapshot of the registry, or lacks some of its stores, is ready for the rest, and says so.

use crate::app::stores::label;
use crate::state::State;
use crate::telemetry::metrics;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tenant_registry::Standing;
use tokio::sync::Mutex;

/// How long a store may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer of the stores stands.
const FRESH: Duration = Duration::from_secs(1);

/// The check of the registry.
const REGISTRY: &str = "registry_snapshot";

/// The last answer of the stores.
#[derive(Debug, Default)]
pub struct Readiness {
    last: Mutex<Option<(Instant, Report)>>,
}

#[derive(Debug, Clone)]
struct Report {
    is_ready: bool,
    /// It does not hear of changes, or some of its stores are away.
    is_degraded: bool,
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
        let status = if report.is_degraded { "degraded" } else { "ready" };
        return answer(StatusCode::OK, &json!({ "status": status, "checks": report.checks }));
    }
    let failed: Vec<&String> = report
        .checks
        .iter()
        .filter(|(name, found)| *found != "ok" && name.starts_with("store_"))
        .map(|(name, _)| name)
        .collect();
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
    // Serving goes on with the last snapshot when the registry is gone: that is shown, and is no reason to send the
    // requests to another node, which has lost the registry too.
    let (registry, is_degraded) = match state.registry.standing() {
        Standing::Current => ("ok", false),
        Standing::Unreached => {
            ("the registry's database does not answer; known tenants are served", true)
        }
        Standing::Doubted => (
            "what the registry's database holds is not taken; known tenants are served as before",
            true,
        ),
    };
    checks.insert(REGISTRY.to_owned(), registry.into());
    let (mut answering, mut away) = (0, 0);
    let asked = state.directories.iter().map(|(region, shard, directory)| async move {
        let found = match tokio::time::timeout(PATIENCE, directory.ping()).await {
            Ok(Ok(())) => "ok",
            Ok(Err(_)) => "failed",
            Err(_) => "no answer within 1 s",
        };
        (format!("store_{}", label(region, shard)), found)
    });
    for (name, found) in futures_util::future::join_all(asked).await {
        if found == "ok" {
            answering += 1;
        } else {
            away += 1;
        }
        checks.insert(name, found.into());
    }
    for (region, shard) in state.directories.missing() {
        away += 1;
        checks.insert(format!("store_{}", label(region, shard)), "not open yet".into());
    }
    for (region, shard, directory) in state.directories.iter() {
        if let Some(is_used) = directory.replica_in_use() {
            let found = if is_used { "ok" } else { "behind or away; the store itself is read" };
            checks.insert(format!("replica_{}", label(region, shard)), found.into());
        }
    }
    // Who asks another node for the regions that are away loses those that are here.
    let is_ready = away == 0 || answering > 0;
    Report { is_ready, is_degraded: is_degraded || away > 0, checks }
}
