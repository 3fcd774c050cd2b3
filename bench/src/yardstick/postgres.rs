//! PostgreSQL without a layer above its driver: prepared statements, one statement a write.

use super::{BY_ID, BY_NAME, PAGE, PAGE_AFTER, TENANT, Write};
use anyhow::{Context as _, ensure};
use std::cell::RefCell;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Statement};

const CREATE: &str = "WITH main AS (
    INSERT INTO users (tenant_id, id, user_name_key, doc, active, version, updated_at)
    VALUES ($1, $2, $3, $4, 1, 1, 0) RETURNING id)
    INSERT INTO outbox (tenant_id, id, resource_id, seq) SELECT $1, $5, id, 1 FROM main";
const UPDATE: &str = "WITH main AS (
    UPDATE users SET doc = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING id, version)
    INSERT INTO outbox (tenant_id, id, resource_id, seq) SELECT $1, $4, id, version FROM main";
const ADD: &str = "WITH main AS (
    UPDATE groups SET version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING id, version),
    added AS (INSERT INTO members (tenant_id, group_id, member_id)
        SELECT $1, main.id, m.id FROM main, unnest($3::text[]) AS m (id) ON CONFLICT DO NOTHING)
    INSERT INTO outbox (tenant_id, id, resource_id, seq) SELECT $1, $4, id, version FROM main";
const REMOVE: &str = "WITH main AS (
    UPDATE groups SET version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING id, version),
    removed AS (DELETE FROM members m USING main
        WHERE m.tenant_id = $1 AND m.group_id = main.id AND m.member_id = $3)
    INSERT INTO outbox (tenant_id, id, resource_id, seq) SELECT $1, $4, id, version FROM main";

struct Connection {
    client: Client,
    by_name: Statement,
    by_id: Statement,
    page: Statement,
    create: Statement,
    update: Statement,
    add: Statement,
    remove: Statement,
}

/// The connections of one worker, which is one thread.
pub(super) struct Store {
    free: RefCell<Vec<Connection>>,
    permits: Semaphore,
}

impl Store {
    pub(super) async fn open(url: &str, connections: usize) -> anyhow::Result<Self> {
        let mut free = Vec::with_capacity(connections);
        for _ in 0..connections {
            free.push(connect(url).await?);
        }
        Ok(Self { free: RefCell::new(free), permits: Semaphore::new(connections) })
    }

    pub(super) async fn read(&self, sql: &'static str, key: &str) -> anyhow::Result<Vec<String>> {
        let _permit = self.permits.acquire().await?;
        let connection = self.take()?;
        let rows = match sql {
            BY_NAME => connection.client.query(&connection.by_name, &[&TENANT, &key]).await,
            BY_ID => connection.client.query(&connection.by_id, &[&TENANT, &key]).await,
            _ => connection.client.query(&connection.page, &[&TENANT, &key, &PAGE]).await,
        };
        self.free.borrow_mut().push(connection);
        Ok(rows?.iter().map(|row| row.get(0)).collect())
    }

    pub(super) async fn write(&self, write: Write) -> anyhow::Result<()> {
        let _permit = self.permits.acquire().await?;
        let connection = self.take()?;
        let event = super::new_id();
        let client = &connection.client;
        let done = match write {
            Write::Create { id, name, doc } => {
                client.execute(&connection.create, &[&TENANT, &id, &name, &doc, &event]).await
            }
            Write::Update { id, doc } => {
                client.execute(&connection.update, &[&TENANT, &id, &doc, &event]).await
            }
            Write::Add { group, members } => {
                client.execute(&connection.add, &[&TENANT, &group, &members, &event]).await
            }
            Write::Remove { group, member } => {
                client.execute(&connection.remove, &[&TENANT, &group, &member, &event]).await
            }
        };
        self.free.borrow_mut().push(connection);
        ensure!(done? == 1, "there is no such row");
        Ok(())
    }

    /// There is one for each permit; a request that was given up takes its connection with it.
    fn take(&self) -> anyhow::Result<Connection> {
        self.free.borrow_mut().pop().context("a connection was lost")
    }
}

async fn connect(url: &str) -> anyhow::Result<Connection> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with its client, and nobody drains the yardstick"
    )]
    actix_web::rt::spawn(connection);
    client.batch_execute("SET search_path TO yardstick").await?;
    Ok(Connection {
        by_name: client.prepare(BY_NAME).await?,
        by_id: client.prepare(BY_ID).await?,
        page: client.prepare(PAGE_AFTER).await?,
        create: client.prepare(CREATE).await?,
        update: client.prepare(UPDATE).await?,
        add: client.prepare(ADD).await?,
        remove: client.prepare(REMOVE).await?,
        client,
    })
}
