//! A credential: the token's format, and what the registry keeps of it.
//!
//! **Invariant**: a token is seen twice, when it is issued and when it is presented, and is never stored, logged or printed
//! in between. What is kept is a keyed hash, found by the key id.

pub(crate) mod base62;
pub mod fault;
pub mod pattern;
pub mod scopes;
pub mod token;
pub mod usage;

use crate::networks::Networks;
use crate::tenant::id::TenantId;
use region_router::Population;
use scopes::Scopes;
use secrecy::SecretString;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;

/// Credentials of one tenant that can be live at once: enough to rotate, few enough to know.
pub const MAX_LIVE: usize = 5;

/// The keyed hash of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// What the registry knows of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The visible part by which the token is found.
    pub key_id: String,
    /// Whose token it is.
    pub tenant_id: TenantId,
    /// What the administrator calls it.
    pub name: String,
    /// What is shown in place of the token: `mst_eu_pf_****9f3c`.
    pub hint: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// From when on it is refused.
    pub expires_at: OffsetDateTime,
    /// When it was revoked, if it was.
    pub revoked_at: Option<OffsetDateTime>,
    /// The population that it is for.
    pub population: Population,
    /// Who made it; it outlives them.
    pub created_by: String,
    /// From where it may be used.
    pub networks: Networks,
    /// From when on it is refused because another one takes its place.
    pub retires_at: Option<OffsetDateTime>,
    /// The key id of the one whose place it takes.
    pub replaces: Option<String>,
    /// The number of its last change, among all changes of the registry.
    pub version: i64,
    pub(crate) hash: TokenHash,
}

impl Credential {
    /// Whether it is neither expired nor revoked.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && now < self.ends_at()
    }

    /// From when on it is refused, unless it is revoked before.
    #[must_use]
    pub fn ends_at(&self) -> OffsetDateTime {
        self.retires_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }

    /// The id by which the admin API names it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("tok_{}", self.key_id)
    }
}

/// What is asked for in a new credential.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// What the administrator calls it.
    pub name: String,
    /// How long it lives.
    pub expires: Duration,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The population that it is for; `None`: the tenant's.
    pub population: Option<Population>,
    /// From where it may be used.
    pub networks: Networks,
}

impl NewCredential {
    /// One that may do everything from anywhere.
    #[must_use]
    pub fn new(name: &str, expires: Duration) -> Self {
        Self {
            name: name.to_owned(),
            expires,
            scopes: Scopes::ALL,
            population: None,
            networks: Networks::default(),
        }
    }
}

/// What is to become of a credential; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct CredentialChange {
    /// What the administrator calls it.
    pub name: Option<String>,
    /// From where it may be used.
    pub networks: Option<Networks>,
}

/// A new credential, and its token for this once.
#[derive(Debug)]
pub struct IssuedCredential {
    /// The token. It cannot be had again.
    pub token: SecretString,
    /// What stays.
    pub credential: Credential,
}
