//! SQLite: one connection that writes, and writes that wait at the same time share its commit.

use super::{BY_ID, BY_NAME, PAGE, PAGE_AFTER, TENANT, Write};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};

/// Writes of one commit, at most.
const BATCH: usize = 256;

const CREATE: &str =
    "INSERT INTO users (tenant_id, id, user_name_key, doc, active, version, updated_at)
    VALUES ($1, $2, $3, $4, 1, 1, 0);
    INSERT INTO outbox (tenant_id, id, resource_id, seq) VALUES ($1, $5, $2, 1)";
const UPDATE: &str =
    "UPDATE users SET doc = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2;
    INSERT INTO outbox (tenant_id, id, resource_id, seq)
    SELECT $1, $4, id, version FROM users WHERE tenant_id = $1 AND id = $2";
const ADD: &str = "UPDATE groups SET version = version + 1 WHERE tenant_id = $1 AND id = $2;
    INSERT INTO members (tenant_id, group_id, member_id) SELECT $1, $2, value FROM json_each($3) WHERE TRUE
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox (tenant_id, id, resource_id, seq)
    SELECT $1, $4, id, version FROM groups WHERE tenant_id = $1 AND id = $2";
const REMOVE: &str = "UPDATE groups SET version = version + 1 WHERE tenant_id = $1 AND id = $2;
    DELETE FROM members WHERE tenant_id = $1 AND group_id = $2 AND member_id = $3;
    INSERT INTO outbox (tenant_id, id, resource_id, seq)
    SELECT $1, $4, id, version FROM groups WHERE tenant_id = $1 AND id = $2";

/// The connections of one worker.
pub(super) struct Store {
    readers: SqlitePool,
    writer: Writer,
}

impl Store {
    pub(super) async fn open(url: &str, writer: Writer) -> anyhow::Result<Self> {
        let options = options(url.trim_start_matches("sqlite:")).read_only(true);
        let readers = SqlitePoolOptions::new()
            .max_connections(2)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { readers, writer })
    }

    pub(super) async fn read(&self, sql: &'static str, key: &str) -> anyhow::Result<Vec<String>> {
        let query = sqlx::query_scalar(match sql {
            BY_NAME => BY_NAME,
            BY_ID => BY_ID,
            _ => PAGE_AFTER,
        });
        let query = query.bind(TENANT).bind(key);
        let query = if sql == PAGE_AFTER { query.bind(PAGE) } else { query };
        Ok(query.fetch_all(&self.readers).await?)
    }

    pub(super) async fn write(&self, write: Write) -> anyhow::Result<()> {
        let (reply, answer) = oneshot::channel();
        self.writer.jobs.send((write, reply)).await?;
        Ok(answer.await??)
    }
}

type Job = (Write, oneshot::Sender<Result<(), sqlx::Error>>);

/// The way to the one connection that writes.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) async fn start(path: &str) -> anyhow::Result<Self> {
        let connection = options(path).connect().await?;
        let (jobs, queue) = mpsc::channel(4096);
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends with its queue, and nobody drains the yardstick"
        )]
        actix_web::rt::spawn(write(connection, queue));
        Ok(Self { jobs })
    }
}

fn options(path: &str) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

async fn write(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let (writes, replies): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let outcome = batch(&mut connection, writes).await;
        let text = outcome.err().map(|error| error.to_string());
        for reply in replies {
            let result = text.clone().map_or(Ok(()), |text| Err(sqlx::Error::Protocol(text)));
            // Whoever asked may have gone.
            reply.send(result).ok();
        }
    }
}

/// All or none: the load is chosen so that no write of the yardstick fails.
async fn batch(connection: &mut SqliteConnection, writes: Vec<Write>) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for write in writes {
        let event = super::new_id();
        let query = match write {
            Write::Create { id, name, doc } => {
                sqlx::query(CREATE).bind(TENANT).bind(id).bind(name).bind(doc).bind(event)
            }
            Write::Update { id, doc } => {
                sqlx::query(UPDATE).bind(TENANT).bind(id).bind(doc).bind(event)
            }
            Write::Add { group, members } => {
                let members = serde_json::Value::from(members).to_string();
                sqlx::query(ADD).bind(TENANT).bind(group).bind(members).bind(event)
            }
            Write::Remove { group, member } => {
                sqlx::query(REMOVE).bind(TENANT).bind(group).bind(member).bind(event)
            }
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
