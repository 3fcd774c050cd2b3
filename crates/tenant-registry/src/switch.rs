//! A tenant on its way from one population to the other.
//!
//! **Invariant**: while there is a switch, people are written in at most one of the two populations, and until it is finished
//! the way back is open. When it ends, nobody is active in the population that is left.

use region_router::Population;
use time::OffsetDateTime;

/// How far a switch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody is written in either population.
    Frozen,
    /// The new population is written; the old one stands as it was.
    CutOver,
    /// There is no way back: those left behind are being deactivated.
    Finishing,
    /// The old population is written again: those who came in the new one are being deactivated.
    Undoing,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Frozen, Self::CutOver, Self::Finishing, Self::Undoing];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::CutOver => "cut_over",
            Self::Finishing => "finishing",
            Self::Undoing => "undoing",
        }
    }

    /// The stage with this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// A switch under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The population that is left.
    pub from: Population,
    /// The one that is entered.
    pub to: Population,
    /// How far it has come.
    pub stage: Stage,
    /// When it was frozen.
    pub started_at: OffsetDateTime,
    /// Until when it can be undone, once it is cut over.
    pub undo_until: Option<OffsetDateTime>,
}

impl Switch {
    /// The population in which nobody is to stay active, once that is decided.
    #[must_use]
    pub fn emptied(&self) -> Option<Population> {
        match self.stage {
            Stage::Frozen | Stage::CutOver => None,
            Stage::Finishing => Some(self.from),
            Stage::Undoing => Some(self.to),
        }
    }

    /// The column: five words, the last a number or nothing.
    pub(crate) fn to_column(self) -> String {
        let micros = crate::entity::micros;
        format!(
            "{} {} {} {} {}",
            self.from,
            self.to,
            self.stage.as_str(),
            micros(self.started_at),
            self.undo_until.map(|at| micros(at).to_string()).unwrap_or_default()
        )
    }

    /// Reads the column; nothing is no switch.
    pub(crate) fn from_column(text: &str) -> Option<Option<Self>> {
        if text.is_empty() {
            return Some(None);
        }
        let mut words = text.split(' ');
        let instant = |text: &str| text.parse().ok().and_then(crate::entity::instant);
        let switch = Self {
            from: Population::parse(words.next()?).ok()?,
            to: Population::parse(words.next()?).ok()?,
            stage: Stage::parse(words.next()?)?,
            started_at: instant(words.next()?)?,
            undo_until: match words.next()? {
                "" => None,
                at => Some(instant(at)?),
            },
        };
        Some(Some(switch))
    }
}
