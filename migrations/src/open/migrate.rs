//! Bringing a schema up to date: by one process at a time, all of it or nothing.
//!
//! **Invariant**: the migrations that are missing are one transaction under one lock, so that whoever is killed leaves nothing
//! half done. What waits for a lock waits for a moment and tries again: behind it everybody else would wait too.

use super::fault::is_busy;
use super::{Database, Engine, Fault, OpenError};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::time::{Duration, Instant};

/// How long a process waits for another one that migrates, and for locks of tables in use.
pub const MIGRATION_PATIENCE: Duration = Duration::from_mins(5);
/// How long it waits from one try to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// What the name of a migration holds that takes away what older programs need.
const CONTRACT: &str = "_contract_";

/// What one try came to.
enum Tried {
    Done,
    /// Somebody else is at it, or a table is in use.
    Busy(&'static str),
}

/// What a database has of the migrations.
struct Standing {
    is_current: bool,
    /// Those that this program does not know.
    newer: Vec<String>,
}

impl Database {
    /// Brings the schema up to date. Of several processes that try at once, one does it and the others wait, for
    /// [`MIGRATION_PATIENCE`] at most.
    ///
    /// # Errors
    /// When a migration fails, when another process does not end in time, or when the schema is newer than this program can
    /// work with.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), OpenError> {
        self.migrate_within::<M>(MIGRATION_PATIENCE).await
    }

    /// The same, with another patience.
    ///
    /// # Errors
    /// As [`Self::migrate`].
    pub async fn migrate_within<M: MigratorTrait>(
        &self,
        patience: Duration,
    ) -> Result<(), OpenError> {
        let begun = Instant::now();
        let mut told = "";
        loop {
            let standing = self.standing::<M>().await?;
            if standing.is_current {
                standing.tell();
                return Ok(());
            }
            let why = match self.try_migrate::<M>().await? {
                // Looked at once more: the commit's answer may have been lost.
                Tried::Done => continue,
                Tried::Busy(why) => why,
            };
            if begun.elapsed() >= patience {
                return Err(OpenError::Locked { why, seconds: patience.as_secs() });
            }
            if told != why {
                told = why;
                tracing::warn!(
                    "The schema is not brought up to date yet: {why}. This is tried again for {} s at most.",
                    patience.as_secs()
                );
            }
            tokio::time::sleep(PAUSE.min(patience)).await;
        }
    }

    /// Takes every migration back. For tests and for leaving a database clean.
    ///
    /// # Errors
    /// When a migration cannot be taken back.
    pub async fn unmigrate<M: MigratorTrait>(&self) -> Result<(), OpenError> {
        M::down(self.writer(), None).await.map_err(OpenError::Migrate)
    }

    async fn standing<M: MigratorTrait>(&self) -> Result<Standing, OpenError> {
        let known: Vec<String> = M::migrations().iter().map(|m| m.name().to_owned()).collect();
        let applied = self.applied::<M>().await.map_err(OpenError::Connect)?;
        let newer: Vec<String> =
            applied.iter().filter(|name| !known.contains(name)).cloned().collect();
        if let Some(name) = newer.iter().find(|name| name.contains(CONTRACT)) {
            return Err(OpenError::Contracted(name.clone()));
        }
        let is_current = known.iter().all(|name| applied.contains(name));
        match newer.first() {
            // The newer program was never told of what this one would add.
            Some(name) if !is_current => Err(OpenError::Newer(name.clone())),
            _ => Ok(Standing { is_current, newer }),
        }
    }

    async fn try_migrate<M: MigratorTrait>(&self) -> Result<Tried, OpenError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = match self.writer().begin_with_options(options).await {
            Ok(transaction) => transaction,
            Err(error) if is_busy(&error) => {
                return Ok(Tried::Busy("another process writes to the file"));
            }
            Err(error) => return Err(OpenError::Connect(error)),
        };
        let outcome = async {
            if self.engine() == Engine::Postgres && !take_turn(&transaction).await? {
                return Ok(false);
            }
            M::up(&transaction, None).await.map(|()| true)
        };
        match outcome.await {
            Ok(true) => {}
            Ok(false) => {
                return Ok(Tried::Busy("another process is bringing it up to date"));
            }
            Err(error) if Fault::of(&error) == Fault::Conflict => {
                return Ok(Tried::Busy("a table is in use, and its lock was not to be had"));
            }
            Err(error) => return Err(OpenError::Migrate(error)),
        }
        match transaction.commit().await {
            Err(error) if Fault::of(&error) != Fault::Lost => Err(OpenError::Migrate(error)),
            // Where the answer was lost, the next look tells.
            Ok(()) | Err(_) => Ok(Tried::Done),
        }
    }

    /// The names of the migrations that this database has; none when it is empty.
    async fn applied<M: MigratorTrait>(&self) -> Result<Vec<String>, DbErr> {
        let table = M::migration_table_name().to_string();
        let exists = match self.engine() {
            Engine::Sqlite => {
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
            }
            Engine::Postgres => {
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
        };
        let backend = self.writer().get_database_backend();
        let statement = Statement::from_sql_and_values(backend, exists, [table.clone().into()]);
        let row = self.writer().query_one_raw(statement).await?;
        let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT version FROM {table} ORDER BY version");
        let rows = self.writer().query_all_raw(Statement::from_string(backend, sql)).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }
}

impl Standing {
    fn tell(&self) {
        if let Some(last) = self.newer.last() {
            tracing::info!(
                "The schema was made by a newer version (migration {last}), which leaves what this version needs."
            );
        }
    }
}

/// Takes the lock of all who migrate this database, if it is free. Two nodes that start on an empty database would both make the
/// table of migrations. An index on a large table takes longer than a request may.
async fn take_turn(transaction: &DatabaseTransaction) -> Result<bool, DbErr> {
    transaction
        .execute_unprepared(
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '1s'",
        )
        .await?;
    let statement = Statement::from_string(
        transaction.get_database_backend(),
        "SELECT pg_try_advisory_xact_lock(7382915, 1)",
    );
    let row = transaction.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}
