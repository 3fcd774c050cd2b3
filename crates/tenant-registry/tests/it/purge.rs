use crate::support::{NOW, Store, by, credential, presented, tenant};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::time::Duration;
use tenant_registry::{
    AuthFailure, ClientFailure, CredentialUse, Manifest, NewClient, Registry, RegistryError,
    TenantChange, TenantId, TenantState,
};

#[tokio::test]
async fn a_purge_leaves_a_proof_and_nothing_that_lives() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let id = &acme.id;
    let token = presented(&credential(&here, &acme).await);
    let client = here.create_client(id, &NewClient::new("Entra"), &by()).await.unwrap();
    let client = client.commit().await.unwrap();
    let usage = CredentialUse {
        key_id: token.key_id().to_owned(),
        tenant_id: id.clone(),
        at: NOW,
        client: "Entra".to_owned(),
        network: "203.0.113.0/24".to_owned(),
    };
    here.note_uses(&[usage]).await.unwrap();
    let tables = [("users", 3), ("groups", 0)].map(|(name, rows)| (name.to_owned(), rows));
    let proof = Manifest { region: acme.region.clone(), at: NOW, tables: BTreeMap::from(tables) };

    let early = here.record_purge(id, &proof, &by()).await.unwrap_err();
    assert!(matches!(early, RegistryError::StateConflict { to: TenantState::Purged, .. }));
    let closed = here.set_state(id, TenantState::Closed, &by()).await.unwrap();
    closed.commit().await.unwrap();
    assert!(here.record_purge(id, &proof, &by()).await.is_err(), "it may still be resumed");
    here.begin_purge(id, NOW, &by()).await.unwrap().commit().await.unwrap();
    let purged = here.record_purge(id, &proof, &by()).await.unwrap().commit().await.unwrap();
    assert_eq!(purged.state, TenantState::Purged);

    there.refresh().await.unwrap();
    let secret = client.secret.unwrap();
    for node in [&here, &there] {
        assert_eq!(node.authenticate(&token, NOW).unwrap_err(), AuthFailure::Unknown);
        let failure = node
            .authenticate_client(&client.client.client_id, secret.expose_secret(), NOW)
            .unwrap_err();
        assert_eq!(failure, ClientFailure::Unknown);
        assert_eq!(node.manifest(id).await.unwrap(), Some(proof.clone()));
    }
    assert!(here.credentials(id).await.unwrap().iter().all(|kept| kept.revoked_at == Some(NOW)));
    assert!(here.clients(id).await.unwrap().iter().all(|kept| kept.revoked_at == Some(NOW)));
    assert!(here.uses(id).await.unwrap().is_empty());
    // Once is enough, and there is no way back.
    let again = here.record_purge(id, &proof, &by()).await.unwrap();
    assert!(!again.changed());
    again.discard().await;
    no_way_back(&here, id).await;
    store.remove().await;
}

async fn no_way_back(registry: &Registry, id: &TenantId) {
    for state in [TenantState::Active, TenantState::Suspended, TenantState::Closed] {
        let refused = registry.set_state(id, state, &by()).await.unwrap_err();
        assert!(matches!(refused, RegistryError::StateConflict { .. }), "{refused:?}");
    }
    let refused = registry.change_tenant(id, &TenantChange::default(), &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::TenantClosed(_)), "{refused:?}");
    assert!(refused.to_string().ends_with("its data is deleted"), "{refused}");
}

#[tokio::test]
async fn a_purge_that_has_begun_goes_on_and_one_that_has_not_can_be_resumed() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let token = presented(&credential(&here, &acme).await);
    let id = &acme.id;
    let begin = async |node: &Registry, before| {
        node.begin_purge(id, before, &by()).await?.commit().await.map(|tenant| tenant.state)
    };
    let refused = begin(&here, NOW).await.unwrap_err();
    let wanted = (TenantState::Active, TenantState::Purging);
    assert!(
        matches!(refused, RegistryError::StateConflict { from, to } if (from, to) == wanted),
        "{refused:?}"
    );
    here.set_state(id, TenantState::Closed, &by()).await.unwrap().commit().await.unwrap();
    let early = begin(&here, NOW - Duration::from_secs(1)).await;
    assert!(matches!(early, Err(RegistryError::StateConflict { .. })), "{early:?}");
    here.set_state(id, TenantState::Active, &by()).await.unwrap().commit().await.unwrap();
    here.set_state(id, TenantState::Closed, &by()).await.unwrap().commit().await.unwrap();

    let (one, other) = tokio::join!(begin(&here, NOW), begin(&there, NOW));
    assert_eq!((one.unwrap(), other.unwrap()), (TenantState::Purging, TenantState::Purging));
    // Whatever is kept for how long by now.
    assert_eq!(begin(&there, NOW - Duration::from_secs(9)).await.unwrap(), TenantState::Purging);
    for node in [&here, &there] {
        node.refresh().await.unwrap();
        no_way_back(node, id).await;
        assert_eq!(node.authenticate(&token, NOW).unwrap_err(), AuthFailure::Unknown);
        assert!(node.recognise(&format!("Bearer {}", token.key_id())).is_none());
    }
    store.remove().await;
}
