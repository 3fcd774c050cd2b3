use super::{AuthFailure, Pepper, authenticate};
use crate::credential::Credential;
use crate::credential::scopes::Scopes;
use crate::credential::token::{BearerToken, checksum, mint};
use crate::networks::Networks;
use crate::snapshot::Snapshot;
use crate::tenant::id::TenantId;
use crate::tenant::{NewTenant, Tenant};
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-22 10:00 UTC);

fn place(region: &str, population: Population) -> Place {
    Place { region: Region::parse(region).unwrap(), population }
}

fn tenant_at(place: &Place) -> Tenant {
    let new = NewTenant::new("acme", "Acme Ltd", place.clone(), ProfileId::Open);
    Tenant::made(TenantId::random(), &new, NOW)
}

/// A pepper, a token of the tenant as text, and what is kept of it.
fn issued(tenant: &Tenant, pepper: &Pepper) -> (String, Credential) {
    let minted = mint(&tenant.place());
    let text = minted.text.expose_secret().to_owned();
    let credential = Credential {
        hash: pepper.hash(&text),
        key_id: minted.key_id,
        tenant_id: tenant.id.clone(),
        name: "Entra".to_owned(),
        hint: minted.hint,
        scopes: Scopes::ALL,
        created_at: NOW,
        expires_at: NOW + time::Duration::HOUR,
        revoked_at: None,
        population: tenant.population,
        created_by: "cli".to_owned(),
        networks: Networks::default(),
        retires_at: None,
        replaces: None,
        version: 1,
    };
    (text, credential)
}

fn pepper() -> Pepper {
    Pepper::new(&SecretString::from("pepper"))
}

fn ask(snapshot: &Snapshot, pepper: &Pepper, token: &str) -> Result<String, AuthFailure> {
    let token = BearerToken::parse(token).unwrap();
    authenticate(snapshot, pepper, &token, NOW).map(|caller| caller.credential.key_id.clone())
}

#[test]
fn a_known_key_id_with_another_secret_is_unknown() {
    let pepper = pepper();
    let acme = tenant_at(&place("eu", Population::Platform));
    let (first, kept) = issued(&acme, &pepper);
    let (second, _) = issued(&acme, &pepper);
    let snapshot = Snapshot::default().with(1, vec![acme], vec![kept.clone()]);

    // The first token's key id with the second one's secret, and a checksum that fits.
    let (front, _) = first.split_at(27);
    let (secret, _) = second.split_at(27).1.split_at(43);
    let body = format!("{front}{secret}");
    let forged = format!("{body}{}", checksum(&body));

    assert_eq!(ask(&snapshot, &pepper, &first), Ok(kept.key_id));
    assert_eq!(ask(&snapshot, &pepper, &forged), Err(AuthFailure::Unknown));
}

#[test]
fn the_hash_depends_on_the_pepper() {
    let acme = tenant_at(&place("eu", Population::Platform));
    let (token, kept) = issued(&acme, &pepper());
    let snapshot = Snapshot::default().with(1, vec![acme], vec![kept]);
    let other = Pepper::new(&SecretString::from("another"));
    assert_eq!(ask(&snapshot, &other, &token), Err(AuthFailure::Unknown));
}

#[test]
fn a_token_of_a_place_that_its_tenant_left_is_unknown() {
    let pepper = pepper();
    let mut acme = tenant_at(&place("eu", Population::Platform));
    let (token, kept) = issued(&acme, &pepper);
    acme.region = place("us", Population::Platform).region;
    let snapshot = Snapshot::default().with(1, vec![acme], vec![kept]);
    assert_eq!(ask(&snapshot, &pepper, &token), Err(AuthFailure::Unknown));
}

#[test]
fn a_token_of_the_population_that_its_tenant_left_is_told_so() {
    let pepper = pepper();
    let mut acme = tenant_at(&place("eu", Population::Platform));
    let (token, kept) = issued(&acme, &pepper);
    acme.population = Population::Board;
    let snapshot = Snapshot::default().with(1, vec![acme.clone()], vec![kept.clone()]);
    let (provisions, asked) = (Population::Board, Population::Platform);
    let refused = AuthFailure::OtherPopulation { provisions, asked };
    assert_eq!(ask(&snapshot, &pepper, &token), Err(refused));
    acme.both_populations = true;
    let snapshot = Snapshot::default().with(1, vec![acme], vec![kept]);
    assert!(ask(&snapshot, &pepper, &token).is_ok());
}

#[test]
fn a_credential_without_its_tenant_is_unknown() {
    let pepper = pepper();
    let acme = tenant_at(&place("eu", Population::Platform));
    let (token, kept) = issued(&acme, &pepper);
    let snapshot = Snapshot::default().with(1, vec![], vec![kept]);
    assert_eq!(ask(&snapshot, &pepper, &token), Err(AuthFailure::Unknown));
}

#[test]
fn whoever_does_not_hold_the_token_does_not_learn_that_it_was_revoked() {
    let pepper = pepper();
    let acme = tenant_at(&place("eu", Population::Platform));
    let (token, mut kept) = issued(&acme, &pepper);
    kept.revoked_at = Some(NOW);
    let mut forged = kept.clone();
    forged.hash = pepper.hash("something else");

    let holder = Snapshot::default().with(1, vec![acme.clone()], vec![kept]);
    let guesser = Snapshot::default().with(1, vec![acme], vec![forged]);

    assert_eq!(ask(&holder, &pepper, &token), Err(AuthFailure::Revoked(NOW)));
    assert_eq!(ask(&guesser, &pepper, &token), Err(AuthFailure::Unknown));
}
