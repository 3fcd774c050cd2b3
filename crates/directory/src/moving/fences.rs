//! Who may write where while a tenant moves: the rows of `tenants` on both sides.
//!
//! **Invariant**: a fence is raised, never lowered: by the epoch at the old home, by whose mark stands at the new one. What a
//! purge has put up stays.

use super::{MoveError, Side, Transfer};
use crate::scope::{Scoped, micros};
use crate::script::backend;
use crate::seats;
use migrations::Engine;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked whether older transactions are over.
const PAUSE: Duration = Duration::from_millis(20);
/// How long [`Transfer::freeze`] waits for transactions that began before it.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What stands at a target whose copy was compared and found the same, before the epoch under which it will be opened.
const READY: &str = "ready:";

/// Home of the tenant, or on the way to it: not moved away, not purged, not being filled.
const IS_HOME: &str = "(tenants.state IN ('active', 'moving') OR tenants.state LIKE 'frozen:%')";

impl Transfer {
    /// Puts this mover's mark on the target, in place of another mover's: from now on that one writes nothing there. Done once;
    /// whatever writes to the target does it first.
    ///
    /// # Errors
    /// [`MoveError::TargetInUse`] when the target is the tenant's home, or its data was purged there; the stores' failures.
    pub async fn claim(&self) -> Result<(), MoveError> {
        self.claimed.get_or_try_init(|| self.mark_target("")).await.copied()
    }

    /// Puts this mover's mark on what is left of a copy that was given up, or on one that was not compared yet. A copy that
    /// was found the same under another epoch is another move's.
    pub(super) async fn claim_copy(&self, epoch: i64) -> Result<(), MoveError> {
        let ready = format!("{READY}{epoch}");
        self.claimed.get_or_try_init(|| self.mark_target(&ready)).await.copied()
    }

    /// Says of a copy that was compared that it may be opened under this epoch: from now on no mover writes there, unless the
    /// registry has given the move up.
    ///
    /// # Errors
    /// [`MoveError::Superseded`] when it is not this mover's copy any more; the store's failures.
    pub async fn approve(&self, epoch: i64) -> Result<(), MoveError> {
        let sql = "UPDATE tenants SET state = $3 WHERE tenant_id = $1 AND state IN ($2, $3)";
        let ready = format!("{READY}{epoch}");
        for to in self.scopes(Side::Target) {
            let values = vec![self.mark.as_str().into(), ready.as_str().into()];
            if self.fence(&to, Side::Target, sql, values).await? == 0 {
                return Err(MoveError::Superseded);
            }
        }
        Ok(())
    }

    /// Makes sure that the copy is this mover's, or was approved under this epoch already.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub async fn hold(&self, epoch: i64) -> Result<(), MoveError> {
        let ready = format!("{READY}{epoch}");
        for to in self.scopes(Side::Target) {
            let sql = "SELECT 1 FROM tenants WHERE tenant_id = $1 AND state = $2";
            let row = to.read_one(sql, vec![ready.as_str().into()]).await;
            if row.map_err(Side::Target.failed())?.is_none() {
                return self.claim_copy(epoch).await;
            }
        }
        Ok(())
    }

    /// `ready` is what may stand there beside the mark of another mover.
    async fn mark_target(&self, ready: &str) -> Result<(), MoveError> {
        self.check_columns().await?;
        let sql =
            "INSERT INTO tenants (tenant_id, epoch, state, created_at) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, purged = NULL
                   WHERE tenants.state IN ('moved', $5) OR tenants.state LIKE 'arriving:%'";
        for to in self.scopes(Side::Target) {
            let created_at = self.created_at(to.population()).await?;
            let values = vec![
                self.tenant.epoch.into(),
                self.mark.as_str().into(),
                created_at.into(),
                ready.into(),
            ];
            if self.fence(&to, Side::Target, sql, values).await? == 0 {
                return Err(MoveError::TargetInUse);
            }
        }
        Ok(())
    }

    /// Closes the old home for every write, by the epoch after the tenant's, and waits until all that began before is over.
    ///
    /// # Errors
    /// [`MoveError::NotHome`] when a later fence stands there; [`MoveError::Busy`] when older transactions do not end: the fence
    /// stands all the same; the store's failures.
    #[tracing::instrument(name = "directory.move.freeze", skip_all)]
    pub async fn freeze(&self) -> Result<(), MoveError> {
        let sql = format!(
            "INSERT INTO tenants (tenant_id, epoch, state, created_at) VALUES ($1, $2, 'moving', $3)
             ON CONFLICT (tenant_id) DO UPDATE SET epoch = excluded.epoch, state = 'moving'
             WHERE tenants.epoch <= excluded.epoch AND {IS_HOME}"
        );
        for from in self.scopes(Side::Source) {
            let values =
                vec![(self.tenant.epoch + 1).into(), micros(self.tenant.created_at).into()];
            if self.fence(&from, Side::Source, &sql, values).await? == 0 {
                return Err(MoveError::NotHome);
            }
            // A population that nobody was ever written in has its rows from now on, so that both sides are alike.
            self.fence(&from, Side::Source, &seats::make_slots(), Vec::new()).await?;
        }
        self.outlive(PATIENCE).await
    }

    /// Opens the old home again, for whoever knows this epoch.
    ///
    /// # Errors
    /// The store's failures. A fence that is higher stays, and that is none.
    #[tracing::instrument(name = "directory.move.thaw", skip_all)]
    pub async fn thaw(&self, epoch: i64) -> Result<(), MoveError> {
        let sql = format!(
            "UPDATE tenants SET epoch = $2, state = CASE WHEN state = 'moving' THEN 'active' ELSE state END
             WHERE tenant_id = $1 AND epoch <= $2 AND {IS_HOME}"
        );
        for from in self.scopes(Side::Source) {
            self.fence(&from, Side::Source, &sql, vec![epoch.into()]).await?;
        }
        Ok(())
    }

    /// Opens the new home for whoever knows this epoch: the copy that was approved under it, and no other.
    ///
    /// # Errors
    /// [`MoveError::TargetInUse`] when it was not approved; the store's failures.
    #[tracing::instrument(name = "directory.move.arm", skip_all)]
    pub async fn arm(&self, epoch: i64) -> Result<(), MoveError> {
        let sql = "UPDATE tenants SET epoch = $2, state = CASE WHEN state = $3 THEN 'active' ELSE state END
                   WHERE tenant_id = $1 AND (state = $3 OR (epoch = $2
                       AND (state = 'active' OR state LIKE 'frozen:%')))";
        let ready = format!("{READY}{epoch}");
        for to in self.scopes(Side::Target) {
            if self.fence(&to, Side::Target, sql, vec![epoch.into(), ready.as_str().into()]).await?
                == 0
            {
                return Err(MoveError::TargetInUse);
            }
        }
        Ok(())
    }

    /// Closes the old home for good: neither people nor the log are written there any more, and what was being written is over.
    ///
    /// # Errors
    /// [`MoveError::NotHome`] when the data was purged there; [`MoveError::Busy`] as with [`Self::freeze`]; the store's
    /// failures.
    #[tracing::instrument(name = "directory.move.retire", skip_all)]
    pub async fn retire(&self, epoch: i64) -> Result<(), MoveError> {
        self.side(Side::Source).recorder().flush().await;
        let sql =
            "INSERT INTO tenants (tenant_id, epoch, state, created_at) VALUES ($1, $2, 'moved', $3)
                   ON CONFLICT (tenant_id) DO UPDATE SET state = 'moved', epoch = excluded.epoch
                   WHERE tenants.epoch <= excluded.epoch AND tenants.state <> 'purged'";
        for from in self.scopes(Side::Source) {
            let values = vec![epoch.into(), micros(self.tenant.created_at).into()];
            if self.fence(&from, Side::Source, sql, values).await? == 0 {
                return Err(MoveError::NotHome);
            }
        }
        self.outlive(PATIENCE).await
    }

    /// Marks the target as no home, where this mover's mark stands.
    pub(super) async fn unmark(&self) -> Result<(), MoveError> {
        let sql = "UPDATE tenants SET state = 'moved' WHERE tenant_id = $1 AND state = $2";
        for to in self.scopes(Side::Target) {
            self.fence(&to, Side::Target, sql, vec![self.mark.as_str().into()]).await?;
        }
        Ok(())
    }

    async fn fence(
        &self,
        scoped: &Scoped,
        side: Side,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<u64, MoveError> {
        let statement = scoped.statement(sql, values);
        let done = scoped.directory().database().writer().execute_raw(statement).await;
        Ok(done.map_err(side.failed())?.rows_affected())
    }

    /// Waits until every transaction at the source is over that may have begun before the fence was committed. SQLite has one
    /// writer, which has ended.
    ///
    /// Sessions of another role than this one's cannot be looked into, unless it may read all statistics: then the move is not made.
    async fn outlive(&self, patience: Duration) -> Result<(), MoveError> {
        let source = self.side(Side::Source);
        if source.engine() == Engine::Sqlite {
            return Ok(());
        }
        let deadline = Instant::now() + patience;
        let mut older: Option<BTreeSet<(i64, String)>> = None;
        loop {
            let now = self.sessions().await.map_err(Side::Source.failed())?;
            let left = match older.take() {
                None => now,
                Some(older) => older.intersection(&now).cloned().collect(),
            };
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(MoveError::Busy(left.len()));
            }
            older = Some(left);
            sleep(PAUSE).await;
        }
    }

    /// Which session is in a transaction that began when.
    async fn sessions(&self) -> Result<BTreeSet<(i64, String)>, DbErr> {
        // Of a session that this role may not look into nothing is known: it counts as one that does not end.
        let sql = "SELECT pid::bigint, coalesce(xact_start::text, '') FROM pg_stat_activity WHERE datname = current_database()
                   AND pid <> pg_backend_pid() AND (query = '<insufficient privilege>'
                       OR (backend_type = 'client backend' AND xact_start IS NOT NULL))";
        let statement = Statement::from_string(backend(Engine::Postgres), sql);
        let rows = self.side(Side::Source).database().writer().query_all_raw(statement).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }
}
