//! What became of a credential: its last use, and the warnings of its end.
//!
//! **Invariant**: an address is kept as its network, and a client as its family.

use super::Credential;
use crate::tenant::id::TenantId;
use time::OffsetDateTime;

/// Days before the end at which is warned, from the last one on.
const LEVELS: [i64; 4] = [1, 7, 14, 30];

/// The last use of a credential, or of an OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialUse {
    /// The credential's key id, or the client's id.
    pub key_id: String,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// When.
    pub at: OffsetDateTime,
    /// By what family of clients: `Entra`.
    pub client: String,
    /// From which network: `203.0.113.0/24`.
    pub network: String,
}

/// A credential whose end is near, and was not announced as that near yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// The credential.
    pub credential: Credential,
    /// In how many days it ends at most: 30, 14, 7 or 1.
    pub days: i64,
}

impl Expiring {
    /// What is to be said of a credential, of which the least number of days that was announced is known.
    pub(crate) fn of(
        credential: Credential,
        warned: Option<i64>,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let is_over = credential.revoked_at.is_some() || credential.retires_at.is_some();
        if is_over {
            return None;
        }
        let days = level((credential.created_at, credential.expires_at), warned, now)?;
        Some(Self { credential, days })
    }
}

/// In how many days what lives from one instant to another ends at most, where that is to be said.
pub(crate) fn level(
    (created_at, expires_at): (OffsetDateTime, OffsetDateTime),
    warned: Option<i64>,
    now: OffsetDateTime,
) -> Option<i64> {
    let left = expires_at - now;
    if !left.is_positive() {
        return None;
    }
    let days = LEVELS.into_iter().find(|days| left <= time::Duration::days(*days))?;
    // Who makes a credential for a week need not be told on the same day that it ends in a month.
    let is_due = expires_at - created_at > time::Duration::days(days)
        && warned.is_none_or(|warned| days < warned);
    is_due.then_some(days)
}
