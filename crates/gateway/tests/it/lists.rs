//! Lists: pages, totals, filters, in an order that stays.

use crate::support::TestGateway;
use crate::support::tenant::encoded;
use serde_json::json;
use std::collections::BTreeSet;

#[actix_web::test]
async fn pages_are_stable_and_totals_are_true() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let mut ids = Vec::new();
    for number in 0..23 {
        ids.push(acme.user(&format!("user{number:02}")).await);
    }
    let mut seen = Vec::new();
    for start in (1..=25).step_by(5) {
        let page = acme.get(&format!("/Users?startIndex={start}&count=5")).await;
        assert_eq!(page.total(), 23);
        assert_eq!(page.body["startIndex"], start);
        let found = page.each("id");
        assert_eq!(page.body["itemsPerPage"], found.len());
        seen.extend(found);
    }
    assert_eq!(seen, ids);
    // A user that is deleted or made in between moves nobody before it.
    acme.delete(&format!("/Users/{}", ids[22])).await.assert(204);
    acme.user("late").await;
    assert_eq!(acme.get("/Users?startIndex=1&count=5").await.each("id"), ids[..5]);
    assert_eq!(acme.get("/Users?count=0").await.total(), 23);
}

#[actix_web::test]
async fn numbers_out_of_range_are_clamped_and_what_is_no_number_is_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for name in ["a", "b", "c"] {
        acme.user(name).await;
    }
    for (query, start, items) in [
        ("", 1, 3),
        ("startIndex=0", 1, 3),
        ("startIndex=-5", 1, 3),
        ("startIndex=3", 3, 1),
        ("startIndex=4", 4, 0),
        ("startIndex=1000000", 1_000_000, 0),
        ("count=0", 1, 0),
        ("count=-1", 1, 0),
        ("count=2", 1, 2),
        ("count=1000000", 1, 3),
        ("count=2&startIndex=1", 1, 2),
        ("count=99999999999999999999&startIndex=1", 1, 3),
    ] {
        let answer = acme.get(&format!("/Users?{query}")).await;
        assert_eq!(answer.total(), 3, "{query}");
        assert_eq!(answer.body["startIndex"], start, "{query}");
        assert_eq!(answer.body["itemsPerPage"], items, "{query}");
        assert_eq!(answer.each("id").len(), items, "{query}");
        assert_eq!(
            answer.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
        );
    }
    for query in ["startIndex=x", "count=x", "count=1.5", "count=1e3", "startIndex=%00"] {
        let answer = acme.get(&format!("/Users?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert_eq!(answer.body["scimType"], "invalidValue", "{query}");
    }
    for query in [
        "startIndex=9223372036854775807",
        "startIndex=9223372036854775808",
        "startIndex=18446744073709551615",
        "startIndex=99999999999999999999",
    ] {
        let answer = acme.get(&format!("/Users?{query}&count=5")).await;
        assert!([200, 400].contains(&answer.status), "{query}: {}", answer.text);
    }
}

#[actix_web::test]
async fn a_page_has_two_hundred_resources_unless_asked_and_a_thousand_at_most() {
    let gateway = TestGateway::start_with(
        &["us"],
        &[("MUSTER__LIMITS__PAGE_DEFAULT", "3"), ("MUSTER__LIMITS__PAGE_MAX", "5")],
    )
    .await;
    let acme = gateway.tenant("acme").await;
    for number in 0..7 {
        acme.user(&format!("user{number}")).await;
        acme.group(&format!("group{number}"), &[]).await;
    }
    for (path, items) in [
        ("/Users", 3),
        ("/Users?count=5", 5),
        ("/Users?count=6", 5),
        ("/Groups", 3),
        ("/Groups?count=9", 5),
    ] {
        let answer = acme.get(path).await;
        assert_eq!((answer.total(), answer.each("id").len()), (7, items), "{path}");
    }
    let config = acme.get("/ServiceProviderConfig").await;
    assert_eq!(config.body["filter"]["maxResults"], 5);
}

#[actix_web::test]
async fn look_ups_that_identity_providers_send_find_one_or_none() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme
        .user_with(&json!({ "userName": "Ada@Example.com", "externalId": "00u1aB", "emails": [{ "type": "work", "value": "Ada@Example.com" }, { "type": "home", "value": "home@example.com" }] }))
        .await;
    let bob = acme.user_with(&json!({ "userName": "bob", "externalId": "00U1AB" })).await;
    let crew = acme.group("Crew A", &[&ada]).await;
    for (filter, expected) in [
        ("userName eq \"ADA@example.COM\"", vec![&ada]),
        ("USERNAME EQ \"ada@example.com\"", vec![&ada]),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada@example.com\"", vec![&ada]),
        ("externalId eq \"00u1aB\"", vec![&ada]),
        ("externalId eq 00u1aB", vec![&ada]),
        ("emails[type eq \"work\"].value eq \"ada@example.com\"", vec![&ada]),
        ("emails[type eq \"work\"].value eq \"home@example.com\"", vec![]),
        ("emails[type eq \"work\" and value eq \"ada@example.com\"]", vec![&ada]),
        ("emails.value eq \"HOME@example.com\"", vec![&ada]),
        ("emails co \"@example\"", vec![&ada]),
        ("userName eq \"nobody\"", vec![]),
        ("active eq true", vec![&ada, &bob]),
        ("active eq \"True\"", vec![&ada, &bob]),
        ("not (emails pr)", vec![&bob]),
        ("meta.lastModified gt \"2020-01-01T00:00:00Z\" and userName sw \"B\"", vec![&bob]),
        ("meta[created gt \"2020-01-01T00:00:00Z\"]", vec![&ada, &bob]),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"x\"", vec![]),
    ] {
        let answer = acme.find("/Users", filter).await;
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(answer.each("id"), expected, "{filter}");
        assert_eq!(answer.total(), expected.len() as u64, "{filter}");
    }
    let by_id = format!(
        "id eq \"{ada}\" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"x\""
    );
    assert_eq!(acme.find("/Users", &by_id).await.total(), 0);
    assert_eq!(
        acme.find("/Users", &format!("id eq \"{ada}\"")).await.each("id"),
        std::slice::from_ref(&ada)
    );
    for filter in [
        "displayName eq \"crew a\"",
        "displayName eq \"CREW A\" and members pr",
        &format!("members.value eq \"{ada}\""),
    ] {
        assert_eq!(
            acme.find("/Groups", filter).await.each("id"),
            std::slice::from_ref(&crew),
            "{filter}"
        );
    }
}

#[actix_web::test]
async fn a_filter_that_cannot_be_answered_is_refused_and_never_ignored() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    let nested = format!("{}userName pr{}", "(".repeat(40), ")".repeat(40));
    let negated = format!("{}userName pr{}", "not (".repeat(40), ")".repeat(40));
    let terms = vec!["userName eq \"a\""; 101].join(" or ");
    let long = format!("userName eq \"{}\"", "x".repeat(5_000));
    for filter in [
        "",
        " ",
        "userName",
        "userName eq",
        "eq \"x\"",
        "userName eq \"x",
        "userName eq 'x'",
        "userName is \"x\"",
        "userName eqq \"x\"",
        "nosuch eq \"x\"",
        "name.nosuch eq \"x\"",
        "urn:x:y:userName eq \"x\"",
        "password eq \"x\"",
        "password pr",
        "userName eq \"x\" and",
        "and userName pr",
        "(userName pr",
        "userName pr)",
        "userName[value eq \"x\"]",
        "emails[",
        "emails[]",
        "emails[nosuch eq \"x\"]",
        "active gt true",
        "active co \"t\"",
        "active eq \"perhaps\"",
        "active eq 1",
        "userName eq true and nosuch pr",
        "name eq \"x\"",
        "meta eq \"x\"",
        "meta.created eq \"yesterday\"",
        "meta.created co \"2026\"",
        "userName gt null",
        "userName eq \"\\x\"",
        "userName eq \"\\ud800\"",
        "userName eq \"a\" \"b\"",
        "not userName pr",
        "userName eq {\"a\":1}",
        "userName eq [1]",
        "\u{1f600}",
        "a.b.c.d eq \"x\"",
        &nested,
        &negated,
        &terms,
        &long,
    ] {
        let answer = acme.find("/Users", filter).await;
        let shown: String = filter.chars().take(60).collect();
        assert_eq!(answer.status, 400, "{shown:?}: {}", answer.text);
        answer.refused(400, "filter_invalid", Some("invalidFilter"));
    }
    let twice = acme.get("/Users?filter=userName+pr&filter=active+pr").await;
    twice.refused(400, "filter_invalid", Some("invalidFilter"));
}

#[actix_web::test]
async fn a_parameter_with_one_value_is_not_sent_twice() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (query, name) in [
        ("count=1&count=2", "count"),
        ("startIndex=1&STARTINDEX=1", "startIndex"),
        ("sortBy=userName&count=1&sortBy=title", "sortBy"),
        ("sortOrder=ascending&sortOrder=descending", "sortOrder"),
        ("cursor&cursor=x", "cursor"),
    ] {
        let answer = acme.get(&format!("/Users?{query}")).await;
        let detail = answer.refused(400, "attribute_invalid", Some("invalidValue"));
        assert!(detail.contains(&format!("more than one {name}")), "{detail}");
    }
    // What nobody knows may come as often as it likes.
    acme.get("/Users?x=1&x=2&count=1").await.assert(200);
}

#[actix_web::test]
async fn operands_that_a_store_could_choke_on_find_nobody() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.user("ada").await;
    for text in [
        "nul\\u0000nul",
        "'; DROP TABLE users; --",
        "%",
        "_",
        "\\\\",
        "\\\"",
        "\\ud83d\\ude00",
        "\\u202e",
        "$1",
        "?",
        "{}",
        "[\\\"a\\\"]",
        "\u{ffff}",
    ] {
        for attribute in [
            "userName",
            "title",
            "emails.value",
            "externalId",
            "id",
            "groups.value",
            "meta.version",
            "schemas",
        ] {
            for op in ["eq", "co", "sw", "ew", "gt"] {
                let answer = acme.find("/Users", &format!("{attribute} {op} \"{text}\"")).await;
                assert!(
                    [200, 400].contains(&answer.status),
                    "{attribute} {op} {text:?}: {} {}",
                    answer.status,
                    answer.text
                );
                if answer.status == 200 && op == "eq" {
                    assert_eq!(answer.total(), 0, "{attribute} {op} {text:?}");
                }
            }
        }
    }
    for text in ["nul\\u0000", "\\\\"] {
        let answer = acme.find("/Groups", &format!("members.value eq \"{text}\"")).await;
        assert!([200, 400].contains(&answer.status), "{}", answer.text);
    }
}

#[actix_web::test]
async fn every_announced_attribute_can_be_filtered_on() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let mut asked = BTreeSet::new();
    for schema in acme.get("/Schemas").await.body["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        // The discovery documents have schemas too, and no lists that could be filtered.
        if ["ServiceProviderConfig", "ResourceType", "Schema"].iter().any(|end| id.ends_with(end)) {
            continue;
        }
        let path = if id.ends_with(":Group") { "/Groups" } else { "/Users" };
        for attribute in schema["attributes"].as_array().unwrap() {
            let name = format!("{id}:{}", attribute["name"].as_str().unwrap());
            let parts = attribute["subAttributes"].as_array().cloned().unwrap_or_default();
            for name in parts
                .iter()
                .map(|part| format!("{name}.{}", part["name"].as_str().unwrap()))
                .chain([name.clone()])
            {
                acme.get(&format!("{path}?filter={}", encoded(&format!("{name} pr"))))
                    .await
                    .assert(200);
                asked.insert(name);
            }
        }
    }
    assert!(asked.len() > 70, "{asked:?}");
}
