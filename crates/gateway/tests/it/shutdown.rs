//! A stopping server fails nobody's request.

use crate::support::binary::{Binary, json};
use crate::support::stores::Stores;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CLIENTS: usize = 12;

/// Sends requests over kept connections until it is told to go elsewhere; how many were answered.
async fn work(number: usize, address: std::net::SocketAddr, token: &str) -> usize {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(1)
        .no_proxy()
        .build()
        .unwrap();
    for round in 0.. {
        let request = if round % 3 == 0 {
            let body = format!("{{\"userName\":\"user-{number}-{round}\"}}");
            http.post(format!("http://{address}/scim/v2/Users")).body(body)
        } else {
            http.get(format!("http://{address}/scim/v2/Users?count=5"))
        };
        let request = request.header("host", "app.localhost").bearer_auth(token);
        let answer = request.send().await.unwrap_or_else(|e| panic!("request {round}: {e:?}"));
        assert!(answer.status().is_success(), "request {round}: {}", answer.status());
        let is_last = answer.headers().get("connection").is_some_and(|value| value == "close");
        answer.bytes().await.unwrap();
        if is_last {
            return round + 1;
        }
    }
    0
}

#[actix_web::test]
async fn clients_with_kept_connections_are_sent_elsewhere_without_a_failed_request() {
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
    let settings = [
        ("MUSTER__NODE__REGIONS", "us"),
        ("MUSTER__SERVER__DRAIN_DELAY", "2s"),
        ("MUSTER__SERVER__WORKERS", "2"),
        ("MUSTER__LOG__LEVEL", "info"),
    ];
    let mut server = Binary::serve(&stores, &settings).await;
    let clients = join_all((0..CLIENTS).map(|number| work(number, server.address, &token)));
    let stop = async {
        // In the middle of it: when some requests have been answered.
        crate::support::until("some answers", async || {
            (server.log().matches("\"message\":\"request\"").count() > 100).then_some(())
        })
        .await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nhost: app.localhost\r\nauthorization: Bearer {token}\r\ncontent-length: 19\r\n\r\n{{\"userName\":"
        );
        slow.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.terminate();
        tokio::time::sleep(Duration::from_millis(300)).await;
        slow.write_all(b"\"slow\"}").await.unwrap();
        let mut said = String::new();
        slow.read_to_string(&mut said).await.unwrap();
        said
    };
    let (answered, said) = tokio::join!(clients, stop);
    assert!(said.starts_with("HTTP/1.1 201") && said.contains("connection: close"), "{said}");

    assert!(answered.iter().sum::<usize>() > 100, "{answered:?}");
    assert!(server.end().await.success());
    // Every person that was answered with 201 is there.
    let creates: usize = answered.iter().map(|requests| requests.div_ceil(3)).sum();
    let log = json(&stores, &["log", "acme", "--last", "10000"]);
    let made = log["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["reason"] == "user_created")
        .count();
    assert_eq!(made, creates + 1);
}
