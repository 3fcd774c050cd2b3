//! Tenants.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, unreadable};
use crate::credential::scopes::Scopes;
use crate::error::RegistryError;
use crate::extension::Extension;
use crate::moving::Move;
use crate::rate::RateLimit;
use crate::routing::Routing;
use crate::switch::Switch;
use crate::tenant::id::TenantId;
use crate::tenant::{self, Tenant, TenantState};
use provisioning::{ProfileId, roles};
use region_router::{Population, Region};
use scim_core::{Quirk, Tolerance};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::OffsetDateTime;

const TABLE: &str = "registry_tenants";

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
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
    pub origin: String,
    pub both_populations: bool,
    pub switching: String,
    pub platform_role: String,
    pub board_role: String,
    pub operations: String,
    pub rate_limit: String,
    pub routing: String,
    pub provider: String,
    pub provisioning: bool,
    pub sync_until: Option<i64>,
    pub groups_in_plan: bool,
    pub upgrade_text: String,
    pub closed_at: Option<i64>,
    /// As the next one, absent in a snapshot of before there were moves.
    #[serde(default)]
    pub moving: String,
    #[serde(default)]
    pub move_lease: String,
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
        default_role: Set(tenant.role_of(tenant.population).to_owned()),
        seats: Set(seats_column(tenant.seats)?),
        group_push: Set(tenant.groups),
        seat_contact: Set(tenant.seat_contact.clone()),
        strict: Set(tenant.tolerance.to_string()),
        extension: Set(tenant.extension.to_column()),
        origin: Set(tenant.origin.as_str().to_owned()),
        both_populations: Set(tenant.both_populations),
        switching: Set(tenant.switch.map(Switch::to_column).unwrap_or_default()),
        platform_role: Set(tenant.platform_role.clone()),
        board_role: Set(tenant.board_role.clone()),
        operations: Set(tenant.operations.to_string()),
        rate_limit: Set(tenant.rate_limit.to_string()),
        routing: Set(tenant.routing.as_str().to_owned()),
        provider: Set(tenant.provider.clone()),
        provisioning: Set(tenant.provisioning),
        sync_until: Set(tenant.sync_until.map(micros)),
        groups_in_plan: Set(tenant.groups_in_plan),
        upgrade_text: Set(tenant.upgrade_text.clone()),
        closed_at: Set(tenant.closed_at.map(micros)),
        moving: Set(tenant.moving.as_ref().map(Move::to_column).unwrap_or_default()),
        move_lease: Set(String::new()),
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
        let population = Population::parse(&self.population).ok().ok_or_else(bad("population"))?;
        // A program that knows one role only wrote it into the column of that one.
        let role_of = |own: &str, of: Population| match own {
            "" if of == population => self.default_role.clone(),
            "" => roles::default_role(of.as_str()).to_owned(),
            own => own.to_owned(),
        };
        let at = |at: Option<i64>, what| at.map(|at| instant(at).ok_or_else(bad(what))).transpose();
        Ok(Tenant {
            id: TenantId::parse(&self.id).ok().ok_or_else(bad("id"))?,
            region: Region::parse(&self.region).ok().ok_or_else(bad("region"))?,
            state: TenantState::parse(&self.state).ok().ok_or_else(bad("state"))?,
            population,
            origin: match self.origin.as_str() {
                "" => population,
                origin => Population::parse(origin).ok().ok_or_else(bad("origin"))?,
            },
            both_populations: self.both_populations,
            switch: Switch::from_column(&self.switching).ok_or_else(bad("switching"))?,
            moving: Move::from_column(&self.moving).ok_or_else(bad("moving"))?,
            platform_role: role_of(&self.platform_role, Population::Platform),
            board_role: role_of(&self.board_role, Population::Board),
            operations: Scopes::parse(&self.operations).ok().ok_or_else(bad("operations"))?,
            rate_limit: RateLimit::parse(&self.rate_limit).ok().ok_or_else(bad("rate_limit"))?,
            routing: Routing::parse(&self.routing).ok().ok_or_else(bad("routing"))?,
            sync_until: at(self.sync_until, "sync_until")?,
            closed_at: at(self.closed_at, "closed_at")?,
            created_at: instant(self.created_at).ok_or_else(bad("created_at"))?,
            updated_at: instant(self.updated_at).ok_or_else(bad("updated_at"))?,
            version: self.generation,
            provider: self.provider,
            provisioning: self.provisioning,
            groups_in_plan: self.groups_in_plan,
            upgrade_text: self.upgrade_text,
            profile,
            seats: self.seats.map(u64::try_from).transpose().ok().ok_or_else(bad("seats"))?,
            slug: self.slug,
            name: self.name,
            shard: self.shard,
            epoch: self.epoch,
            plan: self.plan,
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
