//! With what an access token was asked for: a secret of its client, or a key that signed an assertion.
//!
//! **Invariant**: a token is good while what it was asked for with is not revoked, replaced or removed. A secret whose time is
//! over proves nothing new, and ends nothing that was given before.

use super::{Assertion, OauthClient};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The members by which a key is the same (RFC 7638 §3.2, RFC 8037 §2).
const OF_KEY: [&str; 6] = ["crv", "e", "kty", "n", "x", "y"];

/// The name of a secret or a key, short enough for a token. It is no secret itself: the token's MAC is over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub(crate) [u8; 4]);

impl Proof {
    /// By the secret with this id.
    #[must_use]
    pub fn of_secret(id: &str) -> Self {
        Self::of("secret", [id].into_iter())
    }

    /// By a key of an assertion's set. Another issuer or subject with the same key is another proof: identity providers sign
    /// for all their customers with one.
    #[must_use]
    pub fn of_key(assertion: &Assertion, key: &Map<String, Value>) -> Self {
        let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        let who = [assertion.issuer.as_str(), assertion.subject.as_str()];
        Self::of("key", who.into_iter().chain(OF_KEY.into_iter().map(member)))
    }

    /// What a client can prove itself with, or could until its time was over.
    pub(crate) fn of_client(client: &OauthClient) -> Vec<Self> {
        let secrets = client.secrets.iter().filter(|secret| secret.revoked_at.is_none());
        let mut proofs: Vec<Self> = secrets.map(|secret| Self::of_secret(&secret.id)).collect();
        if let Some(assertion) = &client.assertion {
            let set: Map<String, Value> = serde_json::from_str(&assertion.jwks).unwrap_or_default();
            let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
            let keys = keys.filter_map(Value::as_object);
            proofs.extend(keys.map(|key| Self::of_key(assertion, key)));
        }
        proofs
    }

    fn of<'a>(kind: &'a str, parts: impl Iterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(kind).chain(parts) {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let whole: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, ..] = whole;
        Self([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::{Assertion, Proof};
    use serde_json::{Map, Value, json};

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_key_is_the_same_whatever_it_is_called_and_for_one_subject() {
        let key = object(&json!({ "kty": "OKP", "crv": "Ed25519", "x": "abc", "kid": "1" }));
        let renamed = object(&json!({ "kty": "OKP", "crv": "Ed25519", "x": "abc", "use": "sig" }));
        let other = object(&json!({ "kty": "OKP", "crv": "Ed25519", "x": "xyz", "kid": "1" }));
        let (issuer, subject) = ("https://idp.example".to_owned(), "sync".to_owned());
        let mut by = Assertion { issuer, subject, audience: None, jwks: String::new() };
        let proof = Proof::of_key(&by, &key);
        assert_eq!(Proof::of_key(&by, &renamed), proof);
        assert_ne!(Proof::of_key(&by, &other), proof);
        by.audience = Some("api://muster".to_owned());
        assert_eq!(Proof::of_key(&by, &key), proof);
        by.subject = "another".to_owned();
        assert_ne!(Proof::of_key(&by, &key), proof);
        assert_ne!(Proof::of_secret("a"), Proof::of_secret("b"));
    }
}
