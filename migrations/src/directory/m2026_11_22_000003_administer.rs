//! What operators need: writes that are done once, deleted people who come back, tenants of whom nothing is left.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait and the trait's own signature leave the manager's lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// `@key` is text compared byte by byte, `@rowid` the clause that lets a narrow SQLite table be its own index.
const UP: &[&str] = &[
    // Hashes of the key and of the body of a write that was asked for once, and what it was answered with.
    "CREATE TABLE idempotency (tenant_id @key NOT NULL, key @key NOT NULL, body @key NOT NULL, resource_id @key NOT NULL,
        answer TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (tenant_id, key)) @rowid",
    "CREATE INDEX idempotency_at ON idempotency (tenant_id, at)",
    // What the document of a deleted person does not tell; nothing where a program of the last release wrote the row.
    "ALTER TABLE tombstones ADD COLUMN role TEXT",
    "ALTER TABLE tombstones ADD COLUMN active BIGINT",
    // Of a purged tenant: how many rows went from which table, as JSON.
    "ALTER TABLE tenants ADD COLUMN purged TEXT",
];

const DOWN: &[&str] = &[
    "ALTER TABLE tenants DROP COLUMN purged",
    "ALTER TABLE tombstones DROP COLUMN active",
    "ALTER TABLE tombstones DROP COLUMN role",
    "DROP TABLE idempotency",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (key, rowid) =
            if sqlite { ("TEXT", "WITHOUT ROWID") } else { ("TEXT COLLATE \"C\"", "") };
        for step in UP {
            let sql = step.replace("@key", key).replace("@rowid", rowid);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for step in DOWN {
            manager.get_connection().execute_unprepared(step).await?;
        }
        Ok(())
    }
}
