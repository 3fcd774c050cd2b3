//! Assertions that were used, until their time is over.
//!
//! **Invariant**: one node takes an assertion once. Memory is bounded: when it is full, nothing is taken.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Nonces in all: 7 000 a second with the usual time limit of a request.
const MOST: usize = 1 << 20;
/// Nonces whose time is over within the same so many seconds are forgotten together.
const SLICE_SECONDS: i64 = 32;

/// The nonces that this node has seen.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// By the end of their time.
    slices: BTreeMap<i64, HashSet<u128>>,
    count: usize,
}

impl Nonces {
    /// Takes a nonce, unless it was taken or there is no room to remember it. From `over_at` on, in seconds since 1970, it is
    /// refused anyhow.
    pub fn take(&self, nonce: u128, over_at: i64, now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now.div_euclid(SLICE_SECONDS));
        if seen.count >= MOST {
            return false;
        }
        let is_new =
            seen.slices.entry(over_at.div_euclid(SLICE_SECONDS)).or_default().insert(nonce);
        seen.count += usize::from(is_new);
        is_new
    }
}

impl Seen {
    fn forget(&mut self, current: i64) {
        while let Some(oldest) = self.slices.first_entry().filter(|slice| *slice.key() < current) {
            self.count -= oldest.remove().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Nonces, SLICE_SECONDS};

    #[test]
    fn a_nonce_is_taken_once_for_as_long_as_it_could_be_good() {
        let nonces = Nonces::default();
        assert!(nonces.take(1, 1_115, 1_000));
        assert!(nonces.take(2, 1_115, 1_000));
        for later in [0, 60, 114] {
            assert!(!nonces.take(1, 1_115, 1_000 + later), "{later}");
        }
        assert!(nonces.take(3, 2_000, 1_115 + SLICE_SECONDS));
        let seen = nonces.0.lock().unwrap();
        assert_eq!((seen.count, seen.slices.len()), (1, 1), "what is over is forgotten");
    }

    #[test]
    fn a_full_memory_takes_nothing_until_there_is_room() {
        let nonces = Nonces::default();
        for nonce in 0..MOST {
            assert!(nonces.take(nonce as u128, 100, 0));
        }
        assert!(!nonces.take(u128::MAX, 100, 0));
        assert!(nonces.take(u128::MAX, 300, 100 + SLICE_SECONDS));
    }
}
