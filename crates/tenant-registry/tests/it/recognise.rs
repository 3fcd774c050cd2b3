use crate::support::{NOW, Store, by, credential, revoke, tenant};
use secrecy::ExposeSecret;
use tenant_registry::{NewClient, Registry};

fn seen(registry: &Registry, text: &str) -> Option<(String, String)> {
    let who = registry.recognise(text)?;
    Some((who.tenant.slug.clone(), who.credential.key_id.clone()))
}

#[tokio::test]
async fn what_looks_like_a_token_of_a_tenant_is_told_of_it() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let issued = credential(&registry, &acme).await;
    let token = issued.token.expose_secret();
    let (key_id, hint) = (issued.credential.key_id.clone(), issued.credential.hint.clone());
    let mut wrong = token.to_owned();
    wrong.replace_range(50..51, if wrong.get(50..51) == Some("x") { "y" } else { "x" });

    let found = Some(("acme".to_owned(), key_id.clone()));
    for text in [
        hint.clone(),
        format!("Bearer {}", hint.replace('*', "•")),
        key_id.clone(),
        format!("tok_{key_id}"),
        format!("Bearer {}", token.get(..60).unwrap()),
        token.get(4..).unwrap().to_owned(),
        format!("\"{token}\""),
        format!("{token}{token}"),
        wrong,
    ] {
        assert_eq!(seen(&registry, &text), found, "{text}");
    }
    for text in ["", "Bearer", "mst_eu_pf_****0000", "mst_eu_pf_0000000000000000_0", "****"] {
        assert_eq!(seen(&registry, text), None, "{text}");
    }
    store.remove().await;
}

#[tokio::test]
async fn a_hint_that_two_live_tokens_have_is_nobody_s() {
    let store = Store::new().await;
    let registry = store.node().await;
    let (acme, zeta) = (tenant(&registry, "acme").await, tenant(&registry, "zeta").await);
    let one = credential(&registry, &acme).await.credential;
    let other = credential(&registry, &zeta).await.credential;
    let alike = format!(
        "UPDATE registry_credentials SET hint = '{}', generation = 100 WHERE key_id = '{}';
         UPDATE registry_generation SET generation = 100",
        one.hint, other.key_id
    );
    store.run(&alike).await;
    let registry = store.node().await;
    assert_eq!(seen(&registry, &one.hint), None);
    revoke(&registry, &other, NOW).await;
    assert_eq!(seen(&registry, &one.hint), Some(("acme".to_owned(), one.key_id.clone())));
    store.remove().await;
}

#[tokio::test]
async fn a_client_and_its_secret_are_recognised_too() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let made = registry.create_client(&acme.id, &NewClient::new("Entra"), &by()).await.unwrap();
    let made = made.commit().await.unwrap();
    let client_id = made.client.client_id.clone();
    let found = Some(("acme".to_owned(), client_id.clone()));
    let secret = made.secret.unwrap();
    assert_eq!(seen(&registry, &client_id), found);
    assert_eq!(seen(&registry, secret.expose_secret()), found);
    let who = registry.recognise_client(&client_id).unwrap();
    assert_eq!(who.credential.name, "Entra");
    let elsewhere = client_id.replace("_pf_", "_bd_");
    for unknown in ["mcl_eu_pf_0000000000000000", "", elsewhere.as_str()] {
        assert!(registry.recognise_client(unknown).is_none(), "{unknown}");
    }
    let gone = registry.revoke_client(&acme.id, &client_id, &by()).await.unwrap();
    gone.commit().await.unwrap();
    assert!(registry.oauth_client(&client_id).is_none());
    assert!(registry.recognise_client(&client_id).unwrap().credential.revoked_at.is_some());
    store.remove().await;
}
