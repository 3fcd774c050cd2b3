//! A copy that follows a store, and is read in its place while it keeps up.

use super::{is_asked, options, scoped};
use crate::support::server::Server;
use crate::support::{BASE, asked, user};
use migrations::Database;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_copy_is_read_while_it_keeps_up_and_left_alone_when_it_does_not() {
    if !is_asked() {
        return;
    }
    let primary = Server::start("");
    let standby = Server::standby_of(&primary);
    let (directory, scoped) = scoped(&primary.url()).await;
    let copy = Database::open_replica(&standby.url(), &options()).await.unwrap();
    directory.read_from(copy).await.unwrap();
    let asks = async |wanted: bool| {
        let begun = Instant::now();
        while directory.replica_in_use() != Some(wanted) {
            assert!(begun.elapsed() < Duration::from_secs(30), "in use is not {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let scans = || -> u64 {
        let sql = "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'quirk_counts'";
        standby.sql_in("us", sql).parse().unwrap()
    };
    let new = user(&json!({ "userName": "ada" }));
    let id = scoped.create_user(&new, &asked("user.create")).await.unwrap().user.id;
    asks(true).await;

    let lax = scoped.clone().lately();
    let begun = Instant::now();
    while lax.user(&id, BASE).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the copy does not follow");
    }
    let before = scans();
    for _ in 0..20 {
        lax.quirk_counts().await.unwrap();
        lax.user(&id, BASE).await.unwrap();
    }
    let begun = Instant::now();
    while scans() <= before {
        assert!(begun.elapsed() < Duration::from_secs(30), "the copy was not read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // Gone: the first who asks it is answered by the store itself.
    standby.kill();
    lax.user(&id, BASE).await.unwrap();
    asks(false).await;
    lax.user(&id, BASE).await.unwrap();
    standby.up();
    asks(true).await;
}

#[tokio::test]
async fn the_copy_of_another_store_is_not_read() {
    if !is_asked() {
        return;
    }
    let (primary, other) = (Server::start(""), Server::start(""));
    let (directory, _) = scoped(&primary.url()).await;
    // Its log is further, and it has the tables too.
    let (_other_directory, elsewhere) = scoped(&other.url()).await;
    for number in 0..50 {
        let new = user(&json!({ "userName": format!("ada-{number}") }));
        elsewhere.create_user(&new, &asked("user.create")).await.unwrap();
    }
    let standby = Server::standby_of(&other);
    let copy = Database::open_replica(&standby.url(), &options()).await.unwrap();
    directory.read_from(copy).await.unwrap();

    // Looked at once at the start, and again.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(directory.replica_in_use(), Some(false));
}
