//! What lives of a tenant's credentials and clients, and ending all of it at once.
//!
//! **Invariant**: each population has a number of its own: what rests while a switch can be undone takes no place from what
//! is used.

use super::change::Change;
use crate::entity::{credential, micros, oauth_client};
use crate::error::RegistryError;
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use region_router::Population;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

impl Change<'_> {
    /// Live credentials of a population as they will be when `replaced` is. One that another takes the place of counts with
    /// that as one.
    pub(super) async fn live_credentials(
        &self,
        id: &TenantId,
        population: Population,
        replaced: Option<&str>,
    ) -> Result<usize, RegistryError> {
        use credential::{Column, Entity, Model};
        let now = micros(self.at);
        let is_kept =
            Condition::any().add(Column::RetiresAt.is_null()).add(Column::RetiresAt.gt(now));
        let rows = Entity::find()
            .filter(Column::TenantId.eq(id.as_str()))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ExpiresAt.gt(now))
            .filter(is_kept)
            .all(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let goes = |row: &Model| row.retires_at.is_some() || Some(row.key_id.as_str()) == replaced;
        // Of a chain of replacements the last two are one: who rotates again and again comes to an end.
        let is_replaced = |row: &Model| {
            let mut others = rows.iter().filter(|other| !goes(other));
            others.any(|other| other.replaces.as_deref() == Some(row.key_id.as_str()))
        };
        let counts = |row: &&Model| {
            let is_old = Some(row.key_id.as_str()) == replaced || (goes(row) && is_replaced(row));
            row.population() == Some(population) && !is_old
        };
        Ok(rows.iter().filter(counts).count())
    }

    /// Live clients of a population.
    pub(super) async fn live_clients(
        &self,
        id: &TenantId,
        population: Population,
    ) -> Result<usize, RegistryError> {
        use oauth_client::{Column, Entity};
        let count = Entity::find()
            .filter(Column::TenantId.eq(id.as_str()))
            .filter(Column::Population.eq(population.as_str()))
            .filter(Column::RevokedAt.is_null())
            .count(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Whether both populations can be allowed from now on, or one of them be taken back.
    pub(super) async fn check_both(&self, tenant: &Tenant) -> Result<(), RegistryError> {
        if tenant.switch.is_some() {
            return Err(RegistryError::Switching);
        }
        if !tenant.both_populations {
            return Ok(());
        }
        for population in Population::ALL.into_iter().filter(|one| *one != tenant.population) {
            let live = self.live_credentials(&tenant.id, population, None).await?
                + self.live_clients(&tenant.id, population).await?;
            if live > 0 {
                return Err(RegistryError::PopulationInUse { population, live });
            }
        }
        Ok(())
    }

    /// Revokes the credentials and clients of a population, or all of them; how many.
    pub(super) async fn revoke_all(
        &self,
        id: &TenantId,
        population: Option<Population>,
    ) -> Result<u64, RegistryError> {
        use credential::{Column, Entity};
        let rows = Entity::find()
            .filter(Column::TenantId.eq(id.as_str()))
            .filter(Column::RevokedAt.is_null())
            .all(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let is_left = |of: Option<Population>| population.is_none() || of == population;
        let left = rows.into_iter().filter(|row| is_left(row.population())).map(|row| row.key_id);
        let credentials = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(micros(self.at)))
            .col_expr(Column::Generation, Expr::value(self.generation))
            .filter(Column::KeyId.is_in(left))
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let mut clients = oauth_client::Entity::update_many()
            .col_expr(oauth_client::Column::RevokedAt, Expr::value(micros(self.at)))
            .col_expr(oauth_client::Column::Generation, Expr::value(self.generation))
            .filter(oauth_client::Column::TenantId.eq(id.as_str()))
            .filter(oauth_client::Column::RevokedAt.is_null());
        if let Some(population) = population {
            clients = clients.filter(oauth_client::Column::Population.eq(population.as_str()));
        }
        let clients = clients.exec(&self.transaction).await.map_err(RegistryError::Database)?;
        Ok(credentials.rows_affected + clients.rows_affected)
    }
}
