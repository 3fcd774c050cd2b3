//! Lists: filtered, sorted, counted, a page at a time.
//!
//! Index paging skips to a position (RFC 7644 §3.4.2.4). Cursor paging begins after the row that the page before ended
//! with (RFC 9865), which costs the same at any depth and neither skips nor repeats a row when others come and go.
//!
//! **Invariant**: a page that no index has in order first finds its ids and then fetches their documents, so that rows
//! passed over are never read in full; a total that no filter narrows comes from the counters.

mod cost;
mod everything;
mod gather;
mod page;
mod positions;

pub(crate) use cost::Cost;
pub use everything::{Found, Narrowed, WantAll};
pub(crate) use gather::{Gate, Line, Plan, Take};
pub(crate) use positions::Positions;

use crate::error::DirectoryError;
use crate::groups::{self, StoredGroup};
use crate::query::{Order, Translation};
use crate::scope::{Scoped, made_at};
use crate::seats::Totals;
use crate::users::{self, StoredUser};
use cost::{at_most_one, is_served};
use gather::Gathered;
use page::Asked;
use scim_core::{Condition, Sort, SortValue};
use sea_orm::{DbErr, QueryResult};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;

/// The age from which on an id has no unseen neighbours: more than a request may take and clocks may differ.
const SETTLED: Duration = Duration::from_secs(120);

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After this many resources: index paging.
    Offset(u64),
    /// With the first one: cursor paging.
    First,
    /// After this one.
    After(Key),
    /// So that it ends before this one.
    Before(Key),
}

/// The place of a resource in a list, whether or not it is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// The value that the list is sorted by; `None` when it has none, or when the list is in the order of ids.
    pub value: Option<SortValue>,
}

/// What is wanted of a list.
#[derive(Debug)]
pub struct Want<'a> {
    /// Only those that it holds of.
    pub condition: Option<&'a Condition>,
    /// What they are ordered by; else by id, which is the order in which they were made.
    pub order: Option<&'a Sort>,
    /// Where the page begins.
    pub start: Start,
    /// Resources to give, at most. A page of large ones may have fewer, and is then not the last.
    pub limit: u64,
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
    /// Resources that the filter holds of. Always known with [`Start::Offset`]; with a cursor only where it costs
    /// nothing (RFC 9865 §2 makes it optional).
    pub total: Option<u64>,
    /// Those of the page.
    pub resources: Vec<T>,
    /// Where the next page begins after; `None` on the last page, and with [`Start::Offset`].
    pub next: Option<Key>,
    /// What the page before ends before; `None` on the first page, and with [`Start::Offset`].
    pub previous: Option<Key>,
}

/// A resource that can be listed.
trait Listed: Sized + Send + 'static {
    const TABLE: &'static str;
    const ALIAS: &'static str;

    fn stored(row: &QueryResult) -> Result<Self, DbErr>;
    fn total(totals: Totals) -> u64;
    fn line(self, value: Option<SortValue>) -> Line<Self>;
}

impl Listed for StoredUser {
    const TABLE: &'static str = "users";
    const ALIAS: &'static str = "u";

    fn stored(row: &QueryResult) -> Result<Self, DbErr> {
        users::stored(row)
    }

    fn total(totals: Totals) -> u64 {
        totals.users
    }

    fn line(self, value: Option<SortValue>) -> Line<Self> {
        Line { id: self.id.clone(), bytes: self.doc.len(), value, one: self }
    }
}

impl Listed for StoredGroup {
    const TABLE: &'static str = "groups";
    const ALIAS: &'static str = "g";

    fn stored(row: &QueryResult) -> Result<Self, DbErr> {
        groups::stored(row)
    }

    fn total(totals: Totals) -> u64 {
        totals.groups
    }

    fn line(self, value: Option<SortValue>) -> Line<Self> {
        Line { id: self.id.clone(), bytes: self.doc.len(), value, one: self }
    }
}

impl Scoped {
    /// Users.
    ///
    /// # Errors
    /// [`DirectoryError::TooExpensive`] or [`DirectoryError::Crowded`] where no index serves filter and order;
    /// `invalidValue` when the order is of something computed; or the store's failure.
    #[tracing::instrument(name = "directory.users.list", skip_all)]
    pub async fn users(&self, want: &Want<'_>) -> Result<Listing<StoredUser>, DirectoryError> {
        let mut translation = Translation::users(self.engine(), want.base);
        let single = want.condition.is_some_and(at_most_one);
        // The groups of one user come with it, those of a page by one statement for all.
        let base = (want.groups && single).then(|| translation.base());
        let columns = users::columns(self.engine(), base.as_deref());
        let mut listing = self.list::<StoredUser>(&columns, want, translation).await?;
        let nests = listing.resources.iter().any(|user| user.nests);
        if want.groups && (!single || nests) {
            self.add_groups(&mut listing.resources, want.base).await?;
        }
        Ok(listing)
    }

    /// Groups, without their members.
    ///
    /// # Errors
    /// As [`Scoped::users`].
    #[tracing::instrument(name = "directory.groups.list", skip_all)]
    pub async fn groups(&self, want: &Want<'_>) -> Result<Listing<StoredGroup>, DirectoryError> {
        let translation = Translation::groups(self.engine(), want.base);
        self.list::<StoredGroup>(groups::COLUMNS, want, translation).await
    }

    async fn list<T: Listed>(
        &self,
        columns: &str,
        want: &Want<'_>,
        mut translation: Translation,
    ) -> Result<Listing<T>, DirectoryError> {
        let condition = want.condition.map(|condition| translation.condition(condition));
        let counting = translation.clone();
        let order = translation.order(want.order)?;
        let from_start = matches!(want.start, Start::Offset(_) | Start::First);
        if from_start
            && let (Some(sql), true) = (&condition, want.condition.is_some_and(at_most_one))
        {
            return self.single(columns, want, sql, translation).await;
        }
        if let (Start::Offset(offset), None, true) = (&want.start, &condition, order.is_as_made()) {
            return self.list_all(columns, *offset, want, translation).await;
        }
        let order = if want.condition.is_some_and(is_served) { order.of_few() } else { order };
        let cost = self.cost(want, &order).await?;
        let mut start = want.start.clone();
        if let (Start::Offset(1..), None, true) = (&start, &condition, order.skips_by_index()) {
            match self.key_before::<T>(want, &order, cost).await? {
                Some(key) => start = Start::After(key),
                None => {
                    let total = Some(T::total(self.totals().await?));
                    return Ok(Listing {
                        total,
                        resources: Vec::new(),
                        next: None,
                        previous: None,
                    });
                }
            }
        }
        let condition = condition.unwrap_or_else(|| "TRUE".to_owned());
        let asked = Asked { columns, condition: &condition, order: &order, start, counting };
        let mut listing = self.list_some(asked, want, cost, translation).await?;
        if matches!(want.start, Start::Offset(_)) {
            (listing.next, listing.previous) = (None, None);
        }
        Ok(listing)
    }

    /// The key of the last resource before a position, in an order that an index has.
    async fn key_before<T: Listed>(
        &self,
        want: &Want<'_>,
        order: &Order,
        cost: Cost,
    ) -> Result<Option<Key>, DirectoryError> {
        let Start::Offset(offset) = want.start else { return Ok(None) };
        let (name, alias) = (T::TABLE, T::ALIAS);
        let (key, by) = (order.key(), order.clause(false));
        // The key alone: it is in the index, and no row is read.
        let sql = format!(
            "SELECT {key} FROM {name} {alias} WHERE {alias}.tenant_id = $1 ORDER BY {by} LIMIT 1 OFFSET $2"
        );
        let page = Some(self.statement(sql, vec![big(offset - 1).into()]));
        let of = order.clone();
        // Values of this order are unique: no id is needed beside them.
        let take: Take<()> = Box::new(move |row| {
            Ok(Line { one: (), id: String::new(), bytes: 0, value: of.read(row)? })
        });
        let plan = Plan { page, take, count: None, counted_from: 0 };
        let found = self.gather(plan, cost).await?.lines.pop();
        Ok(found.map(|Line { id, value, .. }| Key { id, value }))
    }

    /// The one resource that a look-up finds, or none.
    async fn single<T: Listed>(
        &self,
        columns: &str,
        want: &Want<'_>,
        condition: &str,
        translation: Translation,
    ) -> Result<Listing<T>, DirectoryError> {
        let (name, alias) = (T::TABLE, T::ALIAS);
        let sql = format!(
            "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition}"
        );
        let rows = self.read(sql, translation.into_values()).await?;
        let mut resources: Vec<T> = rows.iter().map(T::stored).collect::<Result<_, _>>()?;
        let total = Some(resources.len() as u64);
        if want.limit == 0 || matches!(want.start, Start::Offset(1..)) {
            resources.clear();
        }
        Ok(Listing { total, resources, next: None, previous: None })
    }

    /// A page of everything by position: by the id before it, which a page read earlier tells.
    async fn list_all<T: Listed>(
        &self,
        columns: &str,
        offset: u64,
        want: &Want<'_>,
        mut translation: Translation,
    ) -> Result<Listing<T>, DirectoryError> {
        let (name, alias) = (T::TABLE, T::ALIAS);
        let limit = translation.bind(big(want.limit));
        let mut known = None;
        let sql = if offset == 0 {
            format!(
                "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 ORDER BY {alias}.id LIMIT {limit}"
            )
        } else {
            let totals = self.totals().await?;
            known = Some(totals);
            let Some(before) = self.before::<T>(totals.removed, offset, want.now).await? else {
                let total = Some(T::total(totals));
                return Ok(Listing { total, resources: Vec::new(), next: None, previous: None });
            };
            let before = translation.bind(before);
            format!(
                "SELECT {columns} FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {alias}.id > {before}
                 ORDER BY {alias}.id LIMIT {limit}"
            )
        };
        let page = Some(self.statement(sql, translation.into_values()));
        let take: Take<T> = Box::new(|row| Ok(T::stored(row)?.line(None)));
        let plan = Plan { page, take, count: None, counted_from: 0 };
        let Gathered { lines, cut, .. } = self.gather(plan, Cost::Little).await?;
        let found = lines.len() as u64;
        let total = match known {
            None if found < want.limit && !cut => found,
            None => T::total(self.totals().await?),
            Some(totals) => {
                if let Some(last) = lines.last() {
                    self.keep_position::<T>(totals.removed, offset + found, &last.id, want.now);
                }
                T::total(totals)
            }
        };
        let resources = lines.into_iter().map(|line| line.one).collect();
        Ok(Listing { total: Some(total), resources, next: None, previous: None })
    }

    /// The id of the last resource before a position; `None` when the list is shorter.
    async fn before<T: Listed>(
        &self,
        removed: u64,
        offset: u64,
        now: OffsetDateTime,
    ) -> Result<Option<String>, DirectoryError> {
        let positions = self.directory().positions();
        if let Some(id) = positions.find((self.key(), T::TABLE), removed, offset) {
            return Ok(Some(id));
        }
        let name = T::TABLE;
        let sql =
            format!("SELECT id FROM {name} WHERE tenant_id = $1 ORDER BY id LIMIT 1 OFFSET $2");
        let row = self.read_one(&sql, vec![big(offset - 1).into()]).await?;
        let id: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        if let Some(id) = &id {
            self.keep_position::<T>(removed, offset, id, now);
        }
        Ok(id)
    }

    /// Remembers a position if nothing can come before it any more: a create that is still in flight, or one of a node
    /// whose clock is behind, may commit an id that is earlier than one already read.
    fn keep_position<T: Listed>(&self, removed: u64, at: u64, id: &str, now: OffsetDateTime) {
        let settled = now - SETTLED;
        if made_at(id).is_some_and(|made| made < settled) {
            let list = (self.key(), T::TABLE);
            self.directory().positions().keep(list, removed, at, id.to_owned());
        }
    }
}

/// A number as databases count.
fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
