use crate::support::{NOW, Store, by, change, credential, new_tenant, presented, tenant};
use provisioning::ProfileId;
use region_router::Population;
use scim_core::{Custom, CustomAttribute, Kind, Quirk, ResourceType, Schemas, Tolerance};
use std::sync::Arc;
use tenant_registry::{
    BearerToken, Extension, RateLimit, Registry, RegistryError, Scopes, Tenant, TenantChange,
    TenantId,
};

fn stranger() -> TenantId {
    TenantId::parse("ten_aaaaaaaaaaaaaaaa").unwrap()
}

fn declaring(names: &[&str]) -> Custom {
    let one = |name: &&str| CustomAttribute::new(*name, Kind::Boolean);
    Custom { urn: Custom::own_urn("acme"), attributes: names.iter().map(one).collect() }
}

async fn tolerate(registry: &Registry, tenant: &Tenant, tolerance: &Tolerance) -> Tenant {
    let tolerance = Some(tolerance.clone());
    change(registry, tenant, TenantChange { tolerance, ..Default::default() }).await
}

async fn declare(
    registry: &Registry,
    tenant: &Tenant,
    before: Option<&Custom>,
    after: Option<&Custom>,
) -> Tenant {
    let pending = registry.set_extension(&tenant.id, before, after, &by()).await.unwrap();
    pending.commit().await.unwrap()
}

/// The tenant as a node serves it.
fn served(registry: &Registry, token: &BearerToken) -> Arc<Tenant> {
    registry.authenticate(token, NOW).unwrap().tenant
}

fn own(tenant: &Tenant) -> Option<&scim_core::Schema> {
    tenant.schemas.user.extension(&Custom::own_urn("acme"))
}

#[tokio::test]
async fn strictness_is_kept_seen_by_other_nodes_and_audited() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let token = presented(&credential(&here, &acme).await);
    there.refresh().await.unwrap();
    assert_eq!(served(&there, &token).tolerance, Tolerance::default());

    let two = Tolerance::all_but([Quirk::StringBool, Quirk::OpCase]);
    let changed = tolerate(&here, &acme, &two).await;
    assert_eq!(changed.tolerance, two);
    there.refresh().await.unwrap();
    assert_eq!(served(&there, &token).tolerance, two);
    tolerate(&here, &acme, &Tolerance::strict()).await;
    tolerate(&here, &acme, &Tolerance::default()).await;

    let audit = there.audit(Some(&acme.id), 3).await.unwrap();
    let lines: Vec<String> =
        audit.iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect();
    assert_eq!(
        lines,
        [
            r#"tenant.change {"after":{"strict":"Q-bool-string,Q-op-case"},"before":{"strict":"none"}}"#,
            r#"tenant.change {"after":{"strict":"all"},"before":{"strict":"Q-bool-string,Q-op-case"}}"#,
            r#"tenant.change {"after":{"strict":"none"},"before":{"strict":"all"}}"#,
        ]
    );
    store.remove().await;
}

#[tokio::test]
async fn a_declaration_is_kept_seen_by_other_nodes_and_audited() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let token = presented(&credential(&here, &acme).await);

    let one = declaring(&["vip"]);
    let changed = declare(&here, &acme, None, Some(&one)).await;
    assert_eq!(changed.extension.declared.as_ref(), Some(&one));
    assert_eq!(there.find_tenant("acme").await.unwrap(), Some(changed));
    there.refresh().await.unwrap();
    let attribute = own(&served(&there, &token)).unwrap().attribute("VIP").unwrap().clone();
    assert_eq!((attribute.kind, attribute.multi_valued), (Kind::Boolean, false));

    declare(&here, &acme, Some(&one), None).await;
    there.refresh().await.unwrap();
    assert!(own(&served(&there, &token)).is_none());

    let audit = there.audit(Some(&acme.id), 2).await.unwrap();
    let details: Vec<serde_json::Value> =
        audit.iter().map(|entry| serde_json::from_str(&entry.detail).unwrap()).collect();
    assert_eq!(audit[0].action, "tenant.set_extension");
    let of = |n: usize, when: &str| details[n][when]["extension"].clone();
    assert!(of(0, "before").is_null() && of(1, "after").is_null());
    assert_eq!(of(0, "after")["attributes"][0]["name"], "vip");
    assert_eq!(of(1, "before"), of(0, "after"));
    store.remove().await;
}

#[tokio::test]
async fn who_has_not_seen_the_last_declaration_does_not_replace_it() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let one = declaring(&["vip"]);
    declare(&registry, &acme, None, Some(&one)).await;

    let other = declaring(&["level"]);
    let refused = registry.set_extension(&acme.id, None, Some(&other), &by()).await;

    assert!(matches!(refused, Err(RegistryError::ExtensionChanged)), "{refused:?}");
    let kept = registry.find_tenant("acme").await.unwrap().unwrap();
    assert_eq!(kept.extension.declared, Some(one));
    store.remove().await;
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_neither_strict_nor_declaring() {
    let store = Store::new().await;
    let registry = store.node().await;
    for refused in [
        registry.change_tenant(&stranger(), &TenantChange::default(), &by()).await.unwrap_err(),
        registry.set_extension(&stranger(), None, None, &by()).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::TenantNotFound), "{refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn a_declaration_that_cannot_be_read_takes_no_tenant_down() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let token = presented(&credential(&registry, &acme).await);
    let one = declaring(&["vip"]);
    declare(&registry, &acme, None, Some(&one)).await;

    store
        .run(
            "UPDATE registry_tenants SET extension = '{\"of\":\"the future\"}', strict = 'Q-op-case,Q-of-the-future', seats = 7,
                generation = 100;
             UPDATE registry_generation SET generation = 100",
        )
        .await;
    registry.refresh().await.unwrap();

    let kept = served(&registry, &token);
    assert_eq!(kept.seats, Some(7), "what can be read is read");
    assert!(own(&kept).is_some(), "the last declaration that could be read stays in use");
    assert_eq!(kept.tolerance, Tolerance::all_but([Quirk::OpCase]), "of strictness, what is known");
    // A node that never saw a better one serves the tenant as if it had declared nothing.
    let fresh = store.node().await;
    assert!(own(&served(&fresh, &token)).is_none());
    assert_eq!(served(&fresh, &token).tolerance, Tolerance::all_but([Quirk::OpCase]));
    // Nobody overwrites what nobody can read.
    let refused = fresh.set_extension(&acme.id, None, Some(&one), &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Unreadable { what: "extension", .. }), "{refused:?}");
    change(&fresh, &acme, TenantChange { seats: Some(Some(8)), ..Default::default() }).await;
    assert_eq!(store.dump("registry_tenants", "extension").await, r#"{"of":"the future"}"#);
    store.remove().await;
}

#[tokio::test]
async fn tenants_share_the_schemas_that_are_the_same() {
    let store = Store::new().await;
    let registry = store.node().await;
    let mut open = new_tenant("open");
    open.profile = ProfileId::Open;
    let open = registry.create_tenant(&open, &by()).await.unwrap().commit().await.unwrap();
    assert!(Arc::ptr_eq(&open.schemas, &Schemas::builtin()));
    let (acme, zeta) = (tenant(&registry, "acme").await, tenant(&registry, "zeta").await);
    assert!(Arc::ptr_eq(&acme.schemas, &zeta.schemas));

    let token = presented(&credential(&registry, &acme).await);
    let one = declaring(&["vip"]);
    declare(&registry, &acme, None, Some(&one)).await;
    let before = served(&registry, &token);
    change(&registry, &acme, TenantChange { seats: Some(Some(3)), ..Default::default() }).await;
    let after = served(&registry, &token);
    assert!(Arc::ptr_eq(&before.schemas, &after.schemas), "built once for each declaration");
    store.remove().await;
}

#[tokio::test]
async fn what_the_profile_demands_is_required_of_a_user() {
    let store = Store::new().await;
    let registry = store.node().await;
    let required = |of: &ResourceType| -> Vec<String> {
        let all = of.common.iter().chain(&of.core.attributes);
        all.filter(|a| a.required)
            .flat_map(|a| {
                let parts = a.sub_attributes.iter().filter(|part| part.required);
                let parts = parts.map(|part| format!("{}.{}", a.name, part.name));
                std::iter::once(a.name.clone()).chain(parts).collect::<Vec<_>>()
            })
            .collect()
    };
    let base = required(&Schemas::builtin().user);
    for (profile, more) in [
        (ProfileId::Open, &[][..]),
        (ProfileId::Oktopost, &["name", "name.familyName", "name.givenName", "emails"][..]),
        (ProfileId::Condeco, &["name", "name.familyName", "name.givenName", "emails"][..]),
        (ProfileId::Deskpro, &["emails"][..]),
        (ProfileId::Outpost, &["emails"][..]),
    ] {
        let mut new = new_tenant(profile.as_str());
        new.profile = profile;
        let made = registry.create_tenant(&new, &by()).await.unwrap().commit().await.unwrap();
        let mut added = required(&made.schemas.user);
        added.retain(|name| !base.contains(name));
        assert_eq!(added, more, "{profile}");
        assert_eq!(made.schemas.group, Schemas::builtin().group);
    }
    store.remove().await;
}

#[tokio::test]
async fn what_an_older_program_writes_is_read() {
    let store = Store::new().await;
    let registry = store.node().await;
    store
        .run(
            "INSERT INTO registry_tenants (id, slug, name, region, shard, epoch, state, plan, population, profile, default_role,
                seats, group_push, seat_contact, generation, created_at, updated_at)
             VALUES ('ten_aaaaaaaaaaaaaaaa', 'old', 'Old', 'eu', '0', 1, 'active', 'standard', 'platform', 'open', 'user', NULL,
                TRUE, 'us', 1, 0, 0)",
        )
        .await;
    let old = registry.find_tenant("old").await.unwrap().unwrap();
    assert_eq!((&old.tolerance, &old.extension), (&Tolerance::default(), &Extension::default()));
    // Nor what administering needs.
    assert_eq!((old.origin, old.both_populations, old.switch), (old.population, false, None));
    assert_eq!((old.platform_role.as_str(), old.board_role.as_str()), ("user", "advocate"));
    assert_eq!((old.operations, old.rate_limit), (Scopes::ALL, RateLimit::Default));
    assert_eq!((old.provisioning, old.sync_until, old.groups_in_plan), (true, None, true));
    let token = credential(&registry, &old).await.credential;
    let as_before = "UPDATE registry_credentials SET population = '', created_by = '', networks = '', retires_at = NULL";
    store.run(as_before).await;
    let kept = registry.credential(&token.key_id).await.unwrap().unwrap();
    assert_eq!((kept.population, kept.networks), (token.population, token.networks));
    let audit =
        "INSERT INTO registry_audit (generation, at, actor, action, tenant_id, subject, detail)
        VALUES (1000, 0, 'cli', 'tenant.create', 'ten_aaaaaaaaaaaaaaaa', 'old', '{}')";
    store.run(audit).await;
    assert_eq!(registry.audit(None, 1).await.unwrap()[0].request_id, None);
    // Its role goes with it to the other population and stays what it was.
    let frozen = registry.freeze_switch(&old.id, Population::Board, &by()).await.unwrap();
    frozen.commit().await.unwrap();
    let cut = registry.cut_over(&old.id, std::time::Duration::ZERO, &by()).await.unwrap();
    let cut = cut.commit().await.unwrap();
    assert_eq!((cut.population, cut.origin), (Population::Board, Population::Platform));
    assert_eq!((cut.platform_role.as_str(), cut.board_role.as_str()), ("user", "advocate"));
    store.remove().await;
}

#[tokio::test]
async fn a_derived_key_is_the_same_on_every_node_and_another_for_every_purpose() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);

    assert_eq!(here.derive_key("cursor"), there.derive_key("cursor"));
    assert_ne!(here.derive_key("cursor"), here.derive_key("cursors"));
    assert_ne!(here.derive_key(""), here.derive_key("cursor"));
    let elsewhere = Store::new().await;
    assert_ne!(elsewhere.node().await.derive_key("cursor"), here.derive_key("cursor"));
    elsewhere.remove().await;
    store.remove().await;
}
