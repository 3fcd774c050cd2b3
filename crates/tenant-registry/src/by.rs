//! Who changes the registry, when, and under which condition.
//!
//! **Invariant**: an actor is a role and a name that its operator knows; never a person of a tenant's directory.

use crate::once::Once;
use std::fmt;
use time::OffsetDateTime;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The command line on a node.
    Cli,
    /// An operator of ours, by the name in their token.
    Operator(String),
    /// An administrator of the tenant, by the name in their token.
    TenantAdmin(String),
    /// A job, by its name.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cli => f.write_str("cli"),
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::TenantAdmin(name) => write!(f, "tenant_admin {name}"),
            Self::System(job) => write!(f, "system {job}"),
        }
    }
}

/// What every change is told besides what to change.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// In which request, for the audit.
    pub request_id: Option<String>,
    /// When.
    pub now: OffsetDateTime,
    /// The version that the caller has seen of what is changed; with another one nothing is. Where something is made of a
    /// tenant's, it is the tenant's version.
    pub expected: Option<i64>,
    /// The request that is answered once, however often it is sent.
    pub once: Option<Once>,
}

impl By {
    /// Unconditionally, and of no request.
    #[must_use]
    pub fn new(actor: Actor, now: OffsetDateTime) -> Self {
        Self { actor, request_id: None, now, expected: None, once: None }
    }

    /// The command line.
    #[must_use]
    pub fn cli(now: OffsetDateTime) -> Self {
        Self::new(Actor::Cli, now)
    }
}

#[cfg(test)]
mod tests {
    use super::Actor;

    #[test]
    fn an_actor_is_a_role_and_a_name() {
        for (actor, text) in [
            (Actor::Cli, "cli"),
            (Actor::Operator("alice".to_owned()), "operator alice"),
            (Actor::TenantAdmin("bob".to_owned()), "tenant_admin bob"),
            (Actor::System("expiry"), "system expiry"),
        ] {
            assert_eq!(actor.to_string(), text);
        }
    }
}
