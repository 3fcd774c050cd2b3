//! Opening the registry and the stores of the regions, all at the same time.

mod directories;

pub use directories::{Directories, label};

use crate::clock::Clock;
use crate::config::{Config, FIRST_SHARD, Home};
use anyhow::Context as _;
use directory::Directory;
use migrations::{Database, PoolOptions};
use region_router::{Node, Region};
use secrecy::{ExposeSecret, SecretString};
use tenant_registry::{Registry, RegistryOptions, Source, Tenant};
use tokio_util::task::TaskTracker;

/// What a registry that cannot be opened is told with.
const NOT_OPENED: &str = "the registry cannot be opened; check registry.url";

/// The open stores of this node.
pub struct Stores {
    /// Tenants and credentials.
    pub registry: Registry,
    /// People and groups, by region and shard.
    pub directories: Directories,
    /// Which regions are here, and which peers are known.
    pub node: Node,
}

impl Stores {
    /// Opens everything that the configuration says this node serves, bringing the schemas up to date.
    ///
    /// # Errors
    /// When a store cannot be opened; the text says which and never holds its URL.
    pub async fn open(config: &Config, tasks: &TaskTracker) -> anyhow::Result<Self> {
        Self::open_with(Box::pin(open_registry(config)), config, tasks).await
    }

    /// The same for a node that serves: it starts from the last good snapshot when the registry's database does not answer.
    ///
    /// # Errors
    /// As [`Self::open`]; of the registry, when there is no good snapshot either.
    pub async fn serve(config: &Config, tasks: &TaskTracker) -> anyhow::Result<Self> {
        Self::open_with(Box::pin(start_registry(config)), config, tasks).await
    }

    async fn open_with(
        registry: impl Future<Output = anyhow::Result<Registry>>,
        config: &Config,
        tasks: &TaskTracker,
    ) -> anyhow::Result<Self> {
        make_data_dir(config)?;
        let pool = config.database.pool(config.database.pool_max);
        let stores = served(config).map(|store| open_directory(store, &pool, tasks));
        let directories = futures_util::future::try_join_all(stores);
        let (registry, directories) = tokio::try_join!(registry, directories)?;
        Ok(Self { registry, directories: directories.into_iter().collect(), node: node(config) })
    }

    /// Opens one store: for a command about one tenant, or one store.
    ///
    /// # Errors
    /// When it is not served here, or cannot be opened.
    pub async fn open_one(
        config: &Config,
        region: &Region,
        shard: &str,
        tasks: &TaskTracker,
    ) -> anyhow::Result<Directory> {
        make_data_dir(config)?;
        let pool = config.database.pool(2);
        let is_it = |store: &Served<'_>| store.region == region && store.shard == shard;
        let Some(store) = served(config).find(is_it) else {
            let key = store_key(region, shard);
            let label = label(region, shard);
            anyhow::bail!(
                "the store of {label} is not on this node; run the command where {key} is configured"
            );
        };
        open_directory(store, &pool, tasks).await
    }

    /// Opens the store of one tenant.
    ///
    /// # Errors
    /// As [`Self::open_one`].
    pub async fn open_of(
        config: &Config,
        tenant: &Tenant,
        tasks: &TaskTracker,
    ) -> anyhow::Result<Directory> {
        Self::open_one(config, &tenant.region, &tenant.shard, tasks).await
    }
}

/// Opens the registry alone: for the commands about tenants and tokens.
///
/// # Errors
/// When it cannot be opened; the text never holds its URL.
pub(crate) async fn open_registry(config: &Config) -> anyhow::Result<Registry> {
    make_data_dir(config)?;
    let source = source(config);
    if source.is_gone(&config.registry.snapshot) {
        anyhow::bail!(
            "the file of the registry's database is gone, and a snapshot of it is here ({}): put the file back, or remove the snapshot to begin a new registry",
            config.registry.snapshot.display()
        );
    }
    let url = source.url.expose_secret();
    let database = Database::open(url, &source.pool).await.context(NOT_OPENED)?;
    Registry::open(database, options(config), Clock.now()).await.context(NOT_OPENED)
}

/// Opens the registry of a node that serves.
async fn start_registry(config: &Config) -> anyhow::Result<Registry> {
    make_data_dir(config)?;
    let options = RegistryOptions {
        snapshot: Some(config.registry.snapshot.clone()),
        regions: Some(config.regions.iter().map(|settings| settings.region.clone()).collect()),
        ..options(config)
    };
    Registry::start(source(config), options, Clock.now()).await.context(NOT_OPENED)
}

fn source(config: &Config) -> Source {
    let pool = config.database.pool(config.registry.pool_max);
    Source { url: config.registry.url.clone(), pool }
}

fn options(config: &Config) -> RegistryOptions {
    RegistryOptions {
        pepper: config.registry.pepper.clone(),
        redis_url: config.redis_url.as_ref().map(|url| url.expose_secret().to_owned()),
        poll: config.registry.poll_interval,
        ..RegistryOptions::default()
    }
}

async fn open_directory(
    store: Served<'_>,
    pool: &PoolOptions,
    tasks: &TaskTracker,
) -> anyhow::Result<Directory> {
    let Served { region, shard, url } = store;
    let context = || {
        let (label, key) = (label(region, shard), store_key(region, shard));
        format!("the store of region {label} cannot be opened; check {key}")
    };
    let database = Database::open(url.expose_secret(), pool).await.with_context(context)?;
    let opened =
        Directory::open_shard(database, region.clone(), shard, tasks.clone(), Clock.now()).await;
    opened.with_context(context)
}

/// The key that names a store.
#[must_use]
pub fn store_key(region: &Region, shard: &str) -> String {
    if shard == FIRST_SHARD {
        format!("regions.{region}.store")
    } else {
        format!("regions.{region}.shards.{shard}")
    }
}

/// A store that this node opens.
struct Served<'a> {
    region: &'a Region,
    shard: &'a str,
    url: &'a SecretString,
}

fn served(config: &Config) -> impl Iterator<Item = Served<'_>> {
    let regions = config.regions.iter().filter(|one| config.serves.contains(&one.region));
    regions.flat_map(|settings| {
        let region = &settings.region;
        settings.stores().map(move |(shard, url)| Served { region, shard, url })
    })
}

fn node(config: &Config) -> Node {
    let peers = config.regions.iter().filter_map(|settings| match &settings.home {
        Home::Gateway(url) => Some((settings.region.clone(), url.clone())),
        Home::Store(_) => None,
    });
    Node { serves: config.serves.clone(), peers: peers.collect() }
}

fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    let path = &config.data_dir;
    std::fs::create_dir_all(path).with_context(|| {
        format!("the folder {} cannot be made; choose another with data_dir", path.display())
    })
}
