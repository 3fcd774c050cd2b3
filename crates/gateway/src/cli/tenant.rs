//! `muster tenant`.

mod attribute;
mod moving;

use super::life::{self, Life};
use super::output::Output;
use super::parse;
use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::{Config, FIRST_SHARD};
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use region_router::{Hosts, Place};
use scim_core::{Custom, Tolerance};
use serde_json::{Value, json};
use tenant_registry::{
    By, NewTenant, RateLimit, RegistryError, Routing, Scopes, Tenant, TenantChange, TenantState,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a tenant
    Create(Create),
    /// Show all tenants
    List,
    /// Change a tenant: its seats, its groups, whether it may act, what is tolerated
    Set(Set),
    /// Declare and show what its users hold beyond the RFC
    #[command(subcommand)]
    Attribute(attribute::Command),
    /// Take a tenant's data to another shard or region
    Move(moving::Arguments),
    /// What becomes of a tenant
    #[command(flatten)]
    Life(Life),
    /// Show one tenant
    Show {
        /// Slug or id
        tenant: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The short name: small letters, digits and hyphens
    slug: String,
    /// The name for people
    #[arg(long, value_parser = parse::name)]
    name: String,
    /// Where its people's data lives
    #[arg(long)]
    region: String,
    /// Which store of the region; 0 is the one that regions.{name}.store names
    #[arg(long, default_value = FIRST_SHARD)]
    shard: String,
    /// platform or board
    #[arg(long)]
    population: String,
    /// open, oktopost, condeco, deskpro or outpost
    #[arg(long)]
    profile: String,
    /// Active people at most; without it there is no limit
    #[arg(long)]
    seats: Option<u64>,
    /// Whether groups are taken
    #[arg(long, value_enum, default_value_t = Switch::On)]
    groups: Switch,
    /// The plan's name
    #[arg(long, default_value = "standard", value_parser = parse::plan)]
    plan: String,
    /// Requests a second and at once, such as 200/2000, or off; without it, what the process is configured with
    #[arg(long, value_name = "N/N|off|default", value_parser = RateLimit::parse, default_value = "default")]
    rate_limit: RateLimit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Create(new) => create(new, config, output).await,
        Command::Set(set) => change(set, config, output).await,
        Command::Attribute(command) => attribute::run(command, config, output).await,
        Command::Move(asked) => Box::pin(moving::run(asked, config, output)).await,
        Command::List => list(config, output).await,
        Command::Life(command) => life::run(command, config, output).await,
        Command::Show { tenant } => show(&tenant, config, output).await,
    }
}

async fn create(new: Create, config: &Config, output: Output) -> anyhow::Result<()> {
    let place = Place {
        region: parse::region(&new.region, config)?,
        population: parse::population(&new.population)?,
    };
    let profile = parse::profile(&new.profile)?;
    parse::shard(&new.shard, &place.region, config)?;
    let new = NewTenant {
        shard: new.shard,
        seats: new.seats,
        groups: new.groups == Switch::On,
        plan: new.plan,
        rate_limit: new.rate_limit,
        ..NewTenant::new(&new.slug, &new.name, place, profile)
    };
    let registry = open_registry(config).await?;
    let tenant = match registry.create_tenant(&new, &By::cli(Clock.now())).await {
        Ok(made) => made.commit().await?,
        Err(RegistryError::SlugTaken) => bail!(
            "the slug {:?} is taken; choose another, or see `muster tenant show {}`",
            new.slug,
            new.slug
        ),
        Err(RegistryError::SlugInvalid) => bail!(
            "{:?} is not a slug; a slug is 1 to 63 small letters, digits and hyphens, such as acme-eu",
            new.slug
        ),
        Err(other) => return Err(other.into()),
    };
    let hosts = hosts(config)?;
    let lines = [
        format!("id        {}", tenant.id),
        format!("slug      {}", tenant.slug),
        format!("base URL  {}", hosts.base_url(&tenant.place())),
        format!("next      muster token create {}", tenant.slug),
    ];
    output.answer(&to_json(&tenant, &hosts), &lines)
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true, id = "changes", args = ["seats", "groups", "state", "strict", "rate_limit", "name", "slug", "plan", "seat_contact", "platform_role", "board_role", "operations", "both_populations", "routing"])]
pub(super) struct Set {
    /// Slug or id
    tenant: String,
    /// Active people at most, or `none` for no limit
    #[arg(long, value_parser = parse::seats)]
    seats: Option<Seats>,
    /// Whether groups are taken
    #[arg(long, value_enum)]
    groups: Option<Switch>,
    /// Whether the tenant may act
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Which deviations from the RFCs are refused: all, none, or ids with commas between them (docs/quirks.md)
    #[arg(long, value_name = "all|none|IDS", value_parser = parse::tolerance)]
    strict: Option<Tolerance>,
    /// Requests a second and at once, such as 200/2000, or off; default is what the process is configured with
    #[arg(long, value_name = "N/N|off|default", value_parser = RateLimit::parse)]
    rate_limit: Option<RateLimit>,
    /// Another name
    #[arg(long, value_parser = parse::name)]
    name: Option<String>,
    /// Another short name; URLs with the old one end to work
    #[arg(long)]
    slug: Option<String>,
    /// Another plan
    #[arg(long, value_parser = parse::plan)]
    plan: Option<String>,
    /// Whom its administrators ask for seats, as it fits into a sentence
    #[arg(long, value_parser = parse::name)]
    seat_contact: Option<String>,
    /// The role of those who come to the platform from now on
    #[arg(long, value_parser = parse::name)]
    platform_role: Option<String>,
    /// The role of those who come to the board from now on
    #[arg(long, value_parser = parse::name)]
    board_role: Option<String>,
    /// What its identity provider may do, parted by commas: read, create, update, deactivate, delete, users, groups, all
    #[arg(long, value_parser = Scopes::parse)]
    operations: Option<Scopes>,
    /// Whether the other population may be provisioned as well
    #[arg(long, value_enum)]
    both_populations: Option<Switch>,
    /// What becomes of requests that come to a node of another region: they are forwarded, or refused with 421
    #[arg(long, value_name = "forward|strict", value_parser = Routing::parse)]
    routing: Option<Routing>,
}

/// A number of seats, or none.
pub(super) type Seats = Option<u64>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Active,
    Suspended,
}

async fn change(set: Set, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let mut tenant = parse::tenant(&registry, &set.tenant).await?;
    let by = By::cli(Clock.now());
    let change = TenantChange {
        seats: set.seats,
        groups: set.groups.map(|groups| groups == Switch::On),
        tolerance: set.strict,
        rate_limit: set.rate_limit,
        name: set.name,
        slug: set.slug,
        plan: set.plan,
        seat_contact: set.seat_contact,
        platform_role: set.platform_role,
        board_role: set.board_role,
        operations: set.operations,
        routing: set.routing,
        both_populations: set.both_populations.map(|both| both == Switch::On),
        ..TenantChange::default()
    };
    tenant = registry.change_tenant(&tenant.id, &change, &by).await?.commit().await?;
    // Last: what could not be changed leaves the tenant as it was served.
    if let Some(state) = set.state {
        let state = match state {
            State::Active => TenantState::Active,
            State::Suspended => TenantState::Suspended,
        };
        tenant = registry.set_state(&tenant.id, state, &by).await?.commit().await?;
    }
    output.answer(&to_json(&tenant, &hosts(config)?), &[format!("{} is changed", tenant.slug)])
}

async fn list(config: &Config, output: Output) -> anyhow::Result<()> {
    let (registry, hosts) = (open_registry(config).await?, hosts(config)?);
    let tenants = registry.tenants().await?;
    let json: Vec<Value> = tenants.iter().map(|tenant| to_json(tenant, &hosts)).collect();
    let mut lines: Vec<String> = tenants
        .iter()
        .map(|tenant| {
            let (slug, name) = (&tenant.slug, &tenant.name);
            let place = tenant.place().to_string();
            format!("{slug:<24} {place:<12} {:<9} {name}", tenant.profile.as_str())
        })
        .collect();
    if lines.is_empty() {
        lines.push("there are no tenants; make one with `muster tenant create`".to_owned());
    }
    output.answer(&json!({ "tenants": json }), &lines)
}

async fn show(tenant: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let (registry, hosts) = (open_registry(config).await?, hosts(config)?);
    let tenant = parse::tenant(&registry, tenant).await?;
    let json = to_json(&tenant, &hosts);
    let lines: Vec<String> = json
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Null => "–".to_owned(),
                Value::Object(_) => extension_in_words(tenant.extension.declared.as_ref()),
                other => other.to_string(),
            };
            format!("{name:<14} {value}")
        })
        .collect();
    output.answer(&json, &lines)
}

/// The hosts as a command sees them: nothing is bound, so the configured port stands for the bound one.
pub(super) fn hosts(config: &Config) -> anyhow::Result<Hosts> {
    Ok(config.hosting.hosts(config.server.listen.port(), &config.regions)?)
}

fn to_json(tenant: &Tenant, hosts: &Hosts) -> Value {
    json!({
        "id": tenant.id.to_string(),
        "slug": tenant.slug,
        "name": tenant.name,
        "region": tenant.region.as_str(),
        "shard": tenant.shard,
        "epoch": tenant.epoch,
        "state": tenant.state.as_str(),
        "plan": tenant.plan,
        "population": tenant.population.as_str(),
        "profile": tenant.profile.as_str(),
        "default_role": tenant.role_of(tenant.population),
        "seats": tenant.seats,
        "groups": tenant.groups,
        "seat_contact": tenant.seat_contact,
        "strict": tenant.tolerance.to_string(),
        "rate_limit": tenant.rate_limit.to_string(),
        "routing": tenant.routing.as_str(),
        "extension": tenant.extension.declared.as_ref().map(extension_to_json),
        "scim_base_url": hosts.base_url(&tenant.place()),
    })
}

fn extension_to_json(declared: &Custom) -> Value {
    let attributes: Vec<Value> = declared
        .attributes
        .iter()
        .map(|attribute| attribute::to_json(&declared.urn, attribute))
        .collect();
    json!({ "schema": declared.urn, "attributes": attributes })
}

fn extension_in_words(declared: Option<&Custom>) -> String {
    let Some(declared) = declared else { return "–".to_owned() };
    let names: Vec<&str> = declared.attributes.iter().map(|a| a.name.as_str()).collect();
    format!("{} with {}", declared.urn, names.join(", "))
}
