//! A tenant: one customer.
//!
//! **Invariant**: a tenant has one home at a time, and one population at a time unless both are allowed; the names that
//! say so are values, not text.

pub mod change;
pub(crate) mod id;

use crate::credential::scopes::Scopes;
use crate::extension::Extension;
use crate::moving::Move;
use crate::rate::RateLimit;
use crate::routing::Routing;
use crate::switch::Switch;
use crate::tenant::id::TenantId;
use provisioning::{Profile, ProfileId, roles};
use region_router::{Place, Population, Region};
use scim_core::{Schemas, Tolerance};
use std::fmt;
use std::sync::{Arc, LazyLock};
use time::OffsetDateTime;

/// Whether a tenant is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TenantState {
    /// It is.
    Active,
    /// It is not, until it is resumed.
    Suspended,
    /// It is not; what it holds is kept for a while.
    Closed,
    /// It was closed, and what it held is being deleted: there is no way back.
    Purging,
    /// It was closed, and nothing that it held is left.
    Purged,
}

impl TenantState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Suspended, Self::Closed, Self::Purging, Self::Purged];

    /// Parses the word.
    ///
    /// # Errors
    /// When the word is no state.
    pub fn parse(text: &str) -> Result<Self, TenantStateError> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(TenantStateError)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
            Self::Purging => "purging",
            Self::Purged => "purged",
        }
    }

    /// Whether what it held is deleted, or is being deleted: then it is as if there had never been one.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Purging | Self::Purged)
    }
}

impl fmt::Display for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a tenant's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant is active, suspended, closed, purging or purged")]
pub struct TenantStateError;

/// One customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The id, which never changes.
    pub id: TenantId,
    /// The short name in commands and URLs.
    pub slug: String,
    /// The customer's name.
    pub name: String,
    /// Where its people's data lives.
    pub region: Region,
    /// Which store of the region.
    pub shard: String,
    /// The fence: raised when the tenant moves, and checked by every write.
    pub epoch: i64,
    /// Whether it is served.
    pub state: TenantState,
    /// What it has bought.
    pub plan: String,
    /// Who is provisioned.
    pub population: Population,
    /// Who was provisioned first, which never changes: the rows of this population carry the plain id.
    pub origin: Population,
    /// Whether the other population may be provisioned as well.
    pub both_populations: bool,
    /// The way to the other population, where it is under way.
    pub switch: Option<Switch>,
    /// The way to another store, where it is under way or not long over.
    pub moving: Option<Move>,
    /// What its product asks of a user.
    pub profile: ProfileId,
    /// The role of a new person on the platform.
    pub platform_role: String,
    /// The role of a new person on the board.
    pub board_role: String,
    /// How many people may be active; `None`: any number.
    pub seats: Option<u64>,
    /// Whether groups are taken.
    pub groups: bool,
    /// Whom an administrator asks for seats, as it fits into a sentence.
    pub seat_contact: String,
    /// Which deviations of its identity provider are tolerated.
    pub tolerance: Tolerance,
    /// The attributes that it has declared beyond those of the RFC, and those that it has taken back.
    pub extension: Extension,
    /// What its resources hold: the RFC's attributes and its own, required as its profile says.
    pub schemas: Arc<Schemas>,
    /// What its identity provider may do, whatever its credentials allow (requirements S1-25).
    pub operations: Scopes,
    /// How many of its requests are answered.
    pub rate_limit: RateLimit,
    /// Whether its requests may pass through another region.
    pub routing: Routing,
    /// The word for its identity provider; empty before one is chosen.
    pub provider: String,
    /// Whether its connection is switched on.
    pub provisioning: bool,
    /// Until when directory sync is served by its plan; `None`: as long as it has the plan.
    pub sync_until: Option<OffsetDateTime>,
    /// Whether its plan holds groups.
    pub groups_in_plan: bool,
    /// What an administrator reads where the plan does not hold something.
    pub upgrade_text: String,
    /// When it was closed.
    pub closed_at: Option<OffsetDateTime>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// The number of its last change, among all changes of the registry.
    pub version: i64,
}

impl Tenant {
    /// The region and population: what host and token must name.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { region: self.region.clone(), population: self.population }
    }

    /// A tenant as it is made: active, with nothing declared.
    #[must_use]
    pub fn made(id: TenantId, new: &NewTenant, now: OffsetDateTime) -> Self {
        Self {
            id,
            slug: new.slug.clone(),
            name: new.name.clone(),
            region: new.region.clone(),
            shard: new.shard.clone(),
            epoch: 1,
            state: TenantState::Active,
            plan: new.plan.clone(),
            population: new.population,
            origin: new.population,
            both_populations: new.both_populations,
            switch: None,
            moving: None,
            profile: new.profile,
            platform_role: new.platform_role.clone(),
            board_role: new.board_role.clone(),
            seats: new.seats,
            groups: new.groups,
            seat_contact: new.seat_contact.clone(),
            tolerance: Tolerance::default(),
            extension: Extension::default(),
            schemas: schemas(new.profile, &Extension::default()),
            operations: new.operations,
            rate_limit: new.rate_limit,
            routing: Routing::default(),
            provider: new.provider.clone(),
            provisioning: true,
            sync_until: None,
            groups_in_plan: true,
            upgrade_text: String::new(),
            closed_at: None,
            created_at: now,
            updated_at: now,
            version: 0,
        }
    }

    /// The role of a new person of a population.
    #[must_use]
    pub fn role_of(&self, population: Population) -> &str {
        match population {
            Population::Platform => &self.platform_role,
            Population::Board => &self.board_role,
        }
    }

    /// Under what the rows of one population are kept in the directory.
    #[must_use]
    pub fn scope_key(&self, population: Population) -> String {
        if population == self.origin {
            self.id.as_str().to_owned()
        } else {
            format!("{}+{population}", self.id)
        }
    }

    /// Whether a credential of this population is one of this tenant's now.
    #[must_use]
    pub fn serves(&self, population: Population) -> bool {
        population == self.population || self.both_populations
    }

    /// The id of its connection with an identity provider. There is one.
    #[must_use]
    pub fn connection_id(&self) -> String {
        format!("conn_{}", self.id.digits())
    }
}

/// What is asked for in a new tenant.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The short name: 1 to 63 small letters, digits and hyphens, unique.
    pub slug: String,
    /// The customer's name.
    pub name: String,
    /// Where its people's data will live.
    pub region: Region,
    /// In which store of the region.
    pub shard: String,
    /// Who is provisioned.
    pub population: Population,
    /// What its product asks of a user.
    pub profile: ProfileId,
    /// What it has bought.
    pub plan: String,
    /// Whether the other population may be provisioned as well.
    pub both_populations: bool,
    /// The role of a new person on the platform.
    pub platform_role: String,
    /// The role of a new person on the board.
    pub board_role: String,
    /// How many people may be active; `None`: any number.
    pub seats: Option<u64>,
    /// Whether groups are taken.
    pub groups: bool,
    /// Whom an administrator asks for seats.
    pub seat_contact: String,
    /// What its identity provider may do.
    pub operations: Scopes,
    /// How many of its requests are answered.
    pub rate_limit: RateLimit,
    /// The word for its identity provider; empty before one is chosen.
    pub provider: String,
}

impl NewTenant {
    /// A tenant with the defaults of its population: groups taken, seats without number.
    #[must_use]
    pub fn new(slug: &str, name: &str, place: Place, profile: ProfileId) -> Self {
        Self {
            slug: slug.to_owned(),
            name: name.to_owned(),
            both_populations: false,
            platform_role: roles::default_role(Population::Platform.as_str()).to_owned(),
            board_role: roles::default_role(Population::Board.as_str()).to_owned(),
            operations: Scopes::ALL,
            rate_limit: RateLimit::Default,
            provider: String::new(),
            region: place.region,
            shard: "0".to_owned(),
            population: place.population,
            profile,
            plan: "standard".to_owned(),
            seats: None,
            groups: true,
            seat_contact: "your account owner".to_owned(),
        }
    }
}

/// Of the tenants that have declared nothing: one for each profile.
static BY_PROFILE: LazyLock<Vec<(ProfileId, Arc<Schemas>)>> = LazyLock::new(|| {
    ProfileId::ALL
        .into_iter()
        .map(|profile| {
            let required = Profile::of(profile).required_attributes();
            let schemas = match required.as_slice() {
                [] => Schemas::builtin(),
                required => Arc::new(Schemas::builtin().requiring(required)),
            };
            (profile, schemas)
        })
        .collect()
});

/// What the resources of a tenant hold. Tenants that have declared nothing share it.
pub(crate) fn schemas(profile: ProfileId, extension: &Extension) -> Arc<Schemas> {
    let shared = BY_PROFILE
        .iter()
        .find(|(known, _)| *known == profile)
        .map_or_else(Schemas::builtin, |(_, schemas)| Arc::clone(schemas));
    if *extension == Extension::default() {
        return shared;
    }
    let mut own = match &extension.declared {
        Some(declared) => shared.with(declared),
        None => Schemas::clone(&shared),
    };
    own.user.hides |= !extension.retired.is_empty();
    Arc::new(own)
}

/// Whether the text can be a slug.
pub(crate) fn is_slug(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether the text can be the name of a shard: 1 to 16 small letters and digits.
#[must_use]
pub fn is_shard(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=16).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::{is_shard, is_slug};

    #[test]
    fn a_slug_is_small_letters_digits_and_hyphens() {
        assert!(is_slug("acme-2") && is_slug(&"a".repeat(63)));
        for bad in ["", "Acme", "a_b", "a b", "é", &"a".repeat(64)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn a_shard_is_small_letters_and_digits() {
        assert!(is_shard("0") && is_shard("1a") && is_shard(&"a".repeat(16)));
        for bad in ["", "A", "1-2", "1_file", "é", &"a".repeat(17)] {
            assert!(!is_shard(bad), "{bad}");
        }
    }
}
