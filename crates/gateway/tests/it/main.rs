//! The process as its users see it: identity providers, administrators and operators.
//!
//! Stores are SQLite files, or databases of the server in `MUSTER_TEST_POSTGRES` with `MUSTER_TEST_STORE=postgres`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod admin;
mod auth;
mod bulk;
mod cli;
mod config;
mod conformance;
mod connections;
mod cursors;
mod decisions;
mod discovery;
mod doctor;
mod errors;
mod extensions;
mod forward;
mod gates;
mod groups;
mod jobs;
mod lists;
mod moving;
mod oauth;
mod patch;
mod quirks;
mod races;
mod rate_limit;
mod registry_away;
mod residency;
mod rfc_examples;
mod search;
mod setup;
mod shards;
mod shared;
mod shutdown;
mod stores_away;
mod stores_known;
mod support;
mod tenancy;
mod tidy;
mod users;
mod uses;
