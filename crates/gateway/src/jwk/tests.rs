//! Sets as they are given, and what is kept of them.

use super::{KeySetError, MOST_KEYS, key_set, public_set};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

fn number(bytes: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(vec![0xab; bytes])
}

fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": number(32), "kid": "a" })
}

fn p256() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": number(32), "y": number(32) })
}

fn rsa(bytes: usize) -> Value {
    json!({ "kty": "RSA", "n": number(bytes), "e": "AQAB", "kid": "r" })
}

fn with(mut key: Value, name: &str, value: &Value) -> Value {
    key[name] = value.clone();
    key
}

fn public(keys: &[Value]) -> Result<Value, KeySetError> {
    let text = public_set(&json!({ "keys": keys }).to_string())?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn keys_of_each_kind_are_usable_with_and_without_an_id() {
    for (key, algorithm) in
        [(ed25519(), Algorithm::EdDSA), (p256(), Algorithm::ES256), (rsa(256), Algorithm::RS256)]
    {
        let set = json!({ "keys": [key] });
        let found = key_set(set.to_string().as_bytes()).unwrap();
        assert_eq!(found.len(), 1, "{key}");
        assert_eq!((found[0].algorithm, found[0].kid.as_deref()), (algorithm, key["kid"].as_str()));
        assert_eq!(public(&[key]), Ok(set));
    }
}

#[test]
fn a_private_key_is_refused_by_its_member() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let private = with(rsa(256), name, &json!("secret"));
        for keys in [vec![private.clone()], vec![ed25519(), private]] {
            let refused = public(&keys).unwrap_err();
            assert_eq!(refused, KeySetError::Private(name));
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0" });
    assert_eq!(public(&[ed25519(), secret]), Err(KeySetError::Private("k")));
}

#[test]
fn only_public_members_of_usable_keys_are_kept() {
    let entra = with(with(rsa(256), "x5t", &json!("abc")), "x5c", &json!(["MIIB"]));
    let unknown = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "abc" });
    assert_eq!(public(&[unknown, entra, json!(1)]), Ok(json!({ "keys": [rsa(256)] })));
}

#[test]
fn what_is_no_set_or_has_nothing_to_use_is_refused() {
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, &ed25519().to_string()] {
        assert_eq!(public_set(text), Err(KeySetError::Malformed), "{text}");
    }
    let short = json!({ "kty": "OKP", "crv": "Ed25519", "x": number(31) });
    let other_curve = json!({ "kty": "EC", "crv": "P-384", "x": number(48), "y": number(48) });
    let padded = json!({
        "kty": "RSA", "e": "AQAB",
        "n": BASE64_URL_SAFE_NO_PAD.encode([vec![0; 128], vec![0xab; 128]].concat()),
    });
    for key in [
        short,
        other_curve,
        padded,
        rsa(255),
        with(ed25519(), "use", &json!("enc")),
        with(ed25519(), "alg", &json!("RS256")),
        with(rsa(256), "alg", &json!("PS256")),
        json!({}),
    ] {
        assert_eq!(public(std::slice::from_ref(&key)), Err(KeySetError::NoneUsable), "{key}");
    }
    assert_eq!(public(&[]), Err(KeySetError::NoneUsable));
    assert_eq!(public(&vec![ed25519(); MOST_KEYS + 1]), Err(KeySetError::TooMany));
    assert!(public(&vec![ed25519(); MOST_KEYS]).is_ok());
}
