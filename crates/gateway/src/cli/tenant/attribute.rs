//! `muster tenant attribute`: what a tenant's users hold beyond the RFC.
//!
//! **Invariant**: values of people are never made invalid. An attribute that somebody has a value for keeps its type; taken
//! away and declared again, it must be what it was.

use crate::app::Stores;
use crate::app::stores::open_registry;
use crate::cli::output::Output;
use crate::cli::parse;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use directory::{Start, Want};
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Custom, CustomAttribute, Filter, FilterLimits, Kind, Notes};
use serde_json::{Value, json};
use std::sync::Arc;
use tenant_registry::{By, Registry, RegistryError, Tenant};
use tokio_util::task::TaskTracker;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Declare an attribute of the tenant's users
    Add(Add),
    /// Show what an identity provider has to map: schema, attribute, type
    List {
        /// Slug or id
        tenant: String,
    },
    /// Take an attribute away; values that people have stay stored and are not shown
    Remove {
        /// Slug or id
        tenant: String,
        /// The attribute's name
        name: String,
    },
}

#[derive(Debug, Args)]
#[group(id = "names", required = true, multiple = true, args = ["name", "label"])]
pub(crate) struct Add {
    /// Slug or id
    tenant: String,
    /// The name in SCIM: a letter, then letters, digits, - and _
    #[arg(long)]
    name: Option<String>,
    /// What people call it; without --name, the name is made of it: "Some User's Field" is some-users-field
    #[arg(long, value_parser = parse::name)]
    label: Option<String>,
    /// What its values are
    #[arg(long = "type", value_enum)]
    kind: Type,
    /// A person may have several values
    #[arg(long)]
    multi: bool,
    /// The schema: the tenant's own, or the enterprise extension
    #[arg(long = "in", value_enum)]
    place: Option<In>,
    /// Suggested values, with commas between them
    #[arg(long, value_delimiter = ',', value_parser = clap::builder::NonEmptyStringValueParser::new())]
    values: Vec<String>,
    /// Upper and lower case differ when values are compared
    #[arg(long)]
    case_exact: bool,
}

/// The types of an attribute, and beside them the names that Deskpro has for its fields (requirements 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    #[value(aliases = ["string", "number", "select", "url", "hidden", "display"])]
    Text,
    #[value(alias = "toggle")]
    Boolean,
    #[value(aliases = ["dateTime", "datetime"])]
    Date,
    #[value(alias = "currency")]
    Integer,
    Decimal,
    Reference,
    /// Text of which --values lists the usual ones
    Choice,
    /// Several of them
    #[value(aliases = ["multi-select", "multiselect"])]
    Choices,
}

impl Type {
    fn kind(self) -> Kind {
        match self {
            Self::Text | Self::Choice | Self::Choices => Kind::String,
            Self::Boolean => Kind::Boolean,
            Self::Date => Kind::DateTime,
            Self::Integer => Kind::Integer,
            Self::Decimal => Kind::Decimal,
            Self::Reference => Kind::Reference,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum In {
    Own,
    Enterprise,
}

pub(crate) async fn run(command: Command, config: &Config, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Add(new) => add(&new, config, output).await,
        Command::List { tenant } => list(&tenant, config, output).await,
        Command::Remove { tenant, name } => remove(&tenant, &name, config, output).await,
    }
}

async fn add(new: &Add, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, &new.tenant).await?;
    let attribute = attribute(new)?;
    let mut declared = declared(&tenant, new.place)?;
    let there = declared.attributes.iter().position(|a| is_named(a, &attribute.name));
    let before = match there.and_then(|at| declared.attributes.get(at)) {
        Some(old) => Some(old.clone()),
        // Values may be there from before it was taken away.
        None => tenant.extension.retired(&declared.urn, &attribute.name).cloned(),
    };
    if let Some(before) = before.filter(|before| !has_same_values(before, &attribute)) {
        refuse_other_values(&tenant, &declared.urn, &before, config).await?;
    }
    match there.and_then(|at| declared.attributes.get_mut(at)) {
        Some(old) => old.clone_from(&attribute),
        None => declared.attributes.push(attribute.clone()),
    }
    // What the command line accepts is what the registry can read again.
    let declared = Custom::parse(&declared.to_json())?;
    set(&registry, &tenant, Some(&declared)).await?;
    let mut json = to_json(&declared.urn, &attribute);
    let mut lines = facts(&declared.urn, &attribute);
    if !attribute.canonical_values.is_empty() {
        lines.push(format!("values     {}", attribute.canonical_values.join(", ")));
    }
    if let Some(object) = json.as_object_mut() {
        object.insert("tenant".to_owned(), json!(tenant.slug));
    }
    output.answer(&json, &lines)
}

/// What is asked for.
fn attribute(new: &Add) -> anyhow::Result<CustomAttribute> {
    let label = new.label.as_deref();
    let name = match (&new.name, label) {
        (Some(name), _) => name.clone(),
        (None, Some(label)) => CustomAttribute::name_of(label),
        (None, None) => String::new(),
    };
    if name.is_empty() {
        bail!(
            "{:?} has no letter to make a name of; give one with --name",
            label.unwrap_or_default()
        );
    }
    let is_choice = matches!(new.kind, Type::Choice | Type::Choices);
    if is_choice && new.values.is_empty() {
        bail!("a choice needs --values, with commas between them");
    }
    let mut attribute = CustomAttribute::new(name, new.kind.kind());
    if !new.values.is_empty() && attribute.kind != Kind::String {
        bail!("--values is for text and choices");
    }
    attribute.multi_valued = new.multi || new.kind == Type::Choices;
    attribute.case_exact = attribute.case_exact || new.case_exact;
    attribute.description = label.unwrap_or_default().to_owned();
    attribute.canonical_values.clone_from(&new.values);
    Ok(attribute)
}

/// What the tenant has declared, or an empty declaration in the place asked for. There is one place for a tenant: an
/// administrator who looks for its attributes finds them under one URN.
fn declared(tenant: &Tenant, place: Option<In>) -> anyhow::Result<Custom> {
    let urn = match place {
        Some(In::Enterprise) => ENTERPRISE_USER.to_owned(),
        Some(In::Own) => Custom::own_urn(&tenant.slug),
        None => match &tenant.extension.declared {
            Some(declared) => declared.urn.clone(),
            None => Custom::own_urn(&tenant.slug),
        },
    };
    match &tenant.extension.declared {
        Some(declared) if !declared.attributes.is_empty() && declared.urn != urn => bail!(
            "{} has its attributes in {}; leave --in out, or remove them first",
            tenant.slug,
            declared.urn
        ),
        Some(declared) if declared.urn == urn => Ok(declared.clone()),
        _ => Ok(Custom { urn, attributes: Vec::new() }),
    }
}

fn is_named(attribute: &CustomAttribute, name: &str) -> bool {
    attribute.name.eq_ignore_ascii_case(name)
}

/// Whether what is a value of one is a value of the other, and is compared alike.
fn has_same_values(one: &CustomAttribute, other: &CustomAttribute) -> bool {
    (one.kind, one.multi_valued, one.case_exact)
        == (other.kind, other.multi_valued, other.case_exact)
}

/// Refuses another type while people have values of this one.
async fn refuse_other_values(
    tenant: &Tenant,
    urn: &str,
    before: &CustomAttribute,
    config: &Config,
) -> anyhow::Result<()> {
    match people_with(tenant, urn, before, config).await? {
        0 => Ok(()),
        people => bail!(
            "{people} people have a value of {}, which is {}; keep that, clear the values in the identity provider first, or \
             take another name",
            before.name,
            in_words(before)
        ),
    }
}

async fn list(tenant: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, tenant).await?;
    let (urn, attributes) = match &tenant.extension.declared {
        Some(declared) => (declared.urn.as_str(), declared.attributes.as_slice()),
        None => ("", [].as_slice()),
    };
    let json: Vec<Value> = attributes.iter().map(|attribute| to_json(urn, attribute)).collect();
    let mut lines: Vec<String> = Vec::new();
    for attribute in attributes {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(facts(urn, attribute));
    }
    if lines.is_empty() {
        lines.push(format!(
            "{} has no attributes of its own; declare one with `muster tenant attribute add {} --name N --type text`",
            tenant.slug, tenant.slug
        ));
    }
    output.answer(&json!({ "tenant": tenant.slug, "attributes": json }), &lines)
}

async fn remove(tenant: &str, name: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, tenant).await?;
    let mut declared = declared(&tenant, None)?;
    let Some(at) = declared.attributes.iter().position(|a| is_named(a, name)) else {
        let known: Vec<&str> = declared.attributes.iter().map(|a| a.name.as_str()).collect();
        bail!(
            "{} has no attribute {name:?}; its attributes are: {}",
            tenant.slug,
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        );
    };
    let attribute = declared.attributes.remove(at);
    let people = people_with(&tenant, &declared.urn, &attribute, config).await?;
    let left = (!declared.attributes.is_empty()).then_some(&declared);
    set(&registry, &tenant, left).await?;
    let mut lines = vec![format!("{} is not declared any more", attribute.name)];
    if people > 0 {
        lines.push(format!(
            "{people} people have a value: it stays stored, and is neither shown nor found until {} is declared again",
            attribute.name
        ));
    }
    let json = json!({
        "tenant": tenant.slug,
        "removed": to_json(&declared.urn, &attribute),
        "people_with_values": people,
    });
    output.answer(&json, &lines)
}

async fn set(registry: &Registry, tenant: &Tenant, after: Option<&Custom>) -> anyhow::Result<()> {
    let before = tenant.extension.declared.as_ref();
    match registry.set_extension(&tenant.id, before, after, &By::cli(Clock.now())).await {
        Ok(declared) => {
            declared.commit().await?;
            Ok(())
        }
        Err(RegistryError::ExtensionChanged) => bail!(
            "the attributes of {} were changed by someone else meanwhile; look at `muster tenant attribute list {}` and try again",
            tenant.slug,
            tenant.slug
        ),
        Err(other) => Err(other.into()),
    }
}

/// How many people have a value of an attribute, whether or not it is declared at the moment.
async fn people_with(
    tenant: &Tenant,
    urn: &str,
    attribute: &CustomAttribute,
    config: &Config,
) -> anyhow::Result<u64> {
    let declared = Custom { urn: urn.to_owned(), attributes: vec![attribute.clone()] };
    let mut seen = tenant.clone();
    seen.schemas = Arc::new(seen.schemas.with(&declared));
    let mut notes = Notes::default();
    let filter = Filter::parse(
        &format!("{urn}:{} pr", attribute.name),
        &FilterLimits::default(),
        &scim_core::Tolerance::default(),
        &mut notes,
    )?;
    let condition =
        filter.bind(&seen.schemas.user, &scim_core::Tolerance::default(), &mut notes)?;
    let directory = Stores::open_region(config, &tenant.region, &TaskTracker::new()).await?;
    let want = Want {
        condition: Some(&condition),
        order: None,
        start: Start::Offset(0),
        limit: 0,
        base: "",
        groups: false,
        now: Clock.now(),
    };
    let found = directory.within(&Arc::new(seen)).users(&want).await;
    directory.close().await?;
    Ok(found?.total.unwrap_or_default())
}

/// The three facts that an administrator needs (requirements S4-12).
fn facts(urn: &str, attribute: &CustomAttribute) -> Vec<String> {
    vec![
        format!("schema     {urn}"),
        format!("attribute  {}", attribute.name),
        format!("type       {}", in_words(attribute)),
    ]
}

fn in_words(attribute: &CustomAttribute) -> String {
    let kind = attribute.kind.keyword();
    let cased =
        if attribute.case_exact && attribute.kind == Kind::String { ", exact case" } else { "" };
    if attribute.multi_valued { format!("{kind} array{cased}") } else { format!("{kind}{cased}") }
}

pub(super) fn to_json(urn: &str, attribute: &CustomAttribute) -> Value {
    json!({
        "schema": urn,
        "attribute": attribute.name,
        "type": attribute.kind.keyword(),
        "multi_valued": attribute.multi_valued,
        "case_exact": attribute.case_exact,
        "values": attribute.canonical_values,
        "description": attribute.description,
    })
}
