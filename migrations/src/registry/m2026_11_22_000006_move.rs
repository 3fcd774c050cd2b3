//! Tenants on their way from one store to another.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait compares signatures with the trait's, which leaves the lifetime out"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Both have a default, so that a program that does not know them still makes tenants. The lease stands apart from the move:
/// it is renewed every few seconds, and no node but the movers needs to hear of it.
const UP: &[&str] = &[
    "ALTER TABLE registry_tenants ADD COLUMN moving TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE registry_tenants ADD COLUMN move_lease TEXT NOT NULL DEFAULT ''",
];

const DOWN: &[&str] = &[
    "ALTER TABLE registry_tenants DROP COLUMN move_lease",
    "ALTER TABLE registry_tenants DROP COLUMN moving",
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
