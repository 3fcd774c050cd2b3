//! Tenants and audit entries, page by page.
//!
//! **Invariant**: a page begins behind the last one by a key that no two rows share.

use super::Registry;
use crate::audit::{AuditEntry, AuditQuery};
use crate::entity::{audit, micros, tenant};
use crate::error::RegistryError;
use crate::tenant::change::TenantQuery;
use crate::tenant::{Tenant, TenantState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

impl Registry {
    /// Tenants by slug.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenants_page(&self, query: &TenantQuery) -> Result<Vec<Tenant>, RegistryError> {
        use tenant::Column::{Plan, Population, Provider, Region, Slug, State};
        let mut find = tenant::Entity::find();
        if let Some(after) = &query.after {
            find = find.filter(Slug.gt(after.as_str()));
        }
        if !query.region.is_empty() {
            find =
                find.filter(Region.is_in(query.region.iter().map(region_router::Region::as_str)));
        }
        let words = [
            (State, query.state.map(TenantState::as_str)),
            (Plan, query.plan.as_deref()),
            (Population, query.population.map(region_router::Population::as_str)),
            (Provider, query.provider.as_deref()),
        ];
        for (column, word) in words {
            if let Some(word) = word {
                find = find.filter(column.eq(word));
            }
        }
        let rows = find
            .order_by_asc(Slug)
            .limit(u64::from(query.limit))
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().map(tenant::Model::read).collect()
    }

    /// Entries of the audit, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_page(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, RegistryError> {
        use audit::Column::{Action, Actor, At, Generation, TenantId};
        let mut find = audit::Entity::find();
        if let Some(before) = query.before {
            find = find.filter(Generation.lt(before));
        }
        if let Some(since) = query.since {
            find = find.filter(At.gte(micros(since)));
        }
        if let Some(until) = query.until {
            find = find.filter(At.lt(micros(until)));
        }
        let words = [
            (TenantId, query.tenant.as_ref().map(crate::tenant::id::TenantId::as_str)),
            (Actor, query.actor.as_deref()),
            (Action, query.action.as_deref()),
        ];
        for (column, word) in words {
            if let Some(word) = word {
                find = find.filter(column.eq(word));
            }
        }
        let rows = find
            .order_by_desc(Generation)
            .limit(u64::from(query.limit))
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().map(audit::Model::read).collect()
    }
}
