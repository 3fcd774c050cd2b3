//! `muster demo`: serve, with two tenants to try it on.

use super::output::Output;
use super::serve;
use crate::app::App;
use crate::config::Config;
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use secrecy::{ExposeSecret, SecretString};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tenant_registry::{By, NewCredential, NewTenant, Tenant};

const TENANTS: [(&str, &str, &str, Population); 2] = [
    ("acme", "Acme Corporation", "us", Population::Platform),
    ("wonka", "Wonka Industries", "eu", Population::Board),
];
const A_YEAR: Duration = Duration::from_hours(24 * 365);

pub(super) async fn demo(
    config: Config,
    output: Output,
    file: Option<PathBuf>,
) -> anyhow::Result<()> {
    let app = App::bind(config).await?;
    let address = app.server_address()?;
    for (slug, name, region, population) in TENANTS {
        let region = Region::parse(region)?;
        if !app.state().hosts.knows(&region) {
            continue;
        }
        let new = NewTenant::new(slug, name, Place { region, population }, ProfileId::Open);
        let (tenant, token) = tenant_and_token(&app, &new).await?;
        for line in introduction(&app, address, &tenant, token.as_ref(), file.as_deref()) {
            output.line(&line)?;
        }
    }
    serve::run(app).await
}

/// The tenant, and a token for it if it never had one.
async fn tenant_and_token(
    app: &App,
    new: &NewTenant,
) -> anyhow::Result<(Tenant, Option<SecretString>)> {
    let (registry, now) = (&app.state().registry, app.state().clock.now());
    let tenant = match registry.find_tenant(&new.slug).await? {
        Some(tenant) => tenant,
        None => registry.create_tenant(new, &By::cli(now)).await?.commit().await?,
    };
    if !registry.credentials(&tenant.id).await?.is_empty() {
        return Ok((tenant, None));
    }
    let new = NewCredential::new("demo", A_YEAR);
    let issued = registry.create_credential(&tenant.id, &new, &By::cli(now)).await?;
    let issued = issued.commit().await?;
    Ok((tenant, Some(issued.token)))
}

fn introduction(
    app: &App,
    address: SocketAddr,
    tenant: &Tenant,
    token: Option<&SecretString>,
    file: Option<&Path>,
) -> Vec<String> {
    let (hosts, place) = (&app.state().hosts, tenant.place());
    let base_url = hosts.base_url(&place);
    let mut lines = vec![format!("{} ({place})", tenant.name), format!("  base URL  {base_url}")];
    // A shell replaces $TOKEN in double quotes only, and nothing in single ones.
    let bearer = match token {
        Some(token) => {
            lines.push(format!("  token     {}", token.expose_secret()));
            format!("'Authorization: Bearer {}'", token.expose_secret())
        }
        None => {
            lines.push(format!(
                "  token     shown once, on the first start; make another with: {} token create {}{}",
                std::env::args().next().unwrap_or_else(|| "muster".to_owned()),
                tenant.slug,
                file.map(|file| format!(" --config {}", file.display())).unwrap_or_default(),
            ));
            "\"Authorization: Bearer $TOKEN\"".to_owned()
        }
    };
    let route = route(app, address, &hosts.host(&place));
    let name = format!("ada@{}.example", tenant.slug);
    lines.push("  create a person:".to_owned());
    lines.push(format!(
        "    curl -sS {route} -H {bearer} -H 'Content-Type: application/scim+json' -d '{}' '{base_url}/Users'",
        serde_json::json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": name, "type": "work" }],
        })
    ));
    lines.push("  find the person:".to_owned());
    lines.push(format!(
        "    curl -sS {route} -H {bearer} '{base_url}/Users?filter=userName%20eq%20%22{name}%22'"
    ));
    lines.push(String::new());
    lines
}

/// The option that takes curl to the listener without DNS: browsers resolve `*.localhost`, curl 7.68 does not.
fn route(app: &App, address: SocketAddr, host: &str) -> String {
    let hosting = &app.state().config.hosting;
    let public = hosting.public_port.unwrap_or(address.port());
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    let ip = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    if public == address.port() {
        format!("--resolve {host}:{public}:{ip}")
    } else {
        format!("--connect-to {host}:{public}:{ip}:{}", address.port())
    }
}
