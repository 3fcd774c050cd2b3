//! Four writers that write down what they were told, and what the store must hold by their word.

use crate::support::server::Server;
use crate::support::{asked, user};
use directory::{DirectoryError, Scoped};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a writer was told.
#[derive(Default)]
pub(super) struct History {
    pub(super) done: BTreeSet<String>,
    pub(super) unknown: BTreeSet<String>,
    pub(super) refused: usize,
}

/// Makes people one after the other until told to stop, each waited for as long.
async fn write(
    scoped: &Scoped,
    name: &str,
    patience: Duration,
    stop: &AtomicBool,
    made: &AtomicUsize,
) -> History {
    let mut history = History::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("{name}-{number}");
        let new = user(&json!({ "userName": name }));
        let waiting = scoped.clone().until(Instant::now() + patience);
        match waiting.create_user(&new, &asked("user.create")).await {
            Ok(_) => {
                made.fetch_add(1, Ordering::Relaxed);
                history.done.insert(name);
            }
            Err(DirectoryError::Uncertain(_)) => {
                history.unknown.insert(name);
            }
            Err(DirectoryError::Unavailable(_)) => history.refused += 1,
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    history
}

/// Four writers around something that happens to the server.
pub(super) async fn under_writes(
    server: &Server,
    scoped: &Scoped,
    patience: Duration,
    happens: impl AsyncFnOnce(&AtomicUsize),
) -> Vec<History> {
    let (stop, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    let until = async {
        more(server, &made, 20).await;
        happens(&made).await;
        more(server, &made, 20).await;
        stop.store(true, Ordering::Relaxed);
    };
    let writers = ["ada", "bob", "eve", "zoe"].map(|name| {
        let (stop, made) = (&stop, &made);
        write(scoped, name, patience, stop, made)
    });
    let (histories, ()) = tokio::join!(futures_util::future::join_all(writers), until);
    histories
}

/// Waits until as many more were made.
pub(super) async fn more(server: &Server, made: &AtomicUsize, count: usize) {
    let before = made.load(Ordering::Relaxed);
    let begun = Instant::now();
    while made.load(Ordering::Relaxed) < before + count {
        let is_long = begun.elapsed() > Duration::from_secs(60);
        assert!(!is_long, "no writes for a minute:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Who is in the store, each once and with its change and decision; compared with what the writers were told.
pub(super) fn check(server: &Server, histories: &[History]) -> usize {
    let names = server.sql_in("us", "SELECT user_name_key FROM users ORDER BY 1");
    let stored: BTreeSet<String> = names.lines().map(str::to_owned).collect();
    let whole = "SELECT (SELECT count(*) FROM users) = (SELECT count(*) FROM changes)
        AND (SELECT count(*) FROM users) = (SELECT count(*) FROM outbox)
        AND (SELECT count(*) FROM users) = (SELECT count(*) FROM decisions WHERE outcome = 'done')
        AND (SELECT count(*) FROM users) = (SELECT sum(users) FROM tallies)";
    assert_eq!(server.sql_in("us", whole), "t", "half of a write");
    let mut known = BTreeSet::new();
    for history in histories {
        let lost: Vec<&String> = history.done.difference(&stored).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
        known.extend(history.done.iter().cloned());
        known.extend(history.unknown.iter().cloned());
    }
    let phantoms: Vec<&String> = stored.difference(&known).collect();
    assert!(phantoms.is_empty(), "refused and there: {phantoms:?}");
    histories.iter().map(|history| history.refused + history.unknown.len()).sum()
}
