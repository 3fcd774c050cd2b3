//! Tenants.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{micros, unreadable};
use crate::error::RegistryError;
use crate::tenant::{Tenant, TenantId, TenantState};
use provisioning::ProfileId;
use region_router::{Population, Region};
use scim_core::{Schemas, Tolerance};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
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
        generation: Set(generation),
        created_at: Set(micros(now)),
        updated_at: Set(micros(now)),
    })
}

impl Model {
    pub(crate) fn read(self) -> Result<Tenant, RegistryError> {
        let bad = |what| unreadable(TABLE, &self.id, what);
        Ok(Tenant {
            id: TenantId::parse(&self.id).ok().ok_or_else(bad("id"))?,
            region: Region::parse(&self.region).ok().ok_or_else(bad("region"))?,
            state: TenantState::parse(&self.state).ok().ok_or_else(bad("state"))?,
            population: Population::parse(&self.population).ok().ok_or_else(bad("population"))?,
            profile: ProfileId::parse(&self.profile).ok().ok_or_else(bad("profile"))?,
            seats: self.seats.map(u64::try_from).transpose().ok().ok_or_else(bad("seats"))?,
            slug: self.slug,
            name: self.name,
            shard: self.shard,
            epoch: self.epoch,
            plan: self.plan,
            default_role: self.default_role,
            groups: self.group_push,
            seat_contact: self.seat_contact,
            tolerance: Tolerance::default(),
            schemas: Schemas::builtin(),
        })
    }
}
