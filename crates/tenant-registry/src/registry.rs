//! The registry: opening it, reading it, and who a token is.
//!
//! **Invariant**: who a token is, is answered from memory; what is in memory outlives the database.

mod accept;
mod answers;
mod change;
mod clients;
mod credentials;
mod follow;
mod keep;
mod living;
mod load;
mod moving;
mod oauth;
mod pages;
mod pending;
mod pepper;
mod plans;
mod purge;
mod read;
mod refresh;
mod rotation;
mod secrets;
mod standing;
mod start;
mod stores;
mod switch;
mod tenants;
mod uses;

pub use accept::Accepted;
pub use pending::Pending;
pub use refresh::Look;
pub use standing::Standing;
pub use start::Source;

use crate::authenticate::{self, AuthFailure, Authenticated};
use crate::credential::token::BearerToken;
use crate::error::RegistryError;
use crate::recognise;
use crate::snapshot::Snapshot;
use crate::snapshot::doubt::Doubt;
use crate::snapshot::file::Found;
use crate::tenant::Tenant;
use arc_swap::ArcSwap;
use migrations::{Database, RegistryMigrator};
use pepper::Keys;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use refresh::LastLook;
use region_router::Region;
use sea_orm::DbErr;
use secrecy::SecretString;
use standing::Counts;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::{Mutex, Notify, watch};

/// How long one look at the registry's database may take.
const REFRESH_PATIENCE: Duration = Duration::from_secs(4);

/// How the registry is kept.
#[derive(Clone)]
pub struct RegistryOptions {
    /// The key under which tokens are hashed. Without one, it is made once and kept in the registry.
    pub pepper: Option<SecretString>,
    /// Where changes are announced. Without one, nodes notice them by asking.
    pub redis_url: Option<String>,
    /// How often a node asks whether something changed.
    pub poll: Duration,
    /// The file of the last good snapshot, from which a node starts when the database does not answer.
    pub snapshot: Option<PathBuf>,
    /// The regions that tenants may be in. Without them, any.
    pub regions: Option<BTreeSet<Region>>,
}

impl fmt::Debug for RegistryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL of Redis may hold a password.
        f.debug_struct("RegistryOptions")
            .field("redis", &self.redis_url.is_some())
            .field("poll", &self.poll)
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            pepper: None,
            redis_url: None,
            poll: Duration::from_millis(500),
            snapshot: None,
            regions: None,
        }
    }
}

/// The registry, as one node sees it. Clones share it.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    /// Nothing before it was reached for the first time.
    db: OnceLock<Database>,
    source: Option<Source>,
    keys: ArcSwap<Keys>,
    options: RegistryOptions,
    redis: Option<(redis::Client, ConnectionManager)>,
    snapshot: ArcSwap<Snapshot>,
    /// What the newest file held when this began, where that was good.
    on_disk: Option<(i64, i64)>,
    refreshed_at: ArcSwap<Instant>,
    /// One change at a time: of this node, one connection at most waits for the lock, and the others are there for reading.
    changing: Arc<Mutex<()>>,
    /// One refresh at a time: else an older one could replace a newer one's snapshot.
    turn: Mutex<Turn>,
    generation: watch::Sender<i64>,
    /// How often another snapshot was put in use, with or without another generation.
    puts: watch::Sender<u64>,
    standing: watch::Sender<Standing>,
    refusals: Counts,
    /// Somebody waits for a look at the database, and how many such looks have ended.
    asked: Notify,
    looks: watch::Sender<u64>,
    last_look: std::sync::Mutex<LastLook>,
}

/// What the next refresh has to know of the one before it.
#[derive(Debug, Default)]
struct Turn {
    /// Whether all is to be read, and not only what is newer.
    reads_all: bool,
    refused: Option<Refused>,
}

/// What was not taken, so that it is read once.
#[derive(Debug)]
struct Refused {
    generation: i64,
    accepted_at: i64,
    doubt: Doubt,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("generation", &self.snapshot.load().generation)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Opens the registry: brings its schema up to date, finds or makes the pepper, and reads everything.
    ///
    /// # Errors
    /// When the database fails, the pepper is another than before, or the Redis URL has a wrong form. A Redis that does not
    /// answer is no error.
    pub async fn open(
        db: Database,
        options: RegistryOptions,
        now: OffsetDateTime,
    ) -> Result<Self, RegistryError> {
        db.migrate::<RegistryMigrator>().await.map_err(RegistryError::Open)?;
        let registry = Self::assemble(Some(db), None, None, options)?;
        registry.settle(now).await?;
        registry.refresh().await?;
        Ok(registry)
    }

    /// A registry with the database that there is, knowing what was found on disk.
    fn assemble(
        db: Option<Database>,
        source: Option<Source>,
        found: Option<Found>,
        options: RegistryOptions,
    ) -> Result<Self, RegistryError> {
        let redis = options.redis_url.as_deref().map(connect).transpose()?;
        let (mut keys, mut snapshot, mut on_disk) = (None, Snapshot::default(), None);
        let (now, mut turn) = (Instant::now(), Turn::default());
        let mut refreshed_at = now;
        if let Some(found) = found {
            keys = start::keys_of(&found.kept, options.pepper.as_ref());
            let is_newest = found.newest.is_none();
            refreshed_at = now.checked_sub(found.age).unwrap_or(now);
            snapshot = found.kept.into_snapshot();
            on_disk = is_newest.then(|| snapshot.name());
            turn.reads_all = true;
        }
        // Nothing is known that could be asked for under these.
        let keys = keys.unwrap_or_else(|| Keys::given(&SecretString::default()));
        let generation = watch::Sender::new(snapshot.generation);
        Ok(Self {
            shared: Arc::new(Shared {
                db: db.map_or_else(OnceLock::new, OnceLock::from),
                source,
                keys: ArcSwap::from_pointee(keys),
                options,
                redis,
                snapshot: ArcSwap::from_pointee(snapshot),
                on_disk,
                refreshed_at: ArcSwap::from_pointee(refreshed_at),
                changing: Arc::default(),
                turn: Mutex::new(turn),
                generation,
                puts: watch::Sender::default(),
                standing: watch::Sender::new(Standing::Unreached),
                refusals: Counts::default(),
                asked: Notify::new(),
                looks: watch::Sender::default(),
                last_look: std::sync::Mutex::default(),
            }),
        })
    }

    /// Finds or makes the pepper.
    async fn settle(&self, now: OffsetDateTime) -> Result<(), RegistryError> {
        let keys = pepper::settle(self.db()?, self.shared.options.pepper.as_ref(), now).await?;
        self.shared.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Whose token this is. Asks no store.
    ///
    /// # Errors
    /// When the token is unknown, expired or revoked.
    pub fn authenticate(
        &self,
        token: &BearerToken,
        now: OffsetDateTime,
    ) -> Result<Authenticated, AuthFailure> {
        let snapshot = self.shared.snapshot.load();
        authenticate::authenticate(&snapshot, &self.shared.keys.load().pepper, token, now)
    }

    /// The tenant with this slug or id, as far as this node knows. Asks no store.
    #[must_use]
    pub fn known_tenant(&self, slug_or_id: &str) -> Option<Arc<Tenant>> {
        self.shared.snapshot.load().named(slug_or_id).map(Arc::clone)
    }

    /// Whose token this is or was, also when it is expired or revoked: for the log of its tenant, not for access.
    #[must_use]
    pub fn owner(&self, token: &BearerToken) -> Option<Authenticated> {
        let keys = self.shared.keys.load();
        authenticate::owner(&self.shared.snapshot.load(), &keys.pepper, token)
    }

    /// Whose token it is, where its tenant is on its way to another store or was moved not long ago: it may be at home in another
    /// region than the token names. Of any other token this costs two look-ups.
    #[must_use]
    pub fn on_the_move(&self, token: &BearerToken) -> Option<Arc<Tenant>> {
        let snapshot = self.shared.snapshot.load();
        let id = if token.is_access() {
            &snapshot.client(token.key_id())?.tenant_id
        } else {
            &snapshot.credential(token.key_id())?.tenant_id
        };
        snapshot.tenant(id)?.moving.as_ref()?;
        let owner = authenticate::owner(&snapshot, &self.shared.keys.load().pepper, token)?;
        Some(owner.tenant)
    }

    /// The tenants that are on their way to another store, or were moved not long ago, as this process knows them.
    #[must_use]
    pub fn moving(&self) -> Vec<Arc<Tenant>> {
        let snapshot = self.shared.snapshot.load();
        snapshot.tenants().filter(|tenant| tenant.moving.is_some()).map(Arc::clone).collect()
    }

    /// Whose token it is that names a region which its tenant has left, so long ago that nothing leads from there any more. For
    /// an answer that tells the right base URL, not for access.
    #[must_use]
    pub fn moved_away(&self, token: &BearerToken) -> Option<Arc<Tenant>> {
        let keys = self.shared.keys.load();
        authenticate::moved_away(&self.shared.snapshot.load(), &keys.pepper, token)
    }

    /// Whose token it looks like that somebody sent: by its hint, where no other one has that, or by the key id in it. For the
    /// log of that tenant, not for access.
    #[must_use]
    pub fn recognise(&self, authorization: &str) -> Option<Authenticated> {
        recognise::recognise(&self.shared.snapshot.load(), authorization)
    }

    /// A key for one purpose: the same on every node, and of no use for any other.
    #[must_use]
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        self.shared.keys.load().pepper.derive(purpose)
    }

    /// How long ago the registry's database last said what is current.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.shared.refreshed_at.load().elapsed()
    }

    /// The generation of the snapshot in use, and word of each new one.
    #[must_use]
    pub fn generations(&self) -> watch::Receiver<i64> {
        self.shared.generation.subscribe()
    }

    /// Whether the registry's database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), RegistryError> {
        self.db()?.reader().ping().await.map_err(RegistryError::Database)
    }

    /// Ends the connections to the database. What is in memory stays in use.
    ///
    /// # Errors
    /// When a pool cannot be closed.
    pub async fn close(&self) -> Result<(), RegistryError> {
        match self.shared.db.get() {
            Some(db) => db.close().await.map_err(RegistryError::Database),
            None => Ok(()),
        }
    }
}

/// The client for listening, and a connection for announcing that is made when it is needed.
fn connect(url: &str) -> Result<(redis::Client, ConnectionManager), RegistryError> {
    let client = redis::Client::open(url).map_err(RegistryError::Redis)?;
    // An announcement that fails is made up for by asking: it may not hold up the change that it announces.
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_connection_timeout(Some(Duration::from_millis(500)))
        .set_response_timeout(Some(Duration::from_millis(500)));
    let manager = client.get_connection_manager_lazy(config).map_err(RegistryError::Redis)?;
    Ok((client, manager))
}

/// One row of the generation table is there since the first migration.
fn no_generation() -> RegistryError {
    RegistryError::Database(DbErr::RecordNotFound("registry_generation".to_owned()))
}
