//! Deleting what is older than it may be kept: history, and all of tenants that were closed.
//!
//! **Invariant**: a tenant is purged when the registry says at that moment that it is closed, and has been for long enough.

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
    let closed = match tenants(state, Some(TenantState::Closed)).await {
        Ok(closed) => closed,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "closed tenants could not be read; the next run tries again");
            return;
        }
    };
    for tenant in closed.iter().filter(|tenant| is_due(tenant, now - retention.closed)) {
        match purge_tenant(state, tenant, now).await {
            Ok(None) => {}
            Ok(Some(rows)) => {
                tracing::info!(tenant.id = %tenant.id, rows, "closed tenant purged");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(tenant.id = %tenant.id, error, "closed tenant could not be purged; the next run goes on");
            }
        }
    }
}

/// Whether a tenant was closed before a time.
fn is_due(tenant: &Tenant, before: OffsetDateTime) -> bool {
    let closed_at = tenant.closed_at.unwrap_or(tenant.updated_at);
    tenant.state == TenantState::Closed && closed_at <= before
}

/// Deletes all of a closed tenant and writes the proof; how many rows went, or nothing when it is not closed any more.
async fn purge_tenant(
    state: &State,
    tenant: &Tenant,
    now: OffsetDateTime,
) -> Result<Option<u64>, JobError> {
    let before = now - state.config.retention.closed;
    // Read again: it may have been resumed while others were purged.
    let Some(tenant) = state.registry.find_tenant(tenant.id.as_str()).await? else {
        return Ok(None);
    };
    if !is_due(&tenant, before) {
        return Ok(None);
    }
    let Some(directory) = state.directories.get(&tenant.region) else { return Ok(None) };
    let tenant = Arc::new(tenant);
    let tables = directory.purge_all(&tenant).await?;
    let tables = tables.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
    let proof = Manifest { region: tenant.region.clone(), at: now, tables };
    let by = By::new(Actor::System("purge"), now);
    let pending = match state.registry.record_purge(&tenant.id, &proof, &by).await {
        Err(error @ RegistryError::StateConflict { .. }) => return Err(JobError::Reopened(error)),
        outcome => outcome?,
    };
    // Another node may have written the same proof.
    let rows = pending.changed().then(|| proof.tables.values().sum());
    pending.commit().await?;
    Ok(rows)
}
