//! From the database to the snapshot.
//!
//! **Invariant**: only what is newer than the known snapshot is read, and a row that cannot be read keeps nothing else back.

use super::Registry;
use crate::entity::{credential, oauth_client, oauth_secret, tenant};
use crate::error::RegistryError;
use crate::oauth::OauthClient;
use crate::snapshot::Snapshot;
use crate::tenant::TenantId;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::HashMap;
use std::sync::Arc;

impl Registry {
    pub(super) async fn newer_than(
        &self,
        base: Snapshot,
        generation: i64,
    ) -> Result<Snapshot, RegistryError> {
        let reader = self.shared.db.reader();
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
        let tenants = readable(tenants.into_iter().map(|row| {
            let known = TenantId::parse(&row.id).ok();
            row.read_after(known.and_then(|id| base.tenant(&id)).map(Arc::as_ref))
        }));
        let credentials = readable(credentials.into_iter().map(credential::Model::read));
        let next = base.with(generation, tenants, credentials);
        let clients = self.clients_newer_than(known, &next).await?;
        Ok(next.with_clients(clients))
    }

    /// A change of a secret is one of its client's, too.
    async fn clients_newer_than(
        &self,
        known: i64,
        next: &Snapshot,
    ) -> Result<Vec<OauthClient>, RegistryError> {
        use oauth_client::Column::{Generation, Id};
        let reader = self.shared.db.reader();
        let clients = oauth_client::Entity::find()
            .filter(Generation.gt(known))
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        if clients.is_empty() {
            return Ok(Vec::new());
        }
        let newer = Query::select()
            .column(Id)
            .from(oauth_client::Entity)
            .and_where(Generation.gt(known))
            .to_owned();
        let secrets = oauth_secret::Entity::find()
            .filter(oauth_secret::Column::ClientId.in_subquery(newer))
            .order_by_asc(oauth_secret::Column::CreatedAt)
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        let mut of_client: HashMap<String, Vec<oauth_secret::Model>> = HashMap::new();
        for secret in secrets {
            of_client.entry(secret.client_id.clone()).or_default().push(secret);
        }
        Ok(readable(clients.into_iter().filter_map(|row| {
            // Of a tenant that cannot be read nothing can be served.
            let tenant = next.tenant(&TenantId::parse(&row.tenant_id).ok()?)?;
            let secrets = of_client.remove(&row.id).unwrap_or_default();
            Some(row.read(&tenant.region, secrets))
        })))
    }
}

/// What can be read. One row that cannot (a newer program wrote it) must not keep a revocation from being seen; of it, the
/// last version that could be read stays in use.
fn readable<T>(rows: impl Iterator<Item = Result<T, RegistryError>>) -> Vec<T> {
    rows.filter_map(|row| {
        row.inspect_err(|error| {
            tracing::error!(error = %error, "A row of the registry cannot be read and is passed over.");
        })
        .ok()
    })
    .collect()
}
