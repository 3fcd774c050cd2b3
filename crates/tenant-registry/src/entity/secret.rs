//! Secrets that the registry made for itself.
#![expect(unreachable_pub, reason = "the derives want public types")]

use sea_orm::entity::prelude::*;

/// The key under which tokens are hashed, where none is configured.
pub(crate) const PEPPER: &str = "token_pepper";
/// A hash under the key in use, by which another key is noticed.
pub(crate) const PEPPER_CHECK: &str = "token_pepper_check";
/// When an operator last said that what the registry holds is to be taken, in microseconds since 1970.
pub(crate) const ACCEPTED: &str = "accepted_at";
/// The id of a region's store; the region and the shard follow.
pub(crate) const STORE: &str = "store";

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: String,
    pub created_at: i64,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
