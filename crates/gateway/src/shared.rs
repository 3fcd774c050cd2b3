//! What the nodes of a region tell each other over Redis: how much of a rate is left, what was used, what is being done.
//!
//! Nothing is there alone, and nothing there is anybody's data: a key is an id or a hash, a value a number. Without an
//! answer each node goes by its own memory, and by the store, which decides.
//!
//! **Invariant**: a request waits for `redis.timeout` at most (20 ms), and not at all while Redis does not answer: connections are made beside
//! the requests. An answer that is not to the question that was asked counts as none, and its connection is given up.

mod breaker;
mod once;

pub(crate) use once::{Claim, Claimed};

use crate::telemetry::metrics;
use arc_swap::ArcSwapOption;
use breaker::{Breaker, Course, Trouble};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How long a connection may take to be made, beside the requests.
const CONNECT: Duration = Duration::from_millis(500);
/// Questions that are asked at once; who comes beyond goes by this node's memory.
const MOST: usize = 512;

/// The Redis of this node's region.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    client: Client,
    /// How long an answer may take.
    patience: Duration,
    connection: ArcSwapOption<MultiplexedConnection>,
    breaker: Breaker,
    places: Semaphore,
    /// What tells one question from another.
    asked: AtomicU64,
    /// Where connections are made, and what is worth no request's time is said.
    tasks: TaskTracker,
    runtime: Handle,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its URL may hold a password.
        f.debug_struct("Shared").field("breaker", &self.0.breaker).finish_non_exhaustive()
    }
}

/// What is asked: a script that gives back its first argument, and then a list of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// What the metrics call it.
    pub(crate) name: &'static str,
    /// In Lua. Redis keeps the compiled script by its text.
    pub(crate) script: &'static str,
    /// The one key.
    pub(crate) key: &'a str,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("it does not answer in time")]
    Late,
    #[error("it failed")]
    Failed(#[source] RedisError),
    #[error("its answer is not to what was asked")]
    Wrong,
}

impl NoAnswer {
    fn word(&self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Failed(_) => "failed",
            Self::Wrong => "wrong",
        }
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::Late => Trouble::Slow,
            Self::Failed(_) => Trouble::Lost,
            Self::Wrong => Trouble::Wrong,
        }
    }
}

impl Shared {
    /// A Redis by its URL. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn new(url: &str, patience: Duration, tasks: TaskTracker) -> anyhow::Result<Self> {
        let inner = Inner {
            client: Client::open(url)?,
            patience,
            connection: ArcSwapOption::empty(),
            breaker: Breaker::default(),
            places: Semaphore::new(MOST),
            asked: AtomicU64::new(uuid::Uuid::new_v4().as_u64_pair().0 >> 1),
            tasks,
            runtime: Handle::current(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Connects, or says why not and leaves it to the first who asks: at the start, so that what the first requests take is
    /// taken from all nodes.
    pub async fn connect(&self) {
        metrics::show_redis(false);
        self.0.connect().await;
    }

    /// Asks. `None` when there is no answer in time, or nothing is asked since there would be none.
    #[tracing::instrument(name = "gateway.redis.ask", skip_all, fields(otel.kind = "client", db.system.name = "redis", db.operation.name = question.name))]
    pub(crate) async fn ask<const N: usize>(
        &self,
        question: Question<'_>,
        arguments: &[&str],
    ) -> Option<[i64; N]> {
        let inner = &self.0;
        match inner.breaker.course() {
            Course::Ask => {}
            Course::Skip => return skip(question.name),
            Course::Connect => {
                let shared = self.clone();
                let connect = async move { shared.0.connect().await };
                inner.tasks.spawn_on(connect, &inner.runtime);
                return skip(question.name);
            }
        }
        let (Ok(_place), Some(connection)) =
            (inner.places.try_acquire(), inner.connection.load_full())
        else {
            return skip(question.name);
        };
        let asked_at = Instant::now();
        let answer = inner.exchange(&connection, question, arguments).await;
        let outcome = answer.as_ref().map_or_else(NoAnswer::word, |_| "answered");
        metrics::count_redis(question.name, outcome, asked_at.elapsed());
        match answer {
            Ok(answer) => {
                inner.breaker.answered();
                Some(answer)
            }
            Err(why) => {
                // Of a connection that was given up meanwhile nobody wants to know.
                let current = inner.connection.load_full();
                if current.is_some_and(|current| Arc::ptr_eq(&current, &connection))
                    && let Some(is_news) = inner.breaker.troubled(why.trouble())
                {
                    inner.without(&why, is_news);
                }
                None
            }
        }
    }

    /// Says what no request waits for, while Redis answers.
    pub(crate) fn tell(
        &self,
        name: &'static str,
        script: &'static str,
        key: String,
        value: String,
    ) {
        let shared = self.clone();
        self.0.tasks.spawn_on(
            async move {
                let question = Question { name, script, key: &key };
                shared.ask::<1>(question, &[&value]).await;
            },
            &self.0.runtime,
        );
    }
}

fn skip<T>(name: &'static str) -> Option<T> {
    metrics::count_redis_skipped(name);
    None
}

impl Inner {
    async fn exchange<const N: usize>(
        &self,
        connection: &MultiplexedConnection,
        question: Question<'_>,
        arguments: &[&str],
    ) -> Result<[i64; N], NoAnswer> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed).to_string();
        let mut command = redis::cmd("EVAL");
        command.arg(question.script).arg(1).arg(question.key).arg(&number).arg(arguments);
        let mut connection = connection.clone();
        let answer = command.query_async::<(String, Vec<i64>)>(&mut connection);
        let (answered, values) = match timeout(self.patience, answer).await {
            Err(_elapsed) => return Err(NoAnswer::Late),
            Ok(Err(error)) if error.is_timeout() => return Err(NoAnswer::Late),
            Ok(Err(error)) => return Err(NoAnswer::Failed(error)),
            Ok(Ok(answer)) => answer,
        };
        // Where one answer was lost on the way, every later one would be taken for another's.
        if answered != number {
            return Err(NoAnswer::Wrong);
        }
        values.try_into().map_err(|_other| NoAnswer::Wrong)
    }

    /// Makes a connection that answers in time, and takes it into use.
    async fn connect(&self) {
        match self.connection().await {
            Ok(connection) => {
                self.connection.store(Some(Arc::new(connection)));
                metrics::show_redis(true);
                if self.breaker.close() {
                    tracing::info!("Redis answers again; the nodes of the region count together.");
                }
            }
            Err(why) => {
                let is_news = self.breaker.open();
                self.without(&why, is_news);
            }
        }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, NoAnswer> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let connect = self.client.get_multiplexed_async_connection_with_config(&config);
        let connection = match timeout(CONNECT * 2, connect).await {
            Err(_elapsed) => return Err(NoAnswer::Late),
            Ok(Err(error)) => return Err(NoAnswer::Failed(error)),
            Ok(Ok(connection)) => connection,
        };
        let question = Question { name: "connect", script: ECHO, key: "muster" };
        self.exchange::<0>(&connection, question, &[]).await?;
        Ok(connection)
    }

    /// Goes on without Redis, until it is connected anew.
    fn without(&self, why: &NoAnswer, is_news: bool) {
        // What was asked on it and not answered is nobody's any more.
        self.connection.store(None);
        metrics::show_redis(false);
        if is_news {
            let error = migrations::causes(why);
            tracing::warn!(error, "Redis does not answer; each node counts on its own.");
        }
    }
}

/// Gives back its argument.
const ECHO: &str = "return {ARGV[1], {}}";
