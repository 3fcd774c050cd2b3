//! Deleting what is older than it may be kept: history, and all of tenants that were closed.
//!
//! **Invariant**: the registry says that a tenant's data is being deleted before any of it is, and only of one that was closed
//! for long enough: from then on nobody resumes it.

use super::{JobError, repeat, tenants};
use crate::state::State;
use actix_web::web;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{Actor, By, Manifest, RegistryError, Tenant, TenantState};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_hours(1);

/// Purges once an hour until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    repeat(&stop, EVERY, || purge(&state, state.clock.now())).await;
}

/// Deletes what is too old at a time.
pub async fn purge(state: &State, now: OffsetDateTime) {
    let retention = state.config.retention;
    for (region, shard, directory) in state.directories.iter() {
        match directory.purge(now, now - retention.decisions, now - retention.deleted).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(%region, shard, rows, "old history purged"),
            Err(error) => {
                let error = migrations::causes(&error);
                tracing::warn!(%region, shard, error, "old history could not be purged; the next run tries again");
            }
        }
    }
    let due = match due(state, now - retention.closed).await {
        Ok(due) => due,
        Err(error) => {
            let error = migrations::causes(&error);
            tracing::warn!(error, "closed tenants could not be read; the next run tries again");
            return;
        }
    };
    for tenant in &due {
        match purge_tenant(state, tenant, now).await {
            Ok(None) => {}
            Ok(Some(rows)) => {
                tracing::info!(tenant.id = %tenant.id, rows, "closed tenant purged");
            }
            Err(error) => {
                let error = migrations::causes(&error);
                tracing::warn!(tenant.id = %tenant.id, error, "closed tenant could not be purged; the next run goes on");
            }
        }
    }
}

/// The tenants that were closed before a time, and those whose purge has begun: it goes on, whatever is kept for how long by
/// now.
async fn due(state: &State, before: OffsetDateTime) -> Result<Vec<Tenant>, RegistryError> {
    let mut due = tenants(state, Some(TenantState::Purging)).await?;
    let closed = tenants(state, Some(TenantState::Closed)).await?;
    let is_past = |tenant: &Tenant| tenant.closed_at.unwrap_or(tenant.updated_at) <= before;
    due.extend(closed.into_iter().filter(is_past));
    Ok(due)
}

/// Deletes all of a closed tenant and writes the proof; how many rows went, or nothing when it is not closed any more.
async fn purge_tenant(
    state: &State,
    tenant: &Tenant,
    now: OffsetDateTime,
) -> Result<Option<u64>, JobError> {
    let Some(directory) = state.directories.of(tenant) else { return Ok(None) };
    let before = now - state.config.retention.closed;
    let by = By::new(Actor::System("purge"), now);
    let tenant = match state.registry.begin_purge(&tenant.id, before, &by).await {
        Ok(pending) => Arc::new(pending.commit().await?),
        // It was resumed while others were purged, or another node has purged it.
        Err(RegistryError::StateConflict { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let tables = directory.purge_all(&tenant).await?;
    let tables = tables.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
    let proof = Manifest { region: tenant.region.clone(), at: now, tables };
    let pending = state.registry.record_purge(&tenant.id, &proof, &by).await?;
    // Another node may have written the same proof.
    let rows = pending.changed().then(|| proof.tables.values().sum());
    pending.commit().await?;
    Ok(rows)
}
