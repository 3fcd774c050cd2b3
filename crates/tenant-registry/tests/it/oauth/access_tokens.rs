//! Access tokens: for what and until when they are good, and what ends them sooner.

use super::{HOUR, YEAR, alter, ask, keys, make};
use crate::support::{NOW, Store, by, by_at, tenant};
use region_router::Population;
use secrecy::{ExposeSecret, SecretString};
use tenant_registry::{
    Assertion, AuthFailure, BearerToken, ClientChange, ClientFailure, IssuedClient, Networks,
    NewClient, OauthClient, Proof, Scopes,
};

fn bearer(token: &SecretString) -> BearerToken {
    BearerToken::parse(&format!("Bearer {}", token.expose_secret())).unwrap()
}

/// What the client's first secret proves.
fn by_secret(client: &OauthClient) -> Proof {
    Proof::of_secret(&client.secrets.first().unwrap().id)
}

#[tokio::test]
async fn an_access_token_is_good_for_its_time_and_for_what_its_client_may_do() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let new = NewClient {
        scopes: Scopes::parse("read,update,users").unwrap(),
        networks: Networks::parse("203.0.113.0/24").unwrap(),
        token_lifetime: 2 * HOUR,
        ..NewClient::new("Entra")
    };
    let client = make(&here, &acme, &new).await.client;
    there.refresh().await.unwrap();

    let asked = Scopes::parse("read,users,groups").unwrap();
    let (token, life) = here.issue_access_token(&client, by_secret(&client), asked, NOW);
    assert_eq!(life, 2 * HOUR);
    let token = bearer(&token);
    for node in [&here, &there] {
        let who = node.authenticate(&token, NOW + HOUR).unwrap();
        assert_eq!(*who.tenant, acme);
        let credential = &who.credential;
        assert_eq!(
            (credential.key_id.as_str(), credential.name.as_str()),
            (client.client_id.as_str(), "Entra")
        );
        assert_eq!(credential.scopes.words().collect::<Vec<_>>(), ["read", "users"]);
        assert_eq!(
            (&credential.networks, credential.population),
            (&client.networks, Population::Platform)
        );
        let end = credential.expires_at;
        assert_eq!(end, NOW.replace_nanosecond(0).unwrap() + 2 * HOUR);
        assert_eq!(credential.created_at, end - 2 * HOUR);
        let over = node.authenticate(&token, end).unwrap_err();
        assert_eq!(over, AuthFailure::AccessTokenExpired(end));
        assert_eq!(over.reason().as_str(), "token_expired");
        assert!(node.owner(&token).is_some());
    }
    // What its client may not do any more, it may not do either.
    let narrow =
        ClientChange { scopes: Some(Scopes::parse("update,users").unwrap()), ..Default::default() };
    alter(&here, &client, narrow).await;
    let scopes = here.authenticate(&token, NOW).unwrap().credential.scopes;
    assert!(scopes.allow_nothing());
    let gone = here.revoke_client(&acme.id, &client.client_id, &by_at(NOW)).await.unwrap();
    gone.commit().await.unwrap();
    assert_eq!(here.authenticate(&token, NOW).unwrap_err(), AuthFailure::Revoked(NOW));
    assert!(there.authenticate(&token, NOW).is_ok(), "nobody told it yet");
    there.refresh().await.unwrap();
    assert_eq!(there.authenticate(&token, NOW).unwrap_err(), AuthFailure::Revoked(NOW));
    store.remove().await;
}

#[tokio::test]
async fn access_tokens_of_another_registry_or_of_a_population_that_was_left_are_refused() {
    let store = Store::new().await;
    let (other_store, registry) = (Store::new().await, store.node().await);
    let other = other_store.node().await;
    let acme = tenant(&registry, "acme").await;
    let IssuedClient { client, secret } = make(&registry, &acme, &NewClient::new("Entra")).await;
    let (forged, _) = other.issue_access_token(&client, by_secret(&client), Scopes::ALL, NOW);
    let refused = registry.authenticate(&bearer(&forged), NOW).unwrap_err();
    assert_eq!(refused, AuthFailure::Unknown);

    let (token, _) = registry.issue_access_token(&client, by_secret(&client), Scopes::ALL, NOW);
    let frozen = registry.freeze_switch(&acme.id, Population::Board, &by()).await.unwrap();
    frozen.commit().await.unwrap();
    assert!(registry.authenticate(&bearer(&token), NOW).is_ok());
    let cut = registry.cut_over(&acme.id, HOUR, &by()).await.unwrap();
    cut.commit().await.unwrap();
    let (provisions, asked) = (Population::Board, Population::Platform);
    let resting = AuthFailure::OtherPopulation { provisions, asked };
    assert_eq!(registry.authenticate(&bearer(&token), NOW).unwrap_err(), resting);
    let resting = ClientFailure::OtherPopulation { provisions, asked };
    assert_eq!(ask(&registry, &client, &secret.unwrap()), Err(resting));
    assert!(registry.oauth_client(&client.client_id).is_none());
    let back = registry.undo_switch(&acme.id, &by()).await.unwrap();
    back.commit().await.unwrap();
    assert!(registry.authenticate(&bearer(&token), NOW).is_ok());
    other_store.remove().await;
    store.remove().await;
}

#[tokio::test]
async fn an_access_token_ends_with_the_secret_that_it_was_asked_for_with() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let IssuedClient { client, secret } = make(&here, &acme, &NewClient::new("Entra")).await;
    let (id, client_id) = (&acme.id, client.client_id.as_str());
    let second = here.add_secret(id, client_id, YEAR, &by()).await.unwrap().commit().await.unwrap();
    let token = |secret: &SecretString| {
        let (client, proof) =
            here.authenticate_client(client_id, secret.expose_secret(), NOW).unwrap();
        bearer(&here.issue_access_token(&client, proof, Scopes::ALL, NOW).0)
    };
    let (stolen, kept) = (token(&secret.unwrap()), token(&second.secret));
    let gone = here.revoke_secret(id, client_id, &client.secrets[0].id, &by()).await.unwrap();
    gone.commit().await.unwrap();
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        let refused = node.authenticate(&stolen, NOW).unwrap_err();
        assert_eq!(refused, AuthFailure::AccessTokenRevoked);
        assert_eq!(refused.reason().as_str(), "token_revoked");
        assert!(node.owner(&stolen).is_some(), "for the log");
        assert!(node.authenticate(&kept, NOW).is_ok());
    }
    store.remove().await;
}

#[tokio::test]
async fn an_access_token_outlives_the_time_of_its_secret() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let new = NewClient { secret: Some(HOUR / 2), ..NewClient::new("Entra") };
    let client = make(&registry, &acme, &new).await.client;
    let (token, _) = registry.issue_access_token(&client, by_secret(&client), Scopes::ALL, NOW);
    assert!(registry.authenticate(&bearer(&token), NOW + HOUR * 3 / 4).is_ok());
    store.remove().await;
}

#[tokio::test]
async fn an_access_token_ends_with_the_key_that_signed_for_it() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let set = |keys: &[&str]| {
        let keys =
            keys.iter().map(|x| serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
        serde_json::json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    };
    let by_keys = |names: &[&str]| Assertion { jwks: set(names), ..keys() };
    let assertion = Some(by_keys(&["a", "b"]));
    let new = NewClient { secret: None, assertion, ..NewClient::new("Entra") };
    let client = make(&registry, &acme, &new).await.client;
    let token = |x: &str| {
        let key = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let proof = Proof::of_key(client.assertion.as_ref().unwrap(), key.as_object().unwrap());
        bearer(&registry.issue_access_token(&client, proof, Scopes::ALL, NOW).0)
    };
    let (by_a, by_b) = (token("a"), token("b"));
    let change = async |assertion: Option<Assertion>| {
        let asked = ClientChange { assertion: Some(assertion), ..Default::default() };
        alter(&registry, &client, asked).await;
        [&by_a, &by_b].map(|token| registry.authenticate(token, NOW).err())
    };
    let gone = Some(AuthFailure::AccessTokenRevoked);
    assert_eq!(change(Some(by_keys(&["b", "c"]))).await, [gone, None]);
    let other = Assertion { subject: "another".to_owned(), ..by_keys(&["a", "b"]) };
    assert_eq!(change(Some(other)).await, [gone, gone]);
    assert_eq!(change(Some(by_keys(&["a", "b"]))).await, [None, None], "the same keys again");
    assert_eq!(change(None).await, [gone, gone]);
    store.remove().await;
}
