//! Tenants that are moved from one store to another, and what their identity providers see of it.

mod address;
mod command;

use crate::support::answer::Answer;
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use gateway::jobs::moves;
use gateway::moving::{MoveError, Movers, Progress, Step, holder};
use region_router::Region;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tenant_registry::{Actor, Home, MoveStage, RegistryError, Tenant};

/// Nodes hear of changes soon, so that nobody waits long for those that have not.
pub(crate) const SOON: (&str, &str) = ("MUSTER__REGISTRY__POLL_INTERVAL", "50ms");
const STORES: [&str; 3] = ["us", "us/1", "eu"];

async fn start() -> TestGateway {
    TestGateway::start_on(Stores::new(&STORES), &["us", "eu"], &[SOON]).await
}

pub(crate) fn movers(gateway: &TestGateway) -> Movers {
    let state = &gateway.state;
    let stores = (&state.registry, &state.directories);
    Movers::new(stores, &state.config, holder("test"), Actor::Cli)
}

pub(crate) fn home(region: &str, shard: &str) -> Home {
    Home { region: Region::parse(region).unwrap(), shard: shard.to_owned() }
}

pub(crate) async fn begin(movers: &Movers, tenant: &TestTenant, to: &Home) -> Arc<Tenant> {
    let by = crate::support::by();
    let begun = movers.registry.begin_move(&tenant.tenant.id, to, &by).await.unwrap();
    Arc::new(begun.commit().await.unwrap())
}

/// Drives a move until it has come to a stage. Nodes that have both stores may be quicker.
pub(crate) async fn drive(movers: &Movers, tenant: Arc<Tenant>, until: MoveStage) -> Arc<Tenant> {
    let (mut tenant, mut progress) = (tenant, Progress::default());
    while tenant.moving.as_ref().unwrap().stage != until {
        movers.take_lease(&tenant.id).await.ok();
        match movers.advance(&tenant, &mut progress).await {
            Ok(Step::Went(now)) => tenant = Arc::new(*now),
            Ok(Step::Wait(time)) => tokio::time::sleep(time).await,
            Ok(Step::Over) => panic!("the move is over at {:?}", tenant.moving),
            Err(error) if error.is_others() => {
                tenant = Arc::new(movers.tenant(&tenant.id).await.unwrap());
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    movers.registry.release_move_lease(&tenant.id, &movers.holder).await.unwrap();
    tenant
}

pub(crate) async fn whole_move(movers: &Movers, tenant: &TestTenant, to: &Home) -> Arc<Tenant> {
    let begun = begin(movers, tenant, to).await;
    drive(movers, begun, MoveStage::Moved).await
}

/// Makes a person, as soon as the node has heard that the move is over.
pub(crate) async fn write(tenant: &TestTenant, name: &str) -> Answer {
    until("the node hears of the end", async || {
        let answer = tenant.post("/Users", &json!({ "userName": name })).await;
        (answer.status != 503).then_some(answer)
    })
    .await
    .assert(201)
}

/// People, a group, changes of both, and one who is gone.
async fn fill(acme: &TestTenant) {
    let mut ids = Vec::new();
    for name in ["ada", "bob", "cyd", "dan", "eve"] {
        let body = json!({ "userName": name, "externalId": format!("x-{name}"), "title": "first",
            "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }] });
        ids.push(acme.user_with(&body).await);
    }
    let rename = json!([{ "op": "replace", "path": "title", "value": "second" }]);
    acme.patch(&format!("/Users/{}", ids[1]), &rename).await.assert(200);
    acme.delete(&format!("/Users/{}", ids[3])).await.assert(204);
    let crew = acme.group("crew", &[&ids[0], &ids[1]]).await;
    acme.group("all", &[&crew]).await;
    acme.post("/Users", &json!({ "userName": "ADA" })).await.assert(409);
}

/// All that an identity provider can see.
async fn seen(acme: &TestTenant) -> Vec<(u16, Option<String>, Value)> {
    let plain = |answer: Answer| {
        (answer.status, answer.header("etag").map(str::to_owned), answer.body.clone())
    };
    let mut all = Vec::new();
    for path in ["/Users", "/Groups", "/Users?sortBy=title&sortOrder=descending"] {
        let list = acme.get(path).await;
        for id in list.each("id") {
            let kind = path.split('?').next().unwrap();
            all.push(plain(acme.get(&format!("{kind}/{id}")).await));
        }
        all.push(plain(list));
    }
    all
}

/// How many rows of a tenant a store has, beside the one that says whether it may be written.
async fn rows(gateway: &TestGateway, tenant: &Arc<Tenant>, at: &Home) -> u64 {
    let directory = gateway.state.directories.at(&at.region, &at.shard).unwrap();
    let found = directory.residency(tenant).await.unwrap();
    found.tables.iter().filter(|(table, _)| *table != "tenants").map(|(_, rows)| rows).sum()
}

async fn everything_is_as_it_was(to: Home) {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let before = seen(&acme).await;
    let movers = movers(&gateway);
    let log = acme.decisions().await;

    let moved = whole_move(&movers, &acme, &to).await;

    assert_eq!((moved.home(), moved.epoch), (to.clone(), acme.tenant.epoch + 2));
    assert_eq!(seen(&acme).await, before);
    let there = TestTenant { tenant: Arc::clone(&moved), ..acme.clone() };
    let after = there.decisions().await;
    for row in &log {
        assert!(after.iter().any(|other| other.id == row.id), "{} is lost", row.id);
    }
    let eve = acme.post("/Users", &json!({ "userName": "fay" })).await.assert(201);
    assert!(eve.header("location").unwrap().starts_with(&acme.base_url));
    assert!(rows(&gateway, &moved, &home("us", "0")).await > 0, "kept for a day");

    let (purged, proof) = movers.purge(&moved).await.unwrap();
    assert!(purged.moving.as_ref().unwrap().purged_at.is_some());
    assert!(proof.tables["users"] >= 4, "{proof:?}");
    assert_eq!(rows(&gateway, &moved, &home("us", "0")).await, 0);
    assert!(rows(&gateway, &moved, &to).await > 0);
    acme.get(&format!("/Users/{}", eve.id())).await.assert(200);
}

#[actix_web::test]
async fn between_shards_everything_is_as_it_was() {
    everything_is_as_it_was(home("us", "1")).await;
}

#[actix_web::test]
async fn between_regions_everything_is_as_it_was() {
    everything_is_as_it_was(home("eu", "0")).await;
}

#[actix_web::test]
async fn what_is_written_meanwhile_is_done_or_503_and_never_lost() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let (done, movers) = (AtomicBool::new(false), movers(&gateway));
    let writing = async {
        let (mut made, mut refused, mut number) = (Vec::new(), 0, 0);
        while !done.load(Ordering::Relaxed) || made.len() < 5 {
            number += 1;
            let answer = acme.post("/Users", &json!({ "userName": format!("w{number}") })).await;
            if answer.status == 503 {
                assert_eq!(answer.header("retry-after"), Some("5"), "{}", answer.text);
                refused += 1;
            } else {
                made.push(answer.assert(201).id());
            }
        }
        (made, refused)
    };
    let moving = async {
        whole_move(&movers, &acme, &home("us", "1")).await;
        done.store(true, Ordering::Relaxed);
    };

    let ((made, refused), ()) = futures_util::future::join(writing, moving).await;

    assert!(refused > 0, "writing was stopped for a moment");
    for id in made {
        acme.get(&format!("/Users/{id}")).await.assert(200);
    }
}

#[actix_web::test]
async fn a_move_is_taken_back_at_every_stage_before_the_cut_over() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let (movers, to) = (movers(&gateway), home("eu", "0"));
    for stage in [MoveStage::Preparing, MoveStage::Frozen, MoveStage::Verifying] {
        let before = seen(&acme).await;
        let begun = begin(&movers, &acme, &to).await;
        let there = drive(&movers, begun, stage).await;
        if stage == MoveStage::Preparing {
            acme.user("written-meanwhile").await;
        } else {
            assert_eq!(seen(&acme).await, before, "reading goes on");
            let refused = acme.post("/Users", &json!({ "userName": "new" })).await;
            refused.refused(503, "tenant_moving", None);
            assert_eq!(refused.header("retry-after"), Some("5"));
        }

        let back = Arc::new(movers.back_out(&there.id).await.unwrap());

        assert_eq!((back.moving.clone(), back.home()), (None, acme.tenant.home()));
        assert!(back.epoch > there.epoch, "nothing of the attempt counts");
        assert_eq!(rows(&gateway, &back, &to).await, 0, "{stage}");
        acme.post("/Users", &json!({ "userName": format!("after-{stage}") })).await.assert(201);
    }
    let there = whole_move(&movers, &acme, &to).await;
    let late = movers.back_out(&there.id).await.unwrap_err();
    assert!(matches!(late, MoveError::Registry(RegistryError::MoveConflict)), "{late:?}");
    assert_eq!(acme.get("/Users").await.total(), 8);
}

/// A node that has one of the stores.
fn with_store(movers: &Movers, home: &Home) -> Movers {
    let store = movers.store(home).unwrap().clone();
    Movers { directories: [store].into_iter().collect(), ..movers.clone() }
}

#[actix_web::test]
async fn whoever_comes_too_late_to_take_a_move_back_touches_nothing() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let begun = begin(&movers, &acme, &to).await;
    let verifying = drive(&movers, begun, MoveStage::Verifying).await;
    let cut_over = drive(&movers, Arc::clone(&verifying), MoveStage::CutOver).await;

    let late = movers.back_out(&verifying.id).await.unwrap_err();
    assert!(late.is_others(), "{late:?}");
    let late = movers.take_back(&verifying).await.unwrap_err();
    assert!(late.is_others(), "{late:?}");
    let late = movers.advance(&verifying, &mut Progress::default()).await.unwrap_err();
    assert!(late.is_others(), "{late:?}");

    drive(&movers, cut_over, MoveStage::Moved).await;
    assert_eq!(acme.get("/Users").await.total(), 4);
    write(&acme, "after").await;
}

#[actix_web::test]
async fn nodes_that_have_one_of_the_stores_end_a_move_between_them() {
    let gateway = start().await;
    let (acme, wonka) = (gateway.tenant("acme").await, gateway.tenant("wonka").await);
    for tenant in [&acme, &wonka] {
        fill(tenant).await;
    }
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let begun = begin(&movers, &acme, &to).await;
    drive(&movers, begun, MoveStage::CutOver).await;
    let begun = begin(&movers, &wonka, &to).await;
    drive(&movers, begun, MoveStage::Verifying).await;
    let (source, target) = (with_store(&movers, &acme.tenant.home()), with_store(&movers, &to));
    let later = crate::support::by().now + time::Duration::minutes(3);
    let stage = async |tenant: &TestTenant| {
        let now = movers.tenant(&tenant.tenant.id).await.unwrap();
        now.moving.map(|moving| moving.stage)
    };

    // The node of the old store takes back what nobody drives, and lets it be written.
    moves::end(&source, later).await;
    // The server of this test has both stores, and may have been quicker with the rest.
    assert!(matches!(stage(&wonka).await, Some(MoveStage::BackingOut) | None));
    write(&wonka, "after").await;
    // That of the new store ends what is cut over, and deletes a copy that nobody wants.
    until("both are ended", async || {
        moves::end(&target, later).await;
        let ended = (stage(&acme).await, stage(&wonka).await);
        (ended == (Some(MoveStage::Moved), None)).then_some(())
    })
    .await;
    assert_eq!(
        rows(&gateway, &movers.tenant(&wonka.tenant.id).await.unwrap().into(), &to).await,
        0
    );
    write(&acme, "after").await;
    // What was left is deleted by the node that has it.
    let much_later = later + time::Duration::days(40);
    moves::end(&target, much_later).await;
    assert_eq!(stage(&acme).await, Some(MoveStage::Moved));
    moves::end(&source, much_later).await;
    moves::end(&target, much_later).await;
    assert_eq!(stage(&acme).await, None);
    assert_eq!((acme.get("/Users").await.total(), wonka.get("/Users").await.total()), (5, 5));
}

#[actix_web::test]
async fn of_two_movers_one_goes_on_and_the_other_is_told_who_does() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let (one, other) = (movers(&gateway), movers(&gateway));
    let begun = begin(&one, &acme, &home("us", "1")).await;

    one.take_lease(&begun.id).await.unwrap();
    let refused = other.take_lease(&begun.id).await.unwrap_err();
    assert!(
        matches!(&refused, MoveError::Registry(RegistryError::MoveHeld(held)) if held.holder == one.holder),
        "{refused:?}"
    );
    // Whoever does not ask is stopped by the stage.
    let frozen = drive(&one, Arc::clone(&begun), MoveStage::Frozen).await;
    let late = other.advance(&begun, &mut Progress::default()).await.unwrap_err();
    assert!(late.is_others(), "{late:?}");
    drive(&one, frozen, MoveStage::Moved).await;
    assert_eq!(acme.get("/Users").await.total(), 4);
}

#[actix_web::test]
async fn a_node_that_has_not_heard_of_the_move_writes_nowhere() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    fill(&acme).await;
    let stale = gateway.other_node_with(&acme, &[("MUSTER__REGISTRY__POLL_INTERVAL", "60s")]).await;
    stale.user("before").await;
    let (movers, to) = (movers(&gateway), home("us", "1"));

    let begun = begin(&movers, &acme, &to).await;
    let verifying = drive(&movers, begun, MoveStage::Verifying).await;
    stale.post("/Users", &json!({ "userName": "frozen" })).await.assert(503);
    let moved = drive(&movers, verifying, MoveStage::Moved).await;
    let refused = stale.post("/Users", &json!({ "userName": "moved" })).await;
    assert_eq!(refused.assert(503).header("retry-after"), Some("5"));
    movers.purge(&moved).await.unwrap();
    stale.post("/Users", &json!({ "userName": "purged" })).await.assert(503);

    assert_eq!(rows(&gateway, &moved, &home("us", "0")).await, 0);
    assert_eq!(acme.get("/Users").await.total(), 5);
}

#[actix_web::test]
async fn nodes_end_what_is_cut_over_and_take_back_what_nobody_drives() {
    let gateway = start().await;
    let (acme, wonka) = (gateway.tenant("acme").await, gateway.tenant("wonka").await);
    for tenant in [&acme, &wonka] {
        fill(tenant).await;
    }
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let now = crate::support::by().now;
    let begun = begin(&movers, &acme, &to).await;
    drive(&movers, begun, MoveStage::CutOver).await;
    let begun = begin(&movers, &wonka, &to).await;
    drive(&movers, begun, MoveStage::Frozen).await;

    moves::end(&movers, now).await;
    until("the end", async || {
        let there = movers.tenant(&acme.tenant.id).await.unwrap();
        (there.moving.unwrap().stage == MoveStage::Moved).then_some(())
    })
    .await;
    write(&acme, "after").await;
    let there = movers.tenant(&wonka.tenant.id).await.unwrap();
    assert_eq!(there.moving.unwrap().stage, MoveStage::Frozen, "somebody may drive it");

    moves::end(&movers, now + time::Duration::minutes(3)).await;
    assert_eq!(movers.tenant(&wonka.tenant.id).await.unwrap().moving, None);
    wonka.user("after").await;

    let there = Arc::new(movers.tenant(&acme.tenant.id).await.unwrap());
    moves::end(&movers, now + time::Duration::hours(25)).await;
    assert_eq!(rows(&gateway, &there, &home("us", "0")).await, 0);
    moves::end(&movers, now + time::Duration::days(31)).await;
    assert_eq!(movers.tenant(&acme.tenant.id).await.unwrap().moving, None);
    acme.user("long-after").await;
}
