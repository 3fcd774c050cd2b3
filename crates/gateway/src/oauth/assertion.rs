//! An assertion against the keys that were configured for its client (RFC 7523 §3, RFC 8725).
//!
//! **Invariant**: the key decides the algorithm, never the assertion; one that brings its own key, or asks for what is not
//! understood, is refused before a signature is computed.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use std::collections::HashSet;
use time::OffsetDateTime;

/// How far clocks may differ.
const LEEWAY_SECONDS: i64 = 60;
/// How far ahead the end of an assertion may be.
const LONGEST_SECONDS: i64 = 3_600;
/// The longest assertion that is looked at, in bytes.
const LARGEST: usize = 8 * 1024;
/// The smallest modulus of an RSA key, in bytes (RFC 7518 §3.3).
const RSA_BYTES: usize = 256;
/// Keys of a set that are tried.
const MOST_KEYS: usize = 16;
/// What lets an assertion bring its own key, or has to be understood (RFC 7515 §4.1). `x5t`, which Entra sends, only names
/// a certificate.
const FORBIDDEN: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "zip"];

/// What is expected of an assertion.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) audiences: &'a [&'a str],
    pub(super) jwks: &'a str,
}

/// An assertion that is good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Good {
    /// What it is known by: its `jti`, or all of it.
    pub(super) name: String,
    /// From when on it is refused anyhow.
    pub(super) expires_at: i64,
}

/// Who an assertion says it is about: read, and not believed.
pub(super) fn subject(assertion: &str) -> Option<String> {
    let claims = object(assertion.split('.').nth(1)?)?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned)
}

/// Verifies signature and claims, or says which of them is not good.
pub(super) fn verify(
    assertion: &str,
    expected: &Expected<'_>,
    now: OffsetDateTime,
) -> Result<Good, &'static str> {
    let header = header(assertion)?;
    let claims = keys(expected.jwks, header.get("kid").and_then(Value::as_str))
        .find_map(|(algorithm, key)| signed(assertion, algorithm, &key))
        .ok_or("Its signature is not of a key that is configured for the client.")?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err("Its issuer (iss) is not the one that is configured for the client.");
    }
    if text("sub") != Some(expected.subject) {
        return Err("Its subject (sub) is not the one that is configured for the client.");
    }
    if !is_for(claims.get("aud"), expected.audiences) {
        return Err("Its audience (aud) is not this token endpoint.");
    }
    let expires_at = check_times(&claims, now.unix_timestamp())?;
    let name = match claims.get("jti") {
        None => assertion.to_owned(),
        Some(Value::String(jti)) if !jti.is_empty() => jti.clone(),
        Some(_) => return Err("Its id (jti) is no text."),
    };
    Ok(Good { name, expires_at: expires_at + LEEWAY_SECONDS })
}

fn header(assertion: &str) -> Result<Map<String, Value>, &'static str> {
    if assertion.len() > LARGEST {
        return Err("It is longer than 8 KiB.");
    }
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, _claims, _signature] = parts.as_slice() else {
        return Err("It is not a JSON Web Token of three parts.");
    };
    let header = object(header).ok_or("Its header is not JSON.")?;
    if FORBIDDEN.into_iter().any(|name| header.contains_key(name)) {
        return Err("Its header has a member that is refused (jku, jwk, x5u, x5c, crit or zip).");
    }
    let is_one = |kind: &str| {
        ["jwt", "client-authentication+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))
    };
    match header.get("typ") {
        None => {}
        Some(Value::String(kind)) if is_one(kind) => {}
        Some(_) => return Err("It is of another type (typ) than JWT."),
    }
    match header.get("kid") {
        None | Some(Value::String(_)) => Ok(header),
        Some(_) => Err("The id of its key (kid) is no text."),
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The usable keys of a set (RFC 7517 §5: others are passed over), each with its one algorithm; those of the id alone, if
/// one is named.
fn keys(jwks: &str, kid: Option<&str>) -> impl Iterator<Item = (Algorithm, DecodingKey)> {
    let set: Map<String, Value> = serde_json::from_str(jwks).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let kid = kid.map(str::to_owned);
    keys.into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(move |jwk| kid.is_none() || jwk.common.key_id == kid)
        .filter_map(|jwk| Some((algorithm(&jwk)?, DecodingKey::from_jwk(&jwk).ok()?)))
        .take(MOST_KEYS)
}

fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, said) = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = BASE64_URL_SAFE_NO_PAD.decode(rsa.n.as_bytes()).ok()?;
            (modulus.len() >= RSA_BYTES).then_some((Algorithm::RS256, KeyAlgorithm::RS256))?
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let is_for_this = jwk.common.key_algorithm.is_none_or(|own| own == said);
    let is_for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|own| *own == PublicKeyUse::Signature);
    (is_for_this && is_for_signatures).then_some(algorithm)
}

/// The claims, if the signature is of this key.
fn signed(assertion: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    // The claims are looked at below, by our own clock.
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode::<Map<String, Value>>(assertion, key, &validation);
    decoded.ok().map(|decoded| decoded.claims)
}

fn is_for(audience: Option<&Value>, ours: &[&str]) -> bool {
    match audience {
        Some(Value::String(one)) => ours.contains(&one.as_str()),
        Some(Value::Array(some)) => {
            some.iter().filter_map(Value::as_str).any(|one| ours.contains(&one))
        }
        _ => false,
    }
}

/// The instant of `exp`, if the times are good.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<i64, &'static str> {
    let instant = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or("One of its times is not a whole number."),
    };
    let expires_at = instant("exp")?.ok_or("It has no end (exp).")?;
    if expires_at <= now.saturating_sub(LEEWAY_SECONDS) {
        return Err("Its time is over (exp).");
    }
    if expires_at > now + LONGEST_SECONDS + LEEWAY_SECONDS {
        return Err("Its end (exp) is more than an hour ahead.");
    }
    for name in ["nbf", "iat"] {
        if instant(name)?.is_some_and(|at| at > now + LEEWAY_SECONDS) {
            return Err("It is of the future (nbf or iat).");
        }
    }
    Ok(expires_at)
}

#[cfg(test)]
mod tests;
