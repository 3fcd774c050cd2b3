//! One store of a region: opened, claimed for its region, and closed.
//!
//! **Invariant**: a store belongs to one region and one shard of it for good; it is opened as no other.

use crate::decisions::Recorder;
use crate::error::DirectoryError;
use crate::listing::{Gate, Positions};
use crate::replica::Replica;
use crate::scope::{micros, new_id};
use crate::script::backend;
use crate::writer::Writer;
use migrations::{Database, DirectoryMigrator, Engine};
use region_router::Region;
use sea_orm::{ConnectionTrait, Statement};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;

/// The shard that a region's only store is.
const FIRST_SHARD: &str = "0";

/// One store of a region: the only one, or one of its shards.
#[derive(Debug, Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    region: Region,
    shard: String,
    id: String,
    database: Database,
    writer: Option<Writer>,
    recorder: Recorder,
    positions: Positions,
    gate: Gate,
    tasks: TaskTracker,
    replica: OnceLock<Replica>,
    is_closed: AtomicBool,
}

/// A directory that others keep.
pub(crate) struct WeakDirectory(Weak<Inner>);

impl WeakDirectory {
    pub(crate) fn upgrade(&self) -> Option<Directory> {
        self.0.upgrade().map(|inner| Directory { inner })
    }
}

/// How busy a pool of connections is.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    /// Connections open.
    pub size: u32,
    /// Of these, waiting for work.
    pub idle: u32,
}

impl Directory {
    /// Opens the first store of a region; see [`Self::open_shard`].
    ///
    /// # Errors
    /// As [`Self::open_shard`].
    pub async fn open(
        database: Database,
        region: Region,
        tasks: TaskTracker,
        now: OffsetDateTime,
    ) -> Result<Self, DirectoryError> {
        Self::open_shard(database, region, FIRST_SHARD, tasks, now).await
    }

    /// Opens a store of a region: brings its schema up to date and makes sure that it is this region's, and this shard of it.
    ///
    /// # Errors
    /// When the store does not answer, its schema is newer, or it holds another region's or shard's data.
    pub async fn open_shard(
        database: Database,
        region: Region,
        shard: &str,
        tasks: TaskTracker,
        now: OffsetDateTime,
    ) -> Result<Self, DirectoryError> {
        database.migrate::<DirectoryMigrator>().await?;
        let id = claim(&database, (&region, shard), now).await?;
        let writer = match database.engine() {
            Engine::Sqlite => Some(Writer::start(database.writer().clone(), &tasks)),
            Engine::Postgres => None,
        };
        let recorder = Recorder::start(database.clone(), writer.clone(), &tasks);
        Ok(Self {
            inner: Arc::new(Inner {
                region,
                shard: shard.to_owned(),
                id,
                database,
                writer,
                recorder,
                positions: Positions::default(),
                gate: Gate::default(),
                tasks,
                replica: OnceLock::new(),
                is_closed: AtomicBool::new(false),
            }),
        })
    }

    /// The region whose data this store holds.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.inner.region
    }

    /// Which of the region's stores it is.
    #[must_use]
    pub fn shard(&self) -> &str {
        &self.inner.shard
    }

    /// What the store is known by, whatever its address is: given once, and copied with everything else in it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DirectoryError> {
        let statement = Statement::from_string(backend(self.engine()), "SELECT 1");
        let database = &self.inner.database;
        let answer = database.watch(database.reader().query_one_raw(statement)).await;
        answer.inspect_err(|error| database.note(error))?;
        Ok(())
    }

    /// How busy the connections are.
    #[must_use]
    pub fn pool_state(&self) -> PoolState {
        let (size, idle) = match self.engine() {
            Engine::Sqlite => {
                let pool = self.inner.database.reader().get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            Engine::Postgres => {
                let pool = self.inner.database.reader().get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        PoolState { size, idle: u32::try_from(idle).unwrap_or(u32::MAX) }
    }

    /// Writes what is still buffered: decisions of reads, and counts.
    pub async fn flush(&self) {
        self.inner.recorder.flush().await;
    }

    /// Writes what is still buffered and ends the connections.
    ///
    /// # Errors
    /// When the connections cannot be ended.
    pub async fn close(&self) -> Result<(), DirectoryError> {
        self.inner.recorder.flush().await;
        self.inner.is_closed.store(true, Ordering::Release);
        if let Some(replica) = self.replica() {
            replica.close().await?;
        }
        Ok(self.inner.database.close().await?)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.is_closed.load(Ordering::Acquire)
    }

    pub(crate) fn downgrade(&self) -> WeakDirectory {
        WeakDirectory(Arc::downgrade(&self.inner))
    }

    pub(crate) fn replica(&self) -> Option<&Replica> {
        self.inner.replica.get()
    }

    /// Gives the copy of the store; back comes one that is too much.
    pub(crate) fn set_replica(&self, replica: Replica) -> Result<(), Replica> {
        self.inner.replica.set(replica)
    }

    /// The one writer of a file.
    pub(crate) fn writer(&self) -> Option<&Writer> {
        self.inner.writer.as_ref()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.inner.database.engine()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn positions(&self) -> &Positions {
        &self.inner.positions
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// Where work runs that is finished also when whoever asked has gone.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }
}

/// Writes the region and the shard into an empty store, or compares them; the id of the store, which is given to one that has none.
async fn claim(
    database: &Database,
    (region, shard): (&Region, &str),
    now: OffsetDateTime,
) -> Result<String, DirectoryError> {
    let backend = backend(database.engine());
    let statement = Statement::from_sql_and_values(
        backend,
        "INSERT INTO directory_store (region, shard, store_id, created_at) SELECT $1, $2, '', $3
         WHERE NOT EXISTS (SELECT 1 FROM directory_store) ON CONFLICT DO NOTHING",
        [region.as_str().into(), shard.into(), micros(now).into()],
    );
    database.writer().execute_raw(statement).await?;
    let statement = Statement::from_sql_and_values(
        backend,
        "UPDATE directory_store SET store_id = $1 WHERE store_id = ''",
        [new_id(now).into()],
    );
    database.writer().execute_raw(statement).await?;
    let sql = "SELECT region, shard, store_id FROM directory_store";
    let statement = Statement::from_string(backend, sql);
    let mut id = String::new();
    for row in database.writer().query_all_raw(statement).await? {
        let stored: (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if stored.0 != region.as_str() {
            return Err(DirectoryError::WrongRegion(stored.0));
        }
        if stored.1 != shard {
            return Err(DirectoryError::WrongShard(stored.1));
        }
        id = row.try_get_by_index(2)?;
    }
    Ok(id)
}
