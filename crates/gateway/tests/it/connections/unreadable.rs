//! What is not HTTP, or not HTTP that anybody has to read.

use crate::support::TestGateway;
use crate::support::binary::Binary;
use crate::support::raw::exchange;
use crate::support::stores::Stores;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[actix_web::test]
async fn whoever_sends_what_is_no_request_does_not_fill_the_log() {
    let stores = Stores::new(&["us"]);
    let mut gateway = Binary::serve(&stores, &[]).await;
    for _ in 0..20 {
        for garbage in
            ["x\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n"]
        {
            let (status, _, _) = exchange(gateway.address, garbage.as_bytes()).await;
            assert_eq!(status, 400);
        }
    }
    let scrape = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (_, _, metrics) = exchange(gateway.ops, scrape).await;
    let count = "\nhttp_server_unreadable_requests_total{http_response_status_code=\"400\"} 60\n";
    assert!(metrics.contains(count), "{metrics}");
    gateway.terminate();
    assert!(gateway.end().await.success());
    let log = gateway.log();
    let loud: Vec<&str> = log
        .lines()
        .filter(|line| {
            line.contains("\"ERROR\"") || line.contains("\"WARN\"") || line.contains("actix")
        })
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

/// Everything that is answered, until the end of the connection: status, head, body.
async fn refusal(gateway: &TestGateway, request: &[u8]) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let reading = stream.read_to_string(&mut text);
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("an end").unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{text}");
    (status, head, serde_json::from_str(body).unwrap())
}

fn is_explained(head: &str, body: &Value, status: u16) {
    for header in ["content-type: application/scim+json", "connection: close", "date: "] {
        assert!(head.contains(&format!("\r\n{header}")), "{header}: {head}");
    }
    let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    assert_eq!(body["status"], status.to_string());
    assert!(body["detail"].as_str().unwrap().contains(id), "{body}");
}

#[actix_web::test]
async fn what_must_be_encoded_in_a_url_is_refused_with_a_word_of_it() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let request = |target: &str| {
        let (host, token) = (&acme.host, &acme.token);
        format!(
            "GET /scim/v2/Users{target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
    };
    for target in [
        "?filter=userName%20eq%20\"x\"",
        "?filter=userName eq \"x\"",
        "/<x>",
        "/\u{e9}",
        "?x=\u{e9}",
        "/a`b",
    ] {
        let (status, head, body) = refusal(&gateway, request(target).as_bytes()).await;
        assert_eq!(status, 400, "{target}");
        is_explained(&head, &body, 400);
        assert!(body["detail"].as_str().unwrap().contains("%20eq%20%22"), "{body}");
    }
    for target in ["?x=[]{}|^\\'%", "?filter=userName+eq+%22x%22"] {
        let (status, _, _) = exchange(gateway.address, request(target).as_bytes()).await;
        assert_eq!(status, 200, "{target}");
    }
}

#[actix_web::test]
async fn a_head_that_is_too_large_or_never_ends_is_refused_with_a_word_of_it() {
    let gateway = TestGateway::start().await;
    let line = "GET / HTTP/1.1\r\n";
    // Exactly what is read at most: bytes that nobody reads would cut the connection before its answer is read.
    let start = format!("{line}X-Large: ");
    let large = format!("{start}{}", "a".repeat(131_072 - start.len()));
    for (request, status) in [(large.as_str(), 431), (line, 408)] {
        let (got, head, body) = refusal(&gateway, request.as_bytes()).await;
        assert_eq!(got, status);
        is_explained(&head, &body, status);
    }
}

#[actix_web::test]
async fn what_comes_after_an_answer_and_is_no_request_is_refused_by_itself() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (host, token) = (&acme.host, &acme.token);
    let head = format!(
        "HEAD /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\nx\r\n\r\n"
    );
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let answers: Vec<&str> = text.split("\r\n\r\n").collect();
    assert_eq!(answers.len(), 3, "{text}");
    assert!(answers[0].starts_with("HTTP/1.1 200 "), "{text}");
    assert!(answers[1].starts_with("HTTP/1.1 400 "), "{text}");
    assert!(answers[2].starts_with('{'), "{text}");
}
