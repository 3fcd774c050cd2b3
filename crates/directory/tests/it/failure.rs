//! Stores that fail, belong to another region, or must not be written to.

use crate::support::store::{Store, options};
use crate::support::{BASE, NOW, Scene, asked, open, open_on, tenant, user};
use directory::{Directory, DirectoryError};
use migrations::{Database, Engine, PoolOptions};
use region_router::Region;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

#[tokio::test]
async fn a_store_of_another_region_is_refused_and_stays_as_it_is() {
    let store = Store::new();
    open(&store).await.close().await.unwrap();
    let region = Region::parse("eu").unwrap();
    let refused = Directory::open(store.database().await, region, TaskTracker::new(), NOW).await;

    assert!(
        matches!(&refused, Err(DirectoryError::WrongRegion(region)) if region == "us"),
        "{refused:?}"
    );
    assert_eq!(store.texts("SELECT region FROM directory_store").await, ["us"]);
    open(&store).await;
}

#[tokio::test]
async fn a_store_of_another_shard_is_refused_and_stays_as_it_is() {
    let (store, region) = (Store::new(), Region::parse("us").unwrap());
    let open = async |shard| {
        let (region, tasks) = (region.clone(), TaskTracker::new());
        Directory::open_shard(store.database().await, region, shard, tasks, NOW).await
    };
    let first = open("1").await.unwrap();
    assert_eq!((first.region().as_str(), first.shard()), ("us", "1"));
    first.close().await.unwrap();
    let refused = open("0").await;

    assert!(
        matches!(&refused, Err(DirectoryError::WrongShard(shard)) if shard == "1"),
        "{refused:?}"
    );
    assert_eq!(store.texts("SELECT shard FROM directory_store").await, ["1"]);
    open("1").await.unwrap();
}

#[tokio::test]
async fn nodes_that_open_one_empty_store_at_once_agree_on_its_region() {
    let store = Store::new();
    let (one, other) = (store.database().await, store.database().await);
    let (first, second) = tokio::join!(open_on(one), open_on(other));

    assert_eq!(store.texts("SELECT region FROM directory_store").await, ["us"]);
    assert_eq!(first.region(), second.region());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = PoolOptions { acquire_timeout: Duration::from_secs(1), ..options() };
    let database =
        Database::open(&format!("postgres://postgres@{closed}/us"), &options).await.unwrap();
    let region = Region::parse("us").unwrap();
    let refused = Directory::open(database, region, TaskTracker::new(), NOW).await.unwrap_err();

    assert!(
        matches!(refused, DirectoryError::Open(_) | DirectoryError::Unavailable(_)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn after_a_transaction_that_the_file_itself_has_ended_what_is_answered_is_kept() {
    let store = Store::sqlite();
    let database = store.database().await;
    let directory = open_on(database.clone()).await;
    let scoped = directory.within(&Arc::new(tenant('a')));
    let mut answered = BTreeSet::new();

    for round in 0..3 {
        // What a full disk does (SQLITE_FULL): the transaction is gone before anybody rolls it back.
        let ended = database.writer().begin().await.unwrap();
        ended.execute_unprepared("ROLLBACK").await.unwrap();
        drop(ended);
        // The disk is still full, and the next one is given up too.
        drop(database.writer().begin().await.unwrap());
        for number in 0..3 {
            let new = user(&json!({ "userName": format!("ada-{round}-{number}") }));
            let made = scoped.create_user(&new, &asked("user.create")).await.unwrap();
            scoped.user(&made.user.id, BASE).await.unwrap();
            answered.insert(made.user.id);
        }
    }

    directory.close().await.unwrap();
    let kept: BTreeSet<String> = store.texts("SELECT id FROM users").await.into_iter().collect();
    assert_eq!(kept, answered);
}

#[tokio::test]
async fn a_store_that_is_gone_is_unavailable_for_reading_and_writing() {
    let scene = Scene::new().await;
    let id = scene.user(&json!({ "userName": "ada" })).await;
    scene.directory.close().await.unwrap();

    let read = scene.scoped.user(&id, BASE).await.unwrap_err();
    assert!(matches!(read, DirectoryError::Unavailable(_)), "{read:?}");
    let write = scene.create(&json!({ "userName": "bob" })).await.unwrap_err();
    assert!(matches!(write, DirectoryError::Unavailable(_)), "{write:?}");
    let change = scene.replace(&id, &json!({ "userName": "eve" })).await.unwrap_err();
    assert!(matches!(change, DirectoryError::Unavailable(_)), "{change:?}");
    assert!(scene.directory.ping().await.is_err());
}

#[tokio::test]
async fn a_server_that_takes_no_connections_is_unavailable_until_it_does() {
    let scene = Scene::new().await;
    if scene.store.is_sqlite() {
        // A file takes everyone; its own way to fail is to be locked, which the next test has.
        return;
    }
    let id = scene.user(&json!({ "userName": "ada" })).await;
    scene.store.administer("ALTER DATABASE", " ALLOW_CONNECTIONS false");
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster-test' AND datname = ";
    let name = scene.store.url.rsplit('/').next().unwrap().to_owned();
    let server = scene.store.url.replace(&name, "postgres");
    let admin = sea_orm::Database::connect(server).await.unwrap();
    admin.execute_unprepared(&format!("{sql}'{name}'")).await.unwrap();

    // The connection that it was sent on ended, and nobody can be asked what became of it.
    let write = scene.create(&json!({ "userName": "bob" })).await.unwrap_err();
    assert!(matches!(write, DirectoryError::Uncertain(_)), "{write:?}");
    let write = scene.create(&json!({ "userName": "bob" })).await.unwrap_err();
    assert!(matches!(write, DirectoryError::Unavailable(_)), "{write:?}");
    let read = scene.scoped.user(&id, BASE).await.unwrap_err();
    assert!(matches!(read, DirectoryError::Unavailable(_)), "{read:?}");

    scene.store.administer("ALTER DATABASE", " ALLOW_CONNECTIONS true");
    scene.user(&json!({ "userName": "bob" })).await;
    admin.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_another_process_writes_to_is_unavailable_for_writing_and_read_as_ever() {
    let scene = Scene::new().await;
    let id = scene.user(&json!({ "userName": "ada" })).await;
    let other = scene.store.database().await;
    if other.engine() == Engine::Postgres {
        return;
    }
    let options = sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let holding = other.writer().begin_with_options(options).await.unwrap();

    let write = scene.create(&json!({ "userName": "bob" })).await.unwrap_err();
    assert!(matches!(write, DirectoryError::Unavailable(_)), "{write:?}");
    scene.scoped.user(&id, BASE).await.unwrap();
    holding.rollback().await.unwrap();
    scene.user(&json!({ "userName": "bob" })).await;
}

#[tokio::test]
async fn a_tenant_that_is_frozen_or_of_another_epoch_is_not_written_to() {
    let scene = Scene::new().await;
    let id = scene.user(&json!({ "userName": "ada" })).await;
    let crew = scene.group(&json!({ "displayName": "Crew" }), &[&id]).await;
    let count = "SELECT CAST(count(*) AS TEXT) FROM changes";
    let before = scene.store.texts(count).await;
    for fence in ["state = 'frozen'", "state = 'active', epoch = 2"] {
        scene.store.run(&format!("UPDATE tenants SET {fence}")).await;
        let outcomes = [
            scene.create(&json!({ "userName": "bob" })).await.map(drop),
            scene.replace(&id, &json!({ "userName": "eve" })).await.map(drop),
            scene.scoped.delete_user(&id, |_| true, &asked("user.delete")).await,
            scene.scoped.delete_group(&crew, |_| true, &asked("group.delete")).await,
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(DirectoryError::Fenced)), "{fence}: {outcome:?}");
        }
        scene.scoped.user(&id, BASE).await.unwrap();
    }

    assert_eq!(scene.store.texts(count).await, before);
}

#[tokio::test]
async fn a_write_that_was_begun_is_finished_though_nobody_waits_for_it() {
    let scene = Scene::new().await;
    scene.user(&json!({ "userName": "ada" })).await;
    for number in 0..20 {
        let (scoped, new) =
            (scene.scoped.clone(), user(&json!({ "userName": format!("bob{number}") })));
        let tasks = TaskTracker::new();
        let write = tasks
            .spawn(async move { scoped.create_user(&new, &asked("user.create")).await.map(drop) });
        // The one who asked goes away.
        drop(write);
        tasks.close();
        tasks.wait().await;
    }

    let counts = "SELECT CAST(count(*) AS TEXT) FROM users UNION ALL SELECT CAST(count(*) AS TEXT) FROM changes UNION ALL SELECT CAST(count(*) AS TEXT) FROM decisions";
    assert_eq!(scene.store.texts(counts).await, ["21", "21", "21"]);
}
