//! `[database]`: how connections to the stores are kept.

use super::values::Values;
use migrations::PoolOptions;
use std::time::Duration;

/// How connections to the regions' stores are kept.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Connections to a PostgreSQL store at most; a SQLite file has one that writes and at most four that read.
    pub pool_max: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may run (PostgreSQL).
    pub statement_timeout: Duration,
}

impl DatabaseSettings {
    /// The options of a pool of another size.
    #[must_use]
    pub fn pool(&self, readers: u32) -> PoolOptions {
        PoolOptions {
            readers,
            acquire_timeout: self.acquire_timeout,
            statement_timeout: self.statement_timeout,
            application_name: "muster".to_owned(),
        }
    }
}

pub(super) fn read(values: &mut Values) -> DatabaseSettings {
    let range = Duration::from_millis(50)..=Duration::from_mins(10);
    DatabaseSettings {
        pool_max: values.number("database.pool_max", 16, 1..=1024),
        acquire_timeout: values.span(
            "database.acquire_timeout",
            Duration::from_secs(5),
            range.clone(),
        ),
        statement_timeout: values.span(
            "database.statement_timeout",
            Duration::from_secs(10),
            range,
        ),
    }
}
