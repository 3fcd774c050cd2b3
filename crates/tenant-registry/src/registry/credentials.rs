//! Issuing credentials, changing and revoking them.
//!
//! **Invariant**: a token is in the answer to the change that makes it, and nowhere else.

use super::change::{Change, Diff, in_words, refuse_closed};
use super::{Pending, Registry};
use crate::by::By;
use crate::credential::token::mint;
use crate::credential::{Credential, CredentialChange, IssuedCredential, MAX_LIVE, NewCredential};
use crate::entity;
use crate::entity::credential::{ActiveModel, Model};
use crate::entity::{instant, micros};
use crate::error::RegistryError;
use crate::name::{self, NAME};
use crate::switch::Stage;
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use region_router::{Place, Population};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;

/// A credential lives at most this long.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

impl Registry {
    /// Issues a credential. Its token is in the answer and nowhere else.
    ///
    /// # Errors
    /// When there is no such tenant, it is closed, it does not provision the population, it has [`MAX_LIVE`] live credentials
    /// already, the name has another form, the life asked for is too short or too long, or the database fails.
    #[tracing::instrument(name = "registry.credential.create", skip_all)]
    pub async fn create_credential(
        &self,
        id: &TenantId,
        new: &NewCredential,
        by: &By,
    ) -> Result<Pending<IssuedCredential>, RegistryError> {
        name::check("name", &new.name, NAME)?;
        let change = self.begin(by).await?;
        let owner = change.tenant(id).await?.read()?;
        refuse_closed(owner.state)?;
        let population = population(&owner, new.population)?;
        let issued = self.issue(&change, &owner, population, new, None).await?;
        let credential = &issued.credential;
        let detail = json!({ "before": null, "after": {
            "name": credential.name, "hint": credential.hint, "scopes": credential.scopes.to_string(),
            "population": credential.population.as_str(), "networks": credential.networks.to_string(),
            "expires_at": in_words(credential.expires_at),
        } });
        let key_id = credential.key_id.clone();
        change.done(("credential.create", Some(id), &key_id), detail, issued).await
    }

    /// Changes a credential's name, or from where it may be used.
    ///
    /// # Errors
    /// When there is no such credential, it is not the one that the caller has seen, the name has another form, or the database
    /// fails.
    #[tracing::instrument(name = "registry.credential.change", skip_all)]
    pub async fn change_credential(
        &self,
        id: &TenantId,
        key_id: &str,
        asked: &CredentialChange,
        by: &By,
    ) -> Result<Pending<Credential>, RegistryError> {
        asked.name.as_deref().map_or(Ok(()), |name| name::check("name", name, NAME))?;
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let old = row.clone().read()?;
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        if let Some(name) = &asked.name
            && diff.note("name", old.name.as_str(), name.as_str())
        {
            row.name = Set(name.clone());
        }
        if let Some(networks) = &asked.networks
            && diff.note("networks", old.networks.to_string(), networks.to_string())
        {
            row.networks = Set(networks.to_string());
        }
        change.update_credential("credential.change", old, row, diff).await
    }

    /// Revokes a credential, for good. One that was revoked stays revoked as it was. One whose place it was to take lives on.
    ///
    /// # Errors
    /// When there is no such credential, it is not the one that the caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.credential.revoke", skip_all)]
    pub async fn revoke_credential(
        &self,
        id: &TenantId,
        key_id: &str,
        by: &By,
    ) -> Result<Pending<Credential>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let old = row.clone().read()?;
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        if old.revoked_at.is_none() {
            diff.instants("revoked_at", None, Some(change.at));
            row.revoked_at = Set(Some(micros(change.at)));
            if let Some(key_id) = change.revive(&old).await? {
                diff.note("lives_on", None, Some(key_id));
            }
        }
        change.update_credential("credential.revoke", old, row, diff).await
    }

    /// Makes a credential of a tenant, unless it has as many as it may.
    pub(super) async fn issue(
        &self,
        change: &Change<'_>,
        owner: &Tenant,
        population: Population,
        new: &NewCredential,
        replaces: Option<&str>,
    ) -> Result<IssuedCredential, RegistryError> {
        let expires_at = after(change.at, new.expires)?;
        if change.live_credentials(&owner.id, population, replaces).await? >= MAX_LIVE {
            return Err(RegistryError::TooManyCredentials(MAX_LIVE));
        }
        let minted = mint(&Place { region: owner.region.clone(), population });
        let credential = Credential {
            hash: self.shared.keys.load().pepper.hash(minted.text.expose_secret()),
            key_id: minted.key_id,
            tenant_id: owner.id.clone(),
            name: new.name.clone(),
            hint: minted.hint,
            scopes: new.scopes,
            created_at: change.at,
            expires_at,
            revoked_at: None,
            population,
            created_by: change.by.actor.to_string(),
            networks: new.networks.clone(),
            retires_at: None,
            replaces: replaces.map(ToOwned::to_owned),
            version: change.generation,
        };
        let row = entity::credential::new_row(&credential, change.generation);
        entity::credential::Entity::insert(row)
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(IssuedCredential { token: minted.text, credential })
    }
}

impl Change<'_> {
    /// The row of a tenant's credential, which is the one that the caller has seen.
    pub(super) async fn credential(
        &self,
        id: &TenantId,
        key_id: &str,
    ) -> Result<Model, RegistryError> {
        let row = entity::credential::Entity::find_by_id(key_id)
            .one(&self.transaction)
            .await
            .map_err(RegistryError::Database)?
            .filter(|row| row.tenant_id == id.as_str())
            .ok_or(RegistryError::CredentialNotFound)?;
        self.expect(row.generation)?;
        Ok(row)
    }

    /// Lets the credential live on whose place another one was to take; which one. None where that is over, or where the
    /// other one's own place is taken.
    async fn revive(&self, unwanted: &Credential) -> Result<Option<String>, RegistryError> {
        let (Some(key_id), None) = (&unwanted.replaces, unwanted.retires_at) else {
            return Ok(None);
        };
        let row = entity::credential::Entity::find_by_id(key_id)
            .one(&self.transaction)
            .await
            .map_err(RegistryError::Database)?
            .filter(|row| row.tenant_id == unwanted.tenant_id.as_str());
        let Some(row) = row else { return Ok(None) };
        let old = row.clone().read()?;
        if old.retires_at.is_none() || !old.is_live(self.at) {
            return Ok(None);
        }
        let mut row = row.into_active_model();
        row.retires_at = Set(None);
        self.write_credential(row).await?;
        Ok(Some(old.key_id))
    }

    /// Writes what changes of a credential's row, and audits it.
    pub(super) async fn update_credential(
        self,
        action: &str,
        old: Credential,
        row: ActiveModel,
        diff: Diff,
    ) -> Result<Pending<Credential>, RegistryError> {
        if diff.is_empty() {
            return self.nothing(old).await;
        }
        let changed = self.write_credential(row).await?;
        let detail = diff.detail_of(&changed.name);
        let (id, key_id) = (changed.tenant_id.clone(), changed.key_id.clone());
        self.done((action, Some(&id), &key_id), detail, changed).await
    }

    pub(super) async fn write_credential(
        &self,
        mut row: ActiveModel,
    ) -> Result<Credential, RegistryError> {
        row.generation = Set(self.generation);
        row.update(&self.transaction).await.map_err(RegistryError::Database)?.read()
    }
}

/// The population that a new credential is for.
pub(super) fn population(
    owner: &Tenant,
    asked: Option<Population>,
) -> Result<Population, RegistryError> {
    let population = asked.unwrap_or(owner.population);
    if owner.switch.is_some_and(|switch| switch.stage == Stage::Frozen) {
        return Err(RegistryError::Frozen);
    }
    // Once it is decided where it goes, what is left gets nothing new.
    let is_left = owner.switch.is_some() && population != owner.population;
    if !owner.serves(population) || is_left {
        let (tenant, asked) = (owner.population, population);
        return Err(RegistryError::PopulationConflict { tenant, asked });
    }
    Ok(population)
}

/// The instant that ends a life.
pub(super) fn after(at: OffsetDateTime, life: Duration) -> Result<OffsetDateTime, RegistryError> {
    if life < Duration::from_secs(1) || life > LONGEST {
        return Err(RegistryError::ExpiryInvalid);
    }
    let end = time::Duration::try_from(life).ok().and_then(|life| at.checked_add(life));
    let end = end.ok_or(RegistryError::ExpiryInvalid)?;
    Ok(instant(micros(end)).unwrap_or(end))
}
