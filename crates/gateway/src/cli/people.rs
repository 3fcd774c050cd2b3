//! `muster user`, `muster group`, `muster residency`, `muster audit`, `muster plan`.

use super::ask::{Ask, Dry, Paged, part};
use super::output::Output;
use crate::config::Config;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Show people, in the order in which they came
    List {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        /// Only the one with this userName
        #[arg(long)]
        user_name: Option<String>,
        /// Only those with this externalId
        #[arg(long)]
        external_id: Option<String>,
        /// Only those with this e-mail address
        #[arg(long)]
        email: Option<String>,
        /// Only those who may use the product, or may not
        #[arg(long)]
        active: Option<bool>,
        #[command(flatten)]
        population: Population,
        #[command(flatten)]
        page: Paged,
    },
    /// Show one person
    Show(Person),
    /// Take a person's access away
    Deactivate(Act),
    /// Activate a person, or bring back one that was deleted
    Restore(Act),
    /// Take the identity provider's id off a person, so that its next match decides anew
    Unlink(Act),
}

#[derive(Debug, Clone, Args)]
pub(super) struct Population {
    /// Of which population; without it, of the tenant's
    #[arg(long, value_parser = ["platform", "board"])]
    population: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Person {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
    /// The person's or the group's id
    #[arg(value_parser = part)]
    id: String,
    #[command(flatten)]
    population: Population,
}

#[derive(Debug, Args)]
pub(super) struct Act {
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Subcommand)]
pub(super) enum Group {
    /// Show groups, in the order in which they came
    List {
        /// Slug or id
        #[arg(value_parser = part)]
        tenant: String,
        /// Only the one with this name
        #[arg(long)]
        display_name: Option<String>,
        #[command(flatten)]
        population: Population,
        #[command(flatten)]
        page: Paged,
    },
    /// Show one group with its members
    Show(Person),
}

#[derive(Debug, Args)]
pub(super) struct Residency {
    /// Slug or id
    #[arg(value_parser = part)]
    tenant: String,
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Slug or id; without it, everybody's
    #[arg(value_parser = part)]
    tenant: Option<String>,
    /// Only changes by this actor
    #[arg(long)]
    actor: Option<String>,
    /// Only this kind of change, such as tenant.change
    #[arg(long)]
    action: Option<String>,
    /// Only those at this time or later, such as 2026-11-22T10:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Only those before this time
    #[arg(long)]
    until: Option<String>,
    #[command(flatten)]
    page: Paged,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plan {
    /// Show the plans that somebody described; any other holds everything
    List {
        #[command(flatten)]
        page: Paged,
    },
    /// Show one plan
    Show {
        /// Its name
        #[arg(value_parser = part)]
        name: String,
    },
    /// Say what a plan holds; its tenants follow at once
    Set {
        /// Its name
        #[arg(value_parser = part)]
        name: String,
        /// Whether directory sync is part of it
        #[arg(long, value_parser = ["on", "off"])]
        directory_sync: String,
        /// Whether groups are part of it
        #[arg(long, value_parser = ["on", "off"])]
        group_push: String,
        /// What an administrator reads where something is not part of it
        #[arg(long)]
        text: Option<String>,
        /// How many seconds a tenant that loses directory sync keeps it
        #[arg(long)]
        grace_seconds: Option<u64>,
        #[command(flatten)]
        dry: Dry,
    },
}

pub(super) async fn user(command: User, config: &Config, output: Output) -> anyhow::Result<()> {
    let act = |act: Act, what: &str| {
        let Person { tenant, id, population } = act.person;
        Ask::post(format!("tenants/{tenant}/users/{id}/{what}"), act.dry)
            .query("population", population.population)
    };
    let ask = match command {
        User::List { tenant, user_name, external_id, email, active, population, page } => {
            Ask::get(format!("tenants/{tenant}/users"))
                .query("user_name", user_name)
                .query("external_id", external_id)
                .query("email", email)
                .query("active", active)
                .query("population", population.population)
                .page(&page)
                .columns(&["id", "user_name", "active", "external_id", "updated_at"])
        }
        User::Show(one) => one.ask("users"),
        User::Deactivate(one) => act(one, "deactivate"),
        User::Restore(one) => act(one, "restore"),
        User::Unlink(one) => act(one, "unlink"),
    };
    ask.answer(config, output).await
}

impl Person {
    fn ask(self, noun: &str) -> Ask {
        Ask::get(format!("tenants/{}/{noun}/{}", self.tenant, self.id))
            .query("population", self.population.population)
    }
}

pub(super) async fn group(command: Group, config: &Config, output: Output) -> anyhow::Result<()> {
    let ask = match command {
        Group::List { tenant, display_name, population, page } => {
            Ask::get(format!("tenants/{tenant}/groups"))
                .query("display_name", display_name)
                .query("population", population.population)
                .page(&page)
                .columns(&["id", "display_name", "external_id", "updated_at"])
        }
        Group::Show(one) => one.ask("groups"),
    };
    ask.answer(config, output).await
}

pub(super) async fn residency(
    asked: Residency,
    config: &Config,
    output: Output,
) -> anyhow::Result<()> {
    Ask::get(format!("tenants/{}/residency", asked.tenant)).answer(config, output).await
}

pub(super) async fn audit(asked: Audit, config: &Config, output: Output) -> anyhow::Result<()> {
    let path = match &asked.tenant {
        Some(tenant) => format!("tenants/{tenant}/audit"),
        None => "audit".to_owned(),
    };
    Ask::get(path)
        .query("actor", asked.actor)
        .query("action", asked.action)
        .query("since", asked.since)
        .query("until", asked.until)
        .page(&asked.page)
        .columns(&["at", "actor", "action", "target", "tenant_id", "request_id"])
        .answer(config, output)
        .await
}

pub(super) async fn plan(command: Plan, config: &Config, output: Output) -> anyhow::Result<()> {
    let ask = match command {
        Plan::List { page } => Ask::get("plans").page(&page).columns(&[
            "name",
            "directory_sync",
            "group_push",
            "grace_seconds",
            "upgrade_text",
        ]),
        Plan::Show { name } => Ask::get(format!("plans/{name}")),
        Plan::Set { name, directory_sync, group_push, text, grace_seconds, dry } => {
            Ask::put(format!("plans/{name}"), dry)
                .field("directory_sync", Some(directory_sync == "on"))
                .field("group_push", Some(group_push == "on"))
                .field("upgrade_text", text)
                .field("grace_seconds", grace_seconds)
        }
    };
    ask.answer(config, output).await
}
