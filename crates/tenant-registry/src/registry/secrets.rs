//! Warning of the end of clients' secrets.
//!
//! **Invariant**: as of credentials: each level once, whichever node says it. One that has a successor is announced as well:
//! nobody knows which of a client's secrets its identity provider holds.

use super::change::in_words;
use super::oauth::secrets_of;
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::oauth_secret::{Column, Entity, Model};
use crate::entity::{micros, oauth_client, tenant};
use crate::error::RegistryError;
use crate::oauth::{ClientSecret, ExpiringSecret};
use crate::tenant::TenantState;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::json;
use time::OffsetDateTime;

impl Registry {
    /// The secrets of clients whose end is so near that it is to be announced (once at 30, 14, 7 and 1 days). None of revoked
    /// clients, and none of closed tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expiring_secrets(
        &self,
        now: OffsetDateTime,
    ) -> Result<Vec<ExpiringSecret>, RegistryError> {
        let open = [TenantState::Active, TenantState::Suspended].map(TenantState::as_str);
        let open = Query::select()
            .column(tenant::Column::Id)
            .from(tenant::Entity)
            .and_where(tenant::Column::State.is_in(open))
            .to_owned();
        let live = Query::select()
            .column(oauth_client::Column::Id)
            .from(oauth_client::Entity)
            .and_where(oauth_client::Column::RevokedAt.is_null())
            .and_where(oauth_client::Column::TenantId.in_subquery(open))
            .to_owned();
        let rows = Entity::find()
            .filter(Column::ExpiresAt.gt(micros(now)))
            .filter(Column::ExpiresAt.lte(micros(now.saturating_add(time::Duration::days(30)))))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ClientId.in_subquery(live))
            .order_by_asc(Column::ExpiresAt)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        let mut due = Vec::new();
        for row in rows {
            due.extend(self.due(row, now).await?);
        }
        Ok(due)
    }

    async fn due(
        &self,
        row: Model,
        now: OffsetDateTime,
    ) -> Result<Option<ExpiringSecret>, RegistryError> {
        let reader = self.db()?.reader();
        let client = oauth_client::Entity::find_by_id(row.client_id.as_str())
            .one(reader)
            .await
            .map_err(RegistryError::Database)?;
        let Some(client) = client else { return Ok(None) };
        let Some(owner) = self.find_tenant(&client.tenant_id).await? else { return Ok(None) };
        let secrets = secrets_of(reader, &client.id).await?;
        let client = client.read(&owner.region, secrets)?;
        Ok(ExpiringSecret::of(&client, &row.id, row.warned_days, now))
    }

    /// Announces the end of a secret in the audit, unless another node did or it does not end any more: then the change changes
    /// nothing. The client keeps its version.
    ///
    /// # Errors
    /// When there is no such secret, or the database fails.
    #[tracing::instrument(name = "registry.oauth_secret.warn", skip_all)]
    pub async fn warn_expiring_secret(
        &self,
        expiring: &ExpiringSecret,
        by: &By,
    ) -> Result<Pending<ClientSecret>, RegistryError> {
        let (id, client_id) = (&expiring.client.tenant_id, &expiring.client.client_id);
        let change = self.begin(by).await?;
        let (_, client) = change.client(id, client_id).await?;
        let row = Entity::find_by_id(expiring.secret.id.as_str())
            .one(&change.transaction)
            .await
            .map_err(RegistryError::Database)?
            .ok_or(RegistryError::SecretNotFound)?;
        let Some(due) = ExpiringSecret::of(&client, &row.id, row.warned_days, change.at) else {
            return change.nothing(row.read()?).await;
        };
        let mut row = row.into_active_model();
        row.warned_days = Set(Some(due.days));
        row.update(&change.transaction).await.map_err(RegistryError::Database)?;
        let detail = json!({
            "name": client.name, "secret": due.secret.id, "hint": due.secret.hint, "days": due.days,
            "expires_at": in_words(due.secret.expires_at),
        });
        change.done(("oauth_secret.expiring", Some(id), client_id), detail, due.secret).await
    }
}
