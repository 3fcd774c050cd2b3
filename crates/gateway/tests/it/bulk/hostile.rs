//! What nobody should send.

use super::{bulk, made, operations, refusal, send, statuses, user};
use crate::support::TestGateway;
use serde_json::{Value, json};
use tenant_registry::RateLimit;

#[actix_web::test]
async fn a_body_that_is_no_bulk_request_is_refused_whole() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for body in [json!({}), json!({ "Operations": {} }), json!({ "Operations": "x" })] {
        send(&acme, &body).await.refused(400, "syntax_invalid", Some("invalidSyntax"));
    }
    assert!(statuses(&bulk(&acme, &json!([])).await).is_empty());
    let many: Vec<Value> = (0..10_000).map(|n| json!({ "bulkId": n.to_string() })).collect();
    bulk(&acme, &json!(many)).await.refused(413, "body_too_large", None);
    let deep = format!("{{\"Operations\":[{}", "[".repeat(100_000));
    let answer = acme.call("POST", "/Bulk").header("content-type", "application/json").body(deep);
    answer.send().await.refused(400, "attribute_invalid", Some("invalidValue"));
}

#[actix_web::test]
async fn an_operation_that_makes_no_sense_is_refused_alone() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let long: Vec<Value> = (0..10_001).map(|n| json!({ "value": n })).collect();
    let mut deep = json!("x");
    for _ in 0..55 {
        deep = json!([deep]);
    }
    let sent = json!([
        null,
        [],
        { "method": 7, "path": [] },
        { "method": "POST", "path": "/Users", "bulkId": { "x": 1 }, "data": {} },
        { "method": "POST", "path": "/Users/../Groups", "bulkId": "a", "data": {} },
        { "method": "DELETE", "path": "/Users/%2e%2e/x" },
        { "method": "DELETE", "path": "/Bulk/x" },
        { "method": "PUT", "path": "/Users/x", "data": [] },
        { "method": "POST", "path": "/Groups", "bulkId": "b", "data": { "displayName": "x", "members": long } },
        { "method": "POST", "path": "/Users", "bulkId": "c", "data": { "userName": "deep", "emails": deep } },
        { "method": "patch", "path": "Users/nobody/", "data": { "Operations": [] } },
        user("d", "fine"),
    ]);
    let answer = bulk(&acme, &sent).await;
    let expected =
        ["400", "400", "400", "400", "400", "404", "404", "400", "400", "400", "404", "201"];
    assert_eq!(statuses(&answer), expected);
    assert_eq!(operations(&answer)[10]["method"], "PATCH");
    assert!(refusal(&answer, 8).1.contains("10001"));
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn a_text_that_only_resembles_a_reference_stays_as_it_is() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let data = json!({
        "userName": "ada", "title": "bulkId:", "nickName": "see bulkId:a", "displayName": "BULKID:a",
        "externalId": "bulkId:a",
    });
    let sent = json!([{ "method": "POST", "path": "/Users", "bulkId": "a", "data": data }]);
    let answer = bulk(&acme, &sent).await;
    assert_eq!(statuses(&answer), ["201"]);
    let id = made(&answer, 0);
    let body = acme.get(&format!("/Users/{id}")).await.body;
    assert_eq!(body["title"], "bulkId:");
    assert_eq!(body["nickName"], "see bulkId:a");
    assert_eq!(body["displayName"], "BULKID:a");
    // RFC 7644 §3.7.2 has references to resources; this is an id of somebody else's.
    assert_eq!(body["externalId"], "bulkId:a");
}

#[actix_web::test]
async fn another_tenants_resources_are_404_in_bulk_too() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    let ada = acme.user("ada").await;
    let answer = bulk(
        &other,
        &json!([
            { "method": "DELETE", "path": format!("/Users/{ada}") },
            { "method": "PUT", "path": format!("/Users/{ada}"), "data": { "userName": "x" } },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "x", "members": [{ "value": ada }] } },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["404", "404", "400"]);
    acme.get(&format!("/Users/{ada}")).await.assert(200);
}

#[actix_web::test]
async fn a_thousand_creates_hold_up_nobody_else() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.rate_limit = RateLimit::Off).await;
    let operations: Vec<Value> =
        (0..1000).map(|n| user(&n.to_string(), &format!("u{n}"))).collect();
    let operations = json!(operations);
    let many = bulk(&acme, &operations);
    let others = async {
        for n in 0..20 {
            let begun = std::time::Instant::now();
            acme.user(&format!("other{n}")).await;
            assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    };
    let (answer, ()) = tokio::join!(many, others);
    assert_eq!(statuses(&answer), vec!["201"; 1000]);
    assert_eq!(acme.get("/Users?count=0").await.total(), 1020);
}
