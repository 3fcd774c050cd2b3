use crate::support::{NOW, Store, by, by_at, tenant};
use region_router::Population;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tenant_registry::{
    Assertion, AuthFailure, BearerToken, ClientChange, ClientFailure, IssuedClient, MAX_CLIENTS,
    MAX_SECRETS, Networks, NewClient, OauthClient, Registry, RegistryError, Scopes, Tenant,
    TenantId,
};

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
    let found = registry.authenticate_client(&client.client_id, secret.expose_secret(), NOW)?;
    Ok(found.client_id.clone())
}

fn bearer(token: &SecretString) -> BearerToken {
    BearerToken::parse(&format!("Bearer {}", token.expose_secret())).unwrap()
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
async fn an_access_token_is_good_for_its_time_and_for_what_its_client_may_do() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let new = NewClient {
        scopes: Scopes::parse("read,update,users").unwrap(),
        networks: Networks::parse("203.0.113.0/24").unwrap(),
        token_lifetime: 2 * HOUR,
        ..NewClient::new("Entra")
    };
    let client = make(&here, &acme, &new).await.client;
    there.refresh().await.unwrap();

    let asked = Scopes::parse("read,users,groups").unwrap();
    let (token, life) = here.issue_access_token(&client, asked, NOW);
    assert_eq!(life, 2 * HOUR);
    let token = bearer(&token);
    for node in [&here, &there] {
        let who = node.authenticate(&token, NOW + HOUR).unwrap();
        assert_eq!(*who.tenant, acme);
        let credential = &who.credential;
        assert_eq!(
            (credential.key_id.as_str(), credential.name.as_str()),
            (client.client_id.as_str(), "Entra")
        );
        assert_eq!(credential.scopes.words().collect::<Vec<_>>(), ["read", "users"]);
        assert_eq!(
            (&credential.networks, credential.population),
            (&client.networks, Population::Platform)
        );
        let end = credential.expires_at;
        assert_eq!(end, NOW.replace_nanosecond(0).unwrap() + 2 * HOUR);
        assert_eq!(credential.created_at, end - 2 * HOUR);
        let over = node.authenticate(&token, end).unwrap_err();
        assert_eq!(over, AuthFailure::AccessTokenExpired(end));
        assert_eq!(over.reason().as_str(), "token_expired");
        assert!(node.owner(&token).is_some());
    }
    // What its client may not do any more, it may not do either.
    let narrow =
        ClientChange { scopes: Some(Scopes::parse("update,users").unwrap()), ..Default::default() };
    alter(&here, &client, narrow).await;
    let scopes = here.authenticate(&token, NOW).unwrap().credential.scopes;
    assert!(scopes.allow_nothing());
    let gone = here.revoke_client(&acme.id, &client.client_id, &by_at(NOW)).await.unwrap();
    gone.commit().await.unwrap();
    assert_eq!(here.authenticate(&token, NOW).unwrap_err(), AuthFailure::Revoked(NOW));
    assert!(there.authenticate(&token, NOW).is_ok(), "nobody told it yet");
    there.refresh().await.unwrap();
    assert_eq!(there.authenticate(&token, NOW).unwrap_err(), AuthFailure::Revoked(NOW));
    store.remove().await;
}

#[tokio::test]
async fn access_tokens_of_another_registry_or_of_a_population_that_was_left_are_refused() {
    let store = Store::new().await;
    let (other_store, registry) = (Store::new().await, store.node().await);
    let other = other_store.node().await;
    let acme = tenant(&registry, "acme").await;
    let IssuedClient { client, secret } = make(&registry, &acme, &NewClient::new("Entra")).await;
    let (forged, _) = other.issue_access_token(&client, Scopes::ALL, NOW);
    let refused = registry.authenticate(&bearer(&forged), NOW).unwrap_err();
    assert_eq!(refused, AuthFailure::Unknown);

    let (token, _) = registry.issue_access_token(&client, Scopes::ALL, NOW);
    let frozen = registry.freeze_switch(&acme.id, Population::Board, &by()).await.unwrap();
    frozen.commit().await.unwrap();
    assert!(registry.authenticate(&bearer(&token), NOW).is_ok());
    let cut = registry.cut_over(&acme.id, HOUR, &by()).await.unwrap();
    cut.commit().await.unwrap();
    let (provisions, asked) = (Population::Board, Population::Platform);
    let resting = AuthFailure::OtherPopulation { provisions, asked };
    assert_eq!(registry.authenticate(&bearer(&token), NOW).unwrap_err(), resting);
    assert_eq!(ask(&registry, &client, &secret.unwrap()), Err(ClientFailure::Unknown));
    assert!(registry.oauth_client(&client.client_id).is_none());
    let back = registry.undo_switch(&acme.id, &by()).await.unwrap();
    back.commit().await.unwrap();
    assert!(registry.authenticate(&bearer(&token), NOW).is_ok());
    other_store.remove().await;
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
