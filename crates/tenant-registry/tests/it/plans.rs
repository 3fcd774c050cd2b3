use crate::support::{
    ACTOR, NOW, Store, by, by_at, change, credential, new_tenant, presented, tenant,
};
use std::time::Duration;
use tenant_registry::{By, NewPlan, Plan, Registry, RegistryError, Tenant, TenantChange};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(86_400);

fn small() -> NewPlan {
    NewPlan {
        name: "small".to_owned(),
        directory_sync: false,
        group_push: false,
        text: "Ask for the large plan.".to_owned(),
        grace: 14 * DAY,
    }
}

async fn set(registry: &Registry, plan: &NewPlan, at: OffsetDateTime) -> Plan {
    registry.set_plan(plan, &by_at(at)).await.unwrap().commit().await.unwrap()
}

fn to(plan: &str) -> TenantChange {
    TenantChange { plan: Some(plan.to_owned()), ..Default::default() }
}

fn gates(tenant: &Tenant) -> (Option<OffsetDateTime>, bool, &str) {
    (tenant.sync_until, tenant.groups_in_plan, &tenant.upgrade_text)
}

#[tokio::test]
async fn a_plan_that_is_not_written_down_holds_everything() {
    let store = Store::new().await;
    let registry = store.node().await;
    assert_eq!(gates(&tenant(&registry, "acme").await), (None, true, ""));
    assert_eq!(registry.plan("standard").await.unwrap(), None);
    assert!(registry.plans().await.unwrap().is_empty());
    store.remove().await;
}

#[tokio::test]
async fn what_was_never_bought_has_no_grace_and_what_is_lost_has() {
    let store = Store::new().await;
    let registry = store.node().await;
    let plan = set(&registry, &small(), NOW).await;
    assert_eq!(registry.plans().await.unwrap(), [plan]);
    let mut new = new_tenant("new");
    new.plan = "small".to_owned();
    let new = registry.create_tenant(&new, &by()).await.unwrap().commit().await.unwrap();
    let text = "Ask for the large plan.";
    assert_eq!(gates(&new), (Some(NOW), false, text));

    let acme = tenant(&registry, "acme").await;
    let down = change(&registry, &acme, to("small")).await;
    assert_eq!(gates(&down), (Some(NOW + 14 * DAY), false, text));
    let audit = registry.audit(Some(&acme.id), 1).await.unwrap();
    assert_eq!(
        audit[0].detail,
        r#"{"after":{"plan":"small","sync_until":"2026-12-06T10:00:00Z"},"before":{"plan":"standard","sync_until":null}}"#
    );
    let up = change(&registry, &acme, to("standard")).await;
    assert_eq!(gates(&up), (None, true, ""));
    store.remove().await;
}

#[tokio::test]
async fn who_goes_from_one_plan_without_sync_to_another_gets_no_second_grace() {
    let store = Store::new().await;
    let registry = store.node().await;
    set(&registry, &small(), NOW).await;
    set(&registry, &NewPlan { name: "tiny".to_owned(), ..small() }, NOW).await;
    let acme = change(&registry, &tenant(&registry, "acme").await, to("small")).await;
    let by = by_at(NOW + 10 * DAY);
    let moved = registry.change_tenant(&acme.id, &to("tiny"), &by).await.unwrap();
    assert_eq!(moved.commit().await.unwrap().sync_until, Some(NOW + 14 * DAY));
    store.remove().await;
}

#[tokio::test]
async fn a_plan_that_changes_changes_its_tenants_on_every_node() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let (acme, other) = (tenant(&here, "acme").await, tenant(&here, "other").await);
    let other = change(&here, &other, to("large")).await;
    let token = presented(&credential(&here, &acme).await);
    let served = |registry: &Registry| registry.authenticate(&token, NOW).unwrap().tenant;
    let standard = NewPlan { name: "standard".to_owned(), ..small() };

    let plan = set(&here, &standard, NOW).await;
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        let acme = served(node);
        assert_eq!(gates(&acme), (Some(NOW + 14 * DAY), false, "Ask for the large plan."));
        assert_eq!(acme.version, plan.version);
    }
    // An end that is set stays, whatever the plan says later, until the plan has it again.
    set(&here, &NewPlan { grace: DAY, text: "Other.".to_owned(), ..standard.clone() }, NOW + DAY)
        .await;
    assert_eq!(gates(&served(&here)), (Some(NOW + 14 * DAY), false, "Other."));
    let last = set(&here, &NewPlan { directory_sync: true, ..standard }, NOW + DAY).await;
    there.refresh().await.unwrap();
    assert_eq!(gates(&served(&there)), (None, false, "Ask for the large plan."));
    assert_eq!(here.find_tenant("other").await.unwrap(), Some(other));

    let audit = there.audit(None, 1).await.unwrap();
    assert_eq!((audit[0].generation, audit[0].actor.as_str()), (last.version, ACTOR));
    assert_eq!((audit[0].action.as_str(), audit[0].subject.as_str()), ("plan.set", "standard"));
    assert_eq!(audit[0].tenant_id, "");
    store.remove().await;
}

#[tokio::test]
async fn a_plan_is_changed_by_who_has_seen_it() {
    let store = Store::new().await;
    let registry = store.node().await;
    let seen = |version| By { expected: Some(version), ..by() };
    let first = registry.set_plan(&small(), &seen(0)).await.unwrap().commit().await.unwrap();
    let refused = registry.set_plan(&small(), &seen(0)).await.unwrap_err();
    assert!(matches!(refused, RegistryError::VersionMismatch), "{refused:?}");
    let same = registry.set_plan(&small(), &seen(first.version)).await.unwrap();
    assert!(!same.changed());
    assert_eq!(same.commit().await.unwrap(), first);
    let wrong = NewPlan { text: "a\nb".to_owned(), ..small() };
    let refused = registry.set_plan(&wrong, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::NameInvalid { .. }), "{refused:?}");
    let wrong = NewPlan { grace: Duration::MAX, ..small() };
    let refused = registry.set_plan(&wrong, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::GraceInvalid), "{refused:?}");
    store.remove().await;
}
