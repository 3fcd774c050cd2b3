//! Assertions that were used, until their time is over (RFC 7523 §3, point 7).
//!
//! **Invariant**: one node takes an assertion once, and all nodes of a region together do while Redis answers. Memory is bounded,
//! for each client and in all: a client that fills its part waits alone.

use crate::shared::Shared;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;

/// Assertions of one client that are remembered: more than one a second, each good for an hour.
const MOST_OF_CLIENT: usize = 5_000;
/// Assertions that are remembered in all: 30 MB or so.
const MOST: usize = 500_000;
/// How often those whose time is over are forgotten, in seconds.
const SWEEP_SECONDS: i64 = 60;

/// 16 bytes of SHA-256.
type Name = [u8; 16];

/// The assertions that were taken.
#[derive(Debug, Default)]
pub struct Replays {
    seen: Mutex<Seen>,
    shared: Option<Shared>,
}

#[derive(Debug, Default)]
struct Seen {
    /// When the time of each is over, by client.
    of_client: HashMap<String, HashMap<Name, i64>>,
    count: usize,
    swept_at: i64,
}

/// What became of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is good this once.
    New,
    /// It was used before.
    Before,
    /// Its client has used as many as are remembered.
    ClientFull,
    /// All clients have.
    Full,
}

impl Replays {
    /// None yet, by this node or by those that use the same Redis.
    #[must_use]
    pub fn new(shared: Option<Shared>) -> Self {
        Self { seen: Mutex::default(), shared }
    }

    /// Whether this node has taken it, or knows that another has.
    pub(super) fn knows(&self, client_id: &str, assertion: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.of_client.get(client_id).is_some_and(|names| names.contains_key(&name(assertion)))
    }

    /// Takes an assertion, unless it was taken or there is no room to remember it.
    pub(super) async fn take(
        &self,
        client_id: &str,
        assertion: &str,
        expires_at: i64,
        now: OffsetDateTime,
    ) -> Taken {
        let taken = self.take_here(client_id, assertion, expires_at, now);
        let Some(shared) = self.shared.as_ref().filter(|_| taken == Taken::New) else {
            return taken;
        };
        let left = expires_at.saturating_sub(now.unix_timestamp());
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        // Without an answer, what other nodes have taken is not known: a client is not kept out by that.
        match shared.use_up("assertion", &[client_id, assertion], left).await {
            Some(false) => Taken::Before,
            Some(true) | None => Taken::New,
        }
    }

    fn take_here(
        &self,
        client_id: &str,
        assertion: &str,
        expires_at: i64,
        now: OffsetDateTime,
    ) -> Taken {
        let (name, now) = (name(assertion), now.unix_timestamp());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = seen.of_client.get(client_id);
        if of_client.is_some_and(|names| names.contains_key(&name)) {
            return Taken::Before;
        }
        let is_full = of_client.is_some_and(|names| names.len() >= MOST_OF_CLIENT);
        // At most once a second where there is no room, so that asking for it again costs little.
        let pause = if is_full || seen.count >= MOST { 1 } else { SWEEP_SECONDS };
        if now.saturating_sub(seen.swept_at) >= pause {
            seen.sweep(now);
        }
        if seen.of_client.get(client_id).is_some_and(|names| names.len() >= MOST_OF_CLIENT) {
            return Taken::ClientFull;
        }
        if seen.count >= MOST {
            return Taken::Full;
        }
        seen.of_client.entry(client_id.to_owned()).or_default().insert(name, expires_at);
        seen.count += 1;
        Taken::New
    }
}

impl Seen {
    fn sweep(&mut self, now: i64) {
        self.of_client.retain(|_, names| {
            names.retain(|_, expires_at| *expires_at > now);
            !names.is_empty()
        });
        self.count = self.of_client.values().map(HashMap::len).sum();
        self.swept_at = now;
    }
}

fn name(assertion: &str) -> Name {
    let whole: [u8; 32] = Sha256::digest(assertion).into();
    let mut name = Name::default();
    name.iter_mut().zip(whole).for_each(|(slot, byte)| *slot = byte);
    name
}

#[cfg(test)]
mod tests {
    use super::{MOST, MOST_OF_CLIENT, Replays, Taken};
    use time::{Duration, OffsetDateTime};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn fill(replays: &Replays, client: &str) {
        for number in 0..MOST_OF_CLIENT {
            assert_eq!(replays.take_here(client, &number.to_string(), 60, NOW), Taken::New);
        }
    }

    #[test]
    fn an_assertion_is_taken_once_from_each_client() {
        let replays = Replays::default();
        assert!(!replays.knows("a", "1"));
        assert_eq!(replays.take_here("a", "1", 60, NOW), Taken::New);
        assert!(replays.knows("a", "1") && !replays.knows("b", "1"));
        assert_eq!(replays.take_here("a", "1", 60, NOW), Taken::Before);
        assert_eq!(replays.take_here("b", "1", 60, NOW), Taken::New);
        assert_eq!(replays.take_here("a", "2", 60, NOW), Taken::New);
    }

    #[test]
    fn a_client_that_fills_its_part_waits_alone() {
        let replays = Replays::default();
        fill(&replays, "a");
        assert_eq!(replays.take_here("a", "more", 60, NOW), Taken::ClientFull);
        assert_eq!(replays.take_here("a", "1", 60, NOW), Taken::Before);
        assert_eq!(replays.take_here("b", "more", 60, NOW), Taken::New);
        assert_eq!(replays.take_here("a", "more", 120, NOW + Duration::seconds(60)), Taken::New);
    }

    #[test]
    fn a_full_memory_takes_nothing_until_there_is_room() {
        let replays = Replays::default();
        for client in 0..MOST / MOST_OF_CLIENT {
            fill(&replays, &client.to_string());
        }
        assert_eq!(replays.take_here("a", "more", 60, NOW), Taken::Full);
        assert_eq!(replays.take_here("a", "more", 120, NOW + Duration::seconds(60)), Taken::New);
    }

    #[test]
    fn what_is_over_is_forgotten_though_there_is_room() {
        let replays = Replays::default();
        for client in ["a", "b", "c"] {
            assert_eq!(replays.take_here(client, "1", 60, NOW), Taken::New);
        }
        assert_eq!(replays.take_here("d", "1", 200, NOW + Duration::seconds(90)), Taken::New);
        let seen = replays.seen.lock().unwrap();
        assert_eq!((seen.count, seen.of_client.len()), (1, 1));
    }
}
