//! A tenant from its making to its end, and what each state means at SCIM.

use super::api::Api;
use crate::moving;
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use serde_json::{Value, json};
use tenant_registry::MoveStage;

async fn scene() -> (TestGateway, Api, TestTenant, String) {
    let gateway = TestGateway::start().await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let at = format!("/admin/v1/tenants/{}", acme.tenant.id);
    (gateway, api, acme, at)
}

#[actix_web::test]
async fn a_suspended_tenant_is_told_so_until_it_is_resumed() {
    let (_gateway, api, acme, at) = scene().await;
    acme.user("ada").await;

    assert_eq!(api.act(&format!("{at}/suspend")).await.assert(200).text("state"), "suspended");

    acme.get("/Users").await.refused(403, "tenant_suspended", None);
    acme.post("/Users", &json!({ "userName": "bob" })).await.refused(403, "tenant_suspended", None);
    // A second time changes nothing, and is no mistake.
    let again = api.act(&format!("{at}/suspend")).await.assert(200);
    assert_eq!(again.version(), api.get(&at).await.version());
    assert_eq!(api.act(&format!("{at}/resume")).await.assert(200).text("state"), "active");
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn a_closed_tenant_can_be_had_back_until_its_data_is_gone() {
    let (gateway, api, acme, at) = scene().await;
    acme.user("ada").await;
    let closed = api.act(&format!("{at}/close")).await.assert(200);
    assert_eq!(closed.text("state"), "closed");
    assert!(closed.body["closed_at"].is_string());
    acme.get("/Users").await.refused(403, "tenant_closed", None);
    api.get(&format!("{at}/manifest")).await.refused(404, "not_found");
    // Nothing is issued for it, and it is not merely suspended.
    api.act(&format!("{at}/tokens")).await.refused(409, "state_conflict");
    api.act(&format!("{at}/oauth-clients")).await.refused(409, "state_conflict");
    api.act(&format!("{at}/suspend")).await.refused(409, "state_conflict");
    let opened = api.act(&format!("{at}/resume")).await.assert(200);
    assert_eq!(
        (opened.text("state"), &opened.body["closed_at"]),
        ("active".to_owned(), &Value::Null)
    );
    assert_eq!(acme.get("/Users").await.total(), 1);

    api.act(&format!("{at}/close")).await.assert(200);
    let later = crate::support::by().now + std::time::Duration::from_hours(31 * 24);
    gateway::jobs::purge::purge(&gateway.state, later).await;

    assert_eq!(api.get(&at).await.assert(200).text("state"), "purged");
    let manifest = api.get(&format!("{at}/manifest")).await.assert(200);
    assert_eq!(manifest.body["rows"]["users"], 1);
    let residency = api.get(&format!("{at}/residency")).await.assert(200);
    assert_eq!(residency.body["is_home_alone"], true);
    assert_eq!(residency.body["stores"][0]["is_tag_right"], true);
    for action in ["resume", "suspend", "close"] {
        api.act(&format!("{at}/{action}")).await.refused(409, "state_conflict");
    }
    acme.get("/Users").await.assert(401);
}

#[actix_web::test]
async fn a_token_for_the_other_population_needs_an_operator_who_allows_both() {
    let (_gateway, api, _acme, at) = scene().await;
    let board = json!({ "population": "board" });
    let (tokens, clients) = (format!("{at}/tokens"), format!("{at}/oauth-clients"));
    let said = api.post(&tokens, &board).await.refused(409, "population_conflict");
    assert!(said.contains("both_populations") && said.contains("population-switch"), "{said}");
    api.post(&clients, &board).await.refused(409, "population_conflict");

    api.patch(&at, &json!({ "both_populations": true })).await.assert(200);

    let made = api.post(&tokens, &board).await.assert(201);
    assert_eq!(made.text("population"), "board");
    assert!(made.text("token").starts_with("mst_us_bd_"), "{}", made.text("token").split_at(10).0);
    assert!(made.text("scim_base_url").contains("board"), "{}", made.text("scim_base_url"));
    api.post(&clients, &board).await.assert(201);
}

#[actix_web::test]
async fn a_revoked_token_is_refused_at_once_here_and_soon_elsewhere() {
    let (gateway, api, acme, at) = scene().await;
    let elsewhere = gateway.other_node(&acme).await;
    acme.get("/Users").await.assert(200);
    elsewhere.get("/Users").await.assert(200);

    let revoked = api.delete(&format!("{at}/tokens/tok_{}", acme.key_id)).await.assert(200);

    assert_eq!(revoked.text("state"), "revoked");
    acme.get("/Users").await.refused(401, "token_revoked", None);
    let began = std::time::Instant::now();
    until("the end on the other node", async || {
        (elsewhere.get("/Users").await.status == 401).then_some(())
    })
    .await;
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    // For good: there is no way back, and a second time is no mistake.
    let again = api.delete(&format!("{at}/tokens/tok_{}", acme.key_id)).await.assert(200);
    assert_eq!(again.text("revoked_at"), revoked.text("revoked_at"));
}

/// Two administrators, each sure of a population: exactly one wins.
#[actix_web::test]
async fn of_two_who_ask_for_different_populations_at_once_one_wins() {
    let (gateway, api, acme, at) = scene().await;
    let elsewhere = api.on(&gateway.other_node(&acme).await);
    for _ in 0..3 {
        let path = format!("{at}/population-switch/freeze");
        let body = json!({ "to": "board" });
        let (one, two) = tokio::join!(api.post(&path, &body), elsewhere.post(&path, &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
        // While it is frozen, nobody gets a token for either.
        for population in ["platform", "board"] {
            let reply =
                api.post(&format!("{at}/tokens"), &json!({ "population": population })).await;
            reply.refused(409, "state_conflict");
        }
        api.act(&format!("{at}/population-switch/undo")).await.assert(200);
    }
}

/// That a role is a person's own is tested where it is kept; here, that nobody is written.
#[actix_web::test]
async fn another_default_role_changes_nobody() {
    let (gateway, api, acme, at) = scene().await;
    let rows = async || {
        let directory = gateway.state.directories.of(&acme.tenant).unwrap();
        let rows = directory.residency(&acme.tenant).await.unwrap().tables;
        rows.into_iter().filter(|(table, _)| *table != "quirk_counts").collect::<Vec<_>>()
    };
    let ada = acme.user("ada").await;
    let (before, seen) = (rows().await, acme.get(&format!("/Users/{ada}")).await);
    assert_eq!(api.get(&at).await.text("default_role"), "member");

    api.patch(&format!("{at}/settings"), &json!({ "platform_role": "auditor" })).await.assert(200);

    assert_eq!(api.get(&at).await.text("default_role"), "auditor");
    assert_eq!(rows().await, before);
    assert_eq!(acme.get(&format!("/Users/{ada}")).await.text, seen.text);
    let audit = api.get(&format!("{at}/audit?action=tenant.change")).await;
    assert_eq!(audit.data()[0]["detail"]["before"]["platform_role"], "member", "{}", audit.text);
    assert_eq!(audit.data()[0]["detail"]["after"]["platform_role"], "auditor", "{}", audit.text);
}

#[actix_web::test]
async fn a_plan_without_directory_sync_ends_it_after_its_grace_with_its_text() {
    let (_gateway, api, acme, at) = scene().await;
    let text = "Directory sync is part of Enterprise. Write to sales@example.com.";
    let plan = |grace: u64| json!({ "directory_sync": false, "group_push": false, "upgrade_text": text, "grace_seconds": grace });
    api.put("/admin/v1/plans/starter", &plan(3600)).await.assert(200);
    acme.get("/Users").await.assert(200);

    let moved = api.patch(&at, &json!({ "plan": "starter" })).await.assert(200);

    assert!(moved.body["sync_until"].is_string(), "{}", moved.text);
    acme.get("/Users").await.assert(200);
    acme.user("ada").await;
    let refused = acme.post("/Groups", &json!({ "displayName": "Crew" })).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("sales@example.com"), "{}", refused.text);
    // Without a grace it ends at once, with the text that an administrator should read.
    api.put("/admin/v1/plans/free", &plan(0)).await.assert(200);
    api.patch(&at, &json!({ "plan": "standard" })).await.assert(200);
    api.patch(&at, &json!({ "plan": "free" })).await.assert(200);
    let answer = acme.get("/Users").await;
    answer.refused(403, "plan_without_sync", None);
    assert!(answer.text.contains("sales@example.com"), "{}", answer.text);
    // And comes back with a plan that has it, with all that was there.
    let back = api.patch(&at, &json!({ "plan": "standard" })).await.assert(200);
    assert_eq!(back.body["sync_until"], Value::Null);
    assert_eq!(acme.get("/Users").await.total(), 1);
    acme.group("Crew", &[]).await;
}

#[actix_web::test]
async fn what_an_operator_does_to_a_person_is_seen_at_scim_and_in_the_log() {
    let (_gateway, api, acme, at) = scene().await;
    let ada = acme.user_with(&json!({ "userName": "ada", "externalId": "a1" })).await;
    let of = |action: &str| format!("{at}/users/{ada}/{action}");

    assert_eq!(api.act(&of("deactivate")).await.assert(200).body["active"], false);
    assert_eq!(acme.get(&format!("/Users/{ada}")).await.body["active"], false);
    assert_eq!(api.act(&of("restore")).await.assert(200).body["active"], true);
    assert_eq!(api.act(&of("unlink")).await.assert(200).body["external_id"], Value::Null);
    assert_eq!(acme.get(&format!("/Users/{ada}")).await.body.get("externalId"), None);
    acme.delete(&format!("/Users/{ada}")).await.assert(204);
    api.get(&format!("{at}/users/{ada}")).await.refused(404, "not_found");
    assert_eq!(api.act(&of("restore")).await.assert(200).id(), ada);
    acme.get(&format!("/Users/{ada}")).await.assert(200);

    let log = api.get(&format!("{at}/decisions?token=operator:alice")).await;
    let operations: Vec<&str> =
        log.data().iter().map(|one| one["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["user.restore", "user.unlink", "user.restore", "user.deactivate"]);
    // The audit, which is global, names no person.
    let audit = api.get(&format!("{at}/audit?limit=200")).await;
    assert!(!audit.text.contains("ada") && !audit.text.contains("a1\""), "{}", audit.text);
}

#[actix_web::test]
async fn a_move_that_cannot_be_taken_back_is_refused_with_where_the_tenant_is() {
    let stores = Stores::new(&["us", "us/1", "eu"]);
    let gateway = TestGateway::start_on(stores, &["us", "eu"], &[moving::SOON]).await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let (movers, to) = (moving::movers(&gateway), moving::home("us", "1"));
    let path = format!("/admin/v1/tenants/{}/move", acme.tenant.id);

    let refused = api.delete(&path).await.assert(409);
    assert_eq!(refused.code(), "state_conflict");
    assert!(refused.text.contains("nothing to take back"), "{}", refused.text);
    let begun = moving::begin(&movers, &acme, &to).await;
    moving::drive(&movers, begun, MoveStage::CutOver).await;
    let refused = api.delete(&path).await.assert(409);
    assert!(refused.text.contains("in its new home already, us/1"), "{}", refused.text);
}
