//! One write as one text: a single statement of common table expressions on PostgreSQL, a savepoint on SQLite.
//!
//! Both run the same steps in the same order, and none when the first, which has the guard, changes nothing. Every step
//! after it changes a row whenever it runs, so a script is all or nothing. The answer is 1 when the last step ran, else 0.
//!
//! **Invariant**: `$1` is the tenant, in every script and in every step.

use migrations::Engine;
use sea_orm::{DbBackend, Statement, Value};

/// A write in the making.
#[derive(Debug)]
pub(crate) struct Script {
    engine: Engine,
    steps: Vec<(&'static str, String)>,
    values: Vec<Value>,
}

impl Script {
    /// An empty script for one tenant.
    pub(crate) fn new(engine: Engine, tenant_id: &str) -> Self {
        Self { engine, steps: Vec::with_capacity(8), values: vec![tenant_id.into()] }
    }

    /// Which engine it is for.
    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Binds a value and gives its place, such as `$3`.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Binds a document of the comparison form.
    pub(crate) fn bind_json(&mut self, text: String) -> String {
        let place = self.bind(text);
        match self.engine {
            Engine::Sqlite => place,
            Engine::Postgres => format!("{place}::jsonb"),
        }
    }

    /// The condition under which a step after the first runs: that the first changed a row. SQLite knows of the last
    /// change only, so there every step must change a row when it runs.
    pub(crate) fn gate(&self) -> String {
        match (self.engine, self.steps.first()) {
            (_, None) => "TRUE".into(),
            (Engine::Sqlite, Some(_)) => "changes() > 0".into(),
            (Engine::Postgres, Some((name, _))) => format!("EXISTS (SELECT 1 FROM {name})"),
        }
    }

    /// Adds a step: an INSERT, UPDATE or DELETE.
    pub(crate) fn step(&mut self, name: &'static str, sql: String) {
        self.steps.push((name, sql));
    }

    /// The fence: the condition that the tenant may be written to, for the first step.
    pub(crate) fn fence(&mut self, epoch: i64) -> String {
        let epoch = self.bind(epoch);
        // No lock: whoever freezes a tenant commits that first, and then waits for the transactions that began before.
        format!(
            "EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $1 AND epoch = {epoch} AND state = 'active')"
        )
    }

    /// The whole as one statement.
    pub(crate) fn statement(self) -> Statement {
        let sql = match self.engine {
            Engine::Sqlite => sqlite(&self.steps),
            Engine::Postgres => postgres(&self.steps),
        };
        self.text(&sql)
    }

    /// A text of one's own, over the values that were bound.
    pub(crate) fn text(self, sql: &str) -> Statement {
        let (sql, values) = match self.engine {
            Engine::Sqlite => positional(sql, &self.values),
            Engine::Postgres => (sql.to_owned(), self.values),
        };
        Statement::from_sql_and_values(backend(self.engine), sql, values)
    }
}

/// Turns `$n` into `?`, in the order of its use. SQLite looks a numbered parameter up by its name in a list, which
/// for the seventy of a create is more work than the create.
fn positional(sql: &str, values: &[Value]) -> (String, Vec<Value>) {
    let mut text = String::with_capacity(sql.len());
    let mut bound = Vec::with_capacity(values.len() + 8);
    let mut parts = sql.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at_checked(digits).unwrap_or(("", part));
        let value = number.parse::<usize>().ok().and_then(|n| values.get(n.checked_sub(1)?));
        if let Some(value) = value {
            bound.push(value.clone());
            text.push('?');
        } else {
            text.push('$');
            text.push_str(number);
        }
        text.push_str(rest);
    }
    (text, bound)
}

/// That a column is one of a list of ids, which is one bound text, so that the statement is the same for any number.
pub(crate) fn one_of(engine: Engine, column: &str, place: &str) -> String {
    match engine {
        Engine::Sqlite => format!("{column} IN (SELECT value FROM json_each({place}))"),
        // As rows, which the planner takes for few and looks up in the index one by one. As `= ANY(array)` it may test
        // every row of the tenant against the whole array.
        Engine::Postgres => format!("{column} IN (SELECT unnest({place}::text[]))"),
    }
}

/// The same of rows that all are one person's or one group's, where the list may be as long as those are many.
///
/// Each row is looked up in a table of the list. [`one_of`] leaves the choice to the planner, which takes the rows for
/// few while it has no statistics, and then reads the whole list for each of them: the square of ten thousand.
pub(crate) fn one_of_many(engine: Engine, column: &str, place: &str) -> String {
    let one_of = one_of(engine, column, place);
    match engine {
        Engine::Sqlite => one_of,
        // No operand of the AND any more, so PostgreSQL cannot make a join of it, and hashes the list.
        Engine::Postgres => format!("({one_of}) IS TRUE"),
    }
}

/// The list for [`one_of`].
pub(crate) fn list_of(engine: Engine, ids: &[&str]) -> Value {
    match engine {
        Engine::Sqlite => serde_json::json!(ids).to_string().into(),
        Engine::Postgres => {
            let quoted: Vec<String> = ids
                .iter()
                .map(|id| format!("\"{}\"", id.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            format!("{{{}}}", quoted.join(",")).into()
        }
    }
}

/// How sea-orm names the engine.
pub(crate) fn backend(engine: Engine) -> DbBackend {
    match engine {
        Engine::Sqlite => DbBackend::Sqlite,
        Engine::Postgres => DbBackend::Postgres,
    }
}

fn sqlite(steps: &[(&'static str, String)]) -> String {
    let mut sql = String::from("SAVEPOINT step; ");
    for (_, step) in steps {
        sql.push_str(step);
        sql.push_str("; ");
    }
    sql.push_str("RELEASE step; SELECT changes() > 0");
    sql
}

fn postgres(steps: &[(&'static str, String)]) -> String {
    let mut sql = String::from("WITH ");
    for (number, (name, step)) in steps.iter().enumerate() {
        if number > 0 {
            sql.push_str(", ");
        }
        sql.push_str(name);
        sql.push_str(" AS (");
        sql.push_str(step);
        sql.push_str(" RETURNING 1)");
    }
    let last = steps.last().map_or("", |(name, _)| *name);
    sql.push_str(" SELECT least(count(*), 1) FROM ");
    sql.push_str(last);
    sql
}
