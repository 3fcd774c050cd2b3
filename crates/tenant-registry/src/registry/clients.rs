//! Making OAuth clients and their secrets, changing and revoking them.
//!
//! **Invariant**: a secret is in the answer to the change that makes it, and nowhere else; a change of a secret is one of
//! its client, so that whoever follows reads both.

use super::change::{Change, Diff, in_words, refuse_closed};
use super::credentials::{after, population};
use super::oauth::secrets_of;
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::oauth_client::{self, ActiveModel, Model, seconds};
use crate::entity::{micros, oauth_secret};
use crate::error::RegistryError;
use crate::oauth::{
    Assertion, ClientChange, ClientSecret, IssuedClient, IssuedSecret, MAX_CLIENTS, MAX_SECRETS,
    NewClient, OauthClient, id,
};
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use region_router::Place;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::time::Duration;

impl Registry {
    /// Makes a client. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When there is no such tenant, it is closed, it does not provision the population, it has [`MAX_CLIENTS`] live clients
    /// already, a value has another form, or the database fails.
    #[tracing::instrument(name = "registry.oauth_client.create", skip_all)]
    pub async fn create_client(
        &self,
        id: &TenantId,
        new: &NewClient,
        by: &By,
    ) -> Result<Pending<IssuedClient>, RegistryError> {
        new.check()?;
        let change = self.begin(by).await?;
        let owner = change.tenant(id).await?.read()?;
        refuse_closed(owner.state)?;
        let population = population(&owner, new.population)?;
        if change.live_clients(id, population).await? >= MAX_CLIENTS {
            return Err(RegistryError::TooManyClients(MAX_CLIENTS));
        }
        let place = Place { region: owner.region.clone(), population };
        let mut client = OauthClient {
            client_id: id::random(&place),
            tenant_id: id.clone(),
            population,
            name: new.name.clone(),
            scopes: new.scopes,
            token_lifetime: Duration::from_secs(new.token_lifetime.as_secs()),
            networks: new.networks.clone(),
            assertion: new.assertion.clone(),
            created_by: change.by.actor.to_string(),
            created_at: change.at,
            revoked_at: None,
            secrets: Vec::new(),
            version: change.generation,
        };
        oauth_client::Entity::insert(oauth_client::new_row(&client))
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let mut secret = None;
        if let Some(life) = new.secret {
            let (text, kept) = self.make_secret(&change, &client, life).await?;
            client.secrets.push(kept);
            secret = Some(text);
        }
        let detail = json!({ "before": null, "after": {
            "name": client.name, "scopes": client.scopes.to_string(), "population": population.as_str(),
            "networks": client.networks.to_string(), "token_seconds": client.token_lifetime.as_secs(),
            "assertion": in_short(client.assertion.as_ref()),
        } });
        let client_id = client.client_id.clone();
        let issued = IssuedClient { secret, client };
        change.done(("oauth_client.create", Some(id), &client_id), detail, issued).await
    }

    /// Changes a client. Narrower scopes and networks hold for tokens that are issued already; those that were asked for with
    /// an assertion end when its key is not in the set any more, or its issuer or subject are others.
    ///
    /// # Errors
    /// When there is no such client, it is not the one that the caller has seen, a value has another form, or the database
    /// fails.
    #[tracing::instrument(name = "registry.oauth_client.change", skip_all)]
    pub async fn change_client(
        &self,
        id: &TenantId,
        client_id: &str,
        asked: &ClientChange,
        by: &By,
    ) -> Result<Pending<OauthClient>, RegistryError> {
        asked.check()?;
        let change = self.begin(by).await?;
        let (row, old) = change.client(id, client_id).await?;
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        apply(asked, &old, &mut row, &mut diff);
        change.update_client("oauth_client.change", old, row, diff).await
    }

    /// Revokes a client and with it every token that it has, for good.
    ///
    /// # Errors
    /// When there is no such client, it is not the one that the caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.oauth_client.revoke", skip_all)]
    pub async fn revoke_client(
        &self,
        id: &TenantId,
        client_id: &str,
        by: &By,
    ) -> Result<Pending<OauthClient>, RegistryError> {
        let change = self.begin(by).await?;
        let (row, old) = change.client(id, client_id).await?;
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        if old.revoked_at.is_none() {
            diff.instants("revoked_at", None, Some(change.at));
            row.revoked_at = Set(Some(micros(change.at)));
        }
        change.update_client("oauth_client.revoke", old, row, diff).await
    }

    /// Gives a client another secret; those that it has stay good.
    ///
    /// # Errors
    /// When there is no such client, it is revoked or its tenant closed, it has [`MAX_SECRETS`] live secrets already, it is not
    /// the one that the caller has seen, the life asked for is too short or too long, or the database fails.
    #[tracing::instrument(name = "registry.oauth_secret.create", skip_all)]
    pub async fn add_secret(
        &self,
        id: &TenantId,
        client_id: &str,
        expires: Duration,
        by: &By,
    ) -> Result<Pending<IssuedSecret>, RegistryError> {
        let change = self.begin(by).await?;
        let (row, mut client) = change.client(id, client_id).await?;
        refuse_closed(change.tenant_as_it_is(id).await?.read()?.state)?;
        if client.revoked_at.is_some() {
            return Err(RegistryError::CredentialEnded);
        }
        let live = client.secrets.iter().filter(|secret| secret.is_live(change.at)).count();
        if live >= MAX_SECRETS {
            return Err(RegistryError::TooManySecrets(MAX_SECRETS));
        }
        let (secret, kept) = self.make_secret(&change, &client, expires).await?;
        change.write_client(row.into_active_model()).await?;
        client.version = change.generation;
        client.secrets.push(kept.clone());
        let detail = json!({ "name": client.name, "before": null, "after": {
            "secret": kept.id, "hint": kept.hint, "expires_at": in_words(kept.expires_at),
        } });
        let issued = IssuedSecret { secret, kept, client };
        change.done(("oauth_secret.create", Some(id), client_id), detail, issued).await
    }

    /// Revokes a secret of a client and with it the tokens that were asked for with it, for good.
    ///
    /// # Errors
    /// When there is no such client or secret, the client is not the one that the caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.oauth_secret.revoke", skip_all)]
    pub async fn revoke_secret(
        &self,
        id: &TenantId,
        client_id: &str,
        secret_id: &str,
        by: &By,
    ) -> Result<Pending<OauthClient>, RegistryError> {
        let change = self.begin(by).await?;
        let (row, mut client) = change.client(id, client_id).await?;
        let secret = client.secrets.iter_mut().find(|secret| secret.id == secret_id);
        let secret = secret.ok_or(RegistryError::SecretNotFound)?;
        if secret.revoked_at.is_some() {
            return change.nothing(client).await;
        }
        secret.revoked_at = Some(change.at);
        let gone = oauth_secret::ActiveModel {
            id: Set(secret_id.to_owned()),
            revoked_at: Set(Some(micros(change.at))),
            generation: Set(change.generation),
            ..Default::default()
        };
        gone.update(&change.transaction).await.map_err(RegistryError::Database)?;
        change.write_client(row.into_active_model()).await?;
        client.version = change.generation;
        let detail = json!({
            "name": client.name, "secret": secret_id,
            "before": { "revoked_at": null }, "after": { "revoked_at": in_words(change.at) },
        });
        change.done(("oauth_secret.revoke", Some(id), client_id), detail, client).await
    }

    async fn make_secret(
        &self,
        change: &Change<'_>,
        client: &OauthClient,
        life: Duration,
    ) -> Result<(SecretString, ClientSecret), RegistryError> {
        let expires_at = after(change.at, life)?;
        let place = id::place(&client.client_id).ok_or(RegistryError::ClientNotFound)?;
        let minted = id::mint_secret(&place);
        let kept = ClientSecret {
            hash: self.shared.keys.load().pepper.hash(minted.text.expose_secret()),
            id: minted.key_id,
            hint: minted.hint,
            created_at: change.at,
            expires_at,
            revoked_at: None,
        };
        let owner = id::key_id(&client.client_id).unwrap_or_default();
        oauth_secret::Entity::insert(oauth_secret::new_row(&kept, owner, change.generation))
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok((minted.text, kept))
    }
}

impl Change<'_> {
    /// A tenant's client, which is the one that the caller has seen.
    pub(super) async fn client(
        &self,
        tenant: &TenantId,
        client_id: &str,
    ) -> Result<(Model, OauthClient), RegistryError> {
        let owner: Tenant = self.tenant_as_it_is(tenant).await?.read()?;
        let key_id = id::key_id(client_id).ok_or(RegistryError::ClientNotFound)?;
        let row = oauth_client::Entity::find_by_id(key_id)
            .one(&self.transaction)
            .await
            .map_err(RegistryError::Database)?
            .filter(|row| row.tenant_id == tenant.as_str())
            .ok_or(RegistryError::ClientNotFound)?;
        let secrets = secrets_of(&self.transaction, key_id).await?;
        let client = row.clone().read(&owner.region, secrets)?;
        if client.client_id != client_id {
            return Err(RegistryError::ClientNotFound);
        }
        self.expect(row.generation)?;
        Ok((row, client))
    }

    async fn update_client(
        self,
        action: &str,
        old: OauthClient,
        row: ActiveModel,
        diff: Diff,
    ) -> Result<Pending<OauthClient>, RegistryError> {
        if diff.is_empty() {
            return self.nothing(old).await;
        }
        let row = self.write_client(row).await?;
        let secrets = secrets_of(&self.transaction, &row.id).await?;
        let place = id::place(&old.client_id).ok_or(RegistryError::ClientNotFound)?;
        let changed = row.read(&place.region, secrets)?;
        let detail = diff.detail_of(&changed.name);
        let (tenant, client_id) = (changed.tenant_id.clone(), changed.client_id.clone());
        self.done((action, Some(&tenant), &client_id), detail, changed).await
    }

    async fn write_client(&self, mut row: ActiveModel) -> Result<Model, RegistryError> {
        row.generation = Set(self.generation);
        row.update(&self.transaction).await.map_err(RegistryError::Database)
    }
}

fn apply(asked: &ClientChange, old: &OauthClient, row: &mut ActiveModel, diff: &mut Diff) {
    if let Some(name) = &asked.name
        && diff.note("name", old.name.as_str(), name.as_str())
    {
        row.name = Set(name.clone());
    }
    if let Some(scopes) = asked.scopes
        && diff.note("scopes", old.scopes.to_string(), scopes.to_string())
    {
        row.scopes = Set(scopes.to_string());
    }
    if let Some(networks) = &asked.networks
        && diff.note("networks", old.networks.to_string(), networks.to_string())
    {
        row.networks = Set(networks.to_string());
    }
    if let Some(lifetime) = asked.token_lifetime
        && diff.note("token_seconds", old.token_lifetime.as_secs(), lifetime.as_secs())
    {
        row.token_seconds = Set(seconds(lifetime));
    }
    if let Some(assertion) = &asked.assertion
        && *assertion != old.assertion
    {
        let (before, after) = (in_short(old.assertion.as_ref()), in_short(assertion.as_ref()));
        diff.note("assertion", before, after);
        let assertion = assertion.as_ref();
        row.issuer = Set(assertion.map(|assertion| assertion.issuer.clone()));
        row.subject = Set(assertion.map(|assertion| assertion.subject.clone()));
        row.audience = Set(assertion.and_then(|assertion| assertion.audience.clone()));
        row.jwks = Set(assertion.map(|assertion| assertion.jwks.clone()));
    }
}

/// Who signs, and which keys: by their digest, which is short.
fn in_short(assertion: Option<&Assertion>) -> Value {
    let Some(Assertion { issuer, subject, audience, jwks }) = assertion else { return Value::Null };
    let keys = format!("{:08x}", crc32fast::hash(jwks.as_bytes()));
    json!({ "issuer": issuer, "subject": subject, "audience": audience, "keys": keys })
}
