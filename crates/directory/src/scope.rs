//! Where a statement begins: one tenant's scope in a directory, and the ways to read and to write.
//!
//! **Invariant**: [`Scoped`] is the only way to a tenant's rows, and it binds the tenant as `$1`.

use crate::error::DirectoryError;
use crate::fence;
use crate::script::{Script, backend};
use crate::seats;
use crate::store::Directory;
use migrations::{Database, Engine};
use region_router::Population;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait, Value,
};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tenant_registry::Tenant;
use time::OffsetDateTime;
use uuid::{ContextV7, Timestamp, Uuid};

/// One population of one tenant in a directory.
///
/// It owns what it needs, so that a write can be a task that is finished also when whoever asked has gone.
#[derive(Debug, Clone)]
pub struct Scoped {
    directory: Directory,
    tenant: Arc<Tenant>,
    population: Population,
    /// What the rows are kept under.
    key: Arc<str>,
    /// Until when somebody waits for the answer.
    pub(crate) deadline: Option<Instant>,
    /// Whether a moment ago is good enough.
    pub(crate) is_lax: bool,
}

impl Directory {
    /// One tenant's view of the store, of the population that it has now.
    #[must_use]
    pub fn within(&self, tenant: &Arc<Tenant>) -> Scoped {
        self.within_population(tenant, tenant.population)
    }

    /// One tenant's view of one of its populations. The two share nothing: neither names nor seats, positions or logs.
    #[must_use]
    pub fn within_population(&self, tenant: &Arc<Tenant>, population: Population) -> Scoped {
        Scoped {
            directory: self.clone(),
            tenant: Arc::clone(tenant),
            population,
            key: tenant.scope_key(population).into(),
            deadline: None,
            is_lax: false,
        }
    }
}

impl Scoped {
    /// Whose view this is.
    #[must_use]
    pub fn population(&self) -> Population {
        self.population
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What this view's rows are kept under: the tenant's id, and for the population that it did not begin with, that
    /// population's name too.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn engine(&self) -> Engine {
        self.directory.engine()
    }

    /// A script of this tenant.
    pub(crate) fn script(&self) -> Script {
        Script::new(self.engine(), &self.key)
    }

    /// Reads rows; `$1` is the tenant and `values` follow.
    pub(crate) async fn read(
        &self,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.statement(sql, values);
        let read = self.reading(|database| database.reader().query_all_raw(statement.clone()));
        Box::pin(read).await
    }

    /// Reads one row, if there is one.
    pub(crate) async fn read_one(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<QueryResult>, DbErr> {
        let statement = self.statement(sql, values);
        let read = self.reading(|database| database.reader().query_one_raw(statement.clone()));
        Box::pin(read).await
    }

    /// Reads, on another connection where the first one was lost: reading twice does no harm.
    pub(crate) async fn reading<'a, T, F>(
        &'a self,
        read: impl Fn(&'a Database) -> F,
    ) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let mut tries = self.tries();
        loop {
            if let Some(copy) = self.copy()
                && let Some(database) = copy.usable()
            {
                match database.watch(read(database)).await {
                    // The store itself is asked.
                    Err(error) => copy.failed(&error),
                    Ok(found) => return Ok(found),
                }
            }
            let database = self.directory.database();
            match database.watch(read(database)).await {
                Err(error) if tries.again_after(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    /// A statement whose `$1` is the tenant.
    pub(crate) fn statement(&self, sql: impl Into<String>, values: Vec<Value>) -> Statement {
        let mut all = Vec::with_capacity(values.len() + 1);
        all.push(self.key().into());
        all.extend(values);
        Statement::from_sql_and_values(backend(self.engine()), sql.into(), all)
    }

    /// The clause that holds a row until the transaction ends. SQLite's one writer needs none.
    pub(crate) fn row_lock(&self) -> &'static str {
        match self.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE",
        }
    }

    /// Begins a transaction of several statements. Only for work that a script cannot say.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        self.directory.database().writer().begin_with_options(options).await
    }

    /// Makes sure that the tenant has its rows here, and that no fence stands that is out of date; the first write of a tenant
    /// finds them missing. Whether there was something to be done, so that the same write may succeed now.
    ///
    /// # Errors
    /// [`DirectoryError::Fenced`] when the rows are there and forbid writing.
    pub(crate) async fn enter(&self, now: OffsetDateTime) -> Result<bool, DirectoryError> {
        let known = self
            .read_one("SELECT epoch, state FROM tenants WHERE tenant_id = $1", Vec::new())
            .await?;
        if let Some(row) = known {
            let epoch: i64 = row.try_get_by_index(0)?;
            let state: String = row.try_get_by_index(1)?;
            if epoch == self.tenant.epoch && fence::is_open(&state, self.tenant.version) {
                return self.open_fence(&state).await;
            }
            // The registry says that the tenant lives here, and under a later epoch: a move was given up.
            if epoch < self.tenant.epoch && fence::is_home(&state) {
                return self.raise_fence(epoch, &state).await;
            }
            return Err(DirectoryError::Fenced);
        }
        let transaction = self.begin().await?;
        let insert = "INSERT INTO tenants (tenant_id, epoch, state, created_at)
                      VALUES ($1, $2, 'active', $3) ON CONFLICT (tenant_id) DO NOTHING";
        let values = vec![self.tenant.epoch.into(), micros(now).into()];
        transaction.execute_raw(self.statement(insert, values)).await?;
        transaction.execute_raw(self.statement(seats::make_slots(), Vec::new())).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Whether the last step of a script ran.
pub(crate) fn applied(row: Option<QueryResult>) -> Result<bool, DbErr> {
    row.map_or(Ok(false), |row| row.try_get_by_index::<i64>(0).map(|n| n > 0))
}

/// A new id: a UUID of version 7, so that rows lie in the order in which they were made.
#[must_use]
pub fn new_id(now: OffsetDateTime) -> String {
    static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(&CONTEXT, seconds, now.nanosecond())).to_string()
}

/// The smallest id of a time (RFC 9562 §5.7: the first 48 bits are milliseconds).
pub(crate) fn first_id(at: OffsetDateTime) -> String {
    let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    format!("{:08x}-{:04x}-7000-8000-000000000000", millis >> 16, millis & 0xffff)
}

/// When an id was made.
pub(crate) fn made_at(id: &str) -> Option<OffsetDateTime> {
    let (seconds, nanos) = Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
    let seconds = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(seconds + std::time::Duration::from_nanos(nanos.into()))
}

/// An instant as the store keeps it: microseconds since 1970, in whole milliseconds, which is what `meta` shows, so
/// that a filter with a value that was read finds what it was read from.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000 * 1_000).unwrap_or(i64::MAX)
}

/// An instant from the store.
pub(crate) fn instant(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
