//! The connections to a SQLite file: one that writes, a few that read.
//!
//! **Invariant**: no connection is used again that may be within a transaction.

use super::fault::is_busy;
use super::{OpenError, PoolOptions};
use sea_orm_migration::sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Opens a file, making it and its folder when they are absent: the reading connections, then the writing one.
pub(super) async fn open(
    url: &str,
    options: &PoolOptions,
) -> Result<(DatabaseConnection, DatabaseConnection), OpenError> {
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
    Ok((reader, writer))
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
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.before_acquire(|connection, _known| {
                let is_clean = is_outside_transactions(connection);
                Box::pin(std::future::ready(Ok(is_clean)))
            })
        });
    connect
}

/// Whether a connection that was given back may be used again; otherwise it is closed, and another one made.
///
/// A full disk or a failed read makes SQLite end the whole transaction by itself (`SQLITE_FULL`, `SQLITE_IOERR`). The ROLLBACK that
/// follows is then an error, after which the driver still counts one transaction as open: the next one would be a savepoint
/// in none, and the one after a savepoint in that, released and answered, and never committed.
fn is_outside_transactions(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}
