//! The fence of a tenant's population: what the registry decided, where every write looks in its own transaction.
//!
//! A node learns of a suspension or a freeze a moment after it was answered, or not at all while it cannot reach the
//! registry. The fence stands in the region's store, with the number of the change that put it there; a node that knows a
//! later change, and writes, takes it away.
//!
//! **Invariant**: a fence that a purge has put up is never taken away.

use crate::error::DirectoryError;
use crate::scope::Scoped;
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

/// What stands before the number of the change.
const FROZEN: &str = "frozen:";

/// Whether whoever knows the tenant as of this change may write behind the fence.
pub(crate) fn is_open(state: &str, version: i64) -> bool {
    let since = state.strip_prefix(FROZEN).and_then(|number| number.parse().ok());
    state == "active" || since.is_some_and(|since: i64| since < version)
}

/// Whether the store is the tenant's home, or was before a move began: not one that was left, is being filled or was purged.
pub(crate) fn is_home(state: &str) -> bool {
    state == "active" || state == "moving" || state.starts_with(FROZEN)
}

impl Scoped {
    /// Raises the fence that was seen to the epoch that the registry tells.
    pub(crate) async fn raise_fence(&self, epoch: i64, seen: &str) -> Result<bool, DirectoryError> {
        let sql = "UPDATE tenants SET epoch = $2, state = CASE WHEN state = 'moving' THEN 'active' ELSE state END
                   WHERE tenant_id = $1 AND epoch = $3 AND state = $4";
        let values = vec![self.tenant().epoch.into(), epoch.into(), seen.into()];
        let statement = self.statement(sql, values);
        self.directory().database().writer().execute_raw(statement).await?;
        Ok(true)
    }

    /// Puts the fence up for everybody who does not know of a later change than this tenant's version.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "directory.fence", skip_all)]
    pub async fn fence(&self, now: OffsetDateTime) -> Result<(), DirectoryError> {
        match self.enter(now).await {
            // What stood there of an earlier change is gone.
            Ok(_) => {}
            // A fence of this change or a later one stops more than this one would.
            Err(DirectoryError::Fenced) => return Ok(()),
            Err(error) => return Err(error),
        }
        let sql = "UPDATE tenants SET state = $2 WHERE tenant_id = $1 AND state = 'active'";
        let state = format!("{FROZEN}{}", self.tenant().version);
        let statement = self.statement(sql, vec![state.into()]);
        self.directory().database().writer().execute_raw(statement).await?;
        Ok(())
    }

    /// Takes away the fence that was seen, if it was one.
    pub(crate) async fn open_fence(&self, seen: &str) -> Result<bool, DirectoryError> {
        if seen == "active" {
            return Ok(false);
        }
        let sql = "UPDATE tenants SET state = 'active' WHERE tenant_id = $1 AND state = $2";
        let statement = self.statement(sql, vec![seen.into()]);
        self.directory().database().writer().execute_raw(statement).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn who_knows_more_than_the_fence_may_pass() {
        assert!(is_open("active", 0) && is_open("frozen:7", 8));
        assert!(!is_open("frozen:7", 7) && !is_open("frozen:7", 6) && !is_open("purged", 99));
        assert!(!is_open("frozen:", 9) && !is_open("moving", 9));
    }
}
