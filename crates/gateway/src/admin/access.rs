//! Who may call an endpoint.
//!
//! **Invariant**: there is no default. Whoever adds an endpoint says which class it is of.

use std::fmt;

/// The class of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token: what a document or a public key is.
    Public,
    /// Whoever has a good token.
    Caller,
    /// Operators who hold the right.
    Operator(Right),
    /// Operators who hold the right, and the administrators of the tenant in the path.
    Tenant(Right),
}

/// What a token may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Looking at tenants and all that is set for them.
    TenantsRead,
    /// Making and changing them.
    TenantsWrite,
    /// Changing what a tenant's own administrator decides.
    SettingsWrite,
    /// Looking at tokens and OAuth clients.
    TokensRead,
    /// Issuing and revoking them.
    TokensWrite,
    /// Looking at people and groups.
    UsersRead,
    /// Acting on people.
    UsersWrite,
    /// Reading the provisioning log.
    LogsRead,
    /// Reading the audit.
    AuditRead,
    /// Changing plans.
    PlansWrite,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 10] = [
        Self::TenantsRead,
        Self::TenantsWrite,
        Self::SettingsWrite,
        Self::TokensRead,
        Self::TokensWrite,
        Self::UsersRead,
        Self::UsersWrite,
        Self::LogsRead,
        Self::AuditRead,
        Self::PlansWrite,
    ];

    /// The scope that grants it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantsRead => "tenants:read",
            Self::TenantsWrite => "tenants:write",
            Self::SettingsWrite => "settings:write",
            Self::TokensRead => "tokens:read",
            Self::TokensWrite => "tokens:write",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::LogsRead => "logs:read",
            Self::AuditRead => "audit:read",
            Self::PlansWrite => "plans:write",
        }
    }

    /// The rights that a scope grants: `tenants:read` one, `tenants` all of that noun, `*` and `all` every one, and a word that
    /// is no scope none.
    #[must_use]
    pub fn of_scope(text: &str) -> Vec<Self> {
        let fits = |right: &Self| {
            let name = right.as_str();
            let noun = name.split(':').next();
            matches!(text, "*" | "all") || text == name || noun == Some(text)
        };
        Self::ALL.into_iter().filter(fits).collect()
    }

    /// Whether an administrator of a tenant can hold it at all.
    #[must_use]
    pub fn is_for_tenants(self) -> bool {
        !matches!(self, Self::TenantsWrite | Self::PlansWrite)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
