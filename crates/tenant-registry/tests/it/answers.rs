use crate::support::{NOW, Store, by, by_at, new_credential, new_tenant, tenant};
use futures_util::future::join_all;
use tenant_registry::{By, Once, Registry, RegistryError, Remembered, TenantChange};

const HOUR: time::Duration = time::Duration::HOUR;

fn asked(once: &Once) -> By {
    By { once: Some(once.clone()), ..by() }
}

fn answer(text: &str) -> Remembered {
    Remembered { status: 201, body: text.as_bytes().to_vec() }
}

async fn create(registry: &Registry, slug: &str, once: &Once) -> Result<String, RegistryError> {
    let made = registry.create_tenant(&new_tenant(slug), &asked(once)).await?;
    let text = made.id.to_string();
    made.commit_with(&answer(&text)).await.map(|tenant| tenant.id.to_string())
}

#[tokio::test]
async fn a_request_that_is_sent_again_has_its_first_answer_on_every_node() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let once = here.once("operator ada POST /tenants", "key-1", b"{}");
    assert_eq!(here.remembered(&once, NOW).await.unwrap(), None);

    let id = create(&here, "acme", &once).await.unwrap();

    let again = there.once("operator ada POST /tenants", "key-1", b"{}");
    assert_eq!(there.remembered(&again, NOW).await.unwrap(), Some(answer(&id)));
    let Err(RegistryError::Remembered(found)) = create(&there, "acme", &again).await else {
        panic!("it is done again")
    };
    assert_eq!(found, answer(&id));
    assert_eq!(there.tenants().await.unwrap().len(), 1);

    let other_body = there.once("operator ada POST /tenants", "key-1", b"[]");
    let refused = there.remembered(&other_body, NOW).await.unwrap_err();
    assert!(matches!(refused, RegistryError::OnceReused), "{refused:?}");
    let refused = create(&there, "zeta", &other_body).await.unwrap_err();
    assert!(matches!(refused, RegistryError::OnceReused), "{refused:?}");
    // The same key of somebody else is another key.
    let other = there.once("operator bob POST /tenants", "key-1", b"{}");
    create(&there, "zeta", &other).await.unwrap();
    store.remove().await;
}

#[tokio::test]
async fn of_one_request_sent_to_two_nodes_at_once_one_is_done() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let acme = tenant(&nodes[0], "acme").await;
    let once = nodes[0].once("ada POST", "key", b"{}");

    let all = (0..6).map(async |n| {
        let node: &Registry = &nodes[n % 2];
        let issued = node.create_credential(&acme.id, &new_credential(), &asked(&once)).await?;
        let key_id = issued.credential.key_id.clone();
        issued.commit_with(&answer(&key_id)).await
    });
    let answers = join_all(all).await;

    let made: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(made.len(), 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let RegistryError::Remembered(found) = refused else { panic!("{refused:?}") };
        assert_eq!(*found, answer(&made[0].credential.key_id));
    }
    assert_eq!(nodes[0].credentials(&acme.id).await.unwrap().len(), 1);
    store.remove().await;
}

#[tokio::test]
async fn an_answer_is_kept_with_its_change_or_not_at_all() {
    let store = Store::new().await;
    let registry = store.node().await;
    let once = registry.once("ada POST", "key", b"{}");
    let made = registry.create_tenant(&new_tenant("acme"), &asked(&once)).await.unwrap();
    made.discard().await;
    assert_eq!(registry.remembered(&once, NOW).await.unwrap(), None);
    // An answer that says no is the caller's to give again.
    let refused = registry.create_tenant(&new_tenant("NO"), &asked(&once)).await;
    assert!(refused.is_err());
    assert_eq!(registry.remembered(&once, NOW).await.unwrap(), None);
    store.remove().await;
}

#[tokio::test]
async fn an_answer_is_remembered_also_where_nothing_changed() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let once = registry.once("ada POST", "key", b"{}");
    let before = store.dump("registry_generation", "generation").await;
    let same = TenantChange { seats: Some(acme.seats), ..Default::default() };

    let pending = registry.change_tenant(&acme.id, &same, &asked(&once)).await.unwrap();
    assert!(!pending.changed());
    pending.commit_with(&answer("same")).await.unwrap();

    assert_eq!(registry.remembered(&once, NOW).await.unwrap(), Some(answer("same")));
    assert_eq!(store.dump("registry_generation", "generation").await, before);
    assert_eq!(registry.audit(None, 10).await.unwrap().len(), 1);
    store.remove().await;
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let store = Store::new().await;
    let registry = store.node().await;
    let (old, new) = (registry.once("ada", "old", b""), registry.once("ada", "new", b""));
    create(&registry, "acme", &old).await.unwrap();
    let at = |at, once: &Once| By { once: Some(once.clone()), ..by_at(at) };
    for (now, is_kept) in [(NOW + HOUR * 24, true), (NOW + HOUR * 25, false)] {
        let other = registry.create_tenant(&new_tenant("zeta"), &at(now, &new)).await.unwrap();
        let id = other.id.to_string();
        other.commit_with(&answer(&id)).await.unwrap();
        assert_eq!(registry.remembered(&old, now).await.unwrap().is_some(), is_kept, "{now}");
        store.run("DELETE FROM registry_tenants WHERE slug = 'zeta'").await;
        if is_kept {
            store.run("DELETE FROM registry_answers WHERE created_at > (SELECT min(created_at) FROM registry_answers)").await;
        }
    }
    store.remove().await;
}

#[tokio::test]
async fn an_answer_of_more_than_a_day_ago_is_not_given_again_though_nobody_swept() {
    let store = Store::new().await;
    let registry = store.node().await;
    let once = registry.once("ada", "key", b"");
    create(&registry, "acme", &once).await.unwrap();
    assert!(registry.remembered(&once, NOW + HOUR * 24).await.unwrap().is_some());
    assert_eq!(registry.remembered(&once, NOW + HOUR * 25).await.unwrap(), None);
    store.remove().await;
}
