//! A token against what the registry keeps: whose it is, or why it is refused.
//!
//! **Invariant**: every answer does the same work (one hash, one comparison in constant time), and only who holds the whole
//! token learns that it expired or was revoked.

use crate::credential::token::BearerToken;
use crate::credential::{Credential, TokenHash};
use crate::oauth::{self, access};
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use provisioning::{Reason, Refusal};
use region_router::Population;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

/// A token that was accepted, of a tenant in whatever state.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Whose token it is.
    pub tenant: Arc<Tenant>,
    /// What is known of it.
    pub credential: Arc<Credential>,
}

/// Why a well-formed token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// There is no such token.
    #[error("the token is unknown")]
    Unknown,
    /// Its time was over at this instant.
    #[error("the token expired")]
    Expired(OffsetDateTime),
    /// It is an access token, and its time was over at this instant.
    #[error("the access token expired")]
    AccessTokenExpired(OffsetDateTime),
    /// It is an access token, and what it was asked for with was revoked, replaced or removed.
    #[error("what the access token was asked for with is gone")]
    AccessTokenRevoked,
    /// It was revoked at this instant.
    #[error("the token was revoked")]
    Revoked(OffsetDateTime),
    /// It is for a population that its tenant does not provision, or no longer.
    #[error("the token is for {asked}, and its tenant provisions {provisions}")]
    OtherPopulation {
        /// Who is provisioned.
        provisions: Population,
        /// Whom the token is for.
        asked: Population,
    },
}

impl AuthFailure {
    /// The reason code.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unknown => Reason::TokenUnknown,
            Self::Expired(_) | Self::AccessTokenExpired(_) => Reason::TokenExpired,
            Self::AccessTokenRevoked | Self::Revoked(_) => Reason::TokenRevoked,
            Self::OtherPopulation { .. } => Reason::PopulationConflict,
        }
    }

    /// What it is and what to do, for the administrator (requirements S2-32): never whose token it might be.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Unknown => "This token is not valid here. Make sure that the token in your identity provider is the one \
                              that was generated last, or generate a new token and paste that."
                .to_owned(),
            Self::Expired(at) => format!(
                "This token expired on {}. Generate a new token and paste it into your identity provider.",
                day(*at)
            ),
            Self::AccessTokenExpired(at) => format!(
                "This access token expired at {} UTC. Ask the token endpoint for another one; an identity provider that is \
                 given the token endpoint, the client id and the secret does so by itself.",
                minute(*at)
            ),
            Self::AccessTokenRevoked => "The secret or the key with which this access token was asked for was revoked or \
                                         replaced. Give your identity provider the client's new secret, or sign with a key that \
                                         is configured; it then gets another token by itself."
                .to_owned(),
            Self::Revoked(at) => format!(
                "This token was revoked on {}. Generate a new token and paste it into your identity provider.",
                day(*at)
            ),
            Self::OtherPopulation { provisions, asked } => format!(
                "This token is for the {asked} population, and this account provisions {provisions} alone (its setting \
                 both_populations is off). Nothing was changed. Use the base URL and a token of {provisions}, or ask for both \
                 to be allowed."
            ),
        }
    }
}

impl From<AuthFailure> for Refusal {
    fn from(failure: AuthFailure) -> Self {
        Self::new(failure.reason(), failure.detail())
    }
}

/// The day in UTC: `2026-11-22`.
fn day(at: OffsetDateTime) -> String {
    let date = at.to_offset(time::UtcOffset::UTC).date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// The minute in UTC: `2026-11-22 10:00`.
fn minute(at: OffsetDateTime) -> String {
    let time = at.to_offset(time::UtcOffset::UTC).time();
    format!("{} {:02}:{:02}", day(at), time.hour(), time.minute())
}

/// The key under which tokens are hashed, so that the registry's rows alone do not let tokens be tried.
#[derive(Clone)]
pub(crate) struct Pepper {
    keyed: Hmac<Sha256>,
    /// Derived once: access tokens are checked with every request.
    pub(crate) access_key: [u8; 32],
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

impl Pepper {
    pub(crate) fn new(secret: &SecretString) -> Self {
        // HMAC fills a key up to its block with zeros (RFC 2104 §2), so that this is the key SHA-256(secret).
        let mut block = Key::<Hmac<Sha256>>::default();
        let digest = Sha256::digest(secret.expose_secret().as_bytes());
        block.iter_mut().zip(digest).for_each(|(slot, byte)| *slot = byte);
        let mut pepper = Self { keyed: Hmac::new(&block), access_key: [0; 32] };
        pepper.access_key = pepper.derive(access::PURPOSE);
        pepper
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        // No token begins so, and neither does the text by which a pepper is checked.
        self.hash(&format!("muster derived key: {purpose}")).0
    }

    pub(crate) fn hash(&self, text: &str) -> TokenHash {
        let mut keyed = self.keyed.clone();
        keyed.update(text.as_bytes());
        TokenHash(keyed.finalize().into_bytes().into())
    }

    /// A keyed hash for one purpose, of parts whose bounds count. No token begins as a purpose does.
    pub(crate) fn keyed(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut keyed = self.keyed.clone();
        keyed.update(purpose.as_bytes());
        for part in parts {
            keyed.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            keyed.update(part);
        }
        keyed.finalize().into_bytes().into()
    }
}

/// Bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

pub(crate) fn authenticate(
    snapshot: &Snapshot,
    pepper: &Pepper,
    token: &BearerToken,
    now: OffsetDateTime,
) -> Result<Authenticated, AuthFailure> {
    let (owner, stands) = whose(snapshot, pepper, token).ok_or(AuthFailure::Unknown)?;
    let Authenticated { tenant, credential } = owner;
    if let Some(at) = credential.revoked_at {
        return Err(AuthFailure::Revoked(at));
    }
    if !stands {
        return Err(AuthFailure::AccessTokenRevoked);
    }
    if token.is_access() && now >= credential.expires_at {
        return Err(AuthFailure::AccessTokenExpired(credential.expires_at));
    }
    // Also the one whose place another one takes: then it is its overlap that is over.
    if now >= credential.ends_at() {
        return Err(AuthFailure::Expired(credential.ends_at()));
    }
    // What is left rests: on the way back it is good again.
    let (provisions, asked) = (tenant.population, credential.population);
    if !tenant.serves(asked) {
        return Err(AuthFailure::OtherPopulation { provisions, asked });
    }
    Ok(Authenticated { tenant, credential })
}

/// Whose token it is or was: its secret is right, whether or not its time is over or its population is provisioned.
pub(crate) fn owner(
    snapshot: &Snapshot,
    pepper: &Pepper,
    token: &BearerToken,
) -> Option<Authenticated> {
    whose(snapshot, pepper, token).map(|(owner, _)| owner)
}

/// Whose token it is that was made in a region which its tenant left so long ago that it is not known there any more: for an
/// answer that tells the right base URL, not for access.
pub(crate) fn moved_away(
    snapshot: &Snapshot,
    pepper: &Pepper,
    token: &BearerToken,
) -> Option<Arc<Tenant>> {
    let owner = if token.is_access() {
        oauth::authenticate::of_token(snapshot, &pepper.access_key, token)
            .map(|(client, _)| &client.tenant_id)
    } else {
        kept_as(snapshot, pepper, token).map(|credential| &credential.tenant_id)
    };
    let tenant = snapshot.tenant(owner?)?;
    let is_at_home = tenant.answers_to(&token.place().region);
    (!is_at_home && !tenant.state.is_gone()).then(|| Arc::clone(tenant))
}

/// Whose token it is or was, and whether what it was asked for with still stands: of a token that is kept here, always.
fn whose(
    snapshot: &Snapshot,
    pepper: &Pepper,
    token: &BearerToken,
) -> Option<(Authenticated, bool)> {
    if token.is_access() {
        return oauth::authenticate::owner(snapshot, &pepper.access_key, token);
    }
    let credential = kept_as(snapshot, pepper, token)?;
    let tenant = snapshot.tenant(&credential.tenant_id)?;
    // A token of before the tenant moved names the region that it left.
    let place = token.place();
    let is_at_home = tenant.answers_to(&place.region) && credential.population == place.population;
    if !is_at_home || tenant.state.is_gone() {
        return None;
    }
    let (tenant, credential) = (Arc::clone(tenant), Arc::clone(credential));
    Some((Authenticated { tenant, credential }, true))
}

/// What is kept of a token, where its secret is right.
fn kept_as<'a>(
    snapshot: &'a Snapshot,
    pepper: &Pepper,
    token: &BearerToken,
) -> Option<&'a Arc<Credential>> {
    let presented = pepper.hash(token.expose());
    let credential = snapshot.credential(token.key_id());
    let kept = credential.map_or(TokenHash([0; 32]), |credential| credential.hash);
    let is_same = bool::from(presented.0.ct_eq(&kept.0));
    credential.filter(|_| is_same)
}

#[cfg(test)]
mod tests;
