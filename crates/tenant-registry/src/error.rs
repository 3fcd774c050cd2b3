//! Why the registry could not do something.
//!
//! **Invariant**: a variant is something that a caller can act on; the cause stays in `source()`.

use crate::moving::MoveLease;
use crate::once::Remembered;
use crate::snapshot::doubt::Doubt;
use crate::snapshot::file::FileFault;
use crate::tenant::TenantState;
use migrations::OpenError;
use region_router::{Population, Region};
use sea_orm::DbErr;
use std::path::PathBuf;

/// Why the registry could not do something.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another tenant has the slug.
    #[error("the slug is taken by another tenant")]
    SlugTaken,
    /// The slug has another form.
    #[error("a slug is 1 to 63 small letters, digits and hyphens")]
    SlugInvalid,
    /// A name is nothing, too long, or no line of text.
    #[error("a {what} has 1 to {most} characters and no control characters")]
    NameInvalid {
        /// Of what.
        what: &'static str,
        /// Characters that it may have.
        most: usize,
    },
    /// What is changed is not any more what the caller has seen.
    #[error("it was changed by someone else meanwhile: look again")]
    VersionMismatch,
    /// The key of the request was used for a request with another body.
    #[error("the idempotency key was used for another request")]
    OnceReused,
    /// The request was answered before: nothing was changed again.
    #[error("the request was answered before")]
    Remembered(Remembered),
    /// The tenant's state does not let this be done.
    #[error("a tenant that is {from} cannot be {to}")]
    StateConflict {
        /// What it is.
        from: TenantState,
        /// What it was to become, or would have to be.
        to: TenantState,
    },
    /// The name of a shard has another form.
    #[error("a shard is 1 to 16 small letters and digits")]
    ShardInvalid,
    /// The tenant is closed, or was, and gets nothing new.
    #[error("the tenant is {0}: {remedy}", remedy = if .0.is_gone() { "its data is deleted" } else { "resume it first" })]
    TenantClosed(TenantState),
    /// The population is not the tenant's now.
    #[error("the tenant provisions {tenant} and not {asked}")]
    PopulationConflict {
        /// Who is provisioned.
        tenant: Population,
        /// Who was asked for.
        asked: Population,
    },
    /// Both populations are allowed, so that none of them can be left.
    #[error("the tenant provisions both populations: take both_populations back first")]
    BothPopulations,
    /// The population that is to be taken back has credentials or clients that live.
    #[error(
        "the tenant has {live} live tokens and OAuth clients for {population}: revoke them first"
    )]
    PopulationInUse {
        /// Which one.
        population: Population,
        /// How many live.
        live: usize,
    },
    /// The tenant is on its way from one population to the other.
    #[error("the tenant is switching its population: wait for the end of the switch, or undo it")]
    Switching,
    /// The tenant is on its way from one store to another.
    #[error(
        "the tenant is moving to another store: wait for the end of the move, or back out of it"
    )]
    Moving,
    /// The move is not at the stage for this.
    #[error("the tenant's move is not at the stage for this")]
    MoveConflict,
    /// Another one drives the tenant's move.
    #[error("the tenant is being moved by {}", .0.holder)]
    MoveHeld(MoveLease),
    /// The region is not configured here.
    #[error("the region {0} is not configured here")]
    UnknownRegion(Region),
    /// The population is frozen, and nothing is made for either.
    #[error("the tenant's populations are frozen: cut the switch over, or undo it, first")]
    Frozen,
    /// Another switch is under way, or it is at another stage.
    #[error("the tenant's switch of populations is not at that stage")]
    SwitchConflict,
    /// The grace of a plan is too long.
    #[error("a grace is at most ten years")]
    GraceInvalid,
    /// There is no such OAuth client.
    #[error("no such OAuth client")]
    ClientNotFound,
    /// The client has no such secret.
    #[error("no such secret")]
    SecretNotFound,
    /// The tenant has as many live clients as it may.
    #[error("the tenant has {0} live OAuth clients already: revoke one first")]
    TooManyClients(usize),
    /// The client has as many live secrets as it may.
    #[error("the OAuth client has {0} live secrets already: revoke one first")]
    TooManySecrets(usize),
    /// The life of access tokens is too short or too long.
    #[error("access tokens live for at least one hour and at most six")]
    LifetimeInvalid,
    /// The keys of a client's assertions are no JWK set.
    #[error("the keys are a JWK set with at least one key, in 64 KiB at most")]
    KeysInvalid,
    /// The credential or OAuth client is revoked or expired.
    #[error("it is revoked or expired")]
    CredentialEnded,
    /// The credential is being replaced already.
    #[error("the credential is being replaced already")]
    RotationUnderWay,
    /// The credential is not being replaced.
    #[error("the credential is not being replaced")]
    NoRotation,
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
    /// The file of the registry's database is gone.
    #[error("the file of the registry's database is not there any more: put it back")]
    FileGone,
    /// What the database holds cannot follow what is known.
    #[error("what the registry's database holds is not taken")]
    Doubtful(#[source] Doubt),
    /// There is nothing to start from.
    #[error(
        "the registry's database cannot be used, and neither can a snapshot of it: {} {newest}, the one before it {previous}; bring the database back, or copy registry.snapshot from a node that serves", path.display()
    )]
    NoStart {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        newest: FileFault,
        /// What is the matter with the one before it.
        previous: FileFault,
        /// Why the database cannot be used.
        #[source]
        cause: Box<RegistryError>,
    },
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
    /// The connection was lost while the change was being committed, and the database does not say whether it was.
    #[error("the registry's database did not say whether the change was made: look again")]
    Uncertain(#[source] DbErr),
    /// The system has no random numbers.
    #[error("there are no random numbers to be had")]
    NoRandomness,
    /// The database failed.
    #[error("the registry's database failed")]
    Database(#[source] DbErr),
}
