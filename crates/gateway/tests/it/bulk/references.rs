//! References by bulkId, in any order and in circles (RFC 7644 §3.7.1 and §3.7.2).

use super::{bulk, made, operations, refusal, statuses, user};
use crate::support::TestGateway;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> =
        members.iter().map(|name| json!({ "value": format!("bulkId:{name}") })).collect();
    let data = json!({ "displayName": format!("Group {bulk_id}"), "members": members });
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data })
}

fn led(bulk_id: &str, name: &str, manager: &str) -> Value {
    let mut one = user(bulk_id, name);
    one["data"][ENTERPRISE] = json!({ "manager": { "value": format!("bulkId:{manager}") } });
    one
}

#[actix_web::test]
async fn a_group_has_the_members_that_are_made_with_it_in_any_order() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (number, order) in [[0, 1, 2], [2, 1, 0], [1, 2, 0]].into_iter().enumerate() {
        let (one, two) = (format!("alice{number}"), format!("bob{number}"));
        let mut all = [user("a", &one), user("b", &two), group("g", &["a", "b"])];
        all[2]["data"]["displayName"] = json!(format!("Tour {number}"));
        let sent: Vec<&Value> = order.iter().map(|index| &all[*index]).collect();

        let answer = bulk(&acme, &json!(sent)).await;

        assert_eq!(statuses(&answer), ["201", "201", "201"]);
        let names: Vec<_> = operations(&answer).iter().map(|one| &one["bulkId"]).collect();
        let expected: Vec<_> = sent.iter().map(|one| &one["bulkId"]).collect();
        assert_eq!(names, expected);
        let of = |wanted| made(&answer, order.iter().position(|index| *index == wanted).unwrap());
        let mut members = [of(0), of(1)];
        members.sort_unstable();
        assert_eq!(acme.members(&of(2)).await, members);
    }
}

#[actix_web::test]
async fn a_path_may_name_what_is_made() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let patch = |path: &str, operations: Value| json!({ "method": "PATCH", "path": path, "data": { "Operations": operations } });
    let remove = json!([{ "op": "remove", "path": "members[value eq \"bulkId:u\"]" }]);
    let answer = bulk(
        &acme,
        &json!([
            patch("/Groups/bulkId:g", remove),
            patch("/Users/bulkId:u", json!([{ "op": "add", "path": "title", "value": "x" }])),
            group("g", &["u", "v"]),
            user("u", "ada"),
            user("v", "bob"),
            { "method": "DELETE", "path": "/Users/bulkId:v" },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["204", "200", "201", "201", "201", "204"]);
    assert_eq!(made(&answer, 1), made(&answer, 3));
    let ada = acme.get(&format!("/Users/{}", made(&answer, 3))).await.assert(200);
    assert_eq!(ada.body["title"], "x");
    assert!(acme.members(&made(&answer, 2)).await.is_empty());
}

#[actix_web::test]
async fn people_may_be_each_others_managers() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let sent = json!([
        group("g", &["a"]),
        led("a", "ada", "b"),
        led("b", "bob", "c"),
        led("c", "cy", "a"),
        led("d", "di", "d"),
    ]);
    let answer = bulk(&acme, &sent).await;
    assert_eq!(statuses(&answer), ["201"; 5]);
    for (one, manager) in [(1, 2), (2, 3), (3, 1), (4, 4)] {
        let body = acme.get(&format!("/Users/{}", made(&answer, one))).await.assert(200).body;
        assert_eq!(body[ENTERPRISE]["manager"]["value"], made(&answer, manager));
    }
    assert_eq!(acme.members(&made(&answer, 0)).await, [made(&answer, 1)]);
}

#[actix_web::test]
async fn when_one_of_a_circle_fails_none_of_it_stays() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("bob").await;
    let sent =
        json!([group("g", &["a"]), led("a", "ada", "b"), led("b", "BOB", "a"), user("x", "xi"),]);
    let answer = bulk(&acme, &sent).await;
    assert_eq!(statuses(&answer), ["409", "409", "409", "201"]);
    assert_eq!(refusal(&answer, 2).0, "user_name_taken");
    let (reason, text) = refusal(&answer, 1);
    assert_eq!(reason, "bulk_reference_failed");
    assert!(text.contains("bulkId b"), "{text}");
    assert_eq!(refusal(&answer, 0).0, "bulk_reference_failed");
    assert_eq!(operations(&answer)[1].get("location"), None);
    assert_eq!(acme.find("/Users", "userName eq \"ada\"").await.total(), 0);
    assert_eq!(acme.get("/Groups").await.total(), 0);
    // The name is free.
    acme.user("ada").await;
}

#[actix_web::test]
async fn groups_in_each_other_are_409_and_a_chain_of_them_is_made() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let answer = bulk(
        &acme,
        &json!([group("a", &["b"]), group("b", &["a"]), group("c", &["a"]), user("u", "ada")]),
    )
    .await;
    assert_eq!(statuses(&answer), ["409", "409", "409", "201"]);
    assert_eq!(refusal(&answer, 0).0, "bulk_reference_failed");
    assert_eq!(acme.get("/Groups").await.total(), 0);
    let answer =
        bulk(&acme, &json!([group("c", &["d"]), group("d", &["e"]), group("e", &[])])).await;
    assert_eq!(statuses(&answer), ["201", "201", "201"]);
    assert_eq!(acme.members(&made(&answer, 0)).await, [made(&answer, 1)]);
    // A group in itself is refused as it is outside of a bulk request.
    let answer = bulk(&acme, &json!([group("f", &["f"])])).await;
    assert_eq!(statuses(&answer), ["400"]);
}

#[actix_web::test]
async fn what_names_a_failed_or_unknown_operation_fails() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    let answer = bulk(
        &acme,
        &json!([
            user("a", "ada"),
            group("g", &["a"]),
            { "method": "DELETE", "path": "/Users/bulkId:a" },
            group("h", &["nobody"]),
            { "method": "DELETE", "path": "/Users/bulkId:nobody" },
            user("twice", "one"),
            user("twice", "two"),
            group("i", &["twice"]),
            { "method": "POST", "path": "/Users", "data": { "userName": "three" } },
        ]),
    )
    .await;
    let expected = ["409", "409", "409", "400", "400", "400", "400", "400", "400"];
    assert_eq!(statuses(&answer), expected);
    assert_eq!(refusal(&answer, 1).0, "bulk_reference_failed");
    assert_eq!(operations(&answer)[2]["location"], format!("{}/Users/bulkId:a", acme.base_url));
    assert!(refusal(&answer, 3).1.contains("nobody"));
    assert_eq!((acme.get("/Users").await.total(), acme.get("/Groups").await.total()), (1, 0));
}

#[actix_web::test]
async fn a_text_that_begins_like_a_reference_is_a_text() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (mut one, mut two) = (user("1", "ada"), user("2", "bob"));
    one["data"]["displayName"] = json!("bulkId: our tool");
    one["data"]["title"] = json!("bulkId:2");
    two["data"]["password"] = json!("bulkId:secret");

    let answer = bulk(&acme, &json!([one, two])).await;

    assert_eq!(statuses(&answer), ["201", "201"]);
    let ada = acme.get(&format!("/Users/{}", made(&answer, 0))).await.assert(200);
    assert_eq!(ada.body["displayName"], "bulkId: our tool");
    assert_eq!(ada.body["title"], "bulkId:2");
    let said = format!("{} {:?}", answer.text, acme.decisions().await);
    assert!(!said.contains("secret"), "{said}");
}
