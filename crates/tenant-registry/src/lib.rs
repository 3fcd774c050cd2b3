//! Tenants, credentials and audit: the global store, and nothing about people.
//!
//! Every node keeps the whole registry in memory ([`Registry::authenticate`] never waits for a store) and follows its
//! changes by generation: each write raises one number, in its own transaction.
//!
//! **Invariant**: no HTTP, and no data about people. A write, its audit row and its generation are one transaction. Losing
//! the registry's database or Redis loses freshness, and nothing else.

pub mod audit;
pub mod authenticate;
pub mod by;
pub mod credential;
mod entity;
pub mod error;
pub mod extension;
pub mod manifest;
pub mod moving;
mod name;
pub mod networks;
pub mod oauth;
pub mod once;
pub mod plan;
pub mod rate;
mod recognise;
pub mod registry;
pub mod routing;
mod snapshot;
pub mod switch;
pub mod tenant;

pub use audit::{AuditEntry, AuditQuery};
pub use authenticate::{AuthFailure, Authenticated};
pub use by::{Actor, By};
pub use credential::fault::TokenFault;
pub use credential::pattern::secret_pattern;
pub use credential::scopes::{Operation, Resource, Scopes, ScopesError};
pub use credential::token::BearerToken;
pub use credential::usage::{CredentialUse, Expiring};
pub use credential::{Credential, CredentialChange, IssuedCredential, MAX_LIVE, NewCredential};
pub use error::RegistryError;
pub use extension::Extension;
pub use manifest::Manifest;
pub use moving::{Home, Move, MoveLease, MoveStage};
pub use networks::{Networks, NetworksError};
pub use oauth::authenticate::ClientFailure;
pub use oauth::{
    Assertion, ClientChange, ClientSecret, ExpiringSecret, IssuedClient, IssuedSecret, MAX_CLIENTS,
    MAX_SECRETS, NewClient, OauthClient, Proof,
};
pub use once::{Once, Remembered};
pub use plan::{NewPlan, Plan};
pub use rate::{RateLimit, RateLimitError};
pub use registry::{Accepted, Look, Pending, Registry, RegistryOptions, Source, Standing};
pub use routing::{Routing, RoutingError};
pub use snapshot::doubt::Doubt;
pub use snapshot::file::FileFault;
pub use switch::{Stage, Switch};
pub use tenant::change::{TenantChange, TenantQuery};
pub use tenant::id::{TenantId, TenantIdError};
pub use tenant::{NewTenant, Tenant, TenantState, TenantStateError, is_shard};
