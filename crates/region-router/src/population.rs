//! A population: who is provisioned.
//!
//! **Invariant**: one table holds every spelling of a population, for words, hosts and tokens.

use std::fmt;

/// Who is provisioned. A tenant has one of the two, never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Population {
    /// The users of the product itself.
    Platform,
    /// The advocates on the board.
    Board,
}

impl Population {
    /// Both populations.
    pub const ALL: [Self; 2] = [Self::Platform, Self::Board];

    /// Parses the word used in configuration, the command line and the registry.
    ///
    /// # Errors
    /// When the word is neither `platform` nor `board`.
    pub fn parse(text: &str) -> Result<Self, PopulationError> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(PopulationError)
    }

    /// The population behind a token's two letters, if they are known.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Board => "board",
        }
    }

    /// The label in the host name.
    #[must_use]
    pub fn host_label(self) -> &'static str {
        match self {
            Self::Platform => "app",
            Self::Board => "board",
        }
    }

    /// The two letters in a token.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Platform => "pf",
            Self::Board => "bd",
        }
    }
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a population is platform or board")]
pub struct PopulationError;

#[cfg(test)]
mod tests {
    use super::Population;

    #[test]
    fn every_spelling_leads_back_to_its_population() {
        for population in Population::ALL {
            assert_eq!(Population::parse(population.as_str()), Ok(population));
            assert_eq!(Population::from_code(population.code()), Some(population));
        }
        for bad in ["", "Platform", "app", "pf", "boards"] {
            assert!(Population::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Population::from_code("PF"), None);
    }
}
