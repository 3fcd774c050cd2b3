//! A store knows which shard of its region it is.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait and the trait's own signature leave the manager's lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let key = if sqlite { "TEXT" } else { "TEXT COLLATE \"C\"" };
        // Every store so far is its region's first.
        let sql =
            format!("ALTER TABLE directory_store ADD COLUMN shard {key} NOT NULL DEFAULT '0'");
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE directory_store DROP COLUMN shard";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
