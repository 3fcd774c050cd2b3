//! Changing what a tenant's identity provider may say: which deviations are refused, which attributes there are.
//!
//! **Invariant**: a declaration replaces the one that its author saw, or nothing: who adds an attribute never takes away the
//! one that somebody else has just added.

use super::Registry;
use crate::error::RegistryError;
use crate::tenant::{Tenant, TenantId};
use scim_core::{Custom, Tolerance};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use time::OffsetDateTime;

impl Registry {
    /// Sets which deviations of its identity provider the tenant tolerates.
    ///
    /// # Errors
    /// When there is no such tenant, or the database fails.
    pub async fn set_tolerance(
        &self,
        tenant: &TenantId,
        tolerance: &Tolerance,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        let strict = tolerance.to_string();
        self.set(tenant, ("tenant.set_strict", actor, now), |row| {
            let before = json!(row.strict.take());
            row.strict = Set(strict.clone());
            Ok((before, json!(strict)))
        })
        .await
    }

    /// Declares the tenant's own attributes anew, in place of the declaration `before` that the caller has seen.
    ///
    /// # Errors
    /// [`RegistryError::ExtensionChanged`] when the declaration is another one by now; when it cannot be read, there is no such
    /// tenant, or the database fails.
    pub async fn set_extension(
        &self,
        tenant: &TenantId,
        before: Option<&Custom>,
        after: Option<&Custom>,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Tenant, RegistryError> {
        self.set_row(tenant, ("tenant.set_extension", actor, now), |row, changed| {
            let old = row.declared()?;
            if old.declared.as_ref() != before {
                return Err(RegistryError::ExtensionChanged);
            }
            changed.extension = Set(old.declaring(after).to_column());
            Ok((as_json(before), as_json(after)))
        })
        .await
    }
}

/// A declaration in the audit: as JSON within JSON's text it could not be read by a person.
fn as_json(declared: Option<&Custom>) -> Value {
    declared.and_then(|custom| serde_json::from_str(&custom.to_json()).ok()).unwrap_or_default()
}
