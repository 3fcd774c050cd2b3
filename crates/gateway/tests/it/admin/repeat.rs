//! `Idempotency-Key`: what is asked twice is done once.

use super::api::{Api, Asked, Reply};
use super::jwt::Jwt;
use super::walk::Scene;
use crate::support::{TestGateway, by, place};
use futures_util::future::{Either, select};
use provisioning::ProfileId;
use region_router::Population;
use serde_json::{Value, json};
use std::pin::pin;
use tenant_registry::NewTenant;

fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> Asked {
    api.call("POST", path).header("idempotency-key", key).json(body)
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

async fn tokens(api: &Api, slug: &str) -> usize {
    api.get(&format!("/admin/v1/tenants/{slug}/tokens")).await.data().len()
}

#[actix_web::test]
async fn the_same_request_is_answered_alike_with_the_same_secret() {
    let gateway = TestGateway::start().await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    gateway.tenant("other").await;
    let (path, body) = ("/admin/v1/tenants/acme/tokens", json!({ "name": "Entra" }));

    let first = keyed(&api, path, "k1", &body).send().await.assert(201);
    assert!(!is_replayed(&first));
    let again = keyed(&api, path, "k1", &body).send().await.assert(201);

    assert!(is_replayed(&again));
    assert_eq!(again.text, first.text, "the very same secret");
    assert!(first.text("token").starts_with("mst_us_pf_"));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(tokens(&api, "acme").await, 2);
    // Spelt otherwise, it is another body.
    for other in ["{\"name\": \"Okta\"}", "{\"name\": \"Entra\" }", ""] {
        let call = api
            .call("POST", path)
            .header("idempotency-key", "k1")
            .header("content-type", "application/json");
        call.body(other).send().await.refused(422, "idempotency_key_reused");
    }
    // Another path, another caller, another key, another query: another request.
    let there = "/admin/v1/tenants/other/tokens";
    let bob = api.with(&Jwt::admin(acme.tenant.id.as_str(), "*"));
    for (api, path, key) in [
        (&api, there, "k1"),
        (&bob, path, "k1"),
        (&api, path, "k2"),
        (&api, &format!("{path}?dry_run=false"), "k1"),
    ] {
        let made = keyed(api, path, key, &body).send().await;
        if made.status == 409 {
            made.refused(409, "too_many");
            continue;
        }
        assert!(!is_replayed(&made) && made.text("token") != first.text("token"), "{path} {key}");
    }
    assert_eq!((tokens(&api, "acme").await, tokens(&api, "other").await), (5, 2));
    // A sixth is refused, and the first is still answered as it was.
    keyed(&api, path, "k3", &body).send().await.refused(409, "too_many");
    assert_eq!(keyed(&api, path, "k1", &body).send().await.text, first.text);
}

#[actix_web::test]
async fn a_key_is_free_after_a_refusal_and_after_a_dry_run() {
    let gateway = TestGateway::start().await;
    let (api, _acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let path = "/admin/v1/tenants/acme/tokens";
    keyed(&api, path, "k1", &json!({ "name": 1 })).send().await.refused_field(
        422,
        "field_invalid",
        "name",
    );
    keyed(&api, path, "k1", &json!({ "population": "board" }))
        .send()
        .await
        .refused(409, "population_conflict");
    let tried =
        keyed(&api, &format!("{path}?dry_run=true"), "k1", &json!({})).send().await.assert(201);
    assert_eq!(tried.body["token"], Value::Null);
    let tried =
        keyed(&api, &format!("{path}?dry_run=true"), "k1", &json!({})).send().await.assert(201);
    assert!(!is_replayed(&tried), "nothing was kept");

    let made = keyed(&api, path, "k1", &json!({ "name": "Entra" })).send().await.assert(201);

    assert!(!is_replayed(&made));
    assert_eq!(tokens(&api, "acme").await, 2);
}

/// A change of the registry that is begun and not ended makes every other one wait.
#[actix_web::test]
async fn while_the_first_is_not_answered_the_second_is_told_so() {
    let gateway = TestGateway::start().await;
    let (api, _acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let (path, body) = ("/admin/v1/tenants/acme/tokens", json!({}));
    let new = NewTenant::new("slow", "Slow", place("us", Population::Platform), ProfileId::Open);
    let slow = gateway.state.registry.create_tenant(&new, &by()).await.unwrap();

    let one = pin!(keyed(&api, path, "k1", &body).send());
    let two = pin!(keyed(&api, path, "k1", &body).send());
    let (Either::Left((early, late)) | Either::Right((early, late))) = select(one, two).await;
    slow.discard().await;
    let late = late.await;

    early.refused(409, "idempotency_in_flight");
    assert_eq!(early.header("retry-after"), Some("1"));
    let made = late.assert(201);
    let again = keyed(&api, path, "k1", &body).send().await.assert(201);
    assert_eq!((is_replayed(&made), is_replayed(&again)), (false, true));
    assert_eq!(again.text, made.text);
}

#[actix_web::test]
async fn another_node_answers_the_same_and_two_at_once_make_one() {
    let gateway = TestGateway::start().await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let elsewhere = api.on(&gateway.other_node(&acme).await);
    let (path, body) = ("/admin/v1/tenants/acme/tokens", json!({ "name": "Entra" }));

    let first = keyed(&api, path, "k1", &body).send().await.assert(201);
    let again = keyed(&elsewhere, path, "k1", &body).send().await.assert(201);
    assert!(is_replayed(&again));
    assert_eq!(again.text, first.text);
    keyed(&elsewhere, path, "k1", &json!({})).send().await.refused(422, "idempotency_key_reused");

    // Both look for the answer before either has made it.
    let new = NewTenant::new("slow", "Slow", place("us", Population::Platform), ProfileId::Open);
    let slow = gateway.state.registry.create_tenant(&new, &by()).await.unwrap();
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        slow.discard().await;
    };
    let (one, two, ()) = tokio::join!(
        keyed(&api, path, "k2", &body).send(),
        keyed(&elsewhere, path, "k2", &body).send(),
        release
    );
    let (one, two) = (one.assert(201), two.assert(201));
    assert_eq!(one.text, two.text);
    assert_ne!(is_replayed(&one), is_replayed(&two));
    assert_eq!(tokens(&api, "acme").await, 3);
}

#[actix_web::test]
async fn every_post_that_keeps_something_can_be_repeated() {
    let scene = Scene::new().await;
    let (api, at) = (&scene.api, format!("/admin/v1/tenants/{}", scene.acme.tenant.id));
    let user = scene.acme.user("bob").await;
    for (path, body, status) in [
        (
            "/admin/v1/tenants".to_owned(),
            Some(
                json!({ "slug": "new", "name": "New", "region": "eu", "population": "board", "profile": "open" }),
            ),
            201,
        ),
        (format!("{at}/attributes"), Some(json!({ "attribute": "desk", "type": "string" })), 201),
        (format!("{at}/oauth-clients"), Some(json!({ "name": "Okta" })), 201),
        (format!("{at}/users/{user}/deactivate"), None, 200),
        (format!("{at}/users/{user}/restore"), None, 200),
        (format!("{at}/suspend"), None, 200),
        // Nothing changes by it, and it is remembered all the same.
        (format!("{at}/suspend"), None, 200),
        (format!("{at}/resume"), None, 200),
    ] {
        let key = uuid::Uuid::new_v4().to_string();
        let call = || {
            let call = api.call("POST", &path).header("idempotency-key", &key);
            body.as_ref().map_or_else(
                || api.call("POST", &path).header("idempotency-key", &key),
                |body| call.json(body),
            )
        };
        let before = scene.gateway.state.registry.generations().borrow().to_owned();
        let first = call().send().await.assert(status);
        let after = scene.gateway.state.registry.generations().borrow().to_owned();
        assert!(after - before <= 1);
        let again = call().send().await.assert(status);
        assert_eq!((is_replayed(&first), is_replayed(&again)), (false, true), "{path}");
        assert_eq!(again.text, first.text, "{path}");
        assert_eq!(scene.gateway.state.registry.generations().borrow().to_owned(), after, "{path}");
    }
    let acted = scene.acme.decisions().await;
    assert_eq!(acted.iter().filter(|row| row.operation == "user.deactivate").count(), 1);
}

#[actix_web::test]
async fn a_key_is_short_visible_and_for_post_alone() {
    let gateway = TestGateway::start().await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let at = format!("/admin/v1/tenants/{}", acme.tenant.id);
    for key in ["", " ", "a b", &"k".repeat(256), "tab\tin it"] {
        let reply =
            api.call("POST", &format!("{at}/suspend")).header("idempotency-key", key).send().await;
        reply.refused_field(400, "header_invalid", "Idempotency-Key");
    }
    let not_text = api
        .call("POST", &format!("{at}/suspend"))
        .bytes("idempotency-key", b"\xffkey")
        .send()
        .await;
    not_text.refused_field(400, "header_invalid", "idempotency-key");
    let twice = api
        .call("POST", &format!("{at}/suspend"))
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    twice.send().await.refused_field(400, "header_invalid", "idempotency-key");
    for (method, path) in
        [("GET", at.clone()), ("DELETE", format!("{at}/tokens/tok_{}", acme.key_id))]
    {
        let reply = api.call(method, &path).header("idempotency-key", "k").send().await;
        reply.refused_field(400, "header_invalid", "Idempotency-Key");
    }
    let long = "k".repeat(255);
    api.call("POST", &format!("{at}/suspend"))
        .header("idempotency-key", &long)
        .send()
        .await
        .assert(200);
}
