//! JSON Web Keys that verify signatures (RFC 7517, RFC 7518 §6, RFC 8037), and what is common to all tokens that they verify.
//!
//! **Invariant**: a key is public and has one algorithm, which it decides itself; what could sign is kept nowhere.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use std::fmt;

/// The longest token that is looked at, in bytes.
pub const LONGEST_TOKEN: usize = 8 * 1024;
/// Keys of a set that is configured.
pub const MOST_KEYS: usize = 16;
/// The smallest modulus of an RSA key, in bytes (RFC 7518 §3.3).
const RSA_BYTES: usize = 256;
/// A coordinate on P-256 (RFC 7518 §6.2.1.2), and a public key on Ed25519 (RFC 8032 §5.1.5).
const CURVE_BYTES: usize = 32;
/// What lets a token bring its own key, or has to be understood (RFC 7515 §4.1). `x5t`, which Entra sends, only names a
/// certificate.
const FORBIDDEN: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "zip"];
/// What a key has that could sign (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// What is kept of a key.
const PUBLIC: [&str; 9] = ["kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"];

/// A member of a token's header that is refused, if it has one.
#[must_use]
pub fn forbidden(header: &Map<String, Value>) -> Option<&'static str> {
    FORBIDDEN.into_iter().find(|name| header.contains_key(*name))
}

/// A part of a token as the JSON object that it is: read, and not believed.
#[must_use]
pub fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A public key, and the one algorithm that it is for.
#[derive(Clone)]
pub struct PublicKey {
    /// Its id, where it has one.
    pub kid: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// What verifies.
    pub key: DecodingKey,
    /// Its public members.
    pub members: Map<String, Value>,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// `EdDSA` on Ed25519, `ES256`, or `RS256` with 2048 bits or more.
    fn of(key: &Map<String, Value>) -> Option<Self> {
        let kept = |name: &&str| Some(((*name).to_owned(), key.get(*name)?.clone()));
        let members: Map<String, Value> = PUBLIC.iter().filter_map(kept).collect();
        let jwk: Jwk = serde_json::from_value(Value::Object(members.clone())).ok()?;
        let algorithm = algorithm(&jwk)?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id, algorithm, key, members })
    }
}

fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let is_whole = |text: &str| bytes(text).is_some_and(|bytes| bytes.len() == CURVE_BYTES);
    let (algorithm, own, fits) = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            // Zeros before a number do not make it longer.
            let modulus = bytes(&rsa.n)?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            (Algorithm::RS256, KeyAlgorithm::RS256, length >= RSA_BYTES)
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let fits = key.curve == EllipticCurve::P256 && is_whole(&key.x) && is_whole(&key.y);
            (Algorithm::ES256, KeyAlgorithm::ES256, fits)
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            let fits = key.curve == EllipticCurve::Ed25519 && is_whole(&key.x);
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA, fits)
        }
        _ => return None,
    };
    // A key for encryption, or for another algorithm, signs nothing here (RFC 7517 §4.2, §4.4).
    let is_for_this = jwk.common.key_algorithm.is_none_or(|said| said == own);
    let is_for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|said| *said == PublicKeyUse::Signature);
    (fits && is_for_this && is_for_signatures).then_some(algorithm)
}

/// Why a set of keys is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is not JSON with a list of keys.
    #[error("must be a JWK set: an object with a list \"keys\"")]
    Malformed,
    /// One of its keys could sign.
    #[error("holds a private key (member {0}): make a new pair, and give the public half alone")]
    Private(&'static str),
    /// None of its keys can be used.
    #[error(
        "must have at least one key that can be used: Ed25519 (EdDSA), P-256 (ES256), or RSA with 2048 bits or more (RS256), \
         each for signatures"
    )]
    NoneUsable,
    /// It has more keys than would be tried.
    #[error("must have at most {MOST_KEYS} keys")]
    TooMany,
}

/// The usable keys of a JWK set (RFC 7517 §5: others are passed over).
///
/// # Errors
/// When the text is no JWK set. Keys of unknown kinds in it are no error.
pub fn key_set(text: &[u8]) -> Result<Vec<PublicKey>, KeySetError> {
    Ok(members(text)?.iter().filter_map(PublicKey::of).collect())
}

/// A JWK set that a person gave, with its usable keys and their public members alone.
///
/// # Errors
/// When it cannot be used. A private key in it is refused and not merely left out: it was shown, so it should be replaced.
pub fn public_set(text: &str) -> Result<String, KeySetError> {
    let given = members(text.as_bytes())?;
    let private =
        |key: &Map<String, Value>| PRIVATE.into_iter().find(|name| key.contains_key(*name));
    if let Some(name) = given.iter().find_map(private) {
        return Err(KeySetError::Private(name));
    }
    let usable: Vec<Value> =
        given.iter().filter_map(PublicKey::of).map(|key| Value::Object(key.members)).collect();
    match usable.len() {
        0 => Err(KeySetError::NoneUsable),
        1..=MOST_KEYS => Ok(serde_json::json!({ "keys": usable }).to_string()),
        _ => Err(KeySetError::TooMany),
    }
}

fn members(text: &[u8]) -> Result<Vec<Map<String, Value>>, KeySetError> {
    let set: Map<String, Value> =
        serde_json::from_slice(text).map_err(|_other| KeySetError::Malformed)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Malformed)?;
    Ok(keys.iter().filter_map(Value::as_object).cloned().collect())
}

#[cfg(test)]
mod tests;
