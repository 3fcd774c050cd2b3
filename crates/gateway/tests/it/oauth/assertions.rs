//! Clients that prove themselves by an assertion (RFC 7523).

use super::{Client, Reply};
use crate::support::TestGateway;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tenant_registry::Assertion;

const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) struct Idp {
    key: EncodingKey,
    pub(super) jwks: String,
}

impl Idp {
    pub(super) fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1" });
        let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { key, jwks: json!({ "keys": [jwk] }).to_string() }
    }

    pub(super) fn assert(&self, client: &Client, jti: &str) -> String {
        let host = &client.tenant.host;
        let port = client.tenant.address.port();
        self.sign(&json!({
            "iss": "https://idp.example",
            "sub": "robot",
            "aud": format!("http://{host}:{port}/oauth2/token"),
            "exp": now() + 300,
            "jti": jti,
        }))
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    pub(super) async fn client(&self, gateway: &TestGateway) -> Client {
        let acme = gateway.tenant("acme").await;
        let assertion = Assertion {
            issuer: "https://idp.example".to_owned(),
            subject: "robot".to_owned(),
            audience: None,
            jwks: self.jwks.clone(),
        };
        Client::of(&acme, |new| new.assertion = Some(assertion)).await
    }
}

fn now() -> i64 {
    time::OffsetDateTime::from(std::time::SystemTime::now()).unix_timestamp()
}

pub(super) async fn as_client(client: &Client, assertion: &str) -> Reply {
    client
        .ask(&[
            ("grant_type", "client_credentials"),
            ("client_id", client.id()),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", assertion),
        ])
        .await
}

async fn as_grant(client: &Client, assertion: &str) -> Reply {
    let id = client.id();
    client.ask(&[("grant_type", GRANT), ("client_id", id), ("assertion", assertion)]).await
}

#[actix_web::test]
async fn an_assertion_stands_for_the_client_or_for_the_grant() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let by_client = as_client(&client, &idp.assert(&client, "1")).await;
    let by_grant = as_grant(&client, &idp.assert(&client, "2")).await;
    let beside = client
        .request(&[("grant_type", GRANT), ("assertion", &idp.assert(&client, "3"))])
        .header("authorization", super::basic(client.id(), &client.secret));
    for token in [by_client.token(), by_grant.token(), Reply::of(beside).await.token()] {
        client.with_token(&token).get("/Users").await.assert(200);
    }
}

#[actix_web::test]
async fn an_assertion_is_good_once() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let assertion = idp.assert(&client, "1");
    as_client(&client, &assertion).await.token();
    as_client(&client, &assertion).await.refused(401, "invalid_client");
    as_grant(&client, &assertion).await.refused(400, "invalid_grant");
    // Another one with the same id is the same one.
    as_client(&client, &idp.assert(&client, "1")).await.refused(401, "invalid_client");
    as_client(&client, &idp.assert(&client, "2")).await.token();
}

#[actix_web::test]
async fn an_assertion_that_is_not_good_is_refused_and_noted() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = idp.client(&gateway).await;
    let endpoint = format!("http://{}:{}/oauth2/token", client.tenant.host, gateway.address.port());
    let good = json!({
        "iss": "https://idp.example", "sub": "robot", "aud": endpoint, "exp": now() + 300,
    });
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("sub", json!(client.id())),
        ("aud", json!("http://eu-app.localhost/oauth2/token")),
        ("exp", json!(now() - 61)),
        ("exp", json!(now() + 7_200)),
        ("exp", json!((now() + 300).to_string())),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        let assertion = idp.sign(&claims);
        as_client(&client, &assertion).await.refused(401, "invalid_client");
        as_grant(&client, &assertion).await.refused(400, "invalid_grant");
    }
    let stranger = Idp::new().assert(&client, "9");
    as_client(&client, &stranger).await.refused(401, "invalid_client");
    for nonsense in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        as_grant(&client, nonsense).await.refused(400, "invalid_grant");
    }
    as_client(&client, &idp.assert(&client, "1")).await.token();
    let rows = client.tenant.decisions_until(1).await;
    assert!(rows.iter().all(|row| row.reason == "client_assertion_invalid"), "{rows:?}");
    // Good JSON Web Tokens are no access tokens.
    let own = client.with_token(&idp.assert(&client, "5"));
    own.get("/Users").await.refused(401, "token_foreign_jwt", None);
}

#[actix_web::test]
async fn a_client_without_configured_keys_has_no_use_for_assertions() {
    let (gateway, idp) = (TestGateway::start().await, Idp::new());
    let client = super::usual(&gateway).await;
    let assertion = idp.assert(&client, "1");
    as_client(&client, &assertion).await.refused(401, "invalid_client");
    as_grant(&client, &assertion).await.refused(400, "invalid_grant");
    let both = client
        .request(&[("grant_type", GRANT), ("assertion", &assertion)])
        .header("authorization", super::basic(client.id(), &client.secret));
    Reply::of(both).await.refused(400, "unauthorized_client");
    client
        .ask(&[("grant_type", GRANT), ("client_id", client.id())])
        .await
        .refused(400, "invalid_request");
}
