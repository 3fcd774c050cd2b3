use crate::support::follower::{Follower, SOON, reached};
use crate::support::redis::{Redis, free_port};
use crate::support::{NOW, Store, by, credential, presented, revoke, tenant};
use secrecy::ExposeSecret;
use std::time::Duration;
use tenant_registry::{
    AuthFailure, BearerToken, NewClient, Proof, Registry, RegistryError, RegistryOptions, Scopes,
};
use tokio::time::timeout;

const NEVER: Duration = Duration::from_secs(86_400);

fn options(poll: Duration, redis_url: Option<&str>) -> RegistryOptions {
    RegistryOptions { poll, redis_url: redis_url.map(str::to_owned), ..RegistryOptions::default() }
}

#[tokio::test]
async fn a_node_notices_changes_by_asking() {
    let store = Store::new().await;
    let here = store.node().await;
    let there = store.node_with(options(Duration::from_millis(20), None)).await;
    let follower = Follower::of(&there);

    let issued = credential(&here, &tenant(&here, "acme").await).await;
    reached(&there, *here.generations().borrow()).await;
    assert!(there.authenticate(&presented(&issued), NOW).is_ok());

    revoke(&here, &issued.credential, NOW).await;
    reached(&there, *here.generations().borrow()).await;
    let failure = there.authenticate(&presented(&issued), NOW).unwrap_err();
    assert_eq!(failure, AuthFailure::Revoked(NOW));

    follower.end().await;
    store.remove().await;
}

#[tokio::test]
async fn an_announced_change_arrives_without_asking() {
    let redis = Redis::start();
    let store = Store::new().await;
    let here = store.node_with(options(NEVER, Some(&redis.url))).await;
    let there = store.node_with(options(NEVER, Some(&redis.url))).await;
    let follower = Follower::of(&there);
    // The first change may be seen when the subscription is made; the others can only be announced.
    for slug in ["one", "two", "three"] {
        tenant(&here, slug).await;
        reached(&there, *here.generations().borrow()).await;
    }
    follower.end().await;
    store.remove().await;
}

#[tokio::test]
async fn a_revocation_is_announced_to_other_nodes() {
    let redis = Redis::start();
    let store = Store::new().await;
    let here = store.node_with(options(NEVER, Some(&redis.url))).await;
    let there = store.node_with(options(NEVER, Some(&redis.url))).await;
    let follower = Follower::of(&there);
    let acme = tenant(&here, "acme").await;
    let issued = credential(&here, &acme).await;
    let new = NewClient::new("Entra");
    let client = here.create_client(&acme.id, &new, &by()).await.unwrap().commit().await.unwrap();
    let client = client.client;
    let (access, _) =
        here.issue_access_token(&client, Proof::of_secret(&client.secrets[0].id), Scopes::ALL, NOW);
    let access = BearerToken::parse(access.expose_secret()).unwrap();
    reached(&there, *here.generations().borrow()).await;
    assert!(there.authenticate(&access, NOW).is_ok());

    revoke(&here, &issued.credential, NOW).await;
    let gone = here.revoke_client(&acme.id, &client.client_id, &by()).await.unwrap();
    gone.commit().await.unwrap();
    reached(&there, *here.generations().borrow()).await;

    for token in [presented(&issued), access] {
        assert_eq!(there.authenticate(&token, NOW).unwrap_err(), AuthFailure::Revoked(NOW));
    }
    follower.end().await;
    store.remove().await;
}

#[tokio::test]
async fn without_redis_changes_are_made_and_noticed_all_the_same() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let store = Store::new().await;
    let here = store.node_with(options(NEVER, Some(&url))).await;
    let there = store.node_with(options(Duration::from_millis(20), Some(&url))).await;
    let follower = Follower::of(&there);

    timeout(SOON, tenant(&here, "acme")).await.unwrap();
    reached(&there, 1).await;

    follower.end().await;
    store.remove().await;
}

#[tokio::test]
async fn a_redis_url_of_a_wrong_form_is_an_error_at_the_start() {
    let store = Store::new().await;
    let refused =
        Registry::open(store.database().await, options(NEVER, Some("localhost:6379")), NOW).await;
    assert!(matches!(refused, Err(RegistryError::Redis(_))), "{refused:?}");
    store.remove().await;
}

#[tokio::test]
async fn known_tenants_are_served_when_the_database_is_gone() {
    let store = Store::new().await;
    let registry = store.node_with(options(Duration::from_millis(20), None)).await;
    let issued = credential(&registry, &tenant(&registry, "acme").await).await;
    assert!(registry.ping().await.is_ok());
    let follower = Follower::of(&registry);

    registry.close().await.unwrap();

    assert!(registry.refresh().await.is_err() && registry.ping().await.is_err());
    let before = registry.age();
    assert!(registry.authenticate(&presented(&issued), NOW).is_ok());
    assert!(registry.age() >= before, "the age says how stale the snapshot is");
    follower.end().await;
    store.remove().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_no_other_change() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = credential(&registry, &tenant(&registry, "acme").await).await;
    let zeta = credential(&registry, &tenant(&registry, "zeta").await).await;

    store
        .run(
            "UPDATE registry_tenants SET profile = 'of the future', generation = 100 WHERE slug = 'acme';
             UPDATE registry_credentials SET revoked_at = 7, generation = 100 WHERE tenant_id =
                (SELECT id FROM registry_tenants WHERE slug = 'zeta');
             UPDATE registry_generation SET generation = 100",
        )
        .await;

    assert!(registry.refresh().await.unwrap());
    assert!(registry.authenticate(&presented(&acme), NOW).is_ok(), "as it was last understood");
    let failure = registry.authenticate(&presented(&zeta), NOW).unwrap_err();
    assert_eq!(failure.reason().as_str(), "token_revoked");
    let refused = registry.find_tenant("acme").await.unwrap_err();
    assert!(matches!(refused, RegistryError::Unreadable { what: "profile", .. }), "{refused:?}");
    store.remove().await;
}
