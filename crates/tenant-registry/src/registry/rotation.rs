//! Rotating credentials, and warning of their end.
//!
//! **Invariant**: of a credential that is rotated there is one that takes its place, and both are good until the overlap is
//! over.

use super::change::{Change, Diff, in_words, refuse_closed};
use super::credentials::{after, population};
use super::{Pending, Registry};
use crate::by::By;
use crate::credential::usage::Expiring;
use crate::credential::{Credential, IssuedCredential, NewCredential};
use crate::entity::credential::{Column, Entity, Model};
use crate::entity::{micros, tenant};
use crate::error::RegistryError;
use crate::tenant::TenantState;
use crate::tenant::id::TenantId;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;

impl Registry {
    /// Issues a credential in the place of another one, which stays good until the overlap is over. It lives as long as the
    /// other one did, or as is asked.
    ///
    /// # Errors
    /// [`RegistryError::CredentialEnded`] when the other one is not live, [`RegistryError::RotationUnderWay`] when it is being
    /// replaced already; otherwise as [`Self::create_credential`].
    #[tracing::instrument(name = "registry.credential.rotate", skip_all)]
    pub async fn start_rotation(
        &self,
        id: &TenantId,
        key_id: &str,
        overlap: Duration,
        expires: Option<Duration>,
        by: &By,
    ) -> Result<Pending<IssuedCredential>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let old = row.clone().read()?;
        let owner = change.tenant_as_it_is(id).await?.read()?;
        refuse_closed(owner.state)?;
        if !old.is_live(change.at) {
            return Err(RegistryError::CredentialEnded);
        }
        if old.retires_at.is_some() {
            return Err(RegistryError::RotationUnderWay);
        }
        let retires_at = if overlap.is_zero() { change.at } else { after(change.at, overlap)? };
        let population = population(&owner, Some(old.population))?;
        let life = (old.expires_at - old.created_at).unsigned_abs();
        let new = NewCredential {
            name: old.name.clone(),
            expires: expires.unwrap_or(life),
            scopes: old.scopes,
            population: Some(population),
            networks: old.networks.clone(),
        };
        let issued = self.issue(&change, &owner, population, &new, Some(key_id)).await?;
        let mut row = row.into_active_model();
        row.retires_at = Set(Some(micros(retires_at)));
        change.write_credential(row).await?;
        let detail = json!({
            "name": old.name, "before": { "retires_at": null },
            "after": { "retires_at": in_words(retires_at), "replaced_by": issued.credential.key_id,
                "hint": issued.credential.hint, "expires_at": in_words(issued.credential.expires_at) },
        });
        change.done(("credential.rotate", Some(id), key_id), detail, issued).await
    }

    /// Ends a rotation: the old credential, whose key id is given, is revoked at once.
    ///
    /// # Errors
    /// [`RegistryError::NoRotation`] when it is not being replaced; when there is no such credential, it is not the one that
    /// the caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.credential.complete", skip_all)]
    pub async fn complete_rotation(
        &self,
        id: &TenantId,
        key_id: &str,
        by: &By,
    ) -> Result<Pending<Credential>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let old = row.clone().read()?;
        change.replacement(&old).await?.ok_or(RegistryError::NoRotation)?;
        let mut row = row.into_active_model();
        row.revoked_at = Set(Some(micros(change.at)));
        let mut diff = Diff::default();
        diff.instants("revoked_at", None, Some(change.at));
        change.update_credential("credential.rotation_complete", old, row, diff).await
    }

    /// Takes a rotation back: the new credential is revoked, and the old one, whose key id is given, lives on. It gives that.
    ///
    /// # Errors
    /// [`RegistryError::CredentialEnded`] when the overlap is over: what was refused once is not good again. Otherwise as
    /// [`Self::complete_rotation`].
    #[tracing::instrument(name = "registry.credential.cancel", skip_all)]
    pub async fn cancel_rotation(
        &self,
        id: &TenantId,
        key_id: &str,
        by: &By,
    ) -> Result<Pending<Credential>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let old = row.clone().read()?;
        let new = change.replacement(&old).await?;
        if !old.is_live(change.at) {
            return Err(RegistryError::CredentialEnded);
        }
        let mut diff = Diff::default();
        diff.instants("retires_at", old.retires_at, None);
        if let Some(new) = new {
            diff.note("replaced_by", Some(new.key_id.as_str()), None);
            let mut new = new.into_active_model();
            new.revoked_at = Set(Some(micros(change.at)));
            change.write_credential(new).await?;
        }
        let mut row = row.into_active_model();
        row.retires_at = Set(None);
        change.update_credential("credential.rotation_cancel", old, row, diff).await
    }

    /// The credentials whose end is so near that it is to be announced (once at 30, 14, 7 and 1 days). None that is being
    /// replaced, and none of closed tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expiring(&self, now: OffsetDateTime) -> Result<Vec<Expiring>, RegistryError> {
        let open = [TenantState::Active, TenantState::Suspended].map(TenantState::as_str);
        let open = Query::select()
            .column(tenant::Column::Id)
            .from(tenant::Entity)
            .and_where(tenant::Column::State.is_in(open))
            .to_owned();
        let rows = Entity::find()
            .filter(Column::ExpiresAt.gt(micros(now)))
            .filter(Column::ExpiresAt.lte(micros(now.saturating_add(time::Duration::days(30)))))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::RetiresAt.is_null())
            .filter(Column::TenantId.in_subquery(open))
            .order_by_asc(Column::ExpiresAt)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        let due = |row: Model| {
            let warned = row.warned_days;
            Ok(Expiring::of(row.read()?, warned, now))
        };
        rows.into_iter().filter_map(|row| due(row).transpose()).collect()
    }

    /// Announces the end of a credential in the audit, unless another node did or it does not end any more: then the change
    /// changes nothing. The credential keeps its version.
    ///
    /// # Errors
    /// When there is no such credential, or the database fails.
    #[tracing::instrument(name = "registry.credential.warn", skip_all)]
    pub async fn warn_expiring(
        &self,
        expiring: &Expiring,
        by: &By,
    ) -> Result<Pending<Credential>, RegistryError> {
        let (id, key_id) = (&expiring.credential.tenant_id, &expiring.credential.key_id);
        let change = self.begin(by).await?;
        let row = change.credential(id, key_id).await?;
        let warned = row.warned_days;
        let now = row.clone().read()?;
        let Some(due) = Expiring::of(now.clone(), warned, change.at) else {
            return change.nothing(now).await;
        };
        let mut row = row.into_active_model();
        row.warned_days = Set(Some(due.days));
        row.update(&change.transaction).await.map_err(RegistryError::Database)?;
        let detail = json!({
            "name": now.name, "hint": now.hint, "days": due.days, "expires_at": in_words(now.expires_at),
        });
        change.done(("credential.expiring", Some(id), key_id), detail, now).await
    }
}

impl Change<'_> {
    /// The row of the one that takes a credential's place, unless it was revoked.
    async fn replacement(&self, old: &Credential) -> Result<Option<Model>, RegistryError> {
        if old.retires_at.is_none() || old.revoked_at.is_some() {
            return Err(RegistryError::NoRotation);
        }
        Entity::find()
            .filter(Column::TenantId.eq(old.tenant_id.as_str()))
            .filter(Column::Replaces.eq(old.key_id.as_str()))
            .filter(Column::RevokedAt.is_null())
            .one(&self.transaction)
            .await
            .map_err(RegistryError::Database)
    }
}
