//! `muster registry`: an operator's word about the registry's database.

use super::output::Output;
use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::Config;
use clap::Subcommand;
use serde_json::json;
use tenant_registry::By;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Let every node take what the database holds, although it kept what it knew before
    Accept,
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let Command::Accept = command;
    let registry = open_registry(config).await?;
    let accepted = registry.accept(&By::cli(Clock.now())).await?.commit().await?;
    registry.close().await?;
    let line = format!(
        "accepted: generation {}, with {} tenants and {} credentials; nodes take it when they ask next",
        accepted.generation, accepted.tenants, accepted.credentials
    );
    let (tenants, credentials) = (accepted.tenants, accepted.credentials);
    let answer = json!({
        "generation": accepted.generation, "tenants": tenants, "credentials": credentials,
    });
    output.answer(&answer, &[line])
}
