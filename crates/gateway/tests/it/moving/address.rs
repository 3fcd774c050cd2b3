//! The address that a tenant had before it moved to another region.

use super::{SOON, begin, drive, home, movers, whole_move, write};
use crate::forward::{PORT, home as home_node};
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use gateway::admin::keys::Keys;
use serde_json::{Value, json};
use tenant_registry::{MoveStage, NewClient, NewCredential, Routing, TenantChange};

/// A node of each region, one that has both stores, and where the first forwards to the second.
async fn three() -> (TestGateway, TestGateway, TestGateway) {
    let (eu, keys) = home_node(&[SOON]).await;
    let with_keys = [PORT, SOON, ("MUSTER__NODE__KEYS", keys.as_str())];
    let us = eu.edge(eu.address, &with_keys).await;
    let both = TestGateway::start_on(eu.stores.borrowed(), &["us", "eu"], &[PORT, SOON]).await;
    (us, eu, both)
}

#[actix_web::test]
async fn the_old_address_leads_to_the_tenant_and_stays_in_its_answers() {
    let (us, eu, both) = three().await;
    let acme = us.tenant("acme").await;
    let ada = acme.user("ada").await;
    let movers = movers(&both);

    whole_move(&movers, &acme, &home("eu", "0")).await;

    // At a node of the old region, at one of the new one, and at one of both.
    let there = until("the node of us hears of it", async || {
        let answer = acme.get(&format!("/Users/{ada}")).await;
        let is_there = us.state.registry.moving().iter().any(|t| t.region.as_str() == "eu");
        is_there.then_some(answer)
    })
    .await;
    assert_eq!(
        there.body["meta"]["location"],
        json!(format!("http://app.localhost/scim/v2/Users/{ada}"))
    );
    for node in [&us, &eu, &both] {
        let acme = node.at(&acme);
        let made = write(&acme, &format!("at-{}", node.address)).await;
        assert!(made.header("location").unwrap().starts_with("http://app.localhost/"));
        acme.get(&format!("/Users/{ada}")).await.assert(200);
    }
    // The new address is for new tokens.
    let wrong = us.at(&acme);
    let wrong = TestTenant { host: "eu-app.localhost".to_owned(), ..wrong };
    let detail = wrong.get("/Users").await.refused(401, "token_wrong_region", None);
    assert!(detail.contains("has moved to region eu. Use http://eu-app.localhost"), "{detail}");
    assert!(detail.contains("with a new token"), "{detail}");
    let new = NewCredential::new("new", std::time::Duration::from_secs(60));
    let new = both.with_credential(&acme, &new).await;
    assert!(new.token.starts_with("mst_eu_"), "{}", &new.token[..8]);
    let new = eu.at(&new);
    let new = TestTenant { host: "eu-app.localhost".to_owned(), ..new };
    until("the node of eu hears of it", async || {
        (new.get("/Users").await.status == 200).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn a_strict_tenant_is_told_its_new_address_and_later_everybody() {
    let (us, _eu, both) = three().await;
    let (acme, wonka) = (us.tenant("acme").await, us.tenant("wonka").await);
    us.change(&wonka, TenantChange { routing: Some(Routing::Strict), ..TenantChange::default() })
        .await;
    let movers = movers(&both);
    let mut moved = Vec::new();
    for tenant in [&acme, &wonka] {
        moved.push(whole_move(&movers, tenant, &home("eu", "0")).await);
    }
    let refused = until("the node of us hears of it", async || {
        let answer = wonka.get("/Users").await;
        (answer.status == 421).then_some(answer)
    })
    .await;
    let detail = refused.refused(421, "region_not_here", None);
    assert!(detail.contains("has moved to region eu. Use http://eu-app.localhost"), "{detail}");
    assert!(detail.contains("with a new token"), "{detail}");

    for tenant in &moved {
        movers.purge(tenant).await.unwrap();
        movers.clear(tenant).await.unwrap();
    }
    for tenant in [&acme, &wonka] {
        let refused = until("the address ends", async || {
            let answer = tenant.get("/Users").await;
            (answer.status == 401).then_some(answer)
        })
        .await;
        refused.refused(401, "token_wrong_region", None);
        assert_eq!(
            refused.header("x-scim-correct-base-url"),
            Some("http://eu-app.localhost/scim/v2")
        );
    }
}

#[actix_web::test]
async fn an_oauth_client_of_before_gets_tokens_at_its_old_address() {
    let (us, _eu, both) = three().await;
    let acme = us.tenant("acme").await;
    let (registry, by) = (&us.state.registry, crate::support::by());
    let client = registry.create_client(&acme.tenant.id, &NewClient::new("Okta"), &by).await;
    let client = client.unwrap().commit().await.unwrap();
    let movers = movers(&both);
    let begun = begin(&movers, &acme, &home("eu", "0")).await;
    drive(&movers, begun, MoveStage::Moved).await;
    until("the node of us hears of it", async || {
        us.state.registry.moving().first().filter(|t| t.region.as_str() == "eu").map(|_| ())
    })
    .await;

    let secret = secrecy::ExposeSecret::expose_secret(client.secret.as_ref().unwrap());
    let id = &client.client.client_id;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = acme.http.post(format!("http://{}/oauth2/token", us.address));
    let request = request.header("host", &acme.host).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("mat_us_"), "{}", &token[..8]);
    let acme = TestTenant { token, ..acme };
    write(&acme, "by-oauth").await;
}

#[actix_web::test]
async fn a_node_of_the_new_region_that_has_not_heard_yet_asks_for_a_moment() {
    let both = [PORT, SOON];
    let both = TestGateway::start_on(Stores::new(&["us", "eu"]), &["us", "eu"], &both).await;
    let acme = both.tenant("acme").await;
    let movers = movers(&both);
    let begun = begin(&movers, &acme, &home("eu", "0")).await;
    let folder = both.stores.folder().join("edge-keys");
    let jwk = Keys::within(&folder).signing().unwrap().to_jwk().unwrap();
    let jwks = both.stores.folder().join("peers.json");
    std::fs::write(&jwks, json!({ "keys": [jwk] }).to_string()).unwrap();
    let (jwks, keys) = (jwks.display().to_string(), folder.display().to_string());
    let late = [
        PORT,
        ("MUSTER__REGISTRY__POLL_INTERVAL", "60s"),
        ("MUSTER__NODE__PEER_JWKS", jwks.as_str()),
    ];
    let eu = TestGateway::start_on(both.stores.borrowed(), &["eu"], &late).await;
    let us = both.edge(eu.address, &[PORT, SOON, ("MUSTER__NODE__KEYS", &keys)]).await;
    let acme = us.at(&acme);

    drive(&movers, begun, MoveStage::Moved).await;

    let answer = until("the node of us hears of it", async || {
        let answer = acme.get("/Users").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    answer.refused(503, "tenant_moving", None);
    assert_eq!(answer.header("retry-after"), Some("5"));
}
