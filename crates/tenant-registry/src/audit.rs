//! Who changed what in the registry.
//!
//! **Invariant**: an entry is written in the transaction of its change, and never changed.

use time::OffsetDateTime;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The generation that the change made, which puts entries in their order.
    pub generation: i64,
    /// When.
    pub at: OffsetDateTime,
    /// Who: an operator, or the command line.
    pub actor: String,
    /// What was done: `tenant.create`.
    pub action: String,
    /// To whose record.
    pub tenant_id: String,
    /// To which thing of it: a slug or a key id.
    pub subject: String,
    /// What it was and what it became, as JSON; never a secret.
    pub detail: String,
}
