//! An empty database for one test, dropped with it, and looking into it beside the directory.

use migrations::{Database, PoolOptions};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment which store to use"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether tests are to use a server.
pub(crate) fn has_postgres() -> bool {
    match variable("MUSTER_TEST_STORE").as_deref() {
        None | Some("sqlite") => false,
        Some("postgres") => true,
        Some(other) => panic!("MUSTER_TEST_STORE is {other:?}; it may be sqlite or postgres"),
    }
}

/// An empty database of its own.
pub(crate) struct Store {
    pub(crate) url: String,
    place: Kept,
}

enum Kept {
    Folder(#[expect(dead_code, reason = "kept until the test ends")] TempDir),
    Server { url: String, name: String },
}

impl Store {
    pub(crate) fn new() -> Self {
        if has_postgres() { Self::postgres() } else { Self::sqlite() }
    }

    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("us.db").display());
        Self { url, place: Kept::Folder(folder) }
    }

    pub(crate) fn postgres() -> Self {
        let url = variable("MUSTER_TEST_POSTGRES").expect(
            "MUSTER_TEST_STORE is postgres, and MUSTER_TEST_POSTGRES (postgres://user@host:port/) is not set",
        );
        let url = url.trim_end_matches('/').to_owned();
        let name = format!("muster_test_{}", uuid::Uuid::new_v4().simple());
        let store = Self { url: format!("{url}/{name}"), place: Kept::Server { url, name } };
        store.administer("CREATE DATABASE", "");
        store
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Kept::Folder(_))
    }

    pub(crate) async fn database(&self) -> Database {
        Database::open(&self.url, &options()).await.unwrap()
    }

    /// Reads rows beside the directory.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let database = self.database().await;
        let reader = database.reader();
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let rows = reader.query_all_raw(statement).await.unwrap();
        database.close().await.unwrap();
        rows
    }

    /// The values of one text column.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// Runs SQL beside the directory.
    pub(crate) async fn run(&self, sql: &str) {
        let database = self.database().await;
        database.writer().execute_unprepared(sql).await.unwrap();
        database.close().await.unwrap();
    }

    /// Runs `CREATE DATABASE`, `DROP DATABASE` or the like about this database.
    pub(crate) fn administer(&self, what: &str, how: &str) {
        let Kept::Server { url, name } = &self.place else { return };
        let done = Command::new("psql")
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1"])
            .arg(format!("{url}/postgres"))
            .args(["-c", &format!("{what} {name}{how}")])
            .output()
            .expect("psql is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A test that fails leaves its database to the test server's end.
        if !std::thread::panicking() {
            self.administer("DROP DATABASE", " WITH (FORCE)");
        }
    }
}

pub(crate) fn options() -> PoolOptions {
    PoolOptions {
        readers: 4,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
        application_name: "muster-test".to_owned(),
    }
}
