//! From one stage of a move to the next one, and the way back.
//!
//! **Invariant**: before the cut-over the source is what counts, and whatever fails leads back to it; after it the target is, and
//! whatever fails is done again until it is done.

use super::{EPOCHS, FEW, FROZEN_MOST, MoveError, Movers, ROUNDS, Step, proof};
use directory::{Comparison, Transfer};
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{Manifest, Move, MoveStage, RegistryError, Tenant};
use time::OffsetDateTime;

/// How long the deletion of a copy may take while nobody can write.
const DISCARD_MOST: Duration = Duration::from_secs(20);

/// What is left of a copy whose move was taken back.
#[derive(Debug)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// What could not be deleted at once.
    Some(Box<Transfer>),
}

/// What one mover remembers from step to step, so that nobody waits longer than is needed. Without it more is done again.
#[derive(Debug, Default)]
pub struct Progress {
    /// What was changed before this is in the copy.
    since: Option<OffsetDateTime>,
    /// Since when nobody writes.
    frozen_at: Option<OffsetDateTime>,
    /// What is told of a step while it is done.
    pub told: Vec<String>,
}

impl Movers {
    /// Does what comes next in a tenant's move.
    ///
    /// # Errors
    /// [`MoveError`]: nothing is lost, and the same can be tried again.
    pub async fn advance(
        &self,
        tenant: &Arc<Tenant>,
        progress: &mut Progress,
    ) -> Result<Step, MoveError> {
        let Some(moving) = tenant.moving.clone() else { return Ok(Step::Over) };
        match moving.stage {
            MoveStage::Preparing => Box::pin(self.prepare(tenant, &moving, progress)).await,
            MoveStage::Frozen => {
                let step = Box::pin(self.freeze(tenant, &moving, progress));
                self.within_limit(&moving, step).await
            }
            MoveStage::Verifying => {
                let step = Box::pin(self.verify(tenant, &moving, progress));
                self.within_limit(&moving, step).await
            }
            MoveStage::CutOver => Box::pin(self.settle(tenant, &moving, progress)).await,
            MoveStage::Moved => Ok(Step::Over),
        }
    }

    /// Copies everything, and again what changed meanwhile, until that is little.
    #[tracing::instrument(name = "gateway.move.prepare", skip_all)]
    async fn prepare(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &mut Progress,
    ) -> Result<Step, MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        let mut since = self.clock.now();
        let rows = transfer.prepare(&self.told).await?;
        progress.told.push(format!("{rows} rows copied"));
        for _ in 0..ROUNDS {
            let next = self.clock.now();
            let changed = transfer.catch_up(since).await?;
            since = next;
            if changed <= FEW {
                break;
            }
        }
        progress.since = Some(since);
        self.go(tenant, MoveStage::Preparing).await
    }

    /// Ends writing, and copies the last changes.
    #[tracing::instrument(name = "gateway.move.freeze", skip_all)]
    async fn freeze(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &mut Progress,
    ) -> Result<Step, MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        transfer.freeze().await?;
        // Of a mover that went on where another one stopped: all since that one began.
        let since = progress.since.unwrap_or(moving.started_at);
        progress.frozen_at = Some(moving.stage_at);
        let changed = transfer.finish(since, moving.stage_at).await?;
        progress.told.push(format!("{changed} rows that changed meanwhile copied"));
        self.go(tenant, MoveStage::Frozen).await
    }

    /// Compares, and makes the copy the one that counts.
    #[tracing::instrument(name = "gateway.move.verify", skip_all)]
    async fn verify(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &mut Progress,
    ) -> Result<Step, MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        transfer.freeze().await?;
        let frozen_at = progress.frozen_at.unwrap_or(moving.stage_at - FROZEN_MOST);
        let compared = transfer.compare(frozen_at).await?;
        if !compared.is_same() {
            return Err(MoveError::Different(in_words(&compared)));
        }
        let rows: u64 = compared.tables.iter().map(|table| table.source).sum();
        progress.told.push(format!("{rows} rows compared"));
        self.go(tenant, MoveStage::Verifying).await
    }

    /// Waits until every node has heard, and lets the tenant be written in its new home.
    #[tracing::instrument(name = "gateway.move.settle", skip_all)]
    async fn settle(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &Progress,
    ) -> Result<Step, MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        let heard = moving.stage_at + self.settled;
        if let Ok(left) = Duration::try_from(heard - self.clock.now())
            && !left.is_zero()
        {
            return Ok(Step::Wait(left));
        }
        // Who had not heard has read the old store until now, and noted that there.
        transfer.retire(tenant.epoch).await?;
        let frozen_at = progress.frozen_at.unwrap_or(moving.stage_at - FROZEN_MOST * 2);
        transfer.carry_rest(frozen_at).await?;
        transfer.arm(tenant.epoch).await?;
        self.go(tenant, MoveStage::CutOver).await
    }

    /// Deletes what a tenant that was moved has left, and writes down how much it was.
    ///
    /// # Errors
    /// [`MoveError`]; what was deleted stays deleted and counted.
    #[tracing::instrument(name = "gateway.move.purge", skip_all)]
    pub async fn purge(&self, tenant: &Arc<Tenant>) -> Result<(Tenant, Manifest), MoveError> {
        let moved = tenant.moving.as_ref().filter(|moving| moving.stage == MoveStage::Moved);
        let moving = moved.ok_or(RegistryError::MoveConflict)?;
        let transfer = self.transfer(tenant, moving)?;
        transfer.retire(tenant.epoch).await?;
        let tables = transfer.purge_source().await?;
        let left: u64 = tables.iter().map(|table| table.after).sum();
        if left > 0 {
            return Err(MoveError::Left(left));
        }
        let proof = proof(&moving.from, &tables, self.clock.now());
        let pending = self.registry.record_move_purge(&tenant.id, &proof, &self.by()).await?;
        Ok((pending.commit().await?, proof))
    }

    /// Takes a move back that is not cut over: the tenant stays where it is, and nothing of the copy is left.
    ///
    /// # Errors
    /// [`MoveError`]; the same can be tried again.
    #[tracing::instrument(name = "gateway.move.back_out", skip_all)]
    pub async fn back_out(&self, tenant: &Arc<Tenant>) -> Result<Tenant, MoveError> {
        let copy = self.take_back(tenant).await?;
        let pending = self.registry.back_out_move(&tenant.id, &self.by()).await?;
        let tenant = pending.commit().await?;
        if let Left::Some(transfer) = copy {
            transfer.abandon().await?;
        }
        Ok(tenant)
    }

    /// Takes back what a move has done to the stores; the registry has to be told after it: as long as it knows of the move,
    /// somebody takes back what this one has left half done.
    ///
    /// # Errors
    /// [`MoveError`]; the same can be tried again.
    pub async fn take_back(&self, tenant: &Arc<Tenant>) -> Result<Left, MoveError> {
        let moving = tenant.moving.as_ref().filter(|moving| !moving.stage.has_left());
        let transfer = self.transfer(tenant, moving.ok_or(RegistryError::MoveConflict)?)?;
        // A new store that has died must not keep the old one closed.
        let discarded = tokio::time::timeout(DISCARD_MOST, transfer.abandon()).await;
        transfer.thaw(tenant.epoch + EPOCHS).await?;
        match discarded {
            Ok(Ok(())) => Ok(Left::Nothing),
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(tenant.id = %tenant.id, error, "what was copied could not be deleted");
                Ok(Left::Some(Box::new(transfer)))
            }
            Err(_elapsed) => Ok(Left::Some(Box::new(transfer))),
        }
    }

    /// Ends the old address: who comes there is told the new one from now on.
    ///
    /// # Errors
    /// [`MoveError`]; the same can be tried again.
    pub async fn clear(&self, tenant: &Tenant) -> Result<Tenant, MoveError> {
        Ok(self.registry.clear_move(&tenant.id, &self.by()).await?.commit().await?)
    }

    async fn go(&self, tenant: &Tenant, from: MoveStage) -> Result<Step, MoveError> {
        let pending = self.registry.advance_move(&tenant.id, from, &self.by()).await?;
        Ok(Step::Went(Box::new(pending.commit().await?)))
    }

    /// Does a step for which nobody can write, within the time that this may last.
    async fn within_limit(
        &self,
        moving: &Move,
        step: impl Future<Output = Result<Step, MoveError>>,
    ) -> Result<Step, MoveError> {
        let gone = Duration::try_from(self.clock.now() - moving.stage_at).unwrap_or_default();
        let left = FROZEN_MOST.saturating_sub(gone);
        tokio::time::timeout(left, step).await.unwrap_or(Err(MoveError::TooLong))
    }
}

/// What differs, by the names of tables: a row's key could name somebody.
fn in_words(compared: &Comparison) -> String {
    let tables = compared
        .tables
        .iter()
        .filter(|table| table.source != table.target || table.source_hash != table.target_hash);
    let told: Vec<String> = tables
        .map(|table| format!("{} has {} rows and {}", table.table, table.source, table.target))
        .collect();
    format!("{} rows differ; {}", compared.different, told.join(", "))
}
