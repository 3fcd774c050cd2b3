//! When credentials were used last.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, unreadable};
use crate::credential::usage::CredentialUse;
use crate::error::RegistryError;
use crate::tenant::id::TenantId;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_credential_uses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    pub tenant_id: String,
    pub at: i64,
    pub client: String,
    pub network: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&CredentialUse> for ActiveModel {
    fn from(usage: &CredentialUse) -> Self {
        Self {
            key_id: Set(usage.key_id.clone()),
            tenant_id: Set(usage.tenant_id.as_str().to_owned()),
            at: Set(micros(usage.at)),
            client: Set(usage.client.clone()),
            network: Set(usage.network.clone()),
        }
    }
}

impl Model {
    pub(crate) fn read(self) -> Result<CredentialUse, RegistryError> {
        let bad = |what| unreadable("registry_credential_uses", &self.key_id, what);
        Ok(CredentialUse {
            tenant_id: TenantId::parse(&self.tenant_id).ok().ok_or_else(bad("tenant_id"))?,
            at: instant(self.at).ok_or_else(bad("at"))?,
            key_id: self.key_id,
            client: self.client,
            network: self.network,
        })
    }
}
