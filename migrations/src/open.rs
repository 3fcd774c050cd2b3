//! Opening a database: which engine a URL means, its pools, its pragmas, its version.
//!
//! **Invariant**: SQLite has one writing connection and a few reading ones on the same file; PostgreSQL has one pool.
//! Nothing here knows a table.

use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DbErr, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
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
    /// The schema was made by a newer program.
    #[error(
        "the schema was made by a newer version (migration {0}): run that version or a newer one"
    )]
    Newer(String),
}

/// One open database.
#[derive(Debug, Clone)]
pub struct Database {
    engine: Engine,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Database {
    /// Opens the database of a URL, making a SQLite file and its folder when they are absent.
    ///
    /// A PostgreSQL server that is down does not fail this: its connections are made when they are needed.
    ///
    /// # Errors
    /// When the URL is not understood or the file cannot be opened.
    pub async fn open(url: &str, options: &PoolOptions) -> Result<Self, OpenError> {
        match Engine::of(url).ok_or(OpenError::UnknownEngine)? {
            Engine::Sqlite => Self::open_sqlite(url, options).await,
            Engine::Postgres => Self::open_postgres(url, options).await,
        }
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

    /// Brings the schema up to date. Of several nodes that try at once, one does it and the others wait.
    ///
    /// # Errors
    /// When a migration fails, or when the schema is newer than this program.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), OpenError> {
        let known: Vec<String> = M::migrations().iter().map(|m| m.name().to_owned()).collect();
        let applied = self.applied::<M>().await?;
        if let Some(newer) = applied.iter().find(|name| !known.contains(name)) {
            return Err(OpenError::Newer(newer.clone()));
        }
        if applied.len() == known.len() {
            return Ok(());
        }
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction =
            self.writer.begin_with_options(options).await.map_err(OpenError::Migrate)?;
        if self.engine == Engine::Postgres {
            // Two nodes that start on an empty database would both make the migration table. Waiting for the other, and an
            // index on a large table, take longer than a request may.
            transaction
                .execute_unprepared(
                    "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7382915, 1)",
                )
                .await
                .map_err(OpenError::Migrate)?;
        }
        M::up(&transaction, None).await.map_err(OpenError::Migrate)?;
        transaction.commit().await.map_err(OpenError::Migrate)
    }

    /// Takes every migration back. For tests and for leaving a database clean.
    ///
    /// # Errors
    /// When a migration cannot be taken back.
    pub async fn unmigrate<M: MigratorTrait>(&self) -> Result<(), OpenError> {
        M::down(&self.writer, None).await.map_err(OpenError::Migrate)
    }

    /// The names of the migrations that this database has; none when it is empty.
    async fn applied<M: MigratorTrait>(&self) -> Result<Vec<String>, OpenError> {
        let table = M::migration_table_name().to_string();
        let exists = match self.engine {
            Engine::Sqlite => {
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
            }
            Engine::Postgres => {
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
        };
        let backend = self.writer.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, exists, [table.clone().into()]);
        let row = self.writer.query_one_raw(statement).await.map_err(OpenError::Connect)?;
        let count: i64 = row
            .map(|row| row.try_get_by_index(0))
            .transpose()
            .map_err(OpenError::Connect)?
            .unwrap_or_default();
        if count == 0 {
            return Ok(Vec::new());
        }
        let statement = Statement::from_string(
            backend,
            format!("SELECT version FROM {table} ORDER BY version"),
        );
        let rows = self.writer.query_all_raw(statement).await.map_err(OpenError::Connect)?;
        rows.iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<_, _>>()
            .map_err(OpenError::Connect)
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

impl Database {
    async fn open_sqlite(url: &str, options: &PoolOptions) -> Result<Self, OpenError> {
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        let path = path.split('?').next().unwrap_or(path);
        if let Some(folder) = Path::new(path).parent() {
            std::fs::create_dir_all(folder).map_err(OpenError::Folder)?;
        }
        make_private(Path::new(path)).map_err(OpenError::Folder)?;
        let url = format!("sqlite:{path}");
        let writer = connect_in_turn(sqlite_options(&url, 1, "-16384", options))
            .await
            .map_err(OpenError::Connect)?;
        let reader =
            Connector::connect(sqlite_options(&url, options.readers.clamp(1, 4), "-4096", options))
                .await
                .map_err(OpenError::Connect)?;
        Ok(Self { engine: Engine::Sqlite, reader, writer })
    }

    async fn open_postgres(url: &str, options: &PoolOptions) -> Result<Self, OpenError> {
        let mut connect = ConnectOptions::new(url);
        connect
            .max_connections(options.readers)
            .acquire_timeout(options.acquire_timeout)
            .connect_timeout(options.acquire_timeout)
            .idle_timeout(Duration::from_secs(600))
            .statement_timeout(options.statement_timeout)
            .set_application_name(options.application_name.clone())
            // The default is one round trip more for every statement.
            .test_before_acquire_if_idle_for(Duration::from_secs(30))
            .sqlx_logging(false)
            .connect_lazy(true);
        let pool = Connector::connect(connect).await.map_err(OpenError::Connect)?;
        Ok(Self { engine: Engine::Postgres, reader: pool.clone(), writer: pool })
    }
}

/// Connects to a file that another process may be making: the switch to WAL needs the file alone, and does not wait for
/// whoever has it (SQLite's busy timeout is not asked).
async fn connect_in_turn(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let mut tries = 0;
    loop {
        match Connector::connect(options.clone()).await {
            Err(error) if tries < 100 && is_busy(&error) => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(source))
    | DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))) = error
    else {
        return false;
    };
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

/// Makes the file of a store that is not there yet, for its owner alone. SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path == Path::new(":memory:") {
        return Ok(());
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// `cache` is the page cache of a connection, in KiB below zero; it is filled only as far as it is used.
fn sqlite_options(
    url: &str,
    connections: u32,
    cache: &'static str,
    options: &PoolOptions,
) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite: SqliteConnectOptions| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // An acknowledged person survives the loss of power: every commit is synced, and commits are shared
                // by the requests that wait at the same time.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                // What is deleted is gone from the file too, not only from the tables.
                .pragma("secure_delete", "ON")
                .pragma("cache_size", cache)
        });
    connect
}
