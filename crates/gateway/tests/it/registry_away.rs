//! The registry's database goes away, and what it holds is wrong: known tenants are served all the same.

use crate::support::binary::{Binary, json, muster};
use crate::support::redis::Redis;
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, client, until};
use futures_util::future::join_all;
use gateway::state::State;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tenant_registry::Standing;

/// Works for a tenant until told to stop, and counts each round.
async fn work(tenant: &TestTenant, stop: &AtomicBool, rounds: &AtomicUsize) {
    while !stop.load(Ordering::Relaxed) {
        let round = rounds.fetch_add(1, Ordering::Relaxed);
        tenant.user(&format!("user-{round}")).await;
        tenant.get("/Users?count=3").await.assert(200);
    }
}

#[actix_web::test]
async fn known_tenants_are_served_while_the_registry_is_away() {
    let settings = [("MUSTER__LIMITS__RATE_PER_SECOND", "0")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let (acme, zeta) = (gateway.tenant("acme").await, gateway.tenant("zeta").await);
    let (stop, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let stands = async |wanted: Standing| {
        until("the standing", async || (gateway.state.registry.standing() == wanted).then_some(()))
            .await;
    };
    let away = async {
        gateway.stores.take_registry_away();
        // Who has a file open keeps it, wherever it is moved.
        if !gateway.stores.are_files() {
            stands(Standing::Unreached).await;
        }
        let so_far = rounds.load(Ordering::Relaxed);
        until("work without the registry", async || {
            (rounds.load(Ordering::Relaxed) > so_far + 20).then_some(())
        })
        .await;
        gateway.stores.bring_registry_back();
        stands(Standing::Current).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(away, work(&acme, &stop, &rounds), work(&zeta, &stop, &rounds));

    gateway.tenant("beta").await.get("/Users").await.assert(200);
}

/// A server that has been there before, with a tenant whose token this is.
async fn left(stores: &Stores) -> String {
    let create = [
        "tenant",
        "create",
        "acme",
        "--name",
        "Acme",
        "--region",
        "us",
        "--population",
        "platform",
        "--profile",
        "open",
    ];
    json(stores, &create);
    let token = json(stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let mut server = Binary::serve(stores, &SETTINGS).await;
    assert_eq!(status(server.address, &token).await, 200);
    server.terminate();
    assert!(server.end().await.success());
    token
}

const SETTINGS: [(&str, &str); 3] = [
    ("MUSTER__NODE__REGIONS", "us"),
    ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
    ("MUSTER__DATABASE__ACQUIRE_TIMEOUT", "1s"),
];

fn snapshot(stores: &Stores) -> PathBuf {
    stores.folder().join("registry-snapshot")
}

/// What a list of people is answered with.
async fn status(address: SocketAddr, token: &str) -> u16 {
    let request = client().get(format!("http://{address}/scim/v2/Users"));
    let answer = request.header("host", "app.localhost").bearer_auth(token).send().await.unwrap();
    answer.status().as_u16()
}

async fn ready(ops: SocketAddr) -> (u16, Value) {
    let answer = client().get(format!("http://{ops}/readyz")).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// What a command says when it fails.
fn failure(stores: &Stores, arguments: &[&str]) -> String {
    let done = muster(stores).args(arguments).envs(SETTINGS).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    said
}

#[actix_web::test]
async fn a_node_starts_without_the_registry_and_catches_up() {
    let stores = Stores::new(&["us"]);
    let token = left(&stores).await;
    stores.take_registry_away();

    let mut server = Binary::serve(&stores, &SETTINGS).await;

    for _ in 0..20 {
        assert_eq!(status(server.address, &token).await, 200);
    }
    let (code, body) = ready(server.ops).await;
    assert_eq!((code, &body["status"]), (200, &json!("degraded")), "{body}");
    assert_eq!(body["checks"]["store_us"], "ok");
    let metrics = client().get(format!("http://{}/metrics", server.ops)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("registry_snapshot_refused_total{reason=\"epoch_back\"} 0"),
        "{metrics}"
    );
    for arguments in
        [["token", "create", "acme"].as_slice(), &["migrate"], &["tenant", "suspend", "acme"]]
    {
        let said = failure(&stores, arguments);
        assert!(said.contains("the registry"), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "a sentence: {said}");
    }
    let told = "The registry's database does not answer; known tenants are served from the snapshot on disk.";
    assert_eq!(server.log().matches(told).count(), 1, "{}", server.log());

    stores.bring_registry_back();
    until("it is ready", async || (ready(server.ops).await.1["status"] == "ready").then_some(()))
        .await;
    let another = json(&stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    until("the new token is good", async || {
        (status(server.address, &another).await == 200).then_some(())
    })
    .await;
    server.terminate();
    assert!(server.end().await.success());
}

#[actix_web::test]
async fn without_registry_and_snapshot_the_start_is_refused_with_what_to_do() {
    let stores = Stores::new(&["us"]);
    left(&stores).await;
    stores.take_registry_away();
    for end in ["", ".previous"] {
        std::fs::write(format!("{}{end}", snapshot(&stores).display()), "torn").unwrap();
    }

    let said = failure(&stores, &["serve"]);

    let last = said.lines().last().unwrap();
    for expected in [
        "registry-snapshot is no snapshot of this version",
        "bring the database back, or copy registry.snapshot from a node that serves",
    ] {
        assert!(last.contains(expected), "{said}");
    }
    stores.bring_registry_back();
}

#[actix_web::test]
async fn a_registry_that_lost_its_rows_is_not_taken_until_it_is_accepted() {
    let stores = Stores::new(&["us"]);
    let token = left(&stores).await;
    let kept = std::fs::read(snapshot(&stores)).unwrap();
    // The node knows of one change more than the database.
    json(&stores, &["token", "create", "acme"]);
    let mut server = Binary::serve(&stores, &SETTINGS).await;
    server.terminate();
    server.end().await;
    assert_ne!(std::fs::read(snapshot(&stores)).unwrap(), kept);
    if !stores.are_files() {
        return;
    }
    // An empty one where the file was, as an operator makes it who mounts the wrong disk.
    stores.take_registry_away();
    std::fs::write(stores.folder().join("registry.sqlite"), "").unwrap();

    let mut server = Binary::serve(&stores, &SETTINGS).await;

    assert_eq!(status(server.address, &token).await, 200);
    let (code, body) = ready(server.ops).await;
    assert_eq!((code, &body["status"]), (200, &json!("degraded")), "{body}");
    until("the refusal is counted", async || {
        let metrics = client().get(format!("http://{}/metrics", server.ops)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        metrics
            .contains("registry_snapshot_refused_total{reason=\"generation_back\"} 1")
            .then_some(())
    })
    .await;
    assert_eq!(server.log().matches("muster registry accept").count(), 1, "{}", server.log());

    let accepted = json(&stores, &["registry", "accept"]);
    assert_eq!(accepted, json!({ "generation": 1, "tenants": 0, "credentials": 0 }));
    until("it is taken", async || (status(server.address, &token).await == 401).then_some(()))
        .await;
    until("it is ready", async || (ready(server.ops).await.1["status"] == "ready").then_some(()))
        .await;
    server.terminate();
    assert!(server.end().await.success());
}

/// How long a revoked token is good for after the revocation.
async fn revoked_after(gateway: &TestGateway, tenant: &TestTenant, there: &TestTenant) -> Duration {
    there.get("/Users?count=1").await.assert(200);
    gateway.revoke(tenant).await;
    let start = Instant::now();
    assert_eq!(tenant.get("/Users?count=1").await.status, 401, "here it is revoked at once");
    until("the revocation", async || {
        (there.get("/Users?count=1").await.status == 401).then_some(())
    })
    .await;
    start.elapsed()
}

#[actix_web::test]
async fn a_revocation_is_pushed_to_the_other_nodes() {
    let redis = Redis::start();
    let settings =
        [("MUSTER__REDIS__URL", redis.url.as_str()), ("MUSTER__REGISTRY__POLL_INTERVAL", "1m")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    for number in 0..5 {
        let acme = gateway.tenant(&format!("acme-{number}")).await;
        let there = gateway.other_node_with(&acme, &settings).await;
        gateway.tenant(&format!("spare-{number}")).await;
        let known = |state: &State| *state.registry.generations().borrow();
        until("it listens", async || (known(&there.state) == known(&gateway.state)).then_some(()))
            .await;
        let time = revoked_after(&gateway, &acme, &there).await;
        assert!(time < Duration::from_secs(5), "{time:?}");
        println!("by push: {time:?}");
    }
}

#[actix_web::test]
async fn a_revocation_is_found_by_asking_when_push_is_broken() {
    let unreachable = format!("redis://127.0.0.1:{}", crate::support::redis::free_port());
    let settings = [("MUSTER__REDIS__URL", unreachable.as_str())];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let there = gateway.other_node_with(&acme, &settings).await;
    // With the poll interval as it is configured by default: half a second.
    let time = revoked_after(&gateway, &acme, &there).await;
    assert!(time < Duration::from_secs(5), "{time:?}");
    println!("by asking: {time:?}");
}

#[actix_web::test]
async fn a_token_made_on_another_node_is_good_at_once() {
    let never = [("MUSTER__REGISTRY__POLL_INTERVAL", "1m")];
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let there = gateway.other_node_with(&acme, &never).await;
    there.get("/Users").await.assert(200);

    let new = gateway.with_scopes(&acme, tenant_registry::Scopes::ALL).await;
    let new = TestTenant { address: there.address, ..new };

    // A machine that is busy answers later than a request waits; the next one finds the token.
    until("the token", async || (new.get("/Users").await.status == 200).then_some(())).await;
}

#[actix_web::test]
async fn a_scan_of_unknown_tokens_is_refused_and_waits_for_nobody() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let elsewhere = TestGateway::start().await;
    // Well formed, of this place, and of another installation.
    let stranger = elsewhere.tenant("stranger").await;
    let stranger = TestTenant { address: gateway.address, host: acme.host.clone(), ..stranger };
    let start = Instant::now();
    let answers = join_all((0..200).map(|_| stranger.get("/Users"))).await;
    let elapsed = start.elapsed();
    for answer in &answers {
        answer.refused(401, "token_unknown", None);
    }
    // One after the other they would wait for 10 s.
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    println!("200 unknown tokens: {elapsed:?}");
    acme.get("/Users").await.assert(200);
}
