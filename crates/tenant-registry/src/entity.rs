//! The registry's tables, private to this crate.
//!
//! **Invariant**: a row becomes a value of the domain here, or an error that names row and column.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod credential;
pub(crate) mod generation;
pub(crate) mod manifest;
pub(crate) mod oauth_client;
pub(crate) mod oauth_secret;
pub(crate) mod plan;
pub(crate) mod secret;
pub(crate) mod tenant;
pub(crate) mod usage;

use crate::error::RegistryError;
use time::OffsetDateTime;

/// Instants are kept as microseconds since 1970 in UTC: one integer that both databases compare alike.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

pub(crate) fn instant(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()
}

pub(crate) fn unreadable(
    table: &'static str,
    key: &str,
    what: &'static str,
) -> impl Fn() -> RegistryError {
    let key = key.to_owned();
    move || RegistryError::Unreadable { table, key: key.clone(), what }
}
