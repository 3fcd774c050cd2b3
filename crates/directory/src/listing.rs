//! Lists: filtered, counted, a page at a time, in the order in which resources were made.
//!
//! **Invariant**: a page first finds its ids and then fetches their documents, so that skipped rows are never read in
//! full; a total that no filter narrows comes from the counters.

use crate::error::DirectoryError;
use crate::groups::{self, StoredGroup};
use crate::query::Translation;
use crate::scope::Scoped;
use crate::users::{self, StoredUser};
use scim_core::Condition;
use sea_orm::QueryResult;

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Resources to skip.
    pub offset: u64,
    /// Resources to give, at most.
    pub limit: u64,
}

/// What is wanted of a list.
#[derive(Debug)]
pub struct Want<'a> {
    /// Only those that it holds of.
    pub condition: Option<&'a Condition>,
    /// The part.
    pub page: Page,
    /// The base URL, for references.
    pub base: &'a str,
    /// Whether a user's groups are wanted.
    pub groups: bool,
}

/// A part of a list, and how long the whole is.
#[derive(Debug)]
pub struct Listing<T> {
    /// Resources that the filter holds of.
    pub total: u64,
    /// Those of the page.
    pub resources: Vec<T>,
}

/// A table that can be listed.
struct Table {
    name: &'static str,
    alias: &'static str,
    columns: String,
}

impl Scoped {
    /// Users.
    ///
    /// # Errors
    /// [`DirectoryError::TooExpensive`], or the store's failure.
    #[tracing::instrument(name = "directory.users.list", skip_all)]
    pub async fn users(&self, want: &Want<'_>) -> Result<Listing<StoredUser>, DirectoryError> {
        let mut translation = Translation::users(self.engine(), want.base);
        let base = want.groups.then(|| translation.base());
        let columns = users::columns(self.engine(), base.as_deref());
        let table = Table { name: "users", alias: "u", columns };
        let (rows, total) = self.list(&table, want, translation).await?;
        let total = match total {
            Some(total) => total,
            None => self.totals().await?.users,
        };
        let resources = rows.iter().map(users::stored).collect::<Result<_, _>>()?;
        Ok(Listing { total, resources })
    }

    /// Groups, without their members.
    ///
    /// # Errors
    /// [`DirectoryError::TooExpensive`], or the store's failure.
    #[tracing::instrument(name = "directory.groups.list", skip_all)]
    pub async fn groups(&self, want: &Want<'_>) -> Result<Listing<StoredGroup>, DirectoryError> {
        let translation = Translation::groups(self.engine(), want.base);
        let table = Table { name: "groups", alias: "g", columns: groups::COLUMNS.to_owned() };
        let (rows, total) = self.list(&table, want, translation).await?;
        let total = match total {
            Some(total) => total,
            None => self.totals().await?.groups,
        };
        let resources = rows.iter().map(groups::stored).collect::<Result<_, _>>()?;
        Ok(Listing { total, resources })
    }

    /// The rows of a page, and the total where it is not that of the counters.
    async fn list(
        &self,
        table: &Table,
        want: &Want<'_>,
        mut translation: Translation,
    ) -> Result<(Vec<QueryResult>, Option<u64>), DirectoryError> {
        let Table { name, alias, columns } = table;
        let condition = match want.condition {
            Some(condition) => format!(" AND {}", translation.condition(condition)),
            None => String::new(),
        };
        let filtered = translation.clone();
        let mut rows = Vec::new();
        if want.page.limit > 0 {
            let limit = translation.bind(i64::try_from(want.page.limit).unwrap_or(i64::MAX));
            let offset = translation.bind(i64::try_from(want.page.offset).unwrap_or(i64::MAX));
            let from = format!(
                "FROM {name} {alias} WHERE {alias}.tenant_id = $1{condition} ORDER BY {alias}.id"
            );
            let sql = if want.page.offset == 0 {
                format!("SELECT {columns} {from} LIMIT {limit} OFFSET {offset}")
            } else {
                format!(
                    "SELECT {columns} FROM (SELECT {alias}.id {from} LIMIT {limit} OFFSET {offset}) page
                     JOIN {name} {alias} ON {alias}.tenant_id = $1 AND {alias}.id = page.id ORDER BY {alias}.id"
                )
            };
            rows = self.read(sql, translation.into_values()).await?;
        }
        let found = rows.len() as u64;
        if want.page.offset == 0 && found < want.page.limit {
            return Ok((rows, Some(found)));
        }
        if want.condition.is_none() {
            return Ok((rows, None));
        }
        let sql =
            format!("SELECT count(*) FROM {name} {alias} WHERE {alias}.tenant_id = $1{condition}");
        let row = self.read_one(&sql, filtered.into_values()).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok((rows, Some(u64::try_from(count).unwrap_or_default())))
    }
}
