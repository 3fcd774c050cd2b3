//! What a lane knows of the people that it made.

/// One person, from the first create that was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    pub(super) name: String,
    /// Nothing until an answer told it.
    pub(super) id: String,
    pub(super) version: u64,
    /// A write of it is under way.
    pub(super) is_busy: bool,
    pub(super) is_member: bool,
    pub(super) state: State,
    /// Where it was written last.
    pub(super) node: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Its create has no answer that says whether it is there: it is sent again.
    #[default]
    Wanted,
    Live,
    /// A write has no answer: it is only read from now on.
    Doubtful,
    /// Deleted, or never made.
    Gone,
}

impl Person {
    pub(super) fn is_free(&self) -> bool {
        self.state == State::Live && !self.is_busy
    }
}
