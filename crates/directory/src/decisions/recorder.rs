//! The decisions of reads: buffered, and written together, a tenant at a time.

use super::counts::Counts;
use super::{Asked, COLUMNS, NOT_PURGED};
use crate::error::Fault;
use crate::script::backend;
use crate::writer::Writer;
use migrations::{Database, Engine};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// How long a read's decision may wait for others.
const PATIENCE: Duration = Duration::from_millis(150);
/// How long it takes until what could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Decisions that may wait; more are dropped, counted and logged.
const CAPACITY: usize = 32_768;
/// Rows that are written together, at most.
const ROWS: usize = 500;
/// Rows in one statement of SQLite: texts of a few sizes only, since each is prepared once and kept.
const FEW: usize = 25;
/// The columns of a decision as PostgreSQL reads them from JSON, in the order of [`COLUMNS`] after the tenant.
const RECORD: &str = "id text, at bigint, operation text, outcome text, reason text, status bigint, resource_type text, resource_id text, \
     subject text, subject_key text, attribute text, detail text, changed text, ignored text, quirks text, request_id text, \
     trace_id text, client text, key_id text, duration_us bigint";

/// The buffer, and where it is written to.
#[derive(Debug)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    counts: Counts,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    writer: Option<Writer>,
    waiting: Mutex<Vec<(String, Vec<Value>)>>,
    /// What could not be written while the server was away.
    kept: Mutex<Vec<Batch>>,
    /// Told when the first decision of a batch comes, and when no more will come: one wake-up a batch, not one a read.
    begun: Notify,
    /// Held while the buffer is written, so that a flush waits for what was taken before it.
    turn: tokio::sync::Mutex<()>,
}

/// Rows of a tenant that one statement writes.
#[derive(Debug)]
struct Batch {
    tenant: String,
    count: usize,
    /// As JSON.
    rows: String,
}

impl Recorder {
    /// Starts the buffer; it ends when the recorder is gone.
    pub(crate) fn start(database: Database, writer: Option<Writer>, tasks: &TaskTracker) -> Self {
        let counts = Counts::start(database.clone(), writer.clone(), tasks);
        let waiting = Mutex::default();
        let shared = Arc::new(Shared {
            database,
            writer,
            waiting,
            kept: Mutex::default(),
            begun: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
        });
        tasks.spawn(record(Arc::downgrade(&shared)));
        Self { shared, counts }
    }

    /// Counts the quirks of one operation.
    pub(super) fn count(&self, tenant_id: &str, asked: &Asked) {
        self.counts.count(tenant_id, asked);
    }

    /// Notes one row.
    pub(crate) fn note(&self, tenant_id: &str, values: Vec<Value>) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= CAPACITY {
            drop(waiting);
            metrics::counter!("scim_decisions_dropped_total").increment(1);
            tracing::warn!("the decision of a read was dropped: too many wait to be written");
            return;
        }
        waiting.push((tenant_id.to_owned(), values));
        if waiting.len() == 1 {
            self.shared.begun.notify_one();
        }
    }

    /// Writes all that was noted.
    pub(crate) async fn flush(&self) {
        self.shared.write().await;
        self.counts.flush().await;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.begun.notify_one();
    }
}

/// Writes the buffer whenever its first decision has waited for others.
async fn record(shared: Weak<Shared>) {
    loop {
        // The waiting is for the notice alone: whoever holds the recorder decides how long it lives.
        let Some(held) = shared.upgrade() else { return };
        let notice = held.begun.notified();
        notice.await;
        let last = Arc::strong_count(&held) == 1;
        if !last {
            tokio::time::sleep(PATIENCE).await;
        }
        let is_kept = held.write().await;
        if last {
            return;
        }
        if is_kept {
            tokio::time::sleep(PAUSE).await;
            held.begun.notify_one();
        }
    }
}

impl Shared {
    /// Writes all that waits; whether something is kept for the next time.
    async fn write(&self) -> bool {
        let _turn = self.turn.lock().await;
        let noted = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        let mut by_tenant: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
        for (tenant, row) in noted {
            by_tenant.entry(tenant).or_default().push(row);
        }
        let Some(writer) = &self.writer else { return self.write_postgres(by_tenant).await };
        for (tenant, rows) in by_tenant {
            let count = rows.len();
            if let Err(error) = insert_sqlite(writer, &tenant, rows).await {
                drop_rows(&tenant, count, &error);
            }
        }
        false
    }

    async fn write_postgres(&self, by_tenant: BTreeMap<String, Vec<Vec<Value>>>) -> bool {
        let mut batches = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *kept)
        };
        for (tenant, mut rows) in by_tenant {
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(ROWS));
                let some = std::mem::replace(&mut rows, rest);
                let (tenant, count) = (tenant.clone(), some.len());
                batches.push(Batch { tenant, count, rows: json(some) });
            }
        }
        let mut away: Vec<Batch> = Vec::new();
        let mut room = CAPACITY;
        for batch in batches {
            // The store is not asked again for each of them when it is away.
            if away.is_empty() {
                match insert_postgres(&self.database, &batch).await {
                    Ok(()) => continue,
                    Err(error) if Fault::of(&error).is_away() => {
                        self.database.note(&error);
                        tracing::warn!(error = %error, "decisions of reads could not be written; they are kept for the next time");
                    }
                    Err(error) => {
                        drop_rows(&batch.tenant, batch.count, &error);
                        continue;
                    }
                }
            }
            match room.checked_sub(batch.count) {
                Some(less) => {
                    room = less;
                    away.push(batch);
                }
                None => drop_rows(&batch.tenant, batch.count, &"too many are kept already"),
            }
        }
        let is_kept = !away.is_empty();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = away;
        is_kept
    }
}

fn drop_rows(tenant_id: &str, rows: usize, error: &dyn Display) {
    metrics::counter!("scim_decisions_dropped_total").increment(rows as u64);
    tracing::error!(error = %error, tenant.id = tenant_id, rows, "decisions of reads could not be written");
}

async fn insert_postgres(database: &Database, batch: &Batch) -> Result<(), DbErr> {
    let values: [Value; 2] = [batch.tenant.as_str().into(), batch.rows.as_str().into()];
    // One text to bind and to read, instead of thousands of values. What is there was written by a try whose answer was lost.
    let sql = format!(
        "INSERT INTO decisions ({COLUMNS}) SELECT $1, r.* FROM json_to_recordset($2::json) AS r({RECORD}) WHERE {NOT_PURGED}
         ON CONFLICT (tenant_id, id) DO NOTHING"
    );
    let statement = Statement::from_sql_and_values(backend(Engine::Postgres), sql, values);
    database.watch(database.writer().execute_raw(statement)).await?;
    Ok(())
}

async fn insert_sqlite(
    writer: &Writer,
    tenant_id: &str,
    rows: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    let mut answers = Vec::with_capacity(rows.len() / FEW + 1);
    for few in rows.chunks(FEW) {
        // Places without a number, since SQLite finds a numbered one by its name.
        let places = vec!["?"; COLUMNS.split(',').count()].join(", ");
        let tuples = vec![format!("({places})"); few.len()].join(", ");
        let sql = format!(
            "SAVEPOINT step; INSERT INTO decisions ({COLUMNS}) SELECT * FROM (VALUES {tuples})
             WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ? AND state IN ('purged', 'moved')); RELEASE step; SELECT changes() > 0"
        );
        let mut values: Vec<Value> = Vec::with_capacity(few.len() * 21 + 1);
        for row in few {
            values.push(tenant_id.into());
            values.extend(row.iter().cloned());
        }
        values.push(tenant_id.into());
        let statement = Statement::from_sql_and_values(backend(Engine::Sqlite), sql, values);
        answers.push(writer.queue(statement).await?);
    }
    for answer in answers {
        // An answer that does not come is that of a writer that has ended, and says so in the log.
        answer.await.unwrap_or(Ok(0))?;
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
