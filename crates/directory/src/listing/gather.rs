//! Running the statements of a list: a page's rows until it is full, and the count, both within a limit of cost.
//!
//! What no index serves may have to look at every resource of a tenant. Such reads pass a gate, so that few of them run
//! at once and others' look-ups find a connection, and they end when their time is over. They run as tasks: a client
//! that goes away leaves no connection with half a statement, or with a deadline that is not its own.
//!
//! **Invariant**: a connection goes back to its pool without a deadline.

use super::cost::Cost;
use crate::error::{DirectoryError, expensive};
use crate::scope::Scoped;
use futures_util::{Stream, TryStreamExt};
use migrations::Engine;
use scim_core::SortValue;
use sea_orm::{ConnAcquireErr, DbErr, QueryResult, RuntimeErr, Statement, Value};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, IntoArguments, PgPool, Sqlite, SqlitePool, Type};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

/// How long the statements of one list may run when no index serves them.
const BUDGET: Duration = Duration::from_millis(1_300);
/// How long such a list waits for its turn. With the time to run it stays below two seconds.
const WAIT: Duration = Duration::from_millis(400);
/// How many such lists run at once in a store, and for one tenant.
const AT_ONCE: usize = 2;
const OF_ONE_TENANT: usize = 1;
/// Documents of one page, in bytes: the page ends early, as RFC 7644 §3.4.2.4 lets it.
const PAGE_BYTES: usize = 8 << 20;
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 2_000;

/// A row of a page.
#[derive(Debug)]
pub(crate) struct Line<T> {
    pub(crate) one: T,
    pub(crate) id: String,
    pub(crate) bytes: usize,
    /// Its value in the order of the list.
    pub(crate) value: Option<SortValue>,
}

/// Reads a row.
pub(crate) type Take<T> = Box<dyn Fn(&QueryResult) -> Result<Line<T>, DbErr> + Send + Sync>;

/// The statements of a list.
pub(crate) struct Plan<T> {
    pub(crate) page: Option<Statement>,
    pub(crate) take: Take<T>,
    pub(crate) count: Option<Statement>,
    /// With fewer rows than this in the page nothing is counted.
    pub(crate) counted_from: usize,
}

/// What they gave.
#[derive(Debug)]
pub(crate) struct Gathered<T> {
    pub(crate) lines: Vec<Line<T>>,
    /// Whether the page ended for its size in bytes.
    pub(crate) cut: bool,
    /// `None` when nothing was counted.
    pub(crate) count: Option<u64>,
}

/// Who may read at length, and when.
#[derive(Debug)]
pub(crate) struct Gate {
    store: Arc<Semaphore>,
    tenants: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { store: Arc::new(Semaphore::new(AT_ONCE)), tenants: Mutex::default() }
    }
}

/// The right to one expensive read.
struct Turn {
    _tenant: OwnedSemaphorePermit,
    _store: OwnedSemaphorePermit,
}

impl Gate {
    async fn turn(&self, tenant: &str) -> Option<Turn> {
        let own = self.of(tenant);
        let both = async {
            // A tenant's own queue first: whoever waits there takes no place from others.
            let tenant = own.acquire_owned().await.ok()?;
            let store = Arc::clone(&self.store).acquire_owned().await.ok()?;
            Some(Turn { _tenant: tenant, _store: store })
        };
        tokio::time::timeout(WAIT, both).await.ok().flatten()
    }

    fn of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = tenants.get(tenant).and_then(Weak::upgrade) {
            return own;
        }
        tenants.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(OF_ONE_TENANT));
        tenants.insert(tenant.to_owned(), Arc::downgrade(&own));
        own
    }
}

impl Scoped {
    /// Runs a list's statements.
    pub(crate) async fn gather<T: Send + 'static>(
        &self,
        plan: Plan<T>,
        cost: Cost,
    ) -> Result<Gathered<T>, DirectoryError> {
        if cost == Cost::Little {
            return self.run(&plan, None).await;
        }
        let turn = self.directory().gate().turn(self.key()).await;
        let Some(turn) = turn else { return Err(DirectoryError::Crowded) };
        let scoped = self.clone();
        let work = async move {
            let gathered = scoped.run(&plan, Some(Instant::now() + BUDGET)).await;
            drop(turn);
            gathered
        };
        let task = self.directory().tasks().spawn(work.in_current_span());
        task.await.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string()).into()))
    }

    async fn run<T>(
        &self,
        plan: &Plan<T>,
        until: Option<Instant>,
    ) -> Result<Gathered<T>, DirectoryError> {
        let engine = self.engine();
        let gathered = self.reading(|database| async move {
            let reader = database.reader();
            match engine {
                Engine::Sqlite => on_sqlite(reader.get_sqlite_connection_pool(), plan, until).await,
                Engine::Postgres => {
                    on_postgres(reader.get_postgres_connection_pool(), plan, until).await
                }
            }
        });
        Box::pin(gathered).await.map_err(expensive)
    }
}

async fn on_sqlite<T>(
    pool: &SqlitePool,
    plan: &Plan<T>,
    until: Option<Instant>,
) -> Result<Gathered<T>, DbErr> {
    let mut connection = pool.acquire().await.map_err(not_acquired)?;
    let Some(until) = until else { return sqlite_statements(&mut connection, plan).await };
    connection
        .lock_handle()
        .await
        .map_err(failed)?
        .set_progress_handler(STEPS, move || Instant::now() < until);
    let gathered = sqlite_statements(&mut connection, plan).await;
    let lifted = connection.lock_handle().await.map(|mut handle| handle.remove_progress_handler());
    if lifted.is_err() {
        // Its worker is gone; nobody else is to meet it.
        drop(connection.detach());
    }
    gathered
}

async fn sqlite_statements<T>(
    connection: &mut PoolConnection<Sqlite>,
    plan: &Plan<T>,
) -> Result<Gathered<T>, DbErr> {
    let mut gathered = Gathered { lines: Vec::new(), cut: false, count: None };
    if let Some(page) = &plan.page {
        let rows = bound(page)?.fetch(&mut **connection).map_ok(QueryResult::from);
        fill(rows, &plan.take, &mut gathered).await?;
    }
    if let Some(count) = plan.counting(&gathered) {
        let row = bound(count)?.fetch_one(&mut **connection).await.map_err(failed)?;
        gathered.count = Some(counted(&row.into())?);
    }
    Ok(gathered)
}

async fn on_postgres<T>(
    pool: &PgPool,
    plan: &Plan<T>,
    until: Option<Instant>,
) -> Result<Gathered<T>, DbErr> {
    let Some(until) = until else {
        let mut connection = pool.acquire().await.map_err(not_acquired)?;
        return postgres_statements(&mut connection, plan, None).await;
    };
    // One round trip: the limit is set with the transaction that it is of, and ends with it.
    let begin = format!("BEGIN READ ONLY; {}", limit(until));
    let mut transaction = pool.begin_with(AssertSqlSafe(begin)).await.map_err(not_acquired)?;
    // Dropped, the transaction is rolled back; nothing was written.
    postgres_statements(&mut transaction, plan, Some(until)).await
}

async fn postgres_statements<T>(
    connection: &mut sqlx::PgConnection,
    plan: &Plan<T>,
    until: Option<Instant>,
) -> Result<Gathered<T>, DbErr> {
    let mut gathered = Gathered { lines: Vec::new(), cut: false, count: None };
    if let Some(page) = &plan.page {
        let rows = bound(page)?.fetch(&mut *connection).map_ok(QueryResult::from);
        fill(rows, &plan.take, &mut gathered).await?;
    }
    if let Some(count) = plan.counting(&gathered) {
        if let Some(until) = until.filter(|_| plan.page.is_some()) {
            let limit = sqlx::raw_sql(AssertSqlSafe(limit(until)));
            limit.execute(&mut *connection).await.map_err(failed)?;
        }
        let row = bound(count)?.fetch_one(&mut *connection).await.map_err(failed)?;
        gathered.count = Some(counted(&row.into())?);
    }
    Ok(gathered)
}

/// PostgreSQL's limit of what is left of the time; 0 would be none.
fn limit(until: Instant) -> String {
    let left = until.saturating_duration_since(Instant::now()).as_millis().max(1);
    format!("SET LOCAL statement_timeout = {left}")
}

impl<T> Plan<T> {
    fn counting(&self, gathered: &Gathered<T>) -> Option<&Statement> {
        let needed = gathered.cut || gathered.lines.len() >= self.counted_from;
        self.count.as_ref().filter(|_| needed || self.page.is_none())
    }
}

/// Takes rows until the page is large enough.
async fn fill<T>(
    rows: impl Stream<Item = Result<QueryResult, sqlx::Error>>,
    take: &Take<T>,
    gathered: &mut Gathered<T>,
) -> Result<(), DbErr> {
    let mut rows = pin!(rows);
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let line = take(&row)?;
        bytes += line.bytes;
        if bytes > PAGE_BYTES && !gathered.lines.is_empty() {
            gathered.cut = true;
            return Ok(());
        }
        gathered.lines.push(line);
    }
    Ok(())
}

fn counted(row: &QueryResult) -> Result<u64, DbErr> {
    Ok(u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or_default())
}

/// A statement with its values; lists bind these types.
fn bound<'q, DB>(statement: &'q Statement) -> Result<Query<'q, DB, DB::Arguments>, DbErr>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    Option<String>: Encode<'q, DB> + Type<DB>,
    Option<i64>: Encode<'q, DB> + Type<DB>,
    Option<f64>: Encode<'q, DB> + Type<DB>,
{
    let mut query = sqlx::query(AssertSqlSafe(statement.sql.as_str()));
    for value in statement.values.iter().flat_map(|values| values.0.iter()) {
        query = match value {
            Value::String(text) => query.bind(text.clone()),
            Value::BigInt(number) => query.bind(*number),
            Value::Double(number) => query.bind(*number),
            other => return Err(DbErr::Custom(format!("a list binds no {other:?}"))),
        };
    }
    Ok(query)
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn not_acquired(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(other.into())),
    }
}
