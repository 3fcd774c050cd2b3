//! The decisions of reads: buffered, and written together, a tenant at a time.

use super::COLUMNS;
use crate::script::backend;
use crate::writer::Writer;
use migrations::{Database, Engine};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// How long a read's decision may wait for others.
const PATIENCE: Duration = Duration::from_millis(200);
/// Decisions that may wait; more are dropped, counted and logged.
const CAPACITY: usize = 16_384;
/// Rows in one statement: 20 values each, under the 65 535 of PostgreSQL and the 32 766 of SQLite.
const ROWS: usize = 250;

enum Note {
    Row(String, Vec<Value>),
    Flush(oneshot::Sender<()>),
}

/// The way to the buffer.
#[derive(Clone)]
pub(crate) struct Recorder {
    notes: mpsc::Sender<Note>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Starts the buffer; it ends when all its handles are gone.
    pub(crate) fn start(database: Database, writer: Option<Writer>, tasks: &TaskTracker) -> Self {
        let (notes, queue) = mpsc::channel(CAPACITY);
        tasks.spawn(record(database, writer, queue));
        Self { notes }
    }

    /// Notes one row.
    pub(crate) fn note(&self, tenant_id: &str, values: Vec<Value>) {
        if self.notes.try_send(Note::Row(tenant_id.to_owned(), values)).is_err() {
            metrics::counter!("scim_decisions_dropped_total").increment(1);
            tracing::warn!("the decision of a read was dropped: too many wait to be written");
        }
    }

    /// Waits until all that was noted is written.
    pub(crate) async fn flush(&self) {
        let (done, waiting) = oneshot::channel();
        if self.notes.send(Note::Flush(done)).await.is_ok() {
            drop(waiting.await);
        }
    }
}

async fn record(database: Database, writer: Option<Writer>, mut queue: mpsc::Receiver<Note>) {
    let mut waiting: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
    let mut open = true;
    while open {
        let mut flushed = None;
        match queue.recv().await {
            None => break,
            Some(Note::Flush(done)) => flushed = Some(done),
            Some(Note::Row(tenant, row)) => {
                waiting.entry(tenant).or_default().push(row);
                let deadline = tokio::time::Instant::now() + PATIENCE;
                let mut rows = 1;
                while rows < ROWS {
                    match tokio::time::timeout_at(deadline, queue.recv()).await {
                        Ok(Some(Note::Row(tenant, row))) => {
                            waiting.entry(tenant).or_default().push(row);
                            rows += 1;
                        }
                        Ok(Some(Note::Flush(done))) => {
                            flushed = Some(done);
                            break;
                        }
                        Ok(None) => {
                            open = false;
                            break;
                        }
                        Err(_elapsed) => break,
                    }
                }
            }
        }
        for (tenant, rows) in std::mem::take(&mut waiting) {
            if let Err(error) = insert(&database, writer.as_ref(), &tenant, rows).await {
                tracing::error!(error = %error, tenant.id = tenant, "decisions of reads could not be written");
            }
        }
        if let Some(done) = flushed {
            // Whoever waited may have gone; what was waited for is done.
            done.send(()).ok();
        }
    }
}

async fn insert(
    database: &Database,
    writer: Option<&Writer>,
    tenant_id: &str,
    rows: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    let mut values: Vec<Value> = vec![tenant_id.into()];
    let mut tuples = Vec::with_capacity(rows.len());
    for row in rows {
        let first = values.len() + 1;
        let places: Vec<String> = (first..first + row.len()).map(|n| format!("${n}")).collect();
        tuples.push(format!("($1, {})", places.join(", ")));
        values.extend(row);
    }
    let insert = format!("INSERT INTO decisions ({COLUMNS}) VALUES {}", tuples.join(", "));
    if let Some(writer) = writer {
        let sql = format!("SAVEPOINT step; {insert}; RELEASE step; SELECT changes() > 0");
        let statement = Statement::from_sql_and_values(backend(Engine::Sqlite), sql, values);
        writer.run(statement).await?;
    } else {
        let statement = Statement::from_sql_and_values(backend(Engine::Postgres), insert, values);
        database.writer().execute_raw(statement).await?;
    }
    Ok(())
}
