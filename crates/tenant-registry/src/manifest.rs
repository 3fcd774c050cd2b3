//! What a purge deleted.
//!
//! **Invariant**: names of tables and numbers of rows, and nothing of what was in them.

use region_router::Region;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The proof of a purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// In which region's store.
    pub region: Region,
    /// When.
    pub at: OffsetDateTime,
    /// How many rows of which table.
    pub tables: BTreeMap<String, u64>,
}
