//! `muster operator`: signed tokens for the admin API, and the keys that sign them.
//!
//! **Invariant**: the private key stays in its folder, readable by its owner alone.

use super::output::Output;
use super::parse;
use super::tenant::hosts;
use super::token::instant;
use crate::admin::access::Right;
use crate::admin::issuer::{AUDIENCE, built_in};
use crate::admin::keys::{Key, Keys};
use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::bail;
use clap::{Args, Subcommand};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token for the admin API
    Token(Token),
    /// Show, make and retire the keys that sign tokens
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, Args)]
pub(super) struct Token {
    /// What it may do, parted by commas; without it, everything: tenants:read, tokens:write, logs:read, …
    #[arg(long, default_value = "*")]
    scopes: String,
    /// How long it is good: 15m, 8h
    #[arg(long, default_value = "15m")]
    expires: String,
    /// Who it is for, as the audit shows it
    #[arg(long, default_value = "operator", value_parser = parse::name)]
    subject: String,
    /// For an administrator of this tenant alone: slug or id
    #[arg(long)]
    tenant: Option<String>,
    /// The regions that it is good for, parted by commas; without it, all
    #[arg(long, value_delimiter = ',')]
    regions: Option<Vec<String>>,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Show the keys, the one that signs first
    List,
    /// Make the next key; it signs from now on, and the one before stays good
    Rotate,
    /// End a key: what it signed is refused from now on
    Retire {
        /// The key's id, as `operator key list` shows it
        kid: String,
    },
}

/// The claims (RFC 7519 §4.1).
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    scopes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<Vec<String>>,
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    let keys = Keys::within(&config.operator.keys);
    match command {
        Command::Token(asked) => token(&asked, &keys, config, output).await,
        Command::Key(KeyCommand::List) => list(&keys, output),
        Command::Key(KeyCommand::Rotate) => {
            let key = keys.rotate()?;
            output.answer(&json!({ "kid": key.kid }), &[format!("{} signs from now on", key.kid)])
        }
        Command::Key(KeyCommand::Retire { kid }) => {
            keys.retire(&kid)?;
            let lines = [format!("{kid} is retired")];
            output.answer(&json!({ "kid": kid, "state": "retired" }), &lines)
        }
    }
}

async fn token(asked: &Token, keys: &Keys, config: &Config, output: Output) -> anyhow::Result<()> {
    let expires = parse::expires(&asked.expires)?;
    if expires > config.operator.max_lifetime {
        bail!(
            "a token for the admin API lives for at most {} minutes; operator.max_lifetime says so",
            config.operator.max_lifetime.as_secs() / 60
        );
    }
    let scopes: Vec<&str> =
        asked.scopes.split([',', ' ']).map(str::trim).filter(|scope| !scope.is_empty()).collect();
    let unknown = scopes.iter().find(|scope| Right::of_scope(scope).is_empty());
    if let Some(unknown) = unknown {
        let known = Right::ALL.map(Right::as_str).join(", ");
        bail!("{unknown:?} is no scope; the scopes are: *, {known}");
    }
    for region in asked.regions.iter().flatten() {
        parse::region(region, config)?;
    }
    let tenant = match &asked.tenant {
        None => None,
        Some(named) => Some(parse::tenant(&open_registry(config).await?, named).await?.id),
    };
    let (now, issuer) = (Clock.now(), built_in(config));
    let claims = Claims {
        iss: &issuer,
        aud: AUDIENCE,
        sub: &asked.subject,
        iat: now.unix_timestamp(),
        exp: (now + expires).unix_timestamp(),
        jti: Clock.new_id().to_string(),
        role: if tenant.is_some() { "tenant_admin" } else { "operator" },
        tenant: tenant.map(|id| id.to_string()),
        scopes,
        regions: asked.regions.clone(),
    };
    let key = keys.signing()?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(key.kid.clone());
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(key.private()))?;
    let base_url = hosts(config)?.admin_base_url();
    let expires_at = instant(now + expires)?;
    let json = json!({ "token": token, "admin_base_url": base_url, "expires_at": expires_at });
    let lines = [
        format!("token     {token}"),
        format!("base URL  {base_url}"),
        format!("expires   {expires_at}"),
    ];
    output.answer(&json, &lines)
}

fn list(keys: &Keys, output: Output) -> anyhow::Result<()> {
    let all = keys.all()?;
    let mut json = Vec::new();
    let mut lines = Vec::new();
    for (index, Key { kid, made_at, .. }) in all.iter().enumerate() {
        let made_at = instant(OffsetDateTime::from(*made_at))?;
        let state = if index == 0 { "signs" } else { "good" };
        lines.push(format!("{kid}  {state:<6} since {made_at}"));
        json.push(json!({ "kid": kid, "state": state, "made_at": made_at }));
    }
    if lines.is_empty() {
        lines.push("no keys yet; the first token makes one".to_owned());
    }
    output.answer(&json!({ "keys": json }), &lines)
}
