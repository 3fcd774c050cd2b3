//! `muster quirks`: what a tenant's identity provider does otherwise than the RFCs say.

use super::output::Output;
use super::parse;
use super::token::instant;
use crate::app::Stores;
use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::{Config, parse_span};
use clap::Args;
use directory::QuirkCount;
use scim_core::{Quirk, Tolerance};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Slug or id
    tenant: String,
    /// Only what was met in this time: 24h, 30d
    #[arg(long, value_name = "SPAN", value_parser = span)]
    since: Option<Duration>,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span(text)
        .ok_or_else(|| "a number and a unit without a space, such as 24h or 30d".to_owned())
}

pub(super) async fn run(asked: &Arguments, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = Arc::new(parse::tenant(&registry, &asked.tenant).await?);
    let directory = Stores::open_of(config, &registry, &tenant.home(), &TaskTracker::new()).await?;
    let mut counts = directory.within(&tenant).quirk_counts().await?;
    directory.close().await?;
    if let Some(since) = asked.since {
        let from = Clock.now() - since;
        counts.retain(|count| count.last_at >= from);
    }
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.quirk.cmp(&b.quirk)));
    let tolerance = &tenant.tolerance;
    let json: Vec<Value> =
        counts.iter().map(|count| to_json(count, tolerance)).collect::<anyhow::Result<_>>()?;
    let mut lines = Vec::new();
    for count in &counts {
        lines.extend(to_lines(count, tolerance)?);
    }
    if lines.is_empty() {
        lines.push("nothing was tolerated: what was sent is as the RFCs say".to_owned());
    }
    let json = json!({ "tenant": tenant.slug, "strict": tolerance.to_string(), "quirks": json });
    output.answer(&json, &lines)
}

fn to_lines(count: &QuirkCount, tolerance: &Tolerance) -> anyhow::Result<Vec<String>> {
    let (first, last) = (instant(count.first_at)?, instant(count.last_at)?);
    let mut lines = vec![format!(
        "{:<26} {:<10} {:>8} times, first {first}, last {last}",
        count.quirk, count.client, count.count
    )];
    // A newer program may have counted what this one does not know.
    if let Some(quirk) = Quirk::parse(&count.quirk) {
        lines.push(format!("    {}: {}", quirk.clause(), quirk.summary()));
        let verb = if tolerance.allows(quirk) { "strict would answer" } else { "strict answers" };
        lines.push(format!("    {verb} {}", refusal(quirk)));
    }
    Ok(lines)
}

/// The answer of a strict tenant: `400 invalidSyntax`.
fn refusal(quirk: Quirk) -> String {
    match quirk.scim_type() {
        Some(scim_type) => format!("{} {scim_type}", quirk.status()),
        None => quirk.status().to_string(),
    }
}

fn to_json(count: &QuirkCount, tolerance: &Tolerance) -> anyhow::Result<Value> {
    let quirk = Quirk::parse(&count.quirk);
    Ok(json!({
        "quirk": count.quirk,
        "client": count.client,
        "count": count.count,
        "first_at": instant(count.first_at)?,
        "last_at": instant(count.last_at)?,
        "clause": quirk.map(Quirk::clause),
        "summary": quirk.map(Quirk::summary),
        "strict_status": quirk.map(Quirk::status),
        "strict_scim_type": quirk.and_then(Quirk::scim_type),
        "tolerated": quirk.is_none_or(|quirk| tolerance.allows(quirk)),
    }))
}
