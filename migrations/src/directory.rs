//! The schema of a directory: the store of one region (and shard).
//!
//! **Invariant**: `tenant_id` is the first column of every primary key, unique index and foreign key, so that the same
//! schema runs on SQLite, PostgreSQL and row-based Citus. No sequence, no trigger.

mod m2026_11_22_000001_create_directory;
mod m2026_11_22_000002_nest_groups;
mod m2026_11_22_000003_administer;
mod m2026_11_22_000004_shards;
mod m2026_11_22_000005_store_id;

use sea_orm_migration::prelude::*;

/// The directory's migrations, oldest first.
#[derive(Debug)]
pub struct DirectoryMigrator;

#[async_trait::async_trait]
impl MigratorTrait for DirectoryMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m2026_11_22_000001_create_directory::Migration),
            Box::new(m2026_11_22_000002_nest_groups::Migration),
            Box::new(m2026_11_22_000003_administer::Migration),
            Box::new(m2026_11_22_000004_shards::Migration),
            Box::new(m2026_11_22_000005_store_id::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("directory_migrations").into_iden()
    }
}
