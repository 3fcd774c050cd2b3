//! Secrets of OAuth clients.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, unreadable};
use crate::credential::TokenHash;
use crate::error::RegistryError;
use crate::oauth::ClientSecret;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "registry_oauth_secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub client_id: String,
    pub hint: String,
    pub hash: Vec<u8>,
    pub generation: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    /// The least number of days of which its end was announced.
    pub warned_days: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of a new secret.
pub(crate) fn new_row(secret: &ClientSecret, client: &str, generation: i64) -> ActiveModel {
    ActiveModel {
        id: Set(secret.id.clone()),
        client_id: Set(client.to_owned()),
        hint: Set(secret.hint.clone()),
        hash: Set(secret.hash.0.to_vec()),
        generation: Set(generation),
        created_at: Set(micros(secret.created_at)),
        expires_at: Set(micros(secret.expires_at)),
        revoked_at: Set(secret.revoked_at.map(micros)),
        warned_days: Set(None),
    }
}

impl Model {
    pub(crate) fn read(self) -> Result<ClientSecret, RegistryError> {
        let bad = |what| unreadable("registry_oauth_secrets", &self.id, what);
        let revoked_at =
            self.revoked_at.map(|at| instant(at).ok_or_else(bad("revoked_at"))).transpose()?;
        Ok(ClientSecret {
            hash: TokenHash(self.hash.try_into().ok().ok_or_else(bad("hash"))?),
            created_at: instant(self.created_at).ok_or_else(bad("created_at"))?,
            expires_at: instant(self.expires_at).ok_or_else(bad("expires_at"))?,
            revoked_at,
            id: self.id.clone(),
            hint: self.hint,
        })
    }
}
