//! `muster tenant move`, beside servers that serve, and the admin API.

use super::{SOON, begin, drive, home, movers, rows, start, write};
use crate::support::TestGateway;
use crate::support::binary::{json, muster};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use tenant_registry::MoveStage;

fn fails(gateway: &TestGateway, arguments: &[&str]) -> String {
    let done = muster(&gateway.stores).args(arguments).envs([SOON]).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stderr).unwrap()
}

fn move_to(gateway: &TestGateway, how: &[&str]) -> Value {
    json(&gateway.stores, &[&["tenant", "move", "acme"], how].concat())
}

#[actix_web::test]
async fn the_command_moves_a_tenant_and_says_what_it_did() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;

    let moved = move_to(&gateway, &["--to-shard", "1"]);
    assert_eq!(
        (&moved["home"], &moved["from"], &moved["stage"]),
        (&json!("us/1"), &json!("us"), &json!("moved"))
    );
    assert!(moved["writing_stopped_ms"].as_u64().is_some(), "{moved}");
    write(&acme, "bob").await;
    let status = move_to(&gateway, &["--status"]);
    assert_eq!((&status["stage"], &status["stops_writes"]), (&json!("moved"), &json!(false)));
    assert_eq!(status["purged_at"], Value::Null);
    // The same command once more deletes what was left, and then there is nothing to be done.
    let purged = move_to(&gateway, &["--to-shard", "1", "--purge-now"]);
    assert_eq!(purged["deleted"]["users"], 1, "{purged}");
    let back = move_to(&gateway, &["--to-shard", "0", "--purge-now"]);
    assert_eq!((&back["home"], &back["deleted"]["users"]), (&json!("us"), &json!(2)));
    let residency = json(&gateway.stores, &["residency", "acme"]);
    assert_eq!(residency["is_home_alone"], true, "{residency}");

    let audit = json(&gateway.stores, &["audit", "acme"]);
    let actions: Vec<&str> =
        audit["data"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["move.begin", "move.freeze", "move.cut_over", "move.purge"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
}

#[actix_web::test]
async fn what_cannot_be_is_said_before_anything_is_done() {
    let gateway = start().await;
    gateway.tenant("acme").await;
    for (how, said) in [
        (&["--to-shard", "0"][..], "acme is there already"),
        (&["--to-shard", "7"], "region us has no shard"),
        (
            &["--to-region", "eu", "--confirm", "amce"],
            "--confirm says amce, and the tenant is acme",
        ),
        (&["--to-shard", "1", "--confirm", "amce"], "--confirm says amce, and the tenant is acme"),
        (&["--to-region", "mars", "--confirm", "acme"], "there is no region"),
        (&["--back-out"], "acme is not being moved"),
    ] {
        let failure = fails(&gateway, &[&["tenant", "move", "acme"], how].concat());
        assert!(failure.contains(said), "{failure}");
    }
    let elsewhere = muster(&gateway.stores)
        .args(["tenant", "move", "acme", "--to-region", "eu", "--confirm", "acme"])
        .env("MUSTER__NODE__REGIONS", "us")
        .output()
        .unwrap();
    let failure = String::from_utf8(elsewhere.stderr).unwrap();
    assert!(failure.contains("needs its old store and its new one on one machine"), "{failure}");
    assert_eq!(move_to(&gateway, &["--status"])["stage"], "none");
}

#[actix_web::test]
async fn a_command_that_died_is_given_again_at_every_stage() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    for stage in ["preparing", "frozen", "verifying", "cut_over"] {
        let died = muster(&gateway.stores)
            .args(["tenant", "move", "acme", "--to-shard", "1", "--stop-after", stage])
            .output()
            .unwrap();
        assert_eq!(died.status.code(), Some(137), "{}", String::from_utf8_lossy(&died.stderr));
        // Its right ends by itself; nobody waits for that here.
        let lease = gateway.state.registry.move_lease(&acme.tenant.id).await.unwrap().unwrap();
        gateway.state.registry.release_move_lease(&acme.tenant.id, &lease.holder).await.unwrap();
        if stage == "preparing" {
            write(&acme, "bob").await;
        }
        assert_eq!(acme.get("/Users").await.total(), 2);
    }
    // A server would end it too.
    move_to(&gateway, &["--to-shard", "1"]);
    write(&acme, "cyd").await;
    assert_eq!(acme.get("/Users").await.total(), 3);
}

#[actix_web::test]
async fn an_operator_sees_a_move_and_takes_it_back() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let begun = begin(&movers, &acme, &to).await;
    let frozen = drive(&movers, begun, MoveStage::Frozen).await;
    movers.take_lease(&frozen.id).await.unwrap();

    let status = move_to(&gateway, &["--status"]);
    assert_eq!(status["stage"], "frozen");
    assert_eq!(
        (&status["from"], &status["to"], &status["home"]),
        (&json!("us"), &json!("us/1"), &json!("us"))
    );
    assert_eq!((&status["holder"], &status["stops_writes"]), (&json!(movers.holder), &json!(true)));

    movers.registry.release_move_lease(&frozen.id, &movers.holder).await.unwrap();
    let back = move_to(&gateway, &["--back-out"]);
    assert_eq!((&back["home"], &back["stage"]), (&json!("us"), &json!("none")));
    write(&acme, "bob").await;
    assert_eq!(rows(&gateway, &Arc::clone(&acme.tenant), &to).await, 0);
}

#[actix_web::test]
async fn whoever_waits_to_take_a_move_back_and_finds_it_taken_back_is_told_so() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let begun = begin(&movers, &acme, &to).await;
    let frozen = drive(&movers, begun, MoveStage::Frozen).await;
    movers.take_lease(&frozen.id).await.unwrap();

    let mut waiting = muster(&gateway.stores)
        .args(["tenant", "move", "acme", "--back-out", "-o", "json"])
        .envs([SOON])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut heard = String::new();
    let mut said = BufReader::new(waiting.stderr.take().unwrap());
    said.read_line(&mut heard).unwrap();
    assert!(heard.contains("waiting for it"), "{heard}");
    movers.back_out(&frozen.id).await.unwrap();
    movers.registry.release_move_lease(&frozen.id, &movers.holder).await.unwrap();

    let done = waiting.wait_with_output().unwrap();
    assert!(done.status.success(), "{said:?}");
    let back: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&back["home"], &back["stage"]), (&json!("us"), &json!("none")));
}

#[actix_web::test]
async fn a_tenant_in_its_new_home_is_said_to_be_there() {
    let gateway = start().await;
    let acme = gateway.tenant("acme").await;
    let (movers, to) = (movers(&gateway), home("us", "1"));
    let begun = begin(&movers, &acme, &to).await;
    drive(&movers, begun, MoveStage::CutOver).await;

    let failure = fails(&gateway, &["tenant", "move", "acme", "--back-out"]);
    assert!(failure.contains("it is too late: acme is in its new home, us/1"), "{failure}");
}
