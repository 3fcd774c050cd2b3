//! A tenant on its way from one store to another.
//!
//! **Invariant**: a tenant has one home. It changes once in a move, with the epoch, and until then the way back is open; after
//! it, what the old home holds is a copy that nobody writes.

use crate::tenant::{Tenant, is_shard};
use region_router::Region;
use std::fmt;
use std::str::SplitWhitespace;
use time::OffsetDateTime;

/// The name of whoever holds a lease is this long at most.
const HOLDER: usize = 100;

/// Where a tenant's people are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    /// The region.
    pub region: Region,
    /// Which store of the region; its first one is `0`.
    pub shard: String,
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.region, self.shard)
    }
}

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveStage {
    /// The rows are being copied; the old home is read and written as ever.
    Preparing,
    /// The old home is read and not written: the last rows are being copied.
    Frozen,
    /// The same: both copies are being compared.
    Verifying,
    /// The new home is read, and not written as long as there may be nodes that have not heard of it.
    CutOver,
    /// The new home is read and written. Of the old one, the address is left.
    Moved,
    /// Given up: the old home is read and written as ever, and the copy is being deleted.
    BackingOut,
}

impl MoveStage {
    /// Every stage of the way there, in order.
    pub const ALL: [Self; 5] =
        [Self::Preparing, Self::Frozen, Self::Verifying, Self::CutOver, Self::Moved];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Frozen => "frozen",
            Self::Verifying => "verifying",
            Self::CutOver => "cut_over",
            Self::Moved => "moved",
            Self::BackingOut => "backing_out",
        }
    }

    /// The stage with this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = Self::ALL.into_iter().chain([Self::BackingOut]);
        all.into_iter().find(|stage| stage.as_str() == text)
    }

    /// The one after it; none after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Preparing => Some(Self::Frozen),
            Self::Frozen => Some(Self::Verifying),
            Self::Verifying => Some(Self::CutOver),
            Self::CutOver => Some(Self::Moved),
            Self::Moved | Self::BackingOut => None,
        }
    }

    /// Whether the new home is the tenant's home.
    #[must_use]
    pub fn has_left(self) -> bool {
        matches!(self, Self::CutOver | Self::Moved)
    }

    /// Whether the move can be given up.
    #[must_use]
    pub fn can_back_out(self) -> bool {
        matches!(self, Self::Preparing | Self::Frozen | Self::Verifying)
    }

    /// Whether nothing of the tenant's people may be written, anywhere.
    #[must_use]
    pub fn stops_writes(self) -> bool {
        matches!(self, Self::Frozen | Self::Verifying | Self::CutOver)
    }
}

impl fmt::Display for MoveStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A move under way, or one whose old address still leads here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The home that is left.
    pub from: Home,
    /// The one that is entered.
    pub to: Home,
    /// How far it has come.
    pub stage: MoveStage,
    /// When it was begun.
    pub started_at: OffsetDateTime,
    /// When it came to this stage.
    pub stage_at: OffsetDateTime,
    /// When the rows of the old home were deleted.
    pub purged_at: Option<OffsetDateTime>,
}

impl Move {
    /// The column: seven words, and an eighth when the old home is empty.
    pub(crate) fn to_column(&self) -> String {
        let micros = crate::entity::micros;
        let Self { from, to, stage, started_at, stage_at, purged_at } = self;
        let mut text = format!(
            "{} {} {} {} {stage} {} {}",
            from.region,
            from.shard,
            to.region,
            to.shard,
            micros(*started_at),
            micros(*stage_at)
        );
        if let Some(at) = purged_at {
            text.push_str(&format!(" {}", micros(*at)));
        }
        text
    }

    /// Reads the column; nothing is no move.
    pub(crate) fn from_column(text: &str) -> Option<Option<Self>> {
        if text.is_empty() {
            return Some(None);
        }
        let mut words = text.split_whitespace();
        let read = Self {
            from: home(&mut words)?,
            to: home(&mut words)?,
            stage: MoveStage::parse(words.next()?)?,
            started_at: instant(words.next()?)?,
            stage_at: instant(words.next()?)?,
            purged_at: words.next().map_or(Some(None), |at| instant(at).map(Some))?,
        };
        Some(Some(read))
    }
}

fn home(words: &mut SplitWhitespace<'_>) -> Option<Home> {
    let region = Region::parse(words.next()?).ok()?;
    let shard = words.next().filter(|shard| is_shard(shard))?.to_owned();
    Some(Home { region, shard })
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    text.parse().ok().and_then(crate::entity::instant)
}

/// Who drives a tenant's move, and until when nobody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveLease {
    /// Who, in a way that an operator can make out: no white space.
    pub holder: String,
    /// Until when, unless it is taken again.
    pub until: OffsetDateTime,
}

impl MoveLease {
    pub(crate) fn is_holder(text: &str) -> bool {
        (1..=HOLDER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }

    pub(crate) fn to_column(&self) -> String {
        format!("{} {}", self.holder, crate::entity::micros(self.until))
    }

    /// Reads the column; what cannot be read is no lease.
    pub(crate) fn from_column(text: &str) -> Option<Self> {
        let (holder, until) = text.split_once(' ')?;
        Some(Self { holder: holder.to_owned(), until: instant(until)? })
    }
}

impl Tenant {
    /// Where its people are kept.
    #[must_use]
    pub fn home(&self) -> Home {
        Home { region: self.region.clone(), shard: self.shard.clone() }
    }

    /// Whether a credential that names this region is one of this tenant's: it lives there, or has left it not long ago.
    #[must_use]
    pub fn answers_to(&self, region: &Region) -> bool {
        let has_left = |moving: &Move| moving.stage.has_left() && moving.from.region == *region;
        self.region == *region || self.moving.as_ref().is_some_and(has_left)
    }

    /// Whether a move keeps its people from being written.
    #[must_use]
    pub fn is_frozen_by_move(&self) -> bool {
        self.moving.as_ref().is_some_and(|moving| moving.stage.stops_writes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Home, Move, MoveLease, MoveStage};
    use region_router::Region;
    use time::macros::datetime;

    fn home(region: &str, shard: &str) -> Home {
        Home { region: Region::parse(region).unwrap(), shard: shard.to_owned() }
    }

    #[test]
    fn a_move_is_read_as_it_was_written() {
        for stage in MoveStage::ALL.into_iter().chain([MoveStage::BackingOut]) {
            for purged_at in [None, Some(datetime!(2026-11-23 10:00:00.000001 UTC))] {
                let moving = Move {
                    from: home("us", "0"),
                    to: home("eu", "b2"),
                    stage,
                    started_at: datetime!(2026-11-22 10:00:00.123456 UTC),
                    stage_at: datetime!(2026-11-22 10:00:07 UTC),
                    purged_at,
                };
                assert_eq!(Move::from_column(&moving.to_column()), Some(Some(moving)));
            }
        }
        assert_eq!(Move::from_column(""), Some(None));
        for bad in ["us", "us 0 eu 1 soon 1 2", "us 0 eu A frozen 1 2", "us 0 eu 1 frozen 1"] {
            assert_eq!(Move::from_column(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_lease_is_read_as_it_was_written() {
        let lease = MoveLease {
            holder: "node-1:42:a".to_owned(),
            until: datetime!(2026-11-22 10:00:30 UTC),
        };
        assert_eq!(MoveLease::from_column(&lease.to_column()), Some(lease));
        assert_eq!(MoveLease::from_column(""), None);
        assert!(!MoveLease::is_holder("") && !MoveLease::is_holder("a b"));
    }

    #[test]
    fn stages_follow_each_other_and_writes_stop_in_the_middle() {
        let mut stage = Some(MoveStage::Preparing);
        for expected in MoveStage::ALL {
            assert_eq!(stage, Some(expected));
            stage = expected.next();
        }
        assert_eq!(stage, None);
        let stops = MoveStage::ALL.map(MoveStage::stops_writes);
        assert_eq!(stops, [false, true, true, true, false]);
    }
}
