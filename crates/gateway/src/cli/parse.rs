//! Values given as arguments. What is wrong is answered with what would be right.

use crate::config::{Config, parse_span};
use anyhow::bail;
use provisioning::ProfileId;
use region_router::{Population, Region};
use scim_core::{Quirk, Tolerance};
use std::time::Duration;
use tenant_registry::{Registry, Tenant, is_shard};

/// A configured region.
pub(super) fn region(text: &str, config: &Config) -> anyhow::Result<Region> {
    let found = config.regions.iter().find(|settings| settings.region.as_str() == text);
    match found {
        Some(settings) => Ok(settings.region.clone()),
        None => bail!(
            "there is no region {text:?}; the regions are: {}",
            list(config.regions.iter().map(|settings| settings.region.as_str()))
        ),
    }
}

/// A shard of a region. Of a region that is behind a gateway they are not known here.
pub(super) fn shard(text: &str, region: &Region, config: &Config) -> anyhow::Result<()> {
    if !is_shard(text) {
        bail!("{text:?} is not the name of a shard; a shard is 1 to 16 small letters and digits");
    }
    let Some(shards) = config.shards(region) else { return Ok(()) };
    if !shards.contains(&text) {
        bail!(
            "region {region} has no shard {text:?}; its shards are: {}",
            list(shards.into_iter())
        );
    }
    Ok(())
}

pub(super) fn population(text: &str) -> anyhow::Result<Population> {
    match Population::parse(text) {
        Ok(population) => Ok(population),
        Err(_) => bail!(
            "there is no population {text:?}; the populations are: {}",
            list(Population::ALL.map(Population::as_str).into_iter())
        ),
    }
}

pub(super) fn profile(text: &str) -> anyhow::Result<ProfileId> {
    match ProfileId::parse(text) {
        Ok(profile) => Ok(profile),
        Err(_) => bail!(
            "there is no profile {text:?}; the profiles are: {}",
            list(ProfileId::ALL.map(ProfileId::as_str).into_iter())
        ),
    }
}

pub(super) fn expires(text: &str) -> anyhow::Result<Duration> {
    match parse_span(text) {
        Some(span) if !span.is_zero() => Ok(span),
        _ => bail!(
            "--expires {text:?} is not a span of time; write a number and a unit without a space, such as 15m, 24h or 365d"
        ),
    }
}

/// The tenant with a slug or an id.
pub(super) async fn tenant(registry: &Registry, text: &str) -> anyhow::Result<Tenant> {
    if let Some(tenant) = registry.find_tenant(text).await? {
        return Ok(tenant);
    }
    let known = registry.tenants().await?;
    if known.is_empty() {
        bail!("there is no tenant {text:?}, and none at all; make one with `muster tenant create`");
    }
    let shown = list(known.iter().take(20).map(|tenant| tenant.slug.as_str()));
    let more = if known.len() > 20 { ", … (`muster tenant list` shows all)" } else { "" };
    bail!("there is no tenant {text:?}; the tenants are: {shown}{more}")
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// A name for people: something, and not a text.
pub(super) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err("a name has 1 to 200 characters and no control characters".to_owned())
}

/// A number of seats, or `none`.
pub(super) fn seats(text: &str) -> Result<Option<u64>, String> {
    match text {
        "none" => Ok(None),
        number => number.parse().map(Some).map_err(|_not_one| "a number, or none".to_owned()),
    }
}

/// What is refused: all, none, or ids of quirks.
pub(super) fn tolerance(text: &str) -> Result<Tolerance, String> {
    Tolerance::parse(text).map_err(|_unknown| {
        let words = text.split(',').map(str::trim);
        let unknown: Vec<&str> = words.filter(|word| Quirk::parse(word).is_none()).collect();
        format!(
            "there is no quirk {}; write all, none, or some of: {}",
            unknown.join(", "),
            list(Quirk::ALL.iter().map(|quirk| quirk.id()))
        )
    })
}

/// The name of a plan, as the admin API takes it.
pub(super) fn plan(text: &str) -> Result<String, String> {
    crate::admin::tenants::plan_name(text).map_err(|problem| problem.detail)
}
