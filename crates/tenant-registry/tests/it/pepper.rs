use crate::support::{NOW, Store, credential, presented, tenant};
use futures_util::future::join_all;
use secrecy::SecretString;
use tenant_registry::{Registry, RegistryError, RegistryOptions};

fn with(pepper: &str) -> RegistryOptions {
    RegistryOptions { pepper: Some(SecretString::from(pepper)), ..RegistryOptions::default() }
}

#[tokio::test]
async fn tokens_outlive_a_restart_with_the_pepper_that_was_made() {
    let store = Store::new().await;
    let first = store.node().await;
    let issued = credential(&first, &tenant(&first, "acme").await).await;
    first.close().await.unwrap();

    let second = store.node().await;

    assert!(second.authenticate(&presented(&issued), NOW).is_ok());
    store.remove().await;
}

#[tokio::test]
async fn nodes_that_start_at_once_agree_on_one_pepper() {
    let store = Store::new().await;
    // The file is there; the schema and the pepper are not.
    store.database().await.close().await.unwrap();
    let nodes = join_all((0..4).map(|_| store.node())).await;
    let issued = credential(&nodes[0], &tenant(&nodes[0], "acme").await).await;
    for node in &nodes {
        node.refresh().await.unwrap();
        assert!(node.authenticate(&presented(&issued), NOW).is_ok());
    }
    store.remove().await;
}

#[tokio::test]
async fn a_given_pepper_is_used_and_not_kept() {
    let store = Store::new().await;
    let first = store.node_with(with("a pepper from a vault")).await;
    let issued = credential(&first, &tenant(&first, "acme").await).await;

    let second = store.node_with(with("a pepper from a vault")).await;

    assert!(second.authenticate(&presented(&issued), NOW).is_ok());
    let secrets = store.dump("registry_secrets", "name, value").await;
    assert!(!secrets.contains("vault") && !secrets.contains("token_pepper|"), "{secrets}");
    store.remove().await;
}

#[tokio::test]
async fn another_pepper_stops_the_start() {
    let store = Store::new().await;
    store.node_with(with("one")).await;
    for other in [with("another"), RegistryOptions::default()] {
        let refused = Registry::open(store.database().await, other, NOW).await;
        assert!(matches!(refused, Err(RegistryError::PepperMismatch)), "{refused:?}");
    }
    store.remove().await;
}
