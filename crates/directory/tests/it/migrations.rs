//! The history of both schemas: up, down, up; and a schema that is newer than the program.

use crate::support::store::Store;
use migrations::{DirectoryMigrator, OpenError, RegistryMigrator};

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
    let (one, other) = (store.database().await, store.database().await);
    let (first, second) =
        tokio::join!(one.migrate::<DirectoryMigrator>(), other.migrate::<DirectoryMigrator>());
    first.unwrap();
    second.unwrap();

    let alone = Store::new();
    alone.database().await.migrate::<DirectoryMigrator>().await.unwrap();
    let applied = "SELECT version FROM directory_migrations ORDER BY version";
    assert_eq!(store.texts(applied).await, alone.texts(applied).await);
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused() {
    let store = Store::new();
    let database = store.database().await;
    database.migrate::<DirectoryMigrator>().await.unwrap();
    store
        .run("INSERT INTO directory_migrations (version, applied_at) VALUES ('m2999_01_01_000001_later', 0)")
        .await;

    let refused = database.migrate::<DirectoryMigrator>().await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::Newer(name) if name == "m2999_01_01_000001_later"),
        "{refused}"
    );
}
