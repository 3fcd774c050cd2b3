//! Lists: filtered, counted, a page at a time, in the order in which resources were made.
//!
//! **Invariant**: a page first finds its ids and then fetches their documents, so that skipped rows are never read in
//! full; a total that no filter narrows comes from the counters.

mod positions;

pub(crate) use positions::Positions;

use crate::error::{DirectoryError, expensive};
use crate::groups::{self, StoredGroup};
use crate::query::Translation;
use crate::scope::{Scoped, made_at};
use crate::seats::Totals;
use crate::users::{self, StoredUser};
use scim_core::{Condition, Op, Operand};
use sea_orm::QueryResult;
use std::time::Duration;
use time::OffsetDateTime;

/// The age from which on an id has no unseen neighbours: more than a request may take and clocks may differ.
const SETTLED: Duration = Duration::from_secs(120);

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
    /// The time of the request.
    pub now: OffsetDateTime,
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

impl Table {
    fn total(&self, totals: Totals) -> u64 {
        if self.name == "users" { totals.users } else { totals.groups }
    }
}

impl Scoped {
    /// Users.
    ///
    /// # Errors
    /// [`DirectoryError::TooExpensive`], or the store's failure.
    #[tracing::instrument(name = "directory.users.list", skip_all)]
    pub async fn users(&self, want: &Want<'_>) -> Result<Listing<StoredUser>, DirectoryError> {
        let mut translation = Translation::users(self.engine(), want.base);
        let single = want.condition.is_some_and(at_most_one);
        // The groups of one user come with it, those of a page by one statement for all.
        let base = (want.groups && single).then(|| translation.base());
        let columns = users::columns(self.engine(), base.as_deref());
        let table = Table { name: "users", alias: "u", columns };
        let (rows, total) = self.list(&table, want, translation).await?;
        let mut resources: Vec<StoredUser> =
            rows.iter().map(users::stored).collect::<Result<_, _>>()?;
        if want.groups && !single {
            self.add_groups(&mut resources, want.base).await?;
        }
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
        let resources = rows.iter().map(groups::stored).collect::<Result<_, _>>()?;
        Ok(Listing { total, resources })
    }

    /// The rows of a page, and how many there are in all.
    async fn list(
        &self,
        table: &Table,
        want: &Want<'_>,
        translation: Translation,
    ) -> Result<(Vec<QueryResult>, u64), DirectoryError> {
        match want.condition {
            None => self.list_all(table, want.page, want.now, translation).await,
            Some(condition) => self.list_some(table, want.page, condition, translation).await,
        }
    }

    /// A page of everything: by the id before it, which a page read earlier tells.
    async fn list_all(
        &self,
        table: &Table,
        page: Page,
        now: OffsetDateTime,
        mut translation: Translation,
    ) -> Result<(Vec<QueryResult>, u64), DirectoryError> {
        let Table { name, alias, columns } = table;
        let limit = translation.bind(big(page.limit));
        if page.offset == 0 {
            let sql = format!(
                "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 ORDER BY {alias}.id LIMIT {limit}"
            );
            let rows = self.read(sql, translation.into_values()).await.map_err(expensive)?;
            let found = rows.len() as u64;
            let total = if found < page.limit { found } else { table.total(self.totals().await?) };
            return Ok((rows, total));
        }
        let totals = self.totals().await?;
        let total = table.total(totals);
        let Some(before) = self.before(table, totals.removed, page.offset, now).await? else {
            return Ok((Vec::new(), total));
        };
        let before = translation.bind(before);
        let sql = format!(
            "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {alias}.id > {before}
             ORDER BY {alias}.id LIMIT {limit}"
        );
        let rows = self.read(sql, translation.into_values()).await.map_err(expensive)?;
        if let Some(last) = rows.last() {
            let end = page.offset + rows.len() as u64;
            let id: String = last.try_get_by_index(0)?;
            self.keep_position(table, totals.removed, end, id, now);
        }
        Ok((rows, total))
    }

    /// The id of the last resource before a position; `None` when the list is shorter.
    async fn before(
        &self,
        table: &Table,
        removed: u64,
        offset: u64,
        now: OffsetDateTime,
    ) -> Result<Option<String>, DirectoryError> {
        let positions = self.directory().positions();
        if let Some(id) = positions.find(self.list_of(table), removed, offset) {
            return Ok(Some(id));
        }
        let name = table.name;
        let sql =
            format!("SELECT id FROM {name} WHERE tenant_id = $1 ORDER BY id LIMIT 1 OFFSET $2");
        let row = self.read_one(&sql, vec![big(offset - 1).into()]).await?;
        let id: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        if let Some(id) = &id {
            self.keep_position(table, removed, offset, id.clone(), now);
        }
        Ok(id)
    }

    /// Remembers a position if nothing can come before it any more: a create that is still in flight, or one of a node
    /// whose clock is behind, may commit an id that is earlier than one already read.
    fn keep_position(&self, table: &Table, removed: u64, at: u64, id: String, now: OffsetDateTime) {
        let settled = now - SETTLED;
        if made_at(&id).is_some_and(|made| made < settled) {
            self.directory().positions().keep(self.list_of(table), removed, at, id);
        }
    }

    fn list_of(&self, table: &Table) -> (&str, &'static str) {
        (self.tenant().id.as_str(), table.name)
    }

    /// A page of what a filter holds of: its ids first, then their documents.
    async fn list_some(
        &self,
        table: &Table,
        page: Page,
        condition: &Condition,
        mut translation: Translation,
    ) -> Result<(Vec<QueryResult>, u64), DirectoryError> {
        let Table { name, alias, columns } = table;
        let single = at_most_one(condition);
        let condition = translation.condition(condition);
        if single {
            let sql = format!(
                "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition}"
            );
            let mut rows = self.read(sql, translation.into_values()).await.map_err(expensive)?;
            let total = rows.len() as u64;
            if page.offset > 0 || page.limit == 0 {
                rows.clear();
            }
            return Ok((rows, total));
        }
        let counted = translation.clone();
        let mut rows = Vec::new();
        if page.limit > 0 {
            let (limit, offset) =
                (translation.bind(big(page.limit)), translation.bind(big(page.offset)));
            let from = format!(
                "FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition} ORDER BY {alias}.id LIMIT {limit} OFFSET {offset}"
            );
            let sql = if page.offset == 0 {
                format!("SELECT {columns} {from}")
            } else {
                format!(
                    "SELECT {columns} FROM (SELECT {alias}.id {from}) page
                     JOIN {name} {alias} ON {alias}.tenant_id = $1 AND {alias}.id = page.id ORDER BY {alias}.id"
                )
            };
            rows = self.read(sql, translation.into_values()).await.map_err(expensive)?;
        }
        let found = rows.len() as u64;
        if page.offset == 0 && found < page.limit {
            return Ok((rows, found));
        }
        let sql = format!(
            "SELECT count(*) FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition}"
        );
        let row = self.read_one(&sql, counted.into_values()).await.map_err(expensive)?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok((rows, u64::try_from(count).unwrap_or_default()))
    }
}

/// Whether a filter can hold of one resource only: it asks for a unique name or an id. Such a look-up needs no order, and
/// without one the planner can take no other index than that of the name.
fn at_most_one(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => all.iter().any(at_most_one),
        Condition::Compare { target, op: Op::Eq, operand: Operand::Text(_) } => {
            target.extension.is_none()
                && target.sub.is_none()
                && matches!(target.attribute.as_str(), "userName" | "id")
        }
        _ => false,
    }
}

/// A number as databases count.
fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
