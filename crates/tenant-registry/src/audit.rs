//! Who changed what in the registry.
//!
//! **Invariant**: an entry is written in the transaction of its change, and never changed.

use crate::tenant::id::TenantId;
use time::OffsetDateTime;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The generation that the change made, which puts entries in their order.
    pub generation: i64,
    /// When.
    pub at: OffsetDateTime,
    /// Who: `cli`, `operator alice`, `tenant_admin bob`, `system expiry`.
    pub actor: String,
    /// What was done: `tenant.create`.
    pub action: String,
    /// To whose record; nothing where it is nobody's.
    pub tenant_id: String,
    /// To which thing of it: a slug, a key id, a client id, the name of a plan.
    pub subject: String,
    /// What changed, as JSON with `before` and `after`; never a secret.
    pub detail: String,
    /// In which request.
    pub request_id: Option<String>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// One tenant's alone.
    pub tenant: Option<TenantId>,
    /// One actor's alone, as it is written.
    pub actor: Option<String>,
    /// Of one action alone.
    pub action: Option<String>,
    /// From this instant on.
    pub since: Option<OffsetDateTime>,
    /// Before this instant.
    pub until: Option<OffsetDateTime>,
    /// Older than the entry with this generation.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
}
