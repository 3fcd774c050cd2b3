//! Taking a tenant from one store to another, step by step (decision 0024).
//!
//! The command `muster tenant move` drives a move; nodes that serve both stores finish one that is cut over and take back
//! one that was left alone before that.
//!
//! **Invariant**: every step may be done twice, by this process or by another one: what was done is read from the registry and
//! from the fences of the stores, and what comes next is a function of it. A stage is left by a compare-and-set.

mod drive;

pub use drive::Progress;

use crate::app::stores::{Directories, label};
use crate::clock::Clock;
use crate::config::{Config, Retention};
use directory::{Directory, Purged, Transfer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{Actor, By, Home, Manifest, Move, Registry, RegistryError, Tenant, TenantId};
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;

/// For how long nobody may write at most; a move that takes longer is taken back.
pub const FROZEN_MOST: Duration = Duration::from_mins(2);
/// How much the epoch rises when a move ends, one way or the other.
const EPOCHS: i64 = 2;
/// For how long a mover keeps others away, unless it says again that it is there.
const LEASE: Duration = Duration::from_secs(15);
/// How often it says so.
const RENEW: Duration = Duration::from_secs(5);
/// Rows that may change while the last copy is made: so few are copied in a moment.
const FEW: u64 = 500;
/// How often the copy is brought up to date before writing stops, at most.
const ROUNDS: usize = 8;

/// What a mover can reach.
#[derive(Debug, Clone)]
pub struct Movers {
    /// Who is where.
    pub registry: Registry,
    /// The stores.
    pub directories: Directories,
    /// The time.
    pub clock: Clock,
    /// Under what name this mover keeps others away.
    pub holder: String,
    /// After this long every node that reaches the registry has heard of a change.
    pub settled: Duration,
    /// How long what was left is kept.
    pub retention: Retention,
    /// Who is named in the audit.
    pub actor: Actor,
    /// Told the table and how many of its rows were copied, now and then.
    pub told: fn(&'static str, u64),
    /// Where a commit of the registry ends that nobody waits for any more.
    pub tasks: TaskTracker,
}

/// What a step came to.
#[derive(Debug)]
pub enum Step {
    /// The move is at another stage now.
    Went(Box<Tenant>),
    /// Nothing is to be done before this time has passed.
    Wait(Duration),
    /// Nothing is left to be done.
    Over,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The registry refused, or does not answer.
    #[error("the registry did not take part")]
    Registry(#[from] RegistryError),
    /// A store does not answer, or is not free.
    #[error("a store did not take part")]
    Directory(#[from] directory::MoveError),
    /// A store is not configured here.
    #[error("the store of {0} is not on this node")]
    Missing(String),
    /// The copy is not what was copied.
    #[error("the copy is not like the original: {0}")]
    Different(String),
    /// Rows are left where there must be none.
    #[error("{0} rows are left in the old store")]
    Left(u64),
    /// Nobody could write for too long.
    #[error("nobody could write for {} s, which is as long as it may be", FROZEN_MOST.as_secs())]
    TooLong,
    /// The task that told the registry has failed.
    #[error("it is not known whether the registry has taken the step")]
    Unknown,
}

impl MoveError {
    /// Whether another mover did the same, or drives it.
    #[must_use]
    pub fn is_others(&self) -> bool {
        matches!(
            self,
            Self::Registry(RegistryError::MoveConflict | RegistryError::MoveHeld(_))
                | Self::Directory(directory::MoveError::Superseded)
        )
    }
}

impl Movers {
    /// A mover over stores that are open.
    #[must_use]
    pub fn new(
        (registry, directories): (&Registry, &Directories),
        config: &Config,
        holder: String,
        actor: Actor,
    ) -> Self {
        Self {
            registry: registry.clone(),
            directories: directories.clone(),
            clock: Clock,
            holder,
            settled: config.registry.poll_interval * 2,
            retention: config.retention,
            actor,
            told: |_, _| {},
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn by(&self) -> By {
        By::new(self.actor.clone(), self.clock.now())
    }

    /// A store, if it is here.
    ///
    /// # Errors
    /// [`MoveError::Missing`].
    pub fn store(&self, home: &Home) -> Result<&Directory, MoveError> {
        let found = self.directories.at(&home.region, &home.shard);
        found.ok_or_else(|| MoveError::Missing(label(&home.region, &home.shard)))
    }

    fn transfer(&self, tenant: &Arc<Tenant>, moving: &Move) -> Result<Transfer, MoveError> {
        let (from, to) = (self.store(&moving.from)?.clone(), self.store(&moving.to)?.clone());
        Ok(Transfer::new(from, to, Arc::clone(tenant)))
    }

    /// One end of a move, for what is done there alone: the other one may be out of this node's reach.
    fn end(&self, tenant: &Arc<Tenant>, home: &Home) -> Result<Transfer, MoveError> {
        let store = self.store(home)?.clone();
        Ok(Transfer::new(store.clone(), store, Arc::clone(tenant)))
    }

    /// Tells the registry of a step. It is told to the end, whoever goes away meanwhile: a commit is never cancelled.
    async fn tell<F>(&self, step: impl FnOnce(Registry, By) -> F) -> Result<Tenant, MoveError>
    where
        F: Future<Output = Result<Tenant, RegistryError>> + Send + 'static,
    {
        let told = self.tasks.spawn(step(self.registry.clone(), self.by())).await;
        Ok(told.map_err(|_gone| MoveError::Unknown)??)
    }

    /// The tenant as the registry's database has it.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn tenant(&self, id: &TenantId) -> Result<Tenant, MoveError> {
        let found = self.registry.find_tenant(id.as_str()).await?;
        Ok(found.ok_or(RegistryError::TenantNotFound)?)
    }

    /// Takes the right to drive a tenant's move, or keeps it.
    ///
    /// # Errors
    /// [`RegistryError::MoveHeld`] when another one has it, or the database fails.
    pub async fn take_lease(&self, id: &TenantId) -> Result<(), MoveError> {
        let now = self.clock.now();
        self.registry.take_move_lease(id, &self.holder, now + LEASE, now).await?;
        Ok(())
    }

    /// Keeps the right for as long as it is polled; ends when it is lost.
    pub(crate) async fn keep_lease(&self, id: &TenantId) -> MoveError {
        loop {
            tokio::time::sleep(RENEW).await;
            if let Err(error) = self.take_lease(id).await
                && error.is_others()
            {
                return error;
            }
        }
    }

    /// Does work under the lease.
    ///
    /// # Errors
    /// Those of the work, and that the lease is another one's.
    pub async fn holding<T>(
        &self,
        id: &TenantId,
        work: impl Future<Output = Result<T, MoveError>>,
    ) -> Result<T, MoveError> {
        self.take_lease(id).await?;
        tokio::select! {
            done = work => done,
            lost = self.keep_lease(id) => Err(lost),
        }
    }
}

/// A new name for a mover: an operator can make out which process it is.
#[must_use]
pub fn holder(what: &str) -> String {
    format!("{what}:{}:{}", std::process::id(), Clock.new_id().simple())
}

/// The rows of a proof, by their tables.
fn proof(home: &Home, tables: &[Purged], now: OffsetDateTime) -> Manifest {
    let tables: BTreeMap<String, u64> =
        tables.iter().map(|one| (one.table.to_owned(), one.before)).collect();
    Manifest { region: home.region.clone(), at: now, tables }
}

/// Until when the old address leads to the tenant.
#[must_use]
pub fn tombstone_until(moving: &Move, retention: &Retention) -> OffsetDateTime {
    moving.stage_at + retention.moved_tombstone
}
