//! Whose word is believed about where a request comes from, and what becomes of everybody else's.

use super::peer::{Does, Peer};
use super::{PORT, home, tenant};
use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use gateway::admin::keys::Keys;
use region_router::Region;
use region_router::peer::{Asserted, Bound, SigningKey};
use std::path::Path;
use std::time::Duration;
use tenant_registry::{Networks, NewCredential, Routing, TenantChange};

fn key_in(folder: &Path) -> SigningKey {
    let key = Keys::within(folder).signing().unwrap();
    SigningKey::new(&key.kid, key.private()).unwrap()
}

fn now() -> i64 {
    time::OffsetDateTime::from(std::time::SystemTime::now()).unix_timestamp()
}

/// From where the client of these tests is said to come.
const CLIENT: &str = "192.0.2.7";

fn asserted(left: Duration) -> Asserted {
    Asserted { address: CLIENT.parse().unwrap(), left, trace_parent: None }
}

async fn with_hop(tenant: &TestTenant, assertion: &str) -> Answer {
    tenant.call("GET", "/Users").header("x-muster-hop", assertion).send().await
}

/// The home of a tenant whose token is good from [`CLIENT`]'s network alone.
async fn bound_tenant() -> (TestGateway, TestTenant, SigningKey) {
    let (home, keys) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let networks = Networks::parse("192.0.2.0/24").unwrap();
    let new = NewCredential { networks, ..NewCredential::new("bound", Duration::from_secs(3_600)) };
    let acme = home.with_credential(&acme, &new).await;
    (home, acme, key_in(Path::new(&keys)))
}

#[actix_web::test]
async fn only_a_good_assertion_says_where_the_client_is() {
    let (home, acme, key) = bound_tenant().await;
    let (eu, us) = (Region::parse("eu").unwrap(), Region::parse("us").unwrap());
    let good = Bound {
        region: &eu,
        method: "GET",
        target: "/scim/v2/Users",
        host: "eu-app.localhost",
        key_id: &acme.key_id,
    };
    let said = asserted(Duration::from_secs(5));
    let sign =
        |key: &SigningKey, bound: &Bound<'_>, nonce, at| key.sign(bound, &said, nonce, at).unwrap();
    let taken = sign(&key, &good, 1, now());
    with_hop(&acme, &taken).await.assert(200);

    let stranger = key_in(&home.stores.folder().join("stranger"));
    for (what, assertion) in [
        ("replayed", taken),
        ("expired", sign(&key, &good, 2, now() - 3_600)),
        ("of the future", sign(&key, &good, 3, now() + 3_600)),
        ("of another region", sign(&key, &Bound { region: &us, ..good }, 4, now())),
        ("of another method", sign(&key, &Bound { method: "POST", ..good }, 5, now())),
        ("of another path", sign(&key, &Bound { target: "/scim/v2/Groups", ..good }, 6, now())),
        ("of another token", sign(&key, &Bound { key_id: "other", ..good }, 7, now())),
        ("of a stranger", sign(&stranger, &good, 8, now())),
        ("forged", format!("{}x", sign(&key, &good, 9, now()))),
        ("nothing", "nothing".to_owned()),
    ] {
        let refused = with_hop(&acme, &assertion).await;
        let text = refused.refused(403, "network_not_allowed", None);
        assert!(text.contains("127.0.0.1"), "{what}: {text}");
    }
    let twice = acme
        .call("GET", "/Users")
        .header("x-muster-hop", &sign(&key, &good, 10, now()))
        .header("x-muster-hop", &sign(&key, &good, 11, now()));
    twice.send().await.refused(403, "network_not_allowed", None);
}

#[actix_web::test]
async fn the_clients_address_travels_and_its_own_word_for_it_does_not() {
    let (home, keys) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let networks = Networks::parse("192.0.2.0/24").unwrap();
    let new = NewCredential { networks, ..NewCredential::new("bound", Duration::from_secs(3_600)) };
    let acme = home.with_credential(&acme, &new).await;
    let behind = [
        PORT,
        ("MUSTER__NODE__KEYS", keys.as_str()),
        ("MUSTER__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let proxied = home.edge(home.address, &behind).await;
    let edge = home.edge(home.address, &behind[..2]).await;
    let from = async |gateway: &TestGateway, address: &str| {
        let call = gateway.at(&acme).call("GET", "/Users").header("x-forwarded-for", address);
        call.header("x-real-ip", address)
            .header("forwarded", &format!("for={address}"))
            .send()
            .await
    };
    from(&proxied, "192.0.2.9").await.assert(200);
    from(&proxied, "198.51.100.1").await.refused(403, "network_not_allowed", None);
    from(&edge, "192.0.2.9").await.refused(403, "network_not_allowed", None);
}

#[actix_web::test]
async fn a_peer_waits_no_longer_than_the_one_who_asks() {
    let (_home, acme, key) = bound_tenant().await;
    let eu = Region::parse("eu").unwrap();
    let bound = Bound {
        region: &eu,
        method: "GET",
        target: "/scim/v2/Users",
        host: "eu-app.localhost",
        key_id: &acme.key_id,
    };
    let assertion = key.sign(&bound, &asserted(Duration::ZERO), 1, now()).unwrap();
    with_hop(&acme, &assertion).await.refused(503, "request_timeout", None);
}

#[actix_web::test]
async fn a_body_that_is_not_there_by_then_is_not_waited_for() {
    let (home, acme, key) = bound_tenant().await;
    let eu = Region::parse("eu").unwrap();
    let bound = Bound {
        region: &eu,
        method: "POST",
        target: "/scim/v2/Users",
        host: "eu-app.localhost",
        key_id: &acme.key_id,
    };
    let assertion = key.sign(&bound, &asserted(Duration::from_millis(300)), 1, now()).unwrap();
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: eu-app.localhost\r\nauthorization: Bearer {}\r\nx-muster-hop: {assertion}\r\ncontent-type: application/scim+json\r\ncontent-length: 9\r\n\r\n",
        acme.token
    );
    let (status, _, _) = crate::support::raw::exchange(home.address, request.as_bytes()).await;
    assert_eq!(status, 408);
}

#[actix_web::test]
async fn a_strict_tenant_is_sent_away_before_its_body_is_read() {
    let (peer, address) = Peer::start(Does::Answer).await;
    let (home, _) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let edge = home.edge(address, &[PORT]).await;
    let there = edge.at(&acme);
    there.get("/Users").await.assert(200);
    let strict = TenantChange { routing: Some(Routing::Strict), ..TenantChange::default() };
    home.change(&acme, strict).await;
    let refused = crate::support::until("the refusal", async || {
        let answer = there.get("/Users").await;
        (answer.status == 421).then_some(answer)
    })
    .await;
    let text = refused.refused(421, "region_not_here", None);
    assert!(text.contains("http://eu-app.localhost/scim/v2"), "{text}");
    let heads = peer.heads().len();
    // A body that never comes is not waited for.
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: eu-app.localhost\r\nauthorization: Bearer {}\r\ncontent-length: 9\r\n\r\n",
        acme.token
    );
    let (status, head, _) = crate::support::raw::exchange(edge.address, request.as_bytes()).await;
    assert_eq!(status, 421);
    assert!(
        head.contains("cache-control: no-store") && head.contains("connection: close"),
        "{head}"
    );
    assert_eq!(peer.heads().len(), heads);
    acme.get("/Users").await.assert(200);
}

#[actix_web::test]
async fn hop_headers_of_a_client_go_no_further() {
    let (peer, address) = Peer::start(Does::Answer).await;
    let (home, _) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let edge = home.edge(address, &[PORT]).await;
    let call = edge.at(&acme).call("GET", "/Users?filter=a");
    let answer = [
        ("x-muster-hop", "mine"),
        ("forwarded", "for=10.9.9.9"),
        ("x-forwarded-for", "10.9.9.9"),
        ("x-forwarded-host", "app.localhost"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "10.9.9.9"),
        ("via", "1.1 10.9.9.9, 1.1 muster-10-9-9-9"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "a=10.9.9.9"),
        ("baggage", "a=10.9.9.9"),
        ("connection", "x-mine, authorization"),
        ("x-mine", "10.9.9.9"),
        ("te", "trailers"),
        ("x-other", "kept"),
    ]
    .into_iter()
    .fold(call, |call, (name, value)| call.header(name, value))
    .send()
    .await
    .assert(200);
    assert_eq!(answer.header("x-hop"), None, "what is of a connection stays on it");
    let heads = peer.heads();
    let head = heads[0].as_str();
    assert!(head.starts_with("get /scim/v2/users?filter=a http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: eu-app.localhost\r\n"), "{head}");
    assert!(
        head.contains("\r\nx-other: kept\r\n") && head.contains("\r\nauthorization: "),
        "{head}"
    );
    assert_eq!(head.matches("x-muster-hop: ").count(), 1, "{head}");
    assert!(head.contains("\r\nvia: 1.1 muster-10-9-9-9, 1.1 muster-"), "{head}");
    for gone in [
        "10.9.9.9",
        ": mine",
        "x-forwarded",
        "\r\ntraceparent",
        "0af7",
        "baggage",
        "\r\nte:",
        "x-mine",
    ] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
}

#[actix_web::test]
async fn keys_are_changed_without_a_restart() {
    let (home, keys) = home(&[]).await;
    let acme = tenant(&home, "acme").await;
    let new = NewCredential {
        networks: Networks::parse("192.0.2.0/24").unwrap(),
        ..NewCredential::new("bound", Duration::from_secs(3_600))
    };
    let acme = home.with_credential(&acme, &new).await;
    let jwks = home.stores.folder().join("peers.json");
    let own = jwks.display().to_string();
    let behind = [
        PORT,
        ("MUSTER__NODE__KEYS", keys.as_str()),
        ("MUSTER__NODE__PEER_JWKS", &own),
        ("MUSTER__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let edge = home.edge(home.address, &behind).await;
    let there = edge.at(&acme);
    let ask =
        async || there.call("GET", "/Users").header("x-forwarded-for", CLIENT).send().await.status;
    assert_eq!(ask().await, 200);
    // The next key does not sign before the nodes know it.
    let folder = Keys::within(Path::new(&keys));
    let first = folder.signing().unwrap();
    let next = folder.rotate().unwrap();
    assert_eq!(ask().await, 200);
    let write = |keys: &[&gateway::admin::keys::Key]| {
        let keys: Vec<_> = keys.iter().map(|key| key.to_jwk().unwrap()).collect();
        std::fs::write(&jwks, serde_json::json!({ "keys": keys }).to_string()).unwrap();
    };
    write(&[&first, &next]);
    assert_eq!(ask().await, 200);
    write(&[&next]);
    crate::support::until("the new key", async || (ask().await == 200).then_some(())).await;
    write(&[]);
    crate::support::until("the end of trust", async || (ask().await == 403).then_some(())).await;
}
