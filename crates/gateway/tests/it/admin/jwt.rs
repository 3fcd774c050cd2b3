//! JSON Web Tokens put together by hand, so that each part can be wrong on its own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Header and claims of a token.
#[derive(Debug, Clone)]
pub(super) struct Jwt {
    pub(super) header: Value,
    pub(super) claims: Value,
}

/// What signs.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Ed25519(Arc<Ed25519KeyPair>),
    Rsa(Arc<RsaKeyPair>),
}

/// Now, in seconds.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

impl Jwt {
    /// A good token of the built-in issuer, for an operator with these scopes.
    pub(super) fn operator(scopes: &str) -> Self {
        let scopes: Vec<&str> = scopes.split_terminator(',').collect();
        let claims = json!({
            "iss": "http://admin.localhost", "aud": "muster-admin", "sub": "alice", "iat": now(), "exp": now() + 900,
            "jti": "j1", "role": "operator", "scopes": scopes,
        });
        Self { header: json!({ "alg": "EdDSA", "typ": "JWT" }), claims }
    }

    /// A good token for an administrator of a tenant.
    pub(super) fn admin(tenant: &str, scopes: &str) -> Self {
        Self::operator(scopes)
            .claim("role", "tenant_admin")
            .claim("tenant", tenant)
            .claim("sub", "bob")
    }

    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// The part that is signed, naming the key unless the header names one, or null for none.
    pub(super) fn signed_part(&self, kid: &str) -> String {
        let mut header = self.header.clone();
        let object = header.as_object_mut().unwrap();
        match object.get("kid") {
            None => drop(object.insert("kid".to_owned(), json!(kid))),
            Some(Value::Null) => drop(object.remove("kid")),
            Some(_) => {}
        }
        format!("{}.{}", encoded(header.to_string()), encoded(self.claims.to_string()))
    }

    pub(super) fn signed(&self, key: &SigningKey) -> String {
        key.sign(&self.signed_part(&key.kid))
    }
}

impl SigningKey {
    /// A key as PKCS #8.
    pub(super) fn ed25519(kid: &str, der: &[u8]) -> Self {
        let pair = Pair::Ed25519(Arc::new(Ed25519KeyPair::from_pkcs8(der).unwrap()));
        Self { kid: kid.to_owned(), pair }
    }

    pub(super) fn new_ed25519(kid: &str) -> Self {
        let pair = Pair::Ed25519(Arc::new(Ed25519KeyPair::generate().unwrap()));
        Self { kid: kid.to_owned(), pair }
    }

    pub(super) fn new_rsa(kid: &str) -> Self {
        let pair = Pair::Rsa(Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
        Self { kid: kid.to_owned(), pair }
    }

    pub(super) fn named(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self.clone() }
    }

    /// The public half: 32 bytes, or DER (RFC 8017).
    pub(super) fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public half as a JSON Web Key.
    pub(super) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()), "kid": self.kid, "use": "sig",
            }),
            Pair::Rsa(pair) => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({
                    "kty": "RSA", "n": encoded(&parts.n), "e": encoded(&parts.e), "kid": self.kid, "alg": "RS256",
                })
            }
        }
    }

    pub(super) fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// Signs the first two parts of a token.
    pub(super) fn sign(&self, parts: &str) -> String {
        format!("{parts}.{}", encoded(self.signature(parts.as_bytes())))
    }
}
