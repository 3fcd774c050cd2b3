//! The two populations of one tenant: they share a store and a tenant, and nothing else.

use crate::support::{BASE, NOW, Scene, asked, group, tenant, user};
use directory::{Asked, DecisionQuery, DirectoryError, Scoped, Start, Want};
use provisioning::Reason;
use region_router::Population;
use serde_json::json;
use std::sync::Arc;
use tenant_registry::Tenant;

/// A store, and in it the board of the tenant whose platform the scene is.
async fn both(tenant: Tenant) -> (Scene, Scoped) {
    let scene = Scene::of(tenant.clone()).await;
    let board = scene.directory.within_population(&Arc::new(tenant), Population::Board);
    (scene, board)
}

async fn names(scoped: &Scoped) -> (u64, Vec<String>) {
    let want = Want {
        condition: None,
        order: None,
        start: Start::Offset(0),
        limit: 10,
        base: BASE,
        groups: false,
        now: NOW,
    };
    let found = scoped.users(&want).await.unwrap();
    let names = found.resources.iter().map(|user| user.id.clone()).collect();
    (found.total.unwrap(), names)
}

async fn log(scoped: &Scoped) -> Vec<String> {
    let query = DecisionQuery { limit: 10, ..DecisionQuery::default() };
    let rows = scoped.decisions_page(&query).await.unwrap();
    rows.into_iter().rev().map(|row| format!("{} {}", row.operation, row.reason)).collect()
}

#[tokio::test]
async fn two_populations_see_nothing_of_each_other() {
    let (scene, board) = both(tenant('a')).await;
    assert_eq!(scene.scoped.population(), Population::Platform);
    assert_eq!(board.population(), Population::Board);

    let ada = scene.user(&json!({ "userName": "ada" })).await;
    // The same name is another person there.
    let twin = user(&json!({ "userName": "ADA" }));
    let other = board.create_user(&twin, &asked("user.create")).await.unwrap().user.id;
    board
        .create_group(&group(&json!({ "displayName": "Crew" })), &[], &asked("group.create"))
        .await
        .unwrap();

    assert_eq!(names(&scene.scoped).await, (1, vec![ada.clone()]));
    assert_eq!(names(&board).await, (1, vec![other.clone()]));
    assert_eq!(log(&scene.scoped).await, ["user.create user_created"]);
    assert_eq!(log(&board).await, ["user.create user_created", "group.create group_created"]);
    for (scoped, id) in [(&scene.scoped, &other), (&board, &ada)] {
        assert!(matches!(scoped.user(id, BASE).await, Err(DirectoryError::NotFound)));
        let delete = scoped.delete_user(id, |_| true, &asked("user.delete")).await;
        assert!(matches!(delete, Err(DirectoryError::NotFound)), "{delete:?}");
    }
    let keys = scene.store.texts("SELECT DISTINCT tenant_id FROM users ORDER BY tenant_id").await;
    assert_eq!(keys, ["ten_aaaaaaaaaaaaaaaa", "ten_aaaaaaaaaaaaaaaa+board"]);
}

#[tokio::test]
async fn a_switch_moves_no_rows() {
    let (scene, board) = both(tenant('a')).await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let switched = Tenant { population: Population::Board, ..tenant('a') };

    let now = scene.directory.within(&Arc::new(switched.clone()));
    assert_eq!(now.population(), Population::Board);
    now.create_user(&user(&json!({ "userName": "bob" })), &asked("user.create")).await.unwrap();

    assert_eq!(names(&board).await.0, 1);
    let left = scene.directory.within_population(&Arc::new(switched), Population::Platform);
    assert_eq!(names(&left).await, (1, vec![ada]));
}

#[tokio::test]
async fn each_population_has_its_own_seats_and_its_own_role() {
    let made = Tenant {
        seats: Some(1),
        platform_role: "editor".into(),
        board_role: "chair".into(),
        ..tenant('a')
    };
    let (scene, board) = both(made).await;
    scene.user(&json!({ "userName": "ada" })).await;
    board.create_user(&user(&json!({ "userName": "ada" })), &asked("user.create")).await.unwrap();

    for (scoped, said) in [(&scene.scoped, "1 of 1 platform seats"), (&board, "1 of 1 board seats")]
    {
        let full = user(&json!({ "userName": "bob" }));
        let refused = scoped.create_user(&full, &asked("user.create")).await.unwrap_err();
        let DirectoryError::Refused(refusal) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.reason, Reason::SeatsExhausted);
        assert!(refusal.detail.contains(said), "{}", refusal.detail);
    }
    let roles = scene.store.texts("SELECT role FROM users ORDER BY tenant_id").await;
    assert_eq!(roles, ["editor", "chair"]);
}

#[tokio::test]
async fn what_is_buffered_and_counted_is_each_populations_own() {
    let (scene, board) = both(tenant('a')).await;
    let mut of_board = asked("user.read");
    of_board.notes.met(scim_core::Quirk::StringBool);
    board.note_read(&of_board, Reason::UserRead, "User", None, "");
    scene.scoped.note_read(
        &Asked { operation: "user.list", ..asked("") },
        Reason::UsersListed,
        "User",
        None,
        "",
    );
    scene.directory.close().await.unwrap();

    let rows = "SELECT tenant_id || ' ' || operation FROM decisions ORDER BY tenant_id";
    assert_eq!(
        scene.store.texts(rows).await,
        ["ten_aaaaaaaaaaaaaaaa user.list", "ten_aaaaaaaaaaaaaaaa+board user.read"]
    );
    let counts = "SELECT tenant_id || ' ' || quirk FROM quirk_counts";
    assert_eq!(scene.store.texts(counts).await.len(), 1);
    assert!(scene.store.texts(counts).await[0].starts_with("ten_aaaaaaaaaaaaaaaa+board "));
}

#[tokio::test]
async fn a_position_in_one_populations_list_is_none_in_the_others() {
    let (scene, board) = both(tenant('a')).await;
    for number in 0..6 {
        scene.user(&json!({ "userName": format!("p{number}") })).await;
        if number < 4 {
            let body = user(&json!({ "userName": format!("b{number}") }));
            board.create_user(&body, &asked("user.create")).await.unwrap();
        }
    }
    let page = |offset| Want {
        condition: None,
        order: None,
        start: Start::Offset(offset),
        limit: 2,
        base: BASE,
        groups: false,
        now: NOW + std::time::Duration::from_secs(600),
    };
    let mut found = Vec::new();
    for offset in [0, 2, 4] {
        let ours = scene.scoped.users(&page(offset)).await.unwrap();
        let theirs = board.users(&page(offset)).await.unwrap();
        found.push((ours.resources.len(), ours.total, theirs.resources.len(), theirs.total));
    }
    assert_eq!(
        found,
        [2, 2, 2]
            .into_iter()
            .zip([2, 2, 0])
            .map(|(a, b)| (a, Some(6), b, Some(4)))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn history_of_both_populations_is_purged() {
    let (scene, board) = both(tenant('a')).await;
    for scoped in [&scene.scoped, &board] {
        let made = user(&json!({ "userName": "ada" }));
        let id = scoped.create_user(&made, &asked("user.create")).await.unwrap().user.id;
        scoped.delete_user(&id, |_| true, &asked("user.delete")).await.unwrap();
    }
    let later = NOW + std::time::Duration::from_secs(3600);
    scene.directory.purge(later, later, later).await.unwrap();

    let left = "SELECT id FROM decisions UNION ALL SELECT id FROM tombstones UNION ALL SELECT resource_id FROM changes";
    assert_eq!(scene.store.texts(left).await, Vec::<String>::new());
}
