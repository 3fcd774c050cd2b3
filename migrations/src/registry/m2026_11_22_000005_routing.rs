//! Whether the requests of a tenant may pass through another region.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// It has a default, so that a program that does not know it still makes tenants.
const UP: &str = "ALTER TABLE registry_tenants ADD COLUMN routing TEXT NOT NULL DEFAULT 'forward'";

const DOWN: &str = "ALTER TABLE registry_tenants DROP COLUMN routing";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}
