//! What can be changed of a tenant, and asked of tenants.
//!
//! **Invariant**: what is `None` stays as it is.

use crate::credential::scopes::Scopes;
use crate::error::RegistryError;
use crate::name::{self, NAME, WORD};
use crate::rate::RateLimit;
use crate::routing::Routing;
use crate::tenant::{NewTenant, TenantState, is_shard, is_slug};
use region_router::{Population, Region};
use scim_core::Tolerance;

/// What is to become of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// The customer's name.
    pub name: Option<String>,
    /// The short name.
    pub slug: Option<String>,
    /// What it has bought.
    pub plan: Option<String>,
    /// How many people may be active; `Some(None)`: any number. Those who are active already stay so.
    pub seats: Option<Option<u64>>,
    /// Whether groups are taken. Groups that are there stay.
    pub groups: Option<bool>,
    /// Whom an administrator asks for seats.
    pub seat_contact: Option<String>,
    /// The role of a new person on the platform.
    pub platform_role: Option<String>,
    /// The role of a new person on the board.
    pub board_role: Option<String>,
    /// What its identity provider may do.
    pub operations: Option<Scopes>,
    /// Which deviations of its identity provider are tolerated.
    pub tolerance: Option<Tolerance>,
    /// How many of its requests are answered.
    pub rate_limit: Option<RateLimit>,
    /// Whether its requests may pass through another region.
    pub routing: Option<Routing>,
    /// Whether the other population may be provisioned as well.
    pub both_populations: Option<bool>,
    /// The word for its identity provider; empty where none is chosen.
    pub provider: Option<String>,
    /// Whether its connection is switched on.
    pub provisioning: Option<bool>,
}

impl TenantChange {
    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        check_words(&Words {
            slug: self.slug.as_deref(),
            name: self.name.as_deref(),
            plan: self.plan.as_deref(),
            seat_contact: self.seat_contact.as_deref(),
            roles: [self.platform_role.as_deref(), self.board_role.as_deref()],
            provider: self.provider.as_deref(),
        })
    }
}

impl NewTenant {
    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        if !is_shard(&self.shard) {
            return Err(RegistryError::ShardInvalid);
        }
        check_words(&Words {
            slug: Some(&self.slug),
            name: Some(&self.name),
            plan: Some(&self.plan),
            seat_contact: Some(&self.seat_contact),
            roles: [Some(&self.platform_role), Some(&self.board_role)],
            provider: Some(&self.provider),
        })
    }
}

/// Which tenants are asked for.
#[derive(Debug, Clone, Default)]
pub struct TenantQuery {
    /// Behind this slug.
    pub after: Option<String>,
    /// How many at most.
    pub limit: u32,
    /// In one of these regions; none of them is any.
    pub region: Vec<Region>,
    /// In this state.
    pub state: Option<TenantState>,
    /// Of this plan.
    pub plan: Option<String>,
    /// Whose people these are.
    pub population: Option<Population>,
    /// With this identity provider.
    pub provider: Option<String>,
}

struct Words<'a> {
    slug: Option<&'a str>,
    name: Option<&'a str>,
    plan: Option<&'a str>,
    seat_contact: Option<&'a str>,
    roles: [Option<&'a str>; 2],
    provider: Option<&'a str>,
}

fn check_words(words: &Words<'_>) -> Result<(), RegistryError> {
    if words.slug.is_some_and(|slug| !is_slug(slug)) {
        return Err(RegistryError::SlugInvalid);
    }
    let needed = [
        ("name", words.name, NAME),
        ("plan", words.plan, WORD),
        ("seat contact", words.seat_contact, NAME),
        ("role", words.roles[0], WORD),
        ("role", words.roles[1], WORD),
    ];
    for (what, text, most) in needed {
        text.map_or(Ok(()), |text| name::check(what, text, most))?;
    }
    words.provider.map_or(Ok(()), |text| name::check_or_none("provider", text, WORD))
}
