//! Committing a write, and what is done when its answer is lost.
//!
//! A failover, a restart or a broken wire may come before a commit, in it, or between it and its answer. Before: nothing was done,
//! and it is done again on another connection. After: its decision is in the store, which is of the same commit, and is looked for.
//!
//! **Invariant**: no commit is cancelled. What may have been done is never done a second time under another decision, and what
//! cannot be known is answered so.

use crate::error::{DirectoryError, Fault};
use crate::scope::Scoped;
use crate::script::Script;
use migrations::Engine;
use sea_orm::{ConnAcquireErr, ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use std::pin::Pin;
use std::time::{Duration, Instant};

/// How often a write that met a deadlock or a serialization failure is tried.
pub(crate) const TRIES: usize = 4;
/// How long something is tried again when nobody has said for how long it is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it takes from the first try to the second; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// How long it takes from one try to the next at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a look at what became of a write may take at least: its time may be over.
const LEAST: Duration = Duration::from_millis(500);

/// What a statement that was committed on its own came to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Committed {
    /// It answered.
    Number(i64),
    /// The answer was lost, and its decision is there.
    Found,
}

/// How often something was tried, and how long it will be.
pub(crate) struct Tries<'a> {
    scoped: &'a Scoped,
    contended: usize,
    pause: Duration,
    until: Instant,
}

impl Scoped {
    /// Nobody waits for the answer any longer than until then.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    pub(crate) fn tries(&self) -> Tries<'_> {
        let until = self.deadline.unwrap_or_else(|| Instant::now() + PATIENCE);
        Tries { scoped: self, contended: 0, pause: FIRST_PAUSE, until }
    }

    /// One try of a transaction of several statements.
    pub(crate) fn attempt<T>(
        &self,
        work: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Pin<Box<impl Future<Output = Result<T, DirectoryError>>>> {
        Box::pin(self.directory().database().watch(work))
    }

    /// Commits a script as a transaction of its own; whether its last step ran.
    ///
    /// A connection lost meanwhile leaves the outcome unknown: then `decision_id`, a row of this very script, is
    /// looked for.
    pub(crate) async fn commit(
        &self,
        script: Script,
        decision_id: &str,
    ) -> Result<bool, DirectoryError> {
        Ok(match self.commit_number(script.statement(), decision_id).await? {
            Committed::Number(number) => number > 0,
            Committed::Found => true,
        })
    }

    /// Commits a statement that answers with a number; see [`Self::commit`].
    pub(crate) async fn commit_number(
        &self,
        statement: Statement,
        decision_id: &str,
    ) -> Result<Committed, DirectoryError> {
        let Some(writer) = self.directory().writer() else {
            return Box::pin(self.commit_postgres(statement, decision_id)).await;
        };
        match writer.run(statement).await {
            Ok(number) => Ok(Committed::Number(number)),
            // Without a connection nothing was sent, so there is nothing to look for.
            Err(error @ DbErr::ConnectionAcquire(_)) => Err(error.into()),
            Err(error) if Fault::of(&error).is_away() => self.look_for(decision_id, error).await,
            Err(error) => Err(error.into()),
        }
    }

    /// One statement, which is its own transaction. The same one again does nothing where the first was committed: its decision
    /// has the same id.
    async fn commit_postgres(
        &self,
        statement: Statement,
        decision_id: &str,
    ) -> Result<Committed, DirectoryError> {
        let database = self.directory().database();
        let mut tries = self.tries();
        let mut is_lost = false;
        loop {
            if is_lost {
                match self.is_decided(decision_id, tries.until).await {
                    Ok(true) => return Ok(Committed::Found),
                    Ok(false) => {}
                    Err(error) if tries.again_after(&error).await => continue,
                    Err(error) => return Err(DirectoryError::Uncertain(error)),
                }
            }
            let row = database.watch(database.writer().query_one_raw(statement.clone())).await;
            let number = row.and_then(|row| row.map_or(Ok(0), |row| row.try_get_by_index(0)));
            let error = match number {
                // The lost one may have been at work until now.
                Ok(0) if is_lost => {
                    let found = self.is_decided(decision_id, tries.until).await;
                    let found = found.map_err(DirectoryError::Uncertain)?;
                    return Ok(if found { Committed::Found } else { Committed::Number(0) });
                }
                Ok(number) => return Ok(Committed::Number(number)),
                Err(error) => error,
            };
            match Fault::of(&error) {
                Fault::Taken if is_lost => return self.look_for(decision_id, error).await,
                fault => {
                    is_lost |= fault == Fault::Lost;
                    if tries.again_after(&error).await {
                        continue;
                    }
                    return Err(if is_lost {
                        DirectoryError::Uncertain(error)
                    } else {
                        error.into()
                    });
                }
            }
        }
    }

    /// Commits a transaction of several statements. As with [`Self::commit`], a connection lost meanwhile leaves the
    /// outcome unknown, and the decision is looked for.
    pub(crate) async fn conclude(
        &self,
        transaction: DatabaseTransaction,
        decision_id: &str,
    ) -> Result<(), DirectoryError> {
        let Err(error) = transaction.commit().await else { return Ok(()) };
        match (Fault::of(&error), self.engine()) {
            (fault, Engine::Sqlite) if fault.is_away() => {
                self.look_for(decision_id, error).await.map(drop)
            }
            (Fault::Lost, Engine::Postgres) => self.look_long_for(decision_id, error).await,
            _ => Err(error.into()),
        }
    }

    /// What an error comes to whose write may have been committed.
    async fn look_for(&self, decision_id: &str, error: DbErr) -> Result<Committed, DirectoryError> {
        match self.is_decided(decision_id, self.tries().until).await {
            Ok(true) => Ok(Committed::Found),
            Ok(false) => Err(error.into()),
            // The one writer of a file was asked, and says that it did not commit.
            Err(_) if self.engine() == Engine::Sqlite => Err(error.into()),
            Err(_) => Err(DirectoryError::Uncertain(error)),
        }
    }

    /// Looks for a decision until the store says something. That it is not there does not say that it will not be: the
    /// server may be waiting for its standby.
    async fn look_long_for(&self, decision_id: &str, lost: DbErr) -> Result<(), DirectoryError> {
        self.directory().database().note(&lost);
        let mut tries = self.tries();
        loop {
            match self.is_decided(decision_id, tries.until).await {
                Ok(true) => return Ok(()),
                Err(error) if tries.again_after(&error).await => {}
                Ok(false) | Err(_) => return Err(DirectoryError::Uncertain(lost)),
            }
        }
    }

    /// Whether a decision is in the store, which tells of the commit that held it.
    ///
    /// On PostgreSQL the row is locked to be seen. A standby refuses that; and where commits wait for a standby, so does this
    /// one, so that what it finds will survive the server. A row that is only read may be one that no standby has.
    async fn is_decided(&self, decision_id: &str, until: Instant) -> Result<bool, DbErr> {
        let lock = self.row_lock();
        let sql = format!("SELECT 1 FROM decisions WHERE tenant_id = $1 AND id = $2{lock}");
        let statement = self.statement(sql, vec![decision_id.into()]);
        let database = self.directory().database();
        let pool = match self.engine() {
            Engine::Sqlite => database.reader(),
            Engine::Postgres => database.writer(),
        };
        let found = database.watch(pool.query_one_raw(statement));
        let patience = until.saturating_duration_since(Instant::now()).max(LEAST);
        match tokio::time::timeout(patience, found).await {
            Ok(found) => Ok(found?.is_some()),
            Err(_elapsed) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}

impl Tries<'_> {
    /// Whether what ended so is to be done again, from its beginning: nothing was done. Waits until then.
    pub(crate) async fn again(&mut self, error: &DirectoryError) -> bool {
        match error {
            DirectoryError::Contended => self.contends(),
            DirectoryError::Unavailable(source) => self.again_after(source).await,
            _ => false,
        }
    }

    /// The same for an error of the database.
    pub(crate) async fn again_after(&mut self, error: &DbErr) -> bool {
        self.scoped.directory().database().note(error);
        match Fault::of(error) {
            Fault::Conflict => self.contends(),
            // A file has no other connection to try.
            Fault::Refused | Fault::Lost if self.scoped.engine() == Engine::Postgres => {
                self.waits().await
            }
            Fault::Refused
            | Fault::Lost
            | Fault::Taken
            | Fault::Timeout
            | Fault::Unavailable
            | Fault::Other => false,
        }
    }

    fn contends(&mut self) -> bool {
        self.contended += 1;
        self.contended < TRIES
    }

    async fn waits(&mut self) -> bool {
        if Instant::now() + self.pause >= self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
