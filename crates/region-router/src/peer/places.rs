//! How many requests are on their way to a peer at once, and whose.
//!
//! **Invariant**: nobody waits for a place. Whoever is known takes half of them at most, and all who are not known an eighth; an
//! answer whose client has taken nothing for a while keeps its connection, and its place is another's.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a place is kept for a client that takes nothing of its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The places of one way.
#[derive(Debug)]
pub(super) struct Places {
    all: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    places: HashMap<u64, Holder>,
}

#[derive(Debug)]
struct Holder {
    whose: Option<String>,
    /// When something last moved, once the answer is there.
    moved: Option<Instant>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self { all, taken: Arc::default() }
    }

    pub(super) fn all(&self) -> usize {
        self.all
    }

    /// Takes a place for somebody, if there is one.
    pub(super) fn take(&self, whose: Option<&str>, now: Instant) -> Option<Place> {
        let most = if whose.is_some() { self.all / 2 } else { self.all / 8 }.max(1);
        let mut taken = lock(&self.taken);
        if taken.places.len() >= most {
            taken.forget_stalled(now);
            let own = taken.places.values().filter(|holder| holder.whose.as_deref() == whose);
            if taken.places.len() >= self.all || own.count() >= most {
                return None;
            }
        }
        let number = taken.next;
        taken.next += 1;
        taken.places.insert(number, Holder { whose: whose.map(str::to_owned), moved: None });
        Some(Place { number, taken: Arc::clone(&self.taken) })
    }
}

impl Taken {
    fn forget_stalled(&mut self, now: Instant) {
        let holds = |holder: &Holder| {
            holder.moved.is_none_or(|moved| now.saturating_duration_since(moved) < PATIENCE)
        };
        let all = mem::take(&mut self.places);
        self.places = all.into_iter().filter(|(_, holder)| holds(holder)).collect();
    }
}

impl Place {
    /// Notes that a piece of the answer was taken.
    pub(super) fn moved(&self, now: Instant) {
        if let Some(holder) = lock(&self.taken).places.get_mut(&self.number) {
            holder.moved = Some(now);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.taken).places.remove(&self.number);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, Places};
    use std::time::Instant;

    #[test]
    fn nobody_takes_the_places_of_all() {
        let (places, now) = (Places::new(16), Instant::now());
        let mut held: Vec<_> = (0..8).map(|_| places.take(Some("a"), now).unwrap()).collect();
        assert!(places.take(Some("a"), now).is_none(), "half are the most");
        held.extend((0..2).map(|_| places.take(None, now).unwrap()));
        assert!(places.take(None, now).is_none(), "strangers share an eighth");
        held.extend((0..6).map(|_| places.take(Some("b"), now).unwrap()));
        assert!(places.take(Some("c"), now).is_none(), "sixteen are sixteen");
        held.pop();
        assert!(places.take(Some("c"), now).is_some());
        assert!(Places::new(1).take(None, now).is_some());
    }

    #[test]
    fn a_client_that_takes_nothing_loses_its_place() {
        let (places, now) = (Places::new(2), Instant::now());
        let slow = places.take(Some("slow"), now).unwrap();
        let waiting = places.take(Some("waiting"), now).unwrap();
        slow.moved(now);
        assert!(places.take(Some("c"), now).is_none());
        let later = now + PATIENCE;
        let other = places.take(Some("c"), later).unwrap();
        assert!(places.take(Some("d"), later).is_none(), "one that waits for its answer keeps it");
        // What is over gives back nothing twice.
        drop((slow, waiting));
        let again = places.take(Some("d"), later).unwrap();
        assert!(places.take(Some("e"), later).is_none());
        drop((other, again));
    }
}
