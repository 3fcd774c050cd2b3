//! What every request can reach.

use crate::admin::Admin;
use crate::app::stores::Directories;
use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::forward::Peers;
use crate::health::Readiness;
use crate::jobs::uses::Uses;
use crate::oauth::Replays;
use crate::rate_limit::Limiter;
use region_router::{Hosts, Node};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tenant_registry::Registry;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// What every request can reach; one for the process, made by `App::bind`.
pub struct State {
    /// The hosts, both ways.
    pub hosts: Hosts,
    /// What this node serves and which peers it knows.
    pub node: Node,
    /// The ways to the regions that are elsewhere.
    pub peers: Peers,
    /// What the admin API reaches.
    pub admin: Arc<Admin>,
    /// Tenants and credentials.
    pub registry: Registry,
    /// The stores of the regions that this node serves, shard by shard.
    pub directories: Directories,
    /// The time.
    pub clock: Clock,
    /// How much one request may ask for.
    pub limits: Limits,
    /// How many requests of each caller are answered.
    pub limiter: Limiter,
    /// Assertions that were used.
    pub replays: Replays,
    /// When credentials were used last.
    pub uses: Uses,
    /// Every task that outlives a request.
    pub tasks: TaskTracker,
    /// Where they run: the process's own runtime, since that of a worker ends with the worker.
    pub runtime: Handle,
    /// A page for administrators, named in `/ServiceProviderConfig`.
    pub documentation_uri: Option<String>,
    /// The configuration.
    pub config: Config,
    /// Whether the process is stopping.
    pub draining: Draining,
    /// The last answer of the stores to the question whether they are there.
    pub readiness: Readiness,
}

/// Whether the process is stopping: it still answers, and asks everyone to go elsewhere.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    /// Whether it is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// From now on it is stopping.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
