//! People, groups, memberships, seats, changes, decisions.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait and the trait's own signature leave the manager's lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// `@key` is text compared byte by byte, `@json` a document that filters look into, `@rowid` the clause that lets a
/// narrow SQLite table be its own index, `@room` the clause that leaves PostgreSQL room for updates in place, and
/// keeps documents of a usual size in the row instead of compressing them on every write and read.
/// Instants are microseconds since 1970 in UTC.
const TABLES: &[&str] = &[
    // Which region's data this store holds: one row, written when the store is made and checked at every start.
    "CREATE TABLE directory_store (region @key PRIMARY KEY, created_at BIGINT NOT NULL)",
    // The fence: every write checks epoch and state in its own transaction.
    "CREATE TABLE tenants (tenant_id @key NOT NULL, epoch BIGINT NOT NULL, state @key NOT NULL, created_at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id)) @rowid",
    // Counters in slots, so that creates of one tenant do not wait for each other's commit. `removed` grows with every
    // resource that is deleted: while it stands, positions in a list stand.
    "CREATE TABLE tallies (tenant_id @key NOT NULL, slot BIGINT NOT NULL, users BIGINT NOT NULL, seats BIGINT NOT NULL, groups BIGINT NOT NULL, removed BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, slot)) @rowid @room",
    "CREATE TABLE users (tenant_id @key NOT NULL, id @key NOT NULL, user_name_key @key NOT NULL, external_id @key, display TEXT NOT NULL, active BIGINT NOT NULL,
        role TEXT NOT NULL, doc TEXT NOT NULL, search @json NOT NULL, version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, id)) @room",
    "CREATE UNIQUE INDEX users_user_name ON users (tenant_id, user_name_key)",
    "CREATE INDEX users_external_id ON users (tenant_id, external_id)",
    // Every e-mail of every user in comparison form, since identity providers match on e-mail.
    "CREATE TABLE user_emails (tenant_id @key NOT NULL, email_key @key NOT NULL, user_id @key NOT NULL,
        PRIMARY KEY (tenant_id, email_key, user_id)) @rowid",
    "CREATE INDEX user_emails_user ON user_emails (tenant_id, user_id)",
    "CREATE TABLE groups (tenant_id @key NOT NULL, id @key NOT NULL, display_key @key NOT NULL, external_id @key, display TEXT NOT NULL,
        doc TEXT NOT NULL, search @json NOT NULL, version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, id)) @room",
    "CREATE UNIQUE INDEX groups_display ON groups (tenant_id, display_key)",
    "CREATE INDEX groups_external_id ON groups (tenant_id, external_id)",
    // A row a membership: a change costs what it changes, whatever the group holds. No foreign key: a check per row would
    // double the cost of a large push, and every change of members holds the lock of its group's row.
    "CREATE TABLE members (tenant_id @key NOT NULL, group_id @key NOT NULL, member_id @key NOT NULL, kind @key NOT NULL,
        PRIMARY KEY (tenant_id, group_id, member_id)) @rowid",
    "CREATE INDEX members_of ON members (tenant_id, member_id, group_id)",
    // What happened to a resource, numbered without a gap; `data` is what the product is told.
    "CREATE TABLE changes (tenant_id @key NOT NULL, resource_type @key NOT NULL, resource_id @key NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL,
        kind TEXT NOT NULL, changed TEXT NOT NULL, data TEXT NOT NULL, request_id TEXT NOT NULL, actor TEXT NOT NULL,
        PRIMARY KEY (tenant_id, resource_type, resource_id, seq))",
    "CREATE TABLE outbox (tenant_id @key NOT NULL, id @key NOT NULL, resource_type @key NOT NULL, resource_id @key NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, id)) @rowid",
    "CREATE TABLE decisions (tenant_id @key NOT NULL, id @key NOT NULL, at BIGINT NOT NULL, operation @key NOT NULL, outcome @key NOT NULL, reason @key NOT NULL,
        status BIGINT NOT NULL, resource_type TEXT NOT NULL, resource_id @key, subject TEXT, subject_key @key, attribute TEXT, detail TEXT NOT NULL,
        changed TEXT NOT NULL, ignored TEXT NOT NULL, quirks TEXT NOT NULL, request_id TEXT NOT NULL, trace_id TEXT, client TEXT NOT NULL, key_id TEXT NOT NULL,
        duration_us BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, id))",
    "CREATE INDEX decisions_subject ON decisions (tenant_id, subject_key, id) WHERE subject_key IS NOT NULL",
    "CREATE INDEX decisions_resource ON decisions (tenant_id, resource_id, id) WHERE resource_id IS NOT NULL",
    // What is left of a deleted resource until the retention time is over.
    "CREATE TABLE tombstones (tenant_id @key NOT NULL, resource_type @key NOT NULL, id @key NOT NULL, subject_key @key NOT NULL, doc TEXT NOT NULL,
        version BIGINT NOT NULL, deleted_at BIGINT NOT NULL,
        PRIMARY KEY (tenant_id, resource_type, id))",
    "CREATE INDEX tombstones_subject ON tombstones (tenant_id, subject_key)",
];

const NAMES: &[&str] = &[
    "tombstones",
    "decisions",
    "outbox",
    "changes",
    "members",
    "groups",
    "user_emails",
    "users",
    "tallies",
    "tenants",
    "directory_store",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (key, json, rowid, room) = if sqlite {
            ("TEXT", "TEXT", "WITHOUT ROWID", "")
        } else {
            ("TEXT COLLATE \"C\"", "JSONB", "", "WITH (fillfactor = 85, toast_tuple_target = 8160)")
        };
        for table in TABLES {
            let sql = table
                .replace("@key", key)
                .replace("@json", json)
                .replace("@rowid", rowid)
                .replace("@room", room);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NAMES {
            manager.get_connection().execute_unprepared(&format!("DROP TABLE {name}")).await?;
        }
        Ok(())
    }
}
