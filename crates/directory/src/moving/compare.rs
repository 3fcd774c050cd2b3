//! Both ends side by side, in the order of their keys: whether they are the same, and making them the same.
//!
//! **Invariant**: rows are compared in Rust, as values, so that engines and their forms of a document make no difference. What
//! differs is told by a hash of its key.

use super::rows::{Pager, Range, Work};
use super::table::{Cell, Kind, Row, TABLES, Table};
use super::{MoveError, Side, Transfer, until};
use region_router::Population;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::VecDeque;
use time::OffsetDateTime;

/// Differences that are told of, at most.
const TOLD: usize = 5;
/// Rows that are mended in one commit.
const MENDED: usize = 100;

/// What is the matter with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// The target has not got it.
    Missing,
    /// The source has not got it.
    Extra,
    /// Both have it, and it is not the same.
    Other,
}

/// A row that is not the same at both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// Of its key, which may name a person.
    pub key_hash: String,
    /// In which way.
    pub differs: Differs,
}

/// How many rows of a table both ends have, and a hash over them that does not go by their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    /// The table.
    pub table: &'static str,
    /// At the source.
    pub source: u64,
    /// At the target.
    pub target: u64,
    /// At the source.
    pub source_hash: String,
    /// At the target.
    pub target_hash: String,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every table.
    pub tables: Vec<TableCount>,
    /// How many rows differ.
    pub different: u64,
    /// The first of them.
    pub first: Vec<Difference>,
}

impl Comparison {
    /// Whether both ends are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0
            && self
                .tables
                .iter()
                .all(|table| table.source == table.target && table.source_hash == table.target_hash)
    }
}

/// What was seen of one end.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    rows: u64,
    sum: u128,
}

impl Seen {
    fn add(&mut self, sum: u128) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(sum);
    }
}

impl Transfer {
    /// Reads all of both ends once and compares it, but for the decisions that were made since the freeze or just before it.
    ///
    /// # Errors
    /// The stores' failures.
    #[tracing::instrument(name = "directory.move.compare", skip_all)]
    pub async fn compare(&self, frozen_at: OffsetDateTime) -> Result<Comparison, MoveError> {
        let mut found = Comparison::default();
        for table in TABLES {
            let mut both = [Seen::default(); 2];
            for population in Population::ALL {
                let mut walk = Walk::new(self, population, table, until(table, frozen_at));
                while let Some(pair) = walk.next().await? {
                    pair.count(table, &mut both);
                    if let Some(differs) = pair.differs(table) {
                        found.different += 1;
                        if found.first.len() < TOLD {
                            let key_hash = pair.key_hash(walk.source.scoped.key(), table);
                            found.first.push(Difference { table: table.name, key_hash, differs });
                        }
                    }
                }
            }
            let [source, target] = both;
            found.tables.push(TableCount {
                table: table.name,
                source: source.rows,
                target: target.rows,
                source_hash: format!("{:032x}", source.sum),
                target_hash: format!("{:032x}", target.sum),
            });
        }
        Ok(found)
    }

    /// Makes the target's rows of a range those of the source; how many were not.
    pub(super) async fn mend(
        &self,
        population: Population,
        table: &'static Table,
        range: Range,
    ) -> Result<u64, MoveError> {
        let mut walk = Walk::new(self, population, table, range);
        let (mut gone, mut come, mut mended) = (Vec::new(), Vec::new(), 0);
        loop {
            let pair = walk.next().await?;
            let is_end = pair.is_none();
            if let Some(pair) = pair
                && pair.differs(table).is_some()
            {
                mended += 1;
                gone.extend(pair.target.map(|row| table.key_of(&row).to_vec()));
                come.extend(pair.source);
            }
            if come.len().max(gone.len()) >= MENDED || (is_end && come.len() + gone.len() > 0) {
                let works = [Work::Delete(table, &gone), Work::Insert(table, &come)];
                self.write(&walk.target.scoped, &works).await?;
                gone.clear();
                come.clear();
            }
            if is_end {
                return Ok(mended);
            }
        }
    }
}

/// A row of each end with the same key, or of one end alone.
#[derive(Debug)]
struct Pair {
    source: Option<Row>,
    target: Option<Row>,
}

impl Pair {
    fn differs(&self, table: &Table) -> Option<Differs> {
        match (&self.source, &self.target) {
            (Some(_), None) => Some(Differs::Missing),
            (None, Some(_)) => Some(Differs::Extra),
            (Some(source), Some(target)) => {
                (!is_same(table, source, target)).then_some(Differs::Other)
            }
            (None, None) => None,
        }
    }

    fn count(&self, table: &Table, both: &mut [Seen; 2]) {
        let [at_source, at_target] = both;
        let sum = self.source.as_ref().map(|row| hash(table, row));
        if let Some(sum) = sum {
            at_source.add(sum);
        }
        if let Some(row) = &self.target {
            // What is the same has the same hash.
            let same = sum.filter(|_| self.differs(table).is_none());
            at_target.add(same.unwrap_or_else(|| hash(table, row)));
        }
    }

    fn key_hash(&self, scope: &str, table: &Table) -> String {
        let row = self.source.as_ref().or(self.target.as_ref());
        let mut sum = Sha256::new();
        sum.update(scope);
        for cell in row.map(|row| table.key_of(row)).unwrap_or_default() {
            feed(&mut sum, cell, Kind::Text);
        }
        format!("{:032x}", first_half(&sum.finalize()))
    }
}

/// Goes through both ends at once.
struct Walk {
    table: &'static Table,
    source: Pager,
    target: Pager,
    from: VecDeque<Row>,
    to: VecDeque<Row>,
}

impl Walk {
    fn new(
        transfer: &Transfer,
        population: Population,
        table: &'static Table,
        range: Range,
    ) -> Self {
        let pager = |side, range| Pager::new(&transfer.scope(side, population), side, table, range);
        Self {
            table,
            source: pager(Side::Source, range.clone()),
            target: pager(Side::Target, range),
            from: VecDeque::new(),
            to: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<Pair>, MoveError> {
        if self.from.is_empty() {
            self.from.extend(self.source.next().await?);
        }
        if self.to.is_empty() {
            self.to.extend(self.target.next().await?);
        }
        let key = |row: &Row| self.table.key_of(row).to_vec();
        let order = match (self.from.front(), self.to.front()) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(target)) => key(source).cmp(&key(target)),
        };
        Ok(Some(Pair {
            source: order.is_le().then(|| self.from.pop_front()).flatten(),
            target: order.is_ge().then(|| self.to.pop_front()).flatten(),
        }))
    }
}

fn is_same(table: &Table, one: &Row, other: &Row) -> bool {
    let kinds = table.columns.iter().map(|(_, kind)| *kind);
    one.len() == other.len()
        && kinds.zip(one.iter().zip(other)).all(|(kind, (one, other))| match (kind, one, other) {
            (Kind::Json, Cell::Text(one), Cell::Text(other)) => {
                one == other || canonical(one) == canonical(other)
            }
            (_, one, other) => one == other,
        })
}

fn hash(table: &Table, row: &Row) -> u128 {
    let mut sum = Sha256::new();
    for ((_, kind), cell) in table.columns.iter().zip(row) {
        feed(&mut sum, cell, *kind);
    }
    first_half(&sum.finalize())
}

fn feed(sum: &mut Sha256, cell: &Cell, kind: Kind) {
    match cell {
        Cell::Nothing => sum.update([0]),
        Cell::Number(number) => {
            sum.update([1]);
            sum.update(number.to_be_bytes());
        }
        Cell::Text(text) => {
            let canonical = (kind == Kind::Json).then(|| canonical(text));
            let bytes = canonical.as_deref().unwrap_or(text).as_bytes();
            sum.update([2]);
            sum.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            sum.update(bytes);
        }
    }
}

fn first_half(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

/// A document in the one form for all that mean the same: PostgreSQL keeps neither the order of members nor how a number was
/// written.
fn canonical(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    match serde_json::from_str(text) {
        Ok(value) => write(&value, &mut written),
        Err(_no_json) => written.push_str(text),
    }
    written
}

fn write(value: &Json, to: &mut String) {
    match value {
        Json::Null | Json::Bool(_) | Json::String(_) => to.push_str(&value.to_string()),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => to.push_str(&whole.to_string()),
            None => to.push_str(&number.as_f64().unwrap_or_default().to_string()),
        },
        Json::Array(values) => {
            to.push('[');
            for value in values {
                write(value, to);
                to.push(',');
            }
            to.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            to.push('{');
            for (name, value) in members {
                to.push_str(&Json::String(name.clone()).to_string());
                to.push(':');
                write(value, to);
                to.push(',');
            }
            to.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn documents_that_mean_the_same_have_one_form() {
        let one = r#"{"b": [1.0, 2, "x"], "a": {"d": null, "c": true}}"#;
        let other = r#"{"a":{"c":true,"d":null},"b":[1,2.0,"x"]}"#;
        assert_eq!(canonical(one), canonical(other));
        for different in [r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":1.5}"#, r#"["a",1]"#, "a"] {
            assert_ne!(canonical(different), canonical(r#"{"a":2}"#), "{different}");
        }
        assert_eq!(canonical("1e2"), canonical("100"));
    }
}
