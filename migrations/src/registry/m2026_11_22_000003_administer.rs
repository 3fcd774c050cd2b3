//! What administering needs: settings, plans, rotations, OAuth clients, last uses, answers that are repeated, manifests.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Every column has a default, so that a program that does not know it still makes tenants and credentials.
const TENANT_COLUMNS: &[(&str, &str)] = &[
    // Who was provisioned first; nothing where it is who is provisioned now.
    ("origin", "@key NOT NULL DEFAULT ''"),
    ("both_populations", "BOOLEAN NOT NULL DEFAULT FALSE"),
    // From, to, stage, since when, until when it can be undone.
    ("switching", "TEXT NOT NULL DEFAULT ''"),
    ("platform_role", "TEXT NOT NULL DEFAULT ''"),
    ("board_role", "TEXT NOT NULL DEFAULT ''"),
    // Scopes; nothing is all.
    ("operations", "TEXT NOT NULL DEFAULT ''"),
    ("rate_limit", "TEXT NOT NULL DEFAULT 'default'"),
    ("provider", "TEXT NOT NULL DEFAULT ''"),
    ("provisioning", "BOOLEAN NOT NULL DEFAULT TRUE"),
    // What the plan holds, copied here when plan or tenant changes.
    ("sync_until", "BIGINT"),
    ("groups_in_plan", "BOOLEAN NOT NULL DEFAULT TRUE"),
    ("upgrade_text", "TEXT NOT NULL DEFAULT ''"),
    ("closed_at", "BIGINT"),
];

const CREDENTIAL_COLUMNS: &[(&str, &str)] = &[
    ("population", "@key NOT NULL DEFAULT ''"),
    ("created_by", "TEXT NOT NULL DEFAULT ''"),
    ("networks", "TEXT NOT NULL DEFAULT ''"),
    ("retires_at", "BIGINT"),
    ("replaces", "@key"),
    // The least number of days of which its end was announced.
    ("warned_days", "BIGINT"),
];

const STATEMENTS: &[&str] = &[
    "ALTER TABLE registry_audit ADD COLUMN request_id TEXT",
    "CREATE INDEX registry_credentials_end ON registry_credentials (expires_at)",
    // `directory_sync` and `group_push` are the features; `grace_seconds` is how long a tenant that loses the first keeps it.
    "CREATE TABLE registry_plans (name @key NOT NULL PRIMARY KEY, directory_sync BOOLEAN NOT NULL, group_push BOOLEAN NOT NULL,
        upgrade_text TEXT NOT NULL, grace_seconds BIGINT NOT NULL, generation BIGINT NOT NULL)",
    // Written lazily, and of no generation: who follows the registry need not read it.
    "CREATE TABLE registry_credential_uses (key_id @key NOT NULL PRIMARY KEY, tenant_id @key NOT NULL, at BIGINT NOT NULL,
        client TEXT NOT NULL, network TEXT NOT NULL)",
    "CREATE INDEX registry_credential_uses_tenant ON registry_credential_uses (tenant_id)",
    // `id` is the visible part of the client id. `jwks` and what stands before it are of assertions (RFC 7523).
    "CREATE TABLE registry_oauth_clients (id @key NOT NULL PRIMARY KEY, tenant_id @key NOT NULL REFERENCES registry_tenants (id),
        population @key NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, networks TEXT NOT NULL, token_seconds BIGINT NOT NULL,
        issuer TEXT, subject TEXT, audience TEXT, jwks TEXT, created_by TEXT NOT NULL, generation BIGINT NOT NULL,
        created_at BIGINT NOT NULL, revoked_at BIGINT)",
    "CREATE INDEX registry_oauth_clients_tenant ON registry_oauth_clients (tenant_id)",
    "CREATE INDEX registry_oauth_clients_generation ON registry_oauth_clients (generation)",
    "CREATE TABLE registry_oauth_secrets (id @key NOT NULL PRIMARY KEY, client_id @key NOT NULL REFERENCES registry_oauth_clients (id),
        hint TEXT NOT NULL, hash @bytes NOT NULL, generation BIGINT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
        revoked_at BIGINT)",
    "CREATE INDEX registry_oauth_secrets_client ON registry_oauth_secrets (client_id)",
    "CREATE INDEX registry_oauth_secrets_generation ON registry_oauth_secrets (generation)",
    // Answers to requests with an Idempotency-Key. `answer` is sealed under a key that is made of the client's, which is kept
    // nowhere: what was shown once cannot be read from here.
    "CREATE TABLE registry_answers (lookup @bytes NOT NULL PRIMARY KEY, body @bytes NOT NULL, status BIGINT NOT NULL,
        answer @bytes NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE INDEX registry_answers_created ON registry_answers (created_at)",
    // What a purge deleted, as proof: names of tables and numbers of rows.
    "CREATE TABLE registry_manifests (tenant_id @key NOT NULL PRIMARY KEY REFERENCES registry_tenants (id), region @key NOT NULL,
        at BIGINT NOT NULL, tables TEXT NOT NULL)",
];

const TABLES: &[&str] = &[
    "registry_manifests",
    "registry_answers",
    "registry_oauth_secrets",
    "registry_oauth_clients",
    "registry_credential_uses",
    "registry_plans",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (key, bytes) = if sqlite { ("TEXT", "BLOB") } else { ("TEXT COLLATE \"C\"", "BYTEA") };
        let add = |table: &str, (name, form): &(&str, &str)| {
            format!("ALTER TABLE {table} ADD COLUMN {name} {form}")
        };
        let of_tenants = TENANT_COLUMNS.iter().map(|column| add("registry_tenants", column));
        let of_credentials =
            CREDENTIAL_COLUMNS.iter().map(|column| add("registry_credentials", column));
        let others = STATEMENTS.iter().map(|sql| (*sql).to_owned());
        for statement in of_tenants.chain(of_credentials).chain(others) {
            let sql = statement.replace("@key", key).replace("@bytes", bytes);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for name in TABLES {
            connection.execute_unprepared(&format!("DROP TABLE {name}")).await?;
        }
        connection.execute_unprepared("DROP INDEX registry_credentials_end").await?;
        connection.execute_unprepared("ALTER TABLE registry_audit DROP COLUMN request_id").await?;
        for (table, columns) in
            [("registry_credentials", CREDENTIAL_COLUMNS), ("registry_tenants", TENANT_COLUMNS)]
        {
            for (name, _) in columns {
                let sql = format!("ALTER TABLE {table} DROP COLUMN {name}");
                connection.execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}
