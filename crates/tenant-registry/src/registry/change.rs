//! Beginning a change of the registry, and ending it.
//!
//! **Invariant**: a change begins by raising the generation. That row is the one lock: changes are one after the other, a
//! row carries the generation of its last change, and whoever counts, counts what no one else is changing.

use super::pending::{Open, Pending};
use super::{Registry, no_generation};
use crate::audit::AuditEntry;
use crate::by::By;
use crate::entity;
use crate::entity::{instant, micros};
use crate::error::RegistryError;
use crate::tenant::TenantState;
use crate::tenant::id::TenantId;
use migrations::{Engine, Fault};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, timeout};

/// How long a change waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a change whose connection was lost at its very beginning waits before it begins again.
const PAUSE: Duration = Duration::from_millis(200);

/// A change that has begun.
pub(super) struct Change<'a> {
    registry: &'a Registry,
    pub(super) by: &'a By,
    pub(super) transaction: DatabaseTransaction,
    turn: OwnedMutexGuard<()>,
    pub(super) generation: i64,
    /// When, as precisely as it is kept.
    pub(super) at: OffsetDateTime,
}

impl Registry {
    /// Begins a change, unless its request was answered before.
    pub(super) async fn begin<'a>(&'a self, by: &'a By) -> Result<Change<'a>, RegistryError> {
        let turn = Arc::clone(&self.shared.changing).lock_owned();
        let turn = timeout(PATIENCE, turn).await.map_err(|_elapsed| RegistryError::Silent)?;
        let (transaction, generation) = self.lock().await?;
        let at = instant(micros(by.now)).unwrap_or(by.now);
        if let Some(once) = &by.once {
            super::answers::refuse_another(&transaction, once, at).await?;
        }
        Ok(Change { registry: self, by, transaction, turn, generation, at })
    }

    /// A transaction that every other change waits for, and the generation that it makes.
    pub(super) async fn lock(&self) -> Result<(DatabaseTransaction, i64), RegistryError> {
        use entity::generation::{Column, Entity, ONLY};
        // A deferred transaction of SQLite that turns to writing is refused at once when another one writes.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let (db, begun) = (self.db()?, Instant::now());
        let (transaction, rows) = loop {
            let transaction = db.writer().begin_with_options(options).await;
            let raised = async {
                let transaction = transaction?;
                let rows = Entity::update_many()
                    .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
                    .filter(Column::Id.eq(ONLY))
                    .exec_with_returning(&transaction)
                    .await?;
                Ok((transaction, rows))
            };
            match db.watch(raised).await {
                Ok(raised) => break raised,
                // Nothing is done yet, and another connection may reach the server that takes writes now.
                Err(error)
                    if matches!(Fault::of(&error), Fault::Refused | Fault::Lost)
                        && db.engine() == Engine::Postgres
                        && begun.elapsed() < PATIENCE =>
                {
                    db.note(&error);
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(RegistryError::Database(error)),
            }
        };
        let generation = rows.first().map(|row| row.generation).ok_or_else(no_generation)?;
        Ok((transaction, generation))
    }
}

impl Change<'_> {
    /// Whether what is changed is what the caller has seen.
    pub(super) fn expect(&self, version: i64) -> Result<(), RegistryError> {
        match self.by.expected {
            Some(expected) if expected != version => Err(RegistryError::VersionMismatch),
            _ => Ok(()),
        }
    }

    /// The row of a tenant, which is the one that the caller has seen.
    pub(super) async fn tenant(
        &self,
        id: &TenantId,
    ) -> Result<entity::tenant::Model, RegistryError> {
        let row = self.tenant_as_it_is(id).await?;
        self.expect(row.generation)?;
        Ok(row)
    }

    /// The row of a tenant.
    pub(super) async fn tenant_as_it_is(
        &self,
        id: &TenantId,
    ) -> Result<entity::tenant::Model, RegistryError> {
        entity::tenant::Entity::find_by_id(id.as_str())
            .one(&self.transaction)
            .await
            .map_err(RegistryError::Database)?
            .ok_or(RegistryError::TenantNotFound)
    }

    /// Writes the audit row. The change is made once what comes of this is committed.
    pub(super) async fn done<T>(
        self,
        (action, tenant, subject): (&str, Option<&TenantId>, &str),
        detail: Value,
        value: T,
    ) -> Result<Pending<T>, RegistryError> {
        let entry = AuditEntry {
            generation: self.generation,
            at: self.at,
            actor: self.by.actor.to_string(),
            action: action.to_owned(),
            tenant_id: tenant.map(ToString::to_string).unwrap_or_default(),
            subject: subject.to_owned(),
            detail: detail.to_string(),
            request_id: self.by.request_id.clone(),
        };
        entity::audit::Entity::insert(entity::audit::ActiveModel::from(&entry))
            .exec_without_returning(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(self.pending(Some(entry), value))
    }

    /// What was asked for is so already: nothing is written, but an answer to be remembered.
    pub(super) async fn nothing<T>(self, value: T) -> Result<Pending<T>, RegistryError> {
        if self.by.once.is_some() {
            return Ok(self.pending(None, value));
        }
        self.transaction.rollback().await.map_err(RegistryError::Database)?;
        Ok(Pending::unchanged(value))
    }

    fn pending<T>(self, entry: Option<AuditEntry>, value: T) -> Pending<T> {
        let open = Open {
            registry: self.registry.clone(),
            transaction: self.transaction,
            turn: self.turn,
            entry,
            once: self.by.once.clone(),
            at: self.at,
        };
        Pending::open(value, open)
    }
}

/// A closed tenant keeps what it has, and gets nothing new.
pub(super) fn refuse_closed(state: TenantState) -> Result<(), RegistryError> {
    match state {
        TenantState::Active | TenantState::Suspended => Ok(()),
        state @ (TenantState::Closed | TenantState::Purging | TenantState::Purged) => {
            Err(RegistryError::TenantClosed(state))
        }
    }
}

/// What a change changes, for the audit.
#[derive(Debug, Default)]
pub(super) struct Diff {
    before: Map<String, Value>,
    after: Map<String, Value>,
}

impl Diff {
    /// Notes a value that changes, and says whether it does.
    pub(super) fn note<T: Into<Value> + PartialEq>(
        &mut self,
        name: &str,
        before: T,
        after: T,
    ) -> bool {
        if before == after {
            return false;
        }
        self.before.insert(name.to_owned(), before.into());
        self.after.insert(name.to_owned(), after.into());
        true
    }

    /// Notes that a text changes which may name a person: the audit is kept, and names nobody.
    pub(super) fn hide(&mut self, name: &str, before: &str, after: &str) -> bool {
        let is_new = before != after;
        if is_new {
            self.note(name, Value::Null, "changed".into());
        }
        is_new
    }

    /// Notes an instant that changes, and says whether it does.
    pub(super) fn instants(
        &mut self,
        name: &str,
        before: Option<OffsetDateTime>,
        after: Option<OffsetDateTime>,
    ) -> bool {
        self.note(name, before.map(in_words), after.map(in_words))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.after.is_empty()
    }

    pub(super) fn detail(self) -> Value {
        json!({ "before": self.before, "after": self.after })
    }

    /// The same of a credential or client, which has a name.
    pub(super) fn detail_of(self, name: &str) -> Value {
        json!({ "name": name, "before": self.before, "after": self.after })
    }
}

/// RFC 3339, UTC, whole seconds.
pub(super) fn in_words(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}
