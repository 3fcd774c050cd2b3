//! A peer that is dead, slow, looping or rude, and a client that goes away.

use super::peer::{Does, Peer, head};
use super::{PORT, Pair, home, tenant};
use crate::support::redis::free_port;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An edge to a peer at an address, a tenant there, and what keeps the registry.
async fn edge_to(
    gateway: SocketAddr,
    settings: &[(&str, &str)],
) -> (TestGateway, TestTenant, TestGateway) {
    let (home, _) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let edge = home.edge(gateway, &[&[PORT], settings].concat()).await;
    let there = edge.at(&acme);
    (edge, there, home)
}

#[actix_web::test]
async fn a_dead_peer_is_answered_for_at_once_and_the_own_region_is_served() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (edge, there, _home) = edge_to(nobody, &[]).await;
    let own = edge.tenant("own").await;
    for _ in 0..6 {
        let answer = there.post("/Users", &json!({ "userName": "ada" })).await;
        answer.refused(503, "region_unreachable", None);
        assert!(answer.header("retry-after").is_some());
    }
    for _ in 0..20 {
        let began = Instant::now();
        there.get("/Users").await.refused(503, "region_unreachable", None);
        // One of them may try the peer.
        assert!(began.elapsed() < Duration::from_millis(350), "{:?}", began.elapsed());
        own.get("/Users").await.assert(200);
    }
}

#[actix_web::test]
async fn what_no_gateway_said_is_not_passed_on() {
    // A server whose client is slow, and a balancer whose gateways are gone.
    for said in [
        "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 8\r\n\r\n<h1>502\n",
    ] {
        let (_peer, address) = Peer::start(Does::Say(said)).await;
        let (_edge, there, _home) = edge_to(address, &[]).await;
        let answer = there.post("/Users", &json!({ "userName": "ada" })).await;
        answer.refused(503, "region_unreachable", None);
        assert!(answer.header("retry-after").is_some());
    }
}

#[actix_web::test]
async fn a_peer_that_comes_back_is_asked_again() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (home, keys) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let edge = home.edge(address, &[PORT, ("MUSTER__NODE__KEYS", &keys)]).await;
    let there = edge.at(&acme);
    for _ in 0..6 {
        there.get("/Users").await.assert(503);
    }
    let listen = address.to_string();
    let stores = home.stores.borrowed();
    let again = [PORT, ("MUSTER__SERVER__LISTEN", listen.as_str())];
    let _back = TestGateway::start_on(stores, &["eu"], &again).await;
    let began = Instant::now();
    until("an answer", async || {
        let status = there.get("/Users").await.status;
        (status == 200).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[actix_web::test]
async fn a_slow_peer_is_waited_for_until_the_deadline() {
    let (_peer, address) = Peer::start(Does::Wait).await;
    let settings = [("MUSTER__LIMITS__REQUEST_TIMEOUT", "300ms")];
    let (_edge, there, _home) = edge_to(address, &settings).await;
    let began = Instant::now();
    let answer = there.get("/Users").await;
    answer.refused(503, "request_timeout", None);
    assert!(answer.header("retry-after").is_some());
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[actix_web::test]
async fn no_more_requests_wait_for_a_peer_than_have_a_place() {
    let (peer, address) = Peer::start(Does::Wait).await;
    let settings = [("MUSTER__REGIONS__EU__GATEWAY_CONNECTIONS", "1")];
    let (_edge, there, _home) = edge_to(address, &settings).await;
    let waiting = there.clone();
    let first = tokio::task::spawn_local(async move { waiting.get("/Users").await.status });
    until("the first", async || (peer.heads().len() == 1).then_some(())).await;
    let began = Instant::now();
    there.get("/Users").await.refused(503, "region_unreachable", None);
    assert!(began.elapsed() < Duration::from_secs(1));
    first.abort();
}

#[actix_web::test]
async fn who_asks_for_tokens_takes_an_eighth_of_the_places_and_is_counted_here() {
    let (peer, address) = Peer::start(Does::Wait).await;
    let settings = [("MUSTER__REGIONS__EU__GATEWAY_CONNECTIONS", "8")];
    let (edge, there, _home) = edge_to(address, &settings).await;
    let url = format!("http://{}/oauth2/token", edge.address);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let ask = move || {
        let request = client.post(&url).header("host", "eu-app.localhost");
        let request = request.body("grant_type=client_credentials");
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let first = tokio::task::spawn_local(ask());
    until("the first", async || (peer.heads().len() == 1).then_some(())).await;
    assert_eq!(ask().await, 503, "the only place of those who are not known is taken");
    let waiting = there.clone();
    let second = tokio::task::spawn_local(async move { waiting.get("/Users").await.status });
    until("a tenant's", async || (peer.heads().len() == 2).then_some(())).await;
    // A burst is let through, and no more.
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) && statuses.len() < 1000 {
        statuses.push(ask().await);
    }
    assert_eq!(statuses.last(), Some(&429));
    assert!(statuses.len() > 100 && peer.heads().len() == 2);
    first.abort();
    second.abort();
}

#[actix_web::test]
async fn a_second_hop_is_508() {
    let stores = crate::support::stores::Stores::new(&["us", "eu"]);
    let keys = stores.folder().join("edge-keys");
    let jwk = gateway::admin::keys::Keys::within(&keys).signing().unwrap().to_jwk().unwrap();
    let jwks = stores.folder().join("peers.json");
    std::fs::write(&jwks, json!({ "keys": [jwk] }).to_string()).unwrap();
    let (keys, jwks) = (keys.display().to_string(), jwks.display().to_string());
    // The one in the middle believes the first, has no store, and knows another gateway.
    let (peer, address) = Peer::start(Does::Answer).await;
    let first = TestGateway::start_on(stores, &["us", "eu"], &[PORT]).await;
    let acme = tenant(&first, "acme").await;
    let middle = first.edge(address, &[PORT, ("MUSTER__NODE__PEER_JWKS", &jwks)]).await;
    let edge = first.edge(middle.address, &[PORT, ("MUSTER__NODE__KEYS", &keys)]).await;
    edge.at(&acme).get("/Users").await.refused(508, "routing_loop", None);
    assert!(peer.heads().is_empty());
    // Whoever comes to it by himself is a client.
    middle.at(&acme).get("/Users").await.assert(200);
    assert_eq!(peer.heads().len(), 1);
}

#[actix_web::test]
async fn nodes_that_do_not_believe_each_other_do_not_loop_either() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (home, _) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let keys = home.stores.folder().join("other").display().to_string();
    let one = home.edge(address, &[PORT]).await;
    let listen = address.to_string();
    let other = [PORT, ("MUSTER__NODE__KEYS", &keys), ("MUSTER__SERVER__LISTEN", &listen)];
    let _other = home.edge(one.address, &other).await;
    one.at(&acme).get("/Users").await.refused(508, "routing_loop", None);
}

#[actix_web::test]
async fn a_client_that_goes_away_takes_its_request_along() {
    let (peer, address) = Peer::start(Does::Wait).await;
    let (edge, there, _home) = edge_to(address, &[]).await;
    let mut client = TcpStream::connect(edge.address).await.unwrap();
    let request = format!(
        "GET /scim/v2/Users HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        there.host, there.token
    );
    client.write_all(request.as_bytes()).await.unwrap();
    until("the request", async || (peer.heads().len() == 1).then_some(())).await;
    drop(client);
    until("its end", async || (peer.ended() == 1).then_some(())).await;
}

#[actix_web::test]
async fn only_what_reads_is_sent_twice() {
    let (peer, address) = Peer::start(Does::HangUp).await;
    let (_edge, there, _home) = edge_to(address, &[]).await;
    there.get("/Users").await.refused(503, "region_unreachable", None);
    assert_eq!(peer.heads().len(), 2);
    there.post("/Users", &json!({ "userName": "ada" })).await.assert(503);
    assert_eq!(peer.heads().len(), 3);
    there.delete("/Users/1").await.assert(503);
    assert_eq!(peer.heads().len(), 4, "a DELETE may have been done");
    let assertions: std::collections::BTreeSet<String> = peer
        .heads()
        .iter()
        .map(|head| head.lines().find(|line| line.starts_with("x-muster-hop: ")).unwrap().into())
        .collect();
    assert_eq!(assertions.len(), 4, "each time with an assertion of its own");
}

/// More than the buffers of two connections hold.
const LARGE: usize = 64 << 20;
const PIECE: usize = 1 << 16;

#[actix_web::test]
async fn a_body_is_not_collected_on_its_way_out_or_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (edge, there, _home) = edge_to(listener.local_addr().unwrap(), &[]).await;
    let mut client = TcpStream::connect(edge.address).await.unwrap();
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: {LARGE}\r\n\r\n",
        there.host, there.token
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let asked = head(&mut peer).await.unwrap();
    assert!(asked.contains(&format!("content-length: {LARGE}")), "{asked}");
    // The peer does not read, and so the client cannot go on.
    let sent = push(&mut client).await;
    assert!(sent < LARGE / 2, "{sent} bytes are kept somewhere");
    pull(&mut peer, sent).await;
    tokio::join!(
        async {
            for _ in 0..(LARGE - sent) / PIECE {
                client.write_all(&vec![b'a'; PIECE]).await.unwrap();
            }
            client.write_all(&vec![b'a'; (LARGE - sent) % PIECE]).await.unwrap();
        },
        pull(&mut peer, LARGE - sent)
    );
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n");
    peer.write_all(answer.as_bytes()).await.unwrap();
    let sent = push(&mut peer).await;
    assert!(sent < LARGE / 2, "{sent} bytes are kept somewhere");
    let told = head(&mut client).await.unwrap();
    assert!(told.contains(&format!("content-length: {LARGE}")), "{told}");
    pull(&mut client, sent).await;
}

/// Writes until nothing has been taken for a second; how much was.
async fn push(stream: &mut TcpStream) -> usize {
    let mut sent = 0;
    let piece = vec![b'a'; PIECE];
    while sent < LARGE - PIECE {
        match tokio::time::timeout(Duration::from_secs(1), stream.write(&piece)).await {
            Ok(written) => sent += written.unwrap(),
            Err(_full) => break,
        }
    }
    sent
}

/// Reads so many bytes.
async fn pull(stream: &mut TcpStream, mut left: usize) {
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let most = left.min(PIECE);
        let read = stream.read(&mut piece[..most]).await.unwrap();
        assert_ne!(read, 0, "{left} bytes are missing");
        left -= read;
    }
}

#[actix_web::test]
async fn a_body_of_ten_megabytes_arrives_whole() {
    let pair = Pair::start_with(&[("MUSTER__LIMITS__BODY_BYTES", "16777216")]).await;
    let acme = tenant(&pair.home, "acme").await;
    let there = pair.edge.at(&acme);
    let body = format!("{{\"userName\":{}\"ada\"}}", " ".repeat(10 << 20));
    let call = there.call("POST", "/Users").header("content-type", "application/scim+json");
    let made = call.body(body).send().await.assert(201);
    let path = format!("/Users/{}", made.id());
    assert_eq!(there.get(&path).await.text, acme.get(&path).await.text);
    // Beyond the limit the home region says so.
    let larger = json!({ "userName": "bob", "note": "a".repeat(20 << 20) });
    there.post("/Users", &larger).await.refused(413, "body_too_large", None);
}
