//! Reading tenants, credentials and the audit from the database.
//!
//! **Invariant**: what is read here is as new as the database, and not as the snapshot.

use super::Registry;
use crate::audit::AuditEntry;
use crate::credential::Credential;
use crate::entity;
use crate::error::RegistryError;
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

impl Registry {
    /// Every tenant, by slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, RegistryError> {
        let rows = entity::tenant::Entity::find()
            .order_by_asc(entity::tenant::Column::Slug)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().map(entity::tenant::Model::read).collect()
    }

    /// The tenant with this slug or id. No slug is an id: a slug has no underscore.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_tenant(&self, slug_or_id: &str) -> Result<Option<Tenant>, RegistryError> {
        use entity::tenant::Column;
        let by = match TenantId::parse(slug_or_id) {
            Ok(id) => Column::Id.eq(id.as_str()),
            Err(_a_slug) => Column::Slug.eq(slug_or_id),
        };
        let row = entity::tenant::Entity::find()
            .filter(by)
            .one(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        row.map(entity::tenant::Model::read).transpose()
    }

    /// A tenant's credentials, oldest first, with those that expired or were revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn credentials(&self, tenant: &TenantId) -> Result<Vec<Credential>, RegistryError> {
        use entity::credential::Column;
        let rows = entity::credential::Entity::find()
            .filter(Column::TenantId.eq(tenant.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Generation)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().map(entity::credential::Model::read).collect()
    }

    /// The credential with this key id, whosever it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn credential(&self, key_id: &str) -> Result<Option<Credential>, RegistryError> {
        let row = entity::credential::Entity::find_by_id(key_id)
            .one(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        row.map(entity::credential::Model::read).transpose()
    }

    /// The last changes, newest last: one tenant's, or everyone's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &self,
        tenant: Option<&TenantId>,
        last: u64,
    ) -> Result<Vec<AuditEntry>, RegistryError> {
        use entity::audit::Column;
        let mut query = entity::audit::Entity::find();
        if let Some(tenant) = tenant {
            query = query.filter(Column::TenantId.eq(tenant.as_str()));
        }
        let rows = query
            .order_by_desc(Column::Generation)
            .limit(last)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().rev().map(entity::audit::Model::read).collect()
    }
}
