//! What a write leaves behind: a change without a gap in its numbers, its outbox row, its decision; a refusal only that.

use crate::support::{BASE, Scene, asked, group};
use directory::{Asked, DecisionQuery, DirectoryError, GroupChange};
use scim_core::{Document, Member, MemberStep};
use serde_json::{Value, json};

/// `resource_type seq kind: changed` of every change, a resource at a time.
async fn changes(scene: &Scene) -> Vec<String> {
    let sql = "SELECT resource_type || ' ' || seq || ' ' || kind || ': ' || changed FROM changes ORDER BY resource_type DESC, resource_id, seq";
    scene.store.texts(sql).await
}

/// Changes without their outbox row, outbox rows without their change, and gaps in numbers.
async fn unmatched(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for sql in [
        "SELECT c.resource_id || ' has no outbox row for ' || c.seq FROM changes c WHERE NOT EXISTS (
             SELECT 1 FROM outbox o WHERE o.tenant_id = c.tenant_id AND o.resource_type = c.resource_type AND o.resource_id = c.resource_id AND o.seq = c.seq)",
        "SELECT o.resource_id || ' has no change ' || o.seq FROM outbox o WHERE NOT EXISTS (
             SELECT 1 FROM changes c WHERE o.tenant_id = c.tenant_id AND o.resource_type = c.resource_type AND o.resource_id = c.resource_id AND o.seq = c.seq)",
        "SELECT resource_id || ' has a gap' FROM changes GROUP BY tenant_id, resource_type, resource_id HAVING min(seq) <> 1 OR max(seq) <> count(*)",
        "SELECT u.id || ' is at another version than its changes' FROM users u WHERE u.version <> (SELECT max(seq) FROM changes c WHERE c.resource_id = u.id)",
        "SELECT g.id || ' is at another version than its changes' FROM groups g WHERE g.version <> (SELECT max(seq) FROM changes c WHERE c.resource_id = g.id)",
    ] {
        found.extend(scene.store.texts(sql).await);
    }
    found
}

/// `operation outcome reason` of every decision.
async fn decisions(scene: &Scene) -> Vec<String> {
    let query = DecisionQuery { limit: 1_000, ..DecisionQuery::default() };
    let rows = scene.scoped.decisions_page(&query).await.unwrap();
    rows.iter()
        .rev()
        .map(|row| format!("{} {} {}", row.operation, row.outcome, row.reason))
        .collect()
}

#[tokio::test]
async fn the_life_of_a_user_is_numbered_without_a_gap() {
    let scene = Scene::new().await;
    let id = scene.user(&json!({ "userName": "ada", "title": "Countess" })).await;
    for body in [
        json!({ "userName": "ada", "title": "Analyst" }),
        json!({ "userName": "ada", "title": "Analyst" }),
        json!({ "userName": "ada", "title": "Analyst", "active": false }),
        json!({ "userName": "ADA", "active": true }),
    ] {
        scene.replace(&id, &body).await.unwrap();
    }
    scene.scoped.delete_user(&id, |_| true, &asked("user.delete")).await.unwrap();

    assert_eq!(
        changes(&scene).await,
        [
            "User 1 user.created: active title userName",
            "User 2 user.updated: title",
            "User 3 user.deactivated: active",
            "User 4 user.reactivated: active title userName",
            "User 5 user.deleted: ",
        ]
    );
    assert_eq!(
        decisions(&scene).await,
        [
            "user.create done user_created",
            "user.replace done user_updated",
            "user.replace unchanged user_unchanged",
            "user.replace done user_deactivated",
            "user.replace done user_reactivated",
            "user.delete done user_deleted",
        ]
    );
    assert_eq!(unmatched(&scene).await, Vec::<String>::new());
}

#[tokio::test]
async fn more_emails_than_the_index_holds_come_and_go_with_their_changes() {
    let scene = Scene::new().await;
    let mails = |range: std::ops::Range<u32>| -> Vec<Value> {
        range.map(|n| json!({ "value": format!("ada{n:02}@example.com") })).collect()
    };
    let id = scene.user(&json!({ "userName": "ada", "emails": mails(0..12) })).await;
    for range in [0..11, 3..12, 0..12, 11..12, 0..1] {
        scene.replace(&id, &json!({ "userName": "ada", "emails": mails(range) })).await.unwrap();
        assert_eq!(unmatched(&scene).await, Vec::<String>::new());
    }

    assert_eq!(changes(&scene).await.len(), 6);
    assert_eq!(decisions(&scene).await.len(), 6);
}

#[tokio::test]
async fn a_refused_write_leaves_no_change() {
    let scene = Scene::with_seats(Some(1)).await;
    scene.user(&json!({ "userName": "ada" })).await;
    let before = changes(&scene).await;
    for name in ["ADA", "bob"] {
        let refused = scene.create(&json!({ "userName": name })).await.unwrap_err();
        assert!(matches!(refused, DirectoryError::Refused(_)), "{refused:?}");
    }
    let members = [Member { id: "nobody".into(), kind: None }];
    let make = group(&json!({ "displayName": "Crew" }));
    let refused =
        scene.scoped.create_group(&make, &members, &asked("group.create")).await.unwrap_err();
    assert!(matches!(refused, DirectoryError::Refused(_)), "{refused:?}");

    assert_eq!(changes(&scene).await, before);
    assert_eq!(scene.store.texts("SELECT id FROM groups").await, Vec::<String>::new());
    assert_eq!(unmatched(&scene).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_group_numbers_its_own_changes_and_those_of_its_members() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let bob = scene.user(&json!({ "userName": "bob" })).await;
    let id = scene.group(&json!({ "displayName": "Crew" }), &[&ada]).await;
    let member = |id: &str| Member { id: id.to_owned(), kind: None };
    let add = |ids: &[&str]| MemberStep::Change {
        clear: false,
        add: ids.iter().map(|id| member(id)).collect(),
        remove: Vec::new(),
    };
    for (name, steps) in [
        ("Crew", vec![add(&[&ada, &bob])]),
        ("Crew", vec![add(&[&ada, &bob])]),
        ("Crew 2", vec![]),
        (
            "Crew 3",
            vec![MemberStep::Change { clear: true, add: vec![member(&bob)], remove: vec![] }],
        ),
    ] {
        let new = group(&json!({ "displayName": name }));
        let alter = |_: &Document, _: &mut Asked| {
            Ok(GroupChange { group: new.clone(), members: steps.clone() })
        };
        scene.scoped.change_group(&id, |_| true, alter, &mut asked("group.patch")).await.unwrap();
    }
    scene.scoped.delete_user(&bob, |_| true, &asked("user.delete")).await.unwrap();
    scene.scoped.delete_group(&id, |_| true, &asked("group.delete")).await.unwrap();

    let of_group: Vec<String> =
        changes(&scene).await.into_iter().filter(|line| line.starts_with("Group")).collect();
    assert_eq!(
        of_group,
        [
            "Group 1 group.created: displayName members",
            "Group 2 group.members_changed: members",
            "Group 3 group.updated: displayName",
            "Group 4 group.updated: displayName members",
            "Group 5 group.members_changed: members",
            "Group 6 group.deleted: ",
        ]
    );
    assert_eq!(unmatched(&scene).await, Vec::<String>::new());
    assert_eq!(scene.store.texts("SELECT member_id FROM members").await, Vec::<String>::new());
    let tallies = scene.store.texts("SELECT CAST(sum(users) AS TEXT) || ' ' || CAST(sum(seats) AS TEXT) || ' ' || CAST(sum(groups) AS TEXT) FROM tallies").await;
    assert_eq!(tallies, ["1 1 0"]);
}

#[tokio::test]
async fn changes_that_meet_are_all_numbered() {
    let scene = Scene::new().await;
    let id = scene.user(&json!({ "userName": "ada", "title": "-" })).await;
    let scoped = scene.scoped.clone();
    let tasks = (0..6).map(|number| {
        let (scoped, id) = (scoped.clone(), id.clone());
        async move {
            let alter = move |old: &Document, _: &mut Asked| {
                let mut body = Value::Object(old.as_map().clone());
                body[["nickName", "title", "locale", "userType", "timezone", "displayName"]
                    [number]] = json!("new");
                Ok(crate::support::user(&body))
            };
            scoped.change_user(&id, BASE, |_| true, alter, &mut asked("user.patch")).await
        }
    });
    for done in futures_util::future::join_all(tasks).await {
        done.unwrap();
    }

    let user = scene.scoped.user(&id, BASE).await.unwrap();
    let doc: Value = serde_json::from_str(&user.doc).unwrap();
    for name in ["nickName", "title", "locale", "userType", "timezone", "displayName"] {
        assert_eq!(doc[name], "new", "{doc}");
    }
    assert_eq!(user.version, 7);
    assert_eq!(unmatched(&scene).await, Vec::<String>::new());
}
