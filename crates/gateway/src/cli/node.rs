//! `muster node`: the keys by which the nodes know each other.
//!
//! **Invariant**: the private key stays in its folder, readable by its owner alone.

use super::output::Output;
use crate::admin::keys::{Key, Keys};
use crate::config::Config;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show, make and retire the keys with which this node signs what it forwards
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Show the public keys as a JSON Web Key Set, for the other nodes; the first one is made when there is none
    Jwks,
    /// Make the next key; it signs as soon as it is in this node's copy of all keys
    Rotate,
    /// End a key
    Retire {
        /// The key's id, as `node key jwks` shows it
        kid: String,
    },
}

pub(super) fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let Command::Key(command) = command;
    let keys = Keys::within(&config.node.keys);
    match command {
        KeyCommand::Jwks => {
            keys.signing()?;
        }
        KeyCommand::Rotate => drop(keys.rotate()?),
        KeyCommand::Retire { kid } => keys.retire(&kid)?,
    }
    let all = keys.all()?.iter().map(Key::to_jwk).collect::<anyhow::Result<Vec<Value>>>()?;
    let jwks = json!({ "keys": all });
    output.answer(&jwks, &[jwks.to_string()])
}
