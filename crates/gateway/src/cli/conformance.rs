//! `muster conformance`: checks any SCIM server from outside.

use super::output::Output;
use crate::conformance::{Options, Run};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The server's base URL, such as <https://example.com/scim/v2>
    #[arg(long, value_name = "URL")]
    base: String,
    /// The bearer token; without it no credentials are sent
    #[arg(long, value_name = "TOKEN")]
    token: Option<SecretString>,
    /// Talk to this host without TLS, or with a certificate that nobody vouches for
    #[arg(long, value_name = "HOST")]
    insecure_host: Vec<String>,
    /// Only this RFC, section or check, such as 9865, 3.4.2 or 7644-3.7
    #[arg(long, value_name = "SECTION")]
    only: Option<String>,
    /// Leave the users and groups that were made
    #[arg(long)]
    keep: bool,
    /// Seconds that one request may take
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

pub(super) async fn run(asked: Arguments, output: Output) -> anyhow::Result<ExitCode> {
    let options = Options {
        base: asked.base,
        token: asked.token.map(|token| token.expose_secret().to_owned()),
        insecure_hosts: asked.insecure_host,
        only: asked.only,
        keep: asked.keep,
        timeout: Duration::from_secs(asked.timeout),
    };
    let mut run = Run::new(&options)?;
    let report = tokio::select! {
        report = run.checks(|_| {}) => Some(report),
        _ = tokio::signal::ctrl_c() => None,
    };
    let left = run.clean_up().await;
    if !left.is_empty() {
        super::output::error(&format!("could not delete {}", left.join(", ")));
    }
    let Some(report) = report else { anyhow::bail!("stopped; what was made is deleted") };
    let report = report?;
    output.answer(&report.to_json(), &report.to_lines())?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
