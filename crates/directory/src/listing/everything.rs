//! The list of everything: users and groups as one (RFC 7644 §3.4.2.1).
//!
//! One statement finds the places of a page in the order of both tables; the documents are fetched by their ids.
//!
//! **Invariant**: what one type does not have is absent there, so both types are in one total order.

use super::cost::{Cost, FEW, SHALLOW, asks_memberships, is_served};
use super::gather::{Gathered, Line, Plan, Take};
use super::page::listing;
use super::{Listed, Listing, Start, big};
use crate::error::DirectoryError;
use crate::groups::{self, StoredGroup};
use crate::query::{Order, Translation};
use crate::scope::Scoped;
use crate::users::{self, StoredUser};
use scim_core::{Condition, Sort};
use sea_orm::Statement;
use std::collections::HashMap;
use time::OffsetDateTime;

/// A user or a group.
#[derive(Debug, Clone)]
pub enum Found {
    /// A user.
    User(StoredUser),
    /// A group, without its members.
    Group(StoredGroup),
}

/// What is wanted of one type of resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Narrowed<'a> {
    /// Only those that it holds of, bound to this type.
    pub condition: Option<&'a Condition>,
    /// What they are ordered by, bound to this type; both types have one or neither (see [`Sort::parse_each`]).
    pub order: Option<&'a Sort>,
}

/// What is wanted of the list of everything.
#[derive(Debug)]
pub struct WantAll<'a> {
    /// Of users; `None` leaves them out.
    pub users: Option<Narrowed<'a>>,
    /// Of groups; `None` leaves them out.
    pub groups: Option<Narrowed<'a>>,
    /// Where the page begins.
    pub start: Start,
    /// Resources to give, at most.
    pub limit: u64,
    /// The base URL, for references.
    pub base: &'a str,
    /// Whether users' groups are wanted.
    pub memberships: bool,
    /// The time of the request.
    pub now: OffsetDateTime,
}

/// One of the two tables in the statement.
struct Arm {
    table: &'static str,
    alias: &'static str,
    condition: String,
    order: Order,
}

const USER: &str = "User";
const GROUP: &str = "Group";

impl Scoped {
    /// Users and groups in one list. A tenant without groups has users alone.
    ///
    /// # Errors
    /// As [`Scoped::users`].
    #[tracing::instrument(name = "directory.everything.list", skip_all)]
    pub async fn everything(&self, want: &WantAll<'_>) -> Result<Listing<Found>, DirectoryError> {
        let groups = want.groups.filter(|_| self.tenant().groups);
        let mut translation = Translation::users(self.engine(), want.base);
        let mut arms = Vec::new();
        if let Some(users) = want.users {
            arms.push(arm::<StoredUser>(&mut translation, users)?);
        }
        translation.turn_to_groups();
        if let Some(groups) = groups {
            arms.push(arm::<StoredGroup>(&mut translation, groups)?);
        }
        let counting = self.count_of(&arms, translation.clone());
        unify(&mut arms);
        let narrowed: Vec<Narrowed<'_>> = want.users.into_iter().chain(groups).collect();
        let cost = self.cost_of_all(want, &narrowed, &arms).await?;
        let known = self.known_total_of_all(want, groups.is_some(), &narrowed).await?;
        let uncounted = want.limit > 0 && !matches!(want.start, Start::Offset(_));
        let count = counting.filter(|_| known.is_none() && !uncounted);
        let page = if want.limit == 0 { None } else { self.places(&arms, want, translation)? };
        let order = arms.first().map(|arm| arm.order.clone());
        let take: Take<&'static str> = Box::new(move |row| {
            let kind: String = row.try_get_by_index(0)?;
            let value = order.as_ref().map_or(Ok(None), |order| order.read(row))?;
            Ok(Line {
                one: if kind == USER { USER } else { GROUP },
                id: row.try_get_by_index(1)?,
                bytes: usize::try_from(row.try_get_by_index::<i64>(2)?).unwrap_or_default(),
                value,
            })
        });
        let limit = usize::try_from(want.limit).unwrap_or(usize::MAX);
        let counted_from = if want.start == Start::Offset(0) { limit } else { 0 };
        let gathered = self.gather(Plan { page, take, count, counted_from }, cost).await?;
        let total = known.or(gathered.count);
        let places = with_ids(gathered);
        let places = listing(places, &want.start, limit, total);
        self.documents(places, want).await
    }

    /// The statement that finds the places of a page.
    fn places(
        &self,
        arms: &[Arm],
        want: &WantAll<'_>,
        mut to: Translation,
    ) -> Result<Option<Statement>, DirectoryError> {
        let Some(first) = arms.first() else { return Ok(None) };
        let backwards = matches!(want.start, Start::Before(_));
        let offset = if let Start::Offset(offset) = want.start { offset } else { 0 };
        // With a cursor one row more tells whether there are more.
        let limit = want.limit + u64::from(!matches!(want.start, Start::Offset(_)));
        let reach = to.bind(big(offset.saturating_add(limit)));
        let mut parts = Vec::new();
        for Arm { table, alias, condition, order } in arms {
            let beyond = match &want.start {
                Start::After(key) | Start::Before(key) => {
                    order.beyond(&mut to, &key.id, key.value.as_ref(), backwards)?
                }
                Start::Offset(_) | Start::First => "TRUE".to_owned(),
            };
            let (kind, value) = (if *alias == "u" { USER } else { GROUP }, order.value());
            let by = order.clause(backwards);
            parts.push(format!(
                "SELECT * FROM (SELECT '{kind}' AS kind, {alias}.id AS id, octet_length({alias}.doc) AS bytes, {value} AS value
                 FROM {table} {alias} WHERE {alias}.tenant_id = $1 AND {condition} AND {beyond} ORDER BY {by} LIMIT {reach}) {alias}s"
            ));
        }
        let (limit, offset) = (to.bind(big(limit)), to.bind(big(offset)));
        let (key, by) =
            (first.order.key_of("page.value"), first.order.clause_of("page", backwards));
        let parts = parts.join(" UNION ALL ");
        let bytes = "CAST(page.bytes AS BIGINT)";
        let sql = format!(
            "SELECT page.kind, page.id, {bytes}, {key} FROM ({parts}) page ORDER BY {by} LIMIT {limit} OFFSET {offset}"
        );
        Ok(Some(self.statement(sql, to.into_values())))
    }

    /// The statement that counts both, with what is bound for the conditions alone.
    fn count_of(&self, arms: &[Arm], bound: Translation) -> Option<Statement> {
        let counts: Vec<String> = arms
            .iter()
            .map(|Arm { table, alias, condition, .. }| {
                format!("(SELECT count(*) FROM {table} {alias} WHERE {alias}.tenant_id = $1 AND {condition})")
            })
            .collect();
        let sql = format!("SELECT {}", counts.join(" + "));
        (!counts.is_empty()).then(|| self.statement(sql, bound.into_values()))
    }

    async fn known_total_of_all(
        &self,
        want: &WantAll<'_>,
        groups: bool,
        narrowed: &[Narrowed<'_>],
    ) -> Result<Option<u64>, DirectoryError> {
        if narrowed.is_empty() {
            return Ok(Some(0));
        }
        if narrowed.iter().any(|one| one.condition.is_some()) {
            return Ok(None);
        }
        let totals = self.totals().await?;
        let users = if want.users.is_some() { totals.users } else { 0 };
        Ok(Some(users + if groups { totals.groups } else { 0 }))
    }

    async fn cost_of_all(
        &self,
        want: &WantAll<'_>,
        narrowed: &[Narrowed<'_>],
        arms: &[Arm],
    ) -> Result<Cost, DirectoryError> {
        let deep = matches!(want.start, Start::Offset(offset) if offset > SHALLOW);
        let served = |one: &Narrowed<'_>| one.condition.is_some_and(is_served);
        let little = narrowed.iter().all(served)
            || narrowed.iter().all(|one| one.condition.is_none())
                && arms.iter().all(|arm| arm.order.is_indexed())
                && !deep;
        if little {
            return Ok(Cost::Little);
        }
        if narrowed.iter().any(|one| one.condition.is_some_and(asks_memberships)) {
            return Ok(Cost::Much);
        }
        let totals = self.totals().await?;
        let few = totals.users + totals.groups <= FEW;
        Ok(if few { Cost::Little } else { Cost::Much })
    }

    /// Fetches what lies at the places of a page. What was deleted meanwhile is left out.
    async fn documents(
        &self,
        places: Listing<(&'static str, String)>,
        want: &WantAll<'_>,
    ) -> Result<Listing<Found>, DirectoryError> {
        let of = |kind: &str| -> Vec<&str> {
            let of_kind = places.resources.iter().filter(|(is, _)| *is == kind);
            of_kind.map(|(_, id)| id.as_str()).collect()
        };
        let columns = users::columns(self.engine(), None);
        let mut users = self.by_ids::<StoredUser>(&columns, &of(USER)).await?;
        if want.memberships {
            self.add_groups(&mut users, want.base).await?;
        }
        let groups = self.by_ids::<StoredGroup>(groups::COLUMNS, &of(GROUP)).await?;
        let users = users.into_iter().map(|user| (user.id.clone(), Found::User(user)));
        let groups = groups.into_iter().map(|group| (group.id.clone(), Found::Group(group)));
        let mut found: HashMap<String, Found> = users.chain(groups).collect();
        let Listing { total, resources, next, previous } = places;
        let resources = resources.iter().filter_map(|(_, id)| found.remove(id)).collect();
        Ok(Listing { total, resources, next, previous })
    }

    async fn by_ids<T: Listed>(
        &self,
        columns: &str,
        ids: &[&str],
    ) -> Result<Vec<T>, DirectoryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (table, alias) = (T::TABLE, T::ALIAS);
        let among = self.is_one_of(&format!("{alias}.id"), "$2");
        let sql = format!(
            "SELECT {columns} FROM {table} {alias} WHERE {alias}.tenant_id = $1 AND {among}"
        );
        let rows = self.read(sql, vec![self.id_list(ids)]).await?;
        Ok(rows.iter().map(T::stored).collect::<Result<_, _>>()?)
    }
}

fn arm<T: Listed>(to: &mut Translation, of: Narrowed<'_>) -> Result<Arm, DirectoryError> {
    let condition = of.condition.map_or_else(|| "TRUE".to_owned(), |c| to.condition(c));
    let order = to.order(of.order)?.among_others();
    Ok(Arm { table: T::TABLE, alias: T::ALIAS, condition, order })
}

/// Where one type lacks the attribute of the order, its nothing is of the other's type; that other one comes first.
fn unify(arms: &mut [Arm]) {
    if let [first, second] = arms {
        if first.order.is_absent() {
            first.order.be_absent_like(&second.order);
        } else if second.order.is_absent() {
            second.order.be_absent_like(&first.order);
        }
    }
}

/// The places with their ids, which are what is fetched.
fn with_ids(gathered: Gathered<&'static str>) -> Gathered<(&'static str, String)> {
    let Gathered { lines, cut, count } = gathered;
    let lines = lines
        .into_iter()
        .map(|Line { one, id, bytes, value }| Line { one: (one, id.clone()), id, bytes, value })
        .collect();
    Gathered { lines, cut, count }
}
