//! What lives of the tokens of two populations while a tenant goes from one to the other.

use crate::support::{NOW, Store, by, by_at, change, new_credential, presented, tenant};
use region_router::Population::{self, Board, Platform};
use secrecy::ExposeSecret;
use std::time::Duration;
use tenant_registry::{
    AuthFailure, ClientFailure, IssuedClient, IssuedCredential, MAX_CLIENTS, MAX_LIVE, NewClient,
    NewCredential, Pending, Registry, RegistryError, Stage, Tenant, TenantChange,
};

const HOUR: Duration = Duration::from_secs(3_600);

async fn mint(registry: &Registry, tenant: &Tenant, population: Population) -> IssuedCredential {
    let new = NewCredential { population: Some(population), ..new_credential() };
    let issued = registry.create_credential(&tenant.id, &new, &by()).await.unwrap();
    issued.commit().await.unwrap()
}

async fn client(registry: &Registry, tenant: &Tenant, population: Population) -> IssuedClient {
    let new = NewClient { population: Some(population), ..NewClient::new("Entra") };
    registry.create_client(&tenant.id, &new, &by()).await.unwrap().commit().await.unwrap()
}

async fn made(pending: Result<Pending<Tenant>, RegistryError>) -> Tenant {
    pending.unwrap().commit().await.unwrap()
}

async fn cut_over(registry: &Registry, tenant: &Tenant, to: Population) {
    made(registry.freeze_switch(&tenant.id, to, &by()).await).await;
    made(registry.cut_over(&tenant.id, HOUR, &by()).await).await;
}

fn is_good(registry: &Registry, client: &IssuedClient) -> Result<(), ClientFailure> {
    let secret = client.secret.as_ref().unwrap().expose_secret();
    registry.authenticate_client(&client.client.client_id, secret, NOW).map(drop)
}

#[tokio::test]
async fn after_the_cut_over_tokens_are_minted_for_the_new_population_alone() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let mut old = Vec::new();
    for _ in 0..MAX_LIVE {
        old.push(mint(&registry, &acme, Platform).await);
    }
    for _ in 0..MAX_CLIENTS {
        client(&registry, &acme, Platform).await;
    }
    cut_over(&registry, &acme, Board).await;

    // Those that rest take no place of theirs.
    let board = mint(&registry, &acme, Board).await;
    let rotated = registry
        .start_rotation(&acme.id, &board.credential.key_id, HOUR, None, &by())
        .await
        .unwrap();
    assert_eq!(rotated.commit().await.unwrap().credential.population, Board);
    assert_eq!(is_good(&registry, &client(&registry, &acme, Board).await), Ok(()));
    let new = NewCredential { population: Some(Platform), ..new_credential() };
    for refused in [
        registry.create_credential(&acme.id, &new, &by()).await.unwrap_err(),
        registry
            .start_rotation(&acme.id, &old[0].credential.key_id, HOUR, None, &by())
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(refused, RegistryError::PopulationConflict { tenant: Board, asked: Platform }),
            "{refused:?}"
        );
    }
    store.remove().await;
}

#[tokio::test]
async fn a_switch_that_is_undone_serves_the_first_population_at_once_and_ends_later() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let id = &acme.id;
    let platform = mint(&here, &acme, Platform).await;
    cut_over(&here, &acme, Board).await;
    let board = mint(&here, &acme, Board).await;
    let board_client = client(&here, &acme, Board).await;

    let undoing = made(here.undo_switch(id, &by()).await).await;
    let switch = undoing.switch.unwrap();
    assert_eq!((undoing.population, switch.stage), (Platform, Stage::Undoing));
    assert_eq!(switch.emptied(), Some(Board));
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        assert!(node.authenticate(&presented(&platform), NOW).is_ok());
        let refused = node.authenticate(&presented(&board), NOW).unwrap_err();
        assert_eq!(refused, AuthFailure::OtherPopulation { provisions: Platform, asked: Board });
        assert!(is_good(node, &board_client).is_err());
    }
    // Again, also when its time is over by now: nothing changes.
    let again = there.undo_switch(id, &by_at(NOW + 2 * HOUR)).await.unwrap();
    assert!(!again.changed());
    assert_eq!(again.discard().await.version, undoing.version);
    for refused in [
        here.freeze_switch(id, Board, &by()).await,
        here.cut_over(id, HOUR, &by()).await,
        here.finish_switch(id, &by()).await,
    ] {
        assert!(matches!(refused, Err(RegistryError::SwitchConflict)), "{refused:?}");
    }
    mint(&here, &acme, Platform).await;

    let ended = made(there.end_switch(id, &by()).await).await;
    assert_eq!((ended.population, ended.origin, ended.switch), (Platform, Platform, None));
    let audit = here.audit(Some(id), 1).await.unwrap();
    assert_eq!(audit[0].action, "switch.end");
    assert!(audit[0].detail.contains(r#""revoked":2"#), "{}", audit[0].detail);
    here.refresh().await.unwrap();
    for node in [&here, &there] {
        assert!(node.authenticate(&presented(&platform), NOW).is_ok());
        let refused = node.authenticate(&presented(&board), NOW).unwrap_err();
        assert_eq!(refused, AuthFailure::Revoked(NOW));
    }
    store.remove().await;
}

#[tokio::test]
async fn what_was_left_does_not_come_alive_by_a_later_switch_or_when_both_are_allowed() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let id = &acme.id;
    let old = mint(&here, &acme, Platform).await;
    let old_client = client(&here, &acme, Platform).await;
    // As a program that does not know the column writes it.
    store.run("UPDATE registry_credentials SET population = ''").await;
    cut_over(&here, &acme, Board).await;
    let new = mint(&here, &acme, Board).await;
    let new_client = client(&here, &acme, Board).await;
    made(here.finish_switch(id, &by()).await).await;
    made(here.end_switch(id, &by()).await).await;

    let both = TenantChange { both_populations: Some(true), ..Default::default() };
    change(&here, &acme, both).await;
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        let refused = node.authenticate(&presented(&old), NOW).unwrap_err();
        assert_eq!(refused, AuthFailure::Revoked(NOW));
        assert_eq!(is_good(node, &old_client), Err(ClientFailure::Revoked(NOW)));
        assert!(node.authenticate(&presented(&new), NOW).is_ok());
        assert_eq!(is_good(node, &new_client), Ok(()));
    }
    store.remove().await;
}

#[tokio::test]
async fn the_audit_says_that_the_contact_changed_and_not_who_it_is() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let jane = "Jane Doe (jane@acme.example)";
    let asked = TenantChange { seat_contact: Some(jane.to_owned()), ..Default::default() };
    assert_eq!(change(&registry, &acme, asked.clone()).await.seat_contact, jane);
    let audit = registry.audit(None, 9).await.unwrap();
    assert!(audit.last().unwrap().detail.contains(r#""seat_contact":"changed""#));
    assert!(!store.dump("registry_audit", "detail").await.contains("Jane"));
    let again = registry.change_tenant(&acme.id, &asked, &by()).await.unwrap();
    assert!(!again.changed());
    again.discard().await;
    store.remove().await;
}
