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
}

pub(super) fn read(values: &mut Values) -> Retention {
    let days = |days: u64| Duration::from_hours(24 * days);
    let range = Duration::from_hours(1)..=days(3650);
    Retention {
        decisions: values.span("retention.decisions", days(30), range.clone()),
        deleted: values.span("retention.deleted", days(30), range.clone()),
        closed: values.span("retention.closed", days(30), range),
    }
}
