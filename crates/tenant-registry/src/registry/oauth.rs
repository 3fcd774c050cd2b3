//! OAuth clients: who asks for access tokens, and the tokens.
//!
//! **Invariant**: asking for a token and using it asks no store.

use super::Registry;
use crate::authenticate::Authenticated;
use crate::credential::scopes::Scopes;
use crate::entity::{oauth_client, oauth_secret};
use crate::error::RegistryError;
use crate::oauth::authenticate::{self, ClientFailure};
use crate::oauth::{OauthClient, Proof, access, id};
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

impl Registry {
    /// The client that a secret proves, and the proof for its tokens. Asks no store, and takes as long for an unknown one.
    ///
    /// # Errors
    /// When the client is unknown or its tenant does not provision its population, the secret is another one's, or one of both
    /// expired or was revoked.
    pub fn authenticate_client(
        &self,
        client_id: &str,
        secret: &str,
        now: OffsetDateTime,
    ) -> Result<(Arc<OauthClient>, Proof), ClientFailure> {
        let snapshot = self.shared.snapshot.load();
        let keys = self.shared.keys.load();
        authenticate::authenticate_client(&snapshot, &keys.pepper, (client_id, secret), now)
    }

    /// A client that lives, and whose it is: for one that proves itself with an assertion. Asks no store.
    #[must_use]
    pub fn oauth_client(&self, client_id: &str) -> Option<(Arc<Tenant>, Arc<OauthClient>)> {
        authenticate::live_client(&self.shared.snapshot.load(), client_id)
    }

    /// Makes an access token for a client that has proved to be one, and says how long it is good. It may do what both sets
    /// hold, and ends with what it was asked for with. Nothing is kept of it.
    #[must_use]
    pub fn issue_access_token(
        &self,
        client: &OauthClient,
        proof: Proof,
        scopes: Scopes,
        now: OffsetDateTime,
    ) -> (SecretString, Duration) {
        let keys = self.shared.keys.load();
        let (key, lifetime) = (&keys.pepper.access_key, client.token_lifetime);
        let place = client.client_id.split_once('_').map_or("", |(_prefix, place)| place);
        let what = (proof, scopes.and(client.scopes));
        let token = access::seal(key, place, what, lifetime, now);
        (token, lifetime)
    }

    /// A tenant's clients, oldest first, with those that were revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clients(&self, tenant: &TenantId) -> Result<Vec<OauthClient>, RegistryError> {
        let reader = self.db()?.reader();
        let Some(owner) = self.find_tenant(tenant.as_str()).await? else { return Ok(Vec::new()) };
        let rows = oauth_client::Entity::find()
            .filter(oauth_client::Column::TenantId.eq(tenant.as_str()))
            .order_by_asc(oauth_client::Column::CreatedAt)
            .order_by_asc(oauth_client::Column::Id)
            .all(reader)
            .await
            .map_err(RegistryError::Database)?;
        let mut clients = Vec::new();
        for row in rows {
            let secrets = secrets_of(reader, &row.id).await?;
            clients.push(row.read(&owner.region, secrets)?);
        }
        Ok(clients)
    }

    /// The client with this id, whosever it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn client(&self, client_id: &str) -> Result<Option<OauthClient>, RegistryError> {
        let reader = self.db()?.reader();
        let Some((place, key_id)) = id::place(client_id).zip(id::key_id(client_id)) else {
            return Ok(None);
        };
        let row = oauth_client::Entity::find_by_id(key_id)
            .one(reader)
            .await
            .map_err(RegistryError::Database)?;
        let Some(row) = row else { return Ok(None) };
        let secrets = secrets_of(reader, key_id).await?;
        let client = row.read(&place.region, secrets)?;
        // Its region is its tenant's, or the one that the tenant left, and not what was asked for.
        let Some(owner) = self.find_tenant(client.tenant_id.as_str()).await? else {
            return Ok(None);
        };
        Ok(Some(client)
            .filter(|client| client.client_id == client_id && owner.answers_to(&place.region)))
    }

    /// Whose client has this id, also when it is revoked or its population was left: for the log of the tenant, not for access.
    #[must_use]
    pub fn recognise_client(&self, client_id: &str) -> Option<Authenticated> {
        let key_id = id::key_id(client_id).unwrap_or_default();
        let found = authenticate::looks_like(&self.shared.snapshot.load(), key_id)?;
        let is_former = || {
            let place = id::place(client_id);
            place.is_some_and(|place| {
                place.population == found.credential.population
                    && found.tenant.answers_to(&place.region)
            })
        };
        (found.credential.key_id == client_id || is_former()).then_some(found)
    }
}

/// The secrets of a client, oldest first.
pub(super) async fn secrets_of(
    connection: &impl ConnectionTrait,
    client: &str,
) -> Result<Vec<oauth_secret::Model>, RegistryError> {
    oauth_secret::Entity::find()
        .filter(oauth_secret::Column::ClientId.eq(client))
        .order_by_asc(oauth_secret::Column::CreatedAt)
        .order_by_asc(oauth_secret::Column::Generation)
        .all(connection)
        .await
        .map_err(RegistryError::Database)
}
