//! Nothing of what passes is left on the way: no byte in the log, in spans or in a store; one trace, two lines.

use crate::support::binary::{Binary, json as told};
use crate::support::client;
use crate::support::collector::Collector;
use crate::support::stores::Stores;
use crate::support::tenant::{Call, encoded};
use gateway::admin::keys::Keys;
use serde_json::{Value, json};

/// Begins everything that a person is called here.
const CANARY: &str = "vqwcanary";

/// The trace of who calls.
const OUTSIDE: &str = "0af7651916cd43dd8448eb211c80319c";

/// All that a span of the way may say; `request_id` is what the client may read as well.
const SAID: [&str; 10] = [
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "peer.region",
    "region",
    "request_id",
    "scim.outcome",
    "scim.reason",
    "url.scheme",
];

fn holds(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    lower.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

#[actix_web::test]
async fn the_way_keeps_nothing_but_one_line_and_one_trace() {
    let stores = Stores::new(&["us", "eu"]);
    let create = "tenant create acme --name Acme --region eu --population platform --profile open";
    told(&stores, &create.split(' ').collect::<Vec<_>>());
    let token = told(&stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let keys = stores.folder().join("edge-keys");
    let jwk = Keys::within(&keys).signing().unwrap().to_jwk().unwrap();
    let jwks = stores.folder().join("peers.json");
    std::fs::write(&jwks, json!({ "keys": [jwk] }).to_string()).unwrap();
    let (keys, jwks) = (keys.display().to_string(), jwks.display().to_string());
    let (edge_spans, edge_address) = Collector::start().await;
    let (home_spans, home_address) = Collector::start().await;
    let (to_edge, to_home) = (format!("http://{edge_address}"), format!("http://{home_address}"));
    let common = [
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("MUSTER__LOG__LEVEL", "debug"),
        ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
    ];
    let of_home = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", to_home.as_str()),
        ("MUSTER__NODE__REGIONS", "eu"),
        ("MUSTER__NODE__PEER_JWKS", &jwks),
    ];
    let mut home = Binary::serve_as("home", &stores, &[&common[..], &of_home].concat()).await;
    let gateway = format!("http://{}", home.address);
    let of_edge = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", to_edge.as_str()),
        ("MUSTER__NODE__REGIONS", "us"),
        ("MUSTER__NODE__KEYS", &keys),
        ("MUSTER__REGIONS__EU__STORE", ""),
        ("MUSTER__REGIONS__EU__GATEWAY", &gateway),
    ];
    let mut edge = Binary::serve_as("edge", &stores, &[&common[..], &of_edge].concat()).await;

    let http = client();
    let send = async |method: &str, path: &str, body: &Value| {
        let call = Call::new(&http, edge.address, method, &format!("/scim/v2{path}"))
            .header("host", "eu-app.localhost")
            .header("authorization", &format!("Bearer {token}"))
            // Not sampled there, which does not decide for us.
            .header("traceparent", &format!("00-{OUTSIDE}-b7ad6b7169203331-00"))
            .header("tracestate", &format!("vendor={CANARY}"))
            .header("baggage", &format!("who={CANARY}"))
            .header("x-request-id", "the-first");
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    };
    let person = json!({ "userName": format!("{CANARY}@example.com"), "displayName": CANARY });
    let made = send("POST", "/Users", &person).await.assert(201);
    let filter = format!("/Users?filter={}", encoded(&format!("userName eq \"{CANARY}\"")));
    send("GET", &filter, &Value::Null).await.assert(200);
    send("GET", &format!("/Users/{CANARY}"), &Value::Null).await.assert(404);
    let missing = send("GET", &format!("/{CANARY}"), &Value::Null).await.assert(404);
    assert_eq!(missing.header("x-request-id"), Some("the-first"));
    for server in [&mut edge, &mut home] {
        server.terminate();
        assert!(server.end().await.success());
    }

    assert!(edge_spans.spans().len() >= 8 && home_spans.spans().len() > 10);
    nothing_is_left(&stores, [&edge, &home], [&edge_spans, &home_spans], &made.id());
    one_trace(&edge, &home, &edge_spans, &home_spans);
    says_little(&edge_spans, &home_spans);
}

/// What a caller says of its trace is a link at the edge, and nothing anywhere else.
fn says_little(of_edge: &Collector, of_home: &Collector) {
    let (edge, home) = (of_edge.spans(), of_home.spans());
    let requests: Vec<_> = edge.iter().filter(|span| span.is_root).collect();
    assert!(requests.len() >= 4 && requests.iter().all(|span| span.links == [OUTSIDE]));
    for span in &edge {
        let said: Vec<_> = span.attributes.iter().map(String::as_str).collect();
        assert!(said.iter().all(|name| SAID.contains(name)), "{}: {said:?}", span.name);
        assert!(
            span.name == "gateway.forward" || span.name.ends_with(['s', '*', '}']),
            "{}",
            span.name
        );
    }
    let forwards: Vec<&str> =
        edge.iter().filter(|span| !span.is_root).map(|s| s.id.as_str()).collect();
    let answered: Vec<_> =
        home.iter().filter(|span| forwards.contains(&span.parent.as_str())).collect();
    assert_eq!(
        (answered.len(), home.iter().filter(|span| span.is_root).count()),
        (forwards.len(), 0)
    );
    for span in edge.iter().chain(&home) {
        assert!(span.state.is_empty() && span.trace_id != OUTSIDE, "{}", span.name);
    }
    assert!(home.iter().all(|span| span.links.is_empty()), "the way does not pass it on");
}

fn nothing_is_left(
    stores: &Stores,
    [edge, home]: [&Binary; 2],
    [edge_spans, home_spans]: [&Collector; 2],
    user: &str,
) {
    assert!(holds(&stores.bytes_of("eu")), "the scan finds what is there");
    for (name, bytes) in [
        ("the edge's log", edge.log().into_bytes()),
        ("the edge's spans", edge_spans.bytes()),
        ("the store of us", stores.bytes_of("us")),
        ("the home's log", home.log().into_bytes()),
        ("the home's spans", home_spans.bytes()),
    ] {
        assert!(!bytes.is_empty() && !holds(&bytes), "{name} holds a name");
    }
    let tenant = told(stores, &["tenant", "show", "acme"])["id"].as_str().unwrap().to_owned();
    for (name, bytes) in [("log", edge.log().into_bytes()), ("spans", edge_spans.bytes())] {
        for what in [user.to_owned(), tenant.clone()] {
            let found = bytes.windows(what.len()).any(|window| window == what.as_bytes());
            assert!(!found, "the edge's {name} holds {what}");
        }
    }
}

fn one_trace(edge: &Binary, home: &Binary, of_edge: &Collector, of_home: &Collector) {
    let (out, back) = (edge.line("request").unwrap(), home.line("request").unwrap());
    assert_eq!((&out["request_id"], &out["trace_id"]), (&back["request_id"], &back["trace_id"]));
    assert_eq!(out["request_id"], "the-first");
    assert_ne!(out["trace_id"], OUTSIDE, "theirs is a link");
    let summary = [&out["route"], &out["outcome"], &out["region"], &out["tenant.id"]];
    assert_eq!(
        summary,
        [&json!("/scim/v2/Users"), &json!("forwarded"), &json!("eu"), &Value::Null]
    );
    let trace = out["trace_id"].as_str().unwrap();
    let names = |collector: &Collector| {
        let spans = collector.spans().into_iter().filter(|span| span.trace_id == trace);
        let mut names: Vec<(String, bool)> = spans.map(|s| (s.name, s.is_root)).collect();
        names.sort();
        names
    };
    let route = "POST /scim/v2/Users".to_owned();
    assert_eq!(names(of_edge), [(route.clone(), true), ("gateway.forward".to_owned(), false)]);
    assert!(names(of_home).contains(&(route, false)), "{:?}", names(of_home));
}
