//! What becomes of a tenant's request that comes to a node of another region.
//!
//! **Invariant**: one word each, in the registry, on the command line and in the admin API.

use std::fmt;

/// Whether a tenant's requests may pass through another region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Routing {
    /// They are forwarded to its own.
    #[default]
    Forward,
    /// They are refused with 421 before the body is read.
    Strict,
}

/// A text that is no routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("routing is forward or strict")]
pub struct RoutingError;

impl Routing {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Strict];

    /// Parses the word.
    ///
    /// # Errors
    /// When the word is neither.
    pub fn parse(text: &str) -> Result<Self, RoutingError> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(RoutingError)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
