//! The history of both schemas: up, down, up; and a schema that is newer than the program.

use crate::support::store::Store;
use crate::support::{asked, open, tenant, user};
use migrations::{DirectoryMigrator, RegistryMigrator};
use std::sync::Arc;

const SQLITE: &str = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_migrations' ESCAPE '\\' ORDER BY name";
const POSTGRES: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '%\\_migrations%' ORDER BY relname";

/// Names of all tables and indexes but those of the migrations themselves.
async fn names(store: &Store) -> Vec<String> {
    store.texts(if store.is_sqlite() { SQLITE } else { POSTGRES }).await
}

#[tokio::test]
async fn both_schemas_go_up_down_and_up_again() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    database.migrate::<RegistryMigrator>().await.unwrap();
    let up = names(&store).await;
    assert!(up.contains(&"users".to_owned()), "{up:?}");
    assert!(up.contains(&"registry_tenants".to_owned()), "{up:?}");

    database.unmigrate::<RegistryMigrator>().await.unwrap();
    database.unmigrate::<DirectoryMigrator>().await.unwrap();
    assert_eq!(names(&store).await, Vec::<String>::new());

    database.migrate::<RegistryMigrator>().await.unwrap();
    database.migrate::<DirectoryMigrator>().await.unwrap();
    assert_eq!(names(&store).await, up);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    let before = names(&store).await;
    database.migrate::<DirectoryMigrator>().await.unwrap();

    assert_eq!(names(&store).await, before);
}

#[tokio::test]
async fn nodes_that_start_at_once_migrate_once() {
    let store = Store::new();
    let nodes = [store.database().await, store.database().await, store.database().await];
    let all = nodes.iter().map(migrations::Database::migrate::<DirectoryMigrator>);
    for migrated in futures_util::future::join_all(all).await {
        migrated.unwrap();
    }

    let alone = Store::new();
    alone.database().await.migrate::<DirectoryMigrator>().await.unwrap();
    let applied = "SELECT version FROM directory_migrations ORDER BY version";
    assert_eq!(store.texts(applied).await, alone.texts(applied).await);
}

/// A row of a migration that only a later program knows.
async fn later(store: &Store, name: &str) {
    let sql =
        format!("INSERT INTO directory_migrations (version, applied_at) VALUES ('{name}', 0)");
    store.run(&sql).await;
}

#[tokio::test]
async fn a_schema_that_was_expanded_by_a_newer_version_is_worked_with() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    later(&store, "m2999_01_01_000001_expand_users").await;
    store.run("ALTER TABLE users ADD COLUMN later TEXT").await;

    database.migrate::<DirectoryMigrator>().await.unwrap();
    let directory = open(&store).await;
    let scoped = directory.within(&Arc::new(tenant('a')));
    let new = user(&serde_json::json!({ "userName": "ada" }));
    scoped.create_user(&new, &asked("user.create")).await.unwrap();
}
