//! Good assertions, and what attackers make of them.

use super::{Expected, subject, verify};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use time::OffsetDateTime;

const NOW: i64 = 1_800_000_000;
const ENDPOINT: &str = "https://app.example.com/oauth2/token";

struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    jwk: Value,
}

fn ed25519(kid: &str) -> Signer {
    let pair = Ed25519KeyPair::generate().unwrap();
    let der = pair.to_pkcs8v1().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Signer {
        key: EncodingKey::from_ed_der(der.as_ref()),
        algorithm: Algorithm::EdDSA,
        jwk: json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid }),
    }
}

fn p256(kid: &str) -> Signer {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = pair.to_pkcs8v1().unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let half = |range: std::ops::Range<usize>| BASE64_URL_SAFE_NO_PAD.encode(&point[range]);
    Signer {
        key: EncodingKey::from_ec_der(der.as_ref()),
        algorithm: Algorithm::ES256,
        jwk: json!({ "kty": "EC", "crv": "P-256", "x": half(1..33), "y": half(33..65), "kid": kid }),
    }
}

fn rsa(kid: &str, size: KeySize) -> Signer {
    let pair = rsa::KeyPair::generate(size).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = BASE64_STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    let number = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let public = pair.public_key();
    let n = number(public.modulus().big_endian_without_leading_zero());
    let e = number(public.exponent().big_endian_without_leading_zero());
    Signer {
        key: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        algorithm: Algorithm::RS256,
        jwk: json!({ "kty": "RSA", "n": n, "e": e, "kid": kid }),
    }
}

fn claims() -> Value {
    json!({ "iss": "https://idp.example", "sub": "mcl_us_pf_a", "aud": ENDPOINT, "exp": NOW + 300, "jti": "1" })
}

fn with(change: &Value) -> Value {
    let mut all = claims();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value.clone();
        }
    }
    all
}

fn sign(signer: &Signer, claims: &Value) -> String {
    let mut header = Header::new(signer.algorithm);
    header.kid = signer.jwk["kid"].as_str().map(str::to_owned);
    jsonwebtoken::encode(&header, claims, &signer.key).unwrap()
}

/// A signature over a header of one's own.
fn sign_as(signer: &Signer, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &signer.key, signer.algorithm).unwrap();
    format!("{message}.{signature}")
}

fn verdict(assertion: &str, jwks: &[&Value]) -> Result<String, &'static str> {
    let jwks = json!({ "keys": jwks }).to_string();
    let expected = Expected {
        issuer: "https://idp.example",
        subject: "mcl_us_pf_a",
        audiences: &[ENDPOINT, "api://muster"],
        jwks: &jwks,
    };
    let now = OffsetDateTime::from_unix_timestamp(NOW).unwrap();
    verify(assertion, &expected, now).map(|good| good.name)
}

#[test]
fn a_signed_assertion_is_good() {
    for signer in [ed25519("a"), p256("a"), rsa("a", KeySize::Rsa2048)] {
        let other = ed25519("b");
        assert_eq!(
            verdict(&sign(&signer, &claims()), &[&other.jwk, &signer.jwk]).as_deref(),
            Ok("1")
        );
        for change in [
            json!({ "aud": ["https://other.example", "api://muster"] }),
            json!({ "exp": NOW - 59, "nbf": NOW + 59, "iat": NOW }),
            json!({ "exp": NOW + 3_600 }),
        ] {
            let assertion = sign(&signer, &with(&change));
            assert!(verdict(&assertion, &[&signer.jwk]).is_ok(), "{change}");
        }
        let unnamed = sign(&signer, &with(&json!({ "jti": null })));
        let (signed, _) = unnamed.rsplit_once('.').unwrap();
        assert_eq!(verdict(&unnamed, &[&signer.jwk]).as_deref(), Ok(signed));
        assert_eq!(subject(&unnamed).as_deref(), Some("mcl_us_pf_a"));
    }
}

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The other signature of ECDSA that is good for the same text: (r, n - s) for (r, s).
fn twin(assertion: &str) -> String {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for (at, digit) in ORDER.iter().enumerate().rev() {
        let difference = i16::from(*digit) - i16::from(bytes[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[test]
fn both_signatures_of_one_text_are_one_assertion() {
    let signer = p256("a");
    let unnamed = sign(&signer, &with(&json!({ "jti": null })));
    let other = twin(&unnamed);
    assert_ne!(other, unnamed);
    let verdicts = [&unnamed, &other].map(|text| verdict(text, &[&signer.jwk]).unwrap());
    assert_eq!(verdicts[0], verdicts[1]);
}

#[test]
fn another_algorithm_of_the_same_key_is_refused() {
    let mut signer = rsa("a", KeySize::Rsa2048);
    for algorithm in [Algorithm::PS256, Algorithm::RS384, Algorithm::RS512] {
        signer.algorithm = algorithm;
        assert!(verdict(&sign(&signer, &claims()), &[&signer.jwk]).is_err(), "{algorithm:?}");
    }
}

#[test]
fn a_key_without_an_id_is_found_by_its_signature() {
    let signer = p256("a");
    let header = json!({ "alg": "ES256", "x5t": "abc" });
    let assertion = sign_as(&signer, &header, &claims());
    let mut unnamed = signer.jwk.clone();
    unnamed.as_object_mut().unwrap().remove("kid");
    assert!(verdict(&assertion, &[&ed25519("x").jwk, &unnamed]).is_ok());
}

#[test]
fn claims_that_are_not_as_configured_are_refused() {
    let signer = ed25519("a");
    for change in [
        json!({ "iss": null }),
        json!({ "iss": "https://idp.example/" }),
        json!({ "sub": null }),
        json!({ "sub": "mcl_us_pf_b" }),
        json!({ "sub": ["mcl_us_pf_a"] }),
        json!({ "aud": null }),
        json!({ "aud": "https://eu-app.example.com/oauth2/token" }),
        json!({ "aud": [] }),
        json!({ "exp": null }),
        json!({ "exp": (NOW + 300).to_string() }),
        json!({ "exp": 1e300 }),
        json!({ "exp": NOW - 60 }),
        json!({ "exp": NOW + 3_661 }),
        json!({ "nbf": NOW + 61 }),
        json!({ "nbf": "0" }),
        json!({ "iat": NOW + 61 }),
        json!({ "jti": 1 }),
        json!({ "jti": "" }),
    ] {
        let assertion = sign(&signer, &with(&change));
        assert!(verdict(&assertion, &[&signer.jwk]).is_err(), "{change}");
    }
}

#[test]
fn a_signature_of_no_configured_key_is_refused() {
    let (signer, stranger) = (ed25519("a"), ed25519("a"));
    assert!(verdict(&sign(&stranger, &claims()), &[&signer.jwk]).is_err());
    assert!(verdict(&sign(&signer, &claims()), &[]).is_err());
    // The key is there, under another id.
    let mut renamed = signer.jwk.clone();
    renamed["kid"] = json!("b");
    assert!(verdict(&sign(&signer, &claims()), &[&renamed]).is_err());
    // And for something else.
    for (name, value) in [("use", "enc"), ("alg", "RS256")] {
        let mut other = signer.jwk.clone();
        other[name] = json!(value);
        assert!(verdict(&sign(&signer, &claims()), &[&other]).is_err(), "{name}");
    }
    let good = sign(&signer, &claims());
    for changed in [
        good.replace('.', ""),
        format!("{good}."),
        good.rsplit_once('.').unwrap().0.to_owned(),
        format!("{}.", good.rsplit_once('.').unwrap().0),
        String::new(),
        "..".to_owned(),
        "a".repeat(9_000),
    ] {
        assert!(verdict(&changed, &[&signer.jwk]).is_err(), "{changed}");
    }
}

#[test]
fn an_assertion_does_not_choose_its_algorithm_or_its_key() {
    let signer = ed25519("a");
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "nOnE"] {
        let unsigned = format!("{}.{}.", part(&json!({ "alg": alg })), part(&claims()));
        assert!(verdict(&unsigned, &[&signer.jwk]).is_err(), "{alg}");
    }
    // HS256 with what everyone knows as its secret.
    let public = BASE64_URL_SAFE_NO_PAD.decode(signer.jwk["x"].as_str().unwrap()).unwrap();
    for secret in [public, signer.jwk["x"].as_str().unwrap().as_bytes().to_vec()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("a".to_owned());
        let key = EncodingKey::from_secret(&secret);
        let forged = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
        assert!(verdict(&forged, &[&signer.jwk]).is_err());
    }
    // A secret in the set of keys is no public key.
    let key = EncodingKey::from_secret(b"secret");
    let forged = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
    let oct = json!({ "kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode("secret") });
    assert!(verdict(&forged, &[&oct]).is_err());
    // A key of one's own, in the header.
    let attacker = ed25519("a");
    for (name, value) in [
        ("jwk", attacker.jwk.clone()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/key")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
        ("typ", json!("at+jwt")),
        ("kid", json!(["a"])),
    ] {
        for by in [&attacker, &signer] {
            let mut header = json!({ "alg": "EdDSA", "kid": "a" });
            header[name] = value.clone();
            let assertion = sign_as(by, &header, &claims());
            assert!(verdict(&assertion, &[&signer.jwk]).is_err(), "{name}");
        }
    }
}
