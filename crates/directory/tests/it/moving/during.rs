//! What is written while a tenant is copied.

use super::quietly;
use super::scene::{self, Ends, FROZEN, SOON, each_pair, tenant_at};
use crate::support::{BASE, NOW, asked, user};
use directory::{Asked, DirectoryError, Scoped};
use scim_core::Document;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

async fn rename(scoped: &Scoped, id: &str, name: &str) -> Result<u64, DirectoryError> {
    let new = user(&json!({ "userName": name }));
    let alter = |_: &Document, _: &mut Asked| Ok(new.clone());
    let mut asked = asked("user.replace");
    let answer = scoped.change_user(id, BASE, |_| true, alter, &mut asked).await?;
    Ok(answer.user.version)
}

/// What came of a write: nothing where the fence stands, and no other failure.
fn unless_fenced<T>(outcome: Result<T, DirectoryError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(DirectoryError::Fenced) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Makes people, gives their names to each other and deletes some, until the fence stands: what was acknowledged, by id.
async fn write_until_fenced(scoped: Scoped, begun: Arc<Notify>) -> BTreeMap<String, Option<u64>> {
    let mut acknowledged = BTreeMap::new();
    let mut last: Option<String> = None;
    let mut number = 0;
    while let Some(id) = write(&scoped, number, last.take(), &mut acknowledged).await {
        (last, number) = (Some(id), number + 1);
        if number == 20 {
            begun.notify_one();
        }
    }
    acknowledged
}

/// One person more, who takes the name of the last one.
async fn write(
    scoped: &Scoped,
    number: usize,
    before: Option<String>,
    acknowledged: &mut BTreeMap<String, Option<u64>>,
) -> Option<String> {
    let id = unless_fenced(scene::create(scoped, &format!("new-{number}")).await)?;
    acknowledged.insert(id.clone(), Some(1));
    let Some(before) = before else { return Some(id) };
    let version = unless_fenced(rename(scoped, &before, &format!("former-{number}")).await)?;
    acknowledged.insert(before.clone(), Some(version));
    let version = unless_fenced(rename(scoped, &id, &format!("new-{}", number - 1)).await)?;
    acknowledged.insert(id.clone(), Some(version));
    if number.is_multiple_of(3) {
        unless_fenced(scoped.delete_user(&before, |_| true, &asked("user.delete")).await)?;
        acknowledged.insert(before, None);
    }
    Some(id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_before_the_freeze_is_in_the_new_store() {
    each_pair(async |ends: Ends| {
        ends.crowd(150).await;
        let (scoped, begun) = (ends.source_view(&tenant_at(1)), Arc::new(Notify::new()));
        let transfer = ends.transfer();
        transfer.claim().await.unwrap();
        let writer = TaskTracker::new().spawn(write_until_fenced(scoped, Arc::clone(&begun)));
        transfer.prepare(&quietly).await.unwrap();
        let mut found = 0;
        for _ in 0..3 {
            found += transfer.catch_up(NOW).await.unwrap();
        }
        timeout(SOON, begun.notified()).await.unwrap();
        found += transfer.catch_up(NOW).await.unwrap();
        transfer.freeze().await.unwrap();
        let acknowledged = timeout(SOON, writer).await.unwrap().unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();

        let compared = transfer.compare(FROZEN).await.unwrap();
        assert!(compared.is_same(), "{compared:?}");
        assert!(found > 0, "nothing was written meanwhile");
        assert!(acknowledged.len() >= 20);
        transfer.approve(3).await.unwrap();
        transfer.arm(3).await.unwrap();
        let there = ends.target_view(&tenant_at(3));
        for (id, version) in acknowledged {
            let stored = there.user(&id, BASE).await.ok().map(|user| user.version);
            // One more than acknowledged: the last write was answered by a fence that another statement of it met.
            assert!(stored >= version && stored.is_some() == version.is_some(), "{version:?}");
        }
    })
    .await;
}

/// What a node writes for one new person, as if it had begun before all others.
const LATE: [&str; 3] = [
    "INSERT INTO users (tenant_id, id, user_name_key, display, active, role, doc, search, version, created_at, updated_at)
     VALUES ('ten_aaaaaaaaaaaaaaaa', '00000000-late', 'late', 'late', 1, '', '{}', '{}', 1, 0, 0)",
    "INSERT INTO changes (tenant_id, resource_type, resource_id, seq, at, kind, changed, data, request_id, actor)
     VALUES ('ten_aaaaaaaaaaaaaaaa', 'User', '00000000-late', 1, 0, 'user.created', '', '{}', '', '')",
    "INSERT INTO outbox (tenant_id, id, resource_type, resource_id, seq, at)
     SELECT 'ten_aaaaaaaaaaaaaaaa', min(id) || '', 'User', '00000000-late', 1, 0 FROM
         (SELECT substr(id, 1, 18) || '-0000-000000000000' AS id FROM outbox WHERE tenant_id = 'ten_aaaaaaaaaaaaaaaa') o",
];

#[tokio::test]
async fn a_transaction_that_began_before_the_copy_and_ends_behind_it_comes_along() {
    each_pair(async |ends: Ends| {
        ends.crowd(20).await;
        let database = ends.source.store.database().await;
        let transfer = ends.transfer();
        // SQLite has one writer: there a transaction is over before the next one begins, and what is shown here is that a
        // row is found whose id is older than all that were copied.
        let open = match ends.source.store.is_sqlite() {
            true => None,
            false => Some(database.writer().begin().await.unwrap()),
        };
        if let Some(open) = &open {
            for sql in LATE {
                open.execute_unprepared(sql).await.unwrap();
            }
        }
        transfer.prepare(&quietly).await.unwrap();
        assert_eq!(transfer.catch_up(NOW).await.unwrap(), 0);
        match open {
            Some(open) => open.commit().await.unwrap(),
            None => {
                for sql in LATE {
                    database.writer().execute_unprepared(sql).await.unwrap();
                }
            }
        }
        assert_eq!(transfer.catch_up(NOW).await.unwrap(), 1);
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
        let sql = "SELECT display FROM users WHERE id = '00000000-late'";
        assert_eq!(ends.target.store.texts(sql).await, ["late"]);
        database.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_freeze_outlives_every_transaction_that_began_before_it() {
    each_pair(async |ends: Ends| {
        if ends.source.store.is_sqlite() {
            return;
        }
        ends.crowd(20).await;
        let database = ends.source.store.database().await;
        let transfer = Arc::new(ends.transfer());
        transfer.prepare(&quietly).await.unwrap();
        let open = database.writer().begin().await.unwrap();
        // It has looked at the fence, and writes later.
        open.execute_unprepared("SELECT 1 FROM tenants WHERE state = 'active'").await.unwrap();
        let freezing = Arc::clone(&transfer);
        let mut freezing = TaskTracker::new().spawn(async move { freezing.freeze().await });
        let fenced = async {
            while !scene::is_fenced(&scene::create(&ends.source_view(&tenant_at(1)), "x").await) {}
        };
        timeout(SOON, fenced).await.unwrap();
        let still = timeout(std::time::Duration::from_millis(200), &mut freezing).await;
        assert!(still.is_err(), "it waits");
        for sql in LATE {
            open.execute_unprepared(sql).await.unwrap();
        }
        open.commit().await.unwrap();
        timeout(SOON, freezing).await.unwrap().unwrap().unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
        let sql = "SELECT display FROM users WHERE id = '00000000-late'";
        assert_eq!(ends.target.store.texts(sql).await, ["late"]);
        database.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_target_that_dies_leaves_the_source_as_it_was_and_the_copy_begins_again() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        ends.crowd(120).await;
        let before = ends.rows_of(&ends.source, 'a').await;
        let database = ends.target.store.database().await;
        let mid = AtomicBool::new(false);
        let told = |_: &'static str, _: u64| mid.store(true, Ordering::Relaxed);
        let transfer = ends.transfer();
        tokio::select! {
            biased;
            () = async { while !mid.load(Ordering::Relaxed) { tokio::task::yield_now().await } } => {}
            outcome = transfer.prepare(&told) => panic!("{outcome:?}"),
        }
        ends.target.directory.close().await.unwrap();
        let failed = transfer.prepare(&quietly).await.unwrap_err().to_string();
        assert_eq!(failed, "the target store failed");
        assert_eq!(ends.rows_of(&ends.source, 'a').await, before);
        scene::create(&ends.source_view(&tenant_at(1)), "eve").await.unwrap();

        let target = crate::support::reopen(database, &ends.target.directory).await;
        let again = directory::Transfer::new(ends.source.directory.clone(), target, tenant_at(1));
        again.prepare(&quietly).await.unwrap();
        again.freeze().await.unwrap();
        again.finish(NOW, FROZEN).await.unwrap();
        assert!(again.compare(FROZEN).await.unwrap().is_same());
    })
    .await;
}
