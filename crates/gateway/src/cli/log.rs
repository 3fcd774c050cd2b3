//! `muster log`: the decisions as a person reads them.

use super::output::Output;
use super::parse;
use super::token::instant;
use crate::admin::log::CLASSES;
use crate::app::Stores;
use crate::app::stores::open_registry;
use crate::config::Config;
use anyhow::bail;
use clap::Args;
use directory::{DecisionQuery, DecisionRow};
use provisioning::Reason;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::task::TaskTracker;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Slug or id
    tenant: String,
    /// Only this person or group: a userName, displayName or id
    #[arg(long)]
    user: Option<String>,
    /// Only those of this class: mapping, licence, connection, conflict, policy, store or ok
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(CLASSES))]
    class: Option<String>,
    /// Only those with this reason code
    #[arg(long)]
    reason: Option<String>,
    /// Only those of this token, by its key id
    #[arg(long)]
    token: Option<String>,
    /// Only those of this request
    #[arg(long)]
    request: Option<String>,
    /// Only those at this time or later: 2026-11-22T10:00:00Z
    #[arg(long, value_parser = time_of)]
    since: Option<OffsetDateTime>,
    /// Only those before this time
    #[arg(long, value_parser = time_of)]
    until: Option<OffsetDateTime>,
    /// Of which population; without it, of the tenant's
    #[arg(long)]
    population: Option<String>,
    /// How many decisions
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    last: u32,
}

pub(super) async fn run(asked: &Arguments, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, &asked.tenant).await?;
    let directory = Stores::open_of(config, &registry, &tenant.home(), &TaskTracker::new()).await?;
    let population = asked.population.as_deref().map(parse::population).transpose()?;
    let population = population.unwrap_or(tenant.population);
    let mut rows = directory
        .within_population(&Arc::new(tenant), population)
        .decisions_page(&query(asked)?)
        .await?;
    rows.reverse();
    directory.close().await?;
    let json: Vec<Value> = rows.iter().map(to_json).collect::<anyhow::Result<_>>()?;
    let mut lines: Vec<String> = Vec::new();
    for row in &rows {
        lines.extend(to_lines(row)?.iter().map(|line| harmless(line)));
    }
    if lines.is_empty() {
        lines.push("no decisions yet".to_owned());
    }
    output.answer(&json!({ "decisions": json }), &lines)
}

fn query(asked: &Arguments) -> anyhow::Result<DecisionQuery> {
    let class = asked.class.as_deref();
    let of_class = |reason: &&Reason| class.is_some_and(|class| reason.class().as_str() == class);
    let reasons = match asked.reason.as_deref() {
        Some(text) => match Reason::ALL.iter().find(|reason| reason.as_str() == text) {
            Some(reason) => vec![reason.as_str()],
            None => bail!("{text:?} is no reason code; docs/idp/reasons.md lists them"),
        },
        None => Reason::ALL.iter().filter(of_class).map(|reason| reason.as_str()).collect(),
    };
    Ok(DecisionQuery {
        user: asked.user.clone(),
        key_id: asked.token.as_ref().map(|id| id.strip_prefix("tok_").unwrap_or(id).to_owned()),
        reasons,
        outcome: None,
        request_id: asked.request.clone(),
        since: asked.since,
        until: asked.until,
        after: None,
        limit: asked.last,
    })
}

fn time_of(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_other| "an instant of RFC 3339, such as 2026-11-22T10:00:00Z".to_owned())
}

/// A line as a terminal may show it. Names come from identity providers: a line break in one would forge a line, and an
/// escape sequence or a change of direction would do things to the reader's terminal.
pub(super) fn harmless(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

fn to_lines(row: &DecisionRow) -> anyhow::Result<Vec<String>> {
    let subject = row.subject.as_deref().or(row.resource_id.as_deref()).unwrap_or("–");
    let mut lines = vec![format!(
        "{}  {:<18} {subject}: {} ({}, {})",
        instant(row.at)?,
        in_words(&row.operation),
        outcome(&row.outcome),
        row.status,
        row.reason,
    )];
    let about = row.attribute.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    if !row.detail.is_empty() {
        lines.push(format!("    {about}{}", row.detail));
    }
    for (label, names) in
        [("changed", &row.changed), ("ignored", &row.ignored), ("quirks", &row.quirks)]
    {
        if !names.is_empty() {
            lines.push(format!("    {label}: {}", names.join(", ")));
        }
    }
    lines.push(format!("    request {}", row.request_id));
    Ok(lines)
}

/// `user.create` as `create user`.
fn in_words(operation: &str) -> String {
    match operation.split_once('.') {
        Some((noun, verb)) => format!("{verb} {noun}").replace('_', " "),
        None => operation.replace('_', " "),
    }
}

fn outcome(word: &str) -> &str {
    match word {
        "done" => "done",
        "unchanged" => "nothing to change",
        "refused" => "refused",
        "read" => "answered",
        other => other,
    }
}

fn to_json(row: &DecisionRow) -> anyhow::Result<Value> {
    Ok(json!({
        "id": row.id,
        "at": instant(row.at)?,
        "operation": row.operation,
        "outcome": row.outcome,
        "reason": row.reason,
        "status": row.status,
        "resource_type": row.resource_type,
        "resource_id": row.resource_id,
        "subject": row.subject,
        "attribute": row.attribute,
        "detail": row.detail,
        "changed": row.changed,
        "ignored": row.ignored,
        "quirks": row.quirks,
        "request_id": row.request_id,
        "trace_id": row.trace_id,
        "client": row.client,
        "key_id": row.key_id,
        "duration_us": row.duration_us,
    }))
}
