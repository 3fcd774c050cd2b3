//! The composition root: from a configuration to a process that serves, and to its end.
//!
//! **Invariant**: everything that is opened here is closed here, and every task belongs to the tracker.

pub mod stores;

use crate::admin::Admin;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::{self, Connection};
use crate::forward::{self, Peers};
use crate::health::{self, Readiness};
use crate::jobs;
use crate::jobs::uses::Uses;
use crate::oauth::Replays;
use crate::rate_limit::Limiter;
use crate::routes;
use crate::shared::Shared;
use crate::state::{Draining, State};
use crate::telemetry;
use crate::telemetry::http::observe;
use crate::telemetry::metrics;
use actix_http::HttpService;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::dev::{AppConfig, Server, ServerHandle, fn_service};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::{App as WebApp, HttpServer, web};
use anyhow::Context as _;
use secrecy::ExposeSecret;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use stores::Stores;

/// How long open connections are waited for after the last request was answered.
const LINGER_SECONDS: u64 = 3;
/// Connections that wait for a worker; a burst of an identity provider fits.
const BACKLOG: u32 = 2048;
/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept; longer than the idle time of the usual load balancers, so that they close first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a client that was refused early may go on sending before its connection is cut.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection that was just accepted may take to send its first request to a stopping server.
const FIRST_REQUEST_PATIENCE: Duration = Duration::from_millis(250);
/// How long the tasks of the stores may take to notice that nobody needs them.
const STORES_PATIENCE: Duration = Duration::from_secs(2);

/// A process with its stores open and its listeners bound, not yet serving.
pub struct App {
    state: web::Data<State>,
    /// The tasks of the stores, which end when the last handle of a store is gone.
    store_tasks: TaskTracker,
    listener: TcpListener,
    ops_listener: TcpListener,
}

impl App {
    /// Binds both listeners, then opens the registry and the stores. With port 0 the system chooses; URLs then name the
    /// port that it chose, unless the configuration names another.
    ///
    /// # Errors
    /// When an address is taken or a store cannot be opened; the text says which.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        metrics::recorder()?;
        let listener = listen("server.listen", config.server.listen)?;
        let ops_listener = listen("ops.listen", config.ops_listen)?;
        let port = listener.local_addr()?.port();
        let hosts = config.hosting.hosts(port, &config.regions)?;
        let store_tasks = TaskTracker::new();
        let stores = Stores::serve(&config, &store_tasks).await?;
        let tasks = TaskTracker::new();
        let shared = shared(&config, &tasks).await?;
        let admin = Admin::new(
            stores.registry.clone(),
            stores.directories.clone(),
            hosts.clone(),
            &config,
            tasks.clone(),
        )?
        .with(shared.clone());
        let state = State {
            admin: Arc::new(admin),
            hosts,
            node: stores.node,
            peers: Peers::new(&config)?,
            registry: stores.registry,
            directories: stores.directories,
            clock: Clock,
            limits: config.limits.clone(),
            limiter: Limiter::new(shared.clone()),
            replays: Replays::new(shared),
            uses: Uses::default(),
            tasks,
            runtime: tokio::runtime::Handle::current(),
            documentation_uri: config.hosting.documentation_uri.clone(),
            config,
            draining: Draining::default(),
            readiness: Readiness::default(),
        };
        Ok(Self { state: web::Data::new(state), store_tasks, listener, ops_listener })
    }

    /// Where the main listener is bound.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn server_address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where health and metrics are bound.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ops_address(&self) -> std::io::Result<SocketAddr> {
        self.ops_listener.local_addr()
    }

    /// What the requests will reach.
    #[must_use]
    pub fn state(&self) -> &web::Data<State> {
        &self.state
    }

    /// Serves until the token is cancelled, then drains: not ready at once, `Connection: close` on every answer for
    /// `server.drain_delay`, no new connections after it, requests in flight to their end, tasks, stores.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { state, store_tasks, listener, ops_listener } = self;
        let same_listener = listener.try_clone()?;
        let (address, ops_address) = (listener.local_addr()?, ops_listener.local_addr()?);
        let server = main_server(&state, listener)?;
        let ops = ops_server(&state, ops_listener)?;
        let (handle, ops_handle) = (server.handle(), ops.handle());
        let work = CancellationToken::new();
        jobs::start(&state, &work);
        let (opening, stores, stopped) = (state.clone(), store_tasks.clone(), work.clone());
        state.tasks.spawn(async move {
            let known = (&opening.registry, &opening.directories);
            stores::keep_opening(&opening.config, known, &stores, &stopped).await;
        });
        tracing::info!(%address, ops = %ops_address, "serving");
        let serving = async {
            let result = server.await;
            // A server that failed ends everything else too.
            stop.cancel();
            work.cancel();
            close(&state).await;
            ops_handle.stop(false).await;
            result
        };
        let (served, answered, ()) =
            tokio::join!(serving, ops, drain(&state, &stop, same_listener, handle));
        drop(state);
        wait(&store_tasks, STORES_PATIENCE).await;
        served.context("the listener failed")?;
        answered.context("the ops listener failed")?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The Redis of a configuration, connected if it answers.
async fn shared(config: &Config, tasks: &TaskTracker) -> anyhow::Result<Option<Shared>> {
    let Some(url) = &config.redis_url else { return Ok(None) };
    let shared = Shared::new(url.expose_secret(), config.redis_timeout, tasks.clone());
    let shared = shared.context("Redis cannot be used; check redis.url")?;
    shared.connect().await;
    Ok(Some(shared))
}

async fn drain(
    state: &State,
    stop: &CancellationToken,
    listener: TcpListener,
    server: ServerHandle,
) {
    stop.cancelled().await;
    state.draining.begin();
    let delay = state.config.server.drain_delay;
    tracing::info!(delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), "draining");
    tokio::time::sleep(delay).await;
    telemetry::expect_closed_listener();
    refuse_new(listener);
    tokio::time::sleep(delay.min(FIRST_REQUEST_PATIENCE)).await;
    finish_requests(state.config.server.shutdown_timeout).await;
    // What is answered may still be on its way to a slow reader; connections that are kept open and say nothing may not
    // hold the stop for long.
    server.stop(true).await;
}

/// Waits until no request is being answered. The server's own graceful stop cannot tell such a connection from one that
/// is kept open and says nothing, so its time, [`LINGER_SECONDS`], is short.
async fn finish_requests(patience: Duration) {
    let end = tokio::time::Instant::now() + patience;
    let mut quiet = 0;
    while quiet < 3 && tokio::time::Instant::now() < end {
        quiet = if telemetry::metrics::active() == 0 { quiet + 1 } else { 0 };
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Refuses new connections while those already accepted are served. The server can only stop both at once, and would
/// then close connections whose first request is on its way, which their clients must count as failed.
fn refuse_new(listener: TcpListener) {
    // `shutdown` on a listening socket ends the listening (Linux). The standard library offers the call on streams only.
    // Where it is not known it fails, and the server closes the listener a moment later.
    TcpStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both).ok();
}

/// Ends what requests leave behind: tasks end, buffered decisions are written, connections close.
async fn close(state: &State) {
    wait(&state.tasks, state.config.server.shutdown_timeout).await;
    for (region, shard, directory) in state.directories.iter() {
        if let Err(error) = directory.close().await {
            let error = migrations::causes(&error);
            tracing::error!(%region, shard, error, "a store did not close cleanly");
        }
    }
    if let Err(error) = state.registry.close().await {
        let error = migrations::causes(&error);
        tracing::error!(error, "the registry did not close cleanly");
    }
}

async fn wait(tasks: &TaskTracker, patience: Duration) {
    tasks.close();
    if tokio::time::timeout(patience, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "tasks did not end in time");
    }
}

fn main_server(state: &web::Data<State>, listener: TcpListener) -> std::io::Result<Server> {
    let data = state.clone();
    let forwards = state.peers.links().next().is_some();
    let settings = &state.config.server;
    let cores = || std::thread::available_parallelism().map_or(2, NonZero::get);
    let workers = if settings.workers == 0 { cores() } else { settings.workers };
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(state.limits.connections)
        .shutdown_timeout(LINGER_SECONDS)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    // What `HttpServer` does, which knows of no connection but a plain one.
    let builder = builder.listen("main", listener, move || {
        let app = WebApp::new()
            .app_data(data.clone())
            .wrap(NormalizePath::trim())
            // A target is forwarded as it came.
            .wrap(from_fn(forward::forward))
            .wrap(from_fn(observe))
            .wrap(from_fn(connection::take_turn))
            .configure(routes::configure);
        let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .local_addr(address)
            .on_connect_ext(move |connection: &Connection, extensions| {
                extensions.insert(connection.turn());
                if forwards {
                    forward::hold(connection.stream(), extensions);
                }
            })
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(async |stream: actix_web::rt::net::TcpStream| {
            // A body that is streamed is more than one write, and none of them waits for the client to acknowledge the
            // one before.
            stream.set_nodelay(true).ok();
            let peer = stream.peer_addr().ok();
            Ok((Connection::new(stream), peer))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}

fn ops_server(state: &web::Data<State>, listener: TcpListener) -> std::io::Result<Server> {
    let data = state.clone();
    let server =
        HttpServer::new(move || WebApp::new().app_data(data.clone()).configure(health::configure))
            .workers(1)
            .max_connections(256)
            .client_request_timeout(HEAD_TIMEOUT)
            .shutdown_timeout(1)
            .disable_signals()
            .listen(listener)?;
    Ok(server.run())
}

/// Binds a listener. The address may be taken again at once after a stop.
fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bind = || -> std::io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bind().with_context(|| format!("cannot listen on {address}; choose another address with {key}"))
}
