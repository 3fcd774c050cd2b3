//! How this node stands with the registry's database.
//!
//! **Invariant**: each change of it is said once, and counted.

use super::Registry;
use crate::error::RegistryError;
use crate::snapshot::doubt::Doubt;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a node stands with the registry's database. Known tenants are served in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What it said last is in use.
    Current,
    /// It does not answer: what it said before is in use.
    Unreached,
    /// What it says raises a doubt: what it said before is in use, until an operator accepts it.
    Doubted,
}

impl Standing {
    pub(super) fn after(outcome: &Result<bool, RegistryError>) -> Self {
        match outcome {
            Ok(_) => Self::Current,
            Err(RegistryError::Doubtful(_)) => Self::Doubted,
            Err(_) => Self::Unreached,
        }
    }
}

/// How often a snapshot was not taken, by the reason.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Doubt::WORDS.len()]);

impl Counts {
    pub(super) fn add(&self, doubt: &Doubt) {
        let place = Doubt::WORDS.iter().position(|word| *word == doubt.word());
        if let Some(count) = place.and_then(|place| self.0.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Registry {
    /// How this node stands with the registry's database, as of the last time that it asked.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.shared.standing.borrow()
    }

    /// How often a snapshot was not taken since the start, by the reason's word.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.shared.refusals.0.iter().map(|count| count.load(Ordering::Relaxed));
        Doubt::WORDS.into_iter().zip(counts)
    }

    /// Says how this node stands after asking, where it said something else before.
    pub(super) fn say(&self, said: Standing, outcome: &Result<bool, RegistryError>) -> Standing {
        let now = Standing::after(outcome);
        match outcome {
            _ if now == said => {}
            Ok(_) if said == Standing::Unreached => {
                tracing::info!("The registry's database answers again.");
            }
            Ok(_) => tracing::info!("What the registry's database holds is in use again."),
            Err(RegistryError::Doubtful(doubt)) => self.say_doubt(doubt),
            Err(error) => {
                let error = migrations::causes(error);
                tracing::warn!(
                    error,
                    "The registry's database does not answer; known tenants are served from memory."
                );
            }
        }
        now
    }

    pub(super) fn say_doubt(&self, doubt: &Doubt) {
        let known = self.shared.snapshot.load();
        let (tenants, credentials) = known.counts();
        tracing::error!(
            doubt = %doubt,
            generation = known.generation,
            tenants,
            credentials,
            "What the registry's database holds is not taken; what was known before stays in use, and only revocations are followed. If the database is right, run: muster registry accept"
        );
    }
}
