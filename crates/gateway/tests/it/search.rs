//! Queries by POST, over everything, and in an order (RFC 7644 §3.4.2.1, §3.4.2.3, §3.4.3).

use crate::support::TestGateway;
use crate::support::tenant::{TestTenant, encoded};
use serde_json::{Value, json};
use tenant_registry::Scopes;

const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

async fn smiths(tenant: &TestTenant) {
    for (name, family) in [("bjensen", "Smith"), ("Ada", "Smithers"), ("carl", "Jones")] {
        tenant
            .user_with(&json!({
                "userName": name, "displayName": format!("{family} {name}"),
                "name": { "familyName": family },
            }))
            .await;
    }
    tenant.group("Smith Group", &[]).await;
    tenant.group("Other", &[]).await;
}

#[actix_web::test]
async fn a_search_is_the_same_query_as_a_get() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    smiths(&acme).await;
    let filter = "displayName sw \"smith\"";
    let body = json!({
        "schemas": [SEARCH_REQUEST], "attributes": ["displayName", "userName"],
        "filter": filter, "sortBy": "userName", "startIndex": 1, "count": 10,
    });
    for (path, names) in [("/Users", vec!["Ada", "bjensen"]), ("/Groups", vec!["null"])] {
        let mut body = body.clone();
        if path == "/Groups" {
            body["sortBy"] = json!("displayName");
        }
        let sort = body["sortBy"].as_str().unwrap().to_owned();
        let posted = acme.post(&format!("{path}/.search"), &body).await.assert(200);
        let query = format!(
            "{path}?filter={}&attributes=displayName,userName&sortBy={sort}&startIndex=1&count=10",
            encoded(filter)
        );
        assert_eq!(posted.body, acme.get(&query).await.body);
        assert_eq!(posted.total(), names.len() as u64);
        if path == "/Users" {
            assert_eq!(posted.each("userName"), names);
            assert_eq!(posted.body["Resources"][0].get("name"), None);
        }
    }
    let rows = acme.decisions_until(9).await;
    assert_eq!(rows.iter().filter(|row| row.operation == "user.list").count(), 2);
}

#[actix_web::test]
async fn a_search_over_everything_finds_users_and_groups() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    smiths(&acme).await;
    // The example of RFC 7644 §3.4.3.
    let body = json!({
        "schemas": [SEARCH_REQUEST], "attributes": ["displayName", "userName"],
        "filter": "displayName sw \"smith\"", "startIndex": 1, "count": 10,
    });
    let answer = acme.post("/.search", &body).await;
    assert_eq!(answer.total(), 3);
    let resources = answer.body["Resources"].as_array().unwrap();
    let schemas: Vec<&Value> = resources.iter().map(|one| &one["schemas"]).collect();
    assert_eq!(schemas.iter().filter(|one| ***one == json!([USER])).count(), 2);
    assert!(resources.iter().all(|one| one.get("meta").is_none() && one.get("id").is_some()));
    // RFC 7644 §3.4.2.1: what a type does not have is absent there.
    for (filter, count) in [
        ("userName pr", 3),
        ("userName sw \"a\" or displayName eq \"Other\"", 2),
        ("not (userName pr)", 2),
        ("meta.resourceType eq \"Group\"", 2),
        ("meta.resourceType eq \"User\" and name.familyName eq \"jones\"", 1),
        ("id pr", 5),
    ] {
        let answer = acme.get(&format!("?filter={}", encoded(filter))).await;
        assert_eq!(answer.total(), count, "{filter}: {}", answer.text);
    }
    acme.get(&format!("?filter={}", encoded("nosuch pr"))).await.refused(
        400,
        "filter_invalid",
        Some("invalidFilter"),
    );
    let sorted = acme.get("?sortBy=displayName&count=2&startIndex=2").await;
    assert_eq!(sorted.each("displayName"), ["Other", "Smith bjensen"]);
    assert_eq!(sorted.total(), 5);
}

#[actix_web::test]
async fn the_root_is_a_query_as_soon_as_something_is_asked() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    smiths(&acme).await;
    for query in ["", "?", "?aadOptscim062020", "/?x=y"] {
        let answer = acme.get(query).await.assert(200);
        assert_eq!(answer.body["tenant"], "acme Ltd", "{query}");
    }
    for query in ["?count=1", "?startIndex=1", "?attributes=userName", "?sortBy=id", "?cursor="] {
        let answer = acme.get(query).await.assert(200);
        assert!(answer.body["Resources"].is_array(), "{query}: {}", answer.text);
    }
    assert_eq!(acme.post("/.search", &json!({})).await.total(), 5);
    let mut seen = Vec::new();
    let mut next = Some(String::new());
    while let Some(cursor) = next {
        let page = acme.get(&format!("?count=2&sortBy=displayName&cursor={cursor}")).await;
        seen.extend(page.each("displayName"));
        next = page.body.get("nextCursor").map(|text| text.as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["Jones carl", "Other", "Smith bjensen", "Smith Group", "Smithers Ada"]);
}

#[actix_web::test]
async fn a_token_sees_in_everything_what_it_may_read() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    smiths(&acme).await;
    let total = async |scopes: &str| {
        let narrow = gateway.with_scopes(&acme, Scopes::parse(scopes).unwrap()).await;
        narrow.post("/.search", &json!({})).await
    };
    assert_eq!(total("read,users").await.total(), 3);
    assert_eq!(total("read,groups").await.total(), 2);
    total("create").await.refused(403, "scope_missing", None);
    let quiet = gateway.tenant_with("quiet", |new| new.groups = false).await;
    quiet.user("ada").await;
    assert_eq!(quiet.post("/.search", &json!({})).await.total(), 1);
}

#[actix_web::test]
async fn lists_are_sorted_as_the_rfc_says() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (name, title, emails) in [
        (
            "b",
            json!("beta"),
            json!([{ "value": "z@x.example" }, { "value": "a@x.example", "primary": true }]),
        ),
        ("A", json!("Alpha"), json!([{ "value": "m@x.example" }])),
        ("c", json!(null), json!([])),
    ] {
        acme.user_with(&json!({ "userName": name, "title": title, "emails": emails })).await;
    }
    for (query, expected) in [
        ("sortBy=userName", ["A", "b", "c"]),
        ("sortBy=USERNAME&sortOrder=descending", ["c", "b", "A"]),
        ("sortBy=title", ["A", "b", "c"]),
        ("sortBy=title&sortOrder=Descending", ["c", "b", "A"]),
        ("sortBy=emails", ["b", "A", "c"]),
        ("sortBy=emails.value&sortOrder=ascending", ["b", "A", "c"]),
        ("sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName", ["A", "b", "c"]),
        ("sortBy=meta.created&sortOrder=descending", ["c", "A", "b"]),
        // Without an attribute there is no order but that in which they were made.
        ("sortOrder=descending", ["b", "A", "c"]),
        ("sortBy=", ["b", "A", "c"]),
    ] {
        assert_eq!(
            acme.get(&format!("/Users?{query}")).await.each("userName"),
            expected,
            "{query}"
        );
    }
    for query in ["sortBy=nosuch", "sortBy=userName&sortOrder=up", "sortBy=name", "sortBy=%5B"] {
        let answer = acme.get(&format!("/Users?{query}")).await;
        answer.refused(400, "attribute_invalid", Some("invalidValue"));
    }
}

#[actix_web::test]
async fn a_search_that_makes_no_sense_is_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (body, scim_type) in [
        (json!({ "filter": 7 }), "invalidFilter"),
        (json!({ "filter": "nosuch pr" }), "invalidFilter"),
        (json!({ "count": "x" }), "invalidValue"),
        (json!({ "count": 1.5 }), "invalidValue"),
        (json!({ "startIndex": [] }), "invalidValue"),
        (json!({ "attributes": [1] }), "invalidValue"),
        (json!({ "attributes": ["a"], "excludedAttributes": ["b"] }), "invalidValue"),
        (json!({ "sortBy": "nosuch" }), "invalidValue"),
        (json!({ "cursor": "", "count": "x" }), "invalidCount"),
        (json!({ "cursor": "", "startIndex": 1 }), "invalidValue"),
    ] {
        for path in ["/Users/.search", "/Groups/.search", "/.search"] {
            let answer = acme.post(path, &body).await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
            assert_eq!(answer.body["scimType"], scim_type, "{path} {body}");
        }
    }
    acme.get("/Users/.search").await.assert(405);
    acme.call("POST", "/.search").body("{").send().await.assert(400);
    let many = json!({ "attributes": vec!["userName"; 600] });
    acme.post("/Users/.search", &many).await.assert(400);
}

#[actix_web::test]
async fn conditions_and_preferences_that_lists_do_not_know_are_ignored() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-match", "W/\"9\""),
        ("prefer", "respond-async"),
        ("accept", "text/html"),
        ("accept", "application/xml;q=0.9"),
        ("accept-charset", "utf-8"),
    ] {
        let answer = acme.call("GET", "/Users").header(name, value).send().await;
        assert_eq!(answer.total(), 1, "{name}: {value}");
        assert_eq!(answer.header("preference-applied"), None);
    }
    let body = json!({ "userName": "bob" });
    let made =
        acme.call("POST", "/Users").header("prefer", "respond-async").json(&body).send().await;
    made.assert(201);
    let head = acme.call("HEAD", &format!("/Users/{ada}")).send().await.assert(200);
    assert!(head.text.is_empty() && head.header("etag").is_some());
    let config = acme.get("/ServiceProviderConfig").await;
    assert_eq!(config.body.get("securityEvents"), None);
}
