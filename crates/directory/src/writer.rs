//! The one writer of a SQLite file: writes that wait at the same time share a commit.
//!
//! A write that comes while a commit is being synced waits for the next one, together with all others that came
//! meanwhile. Each is a savepoint of its own: one that fails takes nothing of the others with it.
//!
//! **Invariant**: a write is answered after the commit that holds it, and a commit that was begun is finished, whoever
//! waits for it.

use crate::script::backend;
use migrations::Engine;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// Writes that may share one commit, at most.
const BATCH: usize = 256;
/// Writes that may wait, at most; more are told that the store is busy.
const QUEUE: usize = 4096;

struct Job {
    statement: Statement,
    reply: oneshot::Sender<Result<i64, DbErr>>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    /// Starts the writer; it ends when all its handles are gone.
    pub(crate) fn start(database: DatabaseConnection, tasks: &TaskTracker) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tasks.spawn(write(database, queue));
        Self { jobs }
    }

    /// Runs a script in the next commit; the number that it answers with, which is 0 when it did nothing.
    pub(crate) async fn run(&self, statement: Statement) -> Result<i64, DbErr> {
        self.queue(statement).await?.await.map_err(|_closed| gone())?
    }

    /// Puts a script into the next commit, and gives the way to its answer.
    pub(crate) async fn queue(
        &self,
        statement: Statement,
    ) -> Result<oneshot::Receiver<Result<i64, DbErr>>, DbErr> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { statement, reply }).await.map_err(|_closed| gone())?;
        Ok(answer)
    }
}

fn gone() -> DbErr {
    DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::ConnectionClosed)
}

async fn write(database: DatabaseConnection, mut queue: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let outcome = batch(&database, &mut waiting).await;
        for (job, result) in waiting.drain(..).zip(outcome) {
            // Whoever asked may have gone: the write stands all the same.
            drop(job.reply.send(result));
        }
    }
}

async fn batch(database: &DatabaseConnection, jobs: &mut [Job]) -> Vec<Result<i64, DbErr>> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let transaction = match database.begin_with_options(options).await {
        Ok(transaction) => transaction,
        Err(error) => return jobs.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        let empty = Statement::from_string(backend(Engine::Sqlite), String::new());
        let statement = std::mem::replace(&mut job.statement, empty);
        match one(&transaction, statement).await {
            Ok(result) => results.push(result),
            // The whole transaction is gone: what would run now would be committed alone, and answered as failed.
            Err(error) => return jobs.iter().map(|_| Err(error.clone())).collect(),
        }
    }
    match transaction.commit().await {
        Ok(()) => results,
        Err(error) => jobs.iter().map(|_| Err(error.clone())).collect(),
    }
}

/// Runs one script in a savepoint of its own.
///
/// # Errors
/// When the savepoint cannot be gone back to, so that the transaction itself is lost.
async fn one(
    transaction: &DatabaseTransaction,
    statement: Statement,
) -> Result<Result<i64, DbErr>, DbErr> {
    let answer = transaction.query_one_raw(statement).await;
    match answer {
        Ok(row) => Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))),
        Err(error) => {
            transaction.execute_unprepared("ROLLBACK TO step; RELEASE step").await?;
            Ok(Err(error))
        }
    }
}
