//! What a gateway says to another of the request that it forwards: signed, for this request and for a moment.
//!
//! **Invariant**: pure. An assertion is good for one region, one method, target, host and token, and for no longer than its
//! deadline and half a minute; the key decides the header, byte by byte, and every claim has its type.
//!
//! Signing and verifying are most of what a hop costs, so the keys are read once and kept as what signs and verifies.
//! `jsonwebtoken` reads them anew for every token.

use crate::region::Region;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// How much longer than its deadline an assertion is good.
const SLACK: Duration = Duration::from_secs(30);
/// The furthest deadline that is believed.
const LONGEST: Duration = Duration::from_mins(10);
/// How far clocks may differ.
const LEEWAY_SECONDS: i64 = 60;
/// The longest assertion that is looked at, in bytes.
const LARGEST: usize = 4096;
/// Keys of a set that are read.
const MOST_KEYS: usize = 256;
/// The `typ` of the header (RFC 8725 §3.11): a token of ours for another purpose is none of these.
const TYPE: &str = "muster-hop+jwt";

/// What an assertion is bound to: it is good for no other request.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The region that host and token name.
    pub region: &'a Region,
    /// The method.
    pub method: &'a str,
    /// Path and query, as they were sent.
    pub target: &'a str,
    /// The host, as the configuration writes it.
    pub host: &'a str,
    /// The key id of the token; empty where a request has none.
    pub key_id: &'a str,
}

impl Bound<'_> {
    /// A hash, since a target holds ids and names.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.method, self.target, self.host, self.key_id] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        BASE64_URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// What one gateway tells the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserted {
    /// From where the client came.
    pub address: IpAddr,
    /// How long the answer is waited for. A span and no instant: clocks differ.
    pub left: Duration,
    /// The span that the other side's is to be within (W3C Trace Context §3.2), when traces are on.
    pub trace_parent: Option<String>,
}

/// An assertion that is good, and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub asserted: Asserted,
    /// What makes it different from all others.
    pub nonce: u128,
    /// From when on it is refused anyhow, in seconds since 1970.
    pub over_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    aud: String,
    iat: i64,
    exp: i64,
    /// The nonce.
    jti: String,
    /// The digest of what it is bound to.
    req: String,
    /// Milliseconds that are left.
    left: u64,
    /// The client's address.
    addr: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

/// Why an assertion counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTrusted {
    /// It is no token of this kind.
    #[error("it is no assertion of a gateway")]
    Malformed,
    /// Its key is not in the set of trusted keys.
    #[error("its key is not in node.peer_jwks")]
    UnknownKey,
    /// The signature does not fit.
    #[error("its signature does not fit")]
    Forged,
    /// Its time is over, has not come, or is too long.
    #[error("its time is over or has not come: compare the clocks of the nodes")]
    Untimely,
    /// It is for another region.
    #[error("it is for another region")]
    Foreign,
    /// It was made for another request.
    #[error("it was made for another request")]
    OtherRequest,
    /// It was used before, or no more can be remembered.
    #[error("it was used before")]
    Replayed,
}

/// The header of everything that a key signs (RFC 7515 §4), encoded.
fn header_of(kid: &str) -> Option<String> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    Some(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?))
}

/// The key with which a node signs.
pub struct SigningKey {
    kid: String,
    header: String,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// An Ed25519 key in PKCS #8; `None` when it is none.
    #[must_use]
    pub fn new(kid: &str, pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        Some(Self { kid: kid.to_owned(), header: header_of(kid)?, pair })
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs. The nonce must be a new one.
    ///
    /// # Errors
    /// When the claims cannot be written.
    pub fn sign(
        &self,
        bound: &Bound<'_>,
        asserted: &Asserted,
        nonce: u128,
        now: i64,
    ) -> Result<String, serde_json::Error> {
        let claims = Claims {
            aud: bound.region.to_string(),
            iat: now,
            exp: now.saturating_add(seconds(asserted.left.saturating_add(SLACK))),
            jti: format!("{nonce:032x}"),
            req: bound.digest(),
            left: u64::try_from(asserted.left.as_millis()).unwrap_or(u64::MAX),
            addr: asserted.address,
            trace: asserted.trace_parent.clone(),
        };
        let mut text = String::with_capacity(512);
        text.push_str(&self.header);
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims)?, &mut text);
        let signature = self.pair.sign(text.as_bytes());
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

/// The public keys of the gateways whose word is believed.
#[derive(Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

struct TrustedKey {
    kid: String,
    header: String,
    key: ParsedPublicKey,
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|trusted| &trusted.kid)).finish()
    }
}

impl TrustedKeys {
    /// The Ed25519 keys of a JSON Web Key Set (RFC 7517 §5) that have an id; others are passed over.
    ///
    /// # Errors
    /// When the text is no key set.
    pub fn parse(jwks: &str) -> Result<Self, serde_json::Error> {
        let set: JwkSet = serde_json::from_str(jwks)?;
        let usable = |jwk: &Jwk| {
            let AlgorithmParameters::OctetKeyPair(pair) = &jwk.algorithm else { return None };
            let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty())?;
            let point = BASE64_URL_SAFE_NO_PAD.decode(&pair.x).ok()?;
            let key = ParsedPublicKey::new(&ED25519, point).ok()?;
            let header = header_of(&kid)?;
            (pair.curve == EllipticCurve::Ed25519).then_some(TrustedKey { kid, header, key })
        };
        Ok(Self(set.keys.iter().filter_map(usable).take(MOST_KEYS).collect()))
    }

    /// Whether nobody is believed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key is among them.
    #[must_use]
    pub fn know(&self, kid: &str) -> bool {
        self.0.iter().any(|trusted| trusted.kid == kid)
    }

    /// Whether an assertion is good for a request. That it is new, [`Nonces`](super::Nonces) knows.
    ///
    /// # Errors
    /// With the reason for which it counts for nothing.
    pub fn verify(
        &self,
        assertion: &str,
        bound: &Bound<'_>,
        now: i64,
    ) -> Result<Verified, NotTrusted> {
        if assertion.len() > LARGEST {
            return Err(NotTrusted::Malformed);
        }
        let claims = self.signed(assertion)?;
        let lifetime = claims.exp.checked_sub(claims.iat).ok_or(NotTrusted::Untimely)?;
        let left = Duration::from_millis(claims.left);
        if claims.exp <= now.saturating_sub(LEEWAY_SECONDS)
            || claims.iat > now.saturating_add(LEEWAY_SECONDS)
            || left > LONGEST
            || lifetime > seconds(left.saturating_add(SLACK))
        {
            return Err(NotTrusted::Untimely);
        }
        if claims.aud != bound.region.as_str() {
            return Err(NotTrusted::Foreign);
        }
        if claims.req != bound.digest() {
            return Err(NotTrusted::OtherRequest);
        }
        let nonce = u128::from_str_radix(&claims.jti, 16).map_err(|_no| NotTrusted::Malformed)?;
        let asserted = Asserted { address: claims.addr, left, trace_parent: claims.trace };
        let over_at = claims.exp.saturating_add(LEEWAY_SECONDS);
        Ok(Verified { asserted, nonce, over_at })
    }

    /// The claims, if they are signed. Only a header that one of the keys writes is taken: so no other algorithm, and no token
    /// of ours for another purpose.
    fn signed(&self, assertion: &str) -> Result<Claims, NotTrusted> {
        let (message, signature) = assertion.rsplit_once('.').ok_or(NotTrusted::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(NotTrusted::Malformed)?;
        let Some(trusted) = self.0.iter().find(|trusted| trusted.header == header) else {
            let header = jsonwebtoken::decode_header(assertion).ok();
            let is_ours = header.is_some_and(|header| header.typ.as_deref() == Some(TYPE));
            return Err(if is_ours { NotTrusted::UnknownKey } else { NotTrusted::Malformed });
        };
        let decode =
            |part| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_no| NotTrusted::Malformed);
        let verified = trusted.key.verify_sig(message.as_bytes(), &decode(signature)?);
        verified.map_err(|_unspecified| NotTrusted::Forged)?;
        serde_json::from_slice(&decode(claims)?).map_err(|_other| NotTrusted::Malformed)
    }
}

/// Whole seconds, rounded up.
fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(i64::MAX)
}
