//! Whether a peer is asked at all.
//!
//! **Invariant**: pure but for its own state; the time is given. While it is open, one request a second tries the peer, and
//! all others are refused at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that open it.
const IN_A_ROW: u32 = 5;
/// Over how long failures are counted against calls.
const WINDOW: Duration = Duration::from_secs(10);
/// Calls of a window from which on half of them failing opens it.
const CALLS: u32 = 20;
/// How often a peer is tried that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// A breaker: closed, or open with a request a second let through.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Open, and until when nothing is tried.
    open_until: Option<Instant>,
    in_a_row: u32,
    window: Option<Instant>,
    calls: u32,
    failures: u32,
}

impl Breaker {
    /// Lets a request through.
    ///
    /// # Errors
    /// While it is open: how long it is until the peer is tried again.
    pub fn enter(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state();
        let Some(until) = state.open_until else { return Ok(()) };
        if now < until {
            return Err(until - now);
        }
        // This one tries the peer; the next a pause later, whatever becomes of it.
        state.open_until = Some(now + PAUSE);
        Ok(())
    }

    /// Notes that the peer answered; tells whether that closed it.
    pub fn succeeded(&self, now: Instant) -> bool {
        let mut state = self.state();
        if state.open_until.is_some() {
            *state = State::default();
            return true;
        }
        state.count(now);
        state.in_a_row = 0;
        false
    }

    /// Notes that the peer did not answer; tells whether that opened it.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.state();
        if state.open_until.is_some() {
            state.open_until = Some(now + PAUSE);
            return false;
        }
        state.count(now);
        state.in_a_row += 1;
        state.failures += 1;
        let half = state.calls >= CALLS && state.failures * 2 >= state.calls;
        if state.in_a_row < IN_A_ROW && !half {
            return false;
        }
        state.open_until = Some(now + PAUSE);
        true
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().open_until.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, now: Instant) {
        if self.window.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            (self.window, self.calls, self.failures) = (Some(now), 0, 0);
        }
        self.calls += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, CALLS, IN_A_ROW, PAUSE, WINDOW};
    use std::time::{Duration, Instant};

    #[test]
    fn failures_in_a_row_open_it_and_one_request_a_second_tries_the_peer() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for number in 1..=IN_A_ROW {
            assert!(breaker.enter(start).is_ok());
            assert_eq!(breaker.failed(start), number == IN_A_ROW);
        }
        assert_eq!(breaker.enter(start), Err(PAUSE));
        let later = start + PAUSE;
        assert!(breaker.enter(later).is_ok(), "the one that tries");
        assert_eq!(breaker.enter(later), Err(PAUSE), "one only");
        assert!(!breaker.failed(later), "it was open before");
        assert!(breaker.enter(later + PAUSE).is_ok());
        assert!(breaker.succeeded(later + PAUSE));
        assert!(!breaker.is_open() && breaker.enter(later + PAUSE).is_ok());
    }

    #[test]
    fn an_answer_between_failures_keeps_it_closed_until_half_of_the_calls_fail() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..IN_A_ROW * 2 {
            assert!(!breaker.failed(start));
            breaker.succeeded(start + WINDOW);
        }
        let at = start + WINDOW * 3;
        let opened = (0..CALLS).filter(|_| {
            let opened = breaker.failed(at);
            breaker.succeeded(at);
            opened
        });
        assert_eq!(opened.count(), 1, "half of twenty");
    }

    #[test]
    fn a_request_that_tries_and_never_reports_is_followed_by_another() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..IN_A_ROW {
            breaker.failed(start);
        }
        assert!(breaker.enter(start + PAUSE).is_ok());
        assert!(breaker.enter(start + PAUSE + Duration::from_millis(999)).is_err());
        assert!(breaker.enter(start + PAUSE * 2).is_ok());
    }
}
