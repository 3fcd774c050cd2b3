//! The provisioning log a page at a time, newest first.
//!
//! **Invariant**: a page that no index leads to runs at a list's cost: through the gate, and until its time is over.

use super::log::{DecisionRow, SELECT, about, row};
use super::{indexed, subject_key};
use crate::error::DirectoryError;
use crate::listing::{Cost, Line, Plan, Take};
use crate::scope::{Scoped, first_id};
use crate::script::list_of;
use migrations::Engine;
use sea_orm::Value;
use time::OffsetDateTime;

/// Which decisions are wanted.
#[derive(Debug, Clone, Default)]
pub struct DecisionQuery {
    /// Only those about this user or group: a userName, a displayName or a SCIM id.
    pub user: Option<String>,
    /// Only those of this credential.
    pub key_id: Option<String>,
    /// Only those with one of these reasons; none is any.
    pub reasons: Vec<&'static str>,
    /// Only those that ended so: `done`, `unchanged`, `refused`, `read` or `noted`.
    pub outcome: Option<String>,
    /// Only those of this request.
    pub request_id: Option<String>,
    /// Only those of requests that came then or later.
    pub since: Option<OffsetDateTime>,
    /// Only those of requests that came before.
    pub until: Option<OffsetDateTime>,
    /// Only those older than this one: the last of the page before.
    pub after: Option<String>,
    /// How many, at most.
    pub limit: u32,
}

impl Scoped {
    /// A page of decisions, newest first.
    ///
    /// # Errors
    /// [`DirectoryError::TooExpensive`] or [`DirectoryError::Crowded`] where too many have to be looked at for what is
    /// wanted: a shorter time makes them fewer. Or the store's failure.
    #[tracing::instrument(name = "directory.decisions.page", skip_all)]
    pub async fn decisions_page(
        &self,
        query: &DecisionQuery,
    ) -> Result<Vec<DecisionRow>, DirectoryError> {
        let mut clauses = Clauses { sql: SELECT.to_owned(), values: Vec::new() };
        // Ids begin with the time of their request.
        let since = query.since.map(first_id);
        let until = query.until.map(first_id);
        clauses.add(since, |place| format!("id >= {place}"));
        clauses.add(until, |place| format!("id < {place}"));
        clauses.add(query.after.clone(), |place| format!("id < {place}"));
        if let Some(user) = &query.user {
            let (key, id) = (clauses.bind(subject_key(user)), clauses.bind(indexed(user)));
            clauses.and(&about(&key, &id));
        }
        let equal = [
            ("key_id", &query.key_id),
            ("outcome", &query.outcome),
            ("request_id", &query.request_id),
        ];
        for (column, wanted) in equal {
            clauses.add(wanted.clone(), |place| format!("{column} = {place}"));
        }
        if !query.reasons.is_empty() {
            let place = clauses.bind(list_of(self.engine(), &query.reasons));
            // A test of each row, so that the rows are still taken in the order of the index.
            clauses.and(&match self.engine() {
                Engine::Sqlite => format!("reason IN (SELECT value FROM json_each({place}))"),
                Engine::Postgres => format!("reason = ANY ({place}::text[])"),
            });
        }
        let limit = clauses.bind(i64::from(query.limit));
        let sql = format!("{} ORDER BY id DESC LIMIT {limit}", clauses.sql);
        let page = Some(self.statement(sql, clauses.values));
        let take: Take<DecisionRow> = Box::new(|found| {
            let one = row(found)?;
            Ok(Line { id: String::new(), bytes: one.detail.len(), value: None, one })
        });
        let plan = Plan { page, take, count: None, counted_from: 0 };
        let lines = self.gather(plan, query.cost()).await?.lines;
        Ok(lines.into_iter().map(|line| line.one).collect())
    }
}

impl DecisionQuery {
    /// Time and people have an index; whatever else is asked for is looked for row by row.
    fn cost(&self) -> Cost {
        let filtered = self.key_id.is_some()
            || self.outcome.is_some()
            || self.request_id.is_some()
            || !self.reasons.is_empty();
        if filtered && self.user.is_none() { Cost::Much } else { Cost::Little }
    }
}

/// A statement in the making; `$1` is the tenant.
struct Clauses {
    sql: String,
    values: Vec<Value>,
}

impl Clauses {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len() + 1)
    }

    fn and(&mut self, clause: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(clause);
    }

    fn add(&mut self, value: Option<String>, clause: impl Fn(&str) -> String) {
        let Some(value) = value else { return };
        let place = self.bind(value);
        self.and(&clause(&place));
    }
}
