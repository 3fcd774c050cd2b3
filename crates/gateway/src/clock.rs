//! The time of day.
//!
//! **Invariant**: the only reader of the system time; everything else takes `now` as a parameter.

use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The instant, in UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the time is read")]
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    /// An id that sorts by this instant (RFC 9562 §5.7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.nanosecond()))
    }
}
