//! The process: HTTP, command line, configuration, telemetry.

pub mod admin;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conformance;
pub(crate) mod connection;
pub mod doctor;
pub mod forward;
pub mod health;
pub mod jobs;
pub mod jwk;
pub mod moving;
pub mod oauth;
pub mod rate_limit;
pub mod routes;
pub mod scim;
pub mod shared;

pub mod state;
pub mod telemetry;

pub use app::App;
pub use config::Config;
pub use state::State;
