//! What keeps a caller out whose token is good.

use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, by};
use region_router::Population;
use serde_json::json;
use std::time::Duration;
use tenant_registry::{Networks, NewCredential, NewPlan, Scopes, TenantChange, TenantState};

/// The same tenant with a token that is bound to networks.
async fn bound(gateway: &TestGateway, tenant: &TestTenant, networks: &str) -> TestTenant {
    let networks = Networks::parse(networks).unwrap();
    let new = NewCredential { networks, ..NewCredential::new("Okta", Duration::from_secs(3_600)) };
    gateway.with_credential(tenant, &new).await
}

#[actix_web::test]
async fn a_token_that_is_bound_to_networks_is_refused_from_elsewhere() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let here = bound(&gateway, &acme, "127.0.0.0/8").await;
    let elsewhere = bound(&gateway, &acme, "203.0.113.0/24,2001:db8::/32").await;

    here.get("/Users").await.assert(200);
    let answer = elsewhere.post("/Users", &json!({ "userName": "ada" })).await;

    answer.refused(403, "network_not_allowed", None);
    assert!(answer.text.contains("127.0.0.1"), "{}", answer.text);
    assert!(!answer.text.contains("203.0.113"), "{}", answer.text);
    let rows = acme.decisions_until(2).await;
    let row = rows.iter().find(|row| row.reason == "network_not_allowed").unwrap();
    assert_eq!(row.key_id, elsewhere.key_id);
    // A client that nobody has asked for its opinion gives one in vain.
    let answer = elsewhere.call("GET", "/Users").header("x-forwarded-for", "203.0.113.7").send();
    answer.await.refused(403, "network_not_allowed", None);
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_address_is_the_one_that_it_names() {
    let settings = [("MUSTER__SERVER__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let bound = bound(&gateway, &acme, "203.0.113.0/24").await;

    for (forwarded, status) in [
        ("203.0.113.7", 200),
        ("192.0.2.1, 203.0.113.7:4711", 200),
        ("203.0.113.7, 10.1.2.3", 200),
        ("203.0.113.7, 192.0.2.1", 403),
        ("203.0.113.7, nonsense", 403),
        ("", 403),
    ] {
        let call = bound.call("GET", "/Users").header("x-forwarded-for", forwarded);
        assert_eq!(call.send().await.status, status, "{forwarded}");
    }
    let two = bound.call("GET", "/Users").header("x-forwarded-for", "203.0.113.7");
    two.header("x-forwarded-for", "10.1.2.3").send().await.assert(200);
}

#[actix_web::test]
async fn a_closed_tenant_is_told_so_and_a_purged_one_is_unknown() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;

    gateway.set_state(&acme, TenantState::Closed).await;
    acme.get("/Users").await.refused(403, "tenant_closed", None);
    acme.post("/Users", &json!({ "userName": "ada" })).await.refused(403, "tenant_closed", None);
    let rows = acme.decisions_until(2).await;
    assert!(rows.iter().all(|row| row.reason == "tenant_closed"));
}

#[actix_web::test]
async fn what_the_tenant_does_not_allow_is_refused_whatever_the_token_may() {
    let gateway = TestGateway::start().await;
    let acme = gateway
        .tenant_with("acme", |new| new.operations = Scopes::parse("read,create,users").unwrap())
        .await;

    let id = acme.user("ada").await;
    acme.get("/Users").await.assert(200);
    let deleted = acme.delete(&format!("/Users/{id}")).await;
    deleted.refused(403, "operation_not_allowed", None);
    assert!(deleted.text.contains("operations allowed"), "{}", deleted.text);
    let patch = json!([{ "op": "replace", "path": "active", "value": false }]);
    acme.patch(&format!("/Users/{id}"), &patch).await.refused(403, "operation_not_allowed", None);
    acme.get("/Groups").await.refused(403, "operation_not_allowed", None);
    let group = acme.post("/Groups", &json!({ "displayName": "Crew" })).await;
    group.refused(403, "operation_not_allowed", None);
}

#[actix_web::test]
async fn a_tenant_that_allows_deactivating_alone_takes_nothing_else() {
    let gateway = TestGateway::start().await;
    let acme = gateway
        .tenant_with("acme", |new| {
            new.operations = Scopes::parse("read,create,deactivate").unwrap();
        })
        .await;
    let id = acme.user("ada").await;

    let title = json!([{ "op": "replace", "path": "title", "value": "Countess" }]);
    acme.patch(&format!("/Users/{id}"), &title).await.refused(403, "operation_not_allowed", None);
    let active = json!([{ "op": "replace", "path": "active", "value": false }]);
    let answer = acme.patch(&format!("/Users/{id}"), &active).await.assert(200);
    assert_eq!(answer.body["active"], false);
}

#[actix_web::test]
async fn a_connection_that_is_switched_off_is_refused_and_says_so() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let off = TenantChange { provisioning: Some(false), ..TenantChange::default() };
    gateway.change(&acme, off).await;

    acme.get("/Users").await.refused(403, "provisioning_off", None);
    let answer = acme.post("/Users", &json!({ "userName": "ada" })).await;
    let detail = answer.refused(403, "provisioning_off", None);
    assert!(detail.contains("Nothing was changed"), "{detail}");
    let rows = acme.decisions_until(2).await;
    assert!(rows.iter().all(|row| row.reason == "provisioning_off"));

    let on = TenantChange { provisioning: Some(true), ..TenantChange::default() };
    gateway.change(&acme, on).await;
    assert_eq!(acme.get("/Users").await.assert(200).total(), 0);
}

#[actix_web::test]
async fn a_plan_without_directory_sync_is_refused_in_its_own_words_after_the_grace() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.plan = "free".to_owned()).await;
    let registry = &gateway.state.registry;
    let mut plan = NewPlan {
        name: "free".to_owned(),
        directory_sync: true,
        group_push: false,
        text: "Directory sync comes with Enterprise: see example.com/plans.".to_owned(),
        grace: Duration::from_secs(3_600),
    };
    registry.set_plan(&plan, &by()).await.unwrap().commit().await.unwrap();

    let id = acme.user("ada").await;
    let group = acme.post("/Groups", &json!({ "displayName": "Crew" })).await;
    let detail = group.refused(403, "plan_without_groups", None);
    assert!(detail.contains("example.com/plans"), "{detail}");

    plan.directory_sync = false;
    registry.set_plan(&plan, &by()).await.unwrap().commit().await.unwrap();
    acme.get(&format!("/Users/{id}")).await.assert(200);

    let other = gateway.tenant_with("other", |new| new.plan = "none".to_owned()).await;
    let none = NewPlan { name: "none".to_owned(), grace: Duration::ZERO, ..plan };
    registry.set_plan(&none, &by()).await.unwrap().commit().await.unwrap();
    let detail = other.get("/Users").await.refused(403, "plan_without_sync", None);
    assert!(detail.contains("example.com/plans"), "{detail}");
    let rows = other.decisions_until(1).await;
    assert_eq!(rows[0].reason, "plan_without_sync");
}

#[actix_web::test]
async fn while_a_tenant_changes_its_population_it_is_read_and_not_written() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    let registry = &gateway.state.registry;
    let tenant = &acme.tenant.id;
    let freeze = registry.freeze_switch(tenant, Population::Board, &by()).await.unwrap();
    freeze.commit().await.unwrap();

    acme.get("/Users").await.assert(200);
    let answer = acme.post("/Users", &json!({ "userName": "eve" })).await;
    answer.refused(503, "tenant_frozen", None);
    assert_eq!(answer.header("retry-after"), Some("60"));
    acme.delete(&format!("/Users/{id}")).await.refused(503, "tenant_frozen", None);
    let operation = json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [operation],
    });
    let answer = acme.post("/Bulk", &bulk).await.assert(200);
    assert_eq!(answer.body["Operations"][0]["status"], "503");
    let rows = acme.decisions().await;
    assert_eq!(rows.iter().filter(|row| row.reason == "tenant_frozen").count(), 3);

    registry.undo_switch(tenant, &by()).await.unwrap().commit().await.unwrap();
    acme.post("/Users", &json!({ "userName": "eve" })).await.assert(201);
    assert_eq!(acme.get("/Users").await.total(), 2);
}

#[actix_web::test]
async fn a_token_of_the_population_that_is_left_is_told_so_and_good_again_on_the_way_back() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let registry = &gateway.state.registry;
    let (tenant, hour) = (&acme.tenant.id, Duration::from_secs(3_600));
    let freeze = registry.freeze_switch(tenant, Population::Board, &by()).await.unwrap();
    freeze.commit().await.unwrap();
    registry.cut_over(tenant, hour, &by()).await.unwrap().commit().await.unwrap();

    let answer = acme.post("/Users", &json!({ "userName": "ada" })).await;
    let detail = answer.refused(403, "population_conflict", None);
    assert!(detail.contains("both_populations"), "{detail}");

    registry.undo_switch(tenant, &by()).await.unwrap().commit().await.unwrap();
    acme.post("/Users", &json!({ "userName": "ada" })).await.assert(201);
}
