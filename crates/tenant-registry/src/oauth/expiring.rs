//! Secrets of clients whose end is near.

use super::{ClientSecret, OauthClient};
use crate::credential::usage::level;
use time::OffsetDateTime;

/// A secret whose end is near, and was not announced as that near yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringSecret {
    /// Whose secret it is.
    pub client: OauthClient,
    /// The secret.
    pub secret: ClientSecret,
    /// In how many days it ends at most: 30, 14, 7 or 1.
    pub days: i64,
}

impl ExpiringSecret {
    /// What is to be said of a secret of a client, of which the least number of days that was announced is known.
    pub(crate) fn of(
        client: &OauthClient,
        id: &str,
        warned: Option<i64>,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let secret = client.secrets.iter().find(|secret| secret.id == id)?;
        if client.revoked_at.is_some() || secret.revoked_at.is_some() {
            return None;
        }
        let days = level((secret.created_at, secret.expires_at), warned, now)?;
        Some(Self { client: client.clone(), secret: secret.clone(), days })
    }
}
