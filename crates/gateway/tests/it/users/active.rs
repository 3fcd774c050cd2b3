//! Whether a person may use the product is always stored and answered (RFC 7643 §4.1.1).

use crate::quirks::set_strict;
use crate::support::TestGateway;
use serde_json::{Value, json};

/// The ways in which a PATCH takes `active` away.
fn removals() -> [Value; 5] {
    [
        json!([{ "op": "remove", "path": "active" }]),
        json!([{ "op": "replace", "path": "active", "value": null }]),
        json!([{ "op": "replace", "value": { "active": null } }]),
        json!([{ "op": "Replace", "path": "active", "value": "" }]),
        json!([{ "op": "remove", "path": "active" }, { "op": "add", "path": "title", "value": "x" }]),
    ]
}

#[actix_web::test]
async fn a_patch_that_takes_active_away_leaves_what_is_in_force_and_answers_it() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for active in [false, true] {
        for (number, removal) in removals().iter().enumerate() {
            let name = format!("ada-{active}-{number}");
            let id = acme.user_with(&json!({ "userName": name, "active": active })).await;
            let path = format!("/Users/{id}");

            let patched = acme.patch(&path, removal).await.assert(200);

            assert_eq!(patched.body["active"], active, "{removal}");
            assert_eq!(acme.get(&path).await.body["active"], active);
            let chosen = acme.get(&format!("{path}?attributes=active")).await;
            assert_eq!(chosen.body["active"], active);
            let filter = format!("userName eq \"{name}\" and active eq {active}");
            let found = acme.find("/Users", &filter).await;
            assert_eq!(found.body["Resources"][0]["active"], active);
            let replaced = acme.put(&path, &json!({ "userName": name, "title": "y" })).await;
            assert_eq!(replaced.assert(200).body["active"], active);
            // It is in the log that something was passed over.
            let rows = acme.decisions().await;
            let row = rows.iter().find(|row| {
                row.operation == "user.patch" && row.resource_id.as_deref() == Some(id.as_str())
            });
            assert!(row.unwrap().ignored.contains(&"active".to_owned()), "{removal}");
        }
    }
}

#[actix_web::test]
async fn a_strict_tenant_keeps_what_is_in_force_too() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user_with(&json!({ "userName": "ada", "active": false })).await;
    set_strict(&acme, "all").await;
    let path = format!("/Users/{id}");
    let [remove, null, ..] = removals();
    for removal in [remove, null] {
        assert_eq!(acme.patch(&path, &removal).await.assert(200).body["active"], false);
    }
}

#[actix_web::test]
async fn a_value_after_the_removal_is_the_one_that_counts() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user_with(&json!({ "userName": "ada", "active": false })).await;
    let both = json!([
        { "op": "remove", "path": "active" },
        { "op": "add", "path": "active", "value": true },
    ]);
    let patched = acme.patch(&format!("/Users/{id}"), &both).await.assert(200);
    assert_eq!(patched.body["active"], true);
    assert_eq!(patched.header("x-reason"), Some("user_reactivated"));
}
