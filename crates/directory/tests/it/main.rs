//! The directory on a real database: SQLite, or PostgreSQL with `MUSTER_TEST_STORE=postgres`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod act;
mod active;
mod changes;
mod citus;
mod costs;
mod crowd;
mod failover;
mod failure;
mod fence;
mod filters;
mod filters_random;
mod lists;
mod log;
mod managers;
mod many;
mod migrations;
mod moving;
mod nested;
mod populations;
mod purge_all;
mod quirks;
mod schema;
mod statements;
mod support;
