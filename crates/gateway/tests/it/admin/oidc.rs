//! Callers with tokens of a configured OIDC provider.

use super::api::{Api, Reply};
use super::jwt::{Jwt, SigningKey, now};
use crate::support::{TestGateway, until};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const ME: &str = "/admin/v1/me";
const ISSUER: &str = "https://login.example.com/v2.0";

/// A token as the provider issues it.
fn token(role: &str) -> Jwt {
    Jwt {
        header: json!({ "alg": "RS256", "typ": "at+jwt" }),
        claims: json!({ "iss": ISSUER, "aud": "api://muster", "sub": "carol", "exp": now() + 3600, "role": role, "scope": "tenants:read logs" }),
    }
}

/// A provider's key set over HTTP.
struct Provider {
    url: String,
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
}

impl Provider {
    fn start(keys: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let (keys, asked) = (Arc::new(Mutex::new(keys.clone())), Arc::new(AtomicUsize::new(0)));
        let is_down = Arc::new(AtomicBool::new(false));
        let (shown, count, down) = (Arc::clone(&keys), Arc::clone(&asked), Arc::clone(&is_down));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 4096];
                let _read = stream.read(&mut head).unwrap();
                let (status, body) = if down.load(Ordering::SeqCst) {
                    ("503 Service Unavailable", "{\"keys\":[]}".to_owned())
                } else {
                    ("200 OK", shown.lock().unwrap().to_string())
                };
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
            }
        });
        Self { url, keys, asked, is_down }
    }
}

async fn gateway(jwks: &str) -> (TestGateway, Api) {
    let settings = [
        ("MUSTER__OPERATOR__OIDC_ISSUER", ISSUER),
        ("MUSTER__OPERATOR__OIDC_AUDIENCE", "api://muster"),
        ("MUSTER__OPERATOR__OIDC_JWKS", jwks),
    ];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let api = Api::of(&gateway);
    (gateway, api)
}

async fn ask(api: &Api, jwt: &Jwt, key: &SigningKey) -> Reply {
    api.bearer(&jwt.signed(key)).get(ME).await
}

fn set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

#[actix_web::test]
async fn a_provider_with_its_keys_in_a_file_is_believed_within_its_bounds() {
    let (rsa, ed, foreign) =
        (SigningKey::new_rsa("r1"), SigningKey::new_ed25519("e1"), SigningKey::new_rsa("r1"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let mut keys = set(&[&rsa, &ed]);
    let all = keys["keys"].as_array_mut().unwrap();
    let mut for_encryption = rsa.named("enc").jwk();
    for_encryption["use"] = json!("enc");
    let mut of_another_algorithm = rsa.named("ps").jwk();
    of_another_algorithm["alg"] = json!("PS256");
    all.extend([for_encryption, of_another_algorithm]);
    all.push(json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256" }));
    all.push(json!({ "kty": "of the future", "kid": "new" }));
    all.push(json!("nonsense"));
    std::fs::write(&file, keys.to_string()).unwrap();
    let (gateway, api) = gateway(file.to_str().unwrap()).await;
    let acme = gateway.tenant("acme").await;

    let me = ask(&api, &token("operator"), &rsa).await.assert(200);
    assert_eq!((me.text("role"), me.text("subject")), ("operator".to_owned(), "carol".to_owned()));
    assert_eq!(me.body["scopes"], json!(["tenants:read", "logs:read"]));
    let as_admin = token("tenant_admin").claim("tenant", acme.tenant.id.as_str());
    let me = ask(&api, &as_admin, &rsa).await.assert(200);
    assert_eq!(me.text("tenant_id"), acme.tenant.id.as_str());
    api.bearer(&as_admin.signed(&rsa)).get("/admin/v1/tenants/acme").await.assert(200);
    let eddsa = token("operator").header("alg", "EdDSA");
    ask(&api, &eddsa, &ed).await.assert(200);
    // Without a role nobody is an operator: a provider has many who are not.
    ask(&api, &token("operator").without("role"), &rsa).await.refused(403, "role_forbidden");

    for (what, jwt, key) in [
        ("an RS256 token against an EdDSA key", token("operator"), rsa.named("e1")),
        ("an EdDSA token against an RSA key", eddsa, ed.named("r1")),
        ("a foreign key of the same name", token("operator"), foreign),
        ("a key for encryption", token("operator"), rsa.named("enc")),
        ("a key for another algorithm", token("operator"), rsa.named("ps")),
        ("a key that is not there", token("operator"), rsa.named("r2")),
        ("another audience", token("operator").claim("aud", "muster-admin"), rsa.clone()),
        (
            "another issuer",
            token("operator").claim("iss", "https://login.example.com"),
            rsa.clone(),
        ),
        ("no subject", token("operator").without("sub"), rsa.clone()),
        ("no end", token("operator").without("exp"), rsa.clone()),
        ("its own key", token("operator").header("jwk", rsa.jwk()), rsa.clone()),
        (
            "the built-in issuer's name",
            token("operator").claim("iss", "http://admin.localhost"),
            rsa.clone(),
        ),
        ("our key, their issuer", token("operator").header("alg", "EdDSA"), api.key.clone()),
    ] {
        let reply = ask(&api, &jwt, &key).await;
        assert_eq!((reply.status, reply.code()), (401, "token_invalid"), "{what}: {}", reply.text);
    }
    // The secret of the set is none that a token can be signed with.
    let part = token("operator").header("alg", "HS256").signed_part("secret");
    let tag = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"secret"),
        part.as_bytes(),
    );
    let forged = format!("{part}.{}", super::jwt::encoded(tag));
    api.bearer(&forged).get(ME).await.refused(401, "token_invalid");
}

#[actix_web::test]
async fn a_key_of_1024_bits_is_passed_over() {
    // Made once with another library, since ours makes no such key; the token is good until 2100.
    const KEY: &str = include_str!("weak/key.json");
    const TOKEN: &str = include_str!("weak/token.txt");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let strong = SigningKey::new_rsa("strong");
    let weak: Value = serde_json::from_str(KEY).unwrap();
    assert_eq!(super::jwt::decoded(weak["n"].as_str().unwrap()).len(), 128);
    let mut padded = weak.clone();
    let n = [vec![0; 128], super::jwt::decoded(weak["n"].as_str().unwrap())].concat();
    padded["n"] = json!(super::jwt::encoded(n));
    for weak in [weak, padded] {
        std::fs::write(&file, json!({ "keys": [weak, strong.jwk()] }).to_string()).unwrap();
        let (_gateway, api) = gateway(file.to_str().unwrap()).await;
        let said = api.bearer(TOKEN.trim()).get(ME).await.refused(401, "token_invalid");
        assert!(said.contains("key that is not known"), "{said}");
        ask(&api, &token("operator"), &strong).await.assert(200);
    }
}

#[actix_web::test]
async fn a_provider_is_asked_seldom_and_its_last_good_keys_outlive_it() {
    let (first, second) = (SigningKey::new_rsa("k1"), SigningKey::new_rsa("k2"));
    let provider = Provider::start(&set(&[&first]));
    let (_gateway, api) = gateway(&provider.url).await;
    let asked = || provider.asked.load(Ordering::SeqCst);
    assert_eq!(asked(), 0, "nobody has called yet");

    for _ in 0..5 {
        ask(&api, &token("operator"), &first).await.assert(200);
    }
    assert_eq!(asked(), 1);
    // Unknown keys, which anybody can name, do not make it ask each time.
    *provider.keys.lock().unwrap() = set(&[&first, &second]);
    for _ in 0..20 {
        ask(&api, &token("operator"), &second.named("made up")).await.refused(401, "token_invalid");
    }
    assert!(asked() <= 2, "{}", asked());

    // The pause between two questions is ten seconds.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while ask(&api, &token("operator"), &second).await.status != 200 {
        assert!(std::time::Instant::now() < deadline, "the new key is not found");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(asked() <= 3, "{}", asked());

    provider.is_down.store(true, Ordering::SeqCst);
    let before = asked();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while asked() == before {
        ask(&api, &token("operator"), &second.named("made up")).await.refused(401, "token_invalid");
        assert!(std::time::Instant::now() < deadline, "it is not asked again");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    for key in [&first, &second] {
        ask(&api, &token("operator"), key).await.assert(200);
    }
}

#[actix_web::test]
async fn a_provider_that_never_answered_refuses_nobody_of_ours() {
    let port = crate::support::redis::free_port();
    let (_gateway, api) = gateway(&format!("http://127.0.0.1:{port}/jwks")).await;
    let key = SigningKey::new_rsa("k1");
    // The token may be good: nobody can say so before the provider has answered once.
    until("an answer", async || {
        (ask(&api, &token("operator"), &key).await.status == 503).then_some(())
    })
    .await;
    api.get(ME).await.assert(200);
}
