//! A JSON Web Token against one issuer's keys (RFC 7519, RFC 8725).
//!
//! **Invariant**: the key decides the algorithm, never the token; a token that names its own key, or asks for what is not
//! understood, is refused before a signature is computed.

use super::problem::{Code, Problem};
use crate::jwk::{self, KeySetError, LONGEST_TOKEN, PublicKey, object};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far clocks may differ.
pub(super) const LEEWAY_SECONDS: i64 = 30;

/// A key, and the one algorithm that it is for.
#[derive(Clone)]
pub struct VerifyingKey {
    /// Its id.
    pub kid: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// An Ed25519 key of ours.
    #[must_use]
    pub fn ed25519(kid: &str, public: &[u8]) -> Self {
        let key = DecodingKey::from_ed_der(public);
        Self { kid: kid.to_owned(), algorithm: Algorithm::EdDSA, key }
    }

    /// A key of a JWK set: `EdDSA` or `RS256`, and with an id, by which a token names it.
    fn of(key: PublicKey) -> Option<Self> {
        let is_ours = matches!(key.algorithm, Algorithm::EdDSA | Algorithm::RS256);
        let kid = key.kid.filter(|_| is_ours)?;
        Some(Self { kid, algorithm: key.algorithm, key: key.key })
    }
}

/// The usable keys of a JWK set (RFC 7517 §5: others are passed over).
///
/// # Errors
/// When the text is no JWK set. Keys of unknown kinds in it are no error.
pub fn key_set(text: &[u8]) -> Result<Vec<VerifyingKey>, KeySetError> {
    Ok(jwk::key_set(text)?.into_iter().filter_map(VerifyingKey::of).collect())
}

/// A token's head, read and not believed.
#[derive(Debug)]
pub struct Head {
    /// The key that it says it is signed with.
    pub kid: String,
    /// The issuer that it says it is from.
    pub issuer: String,
}

/// Reads the head of a token.
///
/// # Errors
/// When it is no JWT in compact form, has no key id or issuer, or asks for what is refused.
pub fn head(token: &str) -> Result<Head, Problem> {
    let invalid = |detail: &str| Problem::new(Code::TokenInvalid, detail);
    let form = "The token is not a signed JSON Web Token. Get one with `muster operator token`, or from the configured issuer.";
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid(form));
    };
    if token.len() > LONGEST_TOKEN {
        return Err(invalid("The token is longer than any good one."));
    }
    let header = object(header).ok_or_else(|| invalid(form))?;
    let claims = object(claims).ok_or_else(|| invalid(form))?;
    if let Some(name) = jwk::forbidden(&header) {
        return Err(invalid(&format!("The token's header holds {name}, which is refused.")));
    }
    let text = |of: &Map<String, Value>, name: &str| {
        of.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let kid = text(&header, "kid").ok_or_else(|| invalid("The token names no key (kid)."))?;
    let issuer = text(&claims, "iss").ok_or_else(|| invalid("The token names no issuer (iss)."))?;
    Ok(Head { kid, issuer })
}

/// The claims of a good token (RFC 7519 §4.1), and ours.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Who calls.
    pub sub: String,
    /// When it was issued.
    pub iat: Option<i64>,
    /// When its time is over.
    pub exp: i64,
    /// `operator` or `tenant_admin`.
    pub role: Option<String>,
    /// The tenant of a tenant's administrator.
    pub tenant: Option<String>,
    /// What it is good for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The same as one text (RFC 8693 §4.2).
    pub scope: Option<String>,
    /// The regions that it is good for; without it, all.
    pub regions: Option<Vec<String>>,
}

/// Verifies signature and claims.
///
/// # Errors
/// 401, saying which of them is not good.
pub fn verify(
    token: &str,
    key: &VerifyingKey,
    issuer: &str,
    audience: &str,
) -> Result<Claims, Problem> {
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = LEEWAY_SECONDS.unsigned_abs();
    validation.validate_nbf = true;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    let read = jsonwebtoken::decode::<Claims>(token, &key.key, &validation);
    let claims = read.map_err(|error| refused(error.kind()))?.claims;
    if claims.sub.trim().is_empty()
        || claims.sub.len() > 255
        || claims.sub.chars().any(char::is_control)
    {
        return Err(Problem::new(
            Code::TokenInvalid,
            "The token's subject (sub) is empty, too long, or has control characters in it.",
        ));
    }
    Ok(claims)
}

fn refused(kind: &ErrorKind) -> Problem {
    let detail = match kind {
        ErrorKind::ExpiredSignature => {
            return Problem::new(
                Code::TokenExpired,
                "The token's time is over. Get a new one with `muster operator token`, or from the configured issuer.",
            );
        }
        ErrorKind::InvalidSignature => "The token's signature does not fit.",
        ErrorKind::InvalidIssuer => "The token is from another issuer.",
        ErrorKind::InvalidAudience => "The token is for another audience (aud).",
        ErrorKind::ImmatureSignature => "The token is not good yet (nbf).",
        ErrorKind::InvalidAlgorithm => "The token's algorithm is not that of its key.",
        ErrorKind::MissingRequiredClaim(_) => {
            "The token lacks a claim: iss, aud, exp and sub are needed."
        }
        _ => "The token cannot be read.",
    };
    Problem::new(Code::TokenInvalid, detail)
}
