//! Clients of OAuth 2.0 (RFC 6749 §4.4): a program that asks for access tokens with a secret, or with an assertion
//! (RFC 7523).
//!
//! **Invariant**: a secret is seen when it is issued and when it is presented, as a token is; a client has the region and the
//! population of its id for life.

pub mod access;
pub(crate) mod authenticate;
pub mod expiring;
pub mod id;
pub mod proof;

pub use expiring::ExpiringSecret;
pub use proof::Proof;

use crate::credential::TokenHash;
use crate::credential::scopes::Scopes;
use crate::error::RegistryError;
use crate::name::{self, NAME, TEXT};
use crate::networks::Networks;
use crate::tenant::id::TenantId;
use region_router::Population;
use secrecy::SecretString;
use std::time::Duration;
use time::OffsetDateTime;

/// Clients of one tenant that can be live at once.
pub const MAX_CLIENTS: usize = 5;
/// Secrets of one client that can be live at once.
pub const MAX_SECRETS: usize = 3;
/// The shortest and the longest life of an access token.
pub const TOKEN_LIFETIME: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(3_600)..=Duration::from_secs(6 * 3_600);
/// Bytes of a key set.
const JWKS_BYTES: usize = 64 * 1024;

/// What the registry knows of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// The id that it names: `mcl_eu_pf_…`.
    pub client_id: String,
    /// Whose client it is.
    pub tenant_id: TenantId,
    /// The population that it is for.
    pub population: Population,
    /// What the administrator calls it.
    pub name: String,
    /// What its tokens may be used for at most.
    pub scopes: Scopes,
    /// How long its tokens live.
    pub token_lifetime: Duration,
    /// From where it may ask for tokens and use them.
    pub networks: Networks,
    /// How it proves itself without a secret.
    pub assertion: Option<Assertion>,
    /// Who made it; it outlives them.
    pub created_by: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was revoked, if it was.
    pub revoked_at: Option<OffsetDateTime>,
    /// Its secrets, oldest first, with those that expired or were revoked.
    pub secrets: Vec<ClientSecret>,
    /// The number of its last change, or its secrets', among all changes of the registry.
    pub version: i64,
}

impl OauthClient {
    /// This client without what another copy of it has revoked, if that is anything.
    pub(crate) fn ended_as(&self, other: &Self) -> Option<Self> {
        let mut ended = self.clone();
        ended.revoked_at = self.revoked_at.or(other.revoked_at);
        for secret in &mut ended.secrets {
            let copy = other.secrets.iter().find(|copy| copy.id == secret.id);
            secret.revoked_at = secret.revoked_at.or(copy.and_then(|copy| copy.revoked_at));
        }
        (ended != *self).then_some(ended)
    }
}

/// Who signs a client's assertions (RFC 7523 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`, where it is not the token endpoint.
    pub audience: Option<String>,
    /// The keys, as a JWK set (RFC 7517 §5).
    pub jwks: String,
}

/// What is kept of a client's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// The visible part by which it is found.
    pub id: String,
    /// What is shown in place of it: `mcs_eu_pf_****9f3c`.
    pub hint: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it is refused.
    pub expires_at: OffsetDateTime,
    /// When it was revoked, if it was.
    pub revoked_at: Option<OffsetDateTime>,
    pub(crate) hash: TokenHash,
}

impl ClientSecret {
    /// Whether it is neither expired nor revoked.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// What is asked for in a new client.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// What the administrator calls it.
    pub name: String,
    /// What its tokens may be used for at most.
    pub scopes: Scopes,
    /// The population that it is for; `None`: the tenant's.
    pub population: Option<Population>,
    /// From where it may be used.
    pub networks: Networks,
    /// How long its tokens live.
    pub token_lifetime: Duration,
    /// How it proves itself without a secret.
    pub assertion: Option<Assertion>,
    /// How long its first secret lives; `None`: it gets none.
    pub secret: Option<Duration>,
}

impl NewClient {
    /// One that may do everything from anywhere, with a secret for a year and tokens for an hour.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            scopes: Scopes::ALL,
            population: None,
            networks: Networks::default(),
            token_lifetime: *TOKEN_LIFETIME.start(),
            assertion: None,
            secret: Some(Duration::from_secs(365 * 86_400)),
        }
    }

    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        name::check("name", &self.name, NAME)?;
        check_lifetime(self.token_lifetime)?;
        self.assertion.as_ref().map_or(Ok(()), Assertion::check)
    }
}

/// What is to become of a client; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ClientChange {
    /// What the administrator calls it.
    pub name: Option<String>,
    /// What its tokens may be used for at most; those that are issued already, too.
    pub scopes: Option<Scopes>,
    /// From where it may be used.
    pub networks: Option<Networks>,
    /// How long its tokens live, from the next one on.
    pub token_lifetime: Option<Duration>,
    /// How it proves itself without a secret; `Some(None)`: not at all.
    pub assertion: Option<Option<Assertion>>,
}

impl ClientChange {
    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        self.name.as_deref().map_or(Ok(()), |name| name::check("name", name, NAME))?;
        self.token_lifetime.map_or(Ok(()), check_lifetime)?;
        self.assertion.iter().flatten().try_for_each(Assertion::check)
    }
}

impl Assertion {
    fn check(&self) -> Result<(), RegistryError> {
        name::check("issuer", &self.issuer, TEXT)?;
        name::check("subject", &self.subject, TEXT)?;
        self.audience.as_deref().map_or(Ok(()), |text| name::check("audience", text, TEXT))?;
        let keys = serde_json::from_str::<serde_json::Value>(&self.jwks).ok();
        let has_keys =
            keys.and_then(|set| set.get("keys")?.as_array().map(|keys| !keys.is_empty()));
        if has_keys == Some(true) && self.jwks.len() <= JWKS_BYTES {
            return Ok(());
        }
        Err(RegistryError::KeysInvalid)
    }
}

fn check_lifetime(lifetime: Duration) -> Result<(), RegistryError> {
    if TOKEN_LIFETIME.contains(&lifetime) {
        return Ok(());
    }
    Err(RegistryError::LifetimeInvalid)
}

/// A new client, and its secret for this once.
#[derive(Debug)]
pub struct IssuedClient {
    /// The secret, where one was asked for. It cannot be had again.
    pub secret: Option<SecretString>,
    /// What stays.
    pub client: OauthClient,
}

/// A new secret of a client, for this once.
#[derive(Debug)]
pub struct IssuedSecret {
    /// The secret. It cannot be had again.
    pub secret: SecretString,
    /// What stays of it.
    pub kept: ClientSecret,
    /// The client, with it.
    pub client: OauthClient,
}
