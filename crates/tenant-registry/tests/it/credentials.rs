use crate::support::{
    NOW, Store, by, by_at, credential, new_credential, presented, revoke, tenant,
};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use std::time::Duration;
use tenant_registry::{AuthFailure, MAX_LIVE, RegistryError, Scopes, TenantId};

const HOUR: time::Duration = time::Duration::HOUR;
const SECOND: time::Duration = time::Duration::SECOND;

#[tokio::test]
async fn an_issued_token_names_its_tenant_on_every_node() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let mut new = new_credential();
    new.scopes = Scopes::parse("read,users").unwrap();
    let issued = here.create_credential(&acme.id, &new, &by()).await.unwrap();
    let issued = issued.commit().await.unwrap();
    there.refresh().await.unwrap();

    for node in [&here, &there] {
        let caller = node.authenticate(&presented(&issued), NOW).unwrap();
        assert_eq!(*caller.tenant, acme);
        assert_eq!(*caller.credential, issued.credential);
    }
    assert_eq!(
        there.credentials(&acme.id).await.unwrap(),
        std::slice::from_ref(&issued.credential)
    );
    let kept = &issued.credential;
    assert_eq!((kept.created_at, kept.expires_at, kept.revoked_at), (NOW, NOW + HOUR, None));
    assert_eq!((kept.name.as_str(), kept.scopes), ("Entra", new.scopes));
    assert!(kept.hint.starts_with("mst_eu_pf_****"), "{}", kept.hint);
    store.remove().await;
}

#[tokio::test]
async fn the_token_is_kept_nowhere() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let issued = credential(&registry, &acme).await;
    let secret: String = issued.token.expose_secret().chars().skip(27).collect();

    let tables = [
        ("registry_credentials", "key_id, tenant_id, name, hint, scopes"),
        ("registry_audit", "actor, action, tenant_id, subject, detail"),
        ("registry_secrets", "name, value"),
    ];
    for (table, columns) in tables {
        let rows = store.dump(table, columns).await;
        assert!(!rows.is_empty() && !rows.contains(&secret), "{table}");
    }
    assert!(!format!("{issued:?}").contains(&secret));
    let audit = registry.audit(Some(&acme.id), 1).await.unwrap();
    assert_eq!(audit[0].action, "credential.create");
    assert_eq!(audit[0].subject, issued.credential.key_id);
    store.remove().await;
}

#[tokio::test]
async fn a_token_expires_at_its_instant() {
    let store = Store::new().await;
    let registry = store.node().await;
    let issued = credential(&registry, &tenant(&registry, "acme").await).await;
    let token = presented(&issued);

    assert!(registry.authenticate(&token, NOW + HOUR - SECOND).is_ok());
    let failure = registry.authenticate(&token, NOW + HOUR).unwrap_err();

    assert_eq!(failure, AuthFailure::Expired(NOW + HOUR));
    assert_eq!(failure.reason().as_str(), "token_expired");
    assert!(failure.detail().contains("expired on 2026-11-22"), "{}", failure.detail());
    store.remove().await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_says_when_it_was_revoked() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let issued = credential(&here, &acme).await;
    there.refresh().await.unwrap();

    revoke(&here, &issued.credential, NOW + SECOND).await;

    let revoked = AuthFailure::Revoked(NOW + SECOND);
    assert_eq!(here.authenticate(&presented(&issued), NOW).unwrap_err(), revoked);
    assert!(there.authenticate(&presented(&issued), NOW).is_ok(), "nobody told it yet");
    assert!(there.refresh().await.unwrap());
    // Also when its time is over: what the administrator did explains more than what the clock did.
    assert_eq!(there.authenticate(&presented(&issued), NOW + HOUR).unwrap_err(), revoked);

    let again = revoke(&there, &issued.credential, NOW + HOUR).await;
    assert_eq!(again.revoked_at, Some(NOW + SECOND));
    let actions: Vec<String> = here
        .audit(Some(&acme.id), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["tenant.create", "credential.create", "credential.revoke"]);
    store.remove().await;
}

#[tokio::test]
async fn a_token_of_another_registry_is_unknown() {
    let (store, other_store) = (Store::new().await, Store::new().await);
    let (registry, other) = (store.node().await, other_store.node().await);
    tenant(&registry, "acme").await;
    let foreign = credential(&other, &tenant(&other, "acme").await).await;

    let failure = registry.authenticate(&presented(&foreign), NOW).unwrap_err();

    assert_eq!((failure, failure.reason().as_str()), (AuthFailure::Unknown, "token_unknown"));
    assert!(!failure.detail().contains("acme"));
    store.remove().await;
    other_store.remove().await;
}

#[tokio::test]
async fn five_credentials_are_live_at_most_also_when_asked_for_at_once() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let acme = tenant(&nodes[0], "acme").await;
    let new = new_credential();

    let creates = (0..12)
        .map(async |n| nodes[n % 2].create_credential(&acme.id, &new, &by()).await?.commit().await);
    let answers = join_all(creates).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), MAX_LIVE);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, RegistryError::TooManyCredentials(MAX_LIVE)), "{refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn what_expired_or_was_revoked_does_not_count_as_live() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let mut last = credential(&registry, &acme).await;
    for _ in 1..MAX_LIVE {
        last = credential(&registry, &acme).await;
    }
    let full = registry.create_credential(&acme.id, &new_credential(), &by()).await;
    assert!(full.is_err());

    revoke(&registry, &last.credential, NOW).await;
    credential(&registry, &acme).await;
    let later = NOW + HOUR;
    for _ in 0..MAX_LIVE {
        let new = new_credential();
        let more = registry.create_credential(&acme.id, &new, &by_at(later)).await.unwrap();
        more.commit().await.unwrap();
    }
    let all = registry.credentials(&acme.id).await.unwrap();
    assert_eq!(all.iter().filter(|credential| credential.is_live(later)).count(), MAX_LIVE);
    store.remove().await;
}

#[tokio::test]
async fn a_life_of_no_time_or_of_more_than_ten_years_is_refused() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    for life in [
        Duration::ZERO,
        Duration::from_millis(999),
        Duration::from_secs(4_000 * 86_400),
        Duration::MAX,
    ] {
        let mut new = new_credential();
        new.expires = life;
        let refused = registry.create_credential(&acme.id, &new, &by()).await;
        assert!(matches!(refused, Err(RegistryError::ExpiryInvalid)), "{life:?}: {refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn credentials_belong_to_a_tenant_that_is_there() {
    let store = Store::new().await;
    let registry = store.node().await;
    let stranger = TenantId::parse("ten_aaaaaaaaaaaaaaaa").unwrap();
    let refused = registry.create_credential(&stranger, &new_credential(), &by()).await;
    assert!(matches!(refused, Err(RegistryError::TenantNotFound)), "{refused:?}");
    let refused = registry.revoke_credential(&stranger, "0000000000000000", &by()).await;
    assert!(matches!(refused, Err(RegistryError::CredentialNotFound)), "{refused:?}");
    store.remove().await;
}
