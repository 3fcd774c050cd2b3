//! Tenants.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{micros, unreadable};
use crate::error::RegistryError;
use crate::extension::Extension;
use crate::tenant::{self, Tenant, TenantId, TenantState};
use provisioning::ProfileId;
use region_router::{Population, Region};
use scim_core::{Quirk, Tolerance};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use std::sync::Arc;
use time::OffsetDateTime;

const TABLE: &str = "registry_tenants";

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry_tenants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub slug: String,
    pub name: String,
    pub region: String,
    pub shard: String,
    pub epoch: i64,
    pub state: String,
    pub plan: String,
    pub population: String,
    pub profile: String,
    pub default_role: String,
    pub seats: Option<i64>,
    pub group_push: bool,
    pub seat_contact: String,
    pub strict: String,
    pub extension: String,
    pub generation: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A number of seats as the column keeps it.
pub(crate) fn seats_column(seats: Option<u64>) -> Result<Option<i64>, RegistryError> {
    seats
        .map(|seats| i64::try_from(seats).map_err(|_too_many| RegistryError::SeatsInvalid))
        .transpose()
}

/// The row of a new tenant.
pub(crate) fn new_row(
    tenant: &Tenant,
    generation: i64,
    now: OffsetDateTime,
) -> Result<ActiveModel, RegistryError> {
    Ok(ActiveModel {
        id: Set(tenant.id.as_str().to_owned()),
        slug: Set(tenant.slug.clone()),
        name: Set(tenant.name.clone()),
        region: Set(tenant.region.as_str().to_owned()),
        shard: Set(tenant.shard.clone()),
        epoch: Set(tenant.epoch),
        state: Set(tenant.state.as_str().to_owned()),
        plan: Set(tenant.plan.clone()),
        population: Set(tenant.population.as_str().to_owned()),
        profile: Set(tenant.profile.as_str().to_owned()),
        default_role: Set(tenant.default_role.clone()),
        seats: Set(seats_column(tenant.seats)?),
        group_push: Set(tenant.groups),
        seat_contact: Set(tenant.seat_contact.clone()),
        strict: Set(tenant.tolerance.to_string()),
        extension: Set(tenant.extension.to_column()),
        generation: Set(generation),
        created_at: Set(micros(now)),
        updated_at: Set(micros(now)),
    })
}

impl Model {
    /// The tenant, as far as this row alone tells.
    pub(crate) fn read(self) -> Result<Tenant, RegistryError> {
        self.read_after(None)
    }

    /// What the tenant has declared.
    ///
    /// # Errors
    /// When another program wrote it in a form that is not known here.
    pub(crate) fn declared(&self) -> Result<Extension, RegistryError> {
        let read = Extension::from_column(&self.extension);
        read.map_err(|error| {
            tracing::debug!(error = %error, "A declaration of attributes cannot be read.");
            unreadable(TABLE, &self.id, "extension")()
        })
    }

    /// The tenant, with what was known of it before. What an identity provider may say is read with forbearance: a quirk
    /// that this version does not know is tolerated, and of a declaration that cannot be read the last one that could stays in
    /// use. A tenant whose tokens are refused loses its provisioning; one that is tolerated too much loses nothing.
    pub(crate) fn read_after(self, known: Option<&Tenant>) -> Result<Tenant, RegistryError> {
        let bad = |what| unreadable(TABLE, &self.id, what);
        let profile = ProfileId::parse(&self.profile).ok().ok_or_else(bad("profile"))?;
        let extension = self.declared().unwrap_or_else(|error| {
            tracing::error!(error = %error, "A declaration of attributes cannot be read; the last one that could stays in use.");
            known.map(|known| known.extension.clone()).unwrap_or_default()
        });
        let schemas = match known {
            Some(known) if known.profile == profile && known.extension == extension => {
                Arc::clone(&known.schemas)
            }
            _ => tenant::schemas(profile, &extension),
        };
        let tolerance = tolerance(&self.id, &self.strict);
        Ok(Tenant {
            id: TenantId::parse(&self.id).ok().ok_or_else(bad("id"))?,
            region: Region::parse(&self.region).ok().ok_or_else(bad("region"))?,
            state: TenantState::parse(&self.state).ok().ok_or_else(bad("state"))?,
            population: Population::parse(&self.population).ok().ok_or_else(bad("population"))?,
            profile,
            seats: self.seats.map(u64::try_from).transpose().ok().ok_or_else(bad("seats"))?,
            slug: self.slug,
            name: self.name,
            shard: self.shard,
            epoch: self.epoch,
            plan: self.plan,
            default_role: self.default_role,
            groups: self.group_push,
            seat_contact: self.seat_contact,
            tolerance,
            extension,
            schemas,
        })
    }
}

fn tolerance(id: &str, strict: &str) -> Tolerance {
    Tolerance::parse(strict).unwrap_or_else(|_a_newer_one| {
        tracing::error!(
            tenant.id = id,
            "A tenant is strict about something that this version does not know; that is tolerated."
        );
        Tolerance::all_but(strict.split(',').filter_map(|id| Quirk::parse(id.trim())))
    })
}
