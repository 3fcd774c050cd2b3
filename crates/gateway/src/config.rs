//! What the process is told: defaults, then a file, then the environment.
//!
//! **Invariant**: every problem is reported, each with its key and where it was written, before a socket opens. The
//! loader is our own because the usual ones stop at the first error and forget which source a value came from.

mod edit_distance;
mod environment;
mod file;
mod span;
mod values;

pub mod database;
pub mod hosting;
pub mod limits;
pub mod log;
pub mod node;
pub mod operator;
pub mod otel;
pub mod problem;
pub mod regions;
pub mod registry;
pub mod retention;
pub mod server;

pub use database::DatabaseSettings;
pub use hosting::Hosting;
pub use limits::Limits;
pub use log::{LogFormat, LogSettings};
pub use node::NodeSettings;
pub use operator::{OidcSettings, OperatorSettings};
pub use otel::OtelSettings;
pub use problem::{Problem, Problems, Source};
pub use regions::{FIRST_SHARD, Home, RegionSettings};
pub use registry::RegistrySettings;
pub use retention::Retention;
pub use server::{ServerSettings, TrustedProxies};
pub use span::parse_span;

use region_router::Region;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::Values;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "muster.toml";

/// Every key; `{name}` is the name of a region, `{shard}` that of one of its shards.
pub const KEYS: &[&str] = &[
    "data_dir",
    "database.acquire_timeout",
    "database.pool_max",
    "database.statement_timeout",
    "hosting.documentation_uri",
    "hosting.domain",
    "hosting.public_port",
    "hosting.public_scheme",
    "limits.body_bytes",
    "limits.body_timeout",
    "limits.bulk_operations",
    "limits.bulk_payload_bytes",
    "limits.connections",
    "limits.filter_bytes",
    "limits.filter_depth",
    "limits.filter_terms",
    "limits.json_array_values",
    "limits.json_depth",
    "limits.members",
    "limits.page_default",
    "limits.page_max",
    "limits.cursor_lifetime",
    "limits.patch_operations",
    "limits.rate_burst",
    "limits.rate_per_second",
    "limits.request_timeout",
    "log.format",
    "log.level",
    "node.keys",
    "node.certificate",
    "node.certificate_key",
    "node.peer_ca",
    "node.peer_jwks",
    "node.regions",
    "operator.keys",
    "operator.max_lifetime",
    "operator.oidc_audience",
    "operator.oidc_issuer",
    "operator.oidc_jwks",
    "operator.rate_burst",
    "operator.rate_per_second",
    "ops.listen",
    "redis.timeout",
    "redis.url",
    "redis.url_file",
    "regions.{name}.gateway",
    "regions.{name}.gateway_connections",
    "regions.{name}.host_prefix",
    "regions.{name}.replica",
    "regions.{name}.replica_file",
    "regions.{name}.shards.{shard}",
    "regions.{name}.shards.{shard}_file",
    "regions.{name}.store",
    "regions.{name}.store_file",
    "registry.pepper",
    "registry.pepper_file",
    "registry.poll_interval",
    "registry.pool_max",
    "registry.snapshot",
    "registry.url",
    "registry.url_file",
    "registry.uses_interval",
    "retention.closed",
    "retention.decisions",
    "retention.deleted",
    "retention.moved_data",
    "retention.moved_tombstone",
    "server.drain_delay",
    "server.listen",
    "server.shutdown_timeout",
    "server.trusted_proxies",
    "server.workers",
];

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listener for the four hosts and the admin API.
    pub server: ServerSettings,
    /// Where health and metrics are answered (`ops.listen`).
    pub ops_listen: SocketAddr,
    /// How the hosts are named to the world.
    pub hosting: Hosting,
    /// Where files go that nobody placed elsewhere (`data_dir`).
    pub data_dir: PathBuf,
    /// The global store.
    pub registry: RegistrySettings,
    /// Every region, in the order of their names.
    pub regions: Vec<RegionSettings>,
    /// The regions whose stores this node opens (`node.regions`).
    pub serves: BTreeSet<Region>,
    /// How the nodes know each other.
    pub node: NodeSettings,
    /// Redis, when there is one (`redis.url`).
    pub redis_url: Option<SecretString>,
    /// How long a request waits for Redis (`redis.timeout`).
    pub redis_timeout: Duration,
    /// How connections to the stores are kept.
    pub database: DatabaseSettings,
    /// How much one request may ask for.
    pub limits: Limits,
    /// Whose tokens are good at the admin API.
    pub operator: OperatorSettings,
    /// How long history is kept.
    pub retention: Retention,
    /// How the log is written.
    pub log: LogSettings,
    /// Where traces go.
    pub otel: OtelSettings,
}

/// A configuration file's name and text.
#[derive(Debug, Clone)]
pub struct FileText {
    /// The name as it is shown in problems.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl Config {
    /// Reads the file and the environment of this process.
    ///
    /// Without a named file, `muster.toml` in the working folder is read if it is there.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(named: Option<&Path>) -> Result<Self, Problems> {
        let file = read_file(named)?;
        Self::from_sources(file.as_ref(), &environment::of_process())
    }

    /// Reads a file's text and variables given as name and value.
    ///
    /// # Errors
    /// All problems at once.
    pub fn from_sources(
        file: Option<&FileText>,
        variables: &[(String, String)],
    ) -> Result<Self, Problems> {
        let mut values = Values::default();
        if let Some(file) = file {
            file::read(file, &mut values);
        }
        environment::read(variables, &mut values);
        let config = Self::read(&mut values, variables);
        let problems = values.finish();
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    fn read(values: &mut Values, variables: &[(String, String)]) -> Self {
        let data_dir = PathBuf::from(values.text("data_dir").unwrap_or_else(|| "./data".into()));
        let server = server::read(values);
        let ops_listen = values.address("ops.listen", SocketAddr::from(([127, 0, 0, 1], 9090)));
        if ops_listen == server.listen && ops_listen.port() != 0 {
            values.problem(
                "ops.listen",
                format!("{ops_listen} is the address of server.listen too: choose another port"),
            );
        }
        let regions = regions::read(values, &data_dir);
        let registry = registry::read(values, &data_dir);
        let serves = regions::served(values, &regions, &registry.url);
        let hosting = hosting::read(values, &regions);
        let redis_url = values.secret("redis.url");
        if let Some(url) = &redis_url {
            registry::check_redis(values, url);
        }
        let redis_timeout = registry::redis_timeout(values);
        Self {
            registry,
            database: database::read(values),
            limits: limits::read(values),
            retention: retention::read(values),
            node: node::read(values, &data_dir),
            operator: operator::read(values, &data_dir),
            log: log::read(values),
            otel: otel::read(variables, values),
            server,
            ops_listen,
            hosting,
            data_dir,
            regions,
            serves,
            redis_url,
            redis_timeout,
        }
    }

    /// The configuration of no file and no environment, for tests and for tools.
    ///
    /// # Errors
    /// Never, unless the defaults contradict each other.
    pub fn defaults() -> Result<Self, Problems> {
        Self::from_sources(None, &[])
    }

    /// The names of a region's shards, where its stores are configured here.
    #[must_use]
    pub fn shards(&self, region: &Region) -> Option<Vec<&str>> {
        let shards: Vec<&str> = self.region(region)?.stores().map(|(shard, _)| shard).collect();
        (!shards.is_empty()).then_some(shards)
    }

    /// What is configured for a region.
    #[must_use]
    pub fn region(&self, region: &Region) -> Option<&RegionSettings> {
        self.regions.iter().find(|settings| settings.region == *region)
    }
}

fn read_file(named: Option<&Path>) -> Result<Option<FileText>, Problems> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(FileText { name, text })),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problems(vec![Problem {
            key: String::new(),
            source: Source::File { name, line: None },
            text: format!("the configuration file cannot be read: {error}"),
        }])),
    }
}

#[cfg(test)]
mod tests {
    use super::values::{Entry, Raw, Values};
    use super::{Config, KEYS, Source};
    use std::collections::BTreeSet;

    #[test]
    fn the_list_of_keys_is_what_is_read() {
        let mut values = Values::default();
        // Of a region's shards only those are read that somebody named.
        let raw = Raw::Text("sqlite:1.sqlite".to_owned());
        values.add("regions.us.shards.1".to_owned(), Entry { raw, source: Source::Default });
        Config::read(&mut values, &[]);
        let general = |key: &str| {
            let key = key.replace(".us.", ".{name}.").replace(".eu.", ".{name}.");
            key.replace(".shards.1", ".shards.{shard}")
        };
        let read: BTreeSet<String> = values.asked().map(general).collect();
        let listed: BTreeSet<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(read, listed);
    }
}
