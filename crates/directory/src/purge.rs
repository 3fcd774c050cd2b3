//! What is kept no longer: decisions and tombstones past their retention, and keys of repeated requests.
//!
//! **Invariant**: a tenant at a time, in small statements, so that no tenant waits for another's cleaning.

use crate::error::DirectoryError;
use crate::once::forgotten;
use crate::scope::{first_id, micros};
use crate::script::{backend, list_of, one_of};
use crate::store::Directory;
use sea_orm::{ConnectionTrait, Statement, Value};
use time::OffsetDateTime;

/// Rows that one statement deletes, at most.
const BATCH: i64 = 1_000;

/// Tenants that are at home here. Of one that is leaving or coming nothing is deleted, so that both its stores stay alike.
const HOMES: &str = "SELECT tenant_id FROM tenants WHERE state = 'active' OR state LIKE 'frozen:%' ORDER BY tenant_id";

/// That the resource of a row has not been brought back since it was found.
const STILL_DEAD: &str = "EXISTS (SELECT 1 FROM tombstones t WHERE t.tenant_id = $1 AND t.id = resource_id AND t.deleted_at < $3)";

impl Directory {
    /// Deletes decisions older than `decisions`, tombstones older than `deleted`, and what need not be remembered any more
    /// `now`; how many rows went.
    ///
    /// # Errors
    /// When the store fails; what was deleted stays deleted.
    pub async fn purge(
        &self,
        now: OffsetDateTime,
        decisions: OffsetDateTime,
        deleted: OffsetDateTime,
    ) -> Result<u64, DirectoryError> {
        let backend = backend(self.engine());
        let all = Statement::from_string(backend, HOMES);
        let tenants = self.database().reader().query_all_raw(all).await?;
        let mut gone = 0;
        for tenant in tenants {
            let tenant: String = tenant.try_get_by_index(0)?;
            // One tenant that fails must not keep the others' history for ever.
            match self.purge_tenant(&tenant, now, decisions, deleted).await {
                Ok(rows) => gone += rows,
                Err(error) => {
                    tracing::warn!(error = %error, tenant.id = tenant, "old history of a tenant could not be deleted");
                }
            }
        }
        Ok(gone)
    }

    async fn purge_tenant(
        &self,
        tenant: &str,
        now: OffsetDateTime,
        decisions: OffsetDateTime,
        deleted: OffsetDateTime,
    ) -> Result<u64, DirectoryError> {
        // The ids of decisions begin with their time, so the primary key finds the old ones without looking at the rest.
        let old = "DELETE FROM decisions WHERE tenant_id = $1 AND id IN (
                       SELECT id FROM decisions WHERE tenant_id = $1 AND id < $2 ORDER BY id LIMIT $3)";
        let rows = self.delete_batches(old, tenant, first_id(decisions).into()).await?;
        let keys = "DELETE FROM idempotency WHERE tenant_id = $1 AND key IN (
                        SELECT key FROM idempotency WHERE tenant_id = $1 AND at < $2 ORDER BY at LIMIT $3)";
        let rows = rows + self.delete_batches(keys, tenant, forgotten(now).into()).await?;
        Ok(rows + self.purge_deleted(tenant, deleted).await?)
    }

    /// Deletes what is left of resources that were deleted before a time: what happened to a person is kept no longer
    /// than what is left of the person.
    async fn purge_deleted(
        &self,
        tenant: &str,
        before: OffsetDateTime,
    ) -> Result<u64, DirectoryError> {
        let engine = self.engine();
        let (of_history, of_dead) =
            (one_of(engine, "resource_id", "$2"), one_of(engine, "id", "$2"));
        let statements = [
            format!("DELETE FROM outbox WHERE tenant_id = $1 AND {of_history} AND {STILL_DEAD}"),
            format!("DELETE FROM changes WHERE tenant_id = $1 AND {of_history} AND {STILL_DEAD}"),
            format!(
                "DELETE FROM tombstones WHERE tenant_id = $1 AND {of_dead} AND deleted_at < $3"
            ),
        ];
        let find = "SELECT id FROM tombstones WHERE tenant_id = $1 AND deleted_at < $2 LIMIT $3";
        let mut gone = 0;
        loop {
            let values: [Value; 3] = [tenant.into(), micros(before).into(), BATCH.into()];
            let statement = Statement::from_sql_and_values(backend(engine), find, values);
            let rows = self.database().reader().query_all_raw(statement).await?;
            let ids: Vec<String> =
                rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
            if ids.is_empty() {
                return Ok(gone);
            }
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            for sql in &statements {
                let values: [Value; 3] =
                    [tenant.into(), list_of(engine, &ids), micros(before).into()];
                let statement = Statement::from_sql_and_values(backend(engine), sql, values);
                gone += self.database().writer().execute_raw(statement).await?.rows_affected();
            }
        }
    }

    async fn delete_batches(
        &self,
        sql: &str,
        tenant: &str,
        before: Value,
    ) -> Result<u64, DirectoryError> {
        let mut gone = 0;
        loop {
            let values: [Value; 3] = [tenant.into(), before.clone(), BATCH.into()];
            let statement = Statement::from_sql_and_values(backend(self.engine()), sql, values);
            let done = self.database().writer().execute_raw(statement).await?.rows_affected();
            gone += done;
            if done < BATCH.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
