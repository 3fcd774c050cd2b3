//! What `make bench` measures with: the yardstick, a bare server, and the load, a bare client.
//!
//! **Invariant**: it knows no crate of the product. The product is measured from outside, as an identity provider
//! would see it, and the yardstick owes it nothing.

mod load;
mod yardstick;

use clap::{Parser, Subcommand};

// The product has the same one; another would be measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "bench", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the bare statements
    Yardstick(yardstick::Arguments),
    /// Send requests and print what came of them as one JSON object
    Load(load::Arguments),
}

fn main() -> anyhow::Result<()> {
    let work = async {
        match Cli::parse().command {
            Command::Yardstick(arguments) => yardstick::serve(arguments).await,
            Command::Load(arguments) => load::run(arguments).await,
        }
    };
    actix_web::rt::System::new().block_on(work)
}
