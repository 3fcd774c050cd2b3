//! What operators do to people: once, with a seat, under the id that was there.

use crate::support::{BASE, NOW, Scene, asked, tenant};
use directory::{Action, Asked, DirectoryError, Once, Run, Start, UserAnswer, Want};
use provisioning::Reason;
use serde_json::{Value, json};
use std::time::Duration;

async fn act(scene: &Scene, id: &str, action: Action) -> Result<UserAnswer, DirectoryError> {
    run(scene, id, action, Run::default()).await
}

async fn run(
    scene: &Scene,
    id: &str,
    action: Action,
    run: Run,
) -> Result<UserAnswer, DirectoryError> {
    let operation = match action {
        Action::Deactivate => "user.deactivate",
        Action::Restore => "user.restore",
        Action::Unlink => "user.unlink",
    };
    let asked = Asked { key_id: "operator:alice".into(), ..asked(operation) };
    scene.scoped.act(id, BASE, action, run, &asked).await
}

fn reason(refused: Result<UserAnswer, DirectoryError>) -> Reason {
    let DirectoryError::Refused(refusal) = refused.unwrap_err() else { panic!("not refused") };
    refusal.reason
}

async fn delete(scene: &Scene, id: &str) {
    scene.scoped.delete_user(id, |_| true, &asked("user.delete")).await.unwrap();
}

async fn history(scene: &Scene) -> Vec<String> {
    let sql = "SELECT CAST(seq AS TEXT) || ' ' || kind || ': ' || changed || ' by ' || actor FROM changes ORDER BY resource_id, seq";
    scene.store.texts(sql).await
}

/// Users, seats and groups by the counters.
async fn tally(scene: &Scene) -> (u64, u64, u64) {
    let tally = scene.scoped.tally().await.unwrap();
    (tally.users, tally.active, tally.groups)
}

/// What no write may leave behind.
async fn assert_whole(scene: &Scene) {
    let sql = "SELECT c.resource_id FROM changes c WHERE NOT EXISTS (
                   SELECT 1 FROM outbox o WHERE o.tenant_id = c.tenant_id AND o.resource_id = c.resource_id AND o.seq = c.seq)
               UNION ALL SELECT u.id FROM users u JOIN tombstones t ON t.tenant_id = u.tenant_id AND t.id = u.id
               UNION ALL SELECT u.id FROM users u WHERE u.version <> (
                   SELECT max(c.seq) FROM changes c WHERE c.tenant_id = u.tenant_id AND c.resource_id = u.id)
               UNION ALL SELECT u.id FROM users u WHERE u.version <> (
                   SELECT count(*) FROM changes c WHERE c.tenant_id = u.tenant_id AND c.resource_id = u.id)";
    assert_eq!(scene.store.texts(sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_deactivated_person_frees_a_seat_and_is_restored_into_one() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;

    let answer = act(&scene, &ada, Action::Deactivate).await.unwrap();
    assert_eq!(
        (answer.reason, answer.user.active, answer.user.version),
        (Reason::UserDeactivated, false, 2)
    );
    assert_eq!(tally(&scene).await, (1, 0, 0));
    let again = act(&scene, &ada, Action::Deactivate).await.unwrap();
    assert_eq!((again.reason, again.user.version), (Reason::UserUnchanged, 2));

    let bob = scene.user(&json!({ "userName": "bob" })).await;
    assert_eq!(reason(act(&scene, &ada, Action::Restore).await), Reason::SeatsExhausted);
    act(&scene, &bob, Action::Deactivate).await.unwrap();
    let back = act(&scene, &ada, Action::Restore).await.unwrap();
    assert_eq!((back.reason, back.user.active, back.user.version), (Reason::UserRestored, true, 3));
    let doc: Value = serde_json::from_str(&back.user.doc).unwrap();
    assert_eq!(doc["active"], true);

    assert_eq!(tally(&scene).await, (2, 1, 0));
    assert_eq!(
        history(&scene).await,
        [
            "1 user.created: active userName by key-1",
            "2 user.deactivated: active by operator:alice",
            "3 user.reactivated: active by operator:alice",
            "1 user.created: active userName by key-1",
            "2 user.deactivated: active by operator:alice",
        ]
    );
    let log = "SELECT operation || ' ' || outcome || ' ' || reason FROM decisions WHERE key_id = 'operator:alice' ORDER BY id";
    assert_eq!(
        scene.store.texts(log).await,
        [
            "user.deactivate done user_deactivated",
            "user.deactivate unchanged user_unchanged",
            "user.deactivate done user_deactivated",
            "user.restore done user_restored",
        ]
    );
    assert_whole(&scene).await;
}

#[tokio::test]
async fn a_deleted_person_comes_back_under_the_same_id() {
    let made = tenant_registry::Tenant { platform_role: "editor".into(), ..tenant('a') };
    let scene = Scene::of(made).await;
    let body = json!({ "userName": "Ada", "externalId": "x1", "title": "Countess",
        "emails": [{ "value": "ada@example.com", "type": "work" }] });
    let ada = scene.user(&body).await;
    scene.group(&json!({ "displayName": "Crew" }), &[&ada]).await;
    let before = scene.scoped.user(&ada, BASE).await.unwrap();
    delete(&scene, &ada).await;
    // The role is the person's, not that of whoever would come new.
    let now = tenant_registry::Tenant { platform_role: "viewer".into(), ..tenant('a') };
    let scoped = scene.directory.within(&std::sync::Arc::new(now));
    let later = Asked { now: NOW + Duration::from_secs(60), ..asked("user.restore") };

    let back = scoped.act(&ada, BASE, Action::Restore, Run::default(), &later).await.unwrap();

    assert_eq!(back.reason, Reason::UserRestored);
    let user = scene.scoped.user(&ada, BASE).await.unwrap();
    for user in [&user, &back.user] {
        assert_eq!((&user.id, &user.doc, user.version), (&ada, &before.doc, 3));
        assert_eq!(user.created_at, before.created_at);
        assert!(user.active && user.groups.is_none());
    }
    assert_eq!(scene.store.texts("SELECT role FROM users").await, ["editor"]);
    assert_eq!(scene.store.texts("SELECT email_key FROM user_emails").await, ["ada@example.com"]);
    assert_eq!(scene.store.texts("SELECT id FROM tombstones").await, Vec::<String>::new());
    assert_eq!(tally(&scene).await, (1, 1, 1));
    let kinds = "SELECT CAST(seq AS TEXT) || ' ' || kind FROM changes WHERE resource_type = 'User' ORDER BY seq";
    assert_eq!(
        scene.store.texts(kinds).await,
        ["1 user.created", "2 user.deleted", "3 user.restored"]
    );
    // It can be written, deleted and brought back again.
    scene.replace(&ada, &json!({ "userName": "ada" })).await.unwrap();
    delete(&scene, &ada).await;
    assert_eq!(act(&scene, &ada, Action::Restore).await.unwrap().user.version, 6);
    assert_whole(&scene).await;
}

#[tokio::test]
async fn a_person_comes_back_as_it_was_deleted_and_takes_a_seat_only_when_active() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    act(&scene, &ada, Action::Deactivate).await.unwrap();
    delete(&scene, &ada).await;
    let bob = scene.user(&json!({ "userName": "bob" })).await;
    let back = act(&scene, &ada, Action::Restore).await.unwrap();
    assert!(!back.user.active);

    delete(&scene, &bob).await;
    let cy = scene.user(&json!({ "userName": "cy" })).await;
    assert_eq!(reason(act(&scene, &bob, Action::Restore).await), Reason::SeatsExhausted);
    delete(&scene, &cy).await;
    assert!(act(&scene, &bob, Action::Restore).await.unwrap().user.active);
    assert_eq!(tally(&scene).await, (2, 1, 0));
    assert_whole(&scene).await;
}

#[tokio::test]
async fn a_name_that_was_taken_since_is_refused_before_seats() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    delete(&scene, &ada).await;
    let other = scene.user(&json!({ "userName": "ADA" })).await;

    assert_eq!(reason(act(&scene, &ada, Action::Restore).await), Reason::UserNameTaken);
    assert_eq!(tally(&scene).await, (1, 1, 0));
    delete(&scene, &other).await;
    act(&scene, &ada, Action::Restore).await.unwrap();
    assert_eq!(reason(act(&scene, &other, Action::Restore).await), Reason::UserNameTaken);
    assert_whole(&scene).await;
}

#[tokio::test]
async fn an_unlinked_person_loses_the_providers_id_and_nothing_else() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada", "externalId": "x1", "title": "-" })).await;

    let answer = act(&scene, &ada, Action::Unlink).await.unwrap();
    assert_eq!((answer.reason, answer.user.version), (Reason::UserUnlinked, 2));
    let doc: Value = serde_json::from_str(&answer.user.doc).unwrap();
    assert_eq!(doc.get("externalId"), None);
    assert_eq!(doc["title"], "-");
    let left = "SELECT id FROM users WHERE external_id IS NOT NULL";
    assert_eq!(scene.store.texts(left).await, Vec::<String>::new());
    let again = act(&scene, &ada, Action::Unlink).await.unwrap();
    assert_eq!(again.reason, Reason::UserUnchanged);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_and_writes_nothing() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let gone = scene.user_deleted(&json!({ "userName": "bob", "active": false })).await;
    let dry = || Run { dry: true, once: Some(once(1, 1)), ..Run::default() };
    let before = (history(&scene).await, scene.store.texts("SELECT id FROM decisions").await);

    let answer = run(&scene, &ada, Action::Deactivate, dry()).await.unwrap();
    assert_eq!(
        (answer.reason, answer.user.active, answer.user.version),
        (Reason::UserDeactivated, false, 2)
    );
    let answer = run(&scene, &gone, Action::Restore, dry()).await.unwrap();
    assert_eq!((answer.reason, answer.user.version), (Reason::UserRestored, 3));
    let answer = run(&scene, &ada, Action::Unlink, dry()).await.unwrap();
    assert_eq!(answer.reason, Reason::UserUnchanged);
    let full = scene.user_inactive(&json!({ "userName": "cy" })).await;
    assert_eq!(reason(run(&scene, &full, Action::Restore, dry()).await), Reason::SeatsExhausted);

    delete(&scene, &full).await;
    assert!(scene.scoped.user(&ada, BASE).await.unwrap().active);
    assert!(matches!(scene.scoped.user(&gone, BASE).await, Err(DirectoryError::NotFound)));
    let ours = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| line.contains("alice")).collect()
    };
    assert_eq!(ours(history(&scene).await), ours(before.0));
    assert_eq!(scene.store.texts("SELECT id FROM decisions").await.len(), before.1.len() + 2);
    assert_eq!(scene.store.texts("SELECT key FROM idempotency").await, Vec::<String>::new());
}

#[tokio::test]
async fn another_version_than_expected_is_refused() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let expecting = |version| Run { expected: Some(version), ..Run::default() };
    let refused = run(&scene, &ada, Action::Deactivate, expecting(2)).await;
    assert!(matches!(refused, Err(DirectoryError::VersionMismatch)), "{refused:?}");
    run(&scene, &ada, Action::Deactivate, expecting(1)).await.unwrap();
    delete(&scene, &ada).await;
    let refused = run(&scene, &ada, Action::Restore, expecting(2)).await;
    assert!(matches!(refused, Err(DirectoryError::VersionMismatch)), "{refused:?}");
    run(&scene, &ada, Action::Restore, expecting(3)).await.unwrap();
}

#[tokio::test]
async fn nobody_is_acted_on_who_is_not_there() {
    let scene = Scene::new().await;
    scene.user(&json!({ "userName": "ada" })).await;
    let gone = scene.user_deleted(&json!({ "userName": "bob" })).await;
    for (id, action) in [
        ("nobody", Action::Deactivate),
        ("nobody", Action::Restore),
        (gone.as_str(), Action::Deactivate),
        (gone.as_str(), Action::Unlink),
    ] {
        let refused = act(&scene, id, action).await;
        assert!(matches!(refused, Err(DirectoryError::NotFound)), "{action:?} {refused:?}");
    }
}

fn once(key: u8, body: u8) -> Once {
    Once { key: [key; 32], body: [body; 32] }
}

#[tokio::test]
async fn a_repeated_request_is_done_once_and_answered_alike() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let with = |once| Run { once: Some(once), ..Run::default() };

    run(&scene, &ada, Action::Deactivate, with(once(1, 1))).await.unwrap();
    act(&scene, &ada, Action::Restore).await.unwrap();
    let again = run(&scene, &ada, Action::Deactivate, with(once(1, 1))).await.unwrap();
    assert_eq!((again.user.active, again.user.version, again.is_repeated), (false, 2, true));
    let reused = run(&scene, &ada, Action::Deactivate, with(once(1, 2))).await;
    assert!(matches!(reused, Err(DirectoryError::OnceReused)), "{reused:?}");
    // One that changed nothing is remembered too.
    run(&scene, &ada, Action::Restore, with(once(2, 1))).await.unwrap();
    act(&scene, &ada, Action::Deactivate).await.unwrap();
    let again = run(&scene, &ada, Action::Restore, with(once(2, 1))).await.unwrap();
    assert!(again.user.active && again.is_repeated);

    // A day later the key is free.
    let later = Asked { now: NOW + Duration::from_hours(25), ..asked("user.restore") };
    let again = scene.scoped.act(&ada, BASE, Action::Restore, with(once(2, 9)), &later).await;
    assert!(again.unwrap().user.active);
    scene.directory.purge(later.now, NOW, NOW).await.unwrap();
    assert_eq!(scene.store.texts("SELECT key FROM idempotency").await.len(), 1);
    assert_whole(&scene).await;
}

#[tokio::test]
async fn of_requests_with_one_key_at_once_one_is_done() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let bob = scene.user(&json!({ "userName": "bob" })).await;
    let tasks = (0..8).map(|number| {
        let id = if number % 2 == 0 { &ada } else { &bob };
        let run_ = Run { once: Some(once(1, 1)), ..Run::default() };
        run(&scene, id, Action::Deactivate, run_)
    });
    let done = futures_util::future::join_all(tasks).await;

    let ids: std::collections::BTreeSet<String> =
        done.into_iter().map(|answer| answer.unwrap().user.id).collect();
    assert_eq!(ids.len(), 1, "all were answered with the one that was done");
    assert_eq!(tally(&scene).await, (2, 1, 0));
    assert_whole(&scene).await;
}

#[tokio::test]
async fn whoever_brings_the_same_person_back_at_once_finds_it_there() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user_deleted(&json!({ "userName": "ada" })).await;
    let tasks = (0..8).map(|_| act(&scene, &ada, Action::Restore));
    let done = futures_util::future::join_all(tasks).await;

    let mut reasons: Vec<Reason> = done.into_iter().map(|answer| answer.unwrap().reason).collect();
    reasons.sort_unstable();
    let unchanged = reasons.iter().filter(|reason| **reason == Reason::UserUnchanged).count();
    assert_eq!((reasons.len(), unchanged), (8, 7), "{reasons:?}");
    assert_eq!(tally(&scene).await, (1, 1, 0));
    assert_whole(&scene).await;
}

#[tokio::test]
async fn a_name_is_given_to_one_of_those_who_want_it_at_once() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let ada = scene.user_deleted(&json!({ "userName": "ada" })).await;
        let body = json!({ "userName": "Ada" });
        let (made, back) = tokio::join!(scene.create(&body), act(&scene, &ada, Action::Restore));
        assert!(made.is_ok() != back.is_ok(), "{made:?} {back:?}");
        let refused = made.err().or(back.err()).unwrap();
        let DirectoryError::Refused(refusal) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.reason, Reason::UserNameTaken);
        let left = scene.store.texts("SELECT id FROM users").await;
        assert_eq!(left.len(), 1);
        delete(&scene, &left[0]).await;
        assert_whole(&scene).await;
    }
}

#[tokio::test]
async fn a_position_of_a_list_moves_when_someone_comes_back() {
    let scene = Scene::new().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(scene.user(&json!({ "userName": format!("p{number}") })).await);
    }
    delete(&scene, &ids[0]).await;
    let page = Want {
        condition: None,
        order: None,
        start: Start::Offset(2),
        limit: 2,
        base: BASE,
        groups: false,
        now: NOW + Duration::from_secs(600),
    };
    let first = async || -> Vec<String> {
        let found = scene.scoped.users(&page).await.unwrap();
        found.resources.into_iter().map(|user| user.id).collect()
    };
    assert_eq!(first().await, ids[3..5]);
    act(&scene, &ids[0], Action::Restore).await.unwrap();
    assert_eq!(first().await, ids[2..4]);
}

#[tokio::test]
async fn the_history_of_whoever_came_back_outlives_the_time_of_the_deleted() {
    let scene = Scene::new().await;
    let ada = scene.user_deleted(&json!({ "userName": "ada" })).await;
    let bob = scene.user_deleted(&json!({ "userName": "bob" })).await;
    act(&scene, &ada, Action::Restore).await.unwrap();
    let later = NOW + Duration::from_secs(3600);
    scene.directory.purge(later, NOW, later).await.unwrap();

    assert_eq!(history(&scene).await.len(), 3);
    assert!(matches!(act(&scene, &bob, Action::Restore).await, Err(DirectoryError::NotFound)));
}

#[tokio::test]
async fn nothing_is_done_to_a_fenced_tenant() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let gone = scene.user_deleted(&json!({ "userName": "bob" })).await;
    scene.store.run("UPDATE tenants SET state = 'frozen'").await;
    for (id, action) in [(&ada, Action::Deactivate), (&gone, Action::Restore)] {
        for dry in [false, true] {
            let refused = run(&scene, id, action, Run { dry, ..Run::default() }).await;
            assert!(matches!(refused, Err(DirectoryError::Fenced)), "{refused:?}");
        }
    }
}
