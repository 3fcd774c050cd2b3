use crate::support::{
    NOW, Store, by, by_at, credential, new_credential, presented, revoke, tenant,
};
use futures_util::future::join_all;
use std::time::Duration;
use tenant_registry::{
    AuthFailure, IssuedCredential, MAX_LIVE, Networks, NewCredential, Registry, RegistryError,
    Scopes, Tenant,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

async fn rotate(registry: &Registry, old: &IssuedCredential) -> IssuedCredential {
    let (id, key_id) = (&old.credential.tenant_id, &old.credential.key_id);
    let new = registry.start_rotation(id, key_id, MINUTE, None, &by()).await.unwrap();
    new.commit().await.unwrap()
}

async fn lasting(registry: &Registry, tenant: &Tenant, life: Duration) -> IssuedCredential {
    let new = NewCredential::new("Entra", life);
    let issued = registry.create_credential(&tenant.id, &new, &by()).await.unwrap();
    issued.commit().await.unwrap()
}

#[tokio::test]
async fn while_a_rotation_goes_on_both_tokens_are_good() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let asked = NewCredential {
        scopes: Scopes::parse("read,users").unwrap(),
        networks: Networks::parse("203.0.113.0/24").unwrap(),
        ..new_credential()
    };
    let old = here.create_credential(&acme.id, &asked, &by()).await.unwrap();
    let old = old.commit().await.unwrap();

    let new = rotate(&here, &old).await;
    there.refresh().await.unwrap();

    let (was, is) = (&old.credential, &new.credential);
    assert_eq!((&is.name, is.scopes, &is.networks), (&was.name, was.scopes, &was.networks));
    assert_eq!((is.expires_at, is.population), (was.expires_at, was.population));
    assert_eq!(is.replaces.as_ref(), Some(&was.key_id));
    for node in [&here, &there] {
        assert!(node.authenticate(&presented(&old), NOW + MINUTE / 2).is_ok());
        assert!(node.authenticate(&presented(&new), NOW + MINUTE).is_ok());
        let over = node.authenticate(&presented(&old), NOW + MINUTE).unwrap_err();
        assert_eq!(over, AuthFailure::Expired(NOW + MINUTE));
    }
    let audit = here.audit(Some(&acme.id), 1).await.unwrap();
    assert_eq!((audit[0].action.as_str(), &audit[0].subject), ("credential.rotate", &was.key_id));
    assert!(audit[0].detail.contains(&is.key_id));
    store.remove().await;
}

#[tokio::test]
async fn a_rotation_is_completed_or_cancelled_once() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let (id, old) = (&acme.id, credential(&registry, &acme).await);
    let key_id = &old.credential.key_id;
    let none = registry.complete_rotation(id, key_id, &by()).await.unwrap_err();
    assert!(matches!(none, RegistryError::NoRotation), "{none:?}");

    let unwanted = rotate(&registry, &old).await;
    let again = registry.start_rotation(id, key_id, MINUTE, None, &by()).await.unwrap_err();
    assert!(matches!(again, RegistryError::RotationUnderWay), "{again:?}");
    let back = registry.cancel_rotation(id, key_id, &by()).await.unwrap().commit().await.unwrap();
    assert_eq!((back.retires_at, back.revoked_at), (None, None));
    let refused = registry.authenticate(&presented(&unwanted), NOW).unwrap_err();
    assert_eq!(refused, AuthFailure::Revoked(NOW));
    assert!(registry.authenticate(&presented(&old), NOW + 2 * MINUTE).is_ok());

    let new = rotate(&registry, &old).await;
    let done = registry.complete_rotation(id, key_id, &by()).await.unwrap().commit().await.unwrap();
    assert_eq!(done.revoked_at, Some(NOW));
    assert!(registry.authenticate(&presented(&old), NOW).is_err());
    assert!(registry.authenticate(&presented(&new), NOW).is_ok());
    for refused in [
        registry.complete_rotation(id, key_id, &by()).await.unwrap_err(),
        registry.cancel_rotation(id, key_id, &by()).await.unwrap_err(),
    ] {
        assert!(matches!(refused, RegistryError::NoRotation), "{refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn what_is_over_is_neither_rotated_nor_brought_back() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let old = credential(&registry, &acme).await;
    rotate(&registry, &old).await;
    let (id, key_id) = (&acme.id, &old.credential.key_id);
    let late = by_at(NOW + MINUTE);
    let refused = registry.cancel_rotation(id, key_id, &late).await.unwrap_err();
    assert!(matches!(refused, RegistryError::CredentialEnded), "{refused:?}");
    registry.complete_rotation(id, key_id, &late).await.unwrap().commit().await.unwrap();
    let refused = registry.start_rotation(id, key_id, MINUTE, None, &late).await.unwrap_err();
    assert!(matches!(refused, RegistryError::CredentialEnded), "{refused:?}");
    store.remove().await;
}

#[tokio::test]
async fn of_many_rotations_of_one_token_at_once_one_begins() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let acme = tenant(&nodes[0], "acme").await;
    let old = credential(&nodes[0], &acme).await.credential;
    let all = (0..6).map(async |n| {
        let new = nodes[n % 2].start_rotation(&acme.id, &old.key_id, MINUTE, None, &by()).await?;
        new.commit().await
    });
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, RegistryError::RotationUnderWay), "{refused:?}");
    }
    store.remove().await;
}

#[tokio::test]
async fn the_end_of_a_token_is_announced_at_each_level_once_on_all_nodes() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let year = lasting(&here, &acme, 365 * DAY).await.credential;
    let mut said = Vec::new();
    for day in 0..366 {
        let now = NOW + day * DAY;
        let due = here.expiring(now).await.unwrap();
        assert_eq!(there.expiring(now).await.unwrap(), due);
        for expiring in due {
            let warn = async |node: &Registry| {
                let warned = node.warn_expiring(&expiring, &by_at(now)).await.unwrap();
                let is_new = warned.changed();
                assert_eq!(warned.commit().await.unwrap().version, year.version);
                is_new
            };
            let (one, other) = tokio::join!(warn(&here), warn(&there));
            assert!(one != other, "one of the nodes says it");
            said.push((day, expiring.days));
        }
    }
    assert_eq!(said, [(335, 30), (351, 14), (358, 7), (364, 1)]);
    let audit = here.audit(Some(&acme.id), 4).await.unwrap();
    assert!(audit.iter().all(|entry| entry.action == "credential.expiring"));
    assert!(audit[3].detail.contains(r#""days":1"#), "{}", audit[3].detail);
    store.remove().await;
}

#[tokio::test]
async fn nobody_is_warned_of_what_was_rotated_revoked_closed_or_meant_to_be_short() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let due = async |day: u32| {
        let due = registry.expiring(NOW + day * DAY).await.unwrap();
        due.into_iter().map(|due| (due.credential.key_id, due.days)).collect::<Vec<_>>()
    };
    let week = lasting(&registry, &acme, 7 * DAY).await;
    assert!(due(0).await.is_empty(), "nobody is told at once what he has just asked for");
    let key_id = &week.credential.key_id;
    assert_eq!(due(6).await, [(key_id.clone(), 1)]);
    rotate(&registry, &week).await;
    assert!(!due(6).await.iter().any(|(other, _)| other == key_id));
    let month = lasting(&registry, &acme, 60 * DAY).await;
    assert_eq!(due(31).await, [(month.credential.key_id.clone(), 30)]);
    revoke(&registry, &month.credential, NOW).await;
    assert!(due(31).await.is_empty());
    lasting(&registry, &acme, 60 * DAY).await;
    let closed = registry.set_state(&acme.id, tenant_registry::TenantState::Closed, &by()).await;
    closed.unwrap().commit().await.unwrap();
    assert!(due(31).await.is_empty());
    store.remove().await;
}

#[tokio::test]
async fn revoking_the_new_token_of_a_rotation_lets_the_old_one_live_on() {
    let store = Store::new().await;
    let (registry, there) = (store.node().await, store.node().await);
    let acme = tenant(&registry, "acme").await;
    let (id, old) = (&acme.id, credential(&registry, &acme).await);
    let key_id = &old.credential.key_id;
    let leaked = rotate(&registry, &old).await;
    revoke(&registry, &leaked.credential, NOW).await;

    there.refresh().await.unwrap();
    for node in [&registry, &there] {
        assert!(node.authenticate(&presented(&old), NOW + 2 * MINUTE).is_ok());
        let refused = node.authenticate(&presented(&leaked), NOW).unwrap_err();
        assert_eq!(refused, AuthFailure::Revoked(NOW));
    }
    let audit = registry.audit(Some(id), 1).await.unwrap();
    assert!(audit[0].detail.contains(&format!(r#""lives_on":"{key_id}""#)), "{}", audit[0].detail);
    let next = rotate(&registry, &old).await;
    // The other way round the rotation is over, and the new one stays alone.
    revoke(&registry, &old.credential, NOW).await;
    revoke(&registry, &next.credential, NOW).await;
    let refused = registry.authenticate(&presented(&old), NOW).unwrap_err();
    assert_eq!(refused, AuthFailure::Revoked(NOW));
    store.remove().await;
}

#[tokio::test]
async fn what_was_over_does_not_come_alive_when_the_new_token_is_revoked() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let old = credential(&registry, &acme).await;
    let new = rotate(&registry, &old).await;
    let newest = rotate(&registry, &new).await;
    // Its own place is taken: the first one ends as was said.
    revoke(&registry, &new.credential, NOW).await;
    let over = registry.authenticate(&presented(&old), NOW + MINUTE).unwrap_err();
    assert_eq!(over, AuthFailure::Expired(NOW + MINUTE));
    revoke(&registry, &newest.credential, NOW + MINUTE).await;
    for token in [&old, &new, &newest] {
        assert!(registry.authenticate(&presented(token), NOW + MINUTE).is_err());
    }
    store.remove().await;
}

#[tokio::test]
async fn a_rotation_whose_new_token_was_revoked_by_an_older_program_can_be_cancelled() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let old = credential(&registry, &acme).await;
    rotate(&registry, &old).await;
    store.run("UPDATE registry_credentials SET revoked_at = 1 WHERE replaces IS NOT NULL").await;
    let (id, key_id) = (&acme.id, &old.credential.key_id);
    let refused = registry.complete_rotation(id, key_id, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::NoRotation), "{refused:?}");
    let back = registry.cancel_rotation(id, key_id, &by()).await.unwrap().commit().await.unwrap();
    assert_eq!((back.retires_at, back.revoked_at), (None, None));
    store.remove().await;
}

#[tokio::test]
async fn of_five_live_tokens_each_can_be_rotated_and_the_pair_counts_as_one() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let mut all = Vec::new();
    for _ in 0..MAX_LIVE {
        all.push(credential(&registry, &acme).await);
    }
    let is_full = async || {
        let sixth = registry.create_credential(&acme.id, &new_credential(), &by()).await;
        matches!(sixth.unwrap_err(), RegistryError::TooManyCredentials(MAX_LIVE))
    };
    let mut new = Vec::new();
    for old in &all {
        assert!(is_full().await);
        new.push(rotate(&registry, old).await);
    }
    assert!(is_full().await);
    // A third one of a chain is one more.
    let (id, key_id) = (&acme.id, &new[0].credential.key_id);
    let again = registry.start_rotation(id, key_id, MINUTE, None, &by()).await.unwrap_err();
    assert!(matches!(again, RegistryError::TooManyCredentials(MAX_LIVE)), "{again:?}");
    revoke(&registry, &all[0].credential, NOW).await;
    rotate(&registry, &new[0]).await;
    assert!(is_full().await);
    store.remove().await;
}
