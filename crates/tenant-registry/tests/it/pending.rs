use crate::support::{NOW, Store, by, change, credential, new_credential, new_tenant, tenant};
use std::time::Duration;
use tenant_registry::{By, CredentialChange, RegistryError, TenantChange, TenantState};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

fn seats(seats: u64) -> TenantChange {
    TenantChange { seats: Some(Some(seats)), ..Default::default() }
}

#[tokio::test]
async fn what_is_dropped_or_discarded_is_not_made_and_holds_nobody_up() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let before = store.dump("registry_generation", "generation").await;
    for n in 0..20 {
        let pending = registry.change_tenant(&acme.id, &seats(n), &by()).await.unwrap();
        assert!(pending.changed());
        assert_eq!((pending.seats, pending.version), (Some(n), acme.version + 1));
        if n % 2 == 0 {
            drop(pending);
        } else {
            assert_eq!(pending.discard().await.seats, Some(n));
        }
        let made = timeout(SOON, registry.create_tenant(&new_tenant("zeta"), &by())).await.unwrap();
        made.unwrap().discard().await;
    }
    assert_eq!(store.dump("registry_generation", "generation").await, before);
    assert_eq!(registry.tenants().await.unwrap(), [acme]);
    assert_eq!(registry.audit(None, 10).await.unwrap().len(), 1);
    store.remove().await;
}

#[tokio::test]
async fn a_change_that_is_given_up_at_any_moment_is_not_made_and_holds_nobody_up() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    for n in 0..100 {
        let (asked, by) = (seats(n), by());
        // A client that hangs up drops the future wherever it stands.
        let given_up = async {
            let pending = registry.change_tenant(&acme.id, &asked, &by).await.unwrap();
            std::future::pending::<()>().await;
            drop(pending);
        };
        assert!(timeout(Duration::from_micros(n * 50), given_up).await.is_err());
    }
    let last = timeout(SOON, change(&registry, &acme, seats(7))).await.unwrap();
    assert_eq!(last.seats, Some(7));
    let audit = registry.audit(Some(&acme.id), 10).await.unwrap();
    assert_eq!(audit.len(), 2, "{audit:?}");
    store.remove().await;
}

#[tokio::test]
async fn a_change_waits_for_the_one_that_is_pending() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let first = here.change_tenant(&acme.id, &seats(1), &by()).await.unwrap();
    let (two, change) = (seats(2), by());
    let mut second = Box::pin(there.change_tenant(&acme.id, &two, &change));
    assert!(timeout(Duration::from_millis(300), &mut second).await.is_err(), "it waits");

    first.commit().await.unwrap();

    let second = timeout(SOON, second).await.unwrap().unwrap().commit().await.unwrap();
    assert_eq!(second.seats, Some(2));
    let audit = here.audit(Some(&acme.id), 1).await.unwrap();
    assert_eq!(audit[0].detail, r#"{"after":{"seats":2},"before":{"seats":1}}"#);
    store.remove().await;
}

#[tokio::test]
async fn what_is_so_already_is_not_written_again() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let token = credential(&registry, &acme).await.credential;
    let generation = *registry.generations().borrow();

    let all = TenantChange {
        name: Some(acme.name.clone()),
        seats: Some(acme.seats),
        operations: Some(acme.operations),
        tolerance: Some(acme.tolerance.clone()),
        platform_role: Some(acme.platform_role.clone()),
        plan: Some(acme.plan.clone()),
        ..Default::default()
    };
    let same = registry.change_tenant(&acme.id, &all, &by()).await.unwrap();
    assert!(!same.changed());
    assert_eq!(same.commit().await.unwrap(), acme);
    let same = registry.set_state(&acme.id, TenantState::Active, &by()).await.unwrap();
    assert_eq!(same.commit().await.unwrap(), acme);
    let same = CredentialChange { name: Some(token.name.clone()), networks: None };
    let same = registry.change_credential(&acme.id, &token.key_id, &same, &by()).await.unwrap();
    assert_eq!(same.commit().await.unwrap(), token);

    registry.refresh().await.unwrap();
    assert_eq!(*registry.generations().borrow(), generation);
    store.remove().await;
}

#[tokio::test]
async fn who_has_seen_another_version_changes_nothing() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let token = credential(&registry, &acme).await.credential;
    let seen = |version| By { expected: Some(version), ..by() };
    let now = change(&registry, &acme, seats(1)).await;
    let (id, key_id, rename) = (&acme.id, &token.key_id, CredentialChange::default());

    let stale = seen(acme.version);
    for refused in [
        registry.change_tenant(id, &seats(2), &stale).await.unwrap_err(),
        registry.set_state(id, TenantState::Closed, &stale).await.unwrap_err(),
        registry.create_credential(id, &new_credential(), &stale).await.unwrap_err(),
        registry.change_credential(id, key_id, &rename, &stale).await.unwrap_err(),
        registry.revoke_credential(id, key_id, &stale).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::VersionMismatch), "{refused:?}");
    }
    let last = registry.change_tenant(id, &seats(2), &seen(now.version)).await.unwrap();
    assert_eq!(last.commit().await.unwrap().seats, Some(2));
    let gone = registry.revoke_credential(id, key_id, &seen(token.version)).await.unwrap();
    assert_eq!(gone.commit().await.unwrap().revoked_at, Some(NOW));
    store.remove().await;
}

#[tokio::test]
async fn the_audit_names_the_request_and_only_what_changed() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let asked = By { request_id: Some("req_1".to_owned()), ..by() };
    let rename = TenantChange { name: Some("Acme Inc".to_owned()), ..seats(7) };

    let changed = registry.change_tenant(&acme.id, &rename, &asked).await.unwrap();
    let changed = changed.commit().await.unwrap();

    let [first, last] = &registry.audit(Some(&acme.id), 2).await.unwrap()[..] else {
        panic!("two entries")
    };
    assert_eq!((first.action.as_str(), first.request_id.as_deref()), ("tenant.create", None));
    assert_eq!(last.request_id.as_deref(), Some("req_1"));
    assert_eq!((last.generation, last.actor.as_str()), (changed.version, "operator ada"));
    assert_eq!(
        last.detail,
        r#"{"after":{"name":"Acme Inc","seats":7},"before":{"name":"Acme Ltd","seats":null}}"#
    );
    store.remove().await;
}
