//! Tokens that are not what they say: each is refused with 401, and the next good one is not.

use super::api::{Api, Reply};
use super::jwt::{Jwt, SigningKey, encoded, now};
use crate::support::raw::exchange;
use crate::support::{TestGateway, until};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gateway::admin::keys::Keys;
use serde_json::{Value, json};

mod spelling;

const ME: &str = "/admin/v1/me";

async fn scene() -> (TestGateway, Api) {
    let quick = [
        ("MUSTER__OPERATOR__RATE_PER_SECOND", "100000"),
        ("MUSTER__OPERATOR__RATE_BURST", "100000"),
    ];
    let gateway = TestGateway::start_with(&["us"], &quick).await;
    let api = Api::of(&gateway);
    (gateway, api)
}

/// A call with this token.
async fn ask(api: &Api, token: &str) -> Reply {
    api.bearer(token).get(ME).await
}

#[track_caller]
fn refused(what: &str, reply: &Reply) {
    assert_eq!((reply.status, reply.code()), (401, "token_invalid"), "{what}: {}", reply.text);
    let challenge = reply.header("www-authenticate").unwrap();
    assert_eq!(challenge, "Bearer realm=\"admin\", error=\"invalid_token\"", "{what}");
}

/// Every one of these is refused.
async fn all_refused(api: &Api, tokens: Vec<(&str, String)>) {
    for (what, token) in tokens {
        refused(what, &ask(api, &token).await);
    }
    ask(api, &Jwt::operator("*").signed(&api.key)).await.assert(200);
}

#[actix_web::test]
async fn the_key_decides_the_algorithm_and_not_the_token() {
    let (_gateway, api) = scene().await;
    let good = Jwt::operator("*");
    let public = api.key.public();
    let pem = {
        // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4).
        let der = [
            &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..],
            &public,
        ]
        .concat();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(der)
        )
    };
    let published = api.nobody().get("/.well-known/jwks.json").await.body["keys"][0].to_string();
    let mut tokens = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let part = good.clone().header("alg", alg).signed_part(&api.key.kid);
        tokens.push(("alg none", format!("{part}.")));
        tokens.push(("alg none, signed", api.key.sign(&part)));
    }
    for alg in ["HS256", "HS384", "HS512"] {
        let part = good.clone().header("alg", alg).signed_part(&api.key.kid);
        for secret in [
            &public[..],
            encoded(&public).as_bytes(),
            pem.as_bytes(),
            published.as_bytes(),
            b"",
            api.key.kid.as_bytes(),
        ] {
            let algorithm = match alg {
                "HS256" => hmac::HMAC_SHA256,
                "HS384" => hmac::HMAC_SHA384,
                _ => hmac::HMAC_SHA512,
            };
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), part.as_bytes());
            tokens.push(("the public key as a secret", format!("{part}.{}", encoded(tag))));
        }
    }
    for alg in ["RS256", "PS256", "ES256", "ES384", "Ed25519", "eddsa", "EdDSA ", "dir"] {
        tokens.push(("another algorithm", good.clone().header("alg", alg).signed(&api.key)));
    }
    tokens.push((
        "no algorithm",
        api.key.sign(&{
            let mut jwt = good.clone().header("kid", api.key.kid.as_str());
            jwt.header.as_object_mut().unwrap().remove("alg");
            jwt.signed_part("")
        }),
    ));
    tokens.push((
        "an algorithm that is no text",
        good.clone().header("alg", json!(["EdDSA"])).signed(&api.key),
    ));
    all_refused(&api, tokens).await;
}

#[actix_web::test]
async fn every_claim_has_to_be_there_and_of_its_type() {
    let (_gateway, api) = scene().await;
    let good = || Jwt::operator("*");
    let mut tokens = Vec::new();
    for name in ["iss", "aud", "exp", "sub", "iat"] {
        tokens.push(("missing", good().without(name)));
        tokens.push(("null", good().claim(name, Value::Null)));
        tokens.push(("an object", good().claim(name, json!({ "a": 1 }))));
        tokens.push(("true", good().claim(name, true)));
    }
    for name in ["exp", "iat", "nbf"] {
        tokens.push(("as text", good().claim(name, (now() + 600).to_string())));
        tokens.push(("as a list", good().claim(name, json!([now() + 600]))));
        tokens.push(("huge", good().claim(name, json!(1e300))));
        tokens.push(("beyond 64 bits", good().claim(name, json!(u64::MAX))));
    }
    for (name, value) in [
        ("iss", json!("http://admin.localhost/")),
        ("iss", json!("https://admin.localhost")),
        ("iss", json!("HTTP://ADMIN.LOCALHOST")),
        ("iss", json!(["http://admin.localhost"])),
        ("iss", json!("")),
        ("aud", json!("muster")),
        ("aud", json!("muster-admin ")),
        ("aud", json!("Muster-Admin")),
        ("aud", json!([])),
        ("aud", json!(["muster"])),
        ("sub", json!("")),
        ("sub", json!("  ")),
        ("sub", json!("a".repeat(256))),
        ("exp", json!(-1)),
        ("nbf", json!(now() + 120)),
        ("iat", json!(now() + 120)),
        ("exp", json!(now() + 13 * 3600)),
        ("scopes", json!("*")),
        ("scopes", json!([1])),
        ("regions", json!("us")),
        ("role", json!(1)),
    ] {
        tokens.push(("another value", good().claim(name, value)));
    }
    // Begins in ten years, and lives for as long as it may then.
    let later = now() + 10 * 365 * 24 * 3600;
    tokens.push(("a postdated one", good().claim("iat", later).claim("exp", later + 900)));
    for (what, jwt) in tokens {
        refused(&format!("{what}: {}", jwt.claims), &ask(&api, &jwt.signed(&api.key)).await);
    }
    for exp in [now() - 60, 0, 1] {
        let expired = good().claim("iat", exp - 900).claim("exp", exp).signed(&api.key);
        ask(&api, &expired).await.refused(401, "token_expired");
    }
    for jwt in [
        good().claim("aud", json!(["elsewhere", "muster-admin"])),
        good().claim("nbf", now() - 1),
        good().claim("exp", now() - 10),
        good().claim("nbf", now() + 10),
        good().claim("exp", now() + 3600 - 5),
        good().claim("more", json!({ "of": "the issuer's" })),
    ] {
        ask(&api, &jwt.signed(&api.key)).await.assert(200);
    }
}

#[actix_web::test]
async fn a_token_names_its_key_and_brings_none() {
    let (_gateway, api) = scene().await;
    let own = SigningKey::new_ed25519(&api.key.kid);
    let mut tokens = Vec::new();
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks.json")),
        ("jwk", own.jwk()),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("zip", json!("DEF")),
        ("jku", Value::Null),
    ] {
        tokens.push((name, Jwt::operator("*").header(name, value.clone()).signed(&api.key)));
        tokens.push((name, Jwt::operator("*").header(name, value).signed(&own)));
    }
    for kid in [
        "",
        "..",
        "../",
        "../../etc/passwd",
        "/dev/null",
        "foreign",
        "%2e%2e%2f",
        "a\0b",
        "' OR 1=1 --",
        "\u{202e}",
    ] {
        tokens.push(("kid", Jwt::operator("*").header("kid", kid).signed(&api.key)));
    }
    tokens.push((
        "kid above",
        Jwt::operator("*")
            .header("kid", format!("../operator-keys/{}", api.key.kid))
            .signed(&api.key),
    ));
    tokens.push((
        "kid with its ending",
        Jwt::operator("*").header("kid", format!("{}.p8", api.key.kid)).signed(&api.key),
    ));
    tokens.push(("no kid", Jwt::operator("*").header("kid", Value::Null).signed(&api.key)));
    for kid in [json!(1), json!([api.key.kid]), json!({})] {
        tokens
            .push(("kid that is no text", Jwt::operator("*").header("kid", kid).signed(&api.key)));
    }
    all_refused(&api, tokens).await;
}

#[actix_web::test]
async fn there_is_one_authorization_and_it_is_bearer() {
    let (gateway, api) = scene().await;
    let token = api.token().to_owned();
    let nobody = api.nobody();
    for (status, value) in [
        (200, format!("Bearer {token}")),
        (200, format!("bearer {token}")),
        (200, format!("BEARER  {token}")),
        (401, token.clone()),
        (401, format!("Basic {token}")),
        (401, format!("Bearer{token}")),
        (401, format!("DPoP {token}")),
        (401, format!("Bearer {token}, Bearer {token}")),
        (401, format!("Bearer {token} {token}")),
        (401, "Bearer".to_owned()),
        (401, "Bearer ".to_owned()),
        (401, String::new()),
    ] {
        let reply = nobody.call("GET", ME).header("authorization", &value).send().await;
        assert_eq!(reply.status, status, "{value}: {}", reply.text);
    }
    let not_text = nobody.call("GET", ME).bytes("authorization", b"Bearer \xff\xfe").send().await;
    not_text.refused(401, "token_missing");
    let two = nobody.call("GET", ME).header("authorization", &format!("Bearer {token}"));
    two.header("authorization", "Bearer nothing").send().await.refused(401, "token_missing");
    // A token in another place is none: a query is written to logs.
    nobody.get(&format!("{ME}?access_token={token}")).await.refused(401, "token_missing");
    let request =
        format!("GET {ME} HTTP/1.1\r\nHost: {}\r\nCookie: token={token}\r\n\r\n", api.host);
    assert_eq!(exchange(gateway.address, request.as_bytes()).await.0, 401);
}

#[actix_web::test]
async fn two_keys_are_good_and_a_retired_one_is_not() {
    let (gateway, api) = scene().await;
    let keys = Keys::within(&gateway.state.config.operator.keys);
    let old = Jwt::operator("*").signed(&api.key);
    ask(&api, &old).await.assert(200);

    let made = keys.rotate().unwrap();
    let next = SigningKey::ed25519(&made.kid, made.private());
    let new = Jwt::operator("*").signed(&next);

    until("the new key", async || (ask(&api, &new).await.status == 200).then_some(())).await;
    ask(&api, &old).await.assert(200);
    let published = api.nobody().get("/.well-known/jwks.json").await.assert(200);
    let kids: Vec<&str> = published.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect();
    assert_eq!(kids.len(), 2);
    assert!(kids.contains(&made.kid.as_str()) && kids.contains(&api.key.kid.as_str()));
    for key in published.body["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none(), "a private key");
    }

    keys.retire(&api.key.kid).unwrap();

    let retired = std::time::Instant::now();
    until("the end of the old key", async || (ask(&api, &old).await.status == 401).then_some(()))
        .await;
    assert!(retired.elapsed().as_millis() < 1_500, "{:?}", retired.elapsed());
    ask(&api, &new).await.assert(200);
}

#[actix_web::test]
async fn the_roles_of_a_token_make_sense_or_it_is_refused() {
    let (gateway, api) = scene().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.tenant.id.as_str();
    for jwt in [
        Jwt::operator("*").claim("role", "root"),
        Jwt::operator("*").claim("role", ""),
        Jwt::operator("*").claim("role", "Operator"),
        Jwt::operator("*").claim("tenant", id),
        Jwt::operator("*").claim("role", "tenant_admin"),
        Jwt::admin("acme", "*"),
        Jwt::admin("", "*"),
    ] {
        api.with(&jwt).get(ME).await.refused(403, "role_forbidden");
    }
    let me = api
        .with(&Jwt::admin(id, "tenants,plans:write,tokens:write,nonsense"))
        .get(ME)
        .await
        .assert(200);
    assert_eq!(
        me.body["scopes"],
        json!(["tenants:read", "tokens:write"]),
        "no more than an administrator can have"
    );
    assert_eq!((me.text("role"), me.text("tenant_id")), ("tenant_admin".to_owned(), id.to_owned()));
    // A region that does not exist widens nothing.
    let nowhere = api.with(&Jwt::operator("*").claim("regions", json!(["US!", "atlantis"])));
    nowhere.get("/admin/v1/tenants/acme").await.refused(404, "not_found");
    assert_eq!(nowhere.get("/admin/v1/tenants").await.data().len(), 0);
    let nowhere = api.with(&Jwt::operator("*").claim("regions", json!([])));
    assert_eq!(nowhere.get("/admin/v1/tenants").await.data().len(), 0);
}
