//! `Idempotency-Key` on two nodes at once.

use super::api::{Api, Asked};
use crate::support::redis::{Redis, patient};
use crate::support::{TestGateway, by, place, until};
use futures_util::future::{Either, select};
use provisioning::ProfileId;
use region_router::Population;
use serde_json::{Value, json};
use std::pin::pin;
use tenant_registry::NewTenant;

fn keyed(api: &Api, key: &str, body: &Value) -> Asked {
    let path = "/admin/v1/tenants/acme/tokens";
    api.call("POST", path).header("idempotency-key", key).json(body)
}

#[actix_web::test]
async fn while_one_node_has_not_answered_the_other_says_so() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let elsewhere = api.on(&gateway.other_node_with(&acme, &settings).await);
    let body = json!({ "name": "Entra" });
    // A change of the registry that is begun and not ended makes every other one wait.
    let new = NewTenant::new("slow", "Slow", place("us", Population::Platform), ProfileId::Open);
    let slow = gateway.state.registry.create_tenant(&new, &by()).await.unwrap();

    let one = pin!(keyed(&api, "ada@example.com", &body).send());
    let two = pin!(keyed(&elsewhere, "ada@example.com", &body).send());
    let (Either::Left((early, late)) | Either::Right((early, late))) = select(one, two).await;
    let keys = redis.keys();
    assert!(keys.iter().all(|key| !key.contains("ada") && !key.contains("acme")), "{keys:?}");
    let turn = keys.into_iter().find(|key| key.contains("turn")).unwrap();
    slow.discard().await;
    let made = late.await.assert(201);

    early.refused(409, "idempotency_in_flight");
    assert_eq!(early.header("retry-after"), Some("1"));
    for api in [&api, &elsewhere] {
        let again = keyed(api, "ada@example.com", &body).send().await.assert(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text, made.text);
    }
    until("the turn is given back", async || (!redis.keys().contains(&turn)).then_some(())).await;
    // As if who took it had ended before it could give it back: that hides no answer that is there.
    redis.tell(&["SET", &turn, "nobody"]);
    let again = keyed(&api, "ada@example.com", &body).send().await.assert(201);
    assert_eq!(again.text, made.text);
}

#[actix_web::test]
async fn without_redis_the_store_alone_sees_to_it_that_one_is_made() {
    let redis = Redis::own();
    let settings = patient(&redis.url);
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let elsewhere = api.on(&gateway.other_node_with(&acme, &settings).await);
    redis.freeze();
    let body = json!({ "name": "Okta" });
    let made = keyed(&api, "k1", &body).send().await.assert(201);
    for api in [&api, &elsewhere] {
        let again = keyed(api, "k1", &body).send().await.assert(201);
        assert_eq!(again.text, made.text);
    }
    redis.thaw();
}
