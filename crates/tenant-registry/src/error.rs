//! Why the registry could not do something.
//!
//! **Invariant**: a variant is something that a caller can act on; the cause stays in `source()`.

use migrations::OpenError;
use sea_orm::DbErr;

/// Why the registry could not do something.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another tenant has the slug.
    #[error("the slug is taken by another tenant")]
    SlugTaken,
    /// The slug has another form.
    #[error("a slug is 1 to 63 small letters, digits and hyphens")]
    SlugInvalid,
    /// There is no such tenant.
    #[error("no such tenant")]
    TenantNotFound,
    /// There is no such credential.
    #[error("no such credential")]
    CredentialNotFound,
    /// The tenant has as many live credentials as it may.
    #[error("the tenant has {0} live credentials already: revoke one first")]
    TooManyCredentials(usize),
    /// The life of a credential is no time at all, or too long.
    #[error("a credential lives for at least one second and at most ten years")]
    ExpiryInvalid,
    /// The number of seats is too large to be kept.
    #[error("a tenant has at most 9223372036854775807 seats")]
    SeatsInvalid,
    /// The declaration was changed by someone else since it was read.
    #[error("the tenant's attributes were changed by someone else meanwhile: look again")]
    ExtensionChanged,
    /// The registry's database was asked and says nothing.
    #[error("the registry's database does not answer")]
    Silent,
    /// The pepper is not the one with which this registry's tokens were hashed.
    #[error(
        "the token pepper is not the one that this registry was made with: no token would be accepted"
    )]
    PepperMismatch,
    /// A row cannot be read: another program wrote it.
    #[error("row {key} of {table} cannot be read: {what}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// The column.
        what: &'static str,
    },
    /// The Redis URL has a wrong form.
    #[error("the Redis URL cannot be used")]
    Redis(#[source] redis::RedisError),
    /// The database could not be brought up to date.
    #[error("the registry's database could not be opened")]
    Open(#[source] OpenError),
    /// The database failed.
    #[error("the registry's database failed")]
    Database(#[source] DbErr),
}
