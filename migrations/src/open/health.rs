//! What is known of the connections of a pool, besides what the pool knows.
//!
//! A connection is only found to be bad by whoever uses it. What one has found out is true of all that were made before: the
//! server was restarted, or is not the primary any more. So a mark is set, and what is older than the mark is not used again.
//!
//! **Invariant**: a mark is never taken back; what is younger is not touched by it.

use super::Fault;
use sea_orm_migration::sea_orm::DbErr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long after a silence a connection that comes back is asked whether it still answers.
const DOUBT: Duration = Duration::from_mins(1);

/// What is known of the connections of a pool.
#[derive(Debug)]
pub(super) struct Health {
    began: Instant,
    /// Connections made until then are not used again; microseconds since `began`.
    retired: AtomicU64,
    /// Until then, what comes back is asked; microseconds since `began`.
    doubted: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), retired: AtomicU64::new(0), doubted: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    /// From now on only connections are used that are made from now on.
    pub(super) fn retire(&self) {
        self.retired.fetch_max(self.now().max(1), Ordering::AcqRel);
    }

    /// Whether a connection of this age is not to be used again.
    pub(super) fn is_retired(&self, age: Duration) -> bool {
        let retired = self.retired.load(Ordering::Acquire);
        retired > 0 && self.now().saturating_sub(micros(age)) <= retired
    }

    /// Somebody has gone who was waiting for an answer.
    pub(super) fn doubt(&self) {
        self.doubted.fetch_max(self.now() + micros(DOUBT), Ordering::AcqRel);
    }

    /// Whether what comes back is asked whether it answers.
    pub(super) fn is_doubted(&self) -> bool {
        self.now() < self.doubted.load(Ordering::Acquire)
    }

    /// Learns from an error.
    pub(super) fn note(&self, error: &DbErr) {
        match Fault::of(error) {
            Fault::Refused | Fault::Lost => self.retire(),
            Fault::Taken | Fault::Conflict | Fault::Timeout | Fault::Unavailable | Fault::Other => {
            }
        }
    }
}

/// Doubts the connections when it is dropped before its end was seen.
pub(super) struct Watch<'a>(Option<&'a Health>);

impl<'a> Watch<'a> {
    pub(super) fn begin(health: &'a Health) -> Self {
        Self(Some(health))
    }

    pub(super) fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(health) = self.0 {
            health.doubt();
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::{Health, Watch};
    use std::time::Duration;

    #[test]
    fn what_is_older_than_the_mark_is_not_used_again() {
        let health = Health::new();
        assert!(!health.is_retired(Duration::ZERO));
        health.retire();

        assert!(health.is_retired(Duration::from_secs(5)));
        let since = health.began.elapsed();
        while health.began.elapsed() < since + Duration::from_millis(1) {
            std::hint::spin_loop();
        }
        assert!(!health.is_retired(Duration::ZERO));
    }

    #[test]
    fn whoever_goes_before_the_end_raises_a_doubt() {
        let health = Health::new();
        Watch::begin(&health).end();
        assert!(!health.is_doubted());
        drop(Watch::begin(&health));
        assert!(health.is_doubted());
    }
}
