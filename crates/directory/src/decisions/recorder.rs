//! The decisions of reads: buffered, and written together, a tenant at a time.

use super::counts::Counts;
use super::{Asked, COLUMNS, NOT_PURGED};
use crate::script::backend;
use crate::writer::Writer;
use migrations::{Database, Engine};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// How long a read's decision may wait for others.
const PATIENCE: Duration = Duration::from_millis(150);
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
    /// Told when the first decision of a batch comes, and when no more will come: one wake-up a batch, not one a read.
    begun: Notify,
    /// Held while the buffer is written, so that a flush waits for what was taken before it.
    turn: tokio::sync::Mutex<()>,
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
        held.write().await;
        if last {
            return;
        }
    }
}

impl Shared {
    async fn write(&self) {
        let _turn = self.turn.lock().await;
        let noted = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        let mut by_tenant: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
        for (tenant, row) in noted {
            by_tenant.entry(tenant).or_default().push(row);
        }
        for (tenant, mut rows) in by_tenant {
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(ROWS));
                let some = std::mem::replace(&mut rows, rest);
                let (database, writer) = (&self.database, self.writer.as_ref());
                let count = some.len() as u64;
                if let Err(error) = insert(database, writer, &tenant, some).await {
                    metrics::counter!("scim_decisions_dropped_total").increment(count);
                    tracing::error!(error = %error, tenant.id = tenant, rows = count, "decisions of reads could not be written");
                }
            }
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
            "INSERT INTO decisions ({COLUMNS}) SELECT $1, r.* FROM json_to_recordset($2::json) AS r({RECORD}) WHERE {NOT_PURGED}"
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
            "SAVEPOINT step; INSERT INTO decisions ({COLUMNS}) SELECT * FROM (VALUES {tuples})
             WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ? AND state = 'purged'); RELEASE step; SELECT changes() > 0"
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
