//! When access tokens end before their time, and what is noted of clients that have ended.

use super::assertions::Idp;
use super::{Client, Reply, usual};
use crate::support::{TestGateway, by};
use region_router::Population;
use std::time::Duration;
use tenant_registry::{Assertion, ClientChange, Networks};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const HOUR: Duration = Duration::from_hours(1);

async fn change(client: &Client, asked: ClientChange) {
    let registry = &client.tenant.state.registry;
    let id = &client.tenant.tenant.id;
    let pending = registry.change_client(id, client.id(), &asked, &by()).await;
    pending.unwrap().commit().await.unwrap();
}

async fn revoke(client: &Client) {
    let registry = &client.tenant.state.registry;
    let id = &client.tenant.tenant.id;
    let pending = registry.revoke_client(id, client.id(), &by()).await;
    pending.unwrap().commit().await.unwrap();
}

#[actix_web::test]
async fn a_stolen_token_ends_when_the_secret_that_it_was_asked_for_with_is_revoked() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let (registry, id) = (&gateway.state.registry, &client.tenant.tenant.id);
    let second = registry.add_secret(id, client.id(), HOUR, &by()).await.unwrap();
    let second = second.commit().await.unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&second.secret).to_owned();
    let renewed =
        Client { secret: text, client: client.client.clone(), tenant: client.tenant.clone() };
    let stolen = client.with_token(&client.with_basic(&[]).await.token());
    let kept = client.with_token(&renewed.with_basic(&[]).await.token());
    stolen.get("/Users").await.assert(200);

    let first = &client.client.secrets[0].id;
    registry.revoke_secret(id, client.id(), first, &by()).await.unwrap().commit().await.unwrap();

    stolen.get("/Users").await.refused(401, "token_revoked", None);
    kept.get("/Users").await.assert(200);
    let rows = client.tenant.decisions_until(3).await;
    let row = rows.iter().find(|row| row.reason == "token_revoked").unwrap();
    assert_eq!(row.key_id, client.id());
    // The identity provider that has the new secret goes on.
    kept.user("ada").await;
}

#[actix_web::test]
async fn a_token_ends_when_the_key_that_signed_for_it_is_replaced() {
    let (gateway, old, new) = (TestGateway::start().await, Idp::new(), Idp::new());
    let client = old.client(&gateway).await;
    let token = super::assertions::as_client(&client, &old.assert(&client, "1")).await.token();
    let before = client.with_token(&token);
    before.get("/Users").await.assert(200);

    let assertion = client.client.assertion.clone().unwrap();
    let assertion = Some(Some(Assertion { jwks: new.jwks.clone(), ..assertion }));
    change(&client, ClientChange { assertion, ..ClientChange::default() }).await;

    before.get("/Users").await.refused(401, "token_revoked", None);
    let token = super::assertions::as_client(&client, &new.assert(&client, "2")).await.token();
    client.with_token(&token).get("/Users").await.assert(200);
    change(&client, ClientChange { assertion: Some(None), ..ClientChange::default() }).await;
    client.with_token(&token).get("/Users").await.refused(401, "token_revoked", None);
}

#[actix_web::test]
async fn an_assertion_that_is_refused_for_something_else_can_be_sent_again() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let networks = |text: &str| {
        let networks = Some(Networks::parse(text).unwrap());
        ClientChange { networks, ..ClientChange::default() }
    };
    let assertion = idp.assert(&client, "1");
    change(&client, networks("203.0.113.0/24")).await;
    let reply = super::assertions::as_client(&client, &assertion).await;
    reply.refused(400, "unauthorized_client");
    change(&client, networks("127.0.0.0/8")).await;
    super::assertions::as_client(&client, &assertion).await.token();
    let again = super::assertions::as_client(&client, &assertion).await;
    assert!(again.refused(401, "invalid_client").contains("used before"));
}

#[actix_web::test]
async fn who_has_seen_an_assertion_cannot_use_up_the_rate_of_its_client() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let assertion = idp.assert(&client, "1");
    super::assertions::as_client(&client, &assertion).await.token();
    for _ in 0..100 {
        let again = super::assertions::as_client(&client, &assertion).await;
        again.refused(401, "invalid_client");
    }
    super::assertions::as_client(&client, &idp.assert(&client, "2")).await.token();
}

#[actix_web::test]
async fn attempts_with_a_client_that_was_revoked_are_in_its_tenants_log() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let stranger = Client::of(&gateway.tenant("other").await, |_| {}).await;
    revoke(&client).await;
    let reply = client.with_basic(&[]).await;
    assert!(reply.refused(401, "invalid_client").contains("revoked"));
    // Who has no secret learns no more than of a client that never was.
    let signed = super::assertions::as_client(&client, &idp.assert(&client, "1")).await;
    let unsigned = super::assertions::as_client(&stranger, "a.b.c").await;
    assert_eq!(signed.body, unsigned.body);
    let form = [GRANT, ("client_id", client.id()), ("client_secret", "mcs_us_pf_wrong")];
    assert!(!client.ask(&form).await.refused(401, "invalid_client").contains("revoked"));

    let rows = client.tenant.decisions_until(2).await;
    let mut reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["client_assertion_invalid", "client_secret_invalid"]);
    for row in &rows {
        assert!(row.detail.contains("The client was revoked"), "{}", row.detail);
        assert_eq!((row.key_id.as_str(), row.operation.as_str()), (client.id(), "token.create"));
    }
}

#[actix_web::test]
async fn a_client_of_a_population_that_was_left_is_told_so_and_it_is_noted() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let (registry, id) = (&gateway.state.registry, &client.tenant.tenant.id);
    let frozen = registry.freeze_switch(id, Population::Board, &by()).await.unwrap();
    frozen.commit().await.unwrap();
    registry.cut_over(id, HOUR, &by()).await.unwrap().commit().await.unwrap();
    let reply: Reply = client.with_basic(&[]).await;
    let text = reply.refused(401, "invalid_client");
    assert!(text.contains("for the platform population"), "{text}");
    let rows = client.tenant.decisions_until(1).await;
    assert_eq!(rows[0].reason, "client_secret_invalid");
    assert!(rows[0].detail.contains("for the platform population"), "{}", rows[0].detail);
}
