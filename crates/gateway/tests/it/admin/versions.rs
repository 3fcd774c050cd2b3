//! `If-Match`, and trying without doing.

use super::api::{Api, Reply};
use super::jwt::Jwt;
use super::walk::Scene;
use gateway::admin::endpoint::Endpoint;
use gateway::admin::routes::endpoints;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whatever has a version: how it is read, and a change of it.
fn changes(
    scene: &Scene,
    user: &str,
    client: &str,
) -> Vec<(String, &'static str, String, Option<Value>)> {
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let token = format!("{at}/tokens/tok_{}", scene.acme.key_id);
    let connection = format!("{at}/connections/{}", scene.acme.tenant.connection_id());
    let client = format!("{at}/oauth-clients/{client}");
    vec![
        (at.clone(), "PATCH", at.clone(), Some(json!({ "name": "N" }))),
        (at.clone(), "POST", format!("{at}/suspend"), None),
        (at.clone(), "POST", format!("{at}/resume"), None),
        (
            format!("{at}/limits"),
            "PUT",
            format!("{at}/limits"),
            Some(json!({ "rate_limit": "7/70" })),
        ),
        (
            format!("{at}/settings"),
            "PATCH",
            format!("{at}/settings"),
            Some(json!({ "groups": false })),
        ),
        (connection.clone(), "PATCH", connection, Some(json!({ "provider": "entra" }))),
        (
            format!("{at}/attributes"),
            "POST",
            format!("{at}/attributes"),
            Some(json!({ "attribute": "x", "type": "string" })),
        ),
        (format!("{at}/attributes"), "DELETE", format!("{at}/attributes/x"), None),
        (token.clone(), "PATCH", token.clone(), Some(json!({ "name": "N" }))),
        (token.clone(), "POST", format!("{token}/rotation"), Some(json!({}))),
        (token.clone(), "POST", format!("{token}/rotation/cancel"), None),
        (client.clone(), "PATCH", client, Some(json!({ "name": "N" }))),
        (format!("{at}/users/{user}"), "POST", format!("{at}/users/{user}/deactivate"), None),
        (format!("{at}/users/{user}"), "POST", format!("{at}/users/{user}/restore"), None),
        (
            "/admin/v1/plans/starter".to_owned(),
            "PUT",
            "/admin/v1/plans/starter".to_owned(),
            Some(json!({ "directory_sync": true, "group_push": false })),
        ),
        (
            format!("{at}/population-switch"),
            "POST",
            format!("{at}/population-switch/freeze"),
            Some(json!({ "to": "board" })),
        ),
        (format!("{at}/population-switch"), "POST", format!("{at}/population-switch/undo"), None),
    ]
}

async fn call(
    api: &Api,
    method: &str,
    path: &str,
    body: Option<&Value>,
    tag: Option<&str>,
) -> Reply {
    let mut call = api.call(method, path);
    if let Some(tag) = tag {
        call = call.header("if-match", tag);
    }
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

#[actix_web::test]
async fn a_change_of_what_was_not_seen_is_refused_and_of_what_was_is_made() {
    let scene = Scene::new().await;
    let user = scene.acme.user("bob").await;
    let clients = format!("/admin/v1/tenants/{}/oauth-clients", scene.acme.tenant.id);
    let client = scene.api.post(&clients, &json!({})).await.assert(201).id();
    for (shown, method, path, body) in changes(&scene, &user, &client) {
        let before = scene.api.get(&shown).await.assert(200);
        let tag = before.version();
        for stale in ["\"0\"", "\"999999\"", "W/\"0\"", "\"-1\""] {
            let reply = call(&scene.api, method, &path, body.as_ref(), Some(stale)).await;
            reply.refused(412, "version_mismatch");
        }
        for malformed in [
            "",
            "1",
            "\"a\"",
            "\"1\", \"2\"",
            "*, \"1\"",
            "W/1",
            "\"\"",
            "\"99999999999999999999\"",
        ] {
            let reply = call(&scene.api, method, &path, body.as_ref(), Some(malformed)).await;
            reply.refused_field(400, "header_invalid", "If-Match");
        }
        assert_eq!(scene.api.get(&shown).await.text, before.text, "{method} {path}");

        let done = call(&scene.api, method, &path, body.as_ref(), Some(&tag)).await;

        assert!(matches!(done.status, 200 | 201), "{method} {path}: {}", done.text);
        let after = scene.api.get(&shown).await;
        assert_ne!(after.version(), tag, "{method} {path}");
        // What was seen is no longer what is there.
        let again = call(&scene.api, method, &path, body.as_ref(), Some(&tag)).await;
        again.refused(
            if method == "DELETE" { 404 } else { 412 },
            if method == "DELETE" { "not_found" } else { "version_mismatch" },
        );
        if method != "POST" && method != "DELETE" {
            assert_eq!(done.version(), after.version(), "{method} {path}");
            call(&scene.api, method, &path, body.as_ref(), Some("*")).await.assert(200);
            let weak = format!("W/{}", scene.api.get(&shown).await.version());
            call(&scene.api, method, &path, body.as_ref(), Some(&weak)).await.assert(200);
        }
    }
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    for making in [format!("{at}/tokens"), format!("{at}/oauth-clients")] {
        let reply = call(&scene.api, "POST", &making, Some(&json!({})), Some("\"1\"")).await;
        reply.refused_field(400, "header_invalid", "If-Match");
    }
    call(&scene.api, "GET", &at, None, Some("\"1\"")).await.assert(200);
}

/// What is in the stores, but for what is written a little later.
async fn stored(scene: &Scene) -> (i64, Vec<(&'static str, u64)>, Vec<Value>) {
    let (generation, rows) = super::walk::state(scene).await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let mut shown = Vec::new();
    for path in [
        "",
        "/settings",
        "/limits",
        "/tokens",
        "/oauth-clients",
        "/attributes",
        "/users",
        "/population-switch",
    ] {
        shown.push(scene.api.get(&format!("{at}{path}")).await.body);
    }
    (generation, rows, shown)
}

/// Every change, in an order in which each can be made.
fn steps(scene: &Scene, user: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let connection = format!("{at}/connections/{}", scene.acme.tenant.connection_id());
    let token = format!("{at}/tokens/tok_{}", scene.acme.key_id);
    let new = json!({ "slug": "new", "name": "New", "region": "eu", "population": "board", "profile": "open" });
    let switch = format!("{at}/population-switch");
    vec![
        ("POST", "/admin/v1/tenants".to_owned(), Some(new)),
        ("PATCH", at.clone(), Some(json!({ "name": "Other", "seats": 7 }))),
        ("PUT", format!("{at}/limits"), Some(json!({ "rate_limit": "off" }))),
        (
            "PATCH",
            format!("{at}/settings"),
            Some(json!({ "platform_role": "viewer", "strict": "all" })),
        ),
        ("PATCH", connection, Some(json!({ "provider": "okta", "provisioning": true }))),
        (
            "POST",
            format!("{at}/attributes"),
            Some(json!({ "attribute": "desk", "type": "integer" })),
        ),
        ("DELETE", format!("{at}/attributes/desk"), None),
        (
            "PUT",
            "/admin/v1/plans/standard".to_owned(),
            Some(json!({ "directory_sync": true, "group_push": true, "upgrade_text": "x" })),
        ),
        ("POST", format!("{at}/tokens"), Some(json!({ "name": "Entra" }))),
        ("PATCH", token.clone(), Some(json!({ "networks": ["203.0.113.0/24"] }))),
        ("POST", format!("{token}/rotation"), None),
        ("POST", format!("{token}/rotation/cancel"), None),
        ("POST", format!("{token}/rotation"), Some(json!({ "overlap_seconds": 60 }))),
        ("POST", format!("{token}/rotation/complete"), None),
        ("DELETE", format!("{at}/tokens/{{another}}"), None),
        ("POST", format!("{at}/oauth-clients"), Some(json!({}))),
        ("PATCH", format!("{at}/oauth-clients/{{client}}"), Some(json!({ "scopes": ["read"] }))),
        ("POST", format!("{at}/oauth-clients/{{client}}/secrets"), None),
        ("DELETE", format!("{at}/oauth-clients/{{client}}/secrets/{{secret}}"), None),
        ("DELETE", format!("{at}/oauth-clients/{{client}}"), None),
        ("POST", format!("{at}/users/{user}/unlink"), None),
        ("POST", format!("{at}/users/{user}/deactivate"), None),
        ("POST", format!("{at}/users/{user}/restore"), None),
        ("POST", format!("{switch}/freeze"), Some(json!({ "to": "board" }))),
        ("POST", format!("{switch}/undo"), None),
        ("POST", format!("{switch}/freeze"), Some(json!({ "to": "board" }))),
        ("POST", format!("{switch}/cut-over"), Some(json!({ "undo_seconds": 60 }))),
        ("POST", format!("{switch}/finish"), None),
        ("POST", format!("{at}/suspend"), None),
        ("POST", format!("{at}/resume"), None),
        ("POST", format!("{at}/close"), None),
    ]
}

#[actix_web::test]
async fn a_dry_run_of_every_change_answers_alike_and_changes_nothing() {
    let scene = Scene::new().await;
    let user = scene.acme.user_with(&json!({ "userName": "bob", "externalId": "b1" })).await;
    let mut made: Vec<(&str, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for (method, mut path, body) in steps(&scene, &user) {
        for (name, id) in &made {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let endpoint = endpoint(method, &path);
        seen.insert(endpoint.id);
        let before = stored(&scene).await;

        let tried =
            call(&scene.api, method, &format!("{path}?dry_run=true"), body.as_ref(), None).await;

        let same = stored(&scene).await;
        assert_eq!(before, same, "{}: a dry run changed something", endpoint.id);
        let done = call(&scene.api, method, &path, body.as_ref(), None).await;
        assert_eq!(done.status, endpoint.gives.0, "{}: {}", endpoint.id, done.text);
        assert_eq!(tried.status, done.status, "{}: {}", endpoint.id, tried.text);
        assert_ne!(
            stored(&scene).await.0 + i64::from(endpoint.noun() == "users"),
            before.0,
            "{}",
            endpoint.id
        );
        for secret in ["token", "client_secret"] {
            if done.body[secret].is_string() {
                assert_eq!(tried.body[secret], Value::Null, "{}", endpoint.id);
            }
        }
        assert_eq!(settled(&tried), settled(&done), "{}", endpoint.id);
        match endpoint.id {
            "tokens.create" => made.push(("another", done.id())),
            "oauth-clients.create" => made.push(("client", done.id())),
            "oauth-clients.add_secret" => made.push(("secret", done.id())),
            _ => {}
        }
    }
    let all: BTreeSet<_> = endpoints()
        .filter(|endpoint| endpoint.method.is_mutating())
        .map(|endpoint| endpoint.id)
        // A move is begun where both stores are; see `moving`.
        .filter(|id| *id != "moves.back_out")
        .collect();
    assert_eq!(seen, all);
}

fn endpoint(method: &str, path: &str) -> &'static Endpoint {
    let fits = |one: &&Endpoint| one.method.as_str() == method && one.matches(path).is_some();
    endpoints().find(fits).unwrap()
}

/// An answer without what is made anew each time: ids, secrets, and the second.
fn settled(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    let made_anew = [
        "id",
        "tenant_id",
        "token",
        "client_secret",
        "key_id",
        "hint",
        "created_at",
        "updated_at",
        "expires_at",
        "retires_at",
        "revoked_at",
        "closed_at",
        "started_at",
        "undo_until",
        "secrets",
    ];
    let object = body.as_object_mut().unwrap();
    for name in made_anew {
        object.remove(name);
    }
    body
}

#[actix_web::test]
async fn a_dry_run_is_refused_as_the_change_would_be() {
    let scene = Scene::new().await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let slug = json!({ "slug": "other" });
    for query in ["", "?dry_run=true", "?dry_run=false"] {
        scene.api.patch(&format!("{at}{query}"), &slug).await.refused_field(
            409,
            "slug_taken",
            "slug",
        );
        scene
            .api
            .act(&format!("{at}/population-switch/undo{query}"))
            .await
            .refused(409, "state_conflict");
        let other = json!({ "population": "board" });
        scene
            .api
            .post(&format!("{at}/tokens{query}"), &other)
            .await
            .refused(409, "population_conflict");
    }
    let reader = scene.api.with(&Jwt::operator("tenants:read"));
    reader.act(&format!("{at}/suspend?dry_run=true")).await.refused(403, "scope_missing");
    for value in ["TRUE", "1", "yes", ""] {
        let reply = scene.api.act(&format!("{at}/suspend?dry_run={value}")).await;
        reply.refused_field(400, "query_invalid", "dry_run");
    }
    scene.api.get(&format!("{at}?dry_run=true")).await.refused_field(
        400,
        "query_invalid",
        "dry_run",
    );
    assert_eq!(scene.api.get(&at).await.text("state"), "active");
}
