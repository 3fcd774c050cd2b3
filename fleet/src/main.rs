//! What `make fleet` and `make chaos` break, load and judge the product with: connections that fail as they are told to, a
//! load that writes down what it saw, and the checker that reads it.
//!
//! **Invariant**: it knows no crate of the product. The product is judged from outside, by its answers and its rows.

mod check;
mod load;
mod proxy;

use clap::{Parser, Subcommand};
use tokio::task::LocalSet;

#[derive(Debug, Parser)]
#[command(name = "fleet", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pass connections on, and fail them as a control connection says
    Proxy(proxy::Arguments),
    /// Send requests at a fixed rate, and write down each with what came of it
    Load(load::Arguments),
    /// Judge a run by what was written down and by what the stores hold
    Check(check::Arguments),
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // One thread: the other cores are the product's.
    let work = async {
        match Cli::parse().command {
            Command::Proxy(arguments) => proxy::serve(&arguments).await,
            Command::Load(arguments) => load::run(&arguments).await,
            Command::Check(arguments) => check::run(&arguments),
        }
    };
    LocalSet::new().block_on(&runtime, work)
}
