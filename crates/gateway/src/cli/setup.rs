//! `muster setup`: what to type into the identity provider.

use super::output::Output;
use super::parse;
use super::tenant::hosts;
use crate::admin::setup::{SetupView, provider, setup_of};
use crate::app::stores::open_registry;
use crate::config::Config;
use anyhow::bail;
use clap::Args;
use provisioning::setup::Idp;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Slug or id
    tenant: String,
    /// okta, okta-catalogue, entra, onelogin, jumpcloud, ping, google or custom; without it, the tenant's own
    #[arg(long)]
    idp: Option<String>,
    /// platform or board; without it, the tenant's own
    #[arg(long)]
    population: Option<String>,
}

pub(super) async fn run(asked: &Arguments, config: &Config, output: Output) -> anyhow::Result<()> {
    let chosen = asked.idp.as_deref().map(idp).transpose()?;
    let population = asked.population.as_deref().map(parse::population).transpose()?;
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, &asked.tenant).await?;
    let population = population.unwrap_or(tenant.population);
    if !tenant.serves(population) {
        bail!(
            "{} provisions {} users alone; leave --population out, or let it provision both populations first",
            tenant.slug,
            tenant.population
        );
    }
    let setup =
        setup_of(&tenant, &hosts(config)?, chosen.unwrap_or_else(|| provider(&tenant)), population);
    let json = serde_json::to_value(SetupView::from(&setup))?;
    output.answer(&json, &setup.to_lines())
}

fn idp(text: &str) -> anyhow::Result<Idp> {
    match Idp::parse(text) {
        Ok(idp) => Ok(idp),
        Err(_) => bail!(
            "there is no identity provider {text:?}; they are: {}",
            Idp::ALL.map(Idp::as_str).join(", ")
        ),
    }
}
