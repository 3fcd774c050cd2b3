//! Writing down that a tenant's data is being deleted, and that it is gone.
//!
//! **Invariant**: a tenant whose purge has begun is never served again; a purged one has no live credential and no live client, and its manifest is kept.

use super::change::{Change, Diff};
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::{manifest, micros, usage};
use crate::error::RegistryError;
use crate::manifest::Manifest;
use crate::tenant::id::TenantId;
use crate::tenant::{Tenant, TenantState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use time::OffsetDateTime;

impl Registry {
    /// Makes a tenant that was closed before a time one whose data is being deleted: from now on it cannot be resumed.
    ///
    /// # Errors
    /// [`RegistryError::StateConflict`] when it is not closed, or not for so long, or rows of it are in two stores; when there is no such tenant, or the
    /// database fails.
    #[tracing::instrument(name = "registry.tenant.begin_purge", skip_all)]
    pub async fn begin_purge(
        &self,
        id: &TenantId,
        closed_before: OffsetDateTime,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let (from, to) = (old.state, TenantState::Purging);
        let is_due = old.closed_at.unwrap_or(old.updated_at) <= closed_before;
        match from {
            TenantState::Purging => return change.nothing(old).await,
            // What its old home still holds would be nobody's to delete.
            TenantState::Closed if is_due && has_one_home(&old) => {}
            TenantState::Active
            | TenantState::Suspended
            | TenantState::Closed
            | TenantState::Purged => return Err(RegistryError::StateConflict { from, to }),
        }
        let mut diff = Diff::default();
        diff.note("state", from.as_str(), to.as_str());
        let mut row = row.into_active_model();
        row.state = Set(to.as_str().to_owned());
        change.update("tenant.begin_purge", old, row, diff).await
    }

    /// Makes a tenant whose data is deleted a purged one, with the proof. Its credentials and clients are revoked, and when they were used
    /// is forgotten.
    ///
    /// # Errors
    /// [`RegistryError::StateConflict`] when its purge has not begun; when there is no such tenant, or the database fails.
    #[tracing::instrument(name = "registry.tenant.purge", skip_all)]
    pub async fn record_purge(
        &self,
        id: &TenantId,
        proof: &Manifest,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        match old.state {
            TenantState::Purged => return change.nothing(old).await,
            TenantState::Purging => {}
            from @ (TenantState::Active | TenantState::Suspended | TenantState::Closed) => {
                return Err(RegistryError::StateConflict { from, to: TenantState::Purged });
            }
        }
        change.revoke_all(id, None).await?;
        change.forget_uses(id).await?;
        let kept = manifest::ActiveModel {
            tenant_id: Set(id.as_str().to_owned()),
            region: Set(proof.region.as_str().to_owned()),
            at: Set(micros(proof.at)),
            tables: Set(serde_json::to_string(&proof.tables).unwrap_or_default()),
        };
        manifest::Entity::insert(kept)
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let mut diff = Diff::default();
        diff.note("state", old.state.as_str(), TenantState::Purged.as_str());
        diff.note("rows", 0, proof.tables.values().sum());
        let mut row = row.into_active_model();
        row.state = Set(TenantState::Purged.as_str().to_owned());
        change.update("tenant.purge", old, row, diff).await
    }

    /// What the purge of a tenant deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn manifest(&self, id: &TenantId) -> Result<Option<Manifest>, RegistryError> {
        let row = manifest::Entity::find_by_id(id.as_str())
            .one(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        row.map(manifest::Model::read).transpose()
    }
}

/// Whether no move is under way, and what the last one left behind is deleted.
fn has_one_home(tenant: &Tenant) -> bool {
    tenant.moving.as_ref().is_none_or(|moving| moving.purged_at.is_some())
}

impl Change<'_> {
    async fn forget_uses(&self, id: &TenantId) -> Result<(), RegistryError> {
        usage::Entity::delete_many()
            .filter(usage::Column::TenantId.eq(id.as_str()))
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(())
    }
}
