//! Of which end of a client's secret was warned.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// The least number of days of which the end was announced, as of credentials.
const UP: &[&str] = &[
    "ALTER TABLE registry_oauth_secrets ADD COLUMN warned_days BIGINT",
    "CREATE INDEX registry_oauth_secrets_end ON registry_oauth_secrets (expires_at)",
];

const DOWN: &[&str] = &[
    "DROP INDEX registry_oauth_secrets_end",
    "ALTER TABLE registry_oauth_secrets DROP COLUMN warned_days",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}

async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
