//! Where a tenant's data is, and that none is left of it.
//!
//! **Invariant**: [`TABLES`] names every table with tenants' rows; a test compares it with the schema.

use crate::error::DirectoryError;
use crate::scope::{Scoped, micros};
use crate::script::backend;
use crate::store::Directory;
use migrations::Engine;
use region_router::Population;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use std::collections::BTreeMap;
use std::sync::Arc;
use tenant_registry::Tenant;

/// Every table with tenants' rows, in the order in which they are emptied, and its key after the tenant.
const TABLES: [(&str, &str); 12] = [
    ("members", "group_id, member_id"),
    ("user_emails", "email_key, user_id"),
    ("users", "id"),
    ("groups", "id"),
    ("outbox", "id"),
    ("changes", "resource_type, resource_id, seq"),
    ("tombstones", "resource_type, id"),
    ("decisions", "id"),
    ("quirk_counts", "quirk, client"),
    ("idempotency", "key"),
    ("tallies", "slot"),
    (FENCE, "tenant_id"),
];
/// The table whose row stays, so that nothing is written behind a purge. It holds the id and that it is purged.
const FENCE: &str = "tenants";
/// Rows that one commit deletes, at most.
const BATCH: i64 = 1_000;

/// Which store holds a tenant's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residency {
    /// The region that the store says it is of, read now.
    pub region_tag: String,
    /// The shard of it that the store says it is, read now.
    pub shard_tag: String,
    /// `sqlite` or `postgresql`.
    pub engine: &'static str,
    /// Every table, and how many rows of the tenant are in it, of both populations.
    pub tables: Vec<(&'static str, u64)>,
}

impl Directory {
    /// Looks where a tenant's data is.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "directory.residency", skip_all)]
    pub async fn residency(&self, tenant: &Arc<Tenant>) -> Result<Residency, DirectoryError> {
        let tag = Statement::from_string(
            backend(self.engine()),
            "SELECT region, shard FROM directory_store LIMIT 1",
        );
        let tag = self.database().reader().query_one_raw(tag).await?;
        let read =
            |column| tag.as_ref().map_or(Ok(String::new()), |row| row.try_get_by_index(column));
        let (region_tag, shard_tag) = (read(0)?, read(1)?);
        let mut tables = Vec::with_capacity(TABLES.len());
        for (name, _) in TABLES {
            let mut rows = 0;
            for scoped in self.populations(tenant) {
                rows += scoped.count_rows(name).await?;
            }
            tables.push((name, rows));
        }
        Ok(Residency {
            region_tag,
            shard_tag,
            engine: match self.engine() {
                Engine::Sqlite => "sqlite",
                Engine::Postgres => "postgresql",
            },
            tables,
        })
    }

    /// Deletes all that there is of a tenant, in both populations, and forbids that more is written. How many rows went
    /// from which table, those of earlier runs among them: one that was interrupted goes on.
    ///
    /// # Errors
    /// When the store fails; what was deleted stays deleted and counted.
    #[tracing::instrument(name = "directory.purge_all", skip_all)]
    pub async fn purge_all(
        &self,
        tenant: &Arc<Tenant>,
    ) -> Result<Vec<(&'static str, u64)>, DirectoryError> {
        let both = self.populations(tenant);
        for scoped in &both {
            scoped.shut().await?;
        }
        let total = self.empty(&both).await?;
        Ok(TABLES.map(|(name, _)| (name, total.get(name).copied().unwrap_or_default())).to_vec())
    }

    /// Deletes all rows of scopes behind whose fence nothing is written any more, but for the fence. How many rows went from
    /// which table.
    pub(crate) async fn empty(
        &self,
        scopes: &[Scoped],
    ) -> Result<BTreeMap<String, u64>, DirectoryError> {
        // What waits to be written is dropped now, not found later.
        self.recorder().flush().await;
        loop {
            let mut gone = 0;
            for scoped in scopes {
                gone += scoped.purge_tables().await?;
            }
            // A write that was under way when the fence came may have ended behind the first pass.
            if gone == 0 {
                break;
            }
        }
        let mut total: BTreeMap<String, u64> = BTreeMap::new();
        for scoped in scopes {
            for (name, rows) in scoped.purged().await? {
                *total.entry(name).or_default() += rows;
            }
        }
        Ok(total)
    }

    fn populations(&self, tenant: &Arc<Tenant>) -> [Scoped; 2] {
        Population::ALL.map(|population| self.within_population(tenant, population))
    }
}

impl Scoped {
    async fn count_rows(&self, table: &str) -> Result<u64, DirectoryError> {
        let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
        let row = self.read_one(&sql, Vec::new()).await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(u64::try_from(rows).unwrap_or_default())
    }

    /// Forbids every write, for good.
    async fn shut(&self) -> Result<(), DirectoryError> {
        let sql = "INSERT INTO tenants (tenant_id, epoch, state, created_at, purged) VALUES ($1, $2, 'purged', $3, '{}')
                   ON CONFLICT (tenant_id) DO UPDATE SET state = 'purged', purged = coalesce(tenants.purged, '{}')";
        let values = vec![self.tenant().epoch.into(), micros(self.tenant().created_at).into()];
        self.directory().database().writer().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    async fn purge_tables(&self) -> Result<u64, DirectoryError> {
        let mut gone = 0;
        for (name, key) in TABLES.into_iter().filter(|(name, _)| *name != FENCE) {
            loop {
                let rows = self.purge_batch(name, key).await?;
                gone += rows;
                if rows == 0 {
                    break;
                }
            }
        }
        Ok(gone)
    }

    /// Deletes some rows of a table and counts them, in one commit.
    async fn purge_batch(&self, table: &str, key: &str) -> Result<u64, DirectoryError> {
        let transaction = self.begin().await?;
        // Held, so that nodes that purge the same tenant count each row once.
        // Where the tenant lives again since, nothing is deleted.
        let sql = format!(
            "SELECT purged FROM tenants WHERE tenant_id = $1 AND state IN ('moved', 'purged'){}",
            self.row_lock()
        );
        let row = transaction.query_one_raw(self.statement(sql, Vec::new())).await?;
        if row.is_none() {
            transaction.rollback().await?;
            return Ok(0);
        }
        let mut purged = counts(row.map(|row| row.try_get_by_index(0)).transpose()?.flatten());
        let sql = match self.engine() {
            Engine::Sqlite => format!(
                "DELETE FROM {table} WHERE tenant_id = $1 AND ({key}) IN (SELECT {key} FROM {table} WHERE tenant_id = $1 LIMIT $2)"
            ),
            // By the places of the rows, and in the order of the key: no plan can turn it into a look at the whole table.
            Engine::Postgres => format!(
                "DELETE FROM {table} WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
                     SELECT ctid FROM {table} WHERE tenant_id = $1 ORDER BY {key} LIMIT $2))"
            ),
        };
        let deleted = transaction.execute_raw(self.statement(sql, vec![BATCH.into()])).await?;
        let rows = deleted.rows_affected();
        if rows == 0 {
            transaction.rollback().await?;
            return Ok(0);
        }
        *purged.entry(table.to_owned()).or_default() += rows;
        let purged = serde_json::to_string(&purged).unwrap_or_default();
        let sql = "UPDATE tenants SET purged = $2 WHERE tenant_id = $1";
        transaction.execute_raw(self.statement(sql, vec![purged.into()])).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    async fn purged(&self) -> Result<BTreeMap<String, u64>, DbErr> {
        let row = self.read_one("SELECT purged FROM tenants WHERE tenant_id = $1", Vec::new());
        let text = row.await?.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        Ok(counts(text))
    }
}

/// The column: names of tables and numbers of rows, as JSON.
fn counts(text: Option<String>) -> BTreeMap<String, u64> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
