use crate::support::{ACTOR, NOW, Store, new_tenant, place, tenant};
use futures_util::future::join_all;
use provisioning::ProfileId;
use region_router::Population;
use tenant_registry::{NewTenant, RegistryError, TenantId, TenantState};

fn stranger() -> TenantId {
    TenantId::parse("ten_aaaaaaaaaaaaaaaa").unwrap()
}

#[tokio::test]
async fn a_new_tenant_has_the_defaults_of_its_population() {
    let store = Store::new().await;
    let registry = store.node().await;

    let new = NewTenant::new("acme", "Acme Ltd", place("us", Population::Board), ProfileId::Open);
    let acme = registry.create_tenant(&new, ACTOR, NOW).await.unwrap();

    assert_eq!(TenantId::parse(acme.id.as_str()).unwrap(), acme.id);
    assert_eq!(acme.place(), place("us", Population::Board));
    assert_eq!((acme.shard.as_str(), acme.epoch, acme.state), ("0", 1, TenantState::Active));
    assert_eq!((acme.role_of(acme.population), acme.plan.as_str()), ("advocate", "standard"));
    assert_eq!((acme.seats, acme.groups), (None, true));
    assert_eq!(acme.seat_contact, "your account owner");
    store.remove().await;
}

#[tokio::test]
async fn a_tenant_is_found_by_slug_and_by_id_and_listed() {
    let store = Store::new().await;
    let registry = store.node().await;
    let zeta = tenant(&registry, "zeta").await;
    let mut new = new_tenant("acme-2");
    new.seats = Some(250);
    new.groups = false;
    let acme = registry.create_tenant(&new, ACTOR, NOW).await.unwrap();

    assert_eq!(registry.find_tenant("acme-2").await.unwrap(), Some(acme.clone()));
    assert_eq!(registry.find_tenant(acme.id.as_str()).await.unwrap(), Some(acme.clone()));
    assert_eq!(registry.find_tenant("acme").await.unwrap(), None);
    assert_eq!(registry.find_tenant("ACME-2").await.unwrap(), None);
    assert_eq!(registry.find_tenant("").await.unwrap(), None);
    assert_eq!(registry.tenants().await.unwrap(), [acme, zeta]);
    store.remove().await;
}

#[tokio::test]
async fn a_slug_is_taken_once() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    tenant(&here, "acme").await;
    let before = *here.generations().borrow();

    let refused = there.create_tenant(&new_tenant("acme"), ACTOR, NOW).await;

    assert!(matches!(refused, Err(RegistryError::SlugTaken)), "{refused:?}");
    there.refresh().await.unwrap();
    assert_eq!(*there.generations().borrow(), before, "a refusal changes nothing");
    assert_eq!(there.audit(None, 10).await.unwrap().len(), 1);
    store.remove().await;
}

#[tokio::test]
async fn of_many_creates_of_one_slug_at_once_one_succeeds() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let new = new_tenant("acme");

    let creates = (0..10).map(|n| nodes[n % 2].create_tenant(&new, ACTOR, NOW));
    let answers = join_all(creates).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, RegistryError::SlugTaken), "{refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn a_slug_of_another_form_is_refused() {
    let store = Store::new().await;
    let registry = store.node().await;
    for slug in ["", "Acme", "a_b", "ten_aaaaaaaaaaaaaaaa", &"a".repeat(64)] {
        let refused = registry.create_tenant(&new_tenant(slug), ACTOR, NOW).await;
        assert!(matches!(refused, Err(RegistryError::SlugInvalid)), "{slug}: {refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn every_change_of_a_tenant_is_kept_seen_by_other_nodes_and_audited() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;

    here.set_tenant_state(&acme.id, TenantState::Suspended, ACTOR, NOW).await.unwrap();
    here.set_seats(&acme.id, Some(3), ACTOR, NOW).await.unwrap();
    let last = here.set_groups(&acme.id, false, ACTOR, NOW).await.unwrap();

    assert_eq!((last.state, last.seats, last.groups), (TenantState::Suspended, Some(3), false));
    assert_eq!(there.find_tenant("acme").await.unwrap(), Some(last));
    let audit = there.audit(Some(&acme.id), 10).await.unwrap();
    let lines: Vec<String> =
        audit.iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect();
    assert_eq!(
        lines[1..],
        [
            r#"tenant.set_state {"after":"suspended","before":"active"}"#,
            r#"tenant.set_seats {"after":3,"before":null}"#,
            r#"tenant.set_groups {"after":false,"before":true}"#,
        ]
    );
    for entry in &audit {
        assert_eq!((entry.actor.as_str(), entry.at, entry.subject.as_str()), (ACTOR, NOW, "acme"));
    }
    store.remove().await;
}

#[tokio::test]
async fn a_tenant_that_is_not_there_cannot_be_changed() {
    let store = Store::new().await;
    let registry = store.node().await;
    let id = stranger();
    for refused in [
        registry.set_tenant_state(&id, TenantState::Closed, ACTOR, NOW).await.unwrap_err(),
        registry.set_seats(&id, None, ACTOR, NOW).await.unwrap_err(),
        registry.set_groups(&id, true, ACTOR, NOW).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::TenantNotFound), "{refused:?}");
    }
    assert!(registry.audit(None, 10).await.unwrap().is_empty());
    store.remove().await;
}

#[tokio::test]
async fn seats_beyond_what_a_row_holds_are_refused() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let refused = registry.set_seats(&acme.id, Some(u64::MAX), ACTOR, NOW).await;
    assert!(matches!(refused, Err(RegistryError::SeatsInvalid)), "{refused:?}");
    store.remove().await;
}
