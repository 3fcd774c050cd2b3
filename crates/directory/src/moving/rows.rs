//! Rows of one population, read in the order of their key and written in batches.
//!
//! **Invariant**: in memory there is a page of each side at most, and its size goes by bytes. A batch is written where this
//! mover's mark still stands on the target, which is looked at in the batch's own transaction.

use super::table::{Cell, Kind, Row, Table, size};
use super::{MoveError, Side, Transfer};
use crate::scope::Scoped;
use crate::script::{list_of, one_of};
use migrations::Engine;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};

/// Rows of the first page; later ones go by what they weigh.
const PAGE: usize = 100;
/// Rows of a page, at most and at least.
const PAGES: (usize, usize) = (4, 1_000);
/// A page that weighs more makes the next one smaller; one of a quarter of it, larger.
const HEAVY_BYTES: usize = 4 << 20;
/// Keys in one statement that looks rows up or deletes them.
pub(super) const KEYS: usize = 100;

/// Which rows of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    /// Those whose first column of the key is this.
    pub(super) of: Option<String>,
    /// Those whose first column of the key is behind this.
    pub(super) after: Option<String>,
    /// Those whose first column of the key is before this.
    pub(super) until: Option<String>,
}

/// Reads a table in the order of its key.
#[derive(Debug)]
pub(super) struct Pager {
    pub(super) scoped: Scoped,
    side: Side,
    table: &'static Table,
    range: Range,
    behind: Option<Vec<Cell>>,
    limit: usize,
    is_done: bool,
}

impl Pager {
    pub(super) fn new(scoped: &Scoped, side: Side, table: &'static Table, range: Range) -> Self {
        Self {
            scoped: scoped.clone(),
            side,
            table,
            range,
            behind: None,
            limit: PAGE,
            is_done: false,
        }
    }

    /// The next rows; none at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<Row>, MoveError> {
        if self.is_done {
            return Ok(Vec::new());
        }
        let mut values: Vec<Value> = Vec::new();
        let mut bind = |cell: &Cell| {
            values.push(value(cell));
            format!("${}", values.len() + 1)
        };
        let mut conditions = String::new();
        let first = self.table.key_names().next().unwrap_or("id");
        let text = |text: &String| Cell::Text(text.clone());
        for (bound, sign) in
            [(&self.range.of, "="), (&self.range.after, ">"), (&self.range.until, "<")]
        {
            if let Some(bound) = bound {
                conditions.push_str(&format!(" AND {first} {sign} {}", bind(&text(bound))));
            }
        }
        let key = self.table.key_names().collect::<Vec<_>>().join(", ");
        if let Some(behind) = &self.behind {
            let places = behind.iter().map(&mut bind).collect::<Vec<_>>().join(", ");
            conditions.push_str(&format!(" AND ({key}) > ({places})"));
        }
        let sql = format!(
            "SELECT {} FROM {} WHERE tenant_id = $1{conditions} ORDER BY {key} LIMIT {}",
            self.table.selected(self.scoped.engine()),
            self.table.name,
            self.limit
        );
        let rows = self.scoped.read(sql, values).await.map_err(self.side.failed())?;
        let rows = decoded(self.table, &rows).map_err(self.side.failed())?;
        self.is_done = rows.len() < self.limit;
        self.behind = rows.last().map(|row| self.table.key_of(row).to_vec());
        let weight: usize = rows.iter().map(size).sum();
        if weight > HEAVY_BYTES {
            self.limit = (self.limit / 2).max(PAGES.0);
        } else if weight < HEAVY_BYTES / 4 {
            self.limit = (self.limit * 2).min(PAGES.1);
        }
        Ok(rows)
    }
}

pub(super) fn decoded(table: &Table, rows: &[QueryResult]) -> Result<Vec<Row>, DbErr> {
    let cell = |row: &QueryResult, at: usize, kind: Kind| match kind {
        Kind::Number => {
            let number: Option<i64> = row.try_get_by_index(at)?;
            Ok(number.map_or(Cell::Nothing, Cell::Number))
        }
        Kind::Text | Kind::Json => {
            let text: Option<String> = row.try_get_by_index(at)?;
            Ok(text.map_or(Cell::Nothing, Cell::Text))
        }
    };
    rows.iter()
        .map(|row| {
            let columns = table.columns.iter().enumerate();
            columns.map(|(at, (_, kind))| cell(row, at, *kind)).collect()
        })
        .collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Nothing => Value::String(None),
        Cell::Number(number) => (*number).into(),
        Cell::Text(text) => text.as_str().into(),
    }
}

/// Rows of a table in which a column is one of a few texts; with `kind`, those of this type of resource.
pub(super) async fn rows_of(
    scoped: &Scoped,
    table: &'static Table,
    (column, texts): (&str, &[&str]),
    kind: Option<&str>,
) -> Result<Vec<Row>, DbErr> {
    let engine = scoped.engine();
    let kind = kind.map(|kind| format!(" AND resource_type = '{kind}'")).unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM {} WHERE tenant_id = $1{kind} AND {}",
        table.selected(engine),
        table.name,
        one_of(engine, column, "$2")
    );
    decoded(table, &scoped.read(sql, vec![list_of(engine, texts)]).await?)
}

/// What is done in one batch.
#[derive(Debug)]
pub(super) enum Work<'a> {
    /// Puts rows in. Rows of the target that have the same unique value go: they are older, and their own turn comes.
    Insert(&'static Table, &'a [Row]),
    /// Deletes the rows with these keys.
    Delete(&'static Table, &'a [Vec<Cell>]),
    /// Deletes the rows in which a column is one of these.
    DeleteOf(&'static Table, &'static str, &'a [&'a str]),
}

impl Transfer {
    /// Does something at the target in one commit, if this mover's mark stands there.
    pub(super) async fn write(&self, to: &Scoped, works: &[Work<'_>]) -> Result<u64, MoveError> {
        let failed = Side::Target.failed();
        let transaction = to.begin().await.map_err(Side::Target.failed())?;
        let lock = match to.engine() {
            Engine::Sqlite => "",
            // Whoever takes the mark away waits for this batch.
            Engine::Postgres => " FOR SHARE",
        };
        let sql = format!("SELECT 1 FROM tenants WHERE tenant_id = $1 AND state = $2{lock}");
        let mark = to.statement(sql, vec![self.mark.as_str().into()]);
        if transaction.query_one_raw(mark).await.map_err(Side::Target.failed())?.is_none() {
            return Err(MoveError::Superseded);
        }
        let mut changed = 0;
        for work in works {
            changed += run(to, &transaction, work).await.map_err(Side::Target.failed())?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(changed)
    }
}

async fn run(
    to: &Scoped,
    transaction: &DatabaseTransaction,
    work: &Work<'_>,
) -> Result<u64, DbErr> {
    match work {
        Work::Insert(table, rows) => {
            if let Some((column, at)) = unique(table) {
                let texts: Vec<&str> = rows.iter().filter_map(|row| text_at(row, at)).collect();
                delete_of(to, transaction, (table, column), &texts).await?;
            }
            insert(to, transaction, table, rows).await
        }
        Work::DeleteOf(table, column, texts) => {
            delete_of(to, transaction, (table, column), texts).await
        }
        Work::Delete(table, keys) => {
            let names = table.key_names().enumerate();
            let same: Vec<String> =
                names.map(|(at, name)| format!("{name} = ${}", at + 2)).collect();
            let sql = format!(
                "DELETE FROM {} WHERE tenant_id = $1 AND {}",
                table.name,
                same.join(" AND ")
            );
            let mut gone = 0;
            for key in *keys {
                let statement = to.statement(sql.as_str(), key.iter().map(value).collect());
                gone += transaction.execute_raw(statement).await?.rows_affected();
            }
            Ok(gone)
        }
    }
}

/// Puts rows in that are not there.
pub(super) async fn insert(
    to: &Scoped,
    connection: &impl ConnectionTrait,
    table: &Table,
    rows: &[Row],
) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let engine = to.engine();
    let statement = to.statement(table.insert(engine), vec![table.rows(engine, rows).into()]);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}

async fn delete_of(
    to: &Scoped,
    transaction: &DatabaseTransaction,
    (table, column): (&Table, &str),
    texts: &[&str],
) -> Result<u64, DbErr> {
    let mut gone = 0;
    for some in texts.chunks(KEYS) {
        let engine = to.engine();
        let condition = one_of(engine, column, "$2");
        let sql = format!("DELETE FROM {} WHERE tenant_id = $1 AND {condition}", table.name);
        let statement = to.statement(sql, vec![list_of(engine, some)]);
        gone += transaction.execute_raw(statement).await?.rows_affected();
    }
    Ok(gone)
}

fn unique(table: &Table) -> Option<(&'static str, usize)> {
    let column = table.unique?;
    let at = table.columns.iter().position(|(name, _)| *name == column)?;
    Some((column, at))
}

/// The text of a row's column.
pub(super) fn text_at(row: &Row, at: usize) -> Option<&str> {
    match row.get(at) {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}
