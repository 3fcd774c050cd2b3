//! What tenants buy.
//!
//! **Invariant**: a plan that nobody has written down holds every feature; what a plan holds is copied to the rows of its
//! tenants, so that a request asks no plan.

use crate::error::RegistryError;
use crate::name::{self, TEXT, WORD};
use crate::tenant::Tenant;
use std::time::Duration;
use time::OffsetDateTime;

/// The longest grace: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A plan that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name, which tenants refer to.
    pub name: String,
    /// Whether it holds directory sync.
    pub directory_sync: bool,
    /// Whether it holds groups.
    pub group_push: bool,
    /// What an administrator reads where it does not hold something.
    pub text: String,
    /// How long a tenant that loses directory sync keeps it.
    pub grace: Duration,
    /// The number of its last change, among all changes of the registry.
    pub version: i64,
}

/// What a plan is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlan {
    /// Its name.
    pub name: String,
    /// Whether it holds directory sync.
    pub directory_sync: bool,
    /// Whether it holds groups.
    pub group_push: bool,
    /// What an administrator reads where it does not hold something.
    pub text: String,
    /// How long a tenant that loses directory sync keeps it.
    pub grace: Duration,
}

/// What a tenant's plan lets it have, as its row keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gates {
    pub(crate) sync_until: Option<OffsetDateTime>,
    pub(crate) groups: bool,
    pub(crate) text: String,
}

impl NewPlan {
    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        name::check("plan", &self.name, WORD)?;
        name::check_or_none("text of a plan", &self.text, TEXT)?;
        if self.grace > LONGEST {
            return Err(RegistryError::GraceInvalid);
        }
        Ok(())
    }
}

impl Plan {
    /// The plan of a name that nobody has written down.
    #[must_use]
    pub fn unwritten(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            directory_sync: true,
            group_push: true,
            text: String::new(),
            grace: Duration::ZERO,
            version: 0,
        }
    }

    /// The end of a grace that begins now.
    pub(crate) fn grace_ends(&self, now: OffsetDateTime) -> OffsetDateTime {
        let grace = time::Duration::try_from(self.grace).unwrap_or(time::Duration::MAX);
        now.saturating_add(grace)
    }

    /// What a new tenant of the plan may have: no grace for what it never had.
    pub(crate) fn gates_of_new(&self, now: OffsetDateTime) -> Gates {
        self.gates((!self.directory_sync).then_some(now))
    }

    /// What a tenant that comes to the plan may have. An end that is set already stays.
    pub(crate) fn gates_of(&self, tenant: &Tenant, now: OffsetDateTime) -> Gates {
        let ends = (!self.directory_sync)
            .then(|| tenant.sync_until.unwrap_or_else(|| self.grace_ends(now)));
        self.gates(ends)
    }

    fn gates(&self, sync_until: Option<OffsetDateTime>) -> Gates {
        Gates { sync_until, groups: self.group_push, text: self.text.clone() }
    }
}
