use crate::support::{NOW, Store, by, change, credential, new_tenant, place, tenant};
use region_router::{Population, Region};
use tenant_registry::{Actor, AuditQuery, By, Registry, TenantChange, TenantQuery, TenantState};

async fn slugs(registry: &Registry, query: TenantQuery) -> Vec<String> {
    let query = TenantQuery { limit: 10, ..query };
    let page = registry.tenants_page(&query).await.unwrap();
    page.into_iter().map(|tenant| tenant.slug).collect()
}

#[tokio::test]
async fn tenants_come_page_by_page_in_the_order_of_their_slugs() {
    let store = Store::new().await;
    let registry = store.node().await;
    for slug in ["b", "a-1", "a", "c", "a1"] {
        tenant(&registry, slug).await;
    }
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let query = TenantQuery { after, limit: 2, ..Default::default() };
        let page = registry.tenants_page(&query).await.unwrap();
        after = page.last().map(|tenant| tenant.slug.clone());
        if page.is_empty() {
            break;
        }
        all.extend(page.into_iter().map(|tenant| tenant.slug));
    }
    assert_eq!(all, ["a", "a-1", "a1", "b", "c"]);
    store.remove().await;
}

#[tokio::test]
async fn tenants_are_filtered_by_what_they_are() {
    let store = Store::new().await;
    let registry = store.node().await;
    let mut us = new_tenant("us");
    (us.region, us.population) = (Region::parse("us").unwrap(), Population::Board);
    (us.plan, us.provider) = ("small".to_owned(), "entra".to_owned());
    registry.create_tenant(&us, &by()).await.unwrap().commit().await.unwrap();
    tenant(&registry, "eu").await;
    let off = tenant(&registry, "off").await;
    let suspended = registry.set_state(&off.id, TenantState::Suspended, &by()).await.unwrap();
    suspended.commit().await.unwrap();

    let any = TenantQuery::default;
    let region = |name: &str| place(name, Population::Platform).region;
    assert_eq!(slugs(&registry, any()).await, ["eu", "off", "us"]);
    for (query, expected) in [
        (TenantQuery { region: vec![region("us")], ..any() }, vec!["us"]),
        (
            TenantQuery { region: vec![region("us"), region("eu")], ..any() },
            vec!["eu", "off", "us"],
        ),
        (TenantQuery { state: Some(TenantState::Suspended), ..any() }, vec!["off"]),
        (TenantQuery { plan: Some("small".to_owned()), ..any() }, vec!["us"]),
        (TenantQuery { population: Some(Population::Platform), ..any() }, vec!["eu", "off"]),
        (TenantQuery { provider: Some("entra".to_owned()), ..any() }, vec!["us"]),
        (
            TenantQuery {
                after: Some("eu".to_owned()),
                plan: Some("standard".to_owned()),
                ..any()
            },
            vec!["off"],
        ),
    ] {
        assert_eq!(slugs(&registry, query.clone()).await, expected, "{query:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn the_audit_comes_page_by_page_newest_first() {
    let store = Store::new().await;
    let registry = store.node().await;
    let (acme, zeta) = (tenant(&registry, "acme").await, tenant(&registry, "zeta").await);
    credential(&registry, &zeta).await;
    let later = NOW + time::Duration::HOUR;
    for seats in 0..5 {
        let asked = TenantChange { seats: Some(Some(seats)), ..Default::default() };
        let bob = By::new(Actor::Operator("bob".to_owned()), later);
        registry.change_tenant(&acme.id, &asked, &bob).await.unwrap().commit().await.unwrap();
    }
    change(&registry, &acme, TenantChange { seats: Some(None), ..Default::default() }).await;
    let any = || AuditQuery { limit: 100, ..Default::default() };

    let all: Vec<i64> = page(&registry, any()).await;
    assert_eq!(all, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let (mut before, mut paged) = (None, Vec::new());
    loop {
        let some = page(&registry, AuditQuery { before, limit: 2, ..Default::default() }).await;
        before = some.last().copied();
        if some.is_empty() {
            break;
        }
        paged.extend(some);
    }
    assert_eq!(paged, all);
    for (query, expected) in [
        (AuditQuery { tenant: Some(zeta.id.clone()), ..any() }, vec![3, 2]),
        (AuditQuery { actor: Some("operator bob".to_owned()), ..any() }, vec![8, 7, 6, 5, 4]),
        (AuditQuery { action: Some("credential.create".to_owned()), ..any() }, vec![3]),
        (AuditQuery { since: Some(later), limit: 2, ..any() }, vec![8, 7]),
        (AuditQuery { until: Some(later), ..any() }, vec![9, 3, 2, 1]),
        (AuditQuery { before: Some(3), tenant: Some(zeta.id.clone()), ..any() }, vec![2]),
    ] {
        assert_eq!(page(&registry, query.clone()).await, expected, "{query:?}");
    }
    store.remove().await;
}

async fn page(registry: &Registry, query: AuditQuery) -> Vec<i64> {
    let entries = registry.audit_page(&query).await.unwrap();
    entries.into_iter().map(|entry| entry.generation).collect()
}
