//! What stands in front of the server, or in its place.

use super::{finding, fix, options};
use crate::support::TestGateway;
use gateway::doctor::{self, Options, Report, Verdict};
use region_router::Hosts;
use std::net::SocketAddr;
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

const ERROR: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"Enter the token."}"#;

/// Answers every request with the same text.
async fn stranger(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    TaskTracker::new().spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            // A client without anything to say is one that only looks whether the port is open.
            if matches!(stream.read(&mut request).await, Ok(1..)) {
                stream.write_all(answer.as_bytes()).await.ok();
            }
        }
    });
    address
}

fn answer(head: &str, body: &str, date: OffsetDateTime) -> String {
    let date = date.format(&Rfc2822).unwrap().replace("+0000", "GMT");
    let length = body.len();
    format!(
        "HTTP/1.1 {head}\r\nDate: {date}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn refusal(date: OffsetDateTime) -> String {
    let head = "401 Unauthorized\r\nContent-Type: application/scim+json\r\nWWW-Authenticate: Bearer realm=\"scim\"";
    answer(head, ERROR, date)
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from(std::time::SystemTime::now())
}

/// Examines a tenant of a real registry, whose host is answered by a stranger.
async fn meet(answer: String, scheme: &str) -> Report {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let at = stranger(answer).await;
    let regions = vec![(acme.tenant.region.clone(), String::new())];
    let hosts = Hosts::new("localhost", scheme, Some(at.port()), regions).unwrap();
    let asked = Options { news_within: std::time::Duration::ZERO, ..options() };
    let state = &gateway.state;
    doctor::tenant(&acme.tenant, &state.registry, &state.config, &hosts, &asked).await.unwrap()
}

#[actix_web::test]
async fn a_clock_that_is_off_is_found_in_the_date_header() {
    for (skew, verdict, words) in [
        (Duration::ZERO, Verdict::Pass, "the same"),
        (Duration::minutes(-2), Verdict::Warn, "behind"),
        (Duration::hours(1), Verdict::Fail, "ahead of"),
    ] {
        let report = meet(refusal(now() + skew), "http").await;

        let found = finding(&report, "clock");
        assert_eq!(found.verdict, verdict, "{skew}: {found:#?}");
        assert!(found.found.contains(words), "{found:#?}");
        if verdict != Verdict::Pass {
            assert!(found.fix.as_deref().unwrap().contains("NTP"), "{found:#?}");
        }
        assert_eq!(finding(&report, "host").verdict, Verdict::Pass);
    }
}

#[actix_web::test]
async fn whoever_else_answers_is_recognised_by_the_answer() {
    for (head, words) in [
        (
            "302 Found\r\nLocation: https://login.example.com/",
            "redirects to https://login.example.com/",
        ),
        ("401 Unauthorized\r\nWWW-Authenticate: Basic", "asks for a login of its own"),
        ("403 Forbidden", "a firewall for web applications"),
        ("404 Not Found", "Something else than this server answers"),
        ("502 Bad Gateway", "does not reach the server"),
        ("200 OK", "Something else than this server answers"),
    ] {
        let report = meet(answer(head, "<html>nginx</html>", now()), "http").await;

        let text = fix(&report, "host");
        assert!(text.contains(words), "{head}: {text}");
        assert!(finding(&report, "host").found.contains("nginx"));
        assert_eq!(finding(&report, "handshakes").verdict, Verdict::Skip);
    }
}

#[actix_web::test]
async fn a_port_without_tls_is_told_from_a_certificate_that_nobody_trusts() {
    let report = meet(refusal(now()), "https").await;

    let text = fix(&report, "tls");
    assert!(text.starts_with("No TLS is spoken there."), "{:#?}", finding(&report, "tls"));
}

#[actix_web::test]
async fn a_proxy_that_takes_the_token_away_is_found_out() {
    // It refuses with and without a token.
    let report = meet(refusal(now()), "http").await;

    let text = fix(&report, "token");
    assert!(text.contains("Let the Authorization header pass"), "{text}");
}
