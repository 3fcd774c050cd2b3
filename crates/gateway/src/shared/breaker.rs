//! Whether Redis is asked: it is left alone for a while after it failed, and then one request has a connection made.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long it is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection may take in all, while nobody else makes one.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Answers in a row that may be late: one may be, when the machine is busy.
const LATE: u32 = 3;

#[derive(Debug)]
pub(super) struct Breaker {
    began: Instant,
    /// When a connection may be made, in nanoseconds since `began`; 0 while there is one that answers.
    again_at: AtomicU64,
    closed_at: AtomicU64,
    late: AtomicU32,
    is_said: AtomicBool,
}

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    Ask,
    /// It is not asked.
    Skip,
    /// The same, and this one has a connection made.
    Connect,
}

/// What was the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Slow,
    /// The connection ended: the server may be there again at once.
    Lost,
    /// What came is no answer.
    Wrong,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            again_at: AtomicU64::new(1),
            closed_at: AtomicU64::new(0),
            late: AtomicU32::new(0),
            is_said: AtomicBool::new(false),
        }
    }
}

impl Breaker {
    pub(super) fn course(&self) -> Course {
        match self.again_at.load(Ordering::Acquire) {
            0 => Course::Ask,
            again_at => self.course_without(again_at, self.now()),
        }
    }

    fn course_without(&self, again_at: u64, now: u64) -> Course {
        let after = now + nanos(ATTEMPT);
        let is_mine = now >= again_at
            && self
                .again_at
                .compare_exchange(again_at, after, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        if is_mine { Course::Connect } else { Course::Skip }
    }

    pub(super) fn answered(&self) {
        if self.late.load(Ordering::Relaxed) > 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }

    /// Whether that was enough to leave it alone; if so, whether this is news.
    pub(super) fn troubled(&self, trouble: Trouble) -> Option<bool> {
        self.troubled_at(trouble, self.now())
    }

    fn troubled_at(&self, trouble: Trouble, now: u64) -> Option<bool> {
        let again_at = match trouble {
            Trouble::Slow if self.late.fetch_add(1, Ordering::Relaxed) + 1 < LATE => return None,
            Trouble::Slow | Trouble::Wrong => now + nanos(PAUSE),
            Trouble::Lost => now.max(self.closed_at.load(Ordering::Relaxed) + nanos(PAUSE)),
        };
        Some(self.open_until(again_at))
    }

    /// No connection could be made. Says whether this is news.
    pub(super) fn open(&self) -> bool {
        self.open_until(self.now() + nanos(PAUSE))
    }

    fn open_until(&self, again_at: u64) -> bool {
        self.late.store(0, Ordering::Relaxed);
        self.again_at.store(again_at.max(1), Ordering::Release);
        !self.is_said.swap(true, Ordering::Relaxed)
    }

    /// There is a connection that answers. Says whether this is news.
    pub(super) fn close(&self) -> bool {
        self.closed_at.store(self.now(), Ordering::Relaxed);
        self.again_at.store(0, Ordering::Release);
        self.is_said.swap(false, Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        nanos(self.began.elapsed())
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::{ATTEMPT, Breaker, Course, LATE, PAUSE, Trouble, nanos};

    #[test]
    fn the_first_who_asks_has_a_connection_made_and_the_others_do_not_wait() {
        let breaker = Breaker::default();
        assert_eq!(breaker.course_without(1, 5), Course::Connect);
        let again_at = 5 + nanos(ATTEMPT);
        assert_eq!(breaker.course_without(again_at, 6), Course::Skip);
        // Of two who come at the same moment one is first.
        assert_eq!(breaker.course_without(1, 5), Course::Skip);
        assert_eq!(breaker.course_without(again_at, again_at), Course::Connect);
        assert!(!breaker.close(), "nobody was told that it was gone");
        assert_eq!(breaker.course(), Course::Ask);
    }

    #[test]
    fn one_late_answer_is_none_and_some_in_a_row_are_enough() {
        let breaker = Breaker::default();
        breaker.close();
        for _ in 1..LATE {
            assert_eq!(breaker.troubled_at(Trouble::Slow, 10), None);
        }
        breaker.answered();
        for _ in 1..LATE {
            assert_eq!(breaker.troubled_at(Trouble::Slow, 10), None);
        }
        assert_eq!(breaker.troubled_at(Trouble::Slow, 10), Some(true));
        assert_eq!(breaker.course_without(10 + nanos(PAUSE), 10), Course::Skip);
        assert!(!breaker.open(), "that is no news");
        assert!(breaker.close());
    }

    #[test]
    fn a_lost_connection_is_made_again_at_once_and_one_that_is_lost_again_is_not() {
        let (breaker, pause) = (Breaker::default(), nanos(PAUSE));
        breaker.close();
        let closed_at = breaker.closed_at.load(std::sync::atomic::Ordering::Relaxed);
        let later = closed_at + 3 * pause;
        assert_eq!(breaker.troubled_at(Trouble::Lost, later), Some(true));
        assert_eq!(breaker.course_without(later, later), Course::Connect);
        breaker.close();
        let closed_at = breaker.closed_at.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(breaker.troubled_at(Trouble::Lost, closed_at + 1), Some(true));
        assert_eq!(breaker.course_without(closed_at + pause, closed_at + 2), Course::Skip);
    }

    #[test]
    fn what_answers_wrongly_is_left_alone() {
        let breaker = Breaker::default();
        breaker.close();
        assert_eq!(breaker.troubled_at(Trouble::Wrong, 7), Some(true));
        assert_eq!(breaker.course_without(7 + nanos(PAUSE), 8), Course::Skip);
    }
}
