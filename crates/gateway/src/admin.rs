//! The admin API: what operators, consoles, the command line and infrastructure as code do to tenants.
//!
//! One table of endpoints ([`routes`]) is the URL space, the authorization, the documentation and the dispatch. HTTP and
//! the command line call [`dispatch`](dispatch::dispatch); a handler is a function of a [`Call`].
//!
//! **Invariant**: an endpoint has an access class, since it is a field of the table; a handler runs after it was checked,
//! and sees a tenant only if its caller may.

pub mod about;
pub mod access;
pub mod answer;
pub mod attributes;
pub mod call;
pub mod clients;
pub mod dispatch;
pub mod endpoint;
pub mod http;
pub mod input;
pub mod issuer;
pub mod keys;
pub mod limits;
pub mod log;
pub mod moves;
pub mod openapi;
pub mod operator;
pub mod page;
pub mod people;
pub mod plans;
pub mod problem;
pub mod residency;
pub mod routes;
pub mod settings;
pub mod setup;
pub mod switches;
pub mod tenants;
pub mod tokens;
pub mod verify;
pub mod view;

use crate::app::stores::{Directories, label, store_key};
use crate::clock::Clock;
use crate::config::Config;
use crate::rate_limit::{Limiter, Rate, Standing};
use crate::shared::Shared;
use issuer::Issuers;
use region_router::Hosts;
use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock};
use tenant_registry::{Registry, Tenant};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use answer::Answer;
pub use call::Call;
pub use operator::Operator;
pub use problem::{Code, Problem};

/// Callers that one address may have.
const CALLERS: u32 = 4;

/// What every call can reach. The command line makes one too.
pub struct Admin {
    /// Tenants and credentials.
    pub registry: Registry,
    /// The stores that are here.
    pub directories: Directories,
    /// The hosts.
    pub hosts: Hosts,
    /// The time.
    pub clock: Clock,
    /// The configuration.
    pub config: Config,
    /// Who signs the callers' tokens.
    pub issuers: Issuers,
    /// Where writes run, so that a caller that hangs up cancels none.
    pub tasks: TaskTracker,
    /// On which runtime.
    pub runtime: Handle,
    limiter: Limiter,
    /// What the other nodes of the region are told of calls that are being answered.
    shared: Option<Shared>,
    /// The document and its page: made once, for nobody's question may cost us much.
    document: OnceLock<(String, String)>,
    in_flight: Mutex<HashSet<String>>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Admin {
    /// What calls reach, over stores that are open.
    ///
    /// # Errors
    /// When the issuers of operators' tokens are not good.
    pub fn new(
        registry: Registry,
        directories: Directories,
        hosts: Hosts,
        config: &Config,
        tasks: TaskTracker,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            registry,
            directories,
            issuers: Issuers::new(config)?,
            hosts,
            clock: Clock,
            config: config.clone(),
            tasks,
            runtime: Handle::current(),
            limiter: Limiter::new(None),
            shared: None,
            document: OnceLock::new(),
            in_flight: Mutex::default(),
        })
    }

    /// The same, with the other nodes of the region.
    #[must_use]
    pub fn with(self, shared: Option<Shared>) -> Self {
        Self { shared, ..self }
    }

    /// Counts a call of a caller, and says where the caller stands.
    #[must_use]
    pub fn standing(&self, operator: &Operator) -> Standing {
        let settings = &self.config.operator;
        let rate = Rate::new(settings.rate_per_second, settings.rate_burst);
        // An administrator of a tenant may have the name of an operator, and takes nothing from that one's rate.
        let caller = format!("{} {:?} {}", operator.issuer, operator.role, operator.subject);
        self.limiter.take(&caller, rate, 1)
    }

    /// Counts a call from an address, before anybody looks at it: what a stranger may ask for costs something too. Several
    /// callers can share an address.
    #[must_use]
    pub fn standing_of(&self, address: IpAddr) -> Standing {
        let settings = &self.config.operator;
        let of_all = |one: u32| one.saturating_mul(CALLERS);
        let rate = Rate::new(of_all(settings.rate_per_second), of_all(settings.rate_burst));
        self.limiter.take(&address.to_string(), rate, 1)
    }

    /// Tells, once a minute, that a tenant's store is not on this node although its region is.
    pub(crate) fn tell_missing(&self, tenant: &Tenant) {
        let store = label(&tenant.region, &tenant.shard);
        if self.limiter.is_news(&format!("missing {store}")) {
            let key = store_key(&tenant.region, &tenant.shard);
            tracing::error!(region = %tenant.region, shard = tenant.shard, key, "a tenant's store is not on this node");
        }
    }

    /// The OpenAPI document.
    pub fn document(&self) -> &str {
        &self.described().0
    }

    /// The document as a page.
    pub fn page(&self) -> &str {
        &self.described().1
    }

    fn described(&self) -> &(String, String) {
        self.document.get_or_init(|| {
            let document = openapi::document(&self.hosts.admin_base_url());
            (document.to_string(), page::render(&document))
        })
    }
}
