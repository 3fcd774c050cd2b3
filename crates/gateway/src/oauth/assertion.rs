//! An assertion against the keys that were configured for its client (RFC 7523 §3, RFC 8725).
//!
//! **Invariant**: the key decides the algorithm, never the assertion; one that brings its own key, or asks for what is not
//! understood, is refused before a signature is computed.

use crate::jwk::{self, LONGEST_TOKEN, MOST_KEYS, PublicKey, object};
use jsonwebtoken::Validation;
use serde_json::{Map, Value};
use std::collections::HashSet;
use time::OffsetDateTime;

/// How far clocks may differ.
const LEEWAY_SECONDS: i64 = 60;
/// How far ahead the end of an assertion may be.
const LONGEST_SECONDS: i64 = 3_600;

/// What is expected of an assertion.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) audiences: &'a [&'a str],
    pub(super) jwks: &'a str,
}

/// An assertion that is good.
pub(super) struct Good {
    /// What it is known by: its `jti`, or all that is signed. Not its signature, of which ECDSA has two that are good.
    pub(super) name: String,
    /// From when on it is refused anyhow.
    pub(super) expires_at: i64,
    /// The key that signed it.
    pub(super) key: Map<String, Value>,
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
    let (claims, key) = keys(expected.jwks, header.get("kid").and_then(Value::as_str))
        .find_map(|key| Some((signed(assertion, &key)?, key.members)))
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
        None => assertion.rsplit_once('.').map_or(assertion, |(signed, _)| signed).to_owned(),
        Some(Value::String(jti)) if !jti.is_empty() => jti.clone(),
        Some(_) => return Err("Its id (jti) is no text."),
    };
    Ok(Good { name, expires_at: expires_at + LEEWAY_SECONDS, key })
}

fn header(assertion: &str) -> Result<Map<String, Value>, &'static str> {
    if assertion.len() > LONGEST_TOKEN {
        return Err("It is longer than 8 KiB.");
    }
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, _claims, _signature] = parts.as_slice() else {
        return Err("It is not a JSON Web Token of three parts.");
    };
    let header = object(header).ok_or("Its header is not JSON.")?;
    if jwk::forbidden(&header).is_some() {
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

/// The usable keys of a set; those of the id alone, if one is named.
fn keys(jwks: &str, kid: Option<&str>) -> impl Iterator<Item = PublicKey> {
    let kid = kid.map(str::to_owned);
    jwk::key_set(jwks.as_bytes())
        .unwrap_or_default()
        .into_iter()
        .filter(move |key| kid.is_none() || key.kid == kid)
        .take(MOST_KEYS)
}

/// The claims, if the signature is of this key.
fn signed(assertion: &str, key: &PublicKey) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(key.algorithm);
    // The claims are looked at below, by our own clock.
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode::<Map<String, Value>>(assertion, &key.key, &validation);
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
