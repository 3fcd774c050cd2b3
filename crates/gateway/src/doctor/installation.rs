//! What all tenants share: the registry, the stores, the ops port, every host.

use super::reach::{self, Route};
use super::report::{Check, Finding};
use super::wire::{Silence, Wire, shortened};
use crate::app::Stores;
use crate::app::stores::{Known, label, open_registry, store_key};
use crate::config::{Config, FIRST_SHARD, Home};
use directory::Directory;
use region_router::Hosts;
use reqwest::Method;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio_util::task::TaskTracker;

pub(super) async fn look(
    config: &Config,
    hosts: &Hosts,
    route: &Route<'_>,
    findings: &mut Vec<Finding>,
) {
    findings.push(registry(config).await);
    for settings in &config.regions {
        let (shards, is_here) =
            (settings.shards.keys(), !matches!(settings.home, Home::Gateway(_)));
        let shards = shards.map(String::as_str).filter(|_| is_here);
        for shard in std::iter::once(FIRST_SHARD).chain(shards) {
            findings.push(store(config, settings, shard).await);
        }
    }
    ops(config, route, findings).await;
    for place in hosts.all() {
        if let Some(wire) = reach::connect(&hosts.base_url(&place), route, findings).await {
            reach::greet(&wire, findings).await;
        }
    }
    admin(hosts, route, findings).await;
}

async fn registry(config: &Config) -> Finding {
    let check = Check::new("registry", "stores", "the registry opens");
    let fix = "Check registry.url (and registry.pepper), and whether its database runs and lets this machine in. Running servers go on \
               with what they know meanwhile; nothing can be changed.";
    let registry = match open_registry(config).await {
        Ok(registry) => registry,
        Err(error) => return check.fail(shortened(&format!("{error:#}")), fix),
    };
    match registry.tenants().await {
        Ok(tenants) => check.pass(format!("it does, with {} tenants", tenants.len())),
        Err(error) => check.fail(migrations::causes(&error), fix),
    }
}

async fn store(config: &Config, settings: &crate::config::RegionSettings, shard: &str) -> Finding {
    let region = &settings.region;
    let (label, key) = (label(region, shard), store_key(region, shard));
    let check = Check::new("store", "stores", format!("the store of region {label} opens"));
    if let Home::Gateway(url) = &settings.home {
        return check.skip(format!("it is behind the gateway {url}"));
    }
    if !config.serves.contains(region) {
        return check.skip("this node does not serve the region (node.regions)");
    }
    let fix = format!(
        "Check {key}, and whether the database runs and lets this machine in. Until then every request of the \
         tenants in it is answered with 503."
    );
    match Stores::open_one(config, region, shard, &TaskTracker::new()).await {
        Err(error) => check.fail(shortened(&format!("{error:#}")), fix),
        Ok(directory) => match (directory.ping().await, known(config, &directory).await) {
            (Ok(()), Ok(())) => check.pass("it does"),
            (Err(error), _) => check.fail(migrations::causes(&error), fix),
            (Ok(()), Err(other)) => check.fail(other.to_string(), fix),
        },
    }
}

/// Whether a store is the one that the registry knows, where that answers; that it does not is said of it.
async fn known(config: &Config, directory: &Directory) -> anyhow::Result<()> {
    let Ok(registry) = open_registry(config).await else { return Ok(()) };
    Known::look(&registry, directory).await.or_refuse(directory)
}

/// The port that only operators reach: whether the server says that it is ready.
async fn ops(config: &Config, route: &Route<'_>, findings: &mut Vec<Finding>) {
    let mut at = config.ops_listen;
    let check = |id, tried: &str| Check::new(id, "ops port", format!("{tried} at {at}"));
    if at.port() == 0 {
        findings.push(
            check("ops.ready", "/readyz").skip("ops.listen has port 0: the system chose one"),
        );
        return;
    }
    let ready = check("ops.ready", "/readyz");
    let versions = check("ops.version", "/version");
    if at.ip().is_unspecified() {
        at = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), at.port());
    }
    let wire = match Wire::new(&format!("http://{at}"), at, route.patience) {
        Ok(wire) => wire,
        Err(Silence(why)) => return findings.push(ready.skip(why)),
    };
    match wire.at_root(Method::GET, "/readyz").send().await {
        Err(Silence(why)) => {
            findings.push(ready.warn(
                why,
                "No server answers on the ops port of this machine. If one should run here, start it (`muster serve`); else run the \
                 doctor where it runs, or leave this be.",
            ));
            return;
        }
        Ok(reply) if reply.status == 200 => findings.push(ready.pass(reply.in_short())),
        Ok(reply) => {
            let found = format!("{}: {}", reply.in_short(), shortened(&reply.text));
            findings.push(ready.fail(
                found,
                "The server is not ready, and load balancers send it nothing. The answer names the store that does not answer; if it \
                 says draining, the server is stopping.",
            ));
        }
    }
    if let Ok(reply) = wire.at_root(Method::GET, "/version").send().await {
        let theirs = reply.body.get("version").and_then(Value::as_str).unwrap_or("?");
        let ours = env!("CARGO_PKG_VERSION");
        findings.push(if theirs == ours {
            versions.pass(theirs)
        } else {
            versions.warn(
                format!("the server is {theirs}, this command is {ours}"),
                "Use the command of the same version as the server.",
            )
        });
    }
}

async fn admin(hosts: &Hosts, route: &Route<'_>, findings: &mut Vec<Finding>) {
    let base = hosts.admin_base_url();
    let Some(wire) = reach::connect(&base, route, findings).await else { return };
    let check = Check::new("admin", &base, "the admin host is answered by the server");
    findings.push(match wire.at_root(Method::GET, "/").send().await {
        Err(Silence(why)) => check.fail(why, "See the proxy in front of the server, and its certificate for this name."),
        Ok(reply) if reply.header("x-request-id").is_empty() => check.warn(
            reply.in_short(),
            "The answer has no X-Request-Id: something else than the server answers. Check what the name leads to.",
        ),
        Ok(reply) => check.pass(reply.in_short()),
    });
}
