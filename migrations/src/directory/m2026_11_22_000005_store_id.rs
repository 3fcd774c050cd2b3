//! A store has an id, so that another database is not taken for it.
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
        // Whoever opens the store next gives it one.
        let sql =
            format!("ALTER TABLE directory_store ADD COLUMN store_id {key} NOT NULL DEFAULT ''");
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE directory_store DROP COLUMN store_id";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
