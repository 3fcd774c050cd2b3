//! The rates as one node knows them.
//!
//! **Invariant**: at most [`MOST`] callers for each shard. Callers that are idle are forgotten first, since an idle caller and
//! an unknown one stand alike.

use super::{Rate, Standing};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Parts that are locked on their own.
const SHARDS: usize = 64;
/// Callers of one shard that are remembered.
const MOST: usize = 1024;
/// Callers of one shard that nobody looks for idle ones among.
const FEW: usize = 32;

#[derive(Debug)]
pub(super) struct Local {
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Debug)]
struct Shard {
    callers: HashMap<Box<str>, Entry>,
    /// How many there may be before the idle ones are looked for.
    enough: usize,
}

/// Instants are nanoseconds of the limiter's own time.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    full_at: u64,
    quiet_until: u64,
}

impl Entry {
    fn is_idle(&self, now: u64) -> bool {
        self.full_at.max(self.quiet_until) <= now
    }
}

impl Default for Local {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { callers: HashMap::new(), enough: FEW });
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| shard()).collect() }
    }
}

impl Local {
    pub(super) fn take(&self, caller: &str, rate: Rate, requests: u32, now: u64) -> Standing {
        self.with(caller, now, |entry| {
            let (full_at, standing) = rate.judge(entry.full_at, now, requests);
            entry.full_at = full_at;
            standing
        })
    }

    pub(super) fn is_news(&self, caller: &str, now: u64, span: Duration) -> bool {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 2);
        self.with(caller, now, |entry| {
            let is_news = entry.quiet_until <= now;
            if is_news {
                entry.quiet_until = now + span;
            }
            is_news
        })
    }

    fn with<T>(&self, caller: &str, now: u64, change: impl FnOnce(&mut Entry) -> T) -> T {
        let hash = self.hasher.hash_one(caller);
        let number = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(number) else { return change(&mut Entry::default()) };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.callers.get_mut(caller) {
            return change(entry);
        }
        shard.make_room(now);
        change(shard.callers.entry(caller.into()).or_default())
    }
}

impl Shard {
    fn make_room(&mut self, now: u64) {
        if self.callers.len() < self.enough {
            return;
        }
        self.callers.retain(|_, entry| !entry.is_idle(now));
        // Looked for again when there are twice as many, so that looking costs each new caller little.
        self.enough = (self.callers.len() * 2).clamp(FEW, MOST);
        if self.callers.len() >= MOST {
            // The one that is missed least: it was nearest to being idle.
            let least = self.callers.iter().min_by_key(|(_, entry)| entry.full_at);
            if let Some(least) = least.map(|(caller, _)| caller.clone()) {
                self.callers.remove(&least);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Local, MOST, SHARDS};
    use crate::rate_limit::{NANOS, Rate};
    use std::time::Duration;

    fn remembered(local: &Local) -> usize {
        local.shards.iter().map(|shard| shard.lock().unwrap().callers.len()).sum()
    }

    #[test]
    fn a_neighbour_is_not_touched() {
        let (local, rate) = (Local::default(), Rate::new(1, 5));
        for _ in 0..5 {
            assert_eq!(local.take("ten_a", rate, 1, 0).retry_after, None);
        }
        assert_eq!(local.take("ten_a", rate, 1, 0).retry_after, Some(1));
        assert_eq!(local.take("ten_b", rate, 1, 0).remaining, 4);
    }

    #[test]
    fn idle_callers_are_forgotten_and_busy_ones_are_not() {
        let (local, rate) = (Local::default(), Rate::new(1, 100));
        local.take("busy", rate, 100, 0);
        for number in 0..100_000 {
            local.take(&number.to_string(), rate, 1, number * NANOS / 1000);
        }
        // A request is forgiven after a second, in which there are a thousand callers.
        assert!(remembered(&local) < SHARDS * FEW * 2, "{}", remembered(&local));
        assert_eq!(local.take("busy", rate, 1, 1).retry_after, Some(1));
    }

    #[test]
    fn memory_is_bounded_when_nobody_is_idle() {
        let (local, rate) = (Local::default(), Rate::new(1, 100));
        for number in 0..100_000 {
            local.take(&number.to_string(), rate, 1, 0);
        }
        assert!(remembered(&local) <= SHARDS * MOST, "{}", remembered(&local));
    }

    #[test]
    fn a_refusal_is_news_once_a_minute() {
        let (local, minute) = (Local::default(), Duration::from_secs(60));
        assert!(local.is_news("ten_a", 0, minute));
        assert!(!local.is_news("ten_a", 59 * NANOS, minute));
        assert!(local.is_news("ten_b", 0, minute));
        assert!(local.is_news("ten_a", 60 * NANOS, minute));
    }
}
