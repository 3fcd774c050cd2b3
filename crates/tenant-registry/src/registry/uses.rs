//! When credentials were used last.
//!
//! **Invariant**: it raises no generation, and a later use is never replaced by an earlier one, whichever node writes first.

use super::Registry;
use crate::credential::usage::CredentialUse;
use crate::entity::usage::{ActiveModel, Column, Entity, Model};
use crate::error::RegistryError;
use crate::tenant::id::TenantId;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, HashMap};

/// Rows of one statement.
const AT_ONCE: usize = 500;

impl Registry {
    /// Keeps the last uses of credentials.
    ///
    /// # Errors
    /// When the database fails; those before may be kept.
    pub async fn note_uses(&self, uses: &[CredentialUse]) -> Result<(), RegistryError> {
        // One row for each, in one order on every node: two of them that write at once do not wait for each other.
        let mut last: BTreeMap<&str, &CredentialUse> = BTreeMap::new();
        for usage in uses {
            let known = last.entry(&usage.key_id).or_insert(usage);
            if known.at < usage.at {
                *known = usage;
            }
        }
        let last: Vec<&CredentialUse> = last.into_values().collect();
        let is_later =
            Expr::col((Alias::new("excluded"), Column::At)).gt(Expr::col((Entity, Column::At)));
        let newer = OnConflict::column(Column::KeyId)
            .update_columns([Column::At, Column::Client, Column::Network])
            .action_and_where(is_later)
            .to_owned();
        for some in last.chunks(AT_ONCE) {
            Entity::insert_many(some.iter().map(|usage| ActiveModel::from(*usage)))
                .on_conflict(newer.clone())
                .exec_without_returning(self.db()?.writer())
                .await
                .map_err(RegistryError::Database)?;
        }
        Ok(())
    }

    /// The last uses of a tenant's credentials and clients, by their ids. Who was never used is not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uses(
        &self,
        id: &TenantId,
    ) -> Result<HashMap<String, CredentialUse>, RegistryError> {
        let rows = Entity::find()
            .filter(Column::TenantId.eq(id.as_str()))
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        let read = |row: Model| Ok((row.key_id.clone(), row.read()?));
        rows.into_iter().map(read).collect()
    }
}
