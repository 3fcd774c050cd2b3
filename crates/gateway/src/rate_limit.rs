//! How many requests of a caller are answered: the generic cell rate algorithm, in memory or shared over Redis.
//!
//! Of a caller one instant is kept: when all of its burst is to be had again. A request moves it on by the time that the
//! rate gives one request, and is refused where that would be further ahead than the burst is long.
//!
//! **Invariant**: without Redis nothing waits, and nothing is written; a Redis that does not answer in time is replaced by
//! this node's own memory. Memory is bounded, and callers that are idle are forgotten.

mod local;
mod together;

use crate::config::Limits;
use crate::shared::Shared;
use local::Local;
use std::time::{Duration, Instant};
use tenant_registry::RateLimit;

/// How many requests, sustained and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, sustained; never 0.
    per_second: u32,
    /// Requests at once; never fewer than a second's.
    burst: u32,
}

/// How a caller stands after a request: what the `RateLimit` headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests at once, of a caller that was idle.
    pub limit: u32,
    /// Requests that would be answered now.
    pub remaining: u32,
    /// Seconds until `limit` is to be had again.
    pub reset: u32,
    /// Seconds after which the same request would be answered, where it is refused; never 0.
    pub retry_after: Option<u32>,
}

/// The rates of every caller.
pub struct Limiter {
    began: Instant,
    local: Local,
    shared: Option<Shared>,
}

impl Rate {
    /// A rate. Numbers that cannot be are made the nearest that can.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let per_second = per_second.clamp(1, RateLimit::MOST);
        Self { per_second, burst: burst.clamp(per_second, RateLimit::MOST) }
    }

    /// The rate of a tenant: its own, else the configured one; `None` where nothing is refused.
    #[must_use]
    pub fn of(own: RateLimit, limits: &Limits) -> Option<Self> {
        match own {
            RateLimit::Off => None,
            RateLimit::Rate { per_second, burst } => Some(Self::new(per_second, burst)),
            RateLimit::Default if limits.rate_per_second == 0 => None,
            RateLimit::Default => Some(Self::new(limits.rate_per_second, limits.rate_burst)),
        }
    }

    /// Requests a second, sustained.
    #[must_use]
    pub fn per_second(self) -> u32 {
        self.per_second
    }

    /// Requests at once.
    #[must_use]
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// The time that the rate gives a number of requests.
    fn time_of(self, requests: u32) -> u64 {
        u64::from(requests) * NANOS / u64::from(self.per_second)
    }

    /// Rounded up where single requests are rounded down, so that a whole burst fits.
    fn time_of_burst(self) -> u64 {
        (u64::from(self.burst) * NANOS).div_ceil(u64::from(self.per_second))
    }

    /// The requests that the rate gives in a time.
    fn requests_in(self, nanos: u64) -> u32 {
        let requests = u128::from(nanos) * u128::from(self.per_second) / u128::from(NANOS);
        u32::try_from(requests).unwrap_or(u32::MAX)
    }

    /// Judges requests of a caller whose burst is to be had again at `full_at`: when it is then, and how the caller stands.
    fn judge(self, full_at: u64, now: u64, requests: u32) -> (u64, Standing) {
        let burst = self.time_of_burst();
        let before = full_at.max(now);
        // What is more than the burst would never be answered.
        let after = before + self.time_of(requests.min(self.burst));
        let wait = (after - now).saturating_sub(burst);
        let full_at = if wait == 0 { after } else { before };
        let standing = Standing {
            limit: self.burst,
            remaining: self.requests_in(burst.saturating_sub(full_at - now)),
            reset: seconds(full_at - now),
            retry_after: (wait > 0).then(|| seconds(wait)),
        };
        (full_at, standing)
    }
}

const NANOS: u64 = 1_000_000_000;

/// Whole seconds, rounded up.
fn seconds(nanos: u64) -> u32 {
    u32::try_from(nanos.div_ceil(NANOS)).unwrap_or(u32::MAX)
}

impl Limiter {
    /// A limiter of this node alone, or together with those that use the same Redis.
    #[must_use]
    pub fn new(shared: Option<Shared>) -> Self {
        Self { began: Instant::now(), local: Local::default(), shared }
    }

    /// Whether other nodes have a part in it, so that it has to be asked with [`Self::take_shared`].
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Takes requests of a caller from this node's memory.
    #[must_use]
    pub fn take(&self, caller: &str, rate: Rate, requests: u32) -> Standing {
        self.local.take(caller, rate, requests, self.now())
    }

    /// Takes requests of a caller from all nodes together. What names the caller is seen by whoever administers Redis, so it
    /// must be an id and nobody's name or address.
    pub async fn take_shared(&self, caller: &str, rate: Rate, requests: u32) -> Standing {
        if let Some(shared) = &self.shared
            && let Some(standing) = together::take(shared, caller, rate, requests).await
        {
            return standing;
        }
        self.local.take(caller, rate, requests, self.now())
    }

    /// Whether this is the first time within a minute that a caller's refusal is to be told.
    #[must_use]
    pub fn is_news(&self, caller: &str) -> bool {
        self.local.is_news(caller, self.now(), Duration::from_mins(1))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::{NANOS, Rate};

    #[test]
    fn a_burst_is_answered_and_then_one_request_for_each_of_the_rate() {
        for (per_second, burst) in [(1, 1), (3, 3), (7, 20), (100, 1000), (999, 1001)] {
            let rate = Rate::new(per_second, burst);
            let mut full_at = 0;
            for taken in 1..=burst {
                let (next, standing) = rate.judge(full_at, 5, 1);
                assert_eq!(standing.retry_after, None, "{rate:?} {taken}");
                assert_eq!(standing.remaining, burst - taken, "{rate:?}");
                full_at = next;
            }
            let (same, standing) = rate.judge(full_at, 5, 1);
            assert_eq!((same, standing.remaining, standing.retry_after), (full_at, 0, Some(1)));
            assert_eq!(standing.reset, burst.div_ceil(per_second), "{rate:?}");
            let a_little_later = 5 + NANOS.div_ceil(u64::from(per_second));
            assert_eq!(rate.judge(full_at, a_little_later, 1).1.retry_after, None, "{rate:?}");
        }
    }

    #[test]
    fn the_wait_of_many_requests_is_told_exactly() {
        let rate = Rate::new(10, 100);
        let (full_at, first) = rate.judge(0, 0, 80);
        assert_eq!((first.remaining, first.reset, first.retry_after), (20, 8, None));
        let (same, refused) = rate.judge(full_at, 0, 60);
        // 40 are missing, which is four seconds.
        assert_eq!((same, refused.retry_after, refused.remaining), (full_at, Some(4), 20));
        assert_eq!(rate.judge(full_at, 4 * NANOS, 60).1.retry_after, None);
        assert_eq!(rate.judge(full_at, 4 * NANOS - 1, 60).1.retry_after, Some(1));
    }

    #[test]
    fn more_than_the_burst_counts_as_all_of_it() {
        let rate = Rate::new(1, 10);
        let (full_at, standing) = rate.judge(0, 0, 5_000);
        assert_eq!((standing.retry_after, standing.remaining), (None, 0));
        assert_eq!(rate.judge(full_at, 0, 5_000).1.retry_after, Some(10));
    }
}
