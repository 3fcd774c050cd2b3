//! Deleting history that is older than it may be kept.

use crate::state::State;
use actix_web::web;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_hours(1);
/// The first run waits, so that a node that restarts again and again does not purge again and again.
const FIRST: Duration = Duration::from_mins(1);

/// Purges once an hour until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = purge(&state) => {}
        }
    }
}

async fn purge(state: &State) {
    let now = state.clock.now();
    let retention = state.config.retention;
    for (region, directory) in &state.directories {
        match directory.purge(now, now - retention.decisions, now - retention.deleted).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(%region, rows, "old history purged"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(%region, error, "old history could not be purged; the next run tries again");
            }
        }
    }
}
