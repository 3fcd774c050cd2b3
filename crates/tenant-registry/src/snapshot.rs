//! The whole registry in memory.
//!
//! **Invariant**: a snapshot is never changed, only replaced; it is at least as new as the generation it names.

use crate::credential::Credential;
use crate::tenant::{Tenant, TenantId};
use std::collections::HashMap;
use std::sync::Arc;

/// What was known at one generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) generation: i64,
    tenants: HashMap<TenantId, Arc<Tenant>>,
    credentials: HashMap<String, Arc<Credential>>,
}

impl Snapshot {
    pub(crate) fn tenant(&self, id: &TenantId) -> Option<&Arc<Tenant>> {
        self.tenants.get(id)
    }

    pub(crate) fn credential(&self, key_id: &str) -> Option<&Arc<Credential>> {
        self.credentials.get(key_id)
    }

    /// This snapshot with newer rows in place of older ones.
    pub(crate) fn with(
        mut self,
        generation: i64,
        tenants: Vec<Tenant>,
        credentials: Vec<Credential>,
    ) -> Self {
        self.generation = generation;
        self.tenants
            .extend(tenants.into_iter().map(|tenant| (tenant.id.clone(), Arc::new(tenant))));
        self.credentials.extend(
            credentials
                .into_iter()
                .map(|credential| (credential.key_id.clone(), Arc::new(credential))),
        );
        self
    }
}
