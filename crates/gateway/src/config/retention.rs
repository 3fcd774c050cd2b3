//! `[retention]`: how long history is kept, and closed tenants.

use super::values::Values;
use std::time::Duration;

/// How long history is kept, and closed tenants.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Decisions, the rows of the provisioning log.
    pub decisions: Duration,
    /// What is left of a deleted person or group.
    pub deleted: Duration,
    /// All of a tenant that was closed.
    pub closed: Duration,
    /// What a tenant that was moved has left in its old store.
    pub moved_data: Duration,
    /// That the old address of a tenant that was moved leads to it.
    pub moved_tombstone: Duration,
}

pub(super) fn read(values: &mut Values) -> Retention {
    let days = |days: u64| Duration::from_hours(24 * days);
    let range = Duration::from_hours(1)..=days(3650);
    Retention {
        decisions: values.span("retention.decisions", days(30), range.clone()),
        deleted: values.span("retention.deleted", days(30), range.clone()),
        closed: values.span("retention.closed", days(30), range.clone()),
        moved_data: values.span("retention.moved_data", days(1), Duration::ZERO..=days(3650)),
        moved_tombstone: values.span("retention.moved_tombstone", days(30), range),
    }
}
