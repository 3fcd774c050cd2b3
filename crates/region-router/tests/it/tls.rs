//! The way to a peer behind TLS. The certificates in `fixtures/tls` are for `localhost`; who signed them has thrown the key away.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use region_router::Region;
use region_router::peer::{Gateway, Link, Outgoing, PeerTls, TlsError, Unreachable, Upload};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs};
use tokio_util::task::TaskTracker;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn identity(name: &str) -> Option<(PathBuf, PathBuf)> {
    Some((fixture(&format!("{name}.pem")), fixture(&format!("{name}.key"))))
}

/// A gateway that shows this certificate, asks for one of the same authority, and answers 204; where it is.
async fn peer(name: &str) -> String {
    let (chain, key) = identity(name).unwrap();
    let chain = CertificateDer::pem_file_iter(chain).unwrap().collect::<Result<_, _>>().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    TaskTracker::new().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok();
            }
        }
    });
    format!("https://127.0.0.1:{}", address.port())
}

async fn ask(url: &str, tls: &PeerTls) -> Result<u16, Unreachable> {
    let region = Region::parse("eu").unwrap();
    let link = Link::new(region, Gateway::parse(url).unwrap(), 4, tls).unwrap();
    let outgoing = Outgoing {
        method: Method::GET,
        target: "/",
        host: HeaderValue::from_static("eu-app.localhost"),
        headers: HeaderMap::new(),
        upload: Upload::none(),
        whose: Some("abc"),
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let answer = link.send(&outgoing, |_| None, |_| {}).await?;
    Ok(answer.head.status.as_u16())
}

fn ours(identity: Option<(PathBuf, PathBuf)>) -> PeerTls {
    PeerTls { authorities: Some(fixture("ca.pem")), identity }
}

#[tokio::test]
async fn both_sides_prove_who_they_are() {
    let url = peer("server").await;
    assert_eq!(ask(&url, &ours(identity("client"))).await, Ok(204));
}

#[tokio::test]
async fn a_node_without_a_certificate_of_the_authority_gets_no_answer() {
    let url = peer("server").await;
    assert_eq!(ask(&url, &ours(None)).await, Err(Unreachable::Failed));
    assert_eq!(ask(&url, &ours(identity("stranger"))).await, Err(Unreachable::Failed));
}

#[tokio::test]
async fn a_peer_whose_certificate_is_over_or_of_another_authority_gets_no_request() {
    for name in ["expired", "stranger"] {
        let url = peer(name).await;
        assert_eq!(ask(&url, &ours(identity("client"))).await, Err(Unreachable::Failed), "{name}");
    }
    // The system does not know the test's authority.
    let url = peer("server").await;
    let system = PeerTls { authorities: None, identity: identity("client") };
    assert_eq!(ask(&url, &system).await, Err(Unreachable::Failed));
}

#[tokio::test]
async fn a_certificate_is_renewed_without_a_restart_and_kept_while_its_file_is_bad() {
    let url = peer("server").await;
    let folder = std::env::temp_dir().join(format!("muster-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (chain, key) = (folder.join("node.pem"), folder.join("node.key"));
    let put = |name: &str| {
        let (from_chain, from_key) = identity(name).unwrap();
        std::fs::copy(from_chain, &chain).unwrap();
        std::fs::copy(from_key, &key).unwrap();
    };
    put("stranger");
    let region = Region::parse("eu").unwrap();
    let tls = ours(Some((chain.clone(), key.clone())));
    let link = Link::new(region, Gateway::parse(&url).unwrap(), 4, &tls).unwrap();
    let send = || async {
        let outgoing = Outgoing {
            method: Method::GET,
            target: "/",
            host: HeaderValue::from_static("eu-app.localhost"),
            headers: HeaderMap::new(),
            upload: Upload::none(),
            whose: Some("abc"),
            deadline: Instant::now() + Duration::from_secs(10),
        };
        let answer = link.send(&outgoing, |_| None, |_| {}).await;
        answer.map(|answer| answer.head.status.as_u16())
    };
    assert_eq!(send().await, Err(Unreachable::Failed));
    put("client");
    assert_eq!(send().await, Ok(204));
    std::fs::write(&chain, Bytes::new()).unwrap();
    assert_eq!(send().await, Ok(204));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let gateway = || Gateway::parse("https://localhost").unwrap();
    let new = |tls: &PeerTls| Link::new(Region::parse("eu").unwrap(), gateway(), 4, tls);
    let none = PeerTls { authorities: Some(fixture("nowhere.pem")), identity: None };
    let error = new(&none).unwrap_err();
    assert!(error.to_string().contains("nowhere.pem"), "{error}");
    let empty = PeerTls { authorities: Some(fixture("client.key")), identity: None };
    assert!(matches!(new(&empty), Err(TlsError::Empty(_))));
    let swapped = PeerTls {
        authorities: None,
        identity: Some((fixture("client.pem"), fixture("server.key"))),
    };
    assert!(matches!(new(&swapped), Err(TlsError::Unusable(_))));
}
