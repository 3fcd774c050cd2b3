//! Writes of nodes that have not heard of what the registry decided.

use crate::support::{NOW, Scene, asked, group, tenant, user};
use directory::{DirectoryError, Scoped};
use serde_json::json;
use std::sync::Arc;
use tenant_registry::Tenant;

/// The tenant as a node sees it that knows changes up to this one.
fn as_of(scene: &Scene, version: i64) -> Scoped {
    scene.directory.within(&Arc::new(Tenant { version, ..tenant('a') }))
}

async fn create(scoped: &Scoped, name: &str) -> Result<String, DirectoryError> {
    let made = scoped.create_user(&user(&json!({ "userName": name })), &asked("user.create")).await;
    made.map(|answer| answer.user.id)
}

#[tokio::test]
async fn a_fence_stops_every_write_of_whoever_has_not_heard() {
    let scene = Scene::new().await;
    let (stale, fresh) = (as_of(&scene, 5), as_of(&scene, 8));
    let ada = create(&stale, "ada").await.unwrap();
    as_of(&scene, 7).fence(NOW).await.unwrap();

    let is_fenced = |outcome: Result<(), DirectoryError>| {
        assert!(matches!(outcome, Err(DirectoryError::Fenced)), "{outcome:?}");
    };
    is_fenced(create(&stale, "bob").await.map(drop));
    is_fenced(stale.delete_user(&ada, |_| true, &asked("user.delete")).await);
    let team = group(&json!({ "displayName": "Team" }));
    is_fenced(stale.create_group(&team, &[], &asked("group.create")).await.map(drop));
    // Whoever made the change knows it, and has other reasons not to write.
    is_fenced(create(&as_of(&scene, 7), "bob").await.map(drop));

    // Whoever knows a later one takes the fence away, whichever way it writes.
    fresh.delete_user(&ada, |_| true, &asked("user.delete")).await.unwrap();
    create(&stale, "bob").await.unwrap();
    as_of(&scene, 9).fence(NOW).await.unwrap();
    is_fenced(create(&fresh, "eve").await.map(drop));
    // One that comes late does not lower it.
    as_of(&scene, 7).fence(NOW).await.unwrap();
    is_fenced(create(&fresh, "eve").await.map(drop));
    create(&as_of(&scene, 10), "eve").await.unwrap();
}
