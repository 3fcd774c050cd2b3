use crate::support::{NOW, Store, by, credential, presented, tenant};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use tenant_registry::{
    AuthFailure, ClientFailure, CredentialUse, Manifest, NewClient, RegistryError, TenantChange,
    TenantState,
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
    for refused in [
        here.set_state(id, TenantState::Active, &by()).await.unwrap_err(),
        here.change_tenant(id, &TenantChange::default(), &by()).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::StateConflict { .. }), "{refused:?}");
    }
    store.remove().await;
}
