//! Credentials.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, unreadable};
use crate::credential::scopes::Scopes;
use crate::credential::{Credential, TokenHash};
use crate::error::RegistryError;
use crate::networks::Networks;
use crate::tenant::id::TenantId;
use region_router::Population;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

const TABLE: &str = "registry_credentials";

#[derive(Clone, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "registry_credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    pub tenant_id: String,
    pub name: String,
    pub hint: String,
    pub scopes: String,
    pub hash: Vec<u8>,
    pub generation: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    pub population: String,
    pub created_by: String,
    pub networks: String,
    pub retires_at: Option<i64>,
    pub replaces: Option<String>,
    pub warned_days: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of a new credential.
pub(crate) fn new_row(credential: &Credential, generation: i64) -> ActiveModel {
    ActiveModel {
        key_id: Set(credential.key_id.clone()),
        tenant_id: Set(credential.tenant_id.as_str().to_owned()),
        name: Set(credential.name.clone()),
        hint: Set(credential.hint.clone()),
        scopes: Set(credential.scopes.to_string()),
        hash: Set(credential.hash.0.to_vec()),
        generation: Set(generation),
        created_at: Set(micros(credential.created_at)),
        expires_at: Set(micros(credential.expires_at)),
        revoked_at: Set(credential.revoked_at.map(micros)),
        population: Set(credential.population.as_str().to_owned()),
        created_by: Set(credential.created_by.clone()),
        networks: Set(credential.networks.to_string()),
        retires_at: Set(credential.retires_at.map(micros)),
        replaces: Set(credential.replaces.clone()),
        warned_days: Set(None),
    }
}

impl Model {
    pub(crate) fn read(self) -> Result<Credential, RegistryError> {
        let bad = |what| unreadable(TABLE, &self.key_id, what);
        let some =
            |at: Option<i64>, what| at.map(|at| instant(at).ok_or_else(bad(what))).transpose();
        let (revoked_at, retires_at) =
            (some(self.revoked_at, "revoked_at")?, some(self.retires_at, "retires_at")?);
        let population = self.population().ok_or_else(bad("population"))?;
        Ok(Credential {
            tenant_id: TenantId::parse(&self.tenant_id).ok().ok_or_else(bad("tenant_id"))?,
            scopes: Scopes::parse(&self.scopes).ok().ok_or_else(bad("scopes"))?,
            hash: TokenHash(self.hash.try_into().ok().ok_or_else(bad("hash"))?),
            created_at: instant(self.created_at).ok_or_else(bad("created_at"))?,
            expires_at: instant(self.expires_at).ok_or_else(bad("expires_at"))?,
            revoked_at,
            retires_at,
            population,
            networks: Networks::parse(&self.networks).ok().ok_or_else(bad("networks"))?,
            version: self.generation,
            created_by: self.created_by,
            replaces: self.replaces,
            key_id: self.key_id.clone(),
            name: self.name,
            hint: self.hint,
        })
    }

    /// A program that does not know the column left it empty; the hint says it too.
    pub(crate) fn population(&self) -> Option<Population> {
        match self.population.as_str() {
            "" => Population::from_code(self.hint.split('_').nth(2)?),
            written => Population::parse(written).ok(),
        }
    }
}
