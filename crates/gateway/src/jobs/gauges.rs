//! Gauges that nobody updates by doing something: pools, memory, the registry's snapshot.

use crate::app::stores::label;
use crate::state::State;
use crate::telemetry::metrics;
use actix_web::web;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(5);

/// Refreshes until stopped; a scrape refreshes too.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => refresh(&state),
        }
        // Histograms are gathered here when nobody scrapes, or they would grow.
        if let Ok(recorder) = metrics::recorder() {
            recorder.run_upkeep();
        }
    }
}

/// Reads everything that is shown.
pub(crate) fn refresh(state: &State) {
    for (region, shard, directory) in state.directories.iter() {
        let pool = directory.pool_state();
        metrics::show_pool(&label(region, shard), pool.idle, pool.size.saturating_sub(pool.idle));
    }
    for link in state.peers.links() {
        metrics::show_breaker(link.region(), link.is_open());
    }
    metrics::show_snapshot_age(state.registry.age());
    for (reason, count) in state.registry.refusals() {
        metrics::show_snapshots_refused(reason, count);
    }
    metrics::show_memory();
}
