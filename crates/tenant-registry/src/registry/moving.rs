//! Taking a tenant from one store to another, as far as the registry goes.
//!
//! **Invariant**: one move at a time, stage by stage. The home and the epoch change in one row, in one commit, and nowhere else.
//! A stage is left by whoever finds it as it is: of two movers one goes on.

use super::change::{Change, Diff};
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::tenant::{ActiveModel, Column, Entity};
use crate::error::RegistryError;
use crate::manifest::Manifest;
use crate::moving::{Home, Move, MoveLease, MoveStage};
use crate::tenant::id::TenantId;
use crate::tenant::{Tenant, is_shard};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde_json::json;
use time::OffsetDateTime;

/// How much the epoch rises in a move: one for the freeze of the old home, one for the new.
const EPOCHS: i64 = 2;
/// How often a lease is looked at again that another mover changed meanwhile.
const TRIES: usize = 4;

impl Registry {
    /// Begins to move a tenant to another store. A move between shards whose old rows are deleted makes room for the next
    /// one; between regions the old address stands until [`Self::clear_move`].
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] when a move is under way, or its old address stands, or the tenant is there already;
    /// [`RegistryError::Switching`] when it is on its way to another population; [`RegistryError::UnknownRegion`] and
    /// [`RegistryError::ShardInvalid`]; when there is no such tenant, its data is being deleted, it is not the one that the
    /// caller has seen, or the database fails.
    pub async fn begin_move(
        &self,
        id: &TenantId,
        to: &Home,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        if !is_shard(&to.shard) {
            return Err(RegistryError::ShardInvalid);
        }
        let regions = self.shared.options.regions.as_ref();
        if regions.is_some_and(|regions| !regions.contains(&to.region)) {
            return Err(RegistryError::UnknownRegion(to.region.clone()));
        }
        self.go(id, by, "move.begin", |change, old| {
            if old.state.is_gone() {
                return Err(RegistryError::TenantClosed(old.state));
            }
            if old.switch.is_some() {
                return Err(RegistryError::Switching);
            }
            let is_over =
                |last: &Move| last.purged_at.is_some() && last.from.region == last.to.region;
            if old.home() == *to || !old.moving.as_ref().is_none_or(is_over) {
                return Err(RegistryError::MoveConflict);
            }
            let (from, at) = (old.home(), change.at);
            Ok(Next {
                moving: Some(Move {
                    from: from.clone(),
                    to: to.clone(),
                    stage: MoveStage::Preparing,
                    started_at: at,
                    stage_at: at,
                    purged_at: None,
                }),
                home: from,
                epoch: old.epoch,
            })
        })
        .await
    }

    /// Goes from a stage to the one after it. To [`MoveStage::CutOver`] is the one step in which the home changes.
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] when there is no move at this stage, or it is the last; otherwise as
    /// [`Self::begin_move`].
    pub async fn advance_move(
        &self,
        id: &TenantId,
        from: MoveStage,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let action = match from {
            MoveStage::Preparing => "move.freeze",
            MoveStage::Frozen => "move.verify",
            MoveStage::Verifying => "move.cut_over",
            MoveStage::CutOver | MoveStage::Moved | MoveStage::BackingOut => "move.finish",
        };
        self.go(id, by, action, |change, old| {
            let moving = old.moving.as_ref().filter(|moving| moving.stage == from);
            let (moving, stage) = moving.zip(from.next()).ok_or(RegistryError::MoveConflict)?;
            if old.state.is_gone() {
                return Err(RegistryError::TenantClosed(old.state));
            }
            let enters = stage == MoveStage::CutOver;
            Ok(Next {
                home: if enters { moving.to.clone() } else { old.home() },
                epoch: if enters { old.epoch + EPOCHS } else { old.epoch },
                moving: Some(Move { stage, stage_at: change.at, ..moving.clone() }),
            })
        })
        .await
    }

    /// Gives a move up: the tenant stays where it is, and from now on no cut-over can be made. The epoch rises as if it had
    /// moved, so that nothing that the attempt left behind counts. What it left in the stores is taken back after this, and
    /// never before it.
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] when there is none, or it is cut over; otherwise as [`Self::begin_move`].
    pub async fn back_out_move(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.go(id, by, "move.back_out", |change, old| {
            let moving = old.moving.as_ref().filter(|moving| moving.stage.can_back_out());
            let moving = moving.ok_or(RegistryError::MoveConflict)?;
            let (stage, stage_at) = (MoveStage::BackingOut, change.at);
            Ok(Next {
                moving: Some(Move { stage, stage_at, ..moving.clone() }),
                home: old.home(),
                epoch: old.epoch + EPOCHS,
            })
        })
        .await
    }

    /// Ends a move that was given up, when nothing of its copy is left.
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] unless it was given up; otherwise as [`Self::begin_move`].
    pub async fn end_back_out(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.go(id, by, "move.end_back_out", |_, old| {
            let given_up = |moving: &&Move| moving.stage == MoveStage::BackingOut;
            old.moving.as_ref().filter(given_up).ok_or(RegistryError::MoveConflict)?;
            Ok(Next { moving: None, home: old.home(), epoch: old.epoch })
        })
        .await
    }

    /// Writes down that the old home is empty, with the numbers. Once is enough.
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] unless a tenant has moved; otherwise as [`Self::begin_move`].
    #[tracing::instrument(name = "registry.tenant.record_move_purge", skip_all)]
    pub async fn record_move_purge(
        &self,
        id: &TenantId,
        proof: &Manifest,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let moved = old.moving.clone().filter(|moving| moving.stage == MoveStage::Moved);
        let moved = moved.ok_or(RegistryError::MoveConflict)?;
        if moved.purged_at.is_some() {
            return change.nothing(old).await;
        }
        let mut diff = Diff::default();
        diff.note("from", None, Some(moved.from.to_string()));
        diff.note("rows", 0, proof.tables.values().sum());
        diff.note("tables", json!(null), json!(proof.tables));
        let mut row = row.into_active_model();
        row.moving = Set(Move { purged_at: Some(change.at), ..moved }.to_column());
        change.update("move.purge", old, row, diff).await
    }

    /// Ends a move: from now on the old address leads nowhere.
    ///
    /// # Errors
    /// [`RegistryError::MoveConflict`] unless the tenant has moved and its old home is empty; otherwise as
    /// [`Self::begin_move`].
    pub async fn clear_move(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.go(id, by, "move.clear", |_, old| {
            let moving = old.moving.as_ref().filter(|moving| moving.purged_at.is_some());
            moving.ok_or(RegistryError::MoveConflict)?;
            Ok(Next { moving: None, home: old.home(), epoch: old.epoch })
        })
        .await
    }

    /// Takes the right to drive a tenant's move until an instant, or keeps it.
    ///
    /// It is no change of the registry: it has no audit row, and no node hears of it. It keeps movers from getting into each
    /// other's way; that they do no harm where it fails is the stages' doing.
    ///
    /// # Errors
    /// [`RegistryError::MoveHeld`] when another one has it; when there is no such tenant, the holder's name has white space or
    /// more than 100 characters, or the database fails.
    #[tracing::instrument(name = "registry.tenant.take_move_lease", skip_all)]
    pub async fn take_move_lease(
        &self,
        id: &TenantId,
        holder: &str,
        until: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<MoveLease, RegistryError> {
        if !MoveLease::is_holder(holder) {
            return Err(RegistryError::NameInvalid { what: "holder", most: 100 });
        }
        let lease = MoveLease { holder: holder.to_owned(), until };
        for _ in 0..TRIES {
            let seen = self.lease_column(id).await?;
            if let Some(held) = MoveLease::from_column(&seen)
                && held.holder != holder
                && held.until > now
            {
                return Err(RegistryError::MoveHeld(held));
            }
            if self.replace_lease(id, &seen, &lease.to_column()).await? {
                return Ok(lease);
            }
        }
        Err(RegistryError::MoveConflict)
    }

    /// Gives the right back, where this holder has it.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn release_move_lease(
        &self,
        id: &TenantId,
        holder: &str,
    ) -> Result<(), RegistryError> {
        let seen = self.lease_column(id).await?;
        if MoveLease::from_column(&seen).is_some_and(|held| held.holder == holder) {
            self.replace_lease(id, &seen, "").await?;
        }
        Ok(())
    }

    /// Who has the right to drive a tenant's move, as the database says; also one whose time is over.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn move_lease(&self, id: &TenantId) -> Result<Option<MoveLease>, RegistryError> {
        Ok(MoveLease::from_column(&self.lease_column(id).await?))
    }

    async fn lease_column(&self, id: &TenantId) -> Result<String, RegistryError> {
        let text: Option<String> = Entity::find_by_id(id.as_str())
            .select_only()
            .column(Column::MoveLease)
            .into_tuple()
            .one(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        text.ok_or(RegistryError::TenantNotFound)
    }

    async fn replace_lease(
        &self,
        id: &TenantId,
        seen: &str,
        new: &str,
    ) -> Result<bool, RegistryError> {
        let done = Entity::update_many()
            .col_expr(Column::MoveLease, Expr::value(new))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::MoveLease.eq(seen))
            .exec(self.db()?.writer())
            .await
            .map_err(RegistryError::Database)?;
        Ok(done.rows_affected > 0)
    }

    /// One step: what the move is then, where the tenant lives, and since which epoch.
    #[tracing::instrument(name = "registry.tenant.move", skip_all)]
    async fn go(
        &self,
        id: &TenantId,
        by: &By,
        action: &str,
        next: impl FnOnce(&Change<'_>, &Tenant) -> Result<Next, RegistryError>,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let next = next(&change, &old)?;
        let mut diff = Diff::default();
        let stage = |moving: &Option<Move>| moving.as_ref().map(|moving| moving.stage.to_string());
        diff.note("move", stage(&old.moving), stage(&next.moving));
        let to = |moving: &Option<Move>| moving.as_ref().map(|moving| moving.to.to_string());
        diff.note("to", to(&old.moving), to(&next.moving));
        let mut row = row.into_active_model();
        row.moving = Set(next.moving.as_ref().map(Move::to_column).unwrap_or_default());
        settle(&mut row, &mut diff, &old, &next);
        change.update(action, old, row, diff).await
    }
}

/// What a step leads to.
struct Next {
    moving: Option<Move>,
    home: Home,
    epoch: i64,
}

/// Writes where the tenant lives from now on.
fn settle(row: &mut ActiveModel, diff: &mut Diff, old: &Tenant, next: &Next) {
    if diff.note("home", old.home().to_string(), next.home.to_string()) {
        row.region = Set(next.home.region.as_str().to_owned());
        row.shard = Set(next.home.shard.clone());
    }
    if diff.note("epoch", old.epoch, next.epoch) {
        row.epoch = Set(next.epoch);
    }
}
