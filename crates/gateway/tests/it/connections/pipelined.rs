//! Requests that are sent before the last one was answered (RFC 9112 §9.3.2).

use crate::forward::{PORT, home};
use crate::support::TestGateway;
use crate::support::tenant::TestTenant;
use region_router::Population;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it is on the wire.
fn request(tenant: &TestTenant, line: &str, more: &str) -> String {
    let (host, token) = (&tenant.host, &tenant.token);
    format!("{line}\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
}

/// What comes after these bytes until the server ends the connection, which the last request has to ask for.
async fn exchange(address: SocketAddr, pieces: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.unwrap();
        // The server may see the pieces one by one, or together: both have to do.
        tokio::task::yield_now().await;
    }
    let mut all = String::new();
    let reading = stream.read_to_string(&mut all);
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("an end").unwrap();
    all
}

/// One answer: the line of its status, and its body.
type Answer = (String, String);

/// Answers to requests with these methods, as a client reads them (RFC 9112 §6.3); nothing may be left over.
fn answers(mut text: &str, methods: &[&str]) -> Vec<Answer> {
    let read = methods.iter().map(|method| {
        let (head, rest) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let body = if *method == "HEAD" { "" } else { &rest[..length] };
        text = &rest[body.len()..];
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    });
    let read: Vec<Answer> = read.collect();
    assert_eq!(text, "", "bytes that belong to no answer");
    read
}

const USERS: &str = "/scim/v2/Users?count=0";
const CLOSE: &str = "Connection: close\r\n";

/// Sends requests with these methods at once, and looks at every answer.
async fn each_has_its_own_framing(tenant: &TestTenant, methods: &[&str]) {
    let last = methods.len() - 1;
    let requests: String = methods
        .iter()
        .enumerate()
        .map(|(at, method)| {
            let more = if at == last { CLOSE } else { "" };
            request(tenant, &format!("{method} {USERS} HTTP/1.1"), more)
        })
        .collect();
    let text = exchange(tenant.address, &[&requests]).await;
    for (method, (status, body)) in methods.iter().zip(answers(&text, methods)) {
        assert_eq!(status, "http/1.1 200 ok", "{methods:?}: {text}");
        if *method == "GET" {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["totalResults"], 0, "{methods:?}: {text}");
        }
    }
}

const SEQUENCES: [&[&str]; 5] = [
    &["GET", "HEAD"],
    &["HEAD", "GET"],
    &["GET", "GET", "HEAD", "GET"],
    &["HEAD", "HEAD", "GET", "HEAD"],
    &["GET"; 40],
];

#[actix_web::test]
async fn an_answer_has_the_framing_of_its_own_request() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for methods in SEQUENCES {
        each_has_its_own_framing(&acme, methods).await;
    }
}

#[actix_web::test]
async fn a_forwarded_answer_has_the_framing_of_its_own_request() {
    let (home, keys) = home(&[]).await;
    let place = crate::support::place("eu", Population::Platform);
    let acme = home.tenant_with("acme", |new| new.region = place.region).await;
    let edge = home.edge(home.address, &[PORT, ("MUSTER__NODE__KEYS", &keys)]).await;
    let there = edge.at(&acme);
    for methods in SEQUENCES {
        each_has_its_own_framing(&there, methods).await;
    }
}

#[actix_web::test]
async fn an_answer_has_the_version_of_its_own_request() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let requests = [
        request(&acme, &format!("GET {USERS} HTTP/1.1"), ""),
        // HTTP/1.0 ends the connection unless it asks for more.
        request(&acme, &format!("GET {USERS} HTTP/1.0"), ""),
    ];
    let text = exchange(acme.address, &[&requests.concat()]).await;
    let read = answers(&text, &["GET", "GET"]);
    assert_eq!(read[0].0, "http/1.1 200 ok", "{text}");
    assert_eq!(read[1].0, "http/1.0 200 ok", "{text}");
}

#[actix_web::test]
async fn what_follows_a_body_is_another_request() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let body = |name: &str| format!("{{\"userName\":\"{name}\",\r\n\r\n\"title\":\"a\"}}");
    let counted = |name: &str| {
        let body = body(name);
        let more =
            format!("Content-Type: application/scim+json\r\nContent-Length: {}\r\n", body.len());
        request(&acme, "POST /scim/v2/Users HTTP/1.1", &more) + &body
    };
    let chunked = |name: &str| {
        let body = body(name);
        let (first, second) = body.split_at(20);
        let more = "Content-Type: application/scim+json\r\nTransfer-Encoding: chunked\r\n";
        let head = request(&acme, "POST /scim/v2/Users HTTP/1.1", more);
        let (one, two) = (first.len(), second.len());
        format!("{head}{one:x}\r\n{first}\r\n{two:X};a=b\r\n{second}\r\n0\r\nTrailer: a\r\n\r\n")
    };
    let head = |more: &str| request(&acme, &format!("HEAD {USERS} HTTP/1.1"), more);
    let pieces = [
        counted("ada"),
        head(""),
        chunked("bea"),
        head(""),
        // A leading empty line is to be passed over (RFC 9112 §2.2).
        "\r\n".to_owned(),
        counted("cora"),
        chunked("dora"),
        head(CLOSE),
    ];
    let methods = ["POST", "HEAD", "POST", "HEAD", "POST", "POST", "HEAD"];
    let statuses = ["201", "200", "201", "200", "201", "201", "200"];
    let text = exchange(acme.address, &[&pieces.concat()]).await;
    let read = answers(&text, &methods);
    let got: Vec<&str> = read.iter().map(|(line, _)| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(got, statuses, "{text}");
}

#[actix_web::test]
async fn requests_that_come_byte_by_byte_are_answered_all_the_same() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let methods = ["GET", "HEAD", "GET"];
    let first = request(&acme, &format!("GET {USERS} HTTP/1.1"), "");
    let second = request(&acme, &format!("HEAD {USERS} HTTP/1.1"), "");
    let third = request(&acme, &format!("GET {USERS} HTTP/1.1"), CLOSE);
    let all = [first, second, third].concat();
    let bytes: Vec<&str> = (0..all.len()).map(|at| &all[at..=at]).collect();
    let text = exchange(acme.address, &bytes).await;
    for (status, _) in answers(&text, &methods) {
        assert_eq!(status, "http/1.1 200 ok", "{text}");
    }
}

#[actix_web::test]
async fn a_body_that_nobody_reads_is_not_taken_for_requests() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    // Of another media type: refused unread. Its data are a request.
    let inner = request(&acme, &format!("GET {USERS} HTTP/1.1"), "");
    let more = "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n";
    let outer = request(&acme, "POST /scim/v2/Users HTTP/1.1", more);
    let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let last = request(&acme, &format!("HEAD {USERS} HTTP/1.1"), CLOSE);
    let text = exchange(acme.address, &[&outer, &chunk, &last]).await;
    let read = answers(&text, &["POST", "HEAD"]);
    assert_eq!(read[0].0, "http/1.1 415 unsupported media type", "{text}");
    assert_eq!(read[1].0, "http/1.1 200 ok", "{text}");
}

#[actix_web::test]
async fn empty_lines_before_a_request_are_passed_over_at_once() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let first = request(&acme, &format!("GET {USERS} HTTP/1.1"), "");
    let last = request(&acme, &format!("GET {USERS} HTTP/1.1"), CLOSE);
    let lines = "\n".repeat(60_000);
    let text = exchange(acme.address, &[&first, &lines, &last]).await;
    let statuses: Vec<String> = answers(&text, &["GET", "GET"]).into_iter().map(|a| a.0).collect();
    assert_eq!(statuses, ["http/1.1 200 ok"; 2]);
}

#[actix_web::test]
async fn the_rest_of_a_body_that_is_not_read_is_no_request() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let stranger = TestTenant { token: "not-a-token".to_owned(), ..acme.clone() };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let refused = request(&stranger, "POST /scim/v2/Users HTTP/1.1", chunked);
    // What looks like requests is data.
    let data =
        request(&acme, &format!("GET {USERS} HTTP/1.1"), "").repeat(20) + &"\n".repeat(100_000);
    let body = format!("{:x}\r\n{data}\r\n0\r\nTrailer: 1\n\n2\r\n\r\n", data.len());
    let last = request(&acme, &format!("GET {USERS} HTTP/1.1"), CLOSE);
    let text = exchange(acme.address, &[&refused, &body, &last]).await;
    let statuses: Vec<String> = answers(&text, &["POST", "GET"]).into_iter().map(|a| a.0).collect();
    assert_eq!(statuses, ["http/1.1 401 unauthorized", "http/1.1 200 ok"]);
}
