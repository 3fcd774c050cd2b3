use crate::support::{Store, tenant};
use migrations::{Engine, RegistryMigrator};
use sea_orm::{ConnectionTrait, Statement};

#[tokio::test]
async fn the_schema_goes_up_down_and_up_again() {
    let store = Store::new().await;
    let database = store.database().await;
    database.migrate::<RegistryMigrator>().await.unwrap();
    let first = tables(&database).await;
    database.migrate::<RegistryMigrator>().await.unwrap();

    database.unmigrate::<RegistryMigrator>().await.unwrap();
    assert_eq!(tables(&database).await, ["registry_migrations"]);
    database.migrate::<RegistryMigrator>().await.unwrap();

    assert_eq!(tables(&database).await, first);
    tenant(&store.node().await, "acme").await;
    database.close().await.unwrap();
    store.remove().await;
}

#[tokio::test]
async fn every_table_is_named_as_the_registry_s() {
    let store = Store::new().await;
    let database = store.database().await;
    database.migrate::<RegistryMigrator>().await.unwrap();
    assert_eq!(
        tables(&database).await,
        [
            "registry_answers",
            "registry_audit",
            "registry_credential_uses",
            "registry_credentials",
            "registry_generation",
            "registry_manifests",
            "registry_migrations",
            "registry_oauth_clients",
            "registry_oauth_secrets",
            "registry_plans",
            "registry_secrets",
            "registry_tenants",
        ]
    );
    database.close().await.unwrap();
    store.remove().await;
}

async fn tables(database: &migrations::Database) -> Vec<String> {
    let sql = match database.engine() {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        }
        Engine::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        }
    };
    let backend = database.reader().get_database_backend();
    let statement = Statement::from_string(backend, sql);
    let rows = database.reader().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
