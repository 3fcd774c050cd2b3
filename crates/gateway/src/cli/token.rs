//! `muster token`.

use super::ask::{Ask, Dry, part};
use super::output::Output;
use super::parse;
use super::tenant::hosts;
use crate::admin::tokens::state;
use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::bail;
use clap::{Args, Subcommand};
use region_router::Place;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tenant_registry::{By, Credential, Networks, NewCredential, RegistryError, Scopes};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token; it is shown this once
    Create(Create),
    /// Show a tenant's tokens: names, hints and dates, never the tokens
    List {
        /// Slug or id
        tenant: String,
    },
    /// Show one token: where it is in its life, when it was last used
    Show(Named),
    /// Change a token's name or from where it may be used
    Change {
        #[command(flatten)]
        token: Named,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Other networks, parted by commas; "" is anywhere
        #[arg(long)]
        networks: Option<String>,
        #[command(flatten)]
        dry: Dry,
    },
    /// Put a new token in the place of an old one, with a time when both are good
    #[command(subcommand)]
    Rotate(Rotate),
    /// Revoke a token; running servers refuse it within 5 s
    Revoke {
        /// The key id, as `token list` shows it
        key_id: String,
    },
}

/// A token of a tenant.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    /// The key id, as `token list` shows it
    #[arg(value_parser = part)]
    key_id: String,
}

impl Named {
    fn path(&self) -> String {
        format!(
            "tenants/{}/tokens/tok_{}",
            self.tenant,
            self.key_id.strip_prefix("tok_").unwrap_or(&self.key_id)
        )
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Rotate {
    /// Make the new token; it is shown this once
    Start {
        #[command(flatten)]
        token: Named,
        /// How long the old token stays good: 24h, 7d
        #[arg(long, default_value = "7d")]
        overlap: String,
        /// How long the new one is good: 365d
        #[arg(long, default_value = "365d")]
        expires: String,
        #[command(flatten)]
        dry: Dry,
    },
    /// Revoke the old token
    Complete {
        #[command(flatten)]
        token: Named,
        #[command(flatten)]
        dry: Dry,
    },
    /// Revoke the new token; the old one stays
    Cancel {
        #[command(flatten)]
        token: Named,
        #[command(flatten)]
        dry: Dry,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Slug or id
    tenant: String,
    /// What it is for
    #[arg(long, default_value = "token", value_parser = parse::name)]
    name: String,
    /// How long it is good: 15m, 24h, 365d
    #[arg(long, default_value = "365d")]
    expires: String,
    /// What it may do, parted by commas; without it, everything
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    scopes: Option<String>,
    /// From where it may be used, parted by commas: 203.0.113.0/24; without it, from anywhere
    #[arg(long, value_parser = Networks::parse)]
    networks: Option<Networks>,
    /// The population that it is for; without it, the tenant's
    #[arg(long)]
    population: Option<String>,
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Create(new) => create(new, config, output).await,
        Command::List { tenant } => list(&tenant, config, output).await,
        Command::Show(token) => Ask::get(token.path()).answer(config, output).await,
        Command::Change { token, name, networks, dry } => {
            let networks = networks.map(|text| {
                text.split(',').filter(|word| !word.is_empty()).map(Value::from).collect::<Vec<_>>()
            });
            Ask::patch(token.path(), dry)
                .field("name", name)
                .field("networks", networks)
                .answer(config, output)
                .await
        }
        Command::Rotate(command) => rotate(command)?.answer(config, output).await,
        Command::Revoke { key_id } => revoke(&key_id, config, output).await,
    }
}

fn rotate(command: Rotate) -> anyhow::Result<Ask> {
    Ok(match command {
        Rotate::Start { token, overlap, expires, dry } => {
            Ask::post(format!("{}/rotation", token.path()), dry)
                .field("overlap_seconds", Some(parse::expires(&overlap)?.as_secs()))
                .field("expires_in_seconds", Some(parse::expires(&expires)?.as_secs()))
        }
        Rotate::Complete { token, dry } => {
            Ask::post(format!("{}/rotation/complete", token.path()), dry)
        }
        Rotate::Cancel { token, dry } => {
            Ask::post(format!("{}/rotation/cancel", token.path()), dry)
        }
    })
}

async fn create(new: Create, config: &Config, output: Output) -> anyhow::Result<()> {
    let expires = parse::expires(&new.expires)?;
    let scopes = match &new.scopes {
        Some(text) => Scopes::parse(text)?,
        None => Scopes::ALL,
    };
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, &new.tenant).await?;
    let population = new.population.as_deref().map(parse::population).transpose()?;
    let new = NewCredential {
        scopes,
        population,
        networks: new.networks.unwrap_or_default(),
        ..NewCredential::new(&new.name, expires)
    };
    let issued = match registry.create_credential(&tenant.id, &new, &By::cli(Clock.now())).await {
        Err(RegistryError::TooManyCredentials(live)) => bail!(
            "{} has {live} live tokens, which is the most; revoke one first with `muster token revoke KEY_ID`",
            tenant.slug
        ),
        Err(RegistryError::PopulationConflict { tenant: has, asked }) => bail!(
            "{} provisions {has} and not {asked}; allow both with `muster tenant set {} --both-populations on`, or switch it with `muster tenant switch`",
            tenant.slug,
            tenant.slug
        ),
        other => other?.commit().await?,
    };
    let credential = &issued.credential;
    let place = Place { region: tenant.region.clone(), population: credential.population };
    let base_url = hosts(config)?.base_url(&place);
    let json = json!({
        "token": issued.token.expose_secret(),
        "key_id": credential.key_id,
        "hint": credential.hint,
        "scim_base_url": base_url,
        "expires_at": instant(credential.expires_at)?,
    });
    let lines = [
        format!("token     {}", issued.token.expose_secret()),
        format!("base URL  {base_url}"),
        format!("key id    {}", credential.key_id),
        format!("expires   {}", instant(credential.expires_at)?),
        "The token is shown this once.".to_owned(),
    ];
    output.answer(&json, &lines)
}

async fn list(tenant: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, tenant).await?;
    let now = Clock.now();
    let credentials = registry.credentials(&tenant.id).await?;
    let mut json = Vec::new();
    let mut lines = Vec::new();
    for credential in &credentials {
        let state = state(credential, now);
        let expires = instant(credential.expires_at)?;
        let (key_id, hint, name) = (&credential.key_id, &credential.hint, &credential.name);
        lines.push(format!("{key_id}  {hint}  {state:<8} until {expires}  {name}"));
        json.push(to_json(credential, state)?);
    }
    if lines.is_empty() {
        lines.push(format!("no tokens; make one with `muster token create {}`", tenant.slug));
    }
    output.answer(&json!({ "tokens": json }), &lines)
}

async fn revoke(key_id: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let Some(credential) = registry.credential(key_id).await? else {
        bail!(
            "there is no token with key id {key_id:?}; `muster token list TENANT` shows the key ids"
        )
    };
    let by = By::cli(Clock.now());
    registry.revoke_credential(&credential.tenant_id, key_id, &by).await?.commit().await?;
    output
        .answer(&json!({ "key_id": key_id, "state": "revoked" }), &[format!("{key_id} is revoked")])
}

fn to_json(credential: &Credential, state: &str) -> anyhow::Result<Value> {
    Ok(json!({
        "key_id": credential.key_id,
        "name": credential.name,
        "hint": credential.hint,
        "scopes": credential.scopes.words().collect::<Vec<_>>(),
        "state": state,
        "created_at": instant(credential.created_at)?,
        "expires_at": instant(credential.expires_at)?,
        "retires_at": credential.retires_at.map(instant).transpose()?,
        "revoked_at": credential.revoked_at.map(instant).transpose()?,
    }))
}

/// RFC 3339, UTC, whole seconds.
pub(super) fn instant(at: OffsetDateTime) -> anyhow::Result<String> {
    let at = at.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
    Ok(at.format(&Rfc3339)?)
}
