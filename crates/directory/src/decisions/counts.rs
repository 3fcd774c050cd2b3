//! How often which deviation was tolerated, and from whom: counted in memory, and added to the store about once a second.
//!
//! **Invariant**: no operation waits for its counts; what is lost when the process dies is a second's worth.

use crate::scope::{Scoped, instant, micros};
use crate::script::backend;
use crate::writer::Writer;
use crate::{Asked, DirectoryError};
use migrations::{Database, Engine};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// How long counts wait for more.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a tenant's clients of one family deviated in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuirkCount {
    /// The quirk's id, such as `Q-op-case`.
    pub quirk: String,
    /// The client's family, such as `entra`.
    pub client: String,
    /// In how many operations.
    pub count: u64,
    /// The time of the first of them.
    pub first_at: OffsetDateTime,
    /// The time of the last of them.
    pub last_at: OffsetDateTime,
}

/// Quirk and client.
type Key = (&'static str, String);

/// That counts are kept: a tenant that is being moved has been counted, and the second before the freeze is lost as with a
/// process that dies.
const COUNTED: &str = "NOT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $1 AND state IN ('purged', 'moved', 'moving'))";

/// What was counted of one tenant since the last time.
type Counted = BTreeMap<Key, Count>;

#[derive(Debug, Clone, Copy)]
struct Count {
    count: i64,
    first_at: i64,
    last_at: i64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// The counters, and where they are added to.
#[derive(Debug)]
pub(super) struct Counts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    writer: Option<Writer>,
    waiting: Mutex<BTreeMap<String, Counted>>,
    begun: Notify,
    /// Held while counts are written, so that a flush waits for what was taken before it.
    turn: tokio::sync::Mutex<()>,
}

impl Counts {
    /// Starts counting; it ends when the counters are gone.
    pub(super) fn start(database: Database, writer: Option<Writer>, tasks: &TaskTracker) -> Self {
        let shared = Arc::new(Shared {
            database,
            writer,
            waiting: Mutex::default(),
            begun: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
        });
        tasks.spawn(write(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Counts what was met in one operation.
    pub(super) fn count(&self, tenant_id: &str, asked: &Asked) {
        let mut quirks = asked.notes.quirks().peekable();
        if quirks.peek().is_none() {
            return;
        }
        let at = micros(asked.now);
        let one = Count { count: 1, first_at: at, last_at: at };
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = waiting.is_empty();
        let counted = waiting.entry(tenant_id.to_owned()).or_default();
        for quirk in quirks {
            add(counted, (quirk.id(), asked.client.clone()), one);
        }
        drop(waiting);
        if is_first {
            self.shared.begun.notify_one();
        }
    }

    /// Writes all that was counted.
    pub(super) async fn flush(&self) {
        self.shared.write().await;
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        self.shared.begun.notify_one();
    }
}

fn add(counted: &mut Counted, key: Key, more: Count) {
    counted.entry(key).and_modify(|count| count.add(more)).or_insert(more);
}

/// Writes the counts whenever the first has waited for others.
async fn write(shared: Weak<Shared>) {
    loop {
        let Some(held) = shared.upgrade() else { return };
        held.begun.notified().await;
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
        for (tenant, counted) in noted {
            let Err(error) = self.add(&tenant, &counted).await else { continue };
            tracing::warn!(error = %error, tenant.id = tenant, "counts of quirks could not be written; they are kept for the next time");
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let again = waiting.entry(tenant).or_default();
            for (key, count) in counted {
                add(again, key, count);
            }
        }
    }

    /// Adds to the rows of a tenant, in the order of their keys, as every node does.
    async fn add(&self, tenant_id: &str, counted: &Counted) -> Result<(), DbErr> {
        let rows: Vec<serde_json::Value> = counted
            .iter()
            .map(|((quirk, client), c)| {
                serde_json::json!([quirk, client, c.count, c.first_at, c.last_at])
            })
            .collect();
        let values: [Value; 2] =
            [tenant_id.into(), serde_json::Value::Array(rows).to_string().into()];
        let Some(writer) = &self.writer else {
            let sql = format!(
                "INSERT INTO quirk_counts (tenant_id, quirk, client, count, first_at, last_at)
                SELECT $1, r->>0, r->>1, (r->>2)::bigint, (r->>3)::bigint, (r->>4)::bigint
                FROM json_array_elements($2::json) AS rows (r) WHERE {COUNTED}
                ON CONFLICT (tenant_id, quirk, client) DO UPDATE SET count = quirk_counts.count + excluded.count,
                    first_at = least(quirk_counts.first_at, excluded.first_at), last_at = greatest(quirk_counts.last_at, excluded.last_at)"
            );
            let statement = Statement::from_sql_and_values(backend(Engine::Postgres), sql, values);
            self.database.writer().execute_raw(statement).await?;
            return Ok(());
        };
        let sql = "SAVEPOINT step; INSERT INTO quirk_counts (tenant_id, quirk, client, count, first_at, last_at)
            SELECT ?, json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]'), json_extract(r.value, '$[2]'),
                json_extract(r.value, '$[3]'), json_extract(r.value, '$[4]') FROM json_each(?) r
            WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ? AND state IN ('purged', 'moved', 'moving'))
            ON CONFLICT (tenant_id, quirk, client) DO UPDATE SET count = quirk_counts.count + excluded.count,
                first_at = min(quirk_counts.first_at, excluded.first_at), last_at = max(quirk_counts.last_at, excluded.last_at);
            RELEASE step; SELECT 1";
        let [tenant, rows] = values;
        let values = [tenant.clone(), rows, tenant];
        let statement = Statement::from_sql_and_values(backend(Engine::Sqlite), sql, values);
        writer.run(statement).await?;
        Ok(())
    }
}

impl Scoped {
    /// What was tolerated of this tenant's clients, ever; the last second's may still be missing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn quirk_counts(&self) -> Result<Vec<QuirkCount>, DirectoryError> {
        let sql = "SELECT quirk, client, count, first_at, last_at FROM quirk_counts WHERE tenant_id = $1 ORDER BY quirk, client";
        let rows = self.read(sql.to_owned(), Vec::new()).await?;
        rows.iter()
            .map(|row| {
                let count: i64 = row.try_get_by_index(2)?;
                Ok(QuirkCount {
                    quirk: row.try_get_by_index(0)?,
                    client: row.try_get_by_index(1)?,
                    count: u64::try_from(count).unwrap_or_default(),
                    first_at: instant(row.try_get_by_index(3)?),
                    last_at: instant(row.try_get_by_index(4)?),
                })
            })
            .collect()
    }

    /// Counts what was tolerated in an operation that is done.
    pub(crate) fn count_quirks(&self, asked: &Asked) {
        self.directory().recorder().count(self.key(), asked);
    }
}
