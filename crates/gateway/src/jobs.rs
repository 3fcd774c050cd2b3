//! Work besides requests: following the registry, purging, gauges.
//!
//! **Invariant**: each job may run on several nodes at once and twice in a row, and ends on its token.

pub(crate) mod gauges;
mod purge;

use crate::state::State;
use actix_web::web;
use tokio_util::sync::CancellationToken;

/// Starts every job on the tracker of the process.
pub fn start(state: &web::Data<State>, stop: &CancellationToken) {
    let registry = state.registry.clone();
    let token = stop.clone();
    state.tasks.spawn(async move { registry.follow(token).await });
    state.tasks.spawn(gauges::run(state.clone(), stop.clone()));
    state.tasks.spawn(purge::run(state.clone(), stop.clone()));
}
