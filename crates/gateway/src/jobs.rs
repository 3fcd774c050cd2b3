//! Work besides requests: following the registry, purging, warning of tokens that end, finishing switches, gauges.
//!
//! **Invariant**: each job may run on several nodes at once and twice in a row, and ends on its token. A job does what the
//! time that it is given asks for, and reads no clock.

pub mod expiry;
pub(crate) mod gauges;
pub mod moves;
pub mod purge;
pub mod switch;
pub mod uses;

use crate::state::State;
use actix_web::web;
use directory::DirectoryError;
use std::time::Duration;
use tenant_registry::{RegistryError, Tenant, TenantQuery, TenantState};
use tokio_util::sync::CancellationToken;

/// The first run waits, so that a node that restarts again and again does not do its rare work again and again.
const FIRST: Duration = Duration::from_mins(1);
/// Tenants that are read together.
const PAGE: u32 = 500;

/// Why a job did not do all of its work.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("the registry did not take part")]
    Registry(#[from] RegistryError),
    #[error("the directory did not take part")]
    Directory(#[from] DirectoryError),
}

/// Starts every job on the tracker of the process.
pub fn start(state: &web::Data<State>, stop: &CancellationToken) {
    let registry = state.registry.clone();
    let token = stop.clone();
    state.tasks.spawn(async move { registry.follow(token).await });
    state.tasks.spawn(gauges::run(state.clone(), stop.clone()));
    state.tasks.spawn(purge::run(state.clone(), stop.clone()));
    state.tasks.spawn(uses::run(state.clone(), stop.clone()));
    state.tasks.spawn(expiry::run(state.clone(), stop.clone()));
    state.tasks.spawn(switch::run(state.clone(), stop.clone()));
    state.tasks.spawn(moves::run(state.clone(), stop.clone()));
}

/// Does something again and again until stopped. What is under way then is dropped, and done by the next run.
async fn repeat<F: Future<Output = ()>>(
    stop: &CancellationToken,
    every: Duration,
    job: impl Fn() -> F,
) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every.min(FIRST), every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = job() => {}
        }
    }
}

/// The tenants whose data this node can reach, those in one state or all.
async fn tenants(state: &State, wanted: Option<TenantState>) -> Result<Vec<Tenant>, RegistryError> {
    let mut found: Vec<Tenant> = Vec::new();
    loop {
        let query = TenantQuery {
            after: found.last().map(|tenant| tenant.slug.clone()),
            limit: PAGE,
            region: state.directories.regions().cloned().collect(),
            state: wanted,
            ..TenantQuery::default()
        };
        let page = state.registry.tenants_page(&query).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}
