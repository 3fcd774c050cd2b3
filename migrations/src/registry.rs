//! The schema of the registry.

use sea_orm_migration::prelude::*;

/// The registry's migrations, oldest first.
#[derive(Debug)]
pub struct RegistryMigrator;

#[async_trait::async_trait]
impl MigratorTrait for RegistryMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("registry_migrations").into_iden()
    }
}
