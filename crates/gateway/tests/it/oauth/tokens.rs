//! Tokens that are given, and what they are good for.

use super::{Client, Reply, usual};
use crate::support::{TestGateway, by, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tenant_registry::{Scopes, TenantState};

#[actix_web::test]
async fn a_client_gets_a_token_by_basic_or_in_the_form_and_provisions_with_it() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let in_form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.id()),
        ("client_secret", &client.secret),
        // Entra sends parameters of its own; unknown ones are passed over (RFC 6749 §3.2).
        ("resource", "api://muster"),
        ("scope", ""),
    ];
    for reply in [client.with_basic(&[]).await, client.ask(&in_form).await] {
        let token = reply.token();
        assert!(token.starts_with("mat_us_pf_"), "{token}");
        assert_eq!(reply.body["expires_in"], 3600);
        assert_eq!(reply.body["scope"], "read create update deactivate delete users groups");
        client.with_token(&token).get("/Users").await.assert(200);
    }
    let acme = client.with_token(&client.with_basic(&[]).await.token());
    let id = acme.user("ada").await;
    acme.delete(&format!("/Users/{id}")).await.assert(204);
    let rows = client.tenant.decisions_until(4).await;
    let created = rows.iter().find(|row| row.operation == "user.create").unwrap();
    assert_eq!(created.key_id, client.id());
    let root = acme.get("").await.assert(200);
    assert_eq!(root.body["token"]["name"], "Entra");
}

#[actix_web::test]
async fn a_token_is_good_for_its_scope_and_its_time() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let client = Client::of(&acme, |new| {
        new.scopes = Scopes::parse("read,create,users").unwrap();
        new.token_lifetime = Duration::from_secs(6 * 3_600);
    })
    .await;
    let reply = client.with_basic(&[("scope", "read")]).await;
    assert_eq!(reply.body["scope"], "read users");
    assert_eq!(reply.body["expires_in"], 21_600);
    let reader = client.with_token(&reply.token());
    reader.get("/Users").await.assert(200);
    reader.post("/Users", &json!({ "userName": "ada" })).await.refused(403, "scope_missing", None);
    for asked in ["delete", "groups", "read groups", "openid", "read,users"] {
        client.with_basic(&[("scope", asked)]).await.refused(400, "invalid_scope");
    }
    let whole = client.with_token(&client.with_basic(&[]).await.token());
    whole.user("ada").await;
    whole.get("/Groups").await.refused(403, "scope_missing", None);
}

#[actix_web::test]
async fn revoking_a_client_ends_its_tokens_at_once_here_and_soon_elsewhere() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let here = client.with_token(&client.with_basic(&[]).await.token());
    let elsewhere = gateway.other_node(&here).await;
    here.get("/Users").await.assert(200);
    until("the other node's first look", async || {
        (elsewhere.get("/Users").await.status == 200).then_some(())
    })
    .await;

    let registry = &gateway.state.registry;
    let id = &client.tenant.tenant.id;
    registry.revoke_client(id, client.id(), &by()).await.unwrap().commit().await.unwrap();
    let revoked = Instant::now();

    here.get("/Users").await.refused(401, "token_revoked", None);
    client.with_basic(&[]).await.refused(401, "invalid_client");
    until("the end elsewhere", async || {
        (elsewhere.get("/Users").await.status == 401).then_some(())
    })
    .await;
    assert!(revoked.elapsed() < Duration::from_secs(5));
}

#[actix_web::test]
async fn a_tenant_that_may_not_act_gets_no_token_and_reads_why() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let token = client.with_basic(&[]).await.token();
    gateway.set_state(&client.tenant, TenantState::Suspended).await;
    let reply = client.with_basic(&[]).await;
    let text = reply.refused(400, "unauthorized_client");
    assert!(text.contains("suspended"), "{text}");
    client.with_token(&token).get("/Users").await.refused(403, "tenant_suspended", None);
}

#[actix_web::test]
async fn a_client_that_is_bound_to_networks_gets_no_token_from_elsewhere() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let networks = tenant_registry::Networks::parse("203.0.113.0/24").unwrap();
    let client = Client::of(&acme, |new| new.networks = networks).await;
    let reply = client.with_basic(&[]).await;
    assert!(reply.refused(400, "unauthorized_client").contains("127.0.0.1"));
}

#[actix_web::test]
async fn a_client_uses_each_of_its_live_secrets() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let registry = &gateway.state.registry;
    let id = &client.tenant.tenant.id;
    let year = Duration::from_secs(365 * 86_400);
    let second = registry.add_secret(id, client.id(), year, &by()).await.unwrap();
    let second = second.commit().await.unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&second.secret).to_owned();
    let with_second =
        Client { secret: text, client: client.client.clone(), tenant: client.tenant.clone() };
    client.with_basic(&[]).await.token();
    with_second.with_basic(&[]).await.token();
    let first = &client.client.secrets[0].id;
    registry.revoke_secret(id, client.id(), first, &by()).await.unwrap().commit().await.unwrap();
    let reply = client.with_basic(&[]).await;
    assert!(reply.refused(401, "invalid_client").contains("revoked"));
    with_second.with_basic(&[]).await.token();
}

#[actix_web::test]
async fn each_host_says_where_its_tokens_are() {
    let gateway = TestGateway::start_everywhere().await;
    for host in ["app.localhost", "board.localhost", "eu-app.localhost", "eu-board.localhost"] {
        let url = format!("http://{}/.well-known/oauth-authorization-server", gateway.address);
        let answer = gateway.http.get(&url).header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let document: Value = answer.json().await.unwrap();
        let origin = format!("http://{host}:{}", gateway.address.port());
        assert_eq!(document["issuer"], origin);
        assert_eq!(document["token_endpoint"], format!("{origin}/oauth2/token"));
        assert_eq!(document["response_types_supported"], json!([]));
        let methods = document["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("client_secret_basic")));
    }
    let url = format!("http://{}/.well-known/oauth-authorization-server", gateway.address);
    let posted = Reply::of(gateway.http.post(&url).header("host", "app.localhost")).await;
    posted.refused(405, "invalid_request");
    assert_eq!(posted.header("allow"), Some("GET"));
    for host in ["localhost", "evil.example"] {
        Reply::of(gateway.http.get(&url).header("host", host))
            .await
            .refused(404, "invalid_request");
    }
}

#[actix_web::test]
async fn asking_for_a_token_is_a_use_of_the_client() {
    let settings = [("MUSTER__REGISTRY__USES_INTERVAL", "50ms")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let client = usual(&gateway).await;
    client.with_basic(&[]).await.token();
    let registry = &gateway.state.registry;
    let seen = until("the use", async || {
        registry.uses(&client.tenant.tenant.id).await.unwrap().remove(client.id())
    })
    .await;
    assert_eq!(seen.network, "127.0.0.0/24");
}
