//! OAuth clients: how they prove themselves, what is refused, and whose secrets end soon.

use crate::support::{NOW, Store, by, by_at, tenant};
use region_router::Population;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::time::Duration;
use tenant_registry::{
    Assertion, ClientChange, ClientFailure, IssuedClient, MAX_CLIENTS, MAX_SECRETS, Networks,
    NewClient, OauthClient, Registry, RegistryError, Tenant, TenantId,
};

mod access_tokens;

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

async fn make(registry: &Registry, tenant: &Tenant, new: &NewClient) -> IssuedClient {
    registry.create_client(&tenant.id, new, &by()).await.unwrap().commit().await.unwrap()
}

async fn alter(registry: &Registry, client: &OauthClient, asked: ClientChange) -> OauthClient {
    let (id, client_id) = (&client.tenant_id, &client.client_id);
    let pending = registry.change_client(id, client_id, &asked, &by()).await.unwrap();
    pending.commit().await.unwrap()
}

fn ask(
    registry: &Registry,
    client: &OauthClient,
    secret: &SecretString,
) -> Result<String, ClientFailure> {
    let (found, _) =
        registry.authenticate_client(&client.client_id, secret.expose_secret(), NOW)?;
    Ok(found.client_id.clone())
}

fn keys() -> Assertion {
    Assertion {
        issuer: "https://idp.example".to_owned(),
        subject: "sync".to_owned(),
        audience: None,
        jwks: r#"{"keys":[{"kty":"OKP"}]}"#.to_owned(),
    }
}

#[tokio::test]
async fn a_client_proves_itself_on_every_node_with_each_of_its_secrets() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let IssuedClient { secret, client } = make(&here, &acme, &NewClient::new("Entra")).await;
    let first = secret.unwrap();
    let second = here.add_secret(&acme.id, &client.client_id, YEAR, &by()).await.unwrap();
    let second = second.commit().await.unwrap();
    there.refresh().await.unwrap();

    assert!(client.client_id.starts_with("mcl_eu_pf_"));
    assert!(first.expose_secret().starts_with("mcs_eu_pf_"));
    for node in [&here, &there] {
        assert_eq!(ask(node, &client, &first), Ok(client.client_id.clone()));
        assert_eq!(ask(node, &client, &second.secret), Ok(client.client_id.clone()));
        let (owner, live) = node.oauth_client(&client.client_id).unwrap();
        assert_eq!((&owner.slug, &*live), (&acme.slug, &second.client));
    }
    assert_eq!(there.clients(&acme.id).await.unwrap(), std::slice::from_ref(&second.client));
    assert_eq!(there.client(&client.client_id).await.unwrap(), Some(second.client));
    assert_eq!(second.kept.hint.len(), client.secrets[0].hint.len());
    let kept = store.dump("registry_oauth_secrets", "id,client_id,hint").await
        + &store.dump("registry_audit", "detail,subject").await;
    for secret in [&first, &second.secret] {
        let hidden: String = secret.expose_secret().chars().skip(27).take(43).collect();
        assert!(!kept.contains(&hidden));
    }
    store.remove().await;
}

#[tokio::test]
async fn a_client_is_refused_for_what_it_is() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let IssuedClient { secret, client } = make(&registry, &acme, &NewClient::new("one")).await;
    let secret = secret.unwrap();
    let other = make(&registry, &acme, &NewClient::new("two")).await;
    let id = &client.client_id;

    for (client_id, text) in [
        (id.as_str(), ""),
        (id, "secret"),
        (id, other.secret.as_ref().unwrap().expose_secret()),
        (&other.client.client_id, secret.expose_secret()),
        ("", secret.expose_secret()),
        (&id.replace("_pf_", "_bd_"), secret.expose_secret()),
    ] {
        let refused = registry.authenticate_client(client_id, text, NOW).unwrap_err();
        assert_eq!(refused, ClientFailure::Unknown, "{client_id}");
    }
    let late = registry.authenticate_client(id, secret.expose_secret(), NOW + YEAR).unwrap_err();
    assert_eq!(late, ClientFailure::Expired(NOW + YEAR));

    let kept = &client.secrets[0].id;
    let gone = registry.revoke_secret(&acme.id, id, kept, &by()).await.unwrap();
    assert_eq!(gone.commit().await.unwrap().secrets[0].revoked_at, Some(NOW));
    assert_eq!(ask(&registry, &client, &secret), Err(ClientFailure::SecretRevoked(NOW)));
    assert!(registry.oauth_client(id).is_some(), "it may have keys");
    let gone = registry.revoke_client(&acme.id, id, &by()).await.unwrap();
    assert_eq!(gone.commit().await.unwrap().revoked_at, Some(NOW));
    assert_eq!(ask(&registry, &client, &secret), Err(ClientFailure::Revoked(NOW)));
    assert!(registry.oauth_client(id).is_none());
    store.remove().await;
}

#[tokio::test]
async fn a_client_is_changed_and_every_change_is_audited_without_secrets() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let new = NewClient { secret: None, assertion: Some(keys()), ..NewClient::new("Entra") };
    let IssuedClient { client, secret } = make(&registry, &acme, &new).await;
    assert!(secret.is_none() && client.secrets.is_empty());
    assert_eq!(registry.client(&client.client_id).await.unwrap(), Some(client.clone()));

    let asked = ClientChange {
        name: Some("Okta".to_owned()),
        networks: Some(Networks::parse("2001:db8::/32").unwrap()),
        token_lifetime: Some(6 * HOUR),
        assertion: Some(None),
        ..Default::default()
    };
    let changed = alter(&registry, &client, asked.clone()).await;
    assert_eq!((changed.name.as_str(), changed.assertion.as_ref()), ("Okta", None));
    assert_eq!(
        (changed.token_lifetime, &changed.networks),
        (6 * HOUR, asked.networks.as_ref().unwrap())
    );
    assert_eq!(registry.client(&client.client_id).await.unwrap(), Some(changed.clone()));
    let same = registry.change_client(&acme.id, &client.client_id, &asked, &by()).await.unwrap();
    assert!(!same.changed());
    same.discard().await;

    let added = registry.add_secret(&acme.id, &client.client_id, HOUR, &by()).await.unwrap();
    let added = added.commit().await.unwrap();
    let gone = registry.revoke_secret(&acme.id, &client.client_id, &added.kept.id, &by()).await;
    gone.unwrap().commit().await.unwrap();
    let audit = registry.audit(Some(&acme.id), 4).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "oauth_client.create",
            "oauth_client.change",
            "oauth_secret.create",
            "oauth_secret.revoke"
        ]
    );
    assert!(audit.iter().all(|entry| entry.subject == client.client_id));
    assert!(audit[1].detail.contains(r#""token_seconds":21600"#), "{}", audit[1].detail);
    store.remove().await;
}

#[tokio::test]
async fn clients_and_secrets_have_their_limits() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let (id, mut last) = (&acme.id, None);
    for _ in 0..MAX_CLIENTS {
        last = Some(make(&registry, &acme, &NewClient::new("Entra")).await.client);
    }
    let refused = registry.create_client(id, &NewClient::new("Entra"), &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::TooManyClients(MAX_CLIENTS)), "{refused:?}");
    let client = last.unwrap();
    for _ in 1..MAX_SECRETS {
        let added = registry.add_secret(id, &client.client_id, HOUR, &by()).await.unwrap();
        added.commit().await.unwrap();
    }
    let refused = registry.add_secret(id, &client.client_id, HOUR, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::TooManySecrets(MAX_SECRETS)), "{refused:?}");
    let later = by_at(NOW + HOUR);
    let added = registry.add_secret(id, &client.client_id, HOUR, &later).await.unwrap();
    added.commit().await.unwrap();
    store.remove().await;
}

#[tokio::test]
async fn what_has_another_form_or_is_another_tenant_s_is_refused() {
    let store = Store::new().await;
    let registry = store.node().await;
    let (acme, zeta) = (tenant(&registry, "acme").await, tenant(&registry, "zeta").await);
    let client = make(&registry, &acme, &NewClient::new("Entra")).await.client;
    let new = NewClient::new("Entra");
    for (wrong, what) in [
        (NewClient { name: String::new(), ..new.clone() }, "a name has"),
        (NewClient { token_lifetime: HOUR / 2, ..new.clone() }, "access tokens live"),
        (NewClient { token_lifetime: 7 * HOUR, ..new.clone() }, "access tokens live"),
        (NewClient { secret: Some(Duration::ZERO), ..new.clone() }, "a credential lives"),
        (NewClient { population: Some(Population::Board), ..new.clone() }, "provisions platform"),
        (
            NewClient {
                assertion: Some(Assertion { jwks: r#"{"keys":[]}"#.to_owned(), ..keys() }),
                ..new.clone()
            },
            "JWK set",
        ),
    ] {
        let refused = registry.create_client(&acme.id, &wrong, &by()).await.unwrap_err();
        assert!(refused.to_string().contains(what), "{refused}");
    }
    let (id, none) = (&client.client_id, ClientChange::default());
    let stranger = TenantId::parse("ten_aaaaaaaaaaaaaaaa").unwrap();
    assert!(registry.clients(&stranger).await.unwrap().is_empty());
    for refused in [
        registry.change_client(&zeta.id, id, &none, &by()).await.unwrap_err(),
        registry.revoke_client(&zeta.id, id, &by()).await.unwrap_err(),
        registry.add_secret(&zeta.id, id, HOUR, &by()).await.unwrap_err(),
        registry.revoke_client(&acme.id, "mcl_eu_pf_0000000000000000", &by()).await.unwrap_err(),
        registry.revoke_client(&acme.id, &id.replace("_pf_", "_bd_"), &by()).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::ClientNotFound), "{refused:?}");
    }
    let refused = registry.revoke_secret(&acme.id, id, "none", &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::SecretNotFound), "{refused:?}");
    store.remove().await;
}

#[tokio::test]
async fn the_end_of_a_secret_is_announced_at_each_level_once_on_all_nodes() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let client = make(&here, &acme, &NewClient::new("Entra")).await.client;
    let mut said = Vec::new();
    for day in (0..366).filter(|day| *day < 2 || *day > 330) {
        let now = NOW + Duration::from_secs(day * 86_400);
        let due = here.expiring_secrets(now).await.unwrap();
        assert_eq!(there.expiring_secrets(now).await.unwrap(), due);
        for expiring in due {
            assert_eq!(expiring.client, client);
            let warn = async |node: &Registry| {
                let warned = node.warn_expiring_secret(&expiring, &by_at(now)).await.unwrap();
                let is_new = warned.changed();
                assert_eq!(warned.commit().await.unwrap(), client.secrets[0]);
                is_new
            };
            let (one, other) = tokio::join!(warn(&here), warn(&there));
            assert!(one != other, "one of the nodes says it");
            said.push((day, expiring.days));
        }
    }
    assert_eq!(said, [(335, 30), (351, 14), (358, 7), (364, 1)]);
    let audit = here.audit(Some(&acme.id), 4).await.unwrap();
    assert!(audit.iter().all(|entry| entry.action == "oauth_secret.expiring"));
    assert!(audit[3].detail.contains(r#""days":1"#), "{}", audit[3].detail);
    assert_eq!(here.client(&client.client_id).await.unwrap(), Some(client));
    store.remove().await;
}

#[tokio::test]
async fn nobody_is_warned_of_secrets_that_are_revoked_or_whose_client_or_tenant_is_gone() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let late = NOW + Duration::from_secs(340 * 86_400);
    let due = async || {
        let due = registry.expiring_secrets(late).await.unwrap();
        due.into_iter().map(|due| due.client.name).collect::<BTreeSet<_>>()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut made = Vec::new();
    for name in ["one", "two", "three"] {
        made.push(make(&registry, &acme, &NewClient::new(name)).await.client);
    }
    assert_eq!(due().await, names(&["one", "two", "three"]));
    let (id, one) = (&acme.id, &made[0]);
    let gone = registry.revoke_secret(id, &one.client_id, &one.secrets[0].id, &by()).await;
    gone.unwrap().commit().await.unwrap();
    let gone = registry.revoke_client(id, &made[1].client_id, &by()).await.unwrap();
    gone.commit().await.unwrap();
    assert_eq!(due().await, names(&["three"]));
    let closed = registry.set_state(id, tenant_registry::TenantState::Closed, &by()).await;
    closed.unwrap().commit().await.unwrap();
    assert!(due().await.is_empty());
    store.remove().await;
}
