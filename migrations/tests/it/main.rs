//! Bringing a schema up to date while others are at it, in the way, or killed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait and the trait's own signature leave the manager's lifetime out"
)]

#[path = "../../../crates/directory/tests/it/support/store.rs"]
mod store;

use migrations::{DirectoryMigrator, Engine, OpenError};
use sea_orm::{
    ConnectionTrait, DbErr, DynIden, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::prelude::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
};
use std::time::Duration;
use store::Store;

/// Names of all tables.
async fn names(store: &Store) -> Vec<String> {
    let sql = if store.is_sqlite() {
        "SELECT name FROM sqlite_master ORDER BY name"
    } else {
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    };
    store.texts(sql).await
}

/// A row of a migration that only a later program knows.
async fn later(store: &Store, name: &str) {
    let sql =
        format!("INSERT INTO directory_migrations (version, applied_at) VALUES ('{name}', 0)");
    store.run(&sql).await;
}

#[tokio::test]
async fn a_schema_that_lacks_what_a_newer_version_took_away_is_refused() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    later(&store, "m2999_01_01_000001_expand_users").await;
    later(&store, "m2999_01_02_000002_contract_users").await;

    let refused = database.migrate::<DirectoryMigrator>().await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::Contracted(name) if name == "m2999_01_02_000002_contract_users"),
        "{refused}"
    );
    assert!(refused.to_string().contains("run the version that has this migration"), "{refused}");
    assert!(!refused.may_pass());
}

#[tokio::test]
async fn a_newer_schema_without_migrations_of_this_version_is_refused() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    later(&store, "m2999_01_01_000001_expand_users").await;
    store.run("DELETE FROM directory_migrations WHERE version LIKE '%000003%'").await;

    let refused = database.migrate::<DirectoryMigrator>().await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::Newer(name) if name == "m2999_01_01_000001_expand_users"),
        "{refused}"
    );
}

/// What somebody holds who is in the way.
fn held(database: &migrations::Database) -> &'static str {
    match database.engine() {
        Engine::Sqlite => "SELECT 1",
        Engine::Postgres => "SELECT pg_advisory_xact_lock(7382915, 1)",
    }
}

fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    }
}

#[tokio::test]
async fn another_process_that_migrates_is_waited_for_until_the_patience_ends() {
    let store = Store::new();
    let (database, other) = (store.database().await, store.database().await);
    let holding = other.writer().begin_with_options(immediate()).await.unwrap();
    holding.execute_unprepared(held(&other)).await.unwrap();

    let refused =
        database.migrate_within::<DirectoryMigrator>(Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    assert!(refused.to_string().contains("another process"), "{refused}");
    assert!(refused.may_pass());

    let (released, migrated) = tokio::join!(
        holding.rollback(),
        database.migrate_within::<DirectoryMigrator>(Duration::from_secs(30))
    );
    released.unwrap();
    migrated.unwrap();
}

#[tokio::test]
async fn a_table_in_use_is_waited_for_without_standing_in_everybodys_way() {
    let store = Store::new();
    let database = store.database().await;
    if database.engine() == Engine::Sqlite {
        // Readers of a file are in nobody's way, and its one writer is waited for above.
        return;
    }
    database.migrate::<DirectoryMigrator>().await.unwrap();
    let reading = store.database().await;
    let holding = reading.writer().begin().await.unwrap();
    holding.execute_unprepared("SELECT * FROM users").await.unwrap();

    let refused =
        database.migrate_within::<WithOneMore>(Duration::from_millis(1_500)).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Locked { why, .. } if why.contains("in use")),
        "{refused}"
    );
    holding.rollback().await.unwrap();
    database.migrate::<WithOneMore>().await.unwrap();
    assert_eq!(store.texts(LATER).await, ["0"]);
}

#[tokio::test]
async fn a_migration_that_fails_half_way_leaves_nothing() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    let before = names(&store).await;

    database.migrate::<WithOneThatFails>().await.unwrap_err();

    assert_eq!(names(&store).await, before);
    let applied = "SELECT version FROM directory_migrations WHERE version LIKE '%later%'";
    assert_eq!(store.texts(applied).await, Vec::<String>::new());
    database.migrate::<WithOneMore>().await.unwrap();
    assert_eq!(store.texts(LATER).await, ["0"]);
}

#[tokio::test]
async fn a_process_that_is_killed_while_it_migrates_leaves_nothing() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    let before = names(&store).await;
    {
        let dying = store.database().await;
        // Dropped while the second migration is under way: the connection ends, and nothing more is said on it.
        let migrating = dying.migrate::<WithOneThatLasts>();
        assert!(tokio::time::timeout(Duration::from_millis(500), migrating).await.is_err());
        dying.close().await.unwrap();
    }

    assert_eq!(names(&store).await, before);
    database.migrate::<WithOneMore>().await.unwrap();
    assert_eq!(store.texts(LATER).await, ["0"]);
}

const LATER: &str = "SELECT CAST(count(later) AS TEXT) FROM users";

/// Adds a column.
struct Expand;

/// Fails.
struct Fail;

/// Takes longer than anybody waits.
struct Last;

impl MigrationName for Expand {
    fn name(&self) -> &'static str {
        "m2998_01_01_000001_later_column"
    }
}

impl MigrationName for Fail {
    fn name(&self) -> &'static str {
        "m2998_01_01_000002_later_fails"
    }
}

impl MigrationName for Last {
    fn name(&self) -> &'static str {
        "m2998_01_01_000002_later_lasts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Expand {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE users ADD COLUMN later TEXT";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Fail {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("CREATE TABLE later_table (id TEXT)").await?;
        manager.get_connection().execute_unprepared("SELECT nothing FROM nowhere").await.map(drop)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Last {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("CREATE TABLE later_table (id TEXT)").await?;
        std::future::pending().await
    }
}

/// The migrations that there are, and more.
struct WithOneMore;

#[async_trait::async_trait]
impl MigratorTrait for WithOneMore {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = DirectoryMigrator::migrations();
        all.push(Box::new(Expand));
        all
    }

    fn migration_table_name() -> DynIden {
        DirectoryMigrator::migration_table_name()
    }
}

/// The migrations that there are, and more.
struct WithOneThatFails;

#[async_trait::async_trait]
impl MigratorTrait for WithOneThatFails {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = DirectoryMigrator::migrations();
        all.push(Box::new(Expand));
        all.push(Box::new(Fail));
        all
    }

    fn migration_table_name() -> DynIden {
        DirectoryMigrator::migration_table_name()
    }
}

/// The migrations that there are, and more.
struct WithOneThatLasts;

#[async_trait::async_trait]
impl MigratorTrait for WithOneThatLasts {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = DirectoryMigrator::migrations();
        all.push(Box::new(Expand));
        all.push(Box::new(Last));
        all
    }

    fn migration_table_name() -> DynIden {
        DirectoryMigrator::migration_table_name()
    }
}
