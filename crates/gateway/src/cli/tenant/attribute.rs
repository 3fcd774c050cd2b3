//! `muster tenant attribute`: what a tenant's users hold beyond the RFC.
//!
//! **Invariant**: values of people are never made invalid. An attribute that somebody has a value for keeps its type; taken
//! away and declared again, it must be what it was.

use crate::admin::attributes::view;
use crate::cli::ask::{Ask, Dry, part};
use crate::cli::output::Output;
use crate::cli::parse;
use crate::config::Config;
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use scim_core::{CustomAttribute, Kind};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Declare an attribute of the tenant's users
    Add(Add),
    /// Show what an identity provider has to map: schema, attribute, type
    List {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
    },
    /// Take an attribute away; values that people have stay stored and are not shown
    Remove {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        /// The attribute's name
        #[arg(value_parser = part)]
        name: String,
        #[command(flatten)]
        dry: Dry,
    },
}

#[derive(Debug, Args)]
#[group(id = "names", required = true, multiple = true, args = ["name", "label"])]
pub(crate) struct Add {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    #[command(flatten)]
    dry: Dry,
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
        Command::Remove { tenant, name, dry } => remove(&tenant, &name, dry, config, output).await,
    }
}

async fn add(new: &Add, config: &Config, output: Output) -> anyhow::Result<()> {
    let name = match (&new.name, &new.label) {
        (Some(name), _) => name.clone(),
        (None, Some(label)) => CustomAttribute::name_of(label),
        (None, None) => String::new(),
    };
    if name.is_empty() {
        let label = new.label.as_deref().unwrap_or_default();
        bail!("{label:?} has no letter to make a name of; give one with --name");
    }
    let is_choice = matches!(new.kind, Type::Choice | Type::Choices);
    if is_choice && new.values.is_empty() {
        bail!("a choice needs --values, with commas between them");
    }
    if !new.values.is_empty() && new.kind.kind() != Kind::String {
        bail!("--values is for text and choices");
    }
    let place = new.place.map(|place| match place {
        In::Own => "own",
        In::Enterprise => "enterprise",
    });
    let mut json = Ask::post(format!("tenants/{}/attributes", new.tenant), new.dry)
        .field("attribute", Some(name))
        .field("type", Some(new.kind.kind().keyword()))
        .field("schema", place)
        .field("multi_valued", Some(new.multi || new.kind == Type::Choices))
        .field("case_exact", Some(new.case_exact))
        .field("values", Some(new.values.clone()))
        .field("description", new.label.clone())
        .call(config)
        .await?;
    let mut lines = facts(&json);
    if !new.values.is_empty() {
        lines.push(format!("values     {}", new.values.join(", ")));
    }
    if let Some(object) = json.as_object_mut() {
        object.insert("tenant".to_owned(), json!(new.tenant));
    }
    output.answer(&json, &lines)
}

async fn list(tenant: &str, config: &Config, output: Output) -> anyhow::Result<()> {
    let found = Ask::get(format!("tenants/{tenant}/attributes")).call(config).await?;
    let attributes = found.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for attribute in &attributes {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(facts(attribute));
    }
    if lines.is_empty() {
        lines.push(format!(
            "{tenant} has no attributes of its own; declare one with `muster tenant attribute add {tenant} --name N --type text`"
        ));
    }
    output.answer(&json!({ "tenant": tenant, "attributes": attributes }), &lines)
}

async fn remove(
    tenant: &str,
    name: &str,
    dry: Dry,
    config: &Config,
    output: Output,
) -> anyhow::Result<()> {
    let mut removed =
        Ask::delete(format!("tenants/{tenant}/attributes/{name}"), dry).call(config).await?;
    let people = removed.as_object_mut().and_then(|object| object.remove("people_with_values"));
    let people = people.and_then(|people| people.as_u64()).unwrap_or_default();
    let name = text(&removed, "attribute");
    let mut lines = vec![format!("{name} is not declared any more")];
    if people > 0 {
        lines.push(format!(
            "{people} people have a value: it stays stored, and is neither shown nor found until {name} is declared again"
        ));
    }
    let json = json!({ "tenant": tenant, "removed": removed, "people_with_values": people });
    output.answer(&json, &lines)
}

/// The three facts that an administrator needs (requirements S4-12).
fn facts(attribute: &Value) -> Vec<String> {
    let is = |name: &str| attribute.get(name) == Some(&Value::Bool(true));
    let kind = text(attribute, "type");
    let list = if is("multi_valued") { " array" } else { "" };
    let cased = if is("case_exact") && kind == "string" { ", exact case" } else { "" };
    vec![
        format!("schema     {}", text(attribute, "schema")),
        format!("attribute  {}", text(attribute, "attribute")),
        format!("type       {kind}{list}{cased}"),
    ]
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn to_json(urn: &str, attribute: &CustomAttribute) -> Value {
    serde_json::to_value(view(urn, attribute)).unwrap_or_default()
}
