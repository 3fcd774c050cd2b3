//! The number that every write raises.
#![expect(unreachable_pub, reason = "the derives want public types")]

use sea_orm::entity::prelude::*;

/// The one row's id.
pub(crate) const ONLY: i64 = 1;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_generation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub generation: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
