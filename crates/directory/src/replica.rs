//! A copy of the store that is read where a moment ago is good enough.
//!
//! Whether it is a moment ago is measured by the primary's log: where it was at some time, and whether the copy has come that far.
//! The times in the log itself say nothing while nothing is written, and nothing when the copy hears nothing.
//!
//! **Invariant**: a copy that is further behind than [`BEHIND`], that does not say, that is another store's, or that fails, is not
//! read.

use crate::error::DirectoryError;
use crate::scope::Scoped;
use crate::script::backend;
use crate::store::Directory;
use migrations::{Database, Engine};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How far behind the primary the copy may be.
const BEHIND: Duration = Duration::from_secs(30);
/// How often that is measured.
const EVERY: Duration = Duration::from_secs(5);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which store it is: its region and shard, and the cluster that its data began in.
const WHOSE: &str = "SELECT (SELECT region || '/' || shard FROM directory_store LIMIT 1) || ' ' || system_identifier FROM pg_control_system()";

/// A copy of the store.
#[derive(Debug)]
pub(crate) struct Replica {
    database: Database,
    is_usable: AtomicBool,
}

impl Replica {
    /// The copy, where it is not far behind.
    pub(crate) fn usable(&self) -> Option<&Database> {
        self.is_usable.load(Ordering::Acquire).then_some(&self.database)
    }

    /// It failed: it is not read until it was measured again.
    pub(crate) fn failed(&self, error: &DbErr) {
        self.database.note(error);
        self.is_usable.store(false, Ordering::Release);
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        self.database.close().await
    }

    fn found(&self, is_usable: bool) {
        if self.is_usable.swap(is_usable, Ordering::AcqRel) != is_usable {
            if is_usable {
                tracing::info!("the copy of a store is read from");
            } else {
                tracing::warn!("the copy of a store is behind or away; the store itself is read");
            }
        }
    }
}

impl Directory {
    /// Reads from a copy where a moment ago is good enough ([`Scoped::lately`]). Once; a second copy is closed and not used.
    ///
    /// # Errors
    /// When the second one cannot be closed.
    pub async fn read_from(&self, replica: Database) -> Result<(), DirectoryError> {
        let replica = Replica { database: replica, is_usable: AtomicBool::new(false) };
        let Err(second) = self.set_replica(replica) else {
            let directory = self.downgrade();
            self.tasks().spawn(async move {
                let mut marks = VecDeque::new();
                loop {
                    let Some(held) = directory.upgrade() else { return };
                    if held.is_closed() {
                        return;
                    }
                    held.measure(&mut marks).await;
                    drop(held);
                    tokio::time::sleep(EVERY).await;
                }
            });
            return Ok(());
        };
        Ok(second.close().await?)
    }

    /// Whether there is a copy, and whether it is read from.
    #[must_use]
    pub fn replica_in_use(&self) -> Option<bool> {
        self.replica().map(|replica| replica.usable().is_some())
    }

    async fn measure(&self, marks: &mut VecDeque<(Instant, String)>) {
        let Some(replica) = self.replica() else { return };
        let now = Instant::now();
        let primary = at(self.database(), "SELECT pg_current_wal_lsn()::text").await;
        marks.retain(|(seen, _)| now.duration_since(*seen) <= BEHIND);
        if let Some(place) = primary {
            marks.push_back((now, place));
        }
        // The oldest that still counts: has the copy come as far?
        let Some((_, oldest)) = marks.front() else { return replica.found(false) };
        let reached = format!(
            "SELECT (pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '{oldest}'::pg_lsn)::text"
        );
        let reached = at(&replica.database, &reached).await.is_some_and(|said| said == "true");
        // A position says nothing of which store it is in: that of another region may be further.
        let whose = at(&replica.database, WHOSE).await;
        let is_ours = whose.is_some() && whose == at(self.database(), WHOSE).await;
        replica.found(reached && is_ours);
    }
}

async fn at(database: &Database, sql: &str) -> Option<String> {
    let statement = Statement::from_string(backend(Engine::Postgres), sql);
    let row = database.watch(database.reader().query_one_raw(statement));
    match tokio::time::timeout(PATIENCE, row).await {
        Ok(Ok(row)) => row?.try_get_by_index::<Option<String>>(0).ok().flatten(),
        Ok(Err(error)) => {
            database.note(&error);
            None
        }
        Err(_elapsed) => None,
    }
}

impl Scoped {
    /// The same view, of which a moment ago is good enough: it is read from a copy of the store where there is one that is not far
    /// behind. Not for what a client has just written, and not for anything that is decided by it.
    #[must_use]
    pub fn lately(mut self) -> Self {
        self.is_lax = true;
        self
    }

    /// The copy, where it may be read.
    pub(crate) fn copy(&self) -> Option<&Replica> {
        self.directory().replica().filter(|replica| self.is_lax && replica.usable().is_some())
    }
}
