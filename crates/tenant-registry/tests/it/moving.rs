//! A tenant that goes from one store to another.

use crate::support::follower::Follower;
use crate::support::{NOW, Store, by, by_at, credential, new_credential, presented, tenant};
use futures_util::future::join_all;
use region_router::{Population, Region};
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tempfile::TempDir;
use tenant_registry::{
    AuthFailure, BearerToken, Home, Manifest, MoveStage, NewClient, Pending, Registry,
    RegistryError, RegistryOptions, Tenant, TenantState,
};

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn home(region_name: &str, shard: &str) -> Home {
    Home { region: region(region_name), shard: shard.to_owned() }
}

async fn made(pending: Result<Pending<Tenant>, RegistryError>) -> Tenant {
    pending.unwrap().commit().await.unwrap()
}

fn is_conflict<T: std::fmt::Debug>(answer: &Result<T, RegistryError>) {
    assert!(matches!(answer, Err(RegistryError::MoveConflict)), "{answer:?}");
}

fn proof() -> Manifest {
    let tables = BTreeMap::from([("users".to_owned(), 7), ("groups".to_owned(), 1)]);
    Manifest { region: region("eu"), at: NOW, tables }
}

/// Begins a move and brings it to a stage.
async fn to_stage(registry: &Registry, tenant: &Tenant, to: &Home, stage: MoveStage) -> Tenant {
    let mut now = made(registry.begin_move(&tenant.id, to, &by()).await).await;
    while let Some(moving) = now.moving.as_ref().filter(|moving| moving.stage < stage) {
        now = made(registry.advance_move(&tenant.id, moving.stage, &by()).await).await;
    }
    now
}

#[tokio::test]
async fn a_tenant_goes_from_one_store_to_another_stage_by_stage() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let id = &acme.id;
    let us = home("us", "2");
    assert_eq!((acme.home(), acme.epoch), (home("eu", "0"), 1));

    let begun = made(here.begin_move(id, &us, &by()).await).await;
    let moving = begun.moving.clone().unwrap();
    assert_eq!((moving.from, moving.to), (acme.home(), us.clone()));
    assert_eq!((moving.started_at, moving.stage_at), (NOW, NOW));
    let mut stage = MoveStage::Preparing;
    let mut at = NOW;
    while let Some(next) = stage.next() {
        let before = here.find_tenant("acme").await.unwrap().unwrap();
        assert_eq!(
            (before.home(), before.epoch),
            match stage {
                MoveStage::CutOver => (us.clone(), 3),
                _ => (home("eu", "0"), 1),
            }
        );
        for other in MoveStage::ALL.into_iter().filter(|other| *other != stage) {
            is_conflict(&here.advance_move(id, other, &by()).await);
        }
        is_conflict(&here.begin_move(id, &home("us", "3"), &by()).await);
        is_conflict(&here.record_move_purge(id, &proof(), &by()).await);
        at += Duration::from_secs(1);
        let now = made(here.advance_move(id, stage, &by_at(at)).await).await;
        let moving = now.moving.unwrap();
        assert_eq!((moving.stage, moving.stage_at, moving.started_at), (next, at, NOW));
        stage = next;
    }
    is_conflict(&here.advance_move(id, MoveStage::Moved, &by()).await);
    is_conflict(&here.back_out_move(id, &by()).await);
    is_conflict(&here.clear_move(id, &by()).await);
    let purged = made(here.record_move_purge(id, &proof(), &by()).await).await;
    assert_eq!(purged.moving.unwrap().purged_at, Some(NOW));
    assert!(!here.record_move_purge(id, &proof(), &by()).await.unwrap().changed());
    is_conflict(&here.begin_move(id, &home("us", "3"), &by()).await);
    let cleared = made(here.clear_move(id, &by()).await).await;
    assert_eq!((cleared.home(), cleared.epoch, &cleared.moving), (us, 3, &None));

    assert_eq!(there.find_tenant("acme").await.unwrap(), Some(cleared));
    let audit = there.audit(Some(id), 7).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "move.begin",
            "move.freeze",
            "move.verify",
            "move.cut_over",
            "move.finish",
            "move.purge",
            "move.clear"
        ]
    );
    let told = |action: &str| {
        let entry = audit.iter().find(|entry| entry.action == action).unwrap();
        entry.detail.clone()
    };
    assert!(told("move.cut_over").contains(r#""home":"us/2""#), "{}", told("move.cut_over"));
    assert!(told("move.purge").contains(r#""users":7"#), "{}", told("move.purge"));
    store.remove().await;
}

#[tokio::test]
async fn a_token_of_the_region_that_was_left_is_good_until_its_address_goes() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let id = &acme.id;
    let token = presented(&credential(&here, &acme).await);
    let client = here.create_client(id, &NewClient::new("Entra"), &by()).await.unwrap();
    let client = client.commit().await.unwrap();
    let (old_id, secret) = (client.client.client_id.clone(), client.secret.unwrap());
    there.refresh().await.unwrap();
    let bearer = |node: &Registry, client_id: &str| {
        let (client, proof) =
            node.authenticate_client(client_id, secret.expose_secret(), NOW).unwrap();
        assert_eq!(client.client_id, client_id, "it goes by the id that it knows");
        let (text, _) = node.issue_access_token(&client, proof, client.scopes, NOW);
        BearerToken::parse(text.expose_secret()).unwrap()
    };
    let old_access = bearer(&here, &old_id);

    let moved = to_stage(&here, &acme, &home("us", "0"), MoveStage::Moved).await;
    assert_eq!(moved.place().region, region("us"));
    there.refresh().await.unwrap();
    let fresh = store.node().await;
    let new_id = old_id.replace("_eu_", "_us_");
    for node in [&here, &there, &fresh] {
        for known in [&token, &old_access, &bearer(node, &old_id), &bearer(node, &new_id)] {
            let who = node.authenticate(known, NOW).unwrap();
            assert_eq!(who.tenant.home(), home("us", "0"));
            assert!(node.moved_away(known).is_none());
        }
        assert_eq!(bearer(node, &old_id).place().region, region("eu"));
        assert_eq!(bearer(node, &new_id).place().region, region("us"));
        assert!(node.oauth_client(&old_id).is_some() && node.recognise_client(&old_id).is_some());
        assert!(node.oauth_client(&old_id.replace("_eu_", "_ca_")).is_none());
        assert_eq!(node.clients(id).await.unwrap()[0].client_id, new_id);
        assert!(node.client(&old_id).await.unwrap().is_some());
    }
    let new = presented(&credential(&here, &moved).await);
    assert_eq!(new.place().region, region("us"));

    made(here.record_move_purge(id, &proof(), &by()).await).await;
    made(here.clear_move(id, &by()).await).await;
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        for known in [&token, &old_access] {
            assert_eq!(node.authenticate(known, NOW).unwrap_err(), AuthFailure::Unknown);
            assert_eq!(node.moved_away(known).unwrap().id, *id);
            assert!(node.owner(known).is_none());
        }
        assert!(node.oauth_client(&old_id).is_none() && node.oauth_client(&new_id).is_some());
        assert!(node.recognise_client(&old_id).is_none());
    }
    assert!(here.authenticate(&new, NOW).is_ok() && here.moved_away(&new).is_none());
    store.remove().await;
}

#[tokio::test]
async fn before_the_cut_over_no_token_of_the_new_region_is_one() {
    let store = Store::new().await;
    let node = store.node().await;
    let acme = tenant(&node, "acme").await;
    let verifying = to_stage(&node, &acme, &home("us", "0"), MoveStage::Verifying).await;
    assert!(verifying.answers_to(&region("eu")) && !verifying.answers_to(&region("us")));
    assert!(verifying.is_frozen_by_move());
    let issued = node.create_credential(&acme.id, &new_credential(), &by()).await.unwrap();
    let issued = presented(&issued.commit().await.unwrap());
    assert_eq!(issued.place().region, region("eu"));
    store.remove().await;
}

#[tokio::test]
async fn a_move_is_backed_out_of_at_every_stage_before_the_cut_over() {
    let store = Store::new().await;
    let node = store.node().await;
    let mut acme = tenant(&node, "acme").await;
    is_conflict(&node.back_out_move(&acme.id, &by()).await);
    for stage in MoveStage::ALL {
        let now = to_stage(&node, &acme, &home("us", "0"), stage).await;
        let outcome = node.back_out_move(&acme.id, &by()).await;
        if stage.has_left() {
            is_conflict(&outcome);
            assert_eq!(now.home(), home("us", "0"));
            break;
        }
        let back = made(outcome).await;
        let moving = back.moving.clone().unwrap();
        assert_eq!((back.home(), moving.stage), (home("eu", "0"), MoveStage::BackingOut));
        assert_eq!(back.epoch, acme.epoch + 2, "nothing of the attempt counts");
        // From now on there is no way there, and no second way back.
        is_conflict(&node.advance_move(&acme.id, stage, &by()).await);
        is_conflict(&node.advance_move(&acme.id, MoveStage::BackingOut, &by()).await);
        is_conflict(&node.back_out_move(&acme.id, &by()).await);
        is_conflict(&node.begin_move(&acme.id, &home("us", "0"), &by()).await);
        let ended = made(node.end_back_out(&acme.id, &by()).await).await;
        assert_eq!((ended.home(), ended.epoch, ended.moving), (back.home(), back.epoch, None));
        is_conflict(&node.end_back_out(&acme.id, &by()).await);
        acme.epoch = back.epoch;
    }
    store.remove().await;
}

#[tokio::test]
async fn a_move_is_refused_where_it_cannot_be_made() {
    let store = Store::new().await;
    let regions = BTreeSet::from([region("eu"), region("us")]);
    let options = RegistryOptions { regions: Some(regions), ..RegistryOptions::default() };
    let node = store.node_with(options).await;
    let acme = tenant(&node, "acme").await;
    let id = &acme.id;
    let begin = async |to: Home| node.begin_move(id, &to, &by()).await.map(drop).unwrap_err();

    assert!(matches!(begin(home("eu", "0")).await, RegistryError::MoveConflict));
    assert!(matches!(begin(home("mars", "0")).await, RegistryError::UnknownRegion(_)));
    assert!(matches!(begin(home("us", "A/1")).await, RegistryError::ShardInvalid));
    made(node.freeze_switch(id, Population::Board, &by()).await).await;
    assert!(matches!(begin(home("us", "0")).await, RegistryError::Switching));
    made(node.undo_switch(id, &by()).await).await;

    to_stage(&node, &acme, &home("us", "0"), MoveStage::CutOver).await;
    let switched = node.freeze_switch(id, Population::Board, &by()).await.unwrap_err();
    assert!(matches!(switched, RegistryError::Moving));
    // A tenant that is closed is deleted when nothing of it is left where it was.
    made(node.set_state(id, TenantState::Closed, &by()).await).await;
    let early = async || node.begin_purge(id, NOW, &by()).await.map(drop);
    assert!(matches!(early().await, Err(RegistryError::StateConflict { .. })));
    made(node.advance_move(id, MoveStage::CutOver, &by()).await).await;
    assert!(matches!(early().await, Err(RegistryError::StateConflict { .. })));
    made(node.record_move_purge(id, &proof(), &by()).await).await;
    made(node.begin_purge(id, NOW, &by()).await).await;
    assert!(matches!(begin(home("eu", "0")).await, RegistryError::TenantClosed(_)));
    store.remove().await;
}

#[tokio::test]
async fn the_next_move_between_shards_waits_for_the_rows_of_the_last_one() {
    let store = Store::new().await;
    let node = store.node().await;
    let acme = tenant(&node, "acme").await;
    to_stage(&node, &acme, &home("eu", "1"), MoveStage::Moved).await;
    is_conflict(&node.begin_move(&acme.id, &home("eu", "2"), &by()).await);
    made(node.record_move_purge(&acme.id, &proof(), &by()).await).await;
    let next = made(node.begin_move(&acme.id, &home("eu", "0"), &by()).await).await;
    assert_eq!(next.moving.unwrap().from, home("eu", "1"));
    store.remove().await;
}

#[tokio::test]
async fn of_two_movers_one_goes_on() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let acme = tenant(&nodes[0], "acme").await;
    let us = home("us", "0");
    let one_wins = |answers: Vec<Result<Tenant, RegistryError>>| {
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        answers.iter().filter(|answer| answer.is_err()).for_each(is_conflict);
    };
    let all =
        (0..6).map(async |n| nodes[n % 2].begin_move(&acme.id, &us, &by()).await?.commit().await);
    one_wins(join_all(all).await);
    to_stage_from(&nodes[0], &acme, MoveStage::Verifying).await;
    let all = (0..6).map(async |n| match n {
        0 => nodes[0].back_out_move(&acme.id, &by()).await?.commit().await,
        _ => {
            let stage = MoveStage::Verifying;
            nodes[n % 2].advance_move(&acme.id, stage, &by()).await?.commit().await
        }
    });
    one_wins(join_all(all).await);
    store.remove().await;
}

async fn to_stage_from(registry: &Registry, tenant: &Tenant, stage: MoveStage) {
    for at in MoveStage::ALL.into_iter().filter(|at| *at < stage) {
        made(registry.advance_move(&tenant.id, at, &by()).await).await;
    }
}

#[tokio::test]
async fn a_lease_is_one_mover_s_until_its_time_is_over() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let (id, generation) = (&acme.id, *here.generations().borrow());
    let until = NOW + Duration::from_secs(30);
    assert_eq!(here.move_lease(id).await.unwrap(), None);

    let taken = here.take_move_lease(id, "node-1:7", until, NOW).await.unwrap();
    assert_eq!(there.move_lease(id).await.unwrap().as_ref(), Some(&taken));
    let refused = there.take_move_lease(id, "node-2:9", until, NOW).await.unwrap_err();
    assert_eq!(refused.to_string(), "the tenant is being moved by node-1:7");
    let later = until + Duration::from_secs(30);
    here.take_move_lease(id, "node-1:7", later, NOW).await.unwrap();
    assert!(there.take_move_lease(id, "node-2:9", later, until).await.is_err());
    there.take_move_lease(id, "node-2:9", later, later).await.unwrap();
    // Whoever lost it gives nothing back.
    here.release_move_lease(id, "node-1:7").await.unwrap();
    assert!(there.move_lease(id).await.unwrap().is_some());
    there.release_move_lease(id, "node-2:9").await.unwrap();
    assert_eq!(here.move_lease(id).await.unwrap(), None);
    assert!(here.take_move_lease(id, "a b", until, NOW).await.is_err());

    // It is no change: no node reads anything for it.
    here.refresh().await.unwrap();
    assert_eq!(*here.generations().borrow(), generation);
    let nodes = [&here, &there];
    let all = (0..8).map(|n| {
        let (node, holder) = (nodes[n % 2], format!("mover-{n}"));
        async move { node.take_move_lease(id, &holder, until, NOW).await }
    });
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    store.remove().await;
}

#[tokio::test]
async fn a_move_is_followed_without_a_doubt_and_kept_on_disk() {
    let store = Store::new().await;
    let folder = TempDir::new().unwrap();
    let options = || RegistryOptions {
        snapshot: Some(folder.path().join("registry-snapshot")),
        regions: Some(BTreeSet::from([region("eu"), region("us")])),
        ..RegistryOptions::default()
    };
    let follower = Registry::start(store.source(), options(), NOW).await.unwrap();
    let mover = store.node().await;
    let acme = tenant(&mover, "acme").await;
    let client = mover.create_client(&acme.id, &NewClient::new("Entra"), &by()).await.unwrap();
    let client = client.commit().await.unwrap().client;
    follower.refresh().await.unwrap();
    let us = home("us", "1");
    mover.begin_move(&acme.id, &us, &by()).await.unwrap().commit().await.unwrap();
    for stage in MoveStage::ALL.into_iter().filter(|stage| stage.next().is_some()) {
        let now = made(mover.advance_move(&acme.id, stage, &by()).await).await;
        follower.refresh().await.unwrap();
        assert_eq!(*follower.known_tenant("acme").unwrap(), now);
    }
    let known = follower.known_tenant("acme").unwrap();
    Follower::of(&follower).end().await;
    follower.close().await.unwrap();
    mover.close().await.unwrap();
    store.go_away().await;

    let again = Registry::start(store.source(), options(), NOW).await.unwrap();
    assert_eq!(again.known_tenant("acme").unwrap(), known);
    assert!(again.oauth_client(&client.client_id.replace("_eu_", "_us_")).is_some());
    assert!(again.oauth_client(&client.client_id).is_some());
    store.come_back().await;
    store.remove().await;
}
