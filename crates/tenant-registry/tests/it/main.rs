//! The registry on a real database: SQLite, or PostgreSQL with `MUSTER_TEST_STORE=postgres`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod answers;
mod credentials;
mod dialect;
mod doubts;
mod follow;
mod fuzz;
mod lost;
mod moving;
mod oauth;
mod pages;
mod pending;
mod pepper;
mod plans;
mod purge;
mod recognise;
mod rotation;
mod schema;
mod snapshots;
mod support;
mod switch;
mod switched;
mod tenants;
mod uses;
