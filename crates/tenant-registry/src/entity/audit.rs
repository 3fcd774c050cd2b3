//! Who changed what.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, unreadable};
use crate::audit::AuditEntry;
use crate::error::RegistryError;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_audit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation: i64,
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub tenant_id: String,
    pub subject: String,
    pub detail: String,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&AuditEntry> for ActiveModel {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            generation: Set(entry.generation),
            at: Set(micros(entry.at)),
            actor: Set(entry.actor.clone()),
            action: Set(entry.action.clone()),
            tenant_id: Set(entry.tenant_id.clone()),
            subject: Set(entry.subject.clone()),
            detail: Set(entry.detail.clone()),
            request_id: Set(entry.request_id.clone()),
        }
    }
}

impl Model {
    pub(crate) fn read(self) -> Result<AuditEntry, RegistryError> {
        let at = instant(self.at).ok_or_else(unreadable(
            "registry_audit",
            &self.generation.to_string(),
            "at",
        ))?;
        Ok(AuditEntry {
            generation: self.generation,
            at,
            actor: self.actor,
            action: self.action,
            tenant_id: self.tenant_id,
            subject: self.subject,
            detail: self.detail,
            request_id: self.request_id,
        })
    }
}
