//! What purges deleted.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, unreadable};
use crate::error::RegistryError;
use crate::manifest::Manifest;
use region_router::Region;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_manifests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: String,
    pub region: String,
    pub at: i64,
    pub tables: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn read(self) -> Result<Manifest, RegistryError> {
        let bad = |what| unreadable("registry_manifests", &self.tenant_id, what);
        Ok(Manifest {
            region: Region::parse(&self.region).ok().ok_or_else(bad("region"))?,
            at: instant(self.at).ok_or_else(bad("at"))?,
            tables: serde_json::from_str(&self.tables).ok().ok_or_else(bad("tables"))?,
        })
    }
}
