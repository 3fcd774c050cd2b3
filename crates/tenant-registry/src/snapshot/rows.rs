//! Between a snapshot and the rows that it is made of: those of the tables, and those of the file.
//!
//! **Invariant**: a row that cannot be read keeps nothing else back, and what nobody needs to serve is not written down.

use super::Snapshot;
use crate::entity::{credential, micros, oauth_client, oauth_secret, tenant};
use crate::error::RegistryError;
use crate::oauth::{OauthClient, id};
use crate::tenant::id::TenantId;
use sea_orm::ActiveValue::Set;
use sea_orm::TryIntoModel;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows, as the tables hold them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) tenants: Vec<tenant::Model>,
    pub(crate) credentials: Vec<credential::Model>,
    pub(crate) clients: Vec<oauth_client::Model>,
    /// Of these clients, oldest first.
    pub(crate) secrets: Vec<oauth_secret::Model>,
}

impl Rows {
    /// The snapshot with these rows in place of older ones.
    pub(crate) fn over(self, base: Snapshot, generation: i64) -> Snapshot {
        let tenants = readable(self.tenants.into_iter().map(|row| {
            let known = TenantId::parse(&row.id).ok();
            row.read_after(known.and_then(|id| base.tenant(&id)).map(Arc::as_ref))
        }));
        let credentials = readable(self.credentials.into_iter().map(credential::Model::read));
        let next = base.with(generation, tenants, credentials);
        let clients = clients(self.clients, self.secrets, &next);
        next.with_clients(clients)
    }

    /// All rows of a snapshot, without who made what: an audit needs the database anyway.
    pub(crate) fn of(snapshot: &Snapshot) -> Result<Self, RegistryError> {
        let mut rows = Self::default();
        for tenant in snapshot.tenants.values() {
            let mut row = tenant::new_row(tenant, tenant.version, tenant.created_at)?;
            row.updated_at = Set(micros(tenant.updated_at));
            rows.tenants.push(row.try_into_model().map_err(RegistryError::Database)?);
        }
        for credential in snapshot.credentials.values() {
            let mut row = credential::new_row(credential, credential.version);
            row.created_by = Set(String::new());
            rows.credentials.push(row.try_into_model().map_err(RegistryError::Database)?);
        }
        for client in snapshot.clients.values() {
            let mut row = oauth_client::new_row(client);
            row.created_by = Set(String::new());
            rows.clients.push(row.try_into_model().map_err(RegistryError::Database)?);
            let key_id = id::key_id(&client.client_id).unwrap_or_default();
            for secret in &client.secrets {
                let row = oauth_secret::new_row(secret, key_id, client.version);
                rows.secrets.push(row.try_into_model().map_err(RegistryError::Database)?);
            }
        }
        Ok(rows)
    }
}

fn clients(
    clients: Vec<oauth_client::Model>,
    secrets: Vec<oauth_secret::Model>,
    of: &Snapshot,
) -> Vec<OauthClient> {
    let mut of_client: HashMap<String, Vec<oauth_secret::Model>> = HashMap::new();
    for secret in secrets {
        of_client.entry(secret.client_id.clone()).or_default().push(secret);
    }
    readable(clients.into_iter().filter_map(|row| {
        // Of a tenant that cannot be read nothing can be served.
        let tenant = of.tenant(&TenantId::parse(&row.tenant_id).ok()?)?;
        let secrets = of_client.remove(&row.id).unwrap_or_default();
        Some(row.read(&tenant.region, secrets))
    }))
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
