//! What a region's people are called is in no byte outside of the region's store; and a request is one trace, a span a hop.

mod two_regions;

use crate::support::binary::{Binary, json};
use crate::support::client;
use crate::support::collector::Collector;
use crate::support::stores::Stores;
use crate::support::tenant::{Call, encoded};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::BufRead;

/// Begins every name, address and value of this tenant.
const CANARY: &str = "zqxcanary";

struct Customer {
    http: reqwest::Client,
    address: std::net::SocketAddr,
    token: String,
    /// Its own host.
    host: &'static str,
    /// Begins what its people are called.
    canary: &'static str,
}

impl Customer {
    async fn send(&self, host: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let call = Call::new(&self.http, self.address, method, &format!("/scim/v2{path}"))
            .header("host", host)
            .header("authorization", &format!("Bearer {}", self.token))
            .header("content-type", "application/scim+json");
        let answer = call.body(text).send().await;
        (answer.status, answer.body)
    }

    async fn own(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send(self.host, method, path, body).await
    }
}

fn person(canary: &str, number: u32) -> Value {
    json!({ "userName": format!("{canary}-user{number}@example.com"), "externalId": format!("{canary}-ext{number}"),
            "displayName": format!("{canary} display"), "name": { "givenName": format!("{canary}Given"), "familyName": format!("{canary}Family") },
            "emails": [{ "type": "work", "value": format!("{canary}-user{number}@example.com") }],
            "addresses": [{ "streetAddress": format!("{canary} Street") }] })
}

/// Everything that could carry a name somewhere: done, refused, malformed, at the wrong host, in paths and queries.
async fn traffic(customer: &Customer) {
    let canary = customer.canary;
    let (status, made) = customer.own("POST", "/Users", &person(canary, 1)).await;
    assert_eq!(status, 201, "{made}");
    let user = format!("/Users/{}", made["id"].as_str().unwrap());
    let filter = |text: String| format!("/Users?filter={}", encoded(&text));
    let group =
        json!({ "displayName": format!("{canary} Crew"), "members": [{ "value": made["id"] }] });
    let patch = |path: &str, value: Value| json!({ "Operations": [{ "op": "replace", "path": path, "value": value }] });
    let none = Value::Null;
    for (method, path, body, expected) in [
        ("POST", "/Users".to_owned(), person(canary, 1), 409),
        (
            "POST",
            "/Users".to_owned(),
            json!({ "userName": format!("{canary}-wrong"), "active": format!("{canary}-perhaps") }),
            400,
        ),
        ("POST", "/Users".to_owned(), json!([format!("{canary}-no-object")]), 400),
        ("POST", "/Users".to_owned(), json!({ "userName": format!("{canary}\u{0}") }), 400),
        ("POST", "/Groups".to_owned(), group.clone(), 201),
        ("POST", "/Groups".to_owned(), group.clone(), 409),
        (
            "POST",
            "/Groups".to_owned(),
            json!({ "displayName": "x", "members": [{ "value": format!("{canary}-nobody") }] }),
            400,
        ),
        ("PATCH", user.clone(), patch("title", json!(format!("{canary} title"))), 200),
        ("PATCH", user.clone(), patch(&format!("{canary}path"), json!("x")), 400),
        (
            "PATCH",
            user.clone(),
            patch("emails[type eq \"work\"].value", json!(format!("{canary}-new@example.com"))),
            200,
        ),
        ("PUT", user.clone(), person(canary, 2), 200),
        ("GET", filter(format!("userName eq \"{canary}-user2@example.com\"")), none.clone(), 200),
        ("GET", filter(format!("{canary} eq \"{canary}\"")), none.clone(), 400),
        ("GET", filter(format!("userName eq \"{canary}")), none.clone(), 400),
        ("GET", format!("/Users/{canary}"), none.clone(), 404),
        ("GET", format!("/{canary}"), none.clone(), 404),
        ("GET", format!("/Users?attributes={canary}&x={canary}"), none.clone(), 200),
        ("DELETE", format!("/Groups/{canary}"), none.clone(), 404),
        ("PURGE", format!("/Users/{canary}"), none.clone(), 405),
    ] {
        let (status, answer) = customer.own(method, &path, &body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let hosts = ["app.localhost", "board.localhost", "eu-app.localhost", "eu-board.localhost"];
    for host in hosts.into_iter().filter(|host| *host != customer.host) {
        assert_eq!(customer.send(host, "POST", "/Users", &person(canary, 3)).await.0, 401);
        assert_eq!(customer.send(host, "GET", &format!("/Users/{canary}"), &none).await.0, 401);
    }
    assert_eq!(
        customer.send(&format!("{canary}.localhost"), "POST", "/Users", &person(canary, 3)).await.0,
        404
    );
    assert_eq!(customer.own("DELETE", &user, &none).await.0, 204);
    assert_eq!(customer.own("POST", "/Users", &person(canary, 4)).await.0, 201);
}

fn holds(bytes: &[u8], canary: &str) -> bool {
    place_of(bytes, canary).is_some()
}

/// Where a canary is, in any case.
fn place_of(bytes: &[u8], canary: &str) -> Option<usize> {
    let lower = bytes.to_ascii_lowercase();
    let (first, rest) = canary.as_bytes().split_first().unwrap();
    let mut left = lower.as_slice();
    // The standard library's search for one byte is fast in a test's build, too; hundreds of megabytes are looked at.
    while left.skip_until(*first).unwrap() > 0 {
        if left.starts_with(rest) {
            return Some(lower.len() - left.len() - 1);
        }
    }
    None
}

#[actix_web::test]
async fn no_byte_of_the_eus_people_leaves_the_eus_store() {
    let stores = Stores::new(&["us", "eu"]);
    let create = [
        "tenant",
        "create",
        "acme",
        "--name",
        "Acme",
        "--region",
        "eu",
        "--population",
        "platform",
        "--profile",
        "open",
    ];
    json(&stores, &create);
    let token = json(&stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("MUSTER__LOG__LEVEL", "debug"),
        ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
    ];
    let mut server = Binary::serve(&stores, &settings).await;
    let (http, address, host) = (client(), server.address, "eu-app.localhost");
    traffic(&Customer { http, address, token, host, canary: CANARY }).await;
    server.terminate();
    assert!(server.end().await.success());

    assert!(holds(&stores.bytes_of("eu"), CANARY), "the scan finds what is there");
    let spans = collector.spans();
    assert!(spans.len() > 50, "only {} spans came", spans.len());
    for (name, bytes) in [
        ("the store of us", stores.bytes_of("us")),
        ("the registry", stores.bytes_of("registry")),
        ("the log", server.log().into_bytes()),
        ("the traces", collector.bytes()),
    ] {
        assert!(!bytes.is_empty(), "{name} is empty");
        assert!(!holds(&bytes, CANARY), "{name} holds a name: {}", excerpt(&bytes, CANARY));
    }
    assert!(
        server.log().lines().filter(|line| line.contains("\"message\":\"request\"")).count() >= 27
    );
}

/// What stands around the first name.
fn excerpt(bytes: &[u8], canary: &str) -> String {
    let at = place_of(bytes, canary).unwrap();
    String::from_utf8_lossy(&bytes[at.saturating_sub(300)..(at + 100).min(bytes.len())])
        .into_owned()
}

#[actix_web::test]
async fn a_request_is_one_trace_with_a_span_for_each_hop() {
    let stores = Stores::new(&["us"]);
    let create = [
        "tenant",
        "create",
        "acme",
        "--name",
        "Acme",
        "--region",
        "us",
        "--population",
        "platform",
        "--profile",
        "open",
    ];
    json(&stores, &create);
    let token = json(&stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
        ("MUSTER__NODE__REGIONS", "us"),
    ];
    let mut server = Binary::serve(&stores, &settings).await;
    let (http, address, host) = (client(), server.address, "app.localhost");
    let customer = Customer { http, address, token, host, canary: CANARY };
    assert_eq!(
        customer.send("app.localhost", "POST", "/Users", &json!({ "userName": "ada" })).await.0,
        201
    );
    server.terminate();
    assert!(server.end().await.success());

    let log = json(&stores, &["log", "acme"]);
    let trace_id = log["decisions"][0]["trace_id"].as_str().unwrap();
    let line = server.line("request").unwrap();
    assert_eq!(line["trace_id"], trace_id);
    let spans: Vec<_> =
        collector.spans().into_iter().filter(|span| span.trace_id == trace_id).collect();
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let expected = [
        "POST /scim/v2/Users",
        "directory.user.create",
        "gateway.caller.identify",
        "provisioning.user.admit",
        "scim.body.read",
        "scim.user.parse",
        "scim.user.render",
        "scim.users.create",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    let roots: Vec<&str> =
        spans.iter().filter(|span| span.is_root).map(|span| span.name.as_str()).collect();
    assert_eq!(roots, ["POST /scim/v2/Users"]);
}
