//! What the EU's people are called is in no byte outside of the EU's store; and a request is one trace, a span a hop.

use crate::support::binary::{Binary, json};
use crate::support::client;
use crate::support::collector::Collector;
use crate::support::stores::Stores;
use crate::support::tenant::{Call, encoded};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Begins every name, address and value of this tenant.
const CANARY: &str = "zqxcanary";

struct Customer {
    http: reqwest::Client,
    address: std::net::SocketAddr,
    token: String,
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

    async fn eu(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send("eu-app.localhost", method, path, body).await
    }
}

fn person(number: u32) -> Value {
    json!({ "userName": format!("{CANARY}-user{number}@example.com"), "externalId": format!("{CANARY}-ext{number}"),
            "displayName": format!("{CANARY} display"), "name": { "givenName": format!("{CANARY}Given"), "familyName": format!("{CANARY}Family") },
            "emails": [{ "type": "work", "value": format!("{CANARY}-user{number}@example.com") }],
            "addresses": [{ "streetAddress": format!("{CANARY} Street") }] })
}

/// Everything that could carry a name somewhere: done, refused, malformed, at the wrong host, in paths and queries.
async fn traffic(customer: &Customer) {
    let (status, made) = customer.eu("POST", "/Users", &person(1)).await;
    assert_eq!(status, 201, "{made}");
    let user = format!("/Users/{}", made["id"].as_str().unwrap());
    let filter = |text: String| format!("/Users?filter={}", encoded(&text));
    let group =
        json!({ "displayName": format!("{CANARY} Crew"), "members": [{ "value": made["id"] }] });
    let patch = |path: &str, value: Value| json!({ "Operations": [{ "op": "replace", "path": path, "value": value }] });
    let none = Value::Null;
    for (method, path, body, expected) in [
        ("POST", "/Users".to_owned(), person(1), 409),
        (
            "POST",
            "/Users".to_owned(),
            json!({ "userName": format!("{CANARY}-wrong"), "active": format!("{CANARY}-perhaps") }),
            400,
        ),
        ("POST", "/Users".to_owned(), json!([format!("{CANARY}-no-object")]), 400),
        ("POST", "/Users".to_owned(), json!({ "userName": format!("{CANARY}\u{0}") }), 400),
        ("POST", "/Groups".to_owned(), group.clone(), 201),
        ("POST", "/Groups".to_owned(), group.clone(), 409),
        (
            "POST",
            "/Groups".to_owned(),
            json!({ "displayName": "x", "members": [{ "value": format!("{CANARY}-nobody") }] }),
            400,
        ),
        ("PATCH", user.clone(), patch("title", json!(format!("{CANARY} title"))), 200),
        ("PATCH", user.clone(), patch(&format!("{CANARY}path"), json!("x")), 400),
        (
            "PATCH",
            user.clone(),
            patch("emails[type eq \"work\"].value", json!(format!("{CANARY}-new@example.com"))),
            200,
        ),
        ("PUT", user.clone(), person(2), 200),
        ("GET", filter(format!("userName eq \"{CANARY}-user2@example.com\"")), none.clone(), 200),
        ("GET", filter(format!("{CANARY} eq \"{CANARY}\"")), none.clone(), 400),
        ("GET", filter(format!("userName eq \"{CANARY}")), none.clone(), 400),
        ("GET", format!("/Users/{CANARY}"), none.clone(), 404),
        ("GET", format!("/{CANARY}"), none.clone(), 404),
        ("GET", format!("/Users?attributes={CANARY}&x={CANARY}"), none.clone(), 200),
        ("DELETE", format!("/Groups/{CANARY}"), none.clone(), 404),
        ("PURGE", format!("/Users/{CANARY}"), none.clone(), 405),
    ] {
        let (status, answer) = customer.eu(method, &path, &body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    for host in ["app.localhost", "board.localhost", "eu-board.localhost"] {
        assert_eq!(customer.send(host, "POST", "/Users", &person(3)).await.0, 401);
        assert_eq!(customer.send(host, "GET", &format!("/Users/{CANARY}"), &none).await.0, 401);
    }
    assert_eq!(
        customer.send(&format!("{CANARY}.localhost"), "POST", "/Users", &person(3)).await.0,
        404
    );
    assert_eq!(customer.eu("DELETE", &user, &none).await.0, 204);
    assert_eq!(customer.eu("POST", "/Users", &person(4)).await.0, 201);
}

fn holds(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    lower.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
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
    traffic(&Customer { http: client(), address: server.address, token }).await;
    server.terminate();
    assert!(server.end().await.success());

    assert!(holds(&stores.bytes_of("eu")), "the scan finds what is there");
    let spans = collector.spans();
    assert!(spans.len() > 50, "only {} spans came", spans.len());
    for (name, bytes) in [
        ("the store of us", stores.bytes_of("us")),
        ("the registry", stores.bytes_of("registry")),
        ("the log", server.log().into_bytes()),
        ("the traces", collector.bytes()),
    ] {
        assert!(!bytes.is_empty(), "{name} is empty");
        assert!(!holds(&bytes), "{name} holds a name: {}", excerpt(&bytes));
    }
    assert!(
        server.log().lines().filter(|line| line.contains("\"message\":\"request\"")).count() >= 27
    );
}

/// What stands around the first name.
fn excerpt(bytes: &[u8]) -> String {
    let lower = bytes.to_ascii_lowercase();
    let at = lower.windows(CANARY.len()).position(|window| window == CANARY.as_bytes()).unwrap();
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
    let customer = Customer { http: client(), address: server.address, token };
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
