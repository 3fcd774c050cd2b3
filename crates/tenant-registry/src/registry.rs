//! The registry: opening it, reading it, and who a token is.
//!
//! **Invariant**: a refresh reads the generation before the rows, so that a snapshot is never older than the generation it
//! names; what it reads twice does no harm.

mod answers;
mod change;
mod clients;
mod credentials;
mod follow;
mod living;
mod load;
mod oauth;
mod pages;
mod pending;
mod pepper;
mod plans;
mod purge;
mod read;
mod rotation;
mod secrets;
mod switch;
mod tenants;
mod uses;

pub use pending::Pending;

use crate::authenticate::{self, AuthFailure, Authenticated, Pepper};
use crate::credential::token::BearerToken;
use crate::entity;
use crate::error::RegistryError;
use crate::recognise;
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;
use arc_swap::ArcSwap;
use migrations::{Database, RegistryMigrator};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sea_orm::{DbErr, EntityTrait};
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::{Mutex, watch};

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
}

impl fmt::Debug for RegistryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL of Redis may hold a password.
        f.debug_struct("RegistryOptions")
            .field("redis", &self.redis_url.is_some())
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self { pepper: None, redis_url: None, poll: Duration::from_millis(500) }
    }
}

/// The registry, as one node sees it. Clones share it.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    db: Database,
    pepper: Pepper,
    poll: Duration,
    redis: Option<(redis::Client, ConnectionManager)>,
    snapshot: ArcSwap<Snapshot>,
    refreshed_at: ArcSwap<Instant>,
    /// One change at a time: of this node, one connection at most waits for the lock, and the others are there for reading.
    changing: Arc<Mutex<()>>,
    /// One refresh at a time: else an older one could replace a newer one's snapshot.
    turn: Mutex<()>,
    generation: watch::Sender<i64>,
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
        let pepper = pepper::settle(&db, options.pepper.as_ref(), now).await?;
        let redis = options.redis_url.as_deref().map(connect).transpose()?;
        let registry = Self {
            shared: Arc::new(Shared {
                db,
                pepper,
                poll: options.poll,
                redis,
                snapshot: ArcSwap::default(),
                refreshed_at: ArcSwap::from_pointee(Instant::now()),
                changing: Arc::default(),
                turn: Mutex::new(()),
                generation: watch::Sender::new(0),
            }),
        };
        registry.refresh().await?;
        Ok(registry)
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
        authenticate::authenticate(&snapshot, &self.shared.pepper, token, now)
    }

    /// The tenant with this slug or id, as far as this node knows. Asks no store.
    #[must_use]
    pub fn known_tenant(&self, slug_or_id: &str) -> Option<Arc<Tenant>> {
        self.shared.snapshot.load().named(slug_or_id).map(Arc::clone)
    }

    /// Whose token this is or was, also when it is expired or revoked: for the log of its tenant, not for access.
    #[must_use]
    pub fn owner(&self, token: &BearerToken) -> Option<Authenticated> {
        authenticate::owner(&self.shared.snapshot.load(), &self.shared.pepper, token)
    }

    /// Whose token it looks like that somebody sent: by its hint, where no other one has that, or by the key id in it. For the
    /// log of that tenant, not for access.
    #[must_use]
    pub fn recognise(&self, authorization: &str) -> Option<Authenticated> {
        recognise::recognise(&self.shared.snapshot.load(), authorization)
    }

    /// Reads what changed since the last time, and says whether anything did.
    ///
    /// # Errors
    /// When the database fails; the last snapshot stays in use.
    pub async fn refresh(&self) -> Result<bool, RegistryError> {
        let _turn = self.shared.turn.lock().await;
        // A connection that is silently dead must not keep everyone else waiting for what it does not say.
        match tokio::time::timeout(REFRESH_PATIENCE, self.refresh_in_turn()).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(RegistryError::Silent),
        }
    }

    async fn refresh_in_turn(&self) -> Result<bool, RegistryError> {
        let reader = self.shared.db.reader();
        let generation = entity::generation::Entity::find_by_id(entity::generation::ONLY)
            .one(reader)
            .await
            .map_err(RegistryError::Database)?
            .map_or(0, |row| row.generation);
        let known = self.shared.snapshot.load_full();
        let changed = generation != known.generation;
        if changed {
            // A number smaller than the known one means that an older copy of the database was restored.
            let base = if generation > known.generation {
                Snapshot::clone(&known)
            } else {
                Snapshot::default()
            };
            let next = self.newer_than(base, generation).await?;
            self.shared.snapshot.store(Arc::new(next));
            self.shared.generation.send_replace(generation);
        }
        self.shared.refreshed_at.store(Arc::new(Instant::now()));
        Ok(changed)
    }

    /// A key for one purpose: the same on every node, and of no use for any other.
    #[must_use]
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        self.shared.pepper.derive(purpose)
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
        self.shared.db.reader().ping().await.map_err(RegistryError::Database)
    }

    /// Ends the connections to the database. What is in memory stays in use.
    ///
    /// # Errors
    /// When a pool cannot be closed.
    pub async fn close(&self) -> Result<(), RegistryError> {
        self.shared.db.close().await.map_err(RegistryError::Database)
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
