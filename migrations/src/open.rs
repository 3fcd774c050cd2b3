//! Opening a database: which engine a URL means, its pools, its pragmas, its version.
//!
//! **Invariant**: SQLite has one writing connection and a few reading ones on the same file; PostgreSQL has one pool.
//! Nothing here knows a table.

mod fault;
mod health;
mod migrate;
mod postgres;
mod sqlite;

pub use fault::{Fault, causes, code, may_pass};
pub use migrate::MIGRATION_PATIENCE;

use health::{Health, Watch};
use postgres::Role;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbErr};
use std::sync::Arc;
use std::time::Duration;

/// Which database a URL means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file, in this process.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The engine of a URL: `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        if url.starts_with("sqlite:") {
            Some(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Some(Self::Postgres)
        } else {
            None
        }
    }
}

/// How a store's connections are kept.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Connections of a PostgreSQL pool; reading connections of a SQLite file (4 at most are made).
    pub readers: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may run (PostgreSQL).
    pub statement_timeout: Duration,
    /// How the connections name themselves to the server.
    pub application_name: String,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is neither SQLite's nor PostgreSQL's.
    #[error("a store URL begins with `sqlite:` or `postgres://`")]
    UnknownEngine,
    /// The folder of the SQLite file could not be made.
    #[error("the folder of the database file could not be made")]
    Folder(#[source] std::io::Error),
    /// The database does not answer, or refuses us.
    #[error("the database could not be opened")]
    Connect(#[source] DbErr),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[source] DbErr),
    /// Others keep the schema from being brought up to date.
    #[error("the schema could not be brought up to date within {seconds} s: {why}")]
    Locked {
        /// What was in the way last.
        why: &'static str,
        /// How long it was tried.
        seconds: u64,
    },
    /// The schema was made by a newer program, and lacks what this one would add.
    #[error(
        "the schema was made by a newer version (migration {0}) and lacks migrations of this one: run that version or a newer one"
    )]
    Newer(String),
    /// A newer program took away what this one needs.
    #[error(
        "a newer version (migration {0}) has taken away from the schema what this version needs: run the version that has this migration, or a newer one; to go back, restore the database from before it"
    )]
    Contracted(String),
}

impl OpenError {
    /// Whether the database is only away, so that trying later makes sense.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) | Self::Migrate(error) => may_pass(error),
            Self::Locked { .. } => true,
            Self::UnknownEngine | Self::Folder(_) | Self::Newer(_) | Self::Contracted(_) => false,
        }
    }
}

/// One open database.
#[derive(Debug, Clone)]
pub struct Database {
    engine: Engine,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    health: Arc<Health>,
}

impl Database {
    /// Opens the database of a URL, making a SQLite file and its folder when they are absent.
    ///
    /// A PostgreSQL server that is down does not fail this: its connections are made when they are needed. Connections to a
    /// standby are refused.
    ///
    /// # Errors
    /// When the URL is not understood or the file cannot be opened.
    pub async fn open(url: &str, options: &PoolOptions) -> Result<Self, OpenError> {
        match Engine::of(url).ok_or(OpenError::UnknownEngine)? {
            Engine::Sqlite => {
                let (reader, writer) = sqlite::open(url, options).await?;
                let health = Arc::new(Health::new());
                Ok(Self { engine: Engine::Sqlite, reader, writer, health })
            }
            Engine::Postgres => Self::open_postgres(url, Role::Primary, options).await,
        }
    }

    /// Opens a copy of a PostgreSQL database that is only read from.
    ///
    /// # Errors
    /// When the URL is not PostgreSQL's.
    pub async fn open_replica(url: &str, options: &PoolOptions) -> Result<Self, OpenError> {
        match Engine::of(url) {
            Some(Engine::Postgres) => Self::open_postgres(url, Role::Replica, options).await,
            Some(Engine::Sqlite) | None => Err(OpenError::UnknownEngine),
        }
    }

    async fn open_postgres(
        url: &str,
        role: Role,
        options: &PoolOptions,
    ) -> Result<Self, OpenError> {
        let health = Arc::new(Health::new());
        let pool = postgres::open(url, role, options, Arc::clone(&health))
            .await
            .map_err(OpenError::Connect)?;
        Ok(Self { engine: Engine::Postgres, reader: pool.clone(), writer: pool, health })
    }

    /// Which engine it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The pool for reading. On PostgreSQL it is the same as [`Self::writer`].
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The pool for writing: on SQLite a single connection.
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Learns from an error: connections like the one that it came from are not used again.
    pub fn note(&self, error: &DbErr) {
        self.health.note(error);
    }

    /// Does work on connections of this database. When it is dropped in the middle, which a deadline or a client that has gone
    /// does, the connection is not taken for good before it has answered.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn watch<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let watch = Watch::begin(&self.health);
        let outcome = work.await;
        watch.end();
        outcome
    }

    /// Ends all connections, after their statements.
    ///
    /// # Errors
    /// When a pool cannot be closed.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await
    }
}
