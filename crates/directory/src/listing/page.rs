//! A page of what is filtered, sorted, or read with a cursor: its statement, and what the rows say of the pages around it.
//!
//! **Invariant**: with a cursor one row more than the page is read, so that whether there are more is known and not guessed.

use super::gather::{Gathered, Line, Plan, Take};
use super::{Cost, Key, Listed, Listing, Start, Want, big};
use crate::error::DirectoryError;
use crate::query::{Order, Translation};
use crate::scope::Scoped;
use scim_core::{Condition, Op, Operand};

/// The parts of a page's statement.
pub(super) struct Asked<'a> {
    pub(super) columns: &'a str,
    pub(super) condition: &'a str,
    pub(super) order: &'a Order,
    pub(super) start: Start,
    /// What is bound for the condition alone.
    pub(super) counting: Translation,
}

/// Where a total comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Known(u64),
    ByQuery,
    Unknown,
}

impl Scoped {
    /// A page of what is filtered, sorted, or read with a cursor.
    pub(super) async fn list_some<T: Listed>(
        &self,
        asked: Asked<'_>,
        want: &Want<'_>,
        cost: Cost,
        translation: Translation,
    ) -> Result<Listing<T>, DirectoryError> {
        let counted = match self.known_total::<T>(want).await? {
            Some(total) => Counted::Known(total),
            None if want.limit > 0 && !matches!(want.start, Start::Offset(_)) => Counted::Unknown,
            None => Counted::ByQuery,
        };
        let page = if want.limit == 0 {
            None
        } else {
            let (sql, values) = page::<T>(&asked, want, translation)?;
            Some(self.statement(sql, values))
        };
        let count = (counted == Counted::ByQuery).then(|| {
            let (name, alias, condition) = (T::TABLE, T::ALIAS, asked.condition);
            let sql = format!(
                "SELECT count(*) FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition}"
            );
            self.statement(sql, asked.counting.into_values())
        });
        let (of, start) = (asked.order.clone(), asked.start);
        let take: Take<T> = Box::new(move |row| Ok(T::stored(row)?.line(of.read(row)?)));
        let limit = usize::try_from(want.limit).unwrap_or(usize::MAX);
        let counted_from = if want.start == Start::Offset(0) { limit } else { 0 };
        let plan = Plan { page, take, count, counted_from };
        let gathered = self.gather(plan, cost).await?;
        let counted = match (counted, gathered.count) {
            (Counted::Known(total), _) | (_, Some(total)) => Some(total),
            // With a cursor it is not counted, and without one a page that is not full says it.
            _ => None,
        };
        Ok(listing(gathered, &start, limit, counted))
    }

    /// A total that the counters tell.
    async fn known_total<T: Listed>(&self, want: &Want<'_>) -> Result<Option<u64>, DirectoryError> {
        let active = match want.condition {
            None => None,
            Some(Condition::Compare { target, op: Op::Eq, operand: Operand::Boolean(active) })
                if target.extension.is_none() && target.attribute == "active" =>
            {
                Some(*active)
            }
            Some(_) => return Ok(None),
        };
        let totals = self.totals().await?;
        Ok(Some(match active {
            None => T::total(totals),
            Some(true) => totals.seats,
            Some(false) => totals.users.saturating_sub(totals.seats),
        }))
    }
}

/// The statement of a page, and its values.
fn page<T: Listed>(
    asked: &Asked<'_>,
    want: &Want<'_>,
    mut to: Translation,
) -> Result<(String, Vec<sea_orm::Value>), DirectoryError> {
    let Asked { columns, condition, order, start, .. } = asked;
    let (name, alias) = (T::TABLE, T::ALIAS);
    let backwards = matches!(start, Start::Before(_));
    let mut condition = (*condition).to_owned();
    let mut offset = String::new();
    let mut limit = want.limit;
    match start {
        Start::Offset(0) => {}
        Start::Offset(skipped) => offset = format!(" OFFSET {}", to.bind(big(*skipped))),
        Start::First => limit += 1,
        Start::After(key) | Start::Before(key) => {
            limit += 1;
            let beyond = order.beyond(&mut to, &key.id, key.value.as_ref(), backwards)?;
            condition = format!("{condition} AND {beyond}");
        }
    }
    let (limit, by, key) = (to.bind(big(limit)), order.clause(backwards), order.key());
    let rest = format!(
        "FROM {name} {alias} WHERE {alias}.tenant_id = $1 AND {condition} ORDER BY {by} LIMIT {limit}{offset}"
    );
    let sql = if order.is_indexed() && offset.is_empty() {
        format!("SELECT {columns}, {key} {rest}")
    } else {
        format!(
            "SELECT {columns}, {key} FROM (SELECT {alias}.id {rest}) page
             JOIN {name} {alias} ON {alias}.tenant_id = $1 AND {alias}.id = page.id ORDER BY {by}"
        )
    };
    Ok((sql, to.into_values()))
}

/// The page out of what was read, which is one row more when there are more.
pub(super) fn listing<T>(
    gathered: Gathered<T>,
    start: &Start,
    limit: usize,
    counted: Option<u64>,
) -> Listing<T> {
    let Gathered { mut lines, cut, .. } = gathered;
    let more = cut || lines.len() > limit;
    lines.truncate(limit);
    if matches!(start, Start::Before(_)) {
        lines.reverse();
    }
    let key = |line: &Line<T>| Key { id: line.id.clone(), value: line.value.clone() };
    let (first, last) = (lines.first().map(key), lines.last().map(key));
    let (next, previous) = match start {
        Start::Offset(_) => (None, None),
        Start::First => (last.filter(|_| more), None),
        Start::After(_) => (last.filter(|_| more), first),
        Start::Before(_) => (last, first.filter(|_| more)),
    };
    let whole = !more && limit > 0 && matches!(start, Start::Offset(0) | Start::First);
    let total = counted.or(whole.then_some(lines.len() as u64));
    let resources = lines.into_iter().map(|line| line.one).collect();
    Listing { total, resources, next, previous }
}
