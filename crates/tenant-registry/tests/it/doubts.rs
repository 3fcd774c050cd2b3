//! What the registry's database holds, when it cannot be what it held before.

use crate::support::{NOW, Store, by, by_at, credential, presented, revoke, tenant};
use tenant_registry::{AuthFailure, Doubt, Registry, RegistryError, Standing};

fn count(node: &Registry, reason: &str) -> u64 {
    node.refusals().find(|(word, _)| *word == reason).unwrap().1
}

/// The doubt that keeps what the database holds from being used.
async fn doubt(node: &Registry) -> Doubt {
    match node.refresh().await {
        Err(RegistryError::Doubtful(doubt)) => doubt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_restored_older_database_is_taken_by_an_operators_word_only() {
    let store = Store::new().await;
    let node = store.node().await;
    let acme = tenant(&node, "acme").await;
    let issued = credential(&node, &acme).await;

    store.run("DELETE FROM registry_credentials").await;
    store.restore(1).await;

    for _ in 0..3 {
        assert_eq!(doubt(&node).await, Doubt::GenerationBack { known: 2, next: 1 });
    }
    assert_eq!(node.standing(), Standing::Doubted);
    assert_eq!(count(&node, "generation_back"), 1, "one state is one refusal");
    assert!(node.authenticate(&presented(&issued), NOW).is_ok(), "as it was known");

    let word = store.node().await;
    let accepted = word.accept(&by()).await.unwrap().commit().await.unwrap();
    assert_eq!((accepted.generation, accepted.tenants, accepted.credentials), (2, 1, 0));

    assert!(node.refresh().await.unwrap());
    assert_eq!(node.standing(), Standing::Current);
    let failure = node.authenticate(&presented(&issued), NOW).unwrap_err();
    assert_eq!(failure, AuthFailure::Unknown);
    let audit = node.audit(None, 1).await.unwrap();
    let last = audit.first().map(|entry| entry.action.as_str());
    assert_eq!(last, Some("registry.accept"));
    store.remove().await;
}

#[tokio::test]
async fn an_operators_word_is_good_once() {
    let store = Store::new().await;
    let node = store.node().await;
    tenant(&node, "acme").await;
    node.accept(&by()).await.unwrap().commit().await.unwrap();
    tenant(&node, "zeta").await;

    store.restore(2).await;
    assert_eq!(doubt(&node).await, Doubt::GenerationBack { known: 3, next: 2 });

    let later = by_at(NOW + time::Duration::SECOND);
    node.accept(&later).await.unwrap().commit().await.unwrap();
    assert_eq!(node.standing(), Standing::Current);
    store.remove().await;
}

#[tokio::test]
async fn a_restored_copy_that_has_caught_up_is_still_another_one() {
    let store = Store::new().await;
    let node = store.node().await;
    let issued = credential(&node, &tenant(&node, "acme").await).await;
    let revoked = revoke(&node, &issued.credential, NOW).await;

    // As it was before the revocation, and two changes later.
    store.run("UPDATE registry_credentials SET revoked_at = NULL, generation = 2").await;
    store.restore(2).await;
    doubt(&node).await;
    let elsewhere = store.node().await;
    tenant(&elsewhere, "beta").await;
    tenant(&elsewhere, "gamma").await;

    assert_eq!(doubt(&node).await, Doubt::RowBack { row: revoked.id() });
    let failure = node.authenticate(&presented(&issued), NOW).unwrap_err();
    assert_eq!(failure, AuthFailure::Revoked(NOW), "a revoked token stays revoked");
    store.remove().await;
}

#[tokio::test]
async fn a_revocation_is_followed_whatever_else_is_wrong() {
    let store = Store::new().await;
    let node = store.node().await;
    let acme = tenant(&node, "acme").await;
    let leaked = credential(&node, &acme).await;
    let good = credential(&node, &acme).await;
    store.restore(1).await;
    doubt(&node).await;

    let elsewhere = store.node().await;
    revoke(&elsewhere, &leaked.credential, NOW).await;
    doubt(&node).await;

    let failure = node.authenticate(&presented(&leaked), NOW).unwrap_err();
    assert_eq!(failure, AuthFailure::Revoked(NOW));
    assert!(node.authenticate(&presented(&good), NOW).is_ok());
    store.remove().await;
}

#[tokio::test]
async fn a_lowered_epoch_and_most_tenants_gone_are_not_taken() {
    let store = Store::new().await;
    let node = store.node().await;
    let acme = tenant(&node, "acme").await;
    for number in 0..9 {
        tenant(&node, &format!("tenant-{number}")).await;
    }

    store.run("UPDATE registry_tenants SET epoch = 0, generation = 11 WHERE slug = 'acme'").await;
    store.restore(11).await;
    let lowered = Doubt::EpochBack { tenant: acme.id.to_string(), known: 1, next: 0 };
    assert_eq!(doubt(&node).await, lowered);

    store.run("UPDATE registry_tenants SET epoch = 1 WHERE slug = 'acme'").await;
    store.run("DELETE FROM registry_tenants WHERE slug <> 'acme'").await;
    store.restore(12).await;
    assert_eq!(doubt(&node).await, Doubt::TenantsMissing { known: 10, missing: 9 });
    assert_eq!((count(&node, "epoch_back"), count(&node, "tenants_missing")), (1, 1));
    store.remove().await;
}
