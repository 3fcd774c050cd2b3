//! One write as one text: a single statement of common table expressions on PostgreSQL, a savepoint on SQLite.
//!
//! Both run the same steps in the same order, each only when the one before changed something, so that a guard which
//! does not hold leaves nothing behind. The answer is 1 when the last step ran, else 0.
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

    /// The condition under which the next step runs: that the one before changed a row.
    pub(crate) fn gate(&self) -> String {
        match (self.engine, self.steps.last()) {
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
        let condition = format!("tenant_id = $1 AND epoch = {epoch} AND state = 'active'");
        match self.engine {
            Engine::Sqlite => format!("EXISTS (SELECT 1 FROM tenants WHERE {condition})"),
            Engine::Postgres => {
                // The lock keeps a tenant from being frozen between this check and this commit.
                self.steps
                    .push(("home", format!("SELECT 1 FROM tenants WHERE {condition} FOR SHARE")));
                "EXISTS (SELECT 1 FROM home)".into()
            }
        }
    }

    /// The whole as one statement.
    pub(crate) fn statement(self) -> Statement {
        let sql = match self.engine {
            Engine::Sqlite => sqlite(&self.steps),
            Engine::Postgres => postgres(&self.steps),
        };
        Statement::from_sql_and_values(backend(self.engine), sql, self.values)
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
        sql.push_str(if step.starts_with("SELECT") { ")" } else { " RETURNING 1)" });
    }
    let last = steps.last().map_or("home", |(name, _)| *name);
    sql.push_str(" SELECT least(count(*), 1) FROM ");
    sql.push_str(last);
    sql
}
