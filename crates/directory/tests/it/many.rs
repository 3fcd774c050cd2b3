//! Ten thousand of one thing, in a store that has no statistics yet.

use crate::nested::change;
use crate::support::{Scene, asked};
use directory::GroupChange;
use scim_core::{Document, Group, Tolerance};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What `limits.json_array_values` allows.
const MANY: usize = 10_000;
/// Far below the time that a statement has, and far above what it takes.
const SOON: Duration = Duration::from_secs(3);

/// Makes sure that PostgreSQL learns nothing of a table while the test runs.
async fn without_statistics(scene: &Scene, table: &str) {
    if !scene.store.is_sqlite() {
        scene.store.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = false)")).await;
    }
}

#[tokio::test]
async fn ten_thousand_emails_are_replaced_soon() {
    let scene = Scene::new().await;
    without_statistics(&scene, "user_emails").await;
    let emails: Vec<Value> =
        (0..MANY).map(|n| json!({ "value": format!("{n}@x.example") })).collect();
    let ada = scene.user(&json!({ "userName": "ada", "emails": emails })).await;
    // Of others there are as many.
    scene.user(&json!({ "userName": "bob", "emails": emails })).await;

    let begun = Instant::now();
    let one = json!([{ "value": "new@x.example" }, { "value": "7@x.example" }]);
    scene.replace(&ada, &json!({ "userName": "ada", "emails": one })).await.unwrap();

    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let left = format!("SELECT email_key FROM user_emails WHERE user_id = '{ada}' ORDER BY 1");
    assert_eq!(scene.store.texts(&left).await, ["7@x.example", "new@x.example"]);
    let others = "SELECT CAST(count(*) AS text) FROM user_emails";
    assert_eq!(scene.store.texts(others).await, [(MANY + 2).to_string()]);
}

#[tokio::test]
async fn ten_thousand_members_are_removed_soon_whether_by_one_statement_or_by_several() {
    let scene = Scene::new().await;
    for table in ["users", "members"] {
        without_statistics(&scene, table).await;
    }
    let tenant = scene.scoped_tenant();
    let ids: Vec<String> = (0..MANY).map(|n| format!("id-{n:05}")).collect();
    let json = if scene.store.is_sqlite() { "" } else { "::jsonb" };
    for some in ids.chunks(1_000) {
        let rows: Vec<String> = some
            .iter()
            .map(|id| {
                format!("('{tenant}', '{id}', '{id}', '{id}', 1, 'member', '{{\"userName\":\"{id}\"}}', '{{}}'{json}, 1, 0, 0)")
            })
            .collect();
        scene
            .store
            .run(&format!(
                "INSERT INTO users (tenant_id, id, user_name_key, display, active, role, doc, search, version, created_at, updated_at) VALUES {}",
                rows.join(", ")
            ))
            .await;
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (gone, kept) = all.split_at(MANY - 1);
    for (name, steps) in [
        ("one", vec![change(false, &[], gone)]),
        ("several", vec![change(false, &[kept[0]], &[]), change(false, &[], gone)]),
    ] {
        let group = scene.group(&json!({ "displayName": name }), &all).await;
        let begun = Instant::now();
        let alter = |document: &Document, asked: &mut directory::Asked| {
            let tolerance = Tolerance::default();
            let group = Group::from_document(document.clone(), &tolerance, &mut asked.notes)?;
            Ok(GroupChange { group, members: steps.clone() })
        };
        let mut asked = asked("group.patch");
        scene.scoped.change_group(&group, |_| true, alter, &mut asked).await.unwrap();

        assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
        let left = format!("SELECT member_id FROM members WHERE group_id = '{group}'");
        assert_eq!(scene.store.texts(&left).await, kept);
    }
}
