//! The manager of a user: kept as it was sent, and named where it is a user of the tenant.

use crate::support::{BASE, Scene, asked};
use serde_json::json;

#[tokio::test]
async fn a_manager_is_named_by_its_own_row() {
    let scene = Scene::new().await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let boss = scene.user(&json!({ "userName": "boss" })).await;
    let body = |manager: &str| {
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise], "userName": "ada",
                enterprise: { "manager": { "value": manager } } })
    };
    let made = scene.create(&body(&boss)).await.unwrap();
    let named = |user: &directory::StoredUser| user.manager.clone().map(|m| (m.id, m.display));
    assert_eq!(named(&made.user), Some((boss.clone(), "boss".to_owned())));
    let ada = made.user.id;
    scene.replace(&boss, &json!({ "userName": "boss", "displayName": "The Boss" })).await.unwrap();
    let read = scene.scoped.user(&ada, BASE).await.unwrap();
    assert_eq!(named(&read), Some((boss.clone(), "The Boss".to_owned())));

    for (filter, found) in [
        (format!("manager eq \"{boss}\""), true),
        (format!("id eq \"{ada}\" and manager eq \"{boss}\""), true),
        (format!("{enterprise}:manager.value eq \"{}\"", boss.to_uppercase()), true),
        (format!("{enterprise}:manager.displayName eq \"the boss\""), true),
        (format!("{enterprise}:manager.displayName co \"nobody\""), false),
        (format!("{enterprise}:manager.displayName pr"), true),
        (format!("{enterprise}:manager[displayName sw \"THE\" and value eq \"{boss}\"]"), true),
        (format!("{enterprise}:manager[not (displayName sw \"THE\")]"), false),
        (format!("{enterprise}:manager.$ref eq \"{BASE}/Users/{boss}\""), true),
        ("manager pr".to_owned(), true),
    ] {
        let expected: &[&str] = if found { &["ada"] } else { &[] };
        assert_eq!(scene.found(&filter).await, expected, "{filter}");
    }

    // Somebody who is not here is kept and has no name; a text longer than an id too.
    let long = "x".repeat(300);
    for stranger in ["nobody-here", &long] {
        let answer = scene.replace(&ada, &body(stranger)).await.unwrap();
        assert_eq!(named(&answer.user), None);
        let filter = format!("manager eq \"{stranger}\"");
        assert_eq!(scene.found(&filter).await, ["ada"], "{filter}");
        assert_eq!(
            scene.found(&format!("{enterprise}:manager.displayName pr")).await,
            Vec::<String>::new()
        );
    }
    let answer = scene.replace(&ada, &body(&boss)).await.unwrap();
    assert_eq!(named(&answer.user), Some((boss.clone(), "The Boss".to_owned())));
    scene.scoped.delete_user(&boss, |_| true, &asked("user.delete")).await.unwrap();
    assert_eq!(named(&scene.scoped.user(&ada, BASE).await.unwrap()), None);
}
