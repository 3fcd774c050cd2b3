//! Work besides requests, at a time that the test gives; on two nodes at once.

use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, by, until};
use directory::{DecisionQuery, DecisionRow, Scoped};
use gateway::jobs::switch::{self, Told};
use gateway::jobs::{expiry, purge};
use region_router::Population;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{AuditQuery, NewClient, NewCredential, RegistryError, TenantState};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_hours(24);

fn now() -> OffsetDateTime {
    by().now
}

/// The actions in a tenant's audit, oldest first, that begin so.
async fn audit(tenant: &TestTenant, prefix: &str) -> Vec<String> {
    let query =
        AuditQuery { tenant: Some(tenant.tenant.id.clone()), limit: 100, ..AuditQuery::default() };
    let mut entries = tenant.state.registry.audit_page(&query).await.unwrap();
    entries.reverse();
    let actions = entries.into_iter().map(|entry| format!("{} by {}", entry.action, entry.actor));
    actions.filter(|action| action.starts_with(prefix)).collect()
}

async fn log(scoped: &Scoped, reason: &'static str) -> Vec<DecisionRow> {
    let query = DecisionQuery { reasons: vec![reason], limit: 100, ..DecisionQuery::default() };
    scoped.decisions_page(&query).await.unwrap()
}

#[actix_web::test]
async fn a_closed_tenant_is_purged_when_its_time_is_over_and_not_before() {
    let gateway = TestGateway::start().await;
    let (acme, other) = (gateway.tenant("acme").await, gateway.tenant("other").await);
    let ada = acme.user("ada").await;
    acme.group("Crew", &[&ada]).await;
    other.user("bob").await;
    gateway.set_state(&acme, TenantState::Closed).await;
    let directory = gateway.state.directories.of(&acme.tenant).unwrap();
    let registry = &gateway.state.registry;

    purge::purge(&gateway.state, now() + 29 * DAY).await;
    assert_eq!(acme.scoped().tally().await.unwrap().users, 1);
    assert_eq!(registry.manifest(&acme.tenant.id).await.unwrap(), None);

    let node = gateway.other_node(&acme).await;
    let later = now() + 31 * DAY;
    tokio::join!(purge::purge(&gateway.state, later), purge::purge(&node.state, later));

    let left = directory.residency(&acme.tenant).await.unwrap();
    let left: Vec<_> = left.tables.into_iter().filter(|(_, rows)| *rows > 0).collect();
    assert_eq!(left, [("tenants", 2)], "the fence stays");
    let manifest = registry.manifest(&acme.tenant.id).await.unwrap().unwrap();
    assert_eq!(manifest.region, acme.tenant.region);
    let rows = |table: &str| manifest.tables[table];
    assert_eq!((rows("users"), rows("groups"), rows("members")), (1, 1, 1));
    assert_eq!((rows("changes"), rows("tenants")), (2, 0));
    let tenant = registry.find_tenant("acme").await.unwrap().unwrap();
    assert_eq!(tenant.state, TenantState::Purged);
    assert_eq!(audit(&acme, "tenant.purge").await, ["tenant.purge by system purge"]);
    // The node that did not write the proof hears of it a little later.
    until("the end of the token", async || (acme.get("/Users").await.status == 401).then_some(()))
        .await;
    // A third run finds nothing to do, and its neighbour nothing missing.
    purge::purge(&gateway.state, later).await;
    assert_eq!(registry.manifest(&acme.tenant.id).await.unwrap().unwrap(), manifest);
    assert_eq!(other.scoped().tally().await.unwrap().users, 1);
    other.get("/Users").await.assert(200);
}

#[actix_web::test]
async fn a_tenant_that_was_opened_again_keeps_everything() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    gateway.set_state(&acme, TenantState::Closed).await;
    gateway.set_state(&acme, TenantState::Active).await;

    purge::purge(&gateway.state, now() + 100 * DAY).await;

    assert_eq!(acme.scoped().tally().await.unwrap().users, 1);
    acme.user("bob").await;
}

#[actix_web::test]
async fn a_purge_that_was_cut_off_goes_on_and_the_tenant_is_not_resumed() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    gateway.set_state(&acme, TenantState::Closed).await;
    let (registry, id) = (&gateway.state.registry, &acme.tenant.id);
    let soon = now() + Duration::from_mins(1);
    // A process that ends here.
    let begun = registry.begin_purge(id, soon, &by()).await.unwrap().commit().await.unwrap();
    gateway.state.directories.of(&begun).unwrap().purge_all(&Arc::new(begun)).await.unwrap();

    let refused = registry.set_state(id, TenantState::Active, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::StateConflict { .. }), "{refused:?}");
    acme.get("/Users").await.assert(401);
    // It goes on at once, though closed tenants are kept for 30 days.
    purge::purge(&gateway.state, soon).await;
    let tenant = registry.find_tenant("acme").await.unwrap().unwrap();
    assert_eq!(tenant.state, TenantState::Purged);
    let manifest = registry.manifest(id).await.unwrap().unwrap();
    assert_eq!(manifest.tables["users"], 1, "what the first part deleted counts");
    let said = audit(&acme, "tenant.").await;
    let said: Vec<&str> = said.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(said, ["tenant.purge by system purge", "tenant.begin_purge by cli"]);
}

#[actix_web::test]
async fn the_end_of_a_token_is_announced_once_at_each_level_by_many_nodes() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let node = gateway.other_node(&acme).await;
    let start = now();
    let new = NewCredential::new("SCIM", 40 * DAY);
    let long = gateway.with_credential(&acme, &new).await;

    // Every hour of the last days would be much; a few times around each level will do.
    for day in [5, 9, 11, 12, 20, 25, 27, 32, 34, 38, 39] {
        let at = start + day * DAY + Duration::from_hours(1);
        tokio::join!(expiry::warn(&gateway.state, at), expiry::warn(&node.state, at));
        expiry::warn(&gateway.state, at).await;
    }

    let rows = log(&acme.scoped(), "token_expiring").await;
    let rows: Vec<_> = rows.iter().filter(|row| row.key_id == long.key_id).collect();
    let within: Vec<&str> = rows
        .iter()
        .map(|row| row.detail.split("within ").nth(1).unwrap().split('.').next().unwrap())
        .collect();
    assert_eq!(within, ["a day", "7 days", "14 days", "30 days"]);
    assert!(rows.iter().all(|row| row.operation == "token.expiring" && row.outcome == "noted"));
    assert!(rows[0].detail.starts_with("The token \"SCIM\" (mst_us_pf_"), "{}", rows[0].detail);
    let announced = audit(&acme, "credential.expiring").await;
    assert_eq!(announced, vec!["credential.expiring by system expiry"; 4]);
}

#[actix_web::test]
async fn the_end_of_a_clients_secret_is_announced_once_at_each_level_by_many_nodes() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let node = gateway.other_node(&acme).await;
    let (start, registry) = (now(), &gateway.state.registry);
    let new = NewClient { secret: Some(40 * DAY), ..NewClient::new("Entra") };
    let made = registry.create_client(&acme.tenant.id, &new, &by()).await.unwrap();
    let client = made.commit().await.unwrap().client;

    for day in [5, 11, 20, 27, 34, 39] {
        let at = start + day * DAY + Duration::from_hours(1);
        tokio::join!(expiry::warn(&gateway.state, at), expiry::warn(&node.state, at));
        expiry::warn(&gateway.state, at).await;
    }

    let rows = log(&acme.scoped(), "token_expiring").await;
    let rows: Vec<_> = rows.iter().filter(|row| row.key_id == client.client_id).collect();
    let within: Vec<&str> = rows
        .iter()
        .map(|row| row.detail.split("within ").nth(1).unwrap().split('.').next().unwrap())
        .collect();
    assert_eq!(within, ["a day", "7 days", "14 days", "30 days"]);
    assert!(rows.iter().all(|row| row.operation == "secret.expiring" && row.outcome == "noted"));
    let text = &rows[0].detail;
    assert!(text.starts_with("The secret of the OAuth client \"Entra\" (mcs_us_pf_"), "{text}");
    let announced = audit(&acme, "oauth_secret.expiring").await;
    assert_eq!(announced, vec!["oauth_secret.expiring by system expiry"; 4]);
}

#[actix_web::test]
async fn whoever_is_left_behind_by_a_switch_is_deactivated_and_then_it_ends() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(300)).await;
    for number in 0..3 {
        acme.user(&format!("user{number}")).await;
    }
    acme.user_with(&json!({ "userName": "gone", "active": false })).await;
    let id = &acme.tenant.id;
    let registry = &gateway.state.registry;
    let step = async |what: &str| {
        let by = by();
        let pending = match what {
            "freeze" => registry.freeze_switch(id, Population::Board, &by).await,
            "cut" => registry.cut_over(id, DAY, &by).await,
            _ => registry.finish_switch(id, &by).await,
        };
        pending.unwrap().commit().await.unwrap()
    };
    step("freeze").await;
    step("cut").await;
    let told = Told::default();
    let later = now() + Duration::from_mins(1);
    assert!(switch::finish(&gateway.state, &told, later).await, "there is nothing to do yet");
    let left = acme.scoped();
    assert_eq!(left.tally().await.unwrap().active, 3);

    let finishing = Arc::new(step("finish").await);
    let node = gateway.other_node(&acme).await;
    let is_done = switch::finish(&gateway.state, &told, now()).await;
    assert!(!is_done, "another node may not have heard of it yet");
    assert_eq!(left.tally().await.unwrap().active, 3);
    tokio::join!(
        switch::finish(&gateway.state, &told, later),
        switch::finish(&node.state, &told, later)
    );
    assert!(switch::finish(&gateway.state, &told, later).await);

    let tally = left.tally().await.unwrap();
    assert_eq!((tally.users, tally.active), (4, 0));
    let tenant = registry.find_tenant("acme").await.unwrap().unwrap();
    assert_eq!((tenant.population, tenant.switch), (Population::Board, None));
    assert_eq!(audit(&acme, "switch.end").await, ["switch.end by system switch"]);
    let rows = log(&left, "user_deactivated").await;
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.key_id == "system:switch"));
    let board = gateway.state.directories.of(&finishing).unwrap().within(&finishing);
    assert_eq!(board.population(), Population::Board);
    assert_eq!(board.tally().await.unwrap().users, 0);
}
