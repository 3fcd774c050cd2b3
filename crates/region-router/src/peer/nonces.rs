//! Assertions that were used, until their time is over.
//!
//! **Invariant**: one node takes an assertion once. Memory is bounded: when it is full, nothing is taken.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// Nonces of one generation.
const MOST: usize = 1 << 20;
/// How long a generation lasts, in seconds: longer than an assertion can be good with the clocks as far apart as they may be.
const GENERATION_SECONDS: i64 = 10 * 60 + 30 + 2 * 60;

/// The nonces that this node has seen.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    /// When the younger one began, in seconds since 1970.
    began_at: i64,
    younger: HashSet<u128>,
    older: HashSet<u128>,
}

impl Nonces {
    /// Takes a nonce, unless it was taken or there is no room to remember it.
    pub fn take(&self, nonce: u128, now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= seen.began_at.saturating_add(GENERATION_SECONDS) {
            seen.older = mem::take(&mut seen.younger);
            seen.began_at = now;
        }
        if seen.older.contains(&nonce) || seen.younger.len() >= MOST {
            return false;
        }
        seen.younger.insert(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::{GENERATION_SECONDS, Nonces};

    #[test]
    fn a_nonce_is_taken_once_for_as_long_as_it_could_be_good() {
        let nonces = Nonces::default();
        assert!(nonces.take(1, 1_000));
        assert!(!nonces.take(1, 1_000));
        assert!(nonces.take(2, 1_000));
        assert!(!nonces.take(1, 1_000 + GENERATION_SECONDS), "in the older generation");
        assert!(nonces.take(1, 1_000 + 2 * GENERATION_SECONDS), "forgotten");
    }
}
