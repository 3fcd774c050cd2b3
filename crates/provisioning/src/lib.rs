//! The product's rules as pure decisions.
//!
//! Explain, rehearsal and the live path call the same functions, so they give the same answer.
//!
//! **Invariant**: no I/O, no clock, no randomness, no logging. A refusal has a stable [`Reason`] and a text for the
//! administrator who reads it in the identity provider's log.

pub mod conflict;
pub mod profile;
pub mod reason;
pub mod refusal;
pub mod roles;
pub mod seats;
pub mod setup;

pub use profile::{Admission, Profile, ProfileError, ProfileId};
pub use reason::{Class, Reason};
pub use refusal::Refusal;
