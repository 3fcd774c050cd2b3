//! Stores that do not answer when the node starts.
//!
//! **Invariant**: a store that is away keeps nobody from the others. One that answers, and is another region's or has a schema that
//! this program cannot work with, ends the start; found out later, it stays closed and is asked again, and the log says why.

use super::known::{Known, refusal};
use super::{Directories, Served, label, pool, served, store_key, try_open};
use crate::config::Config;
use anyhow::Context as _;
use directory::DirectoryError;
use migrations::Engine;
use secrecy::ExposeSecret;
use std::time::{Duration, Instant};
use tenant_registry::Registry;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the start of a node waits for a store. What takes longer, another process's migration for instance, is waited for while
/// the others are served.
const AT_THE_START: Duration = Duration::from_secs(20);
/// How long it takes from the first try to the next; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long it takes from one try to the next at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often the log says that a store is still away.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Opens every store that answers.
pub(super) async fn open_those_that_answer(
    config: &Config,
    directories: &Directories,
    tasks: &TaskTracker,
) -> anyhow::Result<()> {
    let pool = &pool(config);
    let stores = served(config).map(|store| async move {
        let opening = Box::pin(try_open(store, pool, tasks));
        let Ok(opened) = tokio::time::timeout(AT_THE_START, opening).await else {
            let store = label(store.region, store.shard);
            tracing::warn!(
                store,
                "a store is not open yet, or its schema is being brought up to date; the others are served, and it is waited for"
            );
            return Ok(());
        };
        match opened {
            Ok(directory) => {
                directories.put(directory);
                Ok(())
            }
            Err(error) if may_pass(store, &error) => {
                tell(store, &error);
                Ok(())
            }
            Err(error) => Err(error).with_context(|| {
                let Served { region, shard, .. } = store;
                let (label, key) = (label(region, shard), store_key(region, shard));
                format!("the store of region {label} cannot be opened; check {key}")
            }),
        }
    });
    futures_util::future::try_join_all(stores).await.map(drop)
}

/// Opens the others when they answer.
pub(crate) async fn keep_opening(
    config: &Config,
    (registry, directories): (&Registry, &Directories),
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let missing = served(config).filter(|store| {
        directories.missing().any(|(region, shard)| (region, shard) == (store.region, store.shard))
    });
    let opening =
        missing.map(|store| keep_opening_one(config, store, (registry, directories), tasks));
    tokio::select! {
        () = stop.cancelled() => {}
        _ = futures_util::future::join_all(opening) => {}
    }
}

async fn keep_opening_one(
    config: &Config,
    store: Served<'_>,
    (registry, directories): (&Registry, &Directories),
    tasks: &TaskTracker,
) {
    let (pool, mut pause) = (pool(config), FIRST_PAUSE);
    let (mut told_at, mut is_told) = (Instant::now(), false);
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match Box::pin(try_open(store, &pool, tasks)).await {
            Ok(directory) if Known::of(registry, &directory).await == Known::Other => {
                if told_at.elapsed() >= TOLD_EVERY || !is_told {
                    (told_at, is_told) = (Instant::now(), true);
                    tracing::error!(
                        store = label(store.region, store.shard),
                        "{}",
                        refusal(&directory)
                    );
                }
                directory.close().await.ok();
            }
            Ok(directory) => {
                directories.put(directory);
                let store = label(store.region, store.shard);
                tracing::info!(store, "a store that was away at the start is open");
                return;
            }
            Err(error) => {
                if told_at.elapsed() >= TOLD_EVERY || !may_pass(store, &error) {
                    told_at = Instant::now();
                    tell(store, &error);
                }
            }
        }
    }
}

fn tell(store: Served<'_>, error: &DirectoryError) {
    let (store, error) = (label(store.region, store.shard), migrations::causes(error));
    tracing::error!(
        store,
        error,
        "a store cannot be opened; the others are served, and it is tried again"
    );
}

/// Whether a store is only away. A file is on this node, and is there or not.
fn may_pass(store: Served<'_>, error: &DirectoryError) -> bool {
    Engine::of(store.url.expose_secret()) == Some(Engine::Postgres) && error.may_pass()
}
