//! The tables that a tenant's rows are in, as they are copied: which columns, in which order, between which engines.
//!
//! **Invariant**: every column of every table is named here; before anything is copied that is compared with both stores, so
//! that no column of a newer version is left behind.

use migrations::Engine;
use serde_json::Value as Json;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// A document for filters: text for SQLite, `jsonb` for PostgreSQL.
    Json,
}

/// One value of a row. Their order is that of both engines: bytes, and numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Nothing,
    Number(i64),
    Text(String),
}

/// The values of a row in the order of the table's columns.
pub(super) type Row = Vec<Cell>;

/// One table with tenants' rows.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns are the key, after the tenant.
    pub(super) key: usize,
    /// A column besides the key that no two rows of a tenant have in common.
    pub(super) unique: Option<&'static str>,
    /// All columns but the tenant; those of the key first.
    pub(super) columns: &'static [(&'static str, Kind)],
}

use Kind::{Json as J, Number as N, Text as T};

pub(super) const OUTBOX: Table = Table {
    name: "outbox",
    key: 1,
    unique: None,
    columns: &[("id", T), ("resource_type", T), ("resource_id", T), ("seq", N), ("at", N)],
};
pub(super) const CHANGES: Table = Table {
    name: "changes",
    key: 3,
    unique: None,
    columns: &[
        ("resource_type", T),
        ("resource_id", T),
        ("seq", N),
        ("at", N),
        ("kind", T),
        ("changed", T),
        ("data", T),
        ("request_id", T),
        ("actor", T),
    ],
};
pub(super) const USERS: Table = Table {
    name: "users",
    key: 1,
    unique: Some("user_name_key"),
    columns: &[
        ("id", T),
        ("user_name_key", T),
        ("external_id", T),
        ("display", T),
        ("active", N),
        ("role", T),
        ("doc", T),
        ("search", J),
        ("version", N),
        ("created_at", N),
        ("updated_at", N),
        ("manager_key", T),
    ],
};
pub(super) const EMAILS: Table = Table {
    name: "user_emails",
    key: 2,
    unique: None,
    columns: &[("email_key", T), ("user_id", T)],
};
pub(super) const GROUPS: Table = Table {
    name: "groups",
    key: 1,
    unique: Some("display_key"),
    columns: &[
        ("id", T),
        ("display_key", T),
        ("external_id", T),
        ("display", T),
        ("doc", T),
        ("search", J),
        ("version", N),
        ("created_at", N),
        ("updated_at", N),
    ],
};
pub(super) const MEMBERS: Table = Table {
    name: "members",
    key: 2,
    unique: None,
    columns: &[("group_id", T), ("member_id", T), ("kind", T)],
};
pub(super) const TOMBSTONES: Table = Table {
    name: "tombstones",
    key: 2,
    unique: None,
    columns: &[
        ("resource_type", T),
        ("id", T),
        ("subject_key", T),
        ("doc", T),
        ("version", N),
        ("deleted_at", N),
        ("role", T),
        ("active", N),
    ],
};
pub(super) const IDEMPOTENCY: Table = Table {
    name: "idempotency",
    key: 1,
    unique: None,
    columns: &[("key", T), ("body", T), ("resource_id", T), ("answer", T), ("at", N)],
};
pub(super) const DECISIONS: Table = Table {
    name: "decisions",
    key: 1,
    unique: None,
    columns: &[
        ("id", T),
        ("at", N),
        ("operation", T),
        ("outcome", T),
        ("reason", T),
        ("status", N),
        ("resource_type", T),
        ("resource_id", T),
        ("subject", T),
        ("subject_key", T),
        ("attribute", T),
        ("detail", T),
        ("changed", T),
        ("ignored", T),
        ("quirks", T),
        ("request_id", T),
        ("trace_id", T),
        ("client", T),
        ("key_id", T),
        ("duration_us", N),
    ],
};
pub(super) const QUIRK_COUNTS: Table = Table {
    name: "quirk_counts",
    key: 2,
    unique: None,
    columns: &[("quirk", T), ("client", T), ("count", N), ("first_at", N), ("last_at", N)],
};
pub(super) const TALLIES: Table = Table {
    name: "tallies",
    key: 1,
    unique: None,
    columns: &[("slot", N), ("users", N), ("seats", N), ("groups", N), ("removed", N)],
};

/// Every table, in the order in which they are copied. The outbox is the first: where the row of a change is in the copy, the
/// copy of what was changed is not older.
pub(super) const TABLES: [&Table; 11] = [
    &OUTBOX,
    &CHANGES,
    &USERS,
    &EMAILS,
    &GROUPS,
    &MEMBERS,
    &TOMBSTONES,
    &IDEMPOTENCY,
    &DECISIONS,
    &QUIRK_COUNTS,
    &TALLIES,
];

impl Table {
    /// The names of the key's columns.
    pub(super) fn key_names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().take(self.key).map(|(name, _)| *name)
    }

    /// What is read.
    pub(super) fn selected(&self, engine: Engine) -> String {
        let one = |(name, kind): &(&str, Kind)| match (engine, kind) {
            (Engine::Postgres, Kind::Json) => format!("{name}::text"),
            _ => (*name).to_owned(),
        };
        self.columns.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The text that puts rows in: `$1` is the tenant, `$2` the rows as [`Self::rows`] writes them. What is there stays.
    pub(super) fn insert(&self, engine: Engine) -> String {
        let names = self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let key = self.key_names().collect::<Vec<_>>().join(", ");
        let source = match engine {
            Engine::Sqlite => {
                let each = (0..self.columns.len())
                    .map(|at| format!("json_extract(r.value, '$[{at}]')"))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("{each} FROM json_each($2) r WHERE TRUE")
            }
            Engine::Postgres => {
                let each = self.columns.iter().map(|(name, kind)| match kind {
                    Kind::Json => format!("r.{name}::jsonb"),
                    Kind::Text | Kind::Number => format!("r.{name}"),
                });
                let typed = self.columns.iter().map(|(name, kind)| match kind {
                    Kind::Number => format!("{name} bigint"),
                    Kind::Text | Kind::Json => format!("{name} text"),
                });
                format!(
                    "{} FROM json_to_recordset($2::json) AS r({})",
                    each.collect::<Vec<_>>().join(", "),
                    typed.collect::<Vec<_>>().join(", ")
                )
            }
        };
        format!(
            "INSERT INTO {} (tenant_id, {names}) SELECT $1, {source} ON CONFLICT (tenant_id, {key}) DO NOTHING",
            self.name
        )
    }

    /// Rows as one JSON text: lists for SQLite, objects for PostgreSQL.
    pub(super) fn rows(&self, engine: Engine, rows: &[Row]) -> String {
        let plain = |cell: &Cell| match cell {
            Cell::Nothing => Json::Null,
            Cell::Number(number) => (*number).into(),
            Cell::Text(text) => text.as_str().into(),
        };
        let one = |row: &Row| match engine {
            Engine::Sqlite => Json::Array(row.iter().map(plain).collect()),
            Engine::Postgres => Json::Object(
                self.columns
                    .iter()
                    .zip(row)
                    .map(|((name, _), cell)| ((*name).to_owned(), plain(cell)))
                    .collect(),
            ),
        };
        Json::Array(rows.iter().map(one).collect()).to_string()
    }

    /// The key of a row.
    pub(super) fn key_of<'a>(&self, row: &'a Row) -> &'a [Cell] {
        row.get(..self.key).unwrap_or(row)
    }
}

/// How much of memory a row is, roughly.
pub(super) fn size(row: &Row) -> usize {
    let one = |cell: &Cell| match cell {
        Cell::Nothing | Cell::Number(_) => 8,
        Cell::Text(text) => text.len() + 24,
    };
    row.iter().map(one).sum()
}
