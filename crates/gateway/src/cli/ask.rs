//! Commands that are calls of the admin API, answered in this process.
//!
//! **Invariant**: what the API can do, and how it checks and explains it, the command line does alike: there is one handler.

use super::output::Output;
use super::tenant::hosts;
use crate::admin::call::Facts;
use crate::admin::dispatch::{Found, Request, dispatch, find};
use crate::admin::endpoint::Keeps;
use crate::admin::{Admin, Code, Operator};
use crate::app::Stores;
use crate::app::stores::{Directories, open_registry};
use crate::clock::Clock;
use crate::config::Config;
use anyhow::{anyhow, bail};
use clap::Args;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::task::TaskTracker;

/// Whether what a command would do is kept.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Dry {
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Args)]
pub(super) struct Paged {
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// The cursor that the part before ended with
    #[arg(long)]
    after: Option<String>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Ask {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Map<String, Value>,
    columns: &'static [&'static str],
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn post(path: impl Into<String>, dry: Dry) -> Self {
        Self::new("POST", path).dry(dry)
    }

    pub(super) fn put(path: impl Into<String>, dry: Dry) -> Self {
        Self::new("PUT", path).dry(dry)
    }

    pub(super) fn patch(path: impl Into<String>, dry: Dry) -> Self {
        Self::new("PATCH", path).dry(dry)
    }

    pub(super) fn delete(path: impl Into<String>, dry: Dry) -> Self {
        Self::new("DELETE", path).dry(dry)
    }

    fn new(method: &'static str, path: impl Into<String>) -> Self {
        let path = format!("/admin/v1/{}", path.into());
        Self { method, path, query: Vec::new(), body: Map::new(), columns: &[] }
    }

    fn dry(self, dry: Dry) -> Self {
        self.query("dry_run", dry.dry_run.then_some("true"))
    }

    /// A parameter of the query, where there is a value.
    pub(super) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Which part of the list.
    pub(super) fn page(self, page: &Paged) -> Self {
        self.query("limit", Some(page.limit)).query("after", page.after.as_ref())
    }

    /// A field of the body, where there is a value.
    pub(super) fn field(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        self.body.extend(value.map(|value| (name.to_owned(), value.into())));
        self
    }

    /// What is shown of each thing of a list.
    pub(super) fn columns(mut self, columns: &'static [&'static str]) -> Self {
        self.columns = columns;
        self
    }

    /// Calls, and prints the answer.
    ///
    /// # Errors
    /// With the sentence of the problem.
    pub(super) async fn answer(self, config: &Config, output: Output) -> anyhow::Result<()> {
        let columns = self.columns;
        let answer = self.call(config).await?;
        output.answer(&answer, &lines(&answer, columns))
    }

    /// Calls.
    ///
    /// # Errors
    /// With the sentence of the problem.
    pub(super) async fn call(self, config: &Config) -> anyhow::Result<Value> {
        let Found::Endpoint(endpoint, path) = find(self.method, &self.path) else {
            bail!("{:?} is no id and no name", self.path.rsplit('/').next().unwrap_or_default());
        };
        let tasks = TaskTracker::new();
        let (registry, directories) = match endpoint.keeps {
            Keeps::Registry => (open_registry(config).await?, Directories::default()),
            Keeps::Directory | Keeps::RegistryAfterDirectory => {
                let stores = Stores::open(config, &tasks).await?;
                (stores.registry, stores.directories)
            }
        };
        let admin = Admin::new(registry, directories, hosts(config)?, config, tasks)?;
        let admin = Arc::new(admin);
        let pairs: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let body = if self.body.is_empty() && !needs_body(endpoint) {
            Vec::new()
        } else {
            serde_json::to_vec(&self.body)?
        };
        let now = Clock.now();
        let request = Request {
            method: self.method.to_owned(),
            path: self.path.clone(),
            query: pairs.join("&"),
            if_match: None,
            idempotency_key: None,
            body,
            facts: Facts {
                request_id: Clock.new_id().to_string(),
                trace_id: None,
                started: Instant::now(),
                now,
            },
        };
        let done = dispatch(&admin, Operator::cli(), (endpoint, path), request).await;
        for (_, _, directory) in admin.directories.iter() {
            // What was done is done, and its answer may be the only one with a secret in it.
            if let Err(error) = directory.close().await {
                tracing::warn!(error = %error, "a store did not close cleanly");
            }
        }
        match done {
            Ok(answer) => Ok(serde_json::from_str(&answer.body)?),
            Err(problem) if problem.code == Code::NotFound => Err(anyhow!(
                "{} `muster tenant list` shows the tenants, and list commands what they have",
                problem.detail
            )),
            Err(problem) => Err(anyhow!("{}", problem.detail.trim_end_matches('.'))),
        }
    }
}

fn needs_body(endpoint: &crate::admin::endpoint::Endpoint) -> bool {
    endpoint.body.is_some() && !endpoint.body_is_optional
}

/// A value of a query, as a form encodes it.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// An answer for people: a thing as its fields, a list as a line for each thing.
fn lines(answer: &Value, columns: &[&str]) -> Vec<String> {
    let Some(things) = answer.get("data").and_then(Value::as_array) else {
        let fields: Vec<(&String, String)> = answer
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name, shown(value)))
            .collect();
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        return fields
            .iter()
            .map(|(name, value)| {
                let value = value.replace('\n', &format!("\n{:width$}  ", ""));
                format!("{name:<width$}  {value}").trim_end().to_owned()
            })
            .collect();
    };
    let rows: Vec<Vec<String>> = things
        .iter()
        .map(|thing| {
            columns.iter().map(|name| shown(thing.get(*name).unwrap_or(&Value::Null))).collect()
        })
        .collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns.len()).map(|at| width(at).unwrap_or_default()).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect();
    if lines.is_empty() {
        lines.push("there are none".to_owned());
    }
    if let Some(cursor) = answer.get("next_cursor").and_then(Value::as_str) {
        lines.push(format!("there are more: --after {cursor}"));
    }
    lines
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => super::log::harmless(text),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(shown).collect();
            // Words side by side, sentences one below the other.
            all.join(if all.iter().any(|one| one.contains(' ')) { "\n" } else { ", " })
        }
        other => super::log::harmless(&other.to_string()),
    }
}

/// The part of a path that a person typed. What no path can have is no id.
pub(super) fn part(text: &str) -> Result<String, String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("an id or a short name has letters, digits, hyphens and underscores".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{encoded, lines};
    use serde_json::json;

    #[test]
    fn a_list_is_a_line_for_each_thing_and_says_whether_there_is_more() {
        let answer = json!({ "data": [{ "id": "a", "n": 1 }, { "id": "bbb", "n": null }], "next_cursor": "c" });
        assert_eq!(lines(&answer, &["id", "n"]), ["a    1", "bbb  –", "there are more: --after c"]);
        assert_eq!(lines(&json!({ "data": [] }), &["id"]), ["there are none"]);
    }

    #[test]
    fn a_value_is_encoded_as_a_form_does_it() {
        assert_eq!(encoded("a b+c@d&é"), "a%20b%2Bc%40d%26%C3%A9");
    }
}
