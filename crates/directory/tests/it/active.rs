//! Whether a person may use the product: what the column says, the document says.

use crate::support::{BASE, NOW, Scene, asked};
use directory::{Action, Run, Start, StoredUser, Want};
use scim_core::{Attributes, Document, User};
use serde_json::{Value, json};

/// Takes `active` out of the stored documents, as an earlier version did when a client had removed it.
async fn forget(scene: &Scene, table: &str) {
    let said = r#"replace(replace(doc, '"active":false,', ''), '"active":true,', '')"#;
    scene.store.run(&format!("UPDATE {table} SET doc = {said}")).await;
    let left = scene.store.texts(&format!("SELECT doc FROM {table}")).await;
    assert!(!left.is_empty() && left.iter().all(|doc| !doc.contains("active\":")), "{left:?}");
}

fn said(user: &StoredUser) -> (bool, Option<Value>) {
    (user.active, Document::stored(&user.doc).unwrap().get("active").cloned())
}

#[tokio::test]
async fn an_older_document_without_active_says_what_is_in_force() {
    let scene = Scene::new().await;
    // An attribute that comes before it in the document.
    let work = json!([{ "type": "work", "locality": "London" }]);
    let body = |name: &str| json!({ "userName": name, "addresses": work });
    let off = scene.user_inactive(&body("ada")).await;
    let on = scene.user(&body("bob")).await;
    forget(&scene, "users").await;

    for (id, active) in [(&off, false), (&on, true)] {
        let user = scene.scoped.user(id, BASE).await.unwrap();
        assert_eq!(said(&user), (active, Some(json!(active))));
    }
    let want = Want {
        condition: None,
        order: None,
        start: Start::Offset(0),
        limit: 10,
        base: BASE,
        groups: false,
        now: NOW,
    };
    let listed = scene.scoped.users(&want).await.unwrap().resources;
    assert_eq!(listed.iter().map(|user| user.active).collect::<Vec<_>>(), [false, true]);
    assert!(listed.iter().all(|user| said(user).1 == Some(json!(user.active))));
    // A change of something else writes it down.
    let title = |old: &Document, _: &mut directory::Asked| {
        let mut new = old.clone();
        new.set("title", json!("x"));
        Ok(User::from_document(new, &Default::default(), &mut Default::default())?)
    };
    let mut asked = asked("user.patch");
    let changed = scene.scoped.change_user(&off, BASE, |_| true, title, &mut asked).await.unwrap();
    assert_eq!(said(&changed.user), (false, Some(json!(false))));
    let doc = scene.store.texts(&format!("SELECT doc FROM users WHERE id = '{off}'")).await;
    assert!(doc[0].contains("\"active\":false"), "{doc:?}");
    let changes = "SELECT changed FROM changes WHERE kind = 'user.updated'";
    assert_eq!(scene.store.texts(changes).await, ["title"]);
}

#[tokio::test]
async fn a_change_that_takes_active_away_writes_down_what_is_in_force() {
    let scene = Scene::with_seats(Some(1)).await;
    let ada = scene.user_inactive(&json!({ "userName": "ada" })).await;
    let without = |old: &Document, _: &mut directory::Asked| {
        let mut new = old.clone();
        new.set("active", Value::Null);
        new.set("title", json!("x"));
        Ok(User::from_document(new, &Default::default(), &mut Default::default())?)
    };
    let mut asked = asked("user.patch");
    let changed = scene.scoped.change_user(&ada, BASE, |_| true, without, &mut asked).await;
    assert_eq!(said(&changed.unwrap().user), (false, Some(json!(false))));
    let search = scene.store.texts("SELECT CAST(search AS text) FROM users").await;
    let search: Attributes =
        serde_json::from_str::<serde_json::Map<_, _>>(&search[0]).unwrap().into();
    assert_eq!(search.get("active"), Some(&json!(false)));
}

#[tokio::test]
async fn who_comes_back_from_an_older_tombstone_is_what_it_was() {
    let scene = Scene::new().await;
    for active in [false, true] {
        let body = json!({ "userName": format!("ada-{active}"), "active": active });
        let id = scene.user_deleted(&body).await;
        forget(&scene, "tombstones").await;
        let run = Run::default();
        let back = scene.scoped.act(&id, BASE, Action::Restore, run, &asked("user.act")).await;
        assert_eq!(said(&back.unwrap().user), (active, Some(json!(active))));
    }
}
