//! Lists: page by page to the end, and filtered.

use super::walk::Scene;
use crate::support::tenant::encoded;
use gateway::admin::routes::endpoints;
use serde_json::{Value, json};

/// All of a list, by pages of this size.
async fn all(scene: &Scene, path: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = scene.api.get(&format!("{path}?limit={limit}{after}")).await;
        let data = page.data().clone();
        assert!(data.len() <= limit, "{path}");
        found.extend(data);
        match page.body["next_cursor"].as_str() {
            Some(cursor) => after = format!("&after={}", encoded(cursor)),
            None => return found,
        }
    }
    panic!("{path} has no end");
}

#[actix_web::test]
async fn every_list_is_the_same_by_pages_of_one_and_as_a_whole() {
    let scene = Scene::new().await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    for name in ["bob", "carol", "dave", "eve"] {
        scene.acme.user(name).await;
        scene.acme.group(name, &[]).await;
        scene
            .api
            .put(
                &format!("/admin/v1/plans/{name}"),
                &json!({ "directory_sync": true, "group_push": true }),
            )
            .await
            .assert(200);
    }
    for name in ["one", "two", "three"] {
        scene.api.post(&format!("{at}/tokens"), &json!({ "name": name })).await.assert(201);
        scene.api.post(&format!("{at}/oauth-clients"), &json!({ "name": name })).await.assert(201);
        let new = json!({ "slug": name, "name": name, "region": "eu", "population": "board", "profile": "open" });
        scene.api.post("/admin/v1/tenants", &new).await.assert(201);
    }
    let mut seen = 0;
    for endpoint in
        endpoints().filter(|endpoint| endpoint.query.iter().any(|param| param.name == "limit"))
    {
        let path = scene.path(endpoint);
        let whole = all(&scene, &path, 200).await;
        let single = all(&scene, &path, 1).await;
        let threes = all(&scene, &path, 3).await;
        assert_eq!((&single, &threes), (&whole, &whole), "{path}");
        assert!(whole.len() > 3 || endpoint.id == "connections.list", "{path}: {whole:?}");
        let usual = scene.api.get(&path).await;
        assert_eq!(usual.data().len(), whole.len().min(50), "{path}");
        // What was never a cursor ends a list or is refused, and breaks nothing.
        for cursor in ["zzzz", "0", "%25", "%F0%9F%8D%8F", "'", "-1", "99999999999999999999"] {
            let reply = scene.api.get(&format!("{path}?after={cursor}")).await;
            assert!(matches!(reply.status, 200 | 400), "{path} {cursor}: {}", reply.text);
        }
        seen += 1;
    }
    assert!(seen >= 9, "{seen}");
}

/// The names of what a list shows.
async fn names(scene: &Scene, path: &str, field: &str) -> Vec<String> {
    let reply = scene.api.get(path).await;
    let data = reply.data();
    data.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn filters_leave_what_they_name() {
    let scene = Scene::new().await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let new = json!({ "slug": "far", "name": "Far", "region": "eu", "population": "board", "profile": "open", "plan": "gold" });
    let far = scene.api.post("/admin/v1/tenants", &new).await.assert(201).id();
    scene.api.act(&format!("/admin/v1/tenants/{far}/suspend")).await.assert(200);
    for (query, expected) in [
        ("region=eu", &["far"][..]),
        ("region=us", &["other", "ours"]),
        ("region=mars", &[]),
        ("state=suspended", &["far"]),
        ("state=closed", &[]),
        ("plan=gold", &["far"]),
        ("population=board", &["far"]),
        ("population=platform&state=active", &["other", "ours"]),
        ("provider=okta", &[]),
        ("after=far", &["other", "ours"]),
    ] {
        assert_eq!(
            names(&scene, &format!("/admin/v1/tenants?{query}"), "slug").await,
            expected,
            "{query}"
        );
    }
    let person = json!({
        "userName": "Bob@Example.com", "externalId": "b\"1\\", "active": false,
        "emails": [{ "value": "bob@example.com", "type": "work" }],
    });
    scene.acme.user_with(&person).await;
    for (query, expected) in [
        ("user_name=bob%40example.COM", &["Bob@Example.com"][..]),
        ("external_id=b%221%5C", &["Bob@Example.com"]),
        ("external_id=b", &[]),
        ("email=bob%40example.com", &["Bob@Example.com"]),
        ("active=false", &["Bob@Example.com"]),
        ("active=true", &["ada"]),
        ("active=true&email=bob%40example.com", &[]),
        ("user_name=%22%20or%20userName%20pr%20or%20userName%20eq%20%22", &[]),
        ("population=board", &[]),
    ] {
        assert_eq!(
            names(&scene, &format!("{at}/users?{query}"), "user_name").await,
            expected,
            "{query}"
        );
    }
    assert_eq!(
        names(&scene, &format!("{at}/groups?display_name=crew"), "display_name").await,
        ["Crew"]
    );
    scene.acme.post("/Users", &json!({ "userName": "ada" })).await.assert(409);
    for (query, expected) in [
        ("class=conflict", &["user.create"][..]),
        ("outcome=refused", &["user.create"]),
        ("reason=user_name_taken", &["user.create"]),
        ("reason=nonsense", &[]),
        ("class=ok&reason=user_name_taken", &[]),
        ("until=2020-01-01T00:00:00Z", &[]),
        ("since=2100-01-01T00:00:00Z", &[]),
        ("request_id=nothing", &[]),
        ("user=Crew", &["group.create"]),
    ] {
        assert_eq!(
            names(&scene, &format!("{at}/decisions?{query}"), "operation").await,
            expected,
            "{query}"
        );
    }
    for key in [format!("tok_{}", scene.acme.key_id), scene.acme.key_id.clone()] {
        assert!(scene.api.get(&format!("{at}/decisions?token={key}")).await.data().len() >= 3);
    }
    let token = scene.api.post(&format!("{at}/tokens"), &json!({ "name": "gone" })).await.id();
    scene.api.delete(&format!("{at}/tokens/{token}")).await.assert(200);
    assert_eq!(names(&scene, &format!("{at}/tokens?state=revoked"), "name").await, ["gone"]);
    assert_eq!(names(&scene, &format!("{at}/tokens?state=live"), "name").await, ["Entra"]);
    // The cursor's own token may have left the state that is asked for.
    let cursor = format!("tok_{}", scene.acme.key_id);
    assert_eq!(
        names(&scene, &format!("{at}/tokens?state=revoked&after={cursor}"), "name").await,
        ["gone"]
    );
    let revoked = names(&scene, &format!("{at}/audit?action=credential.revoke"), "actor").await;
    assert_eq!(revoked, ["operator alice"]);
    assert_eq!(scene.api.get(&format!("{at}/audit?actor=nobody")).await.data().len(), 0);
}
