//! A store for one test, and what tests have in common.

pub(crate) mod follower;
pub(crate) mod redis;

use migrations::{Database, PoolOptions};
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use secrecy::ExposeSecret;
use std::time::Duration;
use tempfile::TempDir;
use tenant_registry::{
    Actor, BearerToken, By, Credential, IssuedCredential, NewCredential, NewTenant, Registry,
    RegistryOptions, Source, Tenant, TenantChange,
};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

/// The instant at which tests happen.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-22 10:00:00.123456 UTC);
/// Who does things in tests.
pub(crate) const ACTOR: &str = "operator ada";

/// By whom, and when.
pub(crate) fn by() -> By {
    by_at(NOW)
}

pub(crate) fn by_at(now: OffsetDateTime) -> By {
    By::new(Actor::Operator("ada".to_owned()), now)
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment which store to use"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// An empty database of its own.
pub(crate) struct Store {
    url: String,
    place: Kept,
}

enum Kept {
    Folder(TempDir),
    Server { url: String, name: String },
}

impl Store {
    pub(crate) async fn new() -> Self {
        match variable("MUSTER_TEST_STORE").as_deref() {
            None | Some("sqlite") => {
                let folder = TempDir::new().unwrap();
                let url = format!("sqlite:{}", folder.path().join("registry.db").display());
                Self { url, place: Kept::Folder(folder) }
            }
            Some("postgres") => {
                let server = variable("MUSTER_TEST_POSTGRES").expect(
                    "MUSTER_TEST_STORE is postgres, and MUSTER_TEST_POSTGRES (postgres://user@host:port/) is not set",
                );
                let server = server.trim_end_matches('/').to_owned();
                let name = format!("muster_test_{}", Uuid::new_v4().simple());
                administer(&server, &format!("CREATE DATABASE {name}")).await;
                let url = format!("{server}/{name}");
                Self { url, place: Kept::Server { url: server, name } }
            }
            Some(other) => panic!("MUSTER_TEST_STORE is {other:?}; it may be sqlite or postgres"),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn database(&self) -> Database {
        Database::open(&self.url, &pool()).await.unwrap()
    }

    /// Where a node that serves finds it.
    pub(crate) fn source(&self) -> Source {
        // A database that is away is noticed soon.
        let pool = PoolOptions { acquire_timeout: Duration::from_secs(2), ..pool() };
        Source { url: self.url.clone().into(), pool }
    }

    /// Takes the database away; nobody may be connected to it any more.
    pub(crate) async fn go_away(&self) {
        match &self.place {
            Kept::Folder(folder) => {
                for end in ["", "-wal", "-shm"] {
                    let from = folder.path().join(format!("registry.db{end}"));
                    if from.exists() {
                        std::fs::rename(&from, folder.path().join(format!("away{end}"))).unwrap();
                    }
                }
            }
            Kept::Server { url, name } => {
                administer(url, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
                let others = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                administer(url, &others).await;
            }
        }
    }

    /// Brings it back.
    pub(crate) async fn come_back(&self) {
        match &self.place {
            Kept::Folder(folder) => {
                for end in ["-shm", "-wal", ""] {
                    let from = folder.path().join(format!("away{end}"));
                    if from.exists() {
                        std::fs::rename(from, folder.path().join(format!("registry.db{end}")))
                            .unwrap();
                    }
                }
            }
            Kept::Server { url, name } => {
                administer(url, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
            }
        }
    }

    /// A node of its own on this store.
    pub(crate) async fn node(&self) -> Registry {
        self.node_with(RegistryOptions::default()).await
    }

    pub(crate) async fn node_with(&self, options: RegistryOptions) -> Registry {
        Registry::open(self.database().await, options, NOW).await.unwrap()
    }

    /// Runs SQL beside the registry.
    pub(crate) async fn run(&self, sql: &str) {
        let database = self.database().await;
        database.writer().execute_unprepared(sql).await.unwrap();
        database.close().await.unwrap();
    }

    /// Makes of it an older copy: of the number of its changes, not of its rows.
    pub(crate) async fn restore(&self, generation: i64) {
        self.run(&format!("DELETE FROM registry_audit WHERE generation > {generation}")).await;
        self.run(&format!("UPDATE registry_generation SET generation = {generation}")).await;
    }

    /// Every value of a table, as text.
    pub(crate) async fn dump(&self, table: &str, columns: &str) -> String {
        let database = self.database().await;
        let reader: &DatabaseConnection = database.reader();
        let columns: Vec<String> =
            columns.split(',').map(|column| format!("CAST({column} AS TEXT)")).collect();
        let sql = format!("SELECT {} FROM {table}", columns.join(" || '|' || "));
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let rows = reader.query_all_raw(statement).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        database.close().await.unwrap();
        lines.join("\n")
    }

    /// Drops the database. A test that fails leaves it to the test server's end.
    pub(crate) async fn remove(self) {
        match self.place {
            Kept::Folder(folder) => folder.close().unwrap(),
            Kept::Server { url, name } => {
                administer(&url, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

fn pool() -> PoolOptions {
    PoolOptions {
        readers: 4,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
        application_name: "muster-test".to_owned(),
    }
}

async fn administer(server: &str, sql: &str) {
    let connection = sea_orm::Database::connect(format!("{server}/postgres")).await;
    let connection = connection.expect("the server of MUSTER_TEST_POSTGRES answers");
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) fn place(region: &str, population: Population) -> Place {
    Place { region: Region::parse(region).unwrap(), population }
}

pub(crate) fn new_tenant(slug: &str) -> NewTenant {
    NewTenant::new(slug, "Acme Ltd", place("eu", Population::Platform), ProfileId::Oktopost)
}

pub(crate) async fn tenant(registry: &Registry, slug: &str) -> Tenant {
    registry.create_tenant(&new_tenant(slug), &by()).await.unwrap().commit().await.unwrap()
}

pub(crate) fn new_credential() -> NewCredential {
    NewCredential::new("Entra", Duration::from_secs(3_600))
}

pub(crate) async fn credential(registry: &Registry, tenant: &Tenant) -> IssuedCredential {
    let issued = registry.create_credential(&tenant.id, &new_credential(), &by()).await.unwrap();
    issued.commit().await.unwrap()
}

pub(crate) async fn revoke(
    registry: &Registry,
    credential: &Credential,
    at: OffsetDateTime,
) -> Credential {
    let (id, key_id) = (&credential.tenant_id, &credential.key_id);
    let pending = registry.revoke_credential(id, key_id, &by_at(at)).await.unwrap();
    pending.commit().await.unwrap()
}

/// Changes a tenant, and gives it as it is then.
pub(crate) async fn change(registry: &Registry, tenant: &Tenant, change: TenantChange) -> Tenant {
    let pending = registry.change_tenant(&tenant.id, &change, &by()).await.unwrap();
    pending.commit().await.unwrap()
}

pub(crate) fn presented(issued: &IssuedCredential) -> BearerToken {
    BearerToken::parse(&format!("Bearer {}", issued.token.expose_secret())).unwrap()
}
