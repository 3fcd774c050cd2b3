//! Ending moves: those that are cut over are finished, those that nobody drives are taken back, and what was left behind is
//! deleted when its time has come.
//!
//! **Invariant**: under the lease that keeps two movers apart. Nothing is begun here, and no tenant is taken over the line.

use super::repeat;
use crate::moving::{FROZEN_MOST, MoveError, Movers, Progress, Step, holder};
use crate::state::State;
use actix_web::web;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{Actor, Move, MoveStage, Tenant};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(2);

/// Looks for moves to end until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let movers = Movers::new(
        (&state.registry, &state.directories),
        &state.config,
        holder("node"),
        Actor::System("move"),
    );
    repeat(&stop, EVERY, || end(&movers, state.clock.now())).await;
}

/// Does what is to be done at a time of every move that this node can reach.
pub async fn end(movers: &Movers, now: OffsetDateTime) {
    for tenant in movers.registry.moving() {
        match Box::pin(end_one(movers, &tenant, now)).await {
            Ok(()) => {}
            Err(error) if error.is_others() => {}
            Err(error) => {
                let error = migrations::causes(&error);
                tracing::warn!(tenant.id = %tenant.id, error, "a move could not be ended; the next run goes on");
            }
        }
    }
}

async fn end_one(movers: &Movers, tenant: &Tenant, now: OffsetDateTime) -> Result<(), MoveError> {
    let Some(moving) = &tenant.moving else { return Ok(()) };
    // Other nodes have the stores that this one has not.
    if !is_reached(movers, moving) || !is_due(movers, moving, now) {
        return Ok(());
    }
    if moving.stage.can_back_out() && !is_abandoned(movers, tenant, now).await? {
        return Ok(());
    }
    movers.holding(&tenant.id, Box::pin(go_on(movers, tenant, now))).await?;
    movers.registry.release_move_lease(&tenant.id, &movers.holder).await?;
    Ok(())
}

/// Whether what comes next can be done here: of the two stores it needs one at most.
fn is_reached(movers: &Movers, moving: &Move) -> bool {
    match moving.stage {
        // The registry is told; then it is as with the next one.
        MoveStage::Preparing | MoveStage::Frozen | MoveStage::Verifying => {
            movers.store(&moving.from).is_ok() || movers.store(&moving.to).is_ok()
        }
        MoveStage::BackingOut | MoveStage::CutOver => movers.store(&moving.to).is_ok(),
        MoveStage::Moved if moving.purged_at.is_none() => movers.store(&moving.from).is_ok(),
        MoveStage::Moved => true,
    }
}

/// Whether anything is to be done by now.
fn is_due(movers: &Movers, moving: &Move, now: OffsetDateTime) -> bool {
    let since = now - moving.stage_at;
    match moving.stage {
        MoveStage::Preparing | MoveStage::Frozen | MoveStage::Verifying => since >= FROZEN_MOST,
        MoveStage::CutOver | MoveStage::BackingOut => true,
        MoveStage::Moved if moving.purged_at.is_none() => since >= movers.retention.moved_data,
        MoveStage::Moved => since >= movers.retention.moved_tombstone,
    }
}

/// Whether nobody has driven a move for as long as writing may be stopped.
async fn is_abandoned(
    movers: &Movers,
    tenant: &Tenant,
    now: OffsetDateTime,
) -> Result<bool, MoveError> {
    let lease = movers.registry.move_lease(&tenant.id).await?;
    Ok(lease.is_none_or(|lease| now - lease.until >= FROZEN_MOST))
}

/// Does what comes next until nothing is due, as the registry's database says it under the lease: what this node has in memory
/// may be of a moment ago.
async fn go_on(movers: &Movers, tenant: &Tenant, now: OffsetDateTime) -> Result<(), MoveError> {
    let mut progress = Progress::default();
    loop {
        let tenant = Arc::new(movers.tenant(&tenant.id).await?);
        let is_next = |moving: &&Move| is_due(movers, moving, now) && is_reached(movers, moving);
        let Some(moving) = tenant.moving.as_ref().filter(is_next) else {
            return Ok(());
        };
        match moving.stage {
            MoveStage::Preparing | MoveStage::Frozen | MoveStage::Verifying => {
                Box::pin(movers.back_out(&tenant.id)).await?;
                tracing::warn!(tenant.id = %tenant.id, "a move that nobody drove was taken back");
                return Ok(());
            }
            MoveStage::BackingOut => drop(Box::pin(movers.take_back(&tenant)).await?),
            MoveStage::CutOver => match movers.advance(&tenant, &mut progress).await? {
                Step::Wait(left) => tokio::time::sleep(left).await,
                Step::Went(_) => tracing::info!(tenant.id = %tenant.id, "a move was ended"),
                Step::Over => return Ok(()),
            },
            MoveStage::Moved if moving.purged_at.is_none() => {
                let (_, proof) = Box::pin(movers.purge(&tenant)).await?;
                let rows: u64 = proof.tables.values().sum();
                tracing::info!(tenant.id = %tenant.id, rows, "what a move left behind was deleted");
            }
            MoveStage::Moved => {
                movers.clear(&tenant).await?;
                tracing::info!(tenant.id = %tenant.id, "the old address of a tenant ended");
            }
        }
    }
}
