//! The registry on a real database: SQLite, or PostgreSQL with `MUSTER_TEST_STORE=postgres`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod credentials;
mod dialect;
mod follow;
mod fuzz;
mod pepper;
mod schema;
mod support;
mod tenants;
