//! Changing the registry.
//!
//! **Invariant**: a change begins by raising the generation. That row is the one lock: changes are one after the other, a
//! row carries the generation of its last change, and whoever counts, counts what no one else is changing.

use super::{Registry, no_generation};
use crate::audit::AuditEntry;
use crate::credential::token::mint;
use crate::credential::{Credential, IssuedCredential, MAX_LIVE, NewCredential};
use crate::entity;
use crate::entity::{instant, micros};
use crate::error::RegistryError;
use crate::tenant::{NewTenant, Tenant, TenantId, TenantState, is_slug};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, SqlErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;

/// A credential lives at most this long.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A change that has begun.
struct Change {
    transaction: DatabaseTransaction,
    generation: i64,
}

impl Registry {
    /// Creates a tenant.
    ///
    /// # Errors
    /// When the slug is taken or has another form, or the database fails.
    #[tracing::instrument(name = "registry.tenant.create", skip_all)]
    pub async fn create_tenant(
        &self,
        new: &NewTenant,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        if !is_slug(&new.slug) {
            return Err(RegistryError::SlugInvalid);
        }
        let tenant = Tenant::made(TenantId::random(), new, now);
        let change = self.begin().await?;
        let row = entity::tenant::new_row(&tenant, change.generation, now)?;
        let inserted =
            entity::tenant::Entity::insert(row).exec_without_returning(&change.transaction).await;
        inserted.map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => RegistryError::SlugTaken,
            _ => RegistryError::Database(error),
        })?;
        let detail = json!({
            "name": tenant.name, "region": tenant.region.as_str(), "population": tenant.population.as_str(),
            "profile": tenant.profile.as_str(), "plan": tenant.plan, "seats": tenant.seats, "groups": tenant.groups,
        });
        let what = ("tenant.create", &tenant.id, tenant.slug.as_str(), detail);
        self.finish(change, what, (actor, now)).await?;
        Ok(tenant)
    }

    /// Suspends a tenant, closes it, or serves it again.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn set_tenant_state(
        &self,
        tenant: &TenantId,
        state: TenantState,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        let by = ("tenant.set_state", actor, now);
        self.set(tenant, by, |row| {
            let before = json!(row.state.take());
            row.state = Set(state.as_str().to_owned());
            Ok((before, json!(state.as_str())))
        })
        .await
    }

    /// Sets how many people of the tenant may be active; `None`: any number. Those who are active already stay so.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn set_seats(
        &self,
        tenant: &TenantId,
        seats: Option<u64>,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        let column = entity::tenant::seats_column(seats)?;
        let by = ("tenant.set_seats", actor, now);
        self.set(tenant, by, |row| {
            let before = json!(row.seats.take().flatten());
            row.seats = Set(column);
            Ok((before, json!(seats)))
        })
        .await
    }

    /// Sets whether the tenant takes groups. Groups that are there stay.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn set_groups(
        &self,
        tenant: &TenantId,
        groups: bool,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        let by = ("tenant.set_groups", actor, now);
        self.set(tenant, by, |row| {
            let before = json!(row.group_push.take());
            row.group_push = Set(groups);
            Ok((before, json!(groups)))
        })
        .await
    }

    /// Issues a credential. Its token is in the answer and nowhere else.
    ///
    /// # Errors
    /// When there is no such tenant, it has [`MAX_LIVE`] live credentials already, the life asked for is too short or too
    /// long, or the database fails.
    #[tracing::instrument(name = "registry.credential.create", skip_all)]
    pub async fn create_credential(
        &self,
        tenant: &TenantId,
        new: &NewCredential,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<IssuedCredential, RegistryError> {
        if new.expires < Duration::from_secs(1) || new.expires > LONGEST {
            return Err(RegistryError::ExpiryInvalid);
        }
        let now = instant(micros(now)).unwrap_or(now);
        let expires_at = time::Duration::try_from(new.expires)
            .ok()
            .and_then(|life| now.checked_add(life))
            .ok_or(RegistryError::ExpiryInvalid)?;
        let change = self.begin().await?;
        let owner = row_of(&change.transaction, tenant).await?.read()?;
        if live(&change.transaction, tenant, now).await? >= MAX_LIVE {
            return Err(RegistryError::TooManyCredentials(MAX_LIVE));
        }
        let minted = mint(&owner.place());
        let credential = Credential {
            hash: self.shared.pepper.hash(minted.text.expose_secret()),
            key_id: minted.key_id,
            tenant_id: tenant.clone(),
            name: new.name.clone(),
            hint: minted.hint,
            scopes: new.scopes,
            created_at: now,
            expires_at: instant(micros(expires_at)).unwrap_or(expires_at),
            revoked_at: None,
            population: owner.population,
            created_by: actor.to_owned(),
            networks: new.networks.clone(),
            retires_at: None,
            replaces: None,
        };
        let row = entity::credential::new_row(&credential, change.generation);
        entity::credential::Entity::insert(row)
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        let detail = json!({
            "name": credential.name, "hint": credential.hint, "scopes": credential.scopes.to_string(),
            "expires_at": credential.expires_at.unix_timestamp(),
        });
        let what = ("credential.create", tenant, credential.key_id.as_str(), detail);
        self.finish(change, what, (actor, now)).await?;
        Ok(IssuedCredential { token: minted.text, credential })
    }

    /// Revokes a credential, for good. One that was revoked stays revoked as it was.
    ///
    /// # Errors
    /// When there is no such credential, or the database fails.
    #[tracing::instrument(name = "registry.credential.revoke", skip_all)]
    pub async fn revoke_credential(
        &self,
        key_id: &str,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Credential, RegistryError> {
        let change = self.begin().await?;
        let row = entity::credential::Entity::find_by_id(key_id)
            .one(&change.transaction)
            .await
            .map_err(RegistryError::Database)?
            .ok_or(RegistryError::CredentialNotFound)?;
        if row.revoked_at.is_some() {
            return row.read();
        }
        let mut row = row.into_active_model();
        row.revoked_at = Set(Some(micros(now)));
        row.generation = Set(change.generation);
        let row = row.update(&change.transaction).await.map_err(RegistryError::Database)?;
        let credential = row.read()?;
        let detail = json!({ "name": credential.name, "hint": credential.hint });
        let what = ("credential.revoke", &credential.tenant_id, key_id, detail);
        self.finish(change, what, (actor, now)).await?;
        Ok(credential)
    }

    /// Changes columns of a tenant's row. The closure gives what was there and what is there now.
    pub(super) async fn set(
        &self,
        tenant: &TenantId,
        by: (&str, &str, OffsetDateTime),
        change_columns: impl FnOnce(
            &mut entity::tenant::ActiveModel,
        ) -> Result<(Value, Value), RegistryError>,
    ) -> Result<Tenant, RegistryError> {
        self.set_row(tenant, by, |_, row| change_columns(row)).await
    }

    /// The same, with the row as it was.
    pub(super) async fn set_row(
        &self,
        tenant: &TenantId,
        (action, actor, now): (&str, &str, OffsetDateTime),
        change_columns: impl FnOnce(
            &entity::tenant::Model,
            &mut entity::tenant::ActiveModel,
        ) -> Result<(Value, Value), RegistryError>,
    ) -> Result<Tenant, RegistryError> {
        let change = self.begin().await?;
        let old = row_of(&change.transaction, tenant).await?;
        let mut row = old.clone().into_active_model();
        let (before, after) = change_columns(&old, &mut row)?;
        row.generation = Set(change.generation);
        row.updated_at = Set(micros(now));
        let row = row.update(&change.transaction).await.map_err(RegistryError::Database)?;
        let changed = row.read()?;
        let detail = json!({ "before": before, "after": after });
        self.finish(change, (action, tenant, changed.slug.as_str(), detail), (actor, now)).await?;
        Ok(changed)
    }

    async fn begin(&self) -> Result<Change, RegistryError> {
        use entity::generation::{Column, Entity, ONLY};
        // A deferred transaction of SQLite that turns to writing is refused at once when another one writes.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = self
            .shared
            .db
            .writer()
            .begin_with_options(options)
            .await
            .map_err(RegistryError::Database)?;
        let rows = Entity::update_many()
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Id.eq(ONLY))
            .exec_with_returning(&transaction)
            .await
            .map_err(RegistryError::Database)?;
        let generation = rows.first().map(|row| row.generation).ok_or_else(no_generation)?;
        Ok(Change { transaction, generation })
    }

    /// Writes the audit row, commits, and makes the change known: here at once, elsewhere by Redis or by their asking.
    async fn finish(
        &self,
        change: Change,
        (action, tenant, subject, detail): (&str, &TenantId, &str, Value),
        (actor, at): (&str, OffsetDateTime),
    ) -> Result<(), RegistryError> {
        let entry = AuditEntry {
            generation: change.generation,
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            tenant_id: tenant.as_str().to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_string(),
        };
        entity::audit::Entity::insert(entity::audit::ActiveModel::from(&entry))
            .exec_without_returning(&change.transaction)
            .await
            .map_err(RegistryError::Database)?;
        change.transaction.commit().await.map_err(RegistryError::Database)?;
        if let Err(error) = self.refresh().await {
            tracing::warn!(error = %error, "The registry changed, and could not be read again yet.");
        }
        self.announce(change.generation).await;
        Ok(())
    }
}

async fn row_of(
    transaction: &DatabaseTransaction,
    tenant: &TenantId,
) -> Result<entity::tenant::Model, RegistryError> {
    entity::tenant::Entity::find_by_id(tenant.as_str())
        .one(transaction)
        .await
        .map_err(RegistryError::Database)?
        .ok_or(RegistryError::TenantNotFound)
}

async fn live(
    transaction: &DatabaseTransaction,
    tenant: &TenantId,
    now: OffsetDateTime,
) -> Result<usize, RegistryError> {
    use entity::credential::{Column, Entity};
    let count = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_str()))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(micros(now)))
        .count(transaction)
        .await
        .map_err(RegistryError::Database)?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
