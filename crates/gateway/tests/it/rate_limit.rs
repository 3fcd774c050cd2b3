//! How many requests of a tenant are answered.

use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::redis::{Redis, free_port, patient};
use crate::support::tenant::TestTenant;
use serde_json::{Value, json};
use tenant_registry::{NewTenant, RateLimit};

fn rate(per_second: u32, burst: u32) -> impl FnOnce(&mut NewTenant) {
    move |new| new.rate_limit = RateLimit::rate(per_second, burst).unwrap()
}

fn number(answer: &Answer, name: &str) -> u32 {
    answer.header(name).unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

fn has_headers(answer: &Answer) -> bool {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
        .iter()
        .all(|name| answer.header(name).is_some())
}

fn bulk(operations: usize) -> Value {
    let operations: Vec<Value> = (0..operations)
        .map(|number| {
            let data = json!({ "userName": format!("bulk{number}") });
            json!({ "method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": data })
        })
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    })
}

async fn limited_decisions(tenant: &TestTenant) -> usize {
    let rows = tenant.decisions().await;
    rows.iter().filter(|row| row.reason == "rate_limited").count()
}

#[actix_web::test]
async fn beyond_the_burst_is_429_with_a_scim_body_and_whole_seconds() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", rate(1, 5)).await;
    let neighbour = gateway.tenant_with("neighbour", rate(1, 5)).await;

    for left in (0..5).rev() {
        let answer = acme.get("/Users").await.assert(200);
        assert_eq!(number(&answer, "ratelimit-limit"), 5);
        // A second may go by, which gives one back.
        assert!((left..=left + 2).contains(&number(&answer, "ratelimit-remaining")), "{left}");
        assert!(number(&answer, "ratelimit-reset") <= 5);
    }
    let mut refused = Vec::new();
    for _ in 0..10 {
        let answer = acme.post("/Users", &json!({ "userName": "ada" })).await;
        if answer.status == 429 {
            refused.push(answer);
        }
    }

    assert!(refused.len() >= 8, "{}", refused.len());
    for answer in &refused {
        answer.refused(429, "rate_limited", None);
        assert_eq!(number(answer, "retry-after"), 1);
        assert!(has_headers(answer));
        assert_eq!(number(answer, "ratelimit-remaining"), 0);
    }
    neighbour.get("/Users").await.assert(200);
    // One line for the flood, and not one for each of its requests.
    crate::support::until("the decision", async || {
        (limited_decisions(&acme).await > 0).then_some(())
    })
    .await;
    assert_eq!(limited_decisions(&acme).await, 1);
}

#[actix_web::test]
async fn every_answer_of_a_limited_tenant_says_what_is_left() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let free = gateway.tenant_with("free", |new| new.rate_limit = RateLimit::Off).await;

    for path in ["", "/Users", "/Users/nobody", "/Nothing", "/ServiceProviderConfig", "/Me"] {
        let answer = acme.get(path).await;
        assert_eq!(number(&answer, "ratelimit-limit"), 1000, "{path}");
        assert!(has_headers(&answer), "{path}");
        assert_eq!(free.get(path).await.header("ratelimit-limit"), None, "{path}");
    }
    assert_eq!(acme.bare_call("GET", "/Users").send().await.header("ratelimit-limit"), None);
}

#[actix_web::test]
async fn without_a_configured_rate_only_tenants_with_their_own_have_one() {
    let settings = [("MUSTER__LIMITS__RATE_PER_SECOND", "0")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let own = gateway.tenant_with("own", rate(2, 7)).await;

    assert_eq!(acme.get("/Users").await.header("ratelimit-limit"), None);
    assert_eq!(number(&own.get("/Users").await, "ratelimit-limit"), 7);
}

#[actix_web::test]
async fn a_bulk_request_counts_its_operations_and_is_done_whole_or_not_at_all() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", rate(1, 20)).await;

    let first = acme.post("/Bulk", &bulk(12)).await.assert(200);
    let second = acme.post("/Bulk", &bulk(12)).await;

    assert!((8..=10).contains(&number(&first, "ratelimit-remaining")));
    second.refused(429, "rate_limited", None);
    assert!((1..=5).contains(&number(&second, "retry-after")));
    assert_eq!(acme.get("/Users").await.assert(200).total(), 12);
}

#[actix_web::test]
async fn a_bulk_request_over_the_burst_is_done_when_all_of_it_is_there() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", rate(1, 5)).await;

    acme.post("/Bulk", &bulk(30)).await.assert(200);
    acme.get("/Users").await.refused(429, "rate_limited", None);
}

#[actix_web::test]
async fn nodes_that_share_a_redis_share_the_rates() {
    let redis = Redis::start();
    let settings = patient(&redis.url);
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant_with("acme", rate(1, 10)).await;
    let elsewhere = gateway.other_node_with(&acme, &settings).await;

    let mut answered = 0;
    let mut last = Vec::new();
    for _ in 0..10 {
        for tenant in [&acme, &elsewhere] {
            let answer = tenant.get("/Users").await;
            assert!(has_headers(&answer));
            answered += u32::from(answer.status == 200);
            last.push(answer.status);
        }
    }

    // Ten, and what the time gave back meanwhile; two nodes on their own would have answered twenty.
    assert!((10..=14).contains(&answered), "{last:?}");
    let refused = elsewhere.post("/Bulk", &bulk(10)).await;
    refused.refused(429, "rate_limited", None);
    assert!((1..=10).contains(&number(&refused, "retry-after")));
}

#[actix_web::test]
async fn a_redis_that_does_not_answer_leaves_each_node_its_own_count() {
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    let gateway = TestGateway::start_with(&["us"], &[("MUSTER__REDIS__URL", &nobody)]).await;
    let acme = gateway.tenant_with("acme", rate(1, 5)).await;

    for _ in 0..5 {
        assert!(has_headers(&acme.get("/Users").await.assert(200)));
    }
    let statuses = [acme.get("/Users").await.status, acme.get("/Users").await.status];
    assert!(statuses.contains(&429), "{statuses:?}");
}
