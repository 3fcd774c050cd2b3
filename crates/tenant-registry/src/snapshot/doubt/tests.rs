use super::{Doubt, find};
use crate::credential::scopes::Scopes;
use crate::credential::{Credential, TokenHash};
use crate::networks::Networks;
use crate::snapshot::Snapshot;
use crate::tenant::id::TenantId;
use crate::tenant::{NewTenant, Tenant, TenantState};
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use std::collections::BTreeSet;
use time::macros::datetime;

const MANY: usize = 12;

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn tenant() -> Tenant {
    let place = Place { region: region("eu"), population: Population::Platform };
    let new = NewTenant::new("acme", "Acme Ltd", place, ProfileId::Open);
    Tenant { version: 5, ..Tenant::made(TenantId::random(), &new, datetime!(2026-11-22 10:00 UTC)) }
}

fn credential(of: &Tenant, key_id: &str) -> Credential {
    Credential {
        key_id: key_id.to_owned(),
        tenant_id: of.id.clone(),
        name: "Entra".to_owned(),
        hint: format!("mst_eu_pf_****{key_id}"),
        scopes: Scopes::ALL,
        created_at: of.created_at,
        expires_at: of.created_at + time::Duration::HOUR,
        revoked_at: None,
        population: of.population,
        created_by: String::new(),
        networks: Networks::default(),
        retires_at: None,
        replaces: None,
        version: 7,
        hash: TokenHash([0; 32]),
    }
}

/// Tenants with two credentials each.
struct Scene(Vec<Tenant>, Vec<Credential>);

impl Scene {
    fn new() -> Self {
        let tenants: Vec<Tenant> = (0..MANY).map(|_| tenant()).collect();
        let two = |(index, of)| {
            [credential(of, &format!("{index}a")), credential(of, &format!("{index}b"))]
        };
        let credentials = tenants.iter().enumerate().flat_map(two).collect();
        Self(tenants, credentials)
    }

    fn at(&self, generation: i64) -> Snapshot {
        Snapshot::default().with(generation, self.0.clone(), self.1.clone())
    }
}

fn doubt(known: &Snapshot, next: &Snapshot) -> Option<Doubt> {
    find(known, next, Some(&BTreeSet::from([region("eu"), region("us")])))
}

#[test]
fn what_is_new_and_whole_raises_none() {
    let mut scene = Scene::new();
    let known = scene.at(10);
    assert_eq!(doubt(&Snapshot::default(), &known), None);
    assert_eq!(doubt(&known, &known), None);

    scene.0.push(tenant());
    scene.0[0].epoch += 1;
    scene.0[0].version = 11;
    scene.1[0].revoked_at = Some(datetime!(2026-11-22 11:00 UTC));
    scene.1[0].version = 12;
    assert_eq!(doubt(&known, &scene.at(12)), None);
}

#[test]
fn a_generation_does_not_go_back() {
    let scene = Scene::new();
    let refused = doubt(&scene.at(10), &scene.at(9));
    assert_eq!(refused, Some(Doubt::GenerationBack { known: 10, next: 9 }));
}

#[test]
fn more_than_half_of_what_is_known_is_not_lost_at_once() {
    let scene = Scene::new();
    let known = scene.at(10);
    let half = Scene(scene.0[..MANY / 2].to_vec(), scene.1.clone());
    assert_eq!(doubt(&known, &half.at(11)), None);

    let fewer = Scene(scene.0[..MANY / 2 - 1].to_vec(), scene.1.clone());
    let lost = Doubt::TenantsMissing { known: MANY, missing: MANY / 2 + 1 };
    assert_eq!(doubt(&known, &fewer.at(11)), Some(lost));

    // As many tenants, but others.
    let others = Scene::new();
    let lost = Doubt::TenantsMissing { known: MANY, missing: MANY };
    assert_eq!(doubt(&known, &others.at(11)), Some(lost));

    let fewer = Scene(scene.0.clone(), scene.1[..MANY - 1].to_vec());
    let lost = Doubt::CredentialsMissing { known: 2 * MANY, missing: MANY + 1 };
    assert_eq!(doubt(&known, &fewer.at(11)), Some(lost));
}

#[test]
fn a_handful_may_go() {
    let scene = Scene::new();
    let few = Scene(scene.0[..5].to_vec(), scene.1[..5].to_vec());
    assert_eq!(doubt(&few.at(10), &Scene(Vec::new(), Vec::new()).at(11)), None);
}

#[test]
fn the_credentials_of_purged_tenants_go_with_them() {
    let mut scene = Scene::new();
    let known = scene.at(10);
    for tenant in &mut scene.0 {
        (tenant.state, tenant.version) = (TenantState::Purged, 11);
    }
    scene.1.clear();
    assert_eq!(doubt(&known, &scene.at(11)), None);
}

#[test]
fn a_tenant_comes_to_a_configured_region_only() {
    let mut scene = Scene::new();
    let known = scene.at(10);
    scene.0[3].region = region("mars");
    let next = scene.at(11);
    let lost = Doubt::UnknownRegion { tenant: scene.0[3].id.to_string(), region: region("mars") };
    assert_eq!(doubt(&known, &next), Some(lost));
    assert_eq!(doubt(&next, &next), None, "where it has been all the time is no news");
    assert_eq!(find(&known, &next, None), None, "a command serves nobody");
}

#[test]
fn a_fence_is_not_lowered_and_no_row_goes_back() {
    let mut scene = Scene::new();
    scene.0[2].epoch = 4;
    let known = scene.at(10);

    scene.0[2].epoch = 3;
    let tenant = scene.0[2].id.to_string();
    let lowered = Doubt::EpochBack { tenant: tenant.clone(), known: 4, next: 3 };
    assert_eq!(doubt(&known, &scene.at(11)), Some(lowered));

    (scene.0[2].epoch, scene.0[2].version) = (4, 4);
    assert_eq!(doubt(&known, &scene.at(11)), Some(Doubt::RowBack { row: tenant }));

    (scene.0[2].version, scene.1[0].version) = (5, 6);
    assert_eq!(doubt(&known, &scene.at(11)), Some(Doubt::RowBack { row: "tok_0a".to_owned() }));
}

#[test]
fn what_another_copy_has_revoked_ends_and_nothing_begins() {
    let mut scene = Scene::new();
    scene.1[1].revoked_at = Some(datetime!(2026-11-22 10:30 UTC));
    let known = scene.at(10);
    let at = Some(datetime!(2026-11-22 11:00 UTC));
    scene.1[0].revoked_at = at;
    scene.1[1].revoked_at = None;
    scene.1.push(credential(&scene.0[0], "new"));

    let without = known.without_what_ended_in(&scene.at(3)).unwrap();

    assert_eq!(without.generation, 10);
    assert_eq!(without.credential("0a").unwrap().revoked_at, at);
    assert!(without.credential("0b").unwrap().revoked_at.is_some(), "it stays revoked");
    assert!(without.credential("new").is_none(), "nothing is given");
    assert!(without.without_what_ended_in(&scene.at(3)).is_none());
}
