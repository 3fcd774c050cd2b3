//! The schema of the registry: tenants, credentials, audit.
//!
//! **Invariant**: nothing about people. Every table is named `registry_…`, so that the registry can share a PostgreSQL
//! database with a directory.

mod m2026_11_22_000001_create_registry;
mod m2026_11_22_000002_tenant_dialect;
mod m2026_11_22_000003_administer;
mod m2026_11_22_000004_secret_warnings;
mod m2026_11_22_000005_routing;
mod m2026_11_22_000006_move;

use sea_orm_migration::prelude::*;

/// The registry's migrations, oldest first.
#[derive(Debug)]
pub struct RegistryMigrator;

#[async_trait::async_trait]
impl MigratorTrait for RegistryMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m2026_11_22_000001_create_registry::Migration),
            Box::new(m2026_11_22_000002_tenant_dialect::Migration),
            Box::new(m2026_11_22_000003_administer::Migration),
            Box::new(m2026_11_22_000004_secret_warnings::Migration),
            Box::new(m2026_11_22_000005_routing::Migration),
            Box::new(m2026_11_22_000006_move::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("registry_migrations").into_iden()
    }
}
