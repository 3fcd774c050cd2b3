use crate::support::{ACTOR, NOW, Store, by, change, new_tenant, place, tenant};
use futures_util::future::join_all;
use provisioning::ProfileId;
use region_router::Population;
use tenant_registry::{NewTenant, RegistryError, TenantChange, TenantId, TenantState};

fn stranger() -> TenantId {
    TenantId::parse("ten_aaaaaaaaaaaaaaaa").unwrap()
}

#[tokio::test]
async fn a_new_tenant_has_the_defaults_of_its_population() {
    let store = Store::new().await;
    let registry = store.node().await;

    let new = NewTenant::new("acme", "Acme Ltd", place("us", Population::Board), ProfileId::Open);
    let acme = registry.create_tenant(&new, &by()).await.unwrap().commit().await.unwrap();

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
    let acme = registry.create_tenant(&new, &by()).await.unwrap().commit().await.unwrap();

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

    let refused = there.create_tenant(&new_tenant("acme"), &by()).await;

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

    let creates =
        (0..10).map(async |n| nodes[n % 2].create_tenant(&new, &by()).await?.commit().await);
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
        let refused = registry.create_tenant(&new_tenant(slug), &by()).await;
        assert!(matches!(refused, Err(RegistryError::SlugInvalid)), "{slug}: {refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn every_change_of_a_tenant_is_kept_seen_by_other_nodes_and_audited() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;

    let suspended = here.set_state(&acme.id, TenantState::Suspended, &by()).await.unwrap();
    suspended.commit().await.unwrap();
    let both = TenantChange { seats: Some(Some(3)), groups: Some(false), ..Default::default() };
    let last = change(&here, &acme, both).await;

    assert_eq!((last.state, last.seats, last.groups), (TenantState::Suspended, Some(3), false));
    assert_eq!(there.find_tenant("acme").await.unwrap(), Some(last));
    let audit = there.audit(Some(&acme.id), 10).await.unwrap();
    let lines: Vec<String> =
        audit.iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect();
    assert_eq!(
        lines[1..],
        [
            r#"tenant.suspend {"after":{"state":"suspended"},"before":{"state":"active"}}"#,
            r#"tenant.change {"after":{"groups":false,"seats":3},"before":{"groups":true,"seats":null}}"#,
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
        registry.set_state(&id, TenantState::Closed, &by()).await.unwrap_err(),
        registry.change_tenant(&id, &TenantChange::default(), &by()).await.unwrap_err(),
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
    let refused = registry
        .change_tenant(
            &acme.id,
            &TenantChange { seats: Some(Some(u64::MAX)), ..Default::default() },
            &by(),
        )
        .await;
    assert!(matches!(refused, Err(RegistryError::SeatsInvalid)), "{refused:?}");
    store.remove().await;
}
