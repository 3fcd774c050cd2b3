//! OAuth clients as an administrator makes them: keys for assertions, warnings, last use.

use super::api::Api;
use crate::support::tenant::{TestTenant, encoded};
use crate::support::{TestGateway, until};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// A pair on P-256: what signs, and the JWK without an id.
fn p256() -> (EncodingKey, Value) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = pair.to_pkcs8v1().unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let half = |range: std::ops::Range<usize>| BASE64_URL_SAFE_NO_PAD.encode(&point[range]);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": half(1..33), "y": half(33..65) });
    (EncodingKey::from_ec_der(der.as_ref()), jwk)
}

fn with_keys(keys: &Value) -> Value {
    json!({ "name": "Entra", "assertion": {
        "issuer": "https://idp.example", "subject": "robot", "jwks": json!({ "keys": keys }).to_string(),
    } })
}

fn path(tenant: &TestTenant) -> String {
    format!("/admin/v1/tenants/{}/oauth-clients", tenant.tenant.id)
}

/// Asks for a token at the tenant's host.
async fn ask(tenant: &TestTenant, form: &[(&str, &str)]) -> Value {
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let url = format!("http://{}/oauth2/token", tenant.address);
    let request = tenant.http.post(url).header("host", &tenant.host);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(pairs.join("&")).send().await.unwrap().json().await.unwrap()
}

#[actix_web::test]
async fn a_client_that_signs_with_es256_and_names_no_key_is_made_and_gets_a_token() {
    let gateway = TestGateway::start().await;
    let (api, acme, (key, jwk)) = (Api::of(&gateway), gateway.tenant("acme").await, p256());
    let mut given = jwk.clone();
    given["ext"] = json!(true);
    let made = api.post(&path(&acme), &with_keys(&json!([given]))).await.assert(201);
    assert_eq!(made.body["client_secret"], Value::Null);
    let kept: Value =
        serde_json::from_str(made.body["assertion"]["jwks"].as_str().unwrap()).unwrap();
    assert_eq!(kept, json!({ "keys": [jwk] }), "the public members, and no others");

    let now = time::OffsetDateTime::from(std::time::SystemTime::now()).unix_timestamp();
    let claims = json!({
        "iss": "https://idp.example", "sub": "robot", "exp": now + 300,
        "aud": format!("http://{}:{}/oauth2/token", acme.host, acme.address.port()),
    });
    let assertion = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap();
    let id = made.id();
    let answer = ask(
        &acme,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", &id),
            ("assertion", &assertion),
        ],
    )
    .await;
    let token = answer["access_token"].as_str().unwrap().to_owned();
    TestTenant { token, ..acme }.get("/Users").await.assert(200);
}

#[actix_web::test]
async fn a_private_key_is_refused_and_kept_nowhere() {
    let gateway = TestGateway::start().await;
    let (api, acme, (_, jwk)) = (Api::of(&gateway), gateway.tenant("acme").await, p256());
    let mut private = jwk.clone();
    private["d"] = json!("c2VjcmV0IG51bWJlcg");
    let reply = api.post(&path(&acme), &with_keys(&json!([jwk, private]))).await;
    let said = reply.refused_field(422, "field_invalid", "assertion.jwks");
    assert!(said.contains("private key (member d)"), "{said}");
    assert!(!reply.text.contains("c2VjcmV0"), "{}", reply.text);
    assert!(api.get(&path(&acme)).await.data().is_empty());
    for keys in [json!([]), json!([{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }])] {
        let reply = api.post(&path(&acme), &with_keys(&keys)).await;
        reply.refused_field(422, "field_invalid", "assertion.jwks");
    }
    // The same holds for a change.
    let made = api.post(&path(&acme), &with_keys(&json!([jwk]))).await.assert(201);
    let one = format!("{}/{}", path(&acme), made.id());
    let change = with_keys(&json!([private]));
    let reply = api.patch(&one, &json!({ "assertion": change["assertion"] })).await;
    reply.refused_field(422, "field_invalid", "assertion.jwks");
}

#[actix_web::test]
async fn a_client_shows_when_by_what_and_from_where_it_was_last_used() {
    let settings = [("MUSTER__REGISTRY__USES_INTERVAL", "50ms")];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let made = api.post(&path(&acme), &json!({ "name": "Entra" })).await.assert(201);
    assert_eq!(made.body["last_used_at"], Value::Null);
    let (id, secret) = (made.id(), made.text("client_secret"));
    let form =
        [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    assert!(ask(&acme, &form).await["access_token"].is_string());
    let one = format!("{}/{id}", path(&acme));
    let seen = until("the use", async || {
        let seen = api.get(&one).await.assert(200);
        seen.body["last_used_at"].is_string().then_some(seen)
    })
    .await;
    assert_eq!(seen.body["last_network"], "127.0.0.0/24");
    assert!(seen.body["last_client"].is_string());
    let listed = api.get(&path(&acme)).await;
    assert_eq!(listed.data()[0]["last_used_at"], seen.body["last_used_at"]);
}
