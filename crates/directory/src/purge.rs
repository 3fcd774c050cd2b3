//! What is kept no longer: decisions and tombstones past their retention.
//!
//! **Invariant**: a tenant at a time, in small statements, so that no tenant waits for another's cleaning.

use crate::error::DirectoryError;
use crate::scope::{Directory, micros};
use crate::script::backend;
use sea_orm::{ConnectionTrait, Statement, Value};
use time::OffsetDateTime;

/// Rows that one statement deletes, at most.
const BATCH: i64 = 1_000;

impl Directory {
    /// Deletes decisions older than `decisions` and tombstones older than `deleted`; how many rows went.
    ///
    /// # Errors
    /// When the store fails; what was deleted stays deleted.
    pub async fn purge(
        &self,
        decisions: OffsetDateTime,
        deleted: OffsetDateTime,
    ) -> Result<u64, DirectoryError> {
        let backend = backend(self.engine());
        let all =
            Statement::from_string(backend, "SELECT tenant_id FROM tenants ORDER BY tenant_id");
        let tenants = self.database().reader().query_all_raw(all).await?;
        let mut gone = 0;
        for tenant in tenants {
            let tenant: String = tenant.try_get_by_index(0)?;
            gone += self
                .delete_batches(
                    "DELETE FROM decisions WHERE tenant_id = $1 AND id IN (
                         SELECT id FROM decisions WHERE tenant_id = $1 AND at < $2 ORDER BY id LIMIT $3)",
                    &tenant,
                    decisions,
                )
                .await?;
            gone += self
                .delete_batches(
                    "DELETE FROM tombstones WHERE tenant_id = $1 AND id IN (
                         SELECT id FROM tombstones WHERE tenant_id = $1 AND deleted_at < $2 ORDER BY id LIMIT $3)",
                    &tenant,
                    deleted,
                )
                .await?;
        }
        Ok(gone)
    }

    async fn delete_batches(
        &self,
        sql: &str,
        tenant: &str,
        before: OffsetDateTime,
    ) -> Result<u64, DirectoryError> {
        let mut gone = 0;
        loop {
            let values: [Value; 3] = [tenant.into(), micros(before).into(), BATCH.into()];
            let statement = Statement::from_sql_and_values(backend(self.engine()), sql, values);
            let done = self.database().writer().execute_raw(statement).await?.rows_affected();
            gone += done;
            if done < BATCH.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
