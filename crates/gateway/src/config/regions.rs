//! `[regions.NAME]` and `node.regions`: where each region's data lives, and which of it is served here.

use super::values::Values;
use migrations::Engine;
use region_router::Region;
use region_router::peer::Gateway;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tenant_registry::is_shard;

/// The regions that are there when nobody named them.
const BUILT_IN: [&str; 2] = ["us", "eu"];

/// The shard that a region's `store` is.
pub const FIRST_SHARD: &str = "0";

/// What is configured for one region.
#[derive(Debug, Clone)]
pub struct RegionSettings {
    /// Which region.
    pub region: Region,
    /// Where its data is reached from here.
    pub home: Home,
    /// Its further databases, by the names of their shards.
    pub shards: BTreeMap<String, SecretString>,
    /// A copy of its first database, to read from what may be a moment old.
    pub replica: Option<SecretString>,
    /// What its hosts begin with.
    pub host_prefix: String,
    /// How many requests are on their way to its gateway at most.
    pub gateway_connections: usize,
}

impl RegionSettings {
    /// Every database of the region that is configured here, by the names of their shards.
    pub fn stores(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        let first = match &self.home {
            Home::Store(url) => Some((FIRST_SHARD, url)),
            Home::Gateway(_) => None,
        };
        first.into_iter().chain(self.shards.iter().map(|(shard, url)| (shard.as_str(), url)))
    }
}

/// Where a region's data is reached from this node.
#[derive(Debug, Clone)]
pub enum Home {
    /// A database that this node may open.
    Store(SecretString),
    /// The base URL of a gateway in that region.
    Gateway(String),
}

pub(super) fn read(values: &mut Values, data_dir: &Path) -> Vec<RegionSettings> {
    let mut names = values.names_in("regions");
    names.extend(BUILT_IN.map(str::to_owned));
    let regions: Vec<RegionSettings> =
        names.iter().filter_map(|name| read_one(values, name, data_dir)).collect();
    check_apart(values, &regions);
    regions
}

/// Each database is one store: of one region, and one shard of it.
fn check_apart(values: &mut Values, regions: &[RegionSettings]) {
    let all: Vec<(&RegionSettings, &str, &SecretString)> = regions
        .iter()
        .flat_map(|one| one.stores().map(move |(shard, url)| (one, shard, url)))
        .collect();
    for (index, (one, shard, url)) in all.iter().enumerate() {
        for (other, other_shard, same) in all.iter().skip(index + 1) {
            if url.expose_secret() != same.expose_secret() {
                continue;
            }
            let source = values.source(&given(values, &key_of(one, shard)));
            let what = match *shard {
                FIRST_SHARD => format!("region {}", one.region),
                shard => format!("shard {shard} of region {}", one.region),
            };
            let each = if one.region == other.region { "shard" } else { "region" };
            let key = given(values, &key_of(other, other_shard));
            values.problem(
                &key,
                format!(
                    "is the store of {what} too ({source}): each {each} has a database of its own"
                ),
            );
        }
    }
}

fn key_of(settings: &RegionSettings, shard: &str) -> String {
    match shard {
        FIRST_SHARD => format!("regions.{}.store", settings.region),
        shard => format!("regions.{}.shards.{shard}", settings.region),
    }
}

/// The key under which a secret was written: its own, or that of its file.
fn given(values: &Values, key: &str) -> String {
    let file = format!("{key}_file");
    if !values.is_given(key) && values.is_given(&file) { file } else { key.to_owned() }
}

fn read_one(values: &mut Values, name: &str, data_dir: &Path) -> Option<RegionSettings> {
    let key = |field: &str| format!("regions.{name}.{field}");
    let (store_key, gateway_key, prefix_key) = (key("store"), key("gateway"), key("host_prefix"));
    let store = values.secret(&store_key);
    let gateway = values.parsed(
        &gateway_key,
        "the base URL of a gateway, such as https://eu-gateway.example.com",
        |text| Gateway::parse(text).ok().map(|_good| text.trim_end_matches('/').to_owned()),
    );
    let host_prefix = values.text_or_nothing(&prefix_key);
    let shards = read_shards(values, name);
    let replica = read_replica(values, name, store.as_ref());
    let gateway_connections = values.number(&key("gateway_connections"), 64, 1..=10_000);
    let Ok(region) = Region::parse(name) else {
        let given = [store_key, gateway_key, prefix_key, key("store_file")];
        let written = given.iter().find(|key| values.is_given(key)).cloned();
        let about = "is not the name of a region: a small letter, then at most seven small letters or digits";
        values.problem(&written.unwrap_or_else(|| key("store")), format!("{name:?} {about}"));
        return None;
    };
    if store.is_some() && values.is_given(&gateway_key) {
        let at = values.source(&gateway_key);
        values.problem(
            &store_key,
            format!("is given, and so is {gateway_key} ({at}): a region has a store here or a gateway elsewhere"),
        );
    }
    if let Some(url) = &store {
        check_store(values, &store_key, url);
    }
    if let Some(shard) = shards.keys().next().filter(|_| store.is_none() && gateway.is_some()) {
        let key = given(values, &format!("regions.{name}.shards.{shard}"));
        let at = values.source(&gateway_key);
        values.problem(
            &key,
            format!("is given, and so is {gateway_key} ({at}): a region has its stores here or a gateway elsewhere"),
        );
    }
    let home = match (store, gateway) {
        (Some(url), _) => Home::Store(url),
        (None, Some(url)) => Home::Gateway(url),
        (None, None) => Home::Store(sqlite_in(data_dir, name)),
    };
    let default_prefix = || if name == "us" { String::new() } else { format!("{name}-") };
    let host_prefix = host_prefix.unwrap_or_else(default_prefix);
    Some(RegionSettings { region, home, shards, replica, host_prefix, gateway_connections })
}

/// The copy of a region's first database.
fn read_replica(
    values: &mut Values,
    name: &str,
    store: Option<&SecretString>,
) -> Option<SecretString> {
    let key = format!("regions.{name}.replica");
    let url = values.secret(&key)?;
    let is_server = |url: &SecretString| Engine::of(url.expose_secret()) == Some(Engine::Postgres);
    let wrong = if !is_server(&url) {
        "must begin with postgres://: only a server has copies"
    } else if !store.is_some_and(is_server) {
        "is the copy of a region's store, which must be named with postgres:// too"
    } else if store.is_some_and(|store| store.expose_secret() == url.expose_secret()) {
        "is the region's store itself, and not a copy of it"
    } else {
        return Some(url);
    };
    let at = given(values, &key);
    values.problem(&at, wrong);
    None
}

/// The databases of a region beside its `store`.
fn read_shards(values: &mut Values, name: &str) -> BTreeMap<String, SecretString> {
    let section = format!("regions.{name}.shards");
    let named: BTreeSet<String> = values
        .names_below(&section)
        .iter()
        .map(|shard| shard.strip_suffix("_file").unwrap_or(shard).to_owned())
        .collect();
    let mut shards = BTreeMap::new();
    for shard in named {
        let key = format!("{section}.{shard}");
        let url = values.secret(&key);
        if shard == FIRST_SHARD {
            let key = given(values, &key);
            values.problem(
                &key,
                format!("shard 0 of a region is its store: name it with regions.{name}.store"),
            );
            continue;
        }
        if !is_shard(&shard) {
            let key = given(values, &key);
            values.problem(
                &key,
                format!("{shard:?} is not the name of a shard: 1 to 16 small letters and digits"),
            );
            continue;
        }
        if let Some(url) = url {
            check_store(values, &key, &url);
            shards.insert(shard, url);
        }
    }
    shards
}

/// The URL of a SQLite file in the data folder.
pub(super) fn sqlite_in(data_dir: &Path, name: &str) -> SecretString {
    format!("sqlite:{}", data_dir.join(format!("{name}.sqlite")).display()).into()
}

/// Checks the form of a store's URL, without showing it: it may hold a password.
pub(super) fn check_store(values: &mut Values, key: &str, url: &SecretString) {
    let url = url.expose_secret();
    let at = if values.is_given(key) { key.to_owned() } else { format!("{key}_file") };
    match Engine::of(url) {
        None => values.problem(&at, "must begin with sqlite: or postgres://"),
        Some(Engine::Sqlite) if url.trim_start_matches("sqlite:").trim_matches('/').is_empty() => {
            values.problem(&at, "names no file after sqlite:");
        }
        Some(Engine::Sqlite | Engine::Postgres) => {}
    }
}

/// The regions that this node serves: those named, else all that have a store.
pub(super) fn served(
    values: &mut Values,
    regions: &[RegionSettings],
    registry: &SecretString,
) -> BTreeSet<Region> {
    let served = named_or_all(values, regions);
    let is_one_of_many =
        ["redis.url", "redis.url_file", "node.peer_jwks"].iter().any(|key| values.is_given(key))
            || regions.iter().any(|settings| matches!(settings.home, Home::Gateway(_)));
    if is_one_of_many && is_server(registry) {
        check_known(values, regions, &served);
    }
    served
}

fn is_server(url: &SecretString) -> bool {
    Engine::of(url.expose_secret()) == Some(Engine::Postgres)
}

/// A file of its own for a region that nobody named is for a node that is alone. On one of several, where the registry and another
/// region have database servers, it would be a second home of the region's people, on a disk that is perhaps in another region.
fn check_known(values: &mut Values, regions: &[RegionSettings], served: &BTreeSet<Region>) {
    let has_server = |settings: &&RegionSettings| match &settings.home {
        Home::Gateway(_) => false,
        Home::Store(url) => is_server(url),
    };
    let Some(other) = regions.iter().find(has_server).map(|settings| &settings.region) else {
        return;
    };
    for RegionSettings { region, shards, .. } in regions {
        let key = |field: &str| format!("regions.{region}.{field}");
        let is_said =
            ["store", "store_file", "gateway"].iter().any(|field| values.is_given(&key(field)));
        if served.contains(region) && !is_said && shards.is_empty() {
            let text = format!(
                "is not given, and region {other} has a database server (regions.{other}.store): name the database of region {region}, or the gateway that serves it ({}), or the regions of this node without it (node.regions)",
                key("gateway")
            );
            values.problem(&key("store"), text);
        }
    }
}

fn named_or_all(values: &mut Values, regions: &[RegionSettings]) -> BTreeSet<Region> {
    let has_store = |region: &&RegionSettings| matches!(region.home, Home::Store(_));
    let all: Vec<&RegionSettings> = regions.iter().filter(has_store).collect();
    let Some(named) = values.words("node.regions") else {
        return all.iter().map(|settings| settings.region.clone()).collect();
    };
    let list = |of: &mut dyn Iterator<Item = &RegionSettings>| {
        of.map(|settings| settings.region.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut served = BTreeSet::new();
    for name in named {
        let settings = regions.iter().find(|settings| settings.region.as_str() == name);
        match settings.map(|settings| &settings.home) {
            Some(Home::Store(_)) => {
                served.extend(settings.map(|settings| settings.region.clone()));
            }
            Some(Home::Gateway(_)) => values.problem(
                "node.regions",
                format!("names {name}, which has a gateway and no store (regions.{name}.gateway)"),
            ),
            None => values.problem(
                "node.regions",
                format!("names {name:?}; the regions are: {}", list(&mut regions.iter())),
            ),
        }
    }
    served
}
