//! Clients that wait for `100 Continue` before they send a body (RFC 9110 §10.1.1).

use crate::forward::{PORT, home};
use crate::support::TestGateway;
use crate::support::raw::answer;
use crate::support::tenant::TestTenant;
use region_router::Population;
use std::time::Duration;
use tenant_registry::{Routing, TenantChange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ADA: &str = "{\"userName\":\"ada\"}";

/// A head that promises a body and waits for the word.
fn head(host: &str, token: &str, framing: &str) -> String {
    format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/scim+json\r\nExpect: 100-continue\r\n{framing}\r\n\r\n"
    )
}

/// What is answered first, when the server ends the connection then; the body never comes.
async fn first_word(tenant: &TestTenant, host: &str, token: &str, framing: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(tenant.address).await.unwrap();
    stream.write_all(head(host, token, framing).as_bytes()).await.unwrap();
    let (status, head, _) = answer(&mut stream).await;
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await;
    assert!(matches!(end, Ok(Ok(0))), "{framing}: {end:?}");
    (status, head)
}

#[actix_web::test]
async fn nobody_is_asked_for_a_body_that_is_not_read() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let small = "Content-Length: 5000";
    let unknown = format!("{}x", &acme.token[..acme.token.len() - 1]);
    for (host, token, framing, status) in [
        ("eu-app.localhost", acme.token.as_str(), small, 401),
        ("nowhere.example", &acme.token, small, 404),
        (&acme.host, "not-a-token", small, 401),
        (&acme.host, &unknown, small, 401),
        (&acme.host, &unknown, "Transfer-Encoding: chunked", 401),
        (&acme.host, &acme.token, "Content-Length: 200000000", 413),
        (&acme.host, &acme.token, "Content-Encoding: gzip\r\nContent-Length: 5000", 415),
    ] {
        let (got, head) = first_word(&acme, host, token, framing).await;
        assert_eq!(got, status, "{host} {framing}: {head}");
        assert!(head.contains("\r\nconnection: close"), "{host} {framing}: {head}");
    }
}

#[actix_web::test]
async fn a_person_is_not_asked_for_at_the_wrong_region() {
    let (home, keys) = home(&[]).await;
    let place = crate::support::place("eu", Population::Platform);
    let acme = home.tenant_with("acme", |new| new.region = place.region).await;
    let strict = TenantChange { routing: Some(Routing::Strict), ..TenantChange::default() };
    home.change(&acme, strict).await;
    let edge = home.edge(home.address, &[PORT, ("MUSTER__NODE__KEYS", &keys)]).await;
    let there = edge.at(&acme);
    let (status, head) = first_word(&there, &acme.host, &acme.token, "Content-Length: 5000").await;
    assert_eq!(status, 421, "{head}");
}

/// Sends a head, waits for the word, then sends the body in two pieces.
async fn asked_and_sent(tenant: &TestTenant, framing: &str, pieces: [&str; 2]) -> (u16, String) {
    let mut stream = TcpStream::connect(tenant.address).await.unwrap();
    let head = head(&tenant.host, &tenant.token, framing);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut word = [0; 25];
    stream.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.unwrap();
    }
    let (status, head, _) = answer(&mut stream).await;
    (status, head)
}

#[actix_web::test]
async fn a_body_that_is_read_is_asked_for_once() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let length = format!("Content-Length: {}", ADA.len());
    let (status, head) = asked_and_sent(&acme, &length, ADA.split_at(4).into()).await;
    assert_eq!(status, 201, "{head}");
    assert!(!head.contains("connection: close"), "{head}");
    let chunk = format!("{:x}\r\n{ADA}\r\n", ADA.len());
    let pieces = [chunk.as_str(), "0\r\n\r\n"];
    let (status, head) = asked_and_sent(&acme, "Transfer-Encoding: chunked", pieces).await;
    assert_eq!(status, 409, "{head}");
}

#[actix_web::test]
async fn a_body_that_is_forwarded_is_asked_for() {
    let (home, keys) = home(&[]).await;
    let place = crate::support::place("eu", Population::Platform);
    let acme = home.tenant_with("acme", |new| new.region = place.region).await;
    let edge = home.edge(home.address, &[PORT, ("MUSTER__NODE__KEYS", &keys)]).await;
    let length = format!("Content-Length: {}", ADA.len());
    let pieces = ADA.split_at(4).into();
    let (status, head) = asked_and_sent(&edge.at(&acme), &length, pieces).await;
    assert_eq!(status, 201, "{head}");
}

#[actix_web::test]
async fn who_sends_the_body_at_once_gets_no_other_word_than_the_answer() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let length = format!("Content-Length: {}", ADA.len());
    let all = head(&acme.host, &acme.token, &length) + ADA;
    let (status, head, _) = crate::support::raw::exchange(acme.address, all.as_bytes()).await;
    // The body may come a moment after its head was read.
    assert!(status == 201 || status == 100, "{head}");
    let nothing = head_without_body(&acme);
    let (status, head, _) = crate::support::raw::exchange(acme.address, nothing.as_bytes()).await;
    assert_eq!(status, 200, "{head}");
    assert!(!head.contains("connection: close"), "{head}");
}

fn head_without_body(tenant: &TestTenant) -> String {
    let (host, token) = (&tenant.host, &tenant.token);
    format!(
        "GET /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\r\n"
    )
}
