//! Writing down that a tenant's data is gone.
//!
//! **Invariant**: a purged tenant has no live credential and no live client, and its manifest is kept.

use super::change::{Change, Diff};
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::{credential, manifest, micros, oauth_client, usage};
use crate::error::RegistryError;
use crate::manifest::Manifest;
use crate::tenant::{Tenant, TenantId, TenantState};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

impl Registry {
    /// Makes a closed tenant a purged one, with the proof. Its credentials and clients are revoked, and when they were used
    /// is forgotten.
    ///
    /// # Errors
    /// [`RegistryError::StateConflict`] when it is not closed; when there is no such tenant, or the database fails.
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
            TenantState::Closed => {}
            from @ (TenantState::Active | TenantState::Suspended) => {
                return Err(RegistryError::StateConflict { from, to: TenantState::Purged });
            }
        }
        change.revoke_everything(id).await?;
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
            .one(self.shared.db.reader())
            .await
            .map_err(RegistryError::Database)?;
        row.map(manifest::Model::read).transpose()
    }
}

impl Change<'_> {
    async fn revoke_everything(&self, id: &TenantId) -> Result<(), RegistryError> {
        use credential::Column::{Generation, RevokedAt, TenantId};
        credential::Entity::update_many()
            .col_expr(RevokedAt, Expr::value(micros(self.at)))
            .col_expr(Generation, Expr::value(self.generation))
            .filter(TenantId.eq(id.as_str()))
            .filter(RevokedAt.is_null())
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        oauth_client::Entity::update_many()
            .col_expr(oauth_client::Column::RevokedAt, Expr::value(micros(self.at)))
            .col_expr(oauth_client::Column::Generation, Expr::value(self.generation))
            .filter(oauth_client::Column::TenantId.eq(id.as_str()))
            .filter(oauth_client::Column::RevokedAt.is_null())
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        usage::Entity::delete_many()
            .filter(usage::Column::TenantId.eq(id.as_str()))
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(())
    }
}
