//! When a seat is taken or freed, and what is said when there is none.
//!
//! **Invariant**: only becoming active takes a seat. An update, a deactivation or a deletion never needs one
//! (idp-wire §7).

use crate::reason::Reason;
use crate::refusal::Refusal;

/// What an operation does to the tenant's seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatChange {
    /// One more is in use.
    Take,
    /// One less is in use.
    Free,
    /// As many as before.
    None,
}

/// What becomes of the seat of a user who was active or not (`None`: was not there) and will be active or not (a
/// deleted user will not).
#[must_use]
pub fn needs_seat(active_before: Option<bool>, active_after: bool) -> SeatChange {
    match (active_before.unwrap_or(false), active_after) {
        (false, true) => SeatChange::Take,
        (true, false) => SeatChange::Free,
        (true, true) | (false, false) => SeatChange::None,
    }
}

/// No seat is left: how many of how many, whom to ask, and for whom to retry (requirements S2-29).
///
/// 403 without a `scimType`: both Entra and Okta take it for a failure of this one person and show the text.
#[must_use]
pub fn exhausted(used: u64, limit: u64, population: &str, ask: &str, who: &str) -> Refusal {
    let detail = format!(
        "No seat left: {used} of {limit} {population} seats are in use. Deactivate a user to free a seat, or ask {ask} \
         for more, then retry {who}."
    );
    Refusal::new(Reason::SeatsExhausted, detail).about("active")
}

#[cfg(test)]
mod tests {
    use super::{SeatChange, needs_seat};

    #[test]
    fn only_becoming_active_takes_a_seat_and_only_ceasing_to_be_frees_one() {
        for (before, after, expected) in [
            (None, true, SeatChange::Take),
            (None, false, SeatChange::None),
            (Some(false), true, SeatChange::Take),
            (Some(false), false, SeatChange::None),
            (Some(true), true, SeatChange::None),
            (Some(true), false, SeatChange::Free),
        ] {
            assert_eq!(needs_seat(before, after), expected, "{before:?} to {after}");
        }
    }
}
