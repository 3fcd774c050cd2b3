//! Plans.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::unreadable;
use crate::error::RegistryError;
use crate::plan::Plan;
use sea_orm::entity::prelude::*;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_plans")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub directory_sync: bool,
    pub group_push: bool,
    pub upgrade_text: String,
    pub grace_seconds: i64,
    pub generation: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn read(self) -> Result<Plan, RegistryError> {
        let seconds = u64::try_from(self.grace_seconds);
        Ok(Plan {
            grace: seconds.map(Duration::from_secs).ok().ok_or_else(unreadable(
                "registry_plans",
                &self.name,
                "grace_seconds",
            ))?,
            name: self.name,
            directory_sync: self.directory_sync,
            group_push: self.group_push,
            text: self.upgrade_text,
            version: self.generation,
        })
    }
}
