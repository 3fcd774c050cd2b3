//! What the registry and the directory could not do, as a problem.
//!
//! **Invariant**: one match without a rest, so that a new failure is a choice of its status.

#![warn(clippy::wildcard_enum_match_arm)]

use super::{Code, Problem};
use directory::DirectoryError;
use provisioning::Class;
use tenant_registry::{RegistryError, TenantState};

/// Seconds after which a store that failed is worth another try.
const RETRY_AFTER: u32 = 5;

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let said = sentence(&error.to_string());
        match error {
            RegistryError::SlugTaken => {
                Self::of_field(Code::SlugTaken, "slug", "is taken by another tenant")
            }
            RegistryError::SlugInvalid => {
                Self::field("slug", "must be 1 to 63 small letters, digits and hyphens")
            }
            RegistryError::NameInvalid { what, most } => Self::field(
                what,
                format!("must have 1 to {most} characters and no control characters"),
            ),
            RegistryError::ShardInvalid => {
                Self::field("shard", "must be 1 to 16 small letters and digits")
            }
            RegistryError::ExpiryInvalid
            | RegistryError::SeatsInvalid
            | RegistryError::GraceInvalid
            | RegistryError::LifetimeInvalid
            | RegistryError::KeysInvalid
            | RegistryError::UnknownRegion(_) => Self::new(Code::FieldInvalid, said),
            RegistryError::VersionMismatch | RegistryError::ExtensionChanged => Self::new(
                Code::VersionMismatch,
                "It has changed since that version. Read it again, then repeat the change.",
            ),
            RegistryError::OnceReused | RegistryError::Remembered(_) => Self::new(
                Code::IdempotencyKeyReused,
                "The Idempotency-Key was used for another request within the last 24 hours. Take a new one.",
            ),
            RegistryError::StateConflict { from, to } => no_way(from, to),
            RegistryError::PopulationConflict { tenant, asked } => Self::new(
                Code::PopulationConflict,
                format!(
                    "The tenant provisions {tenant} and not {asked}. An operator can allow both (both_populations), or switch the tenant (population-switch)."
                ),
            ),
            RegistryError::BothPopulations | RegistryError::PopulationInUse { .. } => {
                Self::new(Code::PopulationConflict, said)
            }
            RegistryError::TenantClosed(_)
            | RegistryError::Switching
            | RegistryError::Frozen
            | RegistryError::SwitchConflict
            | RegistryError::Moving
            | RegistryError::MoveConflict
            | RegistryError::MoveHeld(_)
            | RegistryError::CredentialEnded
            | RegistryError::RotationUnderWay
            | RegistryError::NoRotation => Self::new(Code::StateConflict, said),
            RegistryError::TenantNotFound
            | RegistryError::CredentialNotFound
            | RegistryError::ClientNotFound
            | RegistryError::SecretNotFound => {
                Self::new(Code::NotFound, format!("There is {said}"))
            }
            RegistryError::TooManyCredentials(_)
            | RegistryError::TooManyClients(_)
            | RegistryError::TooManySecrets(_) => Self::new(Code::TooMany, said),
            error @ (RegistryError::Silent
            | RegistryError::FileGone
            | RegistryError::Doubtful(_)
            | RegistryError::NoStart { .. }
            | RegistryError::PepperMismatch
            | RegistryError::Unreadable { .. }
            | RegistryError::Redis(_)
            | RegistryError::Open(_)
            | RegistryError::Uncertain(_)
            | RegistryError::NoRandomness
            | RegistryError::Database(_)) => registry_failed(&error),
        }
    }
}

fn registry_failed(error: &RegistryError) -> Problem {
    let error = migrations::causes(error);
    tracing::error!(error, "the registry failed");
    Problem::new(
        Code::RegistryUnavailable,
        "The registry does not answer at the moment. If this was to change something, look whether it was done before you repeat it.",
    )
    .retry_after(RETRY_AFTER)
}

fn no_way(from: TenantState, to: TenantState) -> Problem {
    let said = if from.is_gone() {
        format!("The tenant is {from}: its data is deleted, and there is no way back.")
    } else {
        format!("A tenant that is {from} cannot be {to}.")
    };
    Problem::new(Code::StateConflict, said)
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound => Self::not_found("person or group"),
            DirectoryError::VersionMismatch => Self::new(
                Code::VersionMismatch,
                "It has changed since that version. Read it again, then repeat the change.",
            ),
            DirectoryError::OnceReused => Self::new(
                Code::IdempotencyKeyReused,
                "The Idempotency-Key was used for another request within the last 24 hours. Take a new one.",
            ),
            DirectoryError::Scim(error) => Self::new(Code::FieldInvalid, error.to_string()),
            DirectoryError::Refused(refusal) => {
                let code = match refusal.reason.class() {
                    Class::Licence => Code::SeatsExhausted,
                    Class::Mapping => Code::FieldInvalid,
                    Class::Conflict
                    | Class::Policy
                    | Class::Connection
                    | Class::Store
                    | Class::Ok => Code::DirectoryConflict,
                };
                Self::new(code, refusal.detail)
            }
            DirectoryError::Fenced => Self::new(
                Code::StateConflict,
                "The tenant's data is being moved or switched. Nothing was changed.",
            ),
            DirectoryError::Contended | DirectoryError::Crowded => Self::new(
                Code::StoreUnavailable,
                "Too many ask for this at once. Nothing was changed.",
            )
            .retry_after(1),
            DirectoryError::TooExpensive => Self::new(
                Code::TooExpensive,
                "The question is about too many rows. Name a person, a narrower time, or a request.",
            ),
            error @ DirectoryError::Uncertain(_) => {
                let error = migrations::causes(&error);
                tracing::error!(error, "the directory failed");
                Self::new(
                    Code::StoreUnavailable,
                    "The connection to the region's store was lost while the change was being made, and it is not known whether it was. Look before you repeat it.",
                )
                .retry_after(RETRY_AFTER)
            }
            error @ (DirectoryError::Unavailable(_)
            | DirectoryError::Store(_)
            | DirectoryError::WrongRegion(_)
            | DirectoryError::WrongShard(_)
            | DirectoryError::Open(_)) => {
                let error = migrations::causes(&error);
                tracing::error!(error, "the directory failed");
                Self::new(
                    Code::StoreUnavailable,
                    "The region's store does not answer at the moment. Nothing is lost; try again later.",
                )
                .retry_after(RETRY_AFTER)
            }
        }
    }
}

/// The text of an error as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
