//! From the database to the snapshot.
//!
//! **Invariant**: only what is newer than the known snapshot is read.

use super::Registry;
use crate::entity::{credential, oauth_client, oauth_secret, tenant};
use crate::error::RegistryError;
use crate::snapshot::Snapshot;
use crate::snapshot::rows::Rows;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

impl Registry {
    pub(super) async fn newer_than(
        &self,
        base: Snapshot,
        generation: i64,
    ) -> Result<Snapshot, RegistryError> {
        let reader = self.db()?.reader();
        let known = base.generation;
        let tenants = tenant::Entity::find()
            .filter(tenant::Column::Generation.gt(known))
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        let credentials = credential::Entity::find()
            .filter(credential::Column::Generation.gt(known))
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        let clients = oauth_client::Entity::find()
            .filter(oauth_client::Column::Generation.gt(known))
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        let secrets = match clients.is_empty() {
            true => Vec::new(),
            false => self.secrets_of_newer(known).await?,
        };
        Ok(Rows { tenants, credentials, clients, secrets }.over(base, generation))
    }

    /// A change of a secret is one of its client's, too.
    async fn secrets_of_newer(
        &self,
        known: i64,
    ) -> Result<Vec<oauth_secret::Model>, RegistryError> {
        use oauth_client::Column::{Generation, Id};
        let newer = Query::select()
            .column(Id)
            .from(oauth_client::Entity)
            .and_where(Generation.gt(known))
            .to_owned();
        oauth_secret::Entity::find()
            .filter(oauth_secret::Column::ClientId.in_subquery(newer))
            .order_by_asc(oauth_secret::Column::CreatedAt)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)
    }
}
