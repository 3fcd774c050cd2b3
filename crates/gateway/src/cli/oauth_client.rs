//! `muster oauth-client`: clients that fetch their tokens themselves.

use super::ask::{Ask, Dry, Paged, part};
use super::output::Output;
use crate::config::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a client; its secret is shown this once
    Create(Create),
    /// Show a tenant's clients, never their secrets
    List {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        #[command(flatten)]
        page: Paged,
    },
    /// Show one client
    Show(Client),
    /// Revoke a client and all its tokens, for good
    Revoke {
        #[command(flatten)]
        client: Client,
        #[command(flatten)]
        dry: Dry,
    },
    /// Make another secret; it is shown this once
    AddSecret {
        #[command(flatten)]
        client: Client,
        /// For how many seconds it is good
        #[arg(long)]
        expires_in_seconds: Option<u64>,
        #[command(flatten)]
        dry: Dry,
    },
    /// Revoke a secret, for good
    RevokeSecret {
        #[command(flatten)]
        client: Client,
        /// The secret's id, as `oauth-client show` has it
        #[arg(value_parser = part)]
        secret: String,
        #[command(flatten)]
        dry: Dry,
    },
}

#[derive(Debug, Args)]
pub(super) struct Client {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    /// The client's id
    #[arg(value_parser = part)]
    client: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    /// What it is for
    #[arg(long)]
    name: Option<String>,
    /// What its tokens may do, parted by commas; without it, everything
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// From where its tokens may be used, parted by commas; without it, from anywhere
    #[arg(long, value_delimiter = ',')]
    networks: Option<Vec<String>>,
    /// How many seconds its tokens are good: 3600 to 21600
    #[arg(long)]
    token_lifetime_seconds: Option<u64>,
    /// How many seconds its first secret is good
    #[arg(long)]
    secret_expires_in_seconds: Option<u64>,
    /// The population that it is for; without it, the tenant's
    #[arg(long)]
    population: Option<String>,
    /// It sends signed assertions (RFC 7523) of this issuer in place of a secret
    #[arg(long, requires = "assertion_subject", requires = "assertion_keys")]
    assertion_issuer: Option<String>,
    /// The subject of its assertions
    #[arg(long, requires = "assertion_issuer")]
    assertion_subject: Option<String>,
    /// The audience of its assertions, where it is not the token endpoint
    #[arg(long, requires = "assertion_issuer")]
    assertion_audience: Option<String>,
    /// A file with the JWK set that signs its assertions
    #[arg(long, requires = "assertion_issuer")]
    assertion_keys: Option<PathBuf>,
    #[command(flatten)]
    dry: Dry,
}

impl Client {
    fn path(&self) -> String {
        format!("tenants/{}/oauth-clients/{}", self.tenant, self.client)
    }
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let ask = match command {
        Command::Create(new) => create(new)?,
        Command::List { tenant, page } => Ask::get(format!("tenants/{tenant}/oauth-clients"))
            .page(&page)
            .columns(&["id", "state", "name", "scopes", "created_at"]),
        Command::Show(client) => Ask::get(client.path()),
        Command::Revoke { client, dry } => Ask::delete(client.path(), dry),
        Command::AddSecret { client, expires_in_seconds, dry } => {
            Ask::post(format!("{}/secrets", client.path()), dry)
                .field("expires_in_seconds", expires_in_seconds)
        }
        Command::RevokeSecret { client, secret, dry } => {
            Ask::delete(format!("{}/secrets/{secret}", client.path()), dry)
        }
    };
    ask.answer(config, output).await
}

fn create(new: Create) -> anyhow::Result<Ask> {
    let assertion = match (&new.assertion_issuer, &new.assertion_keys) {
        (Some(issuer), Some(keys)) => Some(json!({
            "issuer": issuer,
            "subject": new.assertion_subject,
            "audience": new.assertion_audience,
            "jwks": std::fs::read_to_string(keys)?,
        })),
        _ => None,
    };
    Ok(Ask::post(format!("tenants/{}/oauth-clients", new.tenant), new.dry)
        .field("name", new.name)
        .field("scopes", new.scopes.map(Value::from))
        .field("networks", new.networks.map(Value::from))
        .field("token_lifetime_seconds", new.token_lifetime_seconds)
        .field("secret_expires_in_seconds", new.secret_expires_in_seconds)
        .field("population", new.population)
        .field("assertion", assertion))
}
