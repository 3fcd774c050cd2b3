//! From one stage of a move to the next one, and the way back.
//!
//! **Invariant**: before the cut-over the source is what counts, and whatever fails leads back to it; after it the target is, and
//! whatever fails is done again until it is done.

use super::{EPOCHS, FEW, FROZEN_MOST, MoveError, Movers, ROUNDS, Step, proof};
use directory::Comparison;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{Manifest, Move, MoveStage, Registry, RegistryError, Tenant, TenantId};
use time::OffsetDateTime;

/// How long the deletion of a copy may take while nobody can write.
const DISCARD_MOST: Duration = Duration::from_secs(20);

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
                let copied = Box::pin(self.freeze(tenant, &moving, progress));
                self.within_limit(moving.stage_at, copied).await?;
                progress.frozen_at = Some(moving.stage_at);
                self.go(tenant, MoveStage::Frozen).await
            }
            MoveStage::Verifying => {
                let frozen_at = progress.frozen_at.unwrap_or(moving.stage_at);
                let compared = Box::pin(self.verify(tenant, &moving, progress));
                self.within_limit(frozen_at, compared).await?;
                self.go(tenant, MoveStage::Verifying).await
            }
            MoveStage::CutOver => Box::pin(self.settle(tenant, &moving, progress)).await,
            MoveStage::Moved => Ok(Step::Over),
            MoveStage::BackingOut => {
                Box::pin(self.take_back(tenant)).await?;
                Ok(Step::Over)
            }
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
    ) -> Result<(), MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        transfer.freeze().await?;
        // Of a mover that went on where another one stopped: all since that one began.
        let since = progress.since.unwrap_or(moving.started_at);
        let changed = transfer.finish(since, moving.stage_at).await?;
        progress.told.push(format!("{changed} rows that changed meanwhile copied"));
        Ok(())
    }

    /// Compares, and says of the copy that it may be opened.
    #[tracing::instrument(name = "gateway.move.verify", skip_all)]
    async fn verify(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &mut Progress,
    ) -> Result<(), MoveError> {
        let transfer = self.transfer(tenant, moving)?;
        transfer.freeze().await?;
        transfer.hold(tenant.epoch + EPOCHS).await?;
        let frozen_at = progress.frozen_at.unwrap_or(moving.stage_at - FROZEN_MOST);
        let compared = transfer.compare(frozen_at).await?;
        if !compared.is_same() {
            return Err(MoveError::Different(in_words(&compared)));
        }
        let rows: u64 = compared.tables.iter().map(|table| table.source).sum();
        transfer.approve(tenant.epoch + EPOCHS).await?;
        progress.told.push(format!("{rows} rows compared"));
        Ok(())
    }

    /// Waits until every node has heard, and lets the tenant be written in its new home.
    #[tracing::instrument(name = "gateway.move.settle", skip_all)]
    async fn settle(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        progress: &Progress,
    ) -> Result<Step, MoveError> {
        let heard = moving.stage_at + self.settled;
        if let Ok(left) = Duration::try_from(heard - self.clock.now())
            && !left.is_zero()
        {
            return Ok(Step::Wait(left));
        }
        // The old store is not asked: it may be what the tenant was moved away from.
        self.end(tenant, &moving.to)?.arm(tenant.epoch).await?;
        let step = self.go(tenant, MoveStage::CutOver).await?;
        let frozen_at = progress.frozen_at.unwrap_or(moving.stage_at - FROZEN_MOST * 2);
        // Else it comes when the old store is emptied.
        if let Err(error) = self.carry_rest(tenant, moving, frozen_at).await {
            let error = migrations::causes(&error);
            tracing::warn!(tenant.id = %tenant.id, error, "what the old store noted last could not be brought along yet");
        }
        Ok(step)
    }

    /// Who had not heard has read the old store for a moment, and noted that there.
    async fn carry_rest(
        &self,
        tenant: &Arc<Tenant>,
        moving: &Move,
        frozen_at: OffsetDateTime,
    ) -> Result<(), MoveError> {
        if self.store(&moving.from).is_err() {
            return Ok(());
        }
        let transfer = self.transfer(tenant, moving)?;
        transfer.retire(tenant.epoch).await?;
        transfer.carry_rest(frozen_at).await?;
        Ok(())
    }

    /// Deletes what a tenant that was moved has left, and writes down how much it was.
    ///
    /// # Errors
    /// [`MoveError`]; what was deleted stays deleted and counted.
    #[tracing::instrument(name = "gateway.move.purge", skip_all)]
    pub async fn purge(&self, tenant: &Arc<Tenant>) -> Result<(Tenant, Manifest), MoveError> {
        let moved = tenant.moving.as_ref().filter(|moving| moving.stage == MoveStage::Moved);
        let moving = moved.ok_or(RegistryError::MoveConflict)?;
        let transfer = self.end(tenant, &moving.from)?;
        if self.store(&moving.to).is_ok() {
            self.carry_rest(tenant, moving, moving.stage_at - FROZEN_MOST * 3).await?;
        } else {
            transfer.retire(tenant.epoch).await?;
        }
        let tables = transfer.purge_source().await?;
        let left: u64 = tables.iter().map(|table| table.after).sum();
        if left > 0 {
            return Err(MoveError::Left(left));
        }
        let proof = proof(&moving.from, &tables, self.clock.now());
        let (id, told) = (tenant.id.clone(), proof.clone());
        let record = |registry: Registry, by| async move {
            registry.record_move_purge(&id, &told, &by).await?.commit().await
        };
        Ok((self.tell(record).await?, proof))
    }

    /// Takes a move back that is not cut over: the tenant stays where it is. The registry is told first, so that no cut-over
    /// can be made any more; what the stores still hold of the attempt then is deleted, here or by a node that reaches it.
    ///
    /// # Errors
    /// [`MoveError`]; the stores are as they were.
    #[tracing::instrument(name = "gateway.move.back_out", skip_all)]
    pub async fn back_out(&self, id: &TenantId) -> Result<Tenant, MoveError> {
        let known = self.tenant(id).await?;
        let is_given_up = |moving: &Move| moving.stage == MoveStage::BackingOut;
        let given_up = if known.moving.as_ref().is_some_and(is_given_up) {
            known
        } else {
            let id = id.clone();
            let back_out = |registry: Registry, by| async move {
                registry.back_out_move(&id, &by).await?.commit().await
            };
            self.tell(back_out).await?
        };
        let given_up = Arc::new(given_up);
        match self.take_back(&given_up).await {
            Ok(tenant) => Ok(tenant),
            Err(error) => {
                let error = migrations::causes(&error);
                tracing::warn!(tenant.id = %id, error, "a move was given up, and its copy is not deleted yet");
                Ok(Tenant::clone(&given_up))
            }
        }
    }

    /// Takes back what a move that was given up has done to the stores, and ends it.
    ///
    /// # Errors
    /// [`MoveError`]; the tenant is served where it is, and the same can be tried again.
    pub async fn take_back(&self, tenant: &Arc<Tenant>) -> Result<Tenant, MoveError> {
        let given_up =
            tenant.moving.as_ref().filter(|moving| moving.stage == MoveStage::BackingOut);
        let moving = given_up.ok_or(RegistryError::MoveConflict)?;
        // Where this is not done, the first write does it.
        if let Ok(source) = self.end(tenant, &moving.from)
            && let Err(error) = source.thaw(tenant.epoch).await
        {
            let error = migrations::causes(&error);
            tracing::warn!(tenant.id = %tenant.id, error, "the old store could not be opened yet");
        }
        let copy = self.end(tenant, &moving.to)?;
        // A new store that has died must not hold up whoever waits for this.
        let deleted = tokio::time::timeout(DISCARD_MOST, copy.abandon()).await;
        deleted.unwrap_or(Err(directory::MoveError::Superseded))?;
        let id = tenant.id.clone();
        let end = |registry: Registry, by| async move {
            registry.end_back_out(&id, &by).await?.commit().await
        };
        self.tell(end).await
    }

    /// Ends the old address: who comes there is told the new one from now on.
    ///
    /// # Errors
    /// [`MoveError`]; the same can be tried again.
    pub async fn clear(&self, tenant: &Tenant) -> Result<Tenant, MoveError> {
        let id = tenant.id.clone();
        self.tell(|registry, by| async move { registry.clear_move(&id, &by).await?.commit().await })
            .await
    }

    async fn go(&self, tenant: &Tenant, from: MoveStage) -> Result<Step, MoveError> {
        let id = tenant.id.clone();
        let advance = |registry: Registry, by| async move {
            registry.advance_move(&id, from, &by).await?.commit().await
        };
        Ok(Step::Went(Box::new(self.tell(advance).await?)))
    }

    /// Does what nobody can write during, within the time that this may last.
    async fn within_limit(
        &self,
        frozen_at: OffsetDateTime,
        work: impl Future<Output = Result<(), MoveError>>,
    ) -> Result<(), MoveError> {
        let gone = Duration::try_from(self.clock.now() - frozen_at).unwrap_or_default();
        let left = FROZEN_MOST.saturating_sub(gone);
        tokio::time::timeout(left, work).await.unwrap_or(Err(MoveError::TooLong))
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
