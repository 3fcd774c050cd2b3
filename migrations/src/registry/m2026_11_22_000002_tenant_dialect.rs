//! What a tenant's identity provider may say: which deviations are refused, and which attributes it has of its own.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Both have defaults, so that a program that does not know them still makes tenants.
const UP: &[&str] = &[
    // `all`, `none`, or ids of quirks with commas between them.
    "ALTER TABLE registry_tenants ADD COLUMN strict TEXT NOT NULL DEFAULT 'none'",
    // A declaration as JSON; nothing where the tenant has declared nothing.
    "ALTER TABLE registry_tenants ADD COLUMN extension TEXT NOT NULL DEFAULT ''",
];

const DOWN: &[&str] = &[
    "ALTER TABLE registry_tenants DROP COLUMN extension",
    "ALTER TABLE registry_tenants DROP COLUMN strict",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in UP {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in DOWN {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
