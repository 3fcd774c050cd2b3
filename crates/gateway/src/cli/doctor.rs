//! `muster doctor`: what an identity provider would meet, and what a person must fix.

use super::output::Output;
use super::parse;
use super::tenant::hosts;
use crate::config::Config;
use crate::doctor::{self, Options};
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long a server may take to hear of a new token, beyond the interval at which it looks.
const NEWS_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Slug or id; without it, the hosts, the registry and the stores are looked at
    tenant: Option<String>,
    /// Connect there in place of what DNS says
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,
    /// Use the token in this file; without it, one is made and revoked
    #[arg(long, value_name = "FILE", requires = "tenant")]
    token_file: Option<PathBuf>,
    /// platform or board; without it, the tenant's own
    #[arg(long, requires = "tenant")]
    population: Option<String>,
    /// Also make one person, change them and delete them
    #[arg(long, requires = "tenant")]
    write: bool,
    /// Seconds that one request may take
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    timeout: u64,
}

pub(super) async fn run(
    asked: &Arguments,
    config: &Config,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let token = match &asked.token_file {
        None => None,
        Some(path) => {
            let cannot = || format!("{} cannot be read", path.display());
            let text = std::fs::read_to_string(path).with_context(cannot)?;
            // An editor puts one line break at the end; everything else is as it would be pasted.
            Some(text.trim_end_matches(['\n', '\r']).to_owned().into())
        }
    };
    let options = Options {
        connect: asked.connect.clone(),
        token,
        population: asked.population.as_deref().map(parse::population).transpose()?,
        write: asked.write,
        patience: Duration::from_secs(asked.timeout),
        news_within: NEWS_WITHIN + config.registry.poll_interval,
    };
    let hosts = hosts(config)?;
    let report = match &asked.tenant {
        None => doctor::installation(config, &hosts, &options).await,
        Some(name) => {
            let registry = doctor::open(config).await?;
            let tenant = parse::tenant(&registry, name).await?;
            doctor::tenant(&tenant, &registry, config, &hosts, &options).await?
        }
    };
    output.answer(&report.to_json(), &report.to_lines())?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
