//! Tenants, credentials, audit, the generation, and the registry's own secrets.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// `@key` is text compared byte by byte, `@bytes` binary data. Instants are microseconds since 1970 in UTC.
const STATEMENTS: &[&str] = &[
    // One row. Every write raises it first, which also makes writes wait for each other.
    "CREATE TABLE registry_generation (id BIGINT NOT NULL PRIMARY KEY, generation BIGINT NOT NULL)",
    "INSERT INTO registry_generation (id, generation) VALUES (1, 0)",
    // `generation` is that of the row's last change: a node reads what is newer than what it knows.
    "CREATE TABLE registry_tenants (id @key NOT NULL PRIMARY KEY, slug @key NOT NULL, name TEXT NOT NULL, region @key NOT NULL,
        shard @key NOT NULL, epoch BIGINT NOT NULL, state @key NOT NULL, plan @key NOT NULL, population @key NOT NULL,
        profile @key NOT NULL, default_role TEXT NOT NULL, seats BIGINT, group_push BOOLEAN NOT NULL, seat_contact TEXT NOT NULL,
        generation BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX registry_tenants_slug ON registry_tenants (slug)",
    "CREATE INDEX registry_tenants_generation ON registry_tenants (generation)",
    // The token itself is nowhere; `hash` is keyed with the pepper.
    "CREATE TABLE registry_credentials (key_id @key NOT NULL PRIMARY KEY, tenant_id @key NOT NULL REFERENCES registry_tenants (id),
        name TEXT NOT NULL, hint TEXT NOT NULL, scopes TEXT NOT NULL, hash @bytes NOT NULL, generation BIGINT NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT)",
    "CREATE INDEX registry_credentials_tenant ON registry_credentials (tenant_id)",
    "CREATE INDEX registry_credentials_generation ON registry_credentials (generation)",
    // A row for each generation: what raised it.
    "CREATE TABLE registry_audit (generation BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action @key NOT NULL,
        tenant_id @key NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL)",
    "CREATE INDEX registry_audit_tenant ON registry_audit (tenant_id, generation)",
    "CREATE TABLE registry_secrets (name @key NOT NULL PRIMARY KEY, value TEXT NOT NULL, created_at BIGINT NOT NULL)",
];

const NAMES: &[&str] = &[
    "registry_secrets",
    "registry_audit",
    "registry_credentials",
    "registry_tenants",
    "registry_generation",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (key, bytes) = if sqlite { ("TEXT", "BLOB") } else { ("TEXT COLLATE \"C\"", "BYTEA") };
        for statement in STATEMENTS {
            let sql = statement.replace("@key", key).replace("@bytes", bytes);
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
