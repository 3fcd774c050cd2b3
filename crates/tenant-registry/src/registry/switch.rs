//! Taking a tenant from one population to the other.
//!
//! **Invariant**: one switch at a time, stage by stage; the way back is open until it is finished or its time is over. What is
//! left has no token that lives: none comes alive again by a later switch.

use super::change::{Change, Diff, refuse_closed};
use super::credentials::after;
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::tenant::ActiveModel;
use crate::error::RegistryError;
use crate::moving::MoveStage;
use crate::switch::{Stage, Switch};
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use region_router::Population;
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use std::time::Duration;

impl Registry {
    /// Begins a switch: from now on nobody is written in either population.
    ///
    /// # Errors
    /// [`RegistryError::SwitchConflict`] when a switch is under way or the tenant is there already;
    /// [`RegistryError::Moving`] when it is on its way to another store;
    /// [`RegistryError::BothPopulations`] when it leaves none of them; when there is no such tenant, it is closed, it is not the one that the caller has seen, or the database fails.
    pub async fn freeze_switch(
        &self,
        id: &TenantId,
        to: Population,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.step(id, by, "switch.freeze", |change, old| {
            refuse_closed(old.state)?;
            if old.moving.as_ref().is_some_and(|moving| moving.stage != MoveStage::Moved) {
                return Err(RegistryError::Moving);
            }
            if old.switch.is_some() || to == old.population {
                return Err(RegistryError::SwitchConflict);
            }
            if old.both_populations {
                return Err(RegistryError::BothPopulations);
            }
            let (from, started_at) = (old.population, change.at);
            let switch = Switch { from, to, stage: Stage::Frozen, started_at, undo_until: None };
            Ok((Some(switch), from))
        })
        .await
    }

    /// Lets the new population be written; the old one stands as it was, until `undo` is over.
    ///
    /// # Errors
    /// [`RegistryError::SwitchConflict`] unless a switch is frozen; [`RegistryError::ExpiryInvalid`] when `undo` is too long;
    /// otherwise as [`Self::freeze_switch`].
    pub async fn cut_over(
        &self,
        id: &TenantId,
        undo: Duration,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.step(id, by, "switch.cut_over", |change, old| {
            let frozen = at_stage(old, Stage::Frozen)?;
            let undo_until = if undo.is_zero() { change.at } else { after(change.at, undo)? };
            let cut = Switch { stage: Stage::CutOver, undo_until: Some(undo_until), ..frozen };
            Ok((Some(cut), cut.to))
        })
        .await
    }

    /// Goes back to the population that was left, which is served at once, or gives up a switch that is only frozen. A job
    /// deactivates those who came meanwhile and ends the switch; until then to undo it again changes nothing.
    ///
    /// # Errors
    /// [`RegistryError::SwitchConflict`] when none is under way, or its time for going back is over; otherwise as
    /// [`Self::freeze_switch`].
    pub async fn undo_switch(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.step(id, by, "switch.undo", |change, old| {
            let switch = old.switch.ok_or(RegistryError::SwitchConflict)?;
            let undoing = Some(Switch { stage: Stage::Undoing, ..switch });
            let is_open = switch.undo_until.is_some_and(|until| change.at <= until);
            match switch.stage {
                Stage::Frozen => Ok((None, switch.from)),
                Stage::CutOver if is_open => Ok((undoing, switch.from)),
                Stage::Undoing => Ok((undoing, switch.from)),
                Stage::CutOver | Stage::Finishing => Err(RegistryError::SwitchConflict),
            }
        })
        .await
    }

    /// Closes the way back. A job deactivates those left behind and ends the switch.
    ///
    /// # Errors
    /// [`RegistryError::SwitchConflict`] unless one is cut over; otherwise as [`Self::freeze_switch`].
    pub async fn finish_switch(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        self.step(id, by, "switch.finish", |_, old| {
            let cut = at_stage(old, Stage::CutOver)?;
            Ok((Some(Switch { stage: Stage::Finishing, ..cut }), cut.to))
        })
        .await
    }

    /// Ends a switch that was finished or undone, when nobody is left behind. The tokens and clients of what is left are
    /// revoked.
    ///
    /// # Errors
    /// [`RegistryError::SwitchConflict`] unless one is being finished or undone; otherwise as [`Self::freeze_switch`].
    pub async fn end_switch(
        &self,
        id: &TenantId,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let left = old.switch.and_then(|switch| switch.emptied());
        let left = left.ok_or(RegistryError::SwitchConflict)?;
        let revoked = change.revoke_all(id, Some(left)).await?;
        let mut diff = Diff::default();
        note(&mut diff, old.switch, None);
        diff.note("revoked", 0, revoked);
        let mut row = row.into_active_model();
        row.switching = Set(String::new());
        change.update("switch.end", old, row, diff).await
    }

    /// One step: what the switch is then, and who is provisioned.
    #[tracing::instrument(name = "registry.tenant.switch", skip_all)]
    async fn step(
        &self,
        id: &TenantId,
        by: &By,
        action: &str,
        next: impl FnOnce(&Change<'_>, &Tenant) -> Result<(Option<Switch>, Population), RegistryError>,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let (switch, population) = next(&change, &old)?;
        let mut diff = Diff::default();
        note(&mut diff, old.switch, switch);
        let mut row = row.into_active_model();
        row.switching = Set(switch.map(Switch::to_column).unwrap_or_default());
        if diff.note("population", old.population.as_str(), population.as_str()) {
            enter(&mut row, &old, population);
        }
        change.update(action, old, row, diff).await
    }
}

fn note(diff: &mut Diff, before: Option<Switch>, after: Option<Switch>) {
    let stage = |switch: Option<Switch>| switch.map(|switch| switch.stage.as_str());
    diff.note("switch", stage(before), stage(after));
    let undo_until = |switch: Option<Switch>| switch.and_then(|switch| switch.undo_until);
    diff.instants("undo_until", undo_until(before), undo_until(after));
}

/// Writes who is provisioned, and what was read of the column until now.
fn enter(row: &mut ActiveModel, old: &Tenant, population: Population) {
    row.population = Set(population.as_str().to_owned());
    row.origin = Set(old.origin.as_str().to_owned());
    row.platform_role = Set(old.platform_role.clone());
    row.board_role = Set(old.board_role.clone());
    row.default_role = Set(old.role_of(population).to_owned());
}

fn at_stage(tenant: &Tenant, stage: Stage) -> Result<Switch, RegistryError> {
    tenant.switch.filter(|switch| switch.stage == stage).ok_or(RegistryError::SwitchConflict)
}
