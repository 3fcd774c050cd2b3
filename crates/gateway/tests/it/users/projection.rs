//! `attributes` and `excludedAttributes` (RFC 7644 §3.9) on every operation that returns a resource.

use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use serde_json::{Value, json};

fn names(of: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The resource in the answer of each operation with this query.
async fn everywhere(acme: &TestTenant, number: usize, query: &str) -> Vec<Answer> {
    let name = format!("ada{number}");
    let body = json!({ "userName": name, "title": "Countess", "name": { "givenName": "Ada", "familyName": "L" },
                       "emails": [{ "value": "a@example.com", "type": "work" }] });
    let made = acme.post(&format!("/Users?{query}"), &body).await.assert(201);
    let path = format!("/Users/{}?{query}", made.id());
    let patch = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    vec![
        acme.get(&path).await.assert(200),
        acme.patch(&path, &patch).await.assert(200),
        acme.put(&path, &body).await.assert(200),
        made,
    ]
}

#[actix_web::test]
async fn only_what_is_asked_for_is_returned_and_id_and_schemas_always() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (number, (query, expected)) in [
        ("attributes=userName", vec!["id", "schemas", "userName"]),
        ("attributes=USERNAME,Title", vec!["id", "schemas", "title", "userName"]),
        ("attributes=name.givenName", vec!["id", "name", "schemas"]),
        (
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName",
            vec!["id", "schemas", "userName"],
        ),
        ("attributes=nonsense", vec!["id", "schemas"]),
        ("excludedAttributes=meta,emails,name,active", vec!["id", "schemas", "title", "userName"]),
        (
            "excludedAttributes=id,schemas,meta,emails,name,active,title",
            vec!["id", "schemas", "userName"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for answer in everywhere(&acme, number, query).await {
            assert_eq!(names(&answer.body), expected, "{query}");
            if query.contains("givenName") {
                assert_eq!(answer.body["name"], json!({ "givenName": "Ada" }));
            }
        }
        let list = acme.get(&format!("/Users?{query}")).await.assert(200);
        for one in list.body["Resources"].as_array().unwrap() {
            assert_eq!(names(one), expected, "{query}");
        }
    }
}

#[actix_web::test]
async fn both_parameters_at_once_are_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    for path in ["/Users".to_owned(), format!("/Users/{id}"), "/Groups".to_owned()] {
        let answer = acme.get(&format!("{path}?attributes=userName&excludedAttributes=meta")).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.body["scimType"], "invalidValue");
    }
}

#[actix_web::test]
async fn the_members_of_a_group_can_be_left_out_of_every_answer() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let body = json!({ "displayName": "Crew", "members": [{ "value": ada }] });
    let made = acme.post("/Groups?excludedAttributes=members", &body).await.assert(201);
    assert_eq!(made.body["members"], Value::Null);
    let path = format!("/Groups/{}", made.id());
    for query in
        ["excludedAttributes=members", "attributes=displayName", "excludedAttributes=Members"]
    {
        assert_eq!(
            acme.get(&format!("{path}?{query}")).await.assert(200).body["members"],
            Value::Null
        );
        let list = acme.get(&format!("/Groups?{query}")).await.assert(200);
        assert_eq!(list.body["Resources"][0]["members"], Value::Null);
        assert_eq!(list.body["Resources"][0]["displayName"], "Crew");
        let patch = json!([{ "op": "replace", "path": "externalId", "value": query }]);
        let patched = acme.patch(&format!("{path}?{query}"), &patch).await.assert(200);
        assert_eq!(patched.body["members"], Value::Null);
        let put = acme.put(&format!("{path}?{query}"), &body).await.assert(200);
        assert_eq!(put.body["members"], Value::Null);
    }
    let only = acme.get(&format!("{path}?attributes=members.value")).await.assert(200);
    assert_eq!(only.body["members"], json!([{ "value": ada }]));
    assert_eq!(acme.members(&made.id()).await, [ada]);
}

#[actix_web::test]
async fn names_in_several_parameters_are_one_list() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let body = json!({ "userName": "ada", "title": "Countess", "nickName": "A", "active": true });
    let id = acme.user_with(&body).await;
    let query = "attributes=userName&Attributes=title,nickName&attributes=";
    let one = acme.get(&format!("/Users/{id}?{query}")).await.assert(200);
    assert_eq!(names(&one.body), ["id", "nickName", "schemas", "title", "userName"]);
    let listed = acme.get(&format!("/Users?{query}&count=1")).await.assert(200);
    assert_eq!(names(&listed.body["Resources"][0]), names(&one.body));
    let query = "excludedAttributes=title&excludedAttributes=nickName&excludedAttributes=meta";
    let one = acme.get(&format!("/Users/{id}?{query}")).await.assert(200);
    assert_eq!(names(&one.body), ["active", "id", "schemas", "userName"]);
}
