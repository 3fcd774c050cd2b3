//! Many at once: members that come and go while users and groups are made and deleted, and what is left in the end.

use crate::nested::change;
use crate::support::{Scene, asked};
use directory::DirectoryError;
use scim_core::MemberStep;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

const TASKS: usize = 32;
const ROUNDS: usize = 12;

/// What may become of a request of one while others are at work: nothing but success, or a refusal that names what
/// another took away.
fn fair<T>(outcome: Result<T, DirectoryError>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(DirectoryError::Refused(_) | DirectoryError::NotFound) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// The members that the changes of every group lead to, in the order of their numbers: the serial model.
async fn by_changes(scene: &Scene) -> BTreeSet<String> {
    let rows = scene
        .store
        .texts(
            "SELECT resource_id || ' ' || kind || ' ' || data FROM changes WHERE resource_type = 'Group' ORDER BY resource_id, seq",
        )
        .await;
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let mut parts = row.splitn(3, ' ');
        let (id, kind) = (parts.next().unwrap().to_owned(), parts.next().unwrap());
        let data: Value = serde_json::from_str(parts.next().unwrap()).unwrap();
        if kind == "group.deleted" {
            groups.remove(&id);
            continue;
        }
        let members = groups.entry(id.clone()).or_default();
        // A change of members alone tells them at the top, one of the group within its document.
        let delta = if data["members"].is_object() { &data["members"] } else { &data };
        for (name, comes) in [("added", true), ("removed", false)] {
            for member in delta[name].as_array().into_iter().flatten() {
                let member = member.as_str().unwrap().to_owned();
                let new = if comes { members.insert(member) } else { members.remove(&member) };
                assert!(new, "{id}: a change tells what did not happen: {data}");
            }
        }
    }
    groups
        .into_iter()
        .flat_map(|(id, members)| members.into_iter().map(move |member| format!("{id} {member}")))
        .collect()
}

async fn by_rows(scene: &Scene) -> BTreeSet<String> {
    let sql = "SELECT group_id || ' ' || member_id FROM members";
    scene.store.texts(sql).await.into_iter().collect()
}

/// Rows that belong to nobody, numbers with a gap, changes without their event.
async fn broken(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for sql in [
        "SELECT 'no group: ' || group_id FROM members m WHERE NOT EXISTS (SELECT 1 FROM groups g WHERE g.id = m.group_id)",
        "SELECT 'no member: ' || member_id FROM members m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = m.member_id)
             AND NOT EXISTS (SELECT 1 FROM groups g WHERE g.id = m.member_id)",
        "SELECT 'gap: ' || resource_id FROM changes GROUP BY resource_type, resource_id HAVING min(seq) <> 1 OR max(seq) <> count(*)",
        "SELECT 'version: ' || id FROM groups g WHERE version <> (SELECT max(seq) FROM changes c WHERE c.resource_id = g.id)",
        "SELECT 'no event: ' || resource_id FROM changes c WHERE NOT EXISTS (
             SELECT 1 FROM outbox o WHERE o.resource_id = c.resource_id AND o.seq = c.seq)",
        "WITH RECURSIVE up(start, id) AS (SELECT member_id, group_id FROM members WHERE kind = 'Group'
             UNION SELECT up.start, m.group_id FROM up JOIN members m ON m.member_id = up.id)
         SELECT 'circle: ' || start FROM up WHERE start = id",
    ] {
        found.extend(scene.store.texts(sql).await);
    }
    found
}

struct Crowd {
    scene: Scene,
    users: Vec<String>,
    shared: Vec<String>,
}

/// One of the crowd: works on the shared groups and on one of its own, and deletes a user and a group of its own.
async fn work(crowd: Arc<Crowd>, number: usize) {
    let Crowd { scene, users, shared } = &*crowd;
    let own = scene.group(&json!({ "displayName": format!("Own {number}") }), &[]).await;
    let guest = scene.user(&json!({ "userName": format!("guest{number}") })).await;
    let mine = &users[number];
    for round in 0..ROUNDS {
        let at = |step: usize| (number * 7 + round * 5 + step) % shared.len();
        let (one, other) = (&shared[at(0)], &shared[at(1)]);
        // Its own member of a group that all change: nobody else adds or removes it.
        fair(scene.add(one, &[mine, &guest]).await);
        // Overlapping: the same as others, in several orders.
        let some: Vec<&str> =
            (0..4).map(|n| users[(number + n * 3) % TASKS + TASKS].as_str()).collect();
        fair(scene.add(other, &some).await);
        fair(scene.remove(one, &some[..2]).await);
        fair(scene.step(&own, change(true, &[mine, some[0]], &[])).await);
        // Nested, both ways, so that some would close a circle.
        fair(scene.add(one, &[other]).await);
        fair(scene.add(one, &[&own]).await);
        fair(
            scene
                .step(
                    one,
                    MemberStep::Change {
                        clear: false,
                        add: Vec::new(),
                        remove: vec![other.clone()],
                    },
                )
                .await,
        );
        if round == ROUNDS / 2 {
            assert!(fair(scene.scoped.delete_user(&guest, |_| true, &asked("user.delete")).await));
        }
        if round == ROUNDS / 3 && number < 4 {
            // A group that others are at work on.
            let gone = &shared[shared.len() - 1 - number];
            fair(scene.scoped.delete_group(gone, |_| true, &asked("group.delete")).await);
        }
    }
    if number.is_multiple_of(2) {
        assert!(fair(scene.scoped.delete_group(&own, |_| true, &asked("group.delete")).await));
    }
    // The last word on its own member.
    fair(scene.add(&shared[number % 4], &[mine]).await);
    fair(scene.remove(&shared[number % 4 + 4], &[mine]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_changes_at_once_none_is_lost_and_none_fails() {
    let scene = Scene::new().await;
    let (mut users, mut shared) = (Vec::new(), Vec::new());
    for number in 0..TASKS * 2 {
        users.push(scene.user(&json!({ "userName": format!("user{number}") })).await);
    }
    for number in 0..12 {
        let name = json!({ "displayName": format!("Shared {number}") });
        shared.push(scene.group(&name, &[]).await);
    }
    let crowd = Arc::new(Crowd { scene, users, shared });
    let tasks = TaskTracker::new();
    let all: Vec<_> = (0..TASKS).map(|number| tasks.spawn(work(crowd.clone(), number))).collect();
    for task in all {
        task.await.unwrap();
    }

    let Crowd { scene, users, shared } = &*crowd;
    let rows = by_rows(scene).await;
    assert_eq!(by_changes(scene).await, rows);
    assert_eq!(broken(scene).await, Vec::<String>::new());
    for (number, user) in users.iter().enumerate().take(TASKS) {
        assert!(rows.contains(&format!("{} {user}", shared[number % 4])), "{number} was lost");
        assert!(
            !rows.contains(&format!("{} {user}", shared[number % 4 + 4])),
            "{number} came back"
        );
    }
}
