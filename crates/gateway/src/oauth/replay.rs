//! Assertions that were used, until their time is over (RFC 7523 §3, point 7).
//!
//! **Invariant**: one node takes an assertion once. Memory is bounded: when it is full, nothing is taken.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// Assertions that are remembered.
const MOST: usize = 100_000;

/// The assertions that this node has taken.
#[derive(Debug, Default)]
pub struct Replays {
    /// When the time of each is over.
    seen: Mutex<HashMap<[u8; 32], i64>>,
}

impl Replays {
    /// Takes an assertion, unless it was taken or there is no room to remember it.
    pub(super) fn take(
        &self,
        client_id: &str,
        assertion: &str,
        expires_at: i64,
        now: OffsetDateTime,
    ) -> bool {
        let mut hash = Sha256::new();
        hash.update(client_id);
        hash.update([0]);
        hash.update(assertion);
        let key: [u8; 32] = hash.finalize().into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, expires_at| *expires_at > now.unix_timestamp());
        }
        let is_new = !seen.contains_key(&key) && seen.len() < MOST;
        if is_new {
            seen.insert(key, expires_at);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Replays};
    use time::{Duration, OffsetDateTime};

    #[test]
    fn an_assertion_is_taken_once_from_each_client() {
        let (replays, now) = (Replays::default(), OffsetDateTime::UNIX_EPOCH);
        assert!(replays.take("a", "1", 60, now));
        assert!(!replays.take("a", "1", 60, now));
        assert!(replays.take("b", "1", 60, now));
        assert!(replays.take("a", "2", 60, now));
    }

    #[test]
    fn a_full_memory_takes_nothing_until_there_is_room() {
        let (replays, now) = (Replays::default(), OffsetDateTime::UNIX_EPOCH);
        for number in 0..MOST {
            assert!(replays.take("a", &number.to_string(), 60, now));
        }
        assert!(!replays.take("a", "more", 60, now));
        assert!(replays.take("a", "more", 120, now + Duration::seconds(60)));
    }
}
