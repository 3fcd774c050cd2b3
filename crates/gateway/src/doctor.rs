//! `muster doctor`: the handshakes of identity providers, against the running server and through its public host, and what a
//! person must do when one does not work.
//!
//! It stands where an identity provider stands: names are resolved as the world's are, and nothing is known of the server but
//! its configuration and the registry.
//!
//! **Invariant**: it makes nothing that it does not take away again, and without being asked to it makes no person. No token
//! is in a finding.

mod certificate;
mod elsewhere;
mod entra;
mod installation;
mod okta;
mod reach;
mod remedy;
mod report;
mod rights;
mod token;
mod visit;
mod wire;
mod write;

use crate::app::stores::open_registry;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::Context as _;
use reach::Route;
use region_router::{Hosts, Place, Population};
use report::Check;
use secrecy::SecretString;
use std::time::Duration;
use tenant_registry::{Registry, Scopes, Tenant};
use token::Held;
use visit::Visit;

pub use report::{Finding, Report, Verdict};

/// How it is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to connect in place of what DNS says: `HOST:PORT`.
    pub connect: Option<String>,
    /// A token in place of one that is made for the run.
    pub token: Option<SecretString>,
    /// Which population; the tenant's own when nothing is said.
    pub population: Option<Population>,
    /// Whether one person is made, changed and deleted.
    pub write: bool,
    /// How long one request may take.
    pub patience: Duration,
    /// How long a server may take to hear of a new token.
    pub news_within: Duration,
}

/// Looks at what all tenants share.
pub async fn installation(config: &Config, hosts: &Hosts, options: &Options) -> Report {
    let mut findings = Vec::new();
    installation::look(config, hosts, &route(options), &mut findings).await;
    Report { tenant: None, findings }
}

/// Looks at one tenant: the registry, its host, and what identity providers ask.
///
/// # Errors
/// When the registry cannot be read. What it says of the tenant, and all that the server does, are findings.
pub async fn tenant(
    tenant: &Tenant,
    registry: &Registry,
    config: &Config,
    hosts: &Hosts,
    options: &Options,
) -> anyhow::Result<Report> {
    let population = options.population.unwrap_or(tenant.population);
    let place = Place { region: tenant.region.clone(), population };
    let base = hosts.base_url(&place);
    let mut findings = Vec::new();
    let access = rights::Access::read(registry, tenant).await;
    let access = access.context("the registry cannot be read")?;
    rights::look(tenant, &access, config, Clock.now(), &mut findings);
    let route = route(options);
    let wire = reach::connect(&base, &route, &mut findings).await;
    let is_met = match &wire {
        Some(wire) => reach::greet(wire, &mut findings).await,
        None => false,
    };
    match wire.filter(|_| is_met) {
        None => findings.push(not_tried(&base, "the host cannot be used")),
        Some(wire) => {
            let case = Case { tenant, registry, hosts, options, route, place };
            case.handshakes(&wire, &mut findings).await;
        }
    }
    // Commands are to be copied as they stand.
    for fix in findings.iter_mut().filter_map(|finding| finding.fix.as_mut()) {
        *fix = fix.replace("TENANT", &tenant.slug);
    }
    Ok(Report { tenant: Some(tenant.slug.clone()), findings })
}

/// Opens the registry that the configuration names.
///
/// # Errors
/// When it cannot be opened.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Registry> {
    open_registry(config).await
}

fn route(options: &Options) -> Route<'_> {
    Route { connect: options.connect.as_deref(), patience: options.patience }
}

fn not_tried(base: &str, why: &str) -> Finding {
    Check::new("handshakes", base, "what Okta and Entra ask").skip(why)
}

/// One tenant at one place.
struct Case<'a> {
    tenant: &'a Tenant,
    registry: &'a Registry,
    hosts: &'a Hosts,
    options: &'a Options,
    route: Route<'a>,
    place: Place,
}

impl Case<'_> {
    /// With a token, which is revoked at the end, whatever happens.
    async fn handshakes(&self, wire: &wire::Wire, findings: &mut Vec<Finding>) {
        let held = match self.hold(&wire.base).await {
            Ok(held) => held,
            Err(finding) => {
                findings.push(finding);
                return findings.push(not_tried(&wire.base, "there is no token"));
            }
        };
        let made = write::Made::default();
        let visit = Visit { wire, token: &held.token };
        let is_whole = tokio::select! {
            () = self.with_token(&visit, &held, &made, findings) => true,
            _ = tokio::signal::ctrl_c() => false,
        };
        if !is_whole {
            findings.push(not_tried(&wire.base, "stopped"));
        }
        findings.extend(write::clean_up(&visit, &made).await);
        findings.extend(token::revoke(&held, self.registry, self.tenant, &wire.base).await);
    }

    async fn hold(&self, base: &str) -> Result<Held, Finding> {
        if let Some(token) = &self.options.token {
            return token::given(token, self.registry, self.tenant, &self.place, base).await;
        }
        let scopes = if self.options.write {
            Scopes::ALL
        } else {
            Scopes::parse("read").unwrap_or(Scopes::ALL)
        };
        token::mint(self.registry, self.tenant, self.place.population, scopes, base).await
    }

    async fn with_token(
        &self,
        visit: &Visit<'_>,
        held: &Held,
        made: &write::Made,
        findings: &mut Vec<Finding>,
    ) {
        let patience = self.options.news_within;
        let accepted = token::accepted(visit.wire, held, self.tenant, patience).await;
        let is_accepted = accepted.verdict != Verdict::Fail;
        findings.push(accepted);
        if !is_accepted {
            return findings.push(not_tried(&visit.wire.base, "the token is refused"));
        }
        okta::handshake(visit, findings).await;
        entra::handshake(visit, &self.tenant.tolerance, findings).await;
        elsewhere::wrong_hosts(visit, self.hosts, &self.place, &self.route, findings).await;
        findings.push(elsewhere::token_endpoint(visit).await);
        if self.options.write {
            write::life(visit, &self.tenant.tolerance, made, findings).await;
        }
    }
}
