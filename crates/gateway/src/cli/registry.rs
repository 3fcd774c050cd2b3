//! `muster registry`: an operator's word about the registry's database.

use super::output::Output;
use super::parse;
use crate::app::Stores;
use crate::app::stores::{self, label, open_registry};
use crate::clock::Clock;
use crate::config::{Config, FIRST_SHARD};
use clap::Subcommand;
use serde_json::json;
use tenant_registry::{By, Registry};
use tokio_util::task::TaskTracker;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Let every node take what the database holds, although it kept what it knew before
    Accept {
        /// Take instead the database that is configured for REGION or REGION/SHARD as its store, although another one was before
        #[arg(long, value_name = "STORE")]
        store: Option<String>,
    },
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let Command::Accept { store } = command;
    let registry = open_registry(config).await?;
    if let Some(store) = store {
        return accept_store(&registry, &store, config, output).await;
    }
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

/// Makes the database that is configured for a store the one that the registry knows.
async fn accept_store(
    registry: &Registry,
    store: &str,
    config: &Config,
    output: Output,
) -> anyhow::Result<()> {
    let (region, shard) = store.split_once('/').unwrap_or((store, FIRST_SHARD));
    let region = parse::region(region, config)?;
    parse::shard(shard, &region, config)?;
    let directory = Stores::open_one(config, &region, shard, &TaskTracker::new()).await?;
    stores::accept(registry, &directory).await?;
    let (label, id) = (label(&region, shard), directory.id().to_owned());
    directory.close().await?;
    registry.close().await?;
    let line =
        format!("accepted: the store of {label} is from now on the database with the id {id}");
    output.answer(&json!({ "store": label, "id": id }), &[line])
}
