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
/// Rows that are written together, at most.
const ROWS: usize = 500;
/// Rows in one statement of SQLite: texts of a few sizes only, since each is prepared once and kept.
const FEW: usize = 25;
/// The columns of a decision as PostgreSQL reads them from JSON, in the order of [`COLUMNS`] after the tenant.
const RECORD: &str = "id text, at bigint, operation text, outcome text, reason text, status bigint, resource_type text, resource_id text, \
     subject text, subject_key text, attribute text, detail text, changed text, ignored text, quirks text, request_id text, \
     trace_id text, client text, key_id text, duration_us bigint";

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
    let Some(writer) = writer else {
        let values: [Value; 2] = [tenant_id.into(), json(rows).into()];
        // One text to bind and to read, instead of thousands of values.
        let sql = format!(
            "INSERT INTO decisions ({COLUMNS}) SELECT $1, r.* FROM json_to_recordset($2::json) AS r({RECORD})"
        );
        let statement = Statement::from_sql_and_values(backend(Engine::Postgres), sql, values);
        database.writer().execute_raw(statement).await?;
        return Ok(());
    };
    let mut answers = Vec::with_capacity(rows.len() / FEW + 1);
    for few in rows.chunks(FEW) {
        // Places without a number, since SQLite finds a numbered one by its name.
        let places = vec!["?"; COLUMNS.split(',').count()].join(", ");
        let tuples = vec![format!("({places})"); few.len()].join(", ");
        let sql = format!(
            "SAVEPOINT step; INSERT INTO decisions ({COLUMNS}) VALUES {tuples}; RELEASE step; SELECT changes() > 0"
        );
        let mut values: Vec<Value> = Vec::with_capacity(few.len() * 21);
        for row in few {
            values.push(tenant_id.into());
            values.extend(row.iter().cloned());
        }
        let statement = Statement::from_sql_and_values(backend(Engine::Sqlite), sql, values);
        answers.push(writer.queue(statement).await?);
    }
    for answer in answers {
        // An answer that does not come is that of a writer that has ended, and says so in the log.
        answer.await.unwrap_or(Ok(false))?;
    }
    Ok(())
}

/// The rows as a JSON list of objects, by the names of the columns.
fn json(rows: Vec<Vec<Value>>) -> String {
    let names: Vec<&str> = COLUMNS.split(',').skip(1).map(str::trim).collect();
    let rows: Vec<serde_json::Value> = rows
        .into_iter()
        .map(|row| {
            names
                .iter()
                .zip(row)
                .map(|(name, value)| ((*name).to_owned(), plain(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    serde_json::Value::Array(rows).to_string()
}

fn plain(value: Value) -> serde_json::Value {
    match value {
        Value::String(Some(text)) => text.into(),
        Value::BigInt(Some(number)) => number.into(),
        // A decision has texts and numbers only.
        _ => serde_json::Value::Null,
    }
}
