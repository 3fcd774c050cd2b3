//! Groups in groups, managers that are looked up, and what was tolerated, counted.
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
    // Groups within groups, seen from above and from below. Most tenants have none, and these indexes tell it at once.
    "CREATE INDEX members_below ON members (tenant_id, group_id, member_id) WHERE kind = 'Group'",
    "CREATE INDEX members_above ON members (tenant_id, member_id, group_id) WHERE kind = 'Group'",
    // The manager's id in comparison form; absent where it is longer than an id.
    "ALTER TABLE users ADD COLUMN manager_key @key",
    "UPDATE users SET manager_key = @manager WHERE length(@manager) <= 255",
    "CREATE INDEX users_manager ON users (tenant_id, manager_key) WHERE manager_key IS NOT NULL",
    // How often which deviation was tolerated, and from whom.
    "CREATE TABLE quirk_counts (tenant_id @key NOT NULL, quirk @key NOT NULL, client @key NOT NULL, count BIGINT NOT NULL,
        first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, quirk, client)) @rowid",
];

const DOWN: &[&str] = &[
    "DROP TABLE quirk_counts",
    "DROP INDEX users_manager",
    "ALTER TABLE users DROP COLUMN manager_key",
    "DROP INDEX members_above",
    "DROP INDEX members_below",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (key, rowid, of_manager) = if sqlite {
            (
                "TEXT",
                "WITHOUT ROWID",
                "json_extract(search, '$.\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\".manager.value')",
            )
        } else {
            (
                "TEXT COLLATE \"C\"",
                "",
                "(search->'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'->'manager'->>'value')",
            )
        };
        for step in UP {
            let sql =
                step.replace("@key", key).replace("@rowid", rowid).replace("@manager", of_manager);
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
