//! A pool of connections to a PostgreSQL server, and when one of them is not used again.
//!
//! **Invariant**: a connection that answered that its server takes no writes, or that was lost, is the last of its age.

use super::PoolOptions;
use super::health::Health;
use sea_orm_migration::sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
};
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{Connection, Executor, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A connection that nobody has used for as long is asked whether it answers before it is used; asking every time would be
/// one round trip more for every statement.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection that nobody has used may take to answer.
const ANSWER: Duration = Duration::from_secs(1);

/// What a pool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one server that takes writes.
    Primary,
    /// A copy, to read from.
    Replica,
}

/// What each connection asks of its server, besides the time limit of statements. A process that vanished must not keep the locks of
/// a transaction for as long as TCP likes.
const SETTINGS: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "60000"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// A pool whose connections are made when they are needed. A name is looked up anew for each, so that a failover that changes
/// what a name means is followed.
pub(super) async fn open(
    url: &str,
    role: Role,
    options: &PoolOptions,
    health: Arc<Health>,
) -> Result<DatabaseConnection, DbErr> {
    let patience = options.statement_timeout + ANSWER;
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(options.readers)
        .acquire_timeout(options.acquire_timeout)
        .connect_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .statement_timeout(options.statement_timeout)
        .set_application_name(options.application_name.clone())
        .test_before_acquire(false)
        .sqlx_logging(false)
        .connect_lazy(true)
        .map_sqlx_postgres_opts(|settings| settings.options(SETTINGS))
        .map_sqlx_postgres_pool_opts(move |pool| hooks(pool, role, patience, &health));
    Connector::connect(connect).await
}

fn hooks(
    pool: PgPoolOptions,
    role: Role,
    patience: Duration,
    health: &Arc<Health>,
) -> PgPoolOptions {
    let (used, freed) = (Arc::clone(health), Arc::clone(health));
    pool.after_connect(move |connection, _| {
        Box::pin(async move {
            match role {
                Role::Primary => refuse_standby(connection).await,
                Role::Replica => Ok(()),
            }
        })
    })
    .before_acquire(move |connection, about| {
        let health = Arc::clone(&used);
        Box::pin(async move {
            if health.is_retired(about.age) {
                return Ok(false);
            }
            if about.idle_for < IDLE {
                return Ok(true);
            }
            let answers = matches!(timeout(ANSWER, connection.ping()).await, Ok(Ok(())));
            if !answers {
                health.retire();
            }
            Ok(answers)
        })
    })
    .after_release(move |connection, about| {
        let health = Arc::clone(&freed);
        Box::pin(async move {
            if health.is_retired(about.age) {
                return Ok(false);
            }
            if !health.is_doubted() {
                return Ok(true);
            }
            // What is under way on it has its own time limit, unless nobody is there: then the pool would wait for as long as TCP
            // does, and there would soon be no other connection.
            match timeout(patience, connection.ping()).await {
                Ok(answered) => answered.map(|()| true),
                Err(_elapsed) => {
                    health.retire();
                    Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
                }
            }
        })
    })
}

/// A standby answers reads with what was true a while ago, and no writes.
async fn refuse_standby(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row = connection.fetch_one("SELECT pg_is_in_recovery()").await?;
    if !row.try_get::<bool, _>(0)? {
        return Ok(());
    }
    // The name will mean another server in a moment; the pool asks again until a request has waited long enough.
    tokio::time::sleep(Duration::from_millis(250)).await;
    Err(sqlx::Error::Io(std::io::Error::other("the server is a standby")))
}
