//! The command line.
//!
//! **Invariant**: answers go to standard output, everything else to standard error. A failure is one sentence that
//! says what to do, and exit code 1; a configuration that is not good is exit code 2.

mod ask;
mod conformance;
mod demo;
mod doctor;
mod life;
mod log;
mod migrate;
mod node;
mod oauth_client;
mod operator;
mod output;
mod parse;
mod people;
mod quirks;
mod registry;
mod serve;
mod setup;
mod tenant;
mod token;

use crate::config::{Config, Problems};
use crate::telemetry;
use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use output::Output;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code of a configuration that is not good.
const BAD_CONFIGURATION: u8 = 2;

/// A SCIM 2.0 provisioning gateway for several regions and populations.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    version,
    about = "A SCIM 2.0 provisioning gateway for several regions and populations",
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Read this file instead of muster.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print text for people or one JSON object
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the hosts
    Serve {
        /// Check the configuration and end: 0 when it is good, 2 when it is not
        #[arg(long)]
        check: bool,
    },
    /// Serve, with two tenants to try it on
    Demo,
    /// Bring the schemas of the registry and of the stores up to date
    Migrate,
    /// Make and show tenants
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Make, show and revoke the tokens of a tenant
    #[command(subcommand)]
    Token(token::Command),
    /// Make, show and revoke OAuth clients of a tenant
    #[command(subcommand)]
    OauthClient(oauth_client::Command),
    /// Show people, and act on them
    #[command(subcommand)]
    User(people::User),
    /// Show groups
    #[command(subcommand)]
    Group(people::Group),
    /// Say what plans hold
    #[command(subcommand)]
    Plan(people::Plan),
    /// Show which stores hold a tenant's data
    Residency(people::Residency),
    /// Show who changed what
    Audit(people::Audit),
    /// Say that what the registry's database holds is right
    #[command(subcommand)]
    Registry(registry::Command),
    /// Credentials of operators
    #[command(subcommand)]
    Operator(operator::Command),
    /// Keys by which the nodes know each other
    #[command(subcommand)]
    Node(node::Command),
    /// Check any SCIM server against RFC 7643, 7644 and 9865, from outside
    Conformance(conformance::Arguments),
    /// Show what became of a tenant's requests, newest last
    Log(log::Arguments),
    /// Show which deviations from the RFCs a tenant's clients needed
    Quirks(quirks::Arguments),
    /// Show what to type into an identity provider: values, mapping, steps
    Setup(setup::Arguments),
    /// Try what identity providers do against the running server, and say what a person must fix
    Doctor(doctor::Arguments),
}

/// Parses the arguments of this process and does what they say.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            output::error(&sentence(&error));
            match error.downcast_ref::<Problems>() {
                Some(_) => ExitCode::from(BAD_CONFIGURATION),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    // The server under test may be anybody's: nothing of this one's configuration is needed.
    if let Command::Conformance(arguments) = cli.command {
        return block_on(conformance::run(arguments, Output::new(cli.output)));
    }
    let config = Config::load(cli.config.as_deref())?;
    let output = Output::new(cli.output);
    let command = match cli.command {
        Command::Serve { check: true } => {
            let good = "configuration is good";
            output.answer(&serde_json::json!({ "status": good }), &[good.to_owned()])?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Serve { check: false } => {
            return with_telemetry(&config, serve::serve(config.clone()));
        }
        Command::Demo => {
            let demo = demo::demo(config.clone(), output, cli.config);
            return with_telemetry(&config, demo);
        }
        other => other,
    };
    telemetry::start_quiet()?;
    if let Command::Doctor(arguments) = &command {
        return block_on(doctor::run(arguments, &config, output));
    }
    block_on(async {
        match command {
            Command::Migrate => migrate::migrate(&config, output).await,
            Command::Tenant(command) => tenant::run(command, &config, output).await,
            Command::Token(command) => token::run(command, &config, output).await,
            Command::OauthClient(command) => oauth_client::run(command, &config, output).await,
            Command::User(command) => people::user(command, &config, output).await,
            Command::Group(command) => people::group(command, &config, output).await,
            Command::Plan(command) => people::plan(command, &config, output).await,
            Command::Residency(asked) => people::residency(asked, &config, output).await,
            Command::Audit(asked) => people::audit(asked, &config, output).await,
            Command::Registry(command) => registry::run(command, &config, output).await,
            Command::Node(command) => node::run(command, &config, output),
            Command::Operator(command) => operator::run(command, &config, output).await,
            Command::Log(arguments) => log::run(&arguments, &config, output).await,
            Command::Quirks(arguments) => quirks::run(&arguments, &config, output).await,
            Command::Setup(arguments) => setup::run(&arguments, &config, output).await,
            Command::Serve { .. }
            | Command::Demo
            | Command::Conformance(_)
            | Command::Doctor(_) => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The failure and its causes. Some libraries repeat the cause in their own text; it is said once.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.ends_with(&cause) {
            continue;
        }
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&cause);
    }
    said
}

fn with_telemetry(
    config: &Config,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    let telemetry = telemetry::start(config).context("the log could not be started")?;
    let result = block_on(work);
    telemetry.stop();
    result?;
    Ok(ExitCode::SUCCESS)
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    actix_web::rt::System::new().block_on(work)
}
