//! Many operations in one request (RFC 7644 §3.7).

use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use serde_json::{Value, json};
use tenant_registry::Scopes;

mod hostile;
mod references;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

pub(super) async fn bulk(tenant: &TestTenant, operations: &Value) -> Answer {
    send(tenant, &json!({ "schemas": [BULK_REQUEST], "Operations": operations })).await
}

pub(super) async fn send(tenant: &TestTenant, body: &Value) -> Answer {
    tenant.post("/Bulk", body).await
}

/// The status of each operation.
#[track_caller]
pub(super) fn statuses(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    operations(answer).iter().map(|one| one["status"].as_str().unwrap()).collect()
}

pub(super) fn operations(answer: &Answer) -> &Vec<Value> {
    answer.body["Operations"].as_array().unwrap()
}

/// The id at the end of an operation's location.
pub(super) fn made(answer: &Answer, index: usize) -> String {
    let location = operations(answer)[index]["location"].as_str().unwrap();
    location.rsplit('/').next().unwrap().to_owned()
}

/// The reason code and the sentence of an operation's refusal.
pub(super) fn refusal(answer: &Answer, index: usize) -> (String, String) {
    let detail = operations(answer)[index]["response"]["detail"].as_str().unwrap();
    let (sentence, rest) = detail.split_once(" (reason ").unwrap();
    (rest.split(',').next().unwrap().to_owned(), sentence.to_owned())
}

pub(super) fn user(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": name } })
}

#[actix_web::test]
async fn every_method_is_done_and_answered_in_order() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (bob, eve) = (acme.user("bob").await, acme.user("eve").await);
    let crew = acme.group("Crew", &[]).await;

    // RFC 7644 §3.7.3: a POST, a PUT, a PATCH and a DELETE.
    let operations_sent = json!([
        {
            "method": "POST", "path": "/Users", "bulkId": "qwerty",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "Alice",
            },
        },
        {
            "method": "PUT", "path": format!("/Users/{bob}"), "version": "W/\"1\"",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "Bob",
            },
        },
        {
            "method": "PATCH", "path": format!("/Groups/{crew}"), "version": "W/\"1\"",
            "data": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "add", "path": "members", "value": [{ "value": bob }] }],
            },
        },
        { "method": "DELETE", "path": format!("/Users/{eve}"), "version": "W/\"1\"" },
    ]);
    let answer = bulk(&acme, &operations_sent).await;

    assert_eq!(statuses(&answer), ["201", "200", "204", "204"]);
    let alice = made(&answer, 0);
    let base = &acme.base_url;
    let expected = json!([
        {
            "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"", "status": "201",
            "location": format!("{base}/Users/{alice}"),
        },
        {
            "method": "PUT", "version": "W/\"2\"", "status": "200",
            "location": format!("{base}/Users/{bob}"),
        },
        {
            "method": "PATCH", "version": "W/\"2\"", "status": "204",
            "location": format!("{base}/Groups/{crew}"),
        },
        { "method": "DELETE", "status": "204", "location": format!("{base}/Users/{eve}") },
    ]);
    assert_eq!(answer.body["Operations"], expected);
    assert_eq!(acme.get(&format!("/Users/{alice}")).await.assert(200).body["userName"], "Alice");
    assert_eq!(acme.get(&format!("/Users/{bob}")).await.assert(200).body["userName"], "Bob");
    assert_eq!(acme.members(&crew).await, [bob]);
    acme.get(&format!("/Users/{eve}")).await.assert(404);
}

#[actix_web::test]
async fn an_operation_that_fails_spoils_no_other() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let base = &acme.base_url;

    let answer = bulk(
        &acme,
        &json!([
            user("1", "ADA"),
            { "method": "PUT", "path": format!("/Users/{ada}"), "version": "W/\"7\"", "data": { "userName": "x" } },
            { "method": "DELETE", "path": "/Users/nobody" },
            { "method": "PATCH", "path": format!("/Users/{ada}"), "data": { "Operations": [{ "op": "replace", "path": "nosuch", "value": 1 }] } },
            { "method": "POST", "path": "/Groups", "bulkId": "2", "data": {} },
            user("3", "bob"),
        ]),
    )
    .await;

    assert_eq!(statuses(&answer), ["409", "412", "404", "400", "400", "201"]);
    for (index, reason, location) in [
        (0, "user_name_taken", None),
        (1, "version_mismatch", Some(format!("{base}/Users/{ada}"))),
        (2, "not_found", Some(format!("{base}/Users/nobody"))),
        (3, "path_invalid", Some(format!("{base}/Users/{ada}"))),
        (4, "attribute_missing", None),
    ] {
        let operation = &operations(&answer)[index];
        assert_eq!(refusal(&answer, index).0, reason);
        assert_eq!(operation["location"].as_str(), location.as_deref(), "{operation}");
        assert_eq!(operation["response"]["status"], operation["status"]);
        assert_eq!(
            operation["response"]["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
    }
    assert_eq!(operations(&answer)[0]["response"]["scimType"], "uniqueness");
    assert_eq!(acme.get("/Users").await.total(), 2);
}

#[actix_web::test]
async fn after_so_many_errors_the_rest_is_not_tried() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    let operations = json!([
        user("1", "one"),
        user("2", "ada"),
        user("3", "two"),
        user("4", "ada"),
        user("5", "three")
    ]);
    for (limit, expected) in [
        (json!(1), vec!["201", "409"]),
        (json!(2), vec!["409", "409"]),
        (json!(3), vec!["409", "409", "201", "409"]),
        (json!(4), vec!["409", "409", "409", "409"]),
        (json!(0), vec!["409", "409", "409", "409", "201"]),
        (json!(null), vec!["409", "409", "409", "409", "409"]),
    ] {
        let body =
            json!({ "schemas": [BULK_REQUEST], "failOnErrors": limit, "Operations": operations });
        assert_eq!(statuses(&send(&acme, &body).await), expected, "{limit}");
    }
    for limit in [json!(-1), json!("1"), json!(1.5)] {
        let body = json!({ "failOnErrors": limit, "Operations": [] });
        send(&acme, &body).await.refused(400, "attribute_invalid", Some("invalidValue"));
    }
}

#[actix_web::test]
async fn each_operation_has_a_decision_that_tells_its_place() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    bulk(&acme, &json!([user("1", "Ada"), user("2", "ada"), { "method": "GET" }]))
        .await
        .assert(200);
    let rows = acme.decisions_until(4).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let place = row.detail.split(". ").next().unwrap().trim_end_matches('.');
            format!("{} {} {} {} / {place}", row.operation, row.outcome, row.reason, row.status)
        })
        .collect();
    assert_eq!(
        told,
        [
            "user.create done user_created 201 / Bulk operation 1 of 3",
            "user.create refused user_name_taken 409 / Bulk operation 2 of 3",
            "bulk.operation refused syntax_invalid 400 / Bulk operation 3 of 3",
            "bulk done bulk_processed 200 / 3 operations, 2 refused",
        ]
    );
    assert!(rows.iter().all(|row| row.request_id == rows[0].request_id));
    assert!(rows[0].subject.as_deref() == Some("Ada"));
}

#[actix_web::test]
async fn scopes_and_group_push_hold_for_each_operation() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.groups = false).await;
    let ada = acme.user("ada").await;
    let narrow = gateway.with_scopes(&acme, Scopes::parse("create,deactivate").unwrap()).await;
    let patch = |name: &str, value: Value| {
        json!({ "method": "PATCH", "path": format!("/Users/{ada}"),
                "data": { "Operations": [{ "op": "replace", "path": name, "value": value }] } })
    };
    let answer = bulk(
        &narrow,
        &json!([
            user("1", "bob"),
            patch("title", json!("x")),
            patch("active", json!(false)),
            { "method": "DELETE", "path": format!("/Users/{ada}") },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "Crew" } },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["201", "403", "200", "403", "403"]);
    assert_eq!(refusal(&answer, 1).0, "scope_missing");
    assert_eq!(refusal(&answer, 4).0, "group_push_off");
}

#[actix_web::test]
async fn seats_are_taken_one_by_one() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(2)).await;
    let operations: Vec<Value> = (0..4).map(|n| user(&n.to_string(), &format!("u{n}"))).collect();
    let answer = bulk(&acme, &json!(operations)).await;
    assert_eq!(statuses(&answer), ["201", "201", "403", "403"]);
}

#[actix_web::test]
async fn what_time_does_not_suffice_for_is_answered_as_not_begun() {
    let settings = [("MUSTER__LIMITS__REQUEST_TIMEOUT", "300ms")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let operations: Vec<Value> =
        (0..1000).map(|n| user(&n.to_string(), &format!("u{n}"))).collect();
    let answer = bulk(&acme, &json!(operations)).await;
    let statuses = statuses(&answer);
    assert_eq!(statuses.len(), 1000);
    let done = statuses.iter().filter(|status| **status == "201").count();
    assert!(done > 0 && done < 1000, "{done}");
    assert!(statuses.iter().all(|status| ["201", "503"].contains(status)));
    assert_eq!(refusal(&answer, 999).0, "request_timeout");
    // One that was begun when the time ended may have been finished after it.
    let total = usize::try_from(acme.get("/Users?count=0").await.total()).unwrap();
    assert!(total == done || total == done + 1, "{total} users, {done} told");
}

#[actix_web::test]
async fn more_than_is_announced_is_413_and_names_the_limit() {
    let settings =
        [("MUSTER__LIMITS__BULK_OPERATIONS", "3"), ("MUSTER__LIMITS__BULK_PAYLOAD_BYTES", "2000")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let announced = acme.get("/ServiceProviderConfig").await.body["bulk"].clone();
    assert_eq!(announced, json!({ "supported": true, "maxOperations": 3, "maxPayloadSize": 2000 }));
    let four: Vec<Value> = (0..4).map(|n| user(&n.to_string(), &format!("u{n}"))).collect();
    let text = bulk(&acme, &json!(four)).await.refused(413, "body_too_large", None);
    assert!(text.contains("maxOperations (3)"), "{text}");
    let long = json!([user("1", &"x".repeat(2000))]);
    let text = bulk(&acme, &long).await.refused(413, "body_too_large", None);
    assert!(text.contains("2000") && text.contains("maxPayloadSize"), "{text}");
    assert_eq!(acme.get("/Users").await.total(), 0);
}

#[actix_web::test]
async fn without_operations_to_allow_there_is_no_bulk() {
    let settings = [("MUSTER__LIMITS__BULK_OPERATIONS", "0")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    assert_eq!(acme.get("/ServiceProviderConfig").await.body["bulk"]["supported"], false);
    bulk(&acme, &json!([])).await.refused(501, "not_implemented", None);
}
