//! Paging by cursors (RFC 9865).

use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::{TestTenant, encoded};
use serde_json::{Value, json};

async fn people(tenant: &TestTenant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let body =
            json!({ "userName": format!("user{number:02}"), "title": format!("t{}", number % 3) });
        ids.push(tenant.user_with(&body).await);
    }
    ids
}

fn cursor(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body.get(name).map(|text| text.as_str().unwrap().to_owned())
}

/// Every page of a query, by following `nextCursor`.
async fn pages(tenant: &TestTenant, path: &str) -> Vec<Answer> {
    let mut all = vec![tenant.get(&format!("{path}&cursor")).await];
    while let Some(next) = cursor(all.last().unwrap(), "nextCursor") {
        all.push(tenant.get(&format!("{path}&cursor={next}")).await);
        assert!(all.len() < 100);
    }
    all
}

#[actix_web::test]
async fn pages_follow_each_other_in_both_directions() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ids = people(&acme, 23).await;
    let all = pages(&acme, "/Users?count=10").await;
    let found: Vec<String> = all.iter().flat_map(|page| page.each("id")).collect();
    assert_eq!(found, ids);
    let sizes: Vec<_> = all.iter().map(|page| page.body["itemsPerPage"].clone()).collect();
    assert_eq!(sizes, [json!(10), json!(10), json!(3)]);
    for page in &all {
        assert_eq!(page.body.get("startIndex"), None, "{}", page.text);
        assert_eq!(
            page.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
        );
        if let Some(total) = page.body.get("totalResults") {
            assert_eq!(total, 23);
        }
    }
    assert_eq!(cursor(&all[0], "previousCursor"), None);
    let back = cursor(&all[2], "previousCursor").unwrap();
    let page = acme.get(&format!("/Users?count=10&cursor={back}")).await;
    assert_eq!(page.each("id"), ids[10..20]);
    let back = cursor(&page, "previousCursor").unwrap();
    assert_eq!(acme.get(&format!("/Users?count=10&cursor={back}")).await.each("id"), ids[..10]);
    // RFC 9865 §2: only characters that a URL needs not escape.
    assert!(back.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
}

#[actix_web::test]
async fn an_exact_last_page_has_no_next_cursor_and_an_empty_list_has_none() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let empty = acme.get("/Users?cursor=").await;
    assert!(empty.each("id").is_empty());
    assert_eq!(cursor(&empty, "nextCursor"), None);
    people(&acme, 4).await;
    let all = pages(&acme, "/Users?count=2").await;
    assert_eq!(all.len(), 2);
    // Without a cursor the paging is by index, which has none (RFC 9865 §2.3).
    let page = acme.get("/Users?count=2").await;
    assert_eq!(page.body["startIndex"], 1);
    assert_eq!(cursor(&page, "nextCursor"), None);
}

#[actix_web::test]
async fn whoever_comes_and_goes_in_between_moves_nobody() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ids = people(&acme, 6).await;
    let first = acme.get("/Users?count=3&cursor").await;
    acme.delete(&format!("/Users/{}", ids[0])).await.assert(204);
    acme.delete(&format!("/Users/{}", ids[2])).await.assert(204);
    let late = acme.user("late").await;
    let next = cursor(&first, "nextCursor").unwrap();
    let second = acme.get(&format!("/Users?count=9&cursor={next}")).await.each("id");
    assert_eq!(second, [ids[3].clone(), ids[4].clone(), ids[5].clone(), late]);
}

#[actix_web::test]
async fn filter_and_order_hold_on_every_page() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    people(&acme, 9).await;
    let filter = encoded("title ne \"t1\"");
    let path = format!("/Users?filter={filter}&sortBy=title&sortOrder=descending&count=2");
    let all = pages(&acme, &path).await;
    let titles: Vec<String> = all.iter().flat_map(|page| page.each("title")).collect();
    assert_eq!(titles, ["t2", "t2", "t2", "t0", "t0", "t0"]);
    let mut names: Vec<String> = all.iter().flat_map(|page| page.each("userName")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 6);
    // The example of RFC 9865 §2 writes the attribute in another case on its second page.
    let first =
        acme.get(&format!("/Users?filter={}&cursor&count=2", encoded("userName sw \"U\""))).await;
    let next = cursor(&first, "nextCursor").unwrap();
    let filter = encoded("username sw \"u\"");
    let second = acme.get(&format!("/Users?filter={filter}&cursor={next}&count=3")).await;
    assert_eq!(second.each("userName"), ["user02", "user03", "user04"]);
}

#[actix_web::test]
async fn a_cursor_is_good_for_its_own_query_alone() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    people(&acme, 5).await;
    people(&other, 5).await;
    for name in ["a", "b", "c"] {
        acme.group(name, &[]).await;
    }
    let answer = acme.get("/Users?count=2&cursor").await;
    let next = cursor(&answer, "nextCursor").unwrap();
    let refuse = |answer: Answer| {
        let text = answer.refused(400, "cursor_invalid", Some("invalidCursor"));
        assert!(text.contains("nextCursor"), "{text}");
    };
    refuse(other.get(&format!("/Users?count=2&cursor={next}")).await);
    refuse(acme.get(&format!("/Groups?count=2&cursor={next}")).await);
    refuse(acme.get(&format!("?count=2&cursor={next}")).await);
    refuse(acme.get(&format!("/Users?filter=active+eq+true&cursor={next}")).await);
    refuse(acme.get(&format!("/Users?sortBy=userName&cursor={next}")).await);
    let mut tampered = next.clone().into_bytes();
    for at in [0, 15, 16, tampered.len() / 2, tampered.len() - 2] {
        let kept = tampered[at];
        tampered[at] = if kept == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(tampered.clone()).unwrap();
        refuse(acme.get(&format!("/Users?count=2&cursor={text}")).await);
        tampered[at] = kept;
    }
    for text in ["x", "%00", "AAAA", "null", "{}", "%F0%9F%98%80", &next[..next.len() / 2]] {
        refuse(acme.get(&format!("/Users?count=2&cursor={text}")).await);
    }
    let long = "A".repeat(100_000);
    let search = json!({ "cursor": long });
    refuse(acme.post("/Users/.search", &search).await);
    let number = acme.post("/Users/.search", &json!({ "cursor": 7 })).await;
    number.refused(400, "cursor_invalid", Some("invalidCursor"));
    // Another count is no other query.
    assert_eq!(acme.get(&format!("/Users?count=3&cursor={next}")).await.each("id").len(), 3);
}

#[actix_web::test]
async fn nobody_reads_a_cursor() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    people(&acme, 3).await;
    let path = "/Users?sortBy=userName&count=1&cursor";
    let (one, two) = (acme.get(path).await, acme.get(path).await);
    let (one, two) = (cursor(&one, "nextCursor").unwrap(), cursor(&two, "nextCursor").unwrap());
    assert_ne!(one, two);
    for text in [&one, &two] {
        assert!(!text.contains("user") && !text.contains("dXNlc"), "{text}");
    }
}

#[actix_web::test]
async fn a_cursor_is_good_on_every_node_of_the_registry() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ids = people(&acme, 3).await;
    let next = cursor(&acme.get("/Users?count=1&cursor").await, "nextCursor").unwrap();
    let elsewhere = gateway.other_node(&acme).await;
    let page = elsewhere.get(&format!("/Users?count=1&cursor={next}")).await;
    assert_eq!(page.each("id"), ids[1..2]);
}

#[actix_web::test]
async fn a_cursor_expires() {
    let settings = [("MUSTER__LIMITS__CURSOR_LIFETIME", "1s")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    people(&acme, 3).await;
    let config = acme.get("/ServiceProviderConfig").await;
    assert_eq!(config.body["pagination"]["cursorTimeout"], 1);
    let next = cursor(&acme.get("/Users?count=1&cursor").await, "nextCursor").unwrap();
    let expired = crate::support::until("the cursor to expire", async || {
        let answer = acme.get(&format!("/Users?count=1&cursor={next}")).await;
        (answer.status == 400).then_some(answer)
    })
    .await;
    let text = expired.refused(400, "cursor_expired", Some("expiredCursor"));
    assert!(text.contains("1 seconds"), "{text}");
}

#[actix_web::test]
async fn a_page_of_nothing_and_two_ways_at_once_are_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for count in ["0", "-1", "x", "1.5", ""] {
        let answer = acme.get(&format!("/Users?cursor&count={count}")).await;
        answer.refused(400, "count_invalid", Some("invalidCount"));
    }
    acme.get("/Users?cursor=&startIndex=1").await.refused(
        400,
        "attribute_invalid",
        Some("invalidValue"),
    );
    acme.get("/Users?cursor=&count=100000").await.assert(200);
}

#[actix_web::test]
async fn searches_and_groups_have_cursors_too() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for name in ["c", "a", "b"] {
        acme.group(name, &[]).await;
    }
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": ["displayName"], "sortBy": "displayName", "cursor": "", "count": 2,
    });
    let first = acme.post("/Groups/.search", &body).await;
    assert_eq!(first.each("displayName"), ["a", "b"]);
    body["cursor"] = Value::from(cursor(&first, "nextCursor").unwrap());
    let second = acme.post("/Groups/.search", &body).await;
    assert_eq!(second.each("displayName"), ["c"]);
    assert_eq!(cursor(&second, "nextCursor"), None);
    // The same query by GET goes on from there.
    let text = body["cursor"].as_str().unwrap();
    let same = acme.get(&format!("/Groups?sortBy=displayName&cursor={text}")).await;
    assert_eq!(same.each("displayName"), ["c"]);
}
