//! Opening the registry and the stores of the regions, all at the same time.

mod directories;
mod known;
mod opening;

pub use directories::{Directories, label};
pub(crate) use known::{Known, accept};
pub(crate) use opening::keep_opening;

use crate::clock::Clock;
use crate::config::{self, Config, FIRST_SHARD};
use anyhow::Context as _;
use directory::{Directory, DirectoryError};
use migrations::{Database, PoolOptions};
use region_router::{Node, Region};
use secrecy::{ExposeSecret, SecretString};
use tenant_registry::{Home, Registry, RegistryOptions, Source};
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
        make_data_dir(config)?;
        let pool = pool(config);
        let stores = served(config).map(|store| open_directory(store, &pool, tasks));
        let directories = futures_util::future::try_join_all(stores);
        let registry = Box::pin(open_registry(config));
        let (registry, directories) = tokio::try_join!(registry, directories)?;
        for directory in &directories {
            Known::of(&registry, directory).await.or_refuse(directory)?;
        }
        Ok(Self { registry, directories: directories.into_iter().collect(), node: node(config) })
    }

    /// The same for a node that serves. When the registry's database does not answer, it starts from the last good snapshot; a
    /// store that does not answer is opened when it does ([`keep_opening`]).
    ///
    /// # Errors
    /// As [`Self::open`]; of the registry, when there is no good snapshot either, and of a store, when it answers and is not what
    /// it should be.
    pub async fn serve(config: &Config, tasks: &TaskTracker) -> anyhow::Result<Self> {
        make_data_dir(config)?;
        let names = served(config).map(|store| (store.region.clone(), store.shard.to_owned()));
        let directories = Directories::of_names(names);
        let stores = opening::open_those_that_answer(config, &directories, tasks);
        let registry = Box::pin(start_registry(config));
        let (registry, ()) = tokio::try_join!(registry, stores)?;
        for (_, _, directory) in directories.iter() {
            Known::of(&registry, directory).await.or_refuse(directory)?;
        }
        Ok(Self { registry, directories, node: node(config) })
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
        let pool = PoolOptions { readers: 2, ..pool(config) };
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

    /// Opens a store where tenants live, which is the one that the registry knows.
    ///
    /// # Errors
    /// As [`Self::open_one`], and when it is another.
    pub async fn open_of(
        config: &Config,
        registry: &Registry,
        home: &Home,
        tasks: &TaskTracker,
    ) -> anyhow::Result<Directory> {
        let directory = Self::open_one(config, &home.region, &home.shard, tasks).await?;
        Known::of(registry, &directory).await.or_refuse(&directory)?;
        Ok(directory)
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
    let Served { region, shard, .. } = store;
    try_open(store, pool, tasks).await.with_context(|| {
        let (label, key) = (label(region, shard), store_key(region, shard));
        format!("the store of region {label} cannot be opened; check {key}")
    })
}

async fn try_open(
    store: Served<'_>,
    pool: &PoolOptions,
    tasks: &TaskTracker,
) -> Result<Directory, DirectoryError> {
    let Served { region, shard, url, replica } = store;
    let database = Database::open(url.expose_secret(), pool).await?;
    let (region, now) = (region.clone(), Clock.now());
    let directory = Directory::open_shard(database, region, shard, tasks.clone(), now).await?;
    if let Some(replica) = replica {
        // Its connections are made when they are needed, so that a copy that is away is no reason not to start.
        let copy = Database::open_replica(replica.expose_secret(), pool).await?;
        directory.read_from(copy).await?;
    }
    Ok(directory)
}

/// How the connections to a store are kept. A statement that nobody waits for any longer ends.
fn pool(config: &Config) -> PoolOptions {
    let pool = config.database.pool(config.database.pool_max);
    let statement_timeout = pool.statement_timeout.min(config.limits.request_timeout);
    PoolOptions { statement_timeout, ..pool }
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
#[derive(Clone, Copy)]
struct Served<'a> {
    region: &'a Region,
    shard: &'a str,
    url: &'a SecretString,
    replica: Option<&'a SecretString>,
}

fn served(config: &Config) -> impl Iterator<Item = Served<'_>> {
    let regions = config.regions.iter().filter(|one| config.serves.contains(&one.region));
    regions.flat_map(|settings| {
        let region = &settings.region;
        settings.stores().map(move |(shard, url)| {
            let replica = settings.replica.as_ref().filter(|_| shard == FIRST_SHARD);
            Served { region, shard, url, replica }
        })
    })
}

fn node(config: &Config) -> Node {
    let peers = config.regions.iter().filter_map(|settings| match &settings.home {
        config::Home::Gateway(url) => Some((settings.region.clone(), url.clone())),
        config::Home::Store(_) => None,
    });
    Node { serves: config.serves.clone(), peers: peers.collect() }
}

fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    let path = &config.data_dir;
    std::fs::create_dir_all(path).with_context(|| {
        format!("the folder {} cannot be made; choose another with data_dir", path.display())
    })
}
