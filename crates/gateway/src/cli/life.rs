//! `muster tenant suspend`, `resume`, `close`, `switch`, and what else the admin API says of one tenant.

use super::ask::{Ask, Dry, part};
use super::output::Output;
use crate::config::Config;
use clap::Subcommand;

/// What happens to a tenant.
#[derive(Debug, Subcommand)]
pub(super) enum Life {
    /// Suspend a tenant: its identity provider gets 403 with the reason
    Suspend(One),
    /// Serve a suspended or closed tenant again
    Resume(One),
    /// Close a tenant; its data is kept for retention.closed, then deleted
    Close(One),
    /// Show how much a tenant may ask for
    Limits(Shown),
    /// Show what the purge of a closed tenant deleted
    Manifest(Shown),
    /// Show and change the connection with the identity provider
    Connection(Connection),
    /// Take a tenant from one population to the other, step by step
    #[command(subcommand)]
    Switch(Switch),
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, clap::Args)]
pub(super) struct Shown {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    /// The identity provider: okta, entra, onelogin, …
    #[arg(long)]
    provider: Option<String>,
    /// Switch provisioning on or off
    #[arg(long, value_parser = ["on", "off"])]
    provisioning: Option<String>,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Subcommand)]
pub(super) enum Switch {
    /// Show how far it has come
    Show(Shown),
    /// Show who would be left behind
    Preview(Shown),
    /// Begin: nobody is written in either population
    Freeze {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        /// platform or board
        #[arg(long)]
        to: String,
        #[command(flatten)]
        dry: Dry,
    },
    /// Provision the other population from now on
    CutOver {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        /// For how many seconds it can be undone
        #[arg(long)]
        undo_seconds: Option<u64>,
        #[command(flatten)]
        dry: Dry,
    },
    /// Go back to the first state
    Undo(One),
    /// End it: those left behind are deactivated
    Finish(One),
}

pub(super) async fn run(command: Life, config: &Config, output: Output) -> anyhow::Result<()> {
    let act = |one: One, what: &str| Ask::post(format!("tenants/{}/{what}", one.tenant), one.dry);
    let show = |one: &Shown, what: &str| Ask::get(format!("tenants/{}/{what}", one.tenant));
    let ask = match command {
        Life::Suspend(one) => act(one, "suspend"),
        Life::Resume(one) => act(one, "resume"),
        Life::Close(one) => act(one, "close"),
        Life::Limits(one) => show(&one, "limits"),
        Life::Manifest(one) => show(&one, "manifest"),
        Life::Connection(one) => return connection(one, config, output).await,
        Life::Switch(Switch::Show(one)) => show(&one, "population-switch"),
        Life::Switch(Switch::Preview(one)) => show(&one, "population-switch/preview"),
        Life::Switch(Switch::Freeze { tenant, to, dry }) => {
            Ask::post(format!("tenants/{tenant}/population-switch/freeze"), dry)
                .field("to", Some(to))
        }
        Life::Switch(Switch::CutOver { tenant, undo_seconds, dry }) => {
            Ask::post(format!("tenants/{tenant}/population-switch/cut-over"), dry)
                .field("undo_seconds", undo_seconds)
        }
        Life::Switch(Switch::Undo(one)) => act(one, "population-switch/undo"),
        Life::Switch(Switch::Finish(one)) => act(one, "population-switch/finish"),
    };
    ask.answer(config, output).await
}

async fn connection(one: Connection, config: &Config, output: Output) -> anyhow::Result<()> {
    let path = format!("tenants/{}/connections", one.tenant);
    let list = Ask::get(path.clone()).call(config).await?;
    let id = list.pointer("/data/0/id").and_then(serde_json::Value::as_str).unwrap_or_default();
    if one.provider.is_none() && one.provisioning.is_none() {
        return Ask::get(format!("{path}/{id}")).answer(config, output).await;
    }
    Ask::patch(format!("{path}/{id}"), one.dry)
        .field("provider", one.provider)
        .field("provisioning", one.provisioning.map(|word| word == "on"))
        .answer(config, output)
        .await
}
