//! Where pages of an unfiltered list begin: which id lies before a position.
//!
//! Ids are in the order in which resources were made, so new ones only come at the end, where no position is kept yet, and
//! one that is kept stands until a resource is deleted. A client that reads page after page then costs each page once, however deep it is.
//!
//! **Invariant**: bounded; forgetting all of it costs time and never changes an answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Lists that are remembered, at most.
const LISTS: usize = 1_024;
/// Positions of one list that are remembered, at most.
const POSITIONS: usize = 4_096;

#[derive(Debug, Default)]
struct Known {
    /// How many resources had been deleted when these positions held.
    removed: u64,
    /// The id of the last resource before a position.
    before: BTreeMap<u64, String>,
}

/// The positions known of all lists.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    lists: Mutex<HashMap<(String, &'static str), Known>>,
}

impl Positions {
    /// The id before a position, if it is known and still holds.
    pub(super) fn find(&self, list: (&str, &'static str), removed: u64, at: u64) -> Option<String> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lists.get(&(list.0.to_owned(), list.1))?;
        (known.removed == removed).then(|| known.before.get(&at).cloned())?
    }

    /// Remembers the id before a position.
    pub(super) fn keep(&self, list: (&str, &'static str), removed: u64, at: u64, id: String) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS {
            lists.clear();
        }
        let known = lists.entry((list.0.to_owned(), list.1)).or_default();
        if known.removed != removed || known.before.len() >= POSITIONS {
            *known = Known { removed, before: BTreeMap::new() };
        }
        known.before.insert(at, id);
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn a_position_holds_until_something_is_deleted() {
        let positions = Positions::default();
        positions.keep(("a", "users"), 0, 100, "x".into());
        assert_eq!(positions.find(("a", "users"), 0, 100).as_deref(), Some("x"));
        assert_eq!(positions.find(("a", "groups"), 0, 100), None);
        assert_eq!(positions.find(("b", "users"), 0, 100), None);
        assert_eq!(positions.find(("a", "users"), 1, 100), None);
        positions.keep(("a", "users"), 1, 200, "y".into());
        assert_eq!(positions.find(("a", "users"), 1, 100), None);
    }
}
