//! Who calls the admin API.
//!
//! **Invariant**: an [`Operator`] is made from a verified token, or for the command line, and from nothing else.

use super::access::{Access, Right};
use super::problem::{Code, Problem};
use region_router::Region;
use std::collections::BTreeSet;
use tenant_registry::{Actor, Tenant, TenantId};

/// What a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// One of ours.
    Operator,
    /// An administrator of one tenant.
    TenantAdmin(TenantId),
    /// The command line, which holds the stores' passwords.
    Cli,
}

/// Who calls, and what for.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who issued the token.
    pub issuer: String,
    /// The subject of the token.
    pub subject: String,
    /// What the caller is.
    pub role: Role,
    /// What the token is good for.
    pub rights: BTreeSet<Right>,
    /// The regions that it is good for; `None`: all.
    pub regions: Option<BTreeSet<Region>>,
}

impl Operator {
    /// The command line.
    #[must_use]
    pub fn cli() -> Self {
        Self {
            issuer: "cli".to_owned(),
            subject: "cli".to_owned(),
            role: Role::Cli,
            rights: Right::ALL.into_iter().collect(),
            regions: None,
        }
    }

    /// Whoever asks for what everybody may see.
    #[must_use]
    pub fn nobody() -> Self {
        let (rights, regions) = (BTreeSet::new(), Some(BTreeSet::new()));
        Self {
            issuer: String::new(),
            subject: String::new(),
            role: Role::Operator,
            rights,
            regions,
        }
    }

    /// The name in the audit. A subject that is an address of a person is not written down in the global store.
    #[must_use]
    pub fn actor(&self, keyed: impl Fn(&str) -> String) -> Actor {
        let name = if self.subject.contains('@') {
            format!("h_{}", keyed(&self.subject))
        } else {
            self.subject.clone()
        };
        match self.role {
            Role::Cli => Actor::Cli,
            Role::Operator => Actor::Operator(name),
            Role::TenantAdmin(_) => Actor::TenantAdmin(name),
        }
    }

    /// Whether the caller may call an endpoint of this class.
    ///
    /// # Errors
    /// 403, with the scope or the role that is missing.
    pub fn check(&self, access: Access) -> Result<(), Problem> {
        let right = match access {
            Access::Public | Access::Caller => return Ok(()),
            Access::Operator(right) => {
                if matches!(self.role, Role::TenantAdmin(_)) {
                    return Err(Problem::new(
                        Code::RoleForbidden,
                        "This is for operators. Your token is that of a tenant's administrator.",
                    ));
                }
                right
            }
            Access::Tenant(right) => right,
        };
        if self.rights.contains(&right) {
            return Ok(());
        }
        Err(Problem::new(
            Code::ScopeMissing,
            format!("The token lacks the scope {right}. Get one that has it."),
        ))
    }

    /// Whether the tenant is one that the caller may know of.
    #[must_use]
    pub fn sees(&self, tenant: &Tenant) -> bool {
        let is_own = match &self.role {
            Role::TenantAdmin(own) => *own == tenant.id,
            Role::Operator | Role::Cli => true,
        };
        is_own && self.is_for(&tenant.region)
    }

    /// Whether the token is good for a region.
    #[must_use]
    pub fn is_for(&self, region: &Region) -> bool {
        self.regions.as_ref().is_none_or(|regions| regions.contains(region))
    }
}
