//! `[registry]` and `[redis]`: the global store, and how its changes arrive.

use super::regions::{check_store, sqlite_in};
use super::values::Values;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The global store.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// Its database.
    pub url: SecretString,
    /// Connections at most.
    pub pool_max: u32,
    /// How often changes made elsewhere are looked for.
    pub poll_interval: Duration,
    /// How often the last uses of credentials are written.
    pub uses_interval: Duration,
    /// The key of the token hashes; absent, the registry makes and keeps one.
    pub pepper: Option<SecretString>,
    /// The file of the last good snapshot, from which a node starts when the database does not answer.
    pub snapshot: PathBuf,
}

pub(super) fn read(values: &mut Values, data_dir: &Path) -> RegistrySettings {
    let url = values.secret("registry.url");
    if let Some(url) = &url {
        check_store(values, "registry.url", url);
    }
    let pepper = values.secret("registry.pepper");
    if pepper.as_ref().is_some_and(|pepper| pepper.expose_secret().len() < 32) {
        let key = if values.is_given("registry.pepper") {
            "registry.pepper"
        } else {
            "registry.pepper_file"
        };
        values.problem(key, "is too short: 32 characters or more, drawn at random");
    }
    RegistrySettings {
        url: url.unwrap_or_else(|| sqlite_in(data_dir, "registry")),
        pool_max: values.number("registry.pool_max", 4, 1..=256),
        poll_interval: values.span(
            "registry.poll_interval",
            Duration::from_millis(500),
            Duration::from_millis(50)..=Duration::from_mins(1),
        ),
        uses_interval: values.span(
            "registry.uses_interval",
            Duration::from_mins(1),
            Duration::from_millis(50)..=Duration::from_hours(1),
        ),
        pepper,
        snapshot: values
            .text("registry.snapshot")
            .map_or_else(|| data_dir.join("registry-snapshot"), PathBuf::from),
    }
}

/// Checks the form of the URL, without showing it: it may hold a password.
pub(super) fn check_redis(values: &mut Values, url: &SecretString) {
    let known = ["redis://", "rediss://", "unix://", "redis+unix://"];
    if !known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
        let key = if values.is_given("redis.url") { "redis.url" } else { "redis.url_file" };
        values.problem(key, "must begin with redis:// or rediss://");
    }
}

/// How long a request waits for Redis: on the way of every one where rates are shared.
pub(super) fn redis_timeout(values: &mut Values) -> Duration {
    let usual = Duration::from_millis(20);
    values.span("redis.timeout", usual, Duration::from_millis(1)..=Duration::from_secs(1))
}
