use crate::support::{NOW, Store, credential, tenant};
use tenant_registry::{CredentialUse, Tenant};

const SECOND: time::Duration = time::Duration::SECOND;

fn usage(tenant: &Tenant, key_id: &str, after: i32) -> CredentialUse {
    CredentialUse {
        key_id: key_id.to_owned(),
        tenant_id: tenant.id.clone(),
        at: NOW + SECOND * after,
        client: format!("client {after}"),
        network: "203.0.113.0/24".to_owned(),
    }
}

#[tokio::test]
async fn the_last_use_is_kept_whichever_node_writes_it_first() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let (acme, zeta) = (tenant(&here, "acme").await, tenant(&here, "zeta").await);
    let key = credential(&here, &acme).await.credential.key_id;
    let before = store.dump("registry_generation", "generation").await;
    assert!(here.uses(&acme.id).await.unwrap().is_empty());
    here.note_uses(&[]).await.unwrap();

    let of = |after| usage(&acme, &key, after);
    there.note_uses(&[of(3), of(5), of(4), usage(&zeta, "other", 1)]).await.unwrap();
    here.note_uses(&[of(2)]).await.unwrap();

    let uses = here.uses(&acme.id).await.unwrap();
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(key.clone(), of(5))]);
    here.note_uses(&[of(6)]).await.unwrap();
    assert_eq!(there.uses(&acme.id).await.unwrap()[&key], of(6));
    assert_eq!(there.uses(&zeta.id).await.unwrap().len(), 1);
    assert_eq!(store.dump("registry_generation", "generation").await, before);
    store.remove().await;
}

#[tokio::test]
async fn many_uses_are_written_by_many_nodes_at_once() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let some = |after: i32| {
        (0..1200).map(|n| usage(&acme, &format!("key-{n}"), after)).collect::<Vec<_>>()
    };
    let mut backwards = some(2);
    backwards.reverse();
    let (forwards, last) = (some(1), some(3));
    let (one, two, three) =
        tokio::join!(here.note_uses(&forwards), there.note_uses(&backwards), here.note_uses(&last));
    one.and(two).and(three).unwrap();
    let uses = there.uses(&acme.id).await.unwrap();
    assert_eq!(uses.len(), 1200);
    assert!(uses.values().all(|usage| usage.at == NOW + SECOND * 3));
    store.remove().await;
}
