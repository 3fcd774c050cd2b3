//! From a name to a SCIM server that asks for a token: DNS, TCP, TLS, the clock, the host.

use super::certificate::not_after;
use super::remedy;
use super::report::{Check, Finding};
use super::wire::{Reply, Silence, Wire};
use crate::clock::Clock;
use reqwest::{Method, Url};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, UtcOffset};
use tokio::net::{TcpStream, lookup_host};

/// A clock that is off by more is worth a look.
const SKEW_WARN: time::Duration = time::Duration::seconds(30);
/// A clock that is off by more breaks what has an expiry.
const SKEW_FAIL: time::Duration = time::Duration::minutes(5);
/// A certificate that ends sooner should have been renewed by now.
const CERTIFICATE_WARN: time::Duration = time::Duration::days(14);

/// Where a host is looked for.
#[derive(Debug, Clone)]
pub(super) struct Route<'a> {
    /// In place of what DNS says: `HOST:PORT`.
    pub(super) connect: Option<&'a str>,
    pub(super) patience: Duration,
}

/// Finds the address of a base URL's host and connects to it.
pub(super) async fn connect(
    base: &str,
    route: &Route<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Wire> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let name = match route.connect {
        Some(given) => given.to_owned(),
        None => format!("{host}:{port}"),
    };
    let addresses = resolve(base, &host, &name, route, findings).await?;
    let at = open(base, &name, &addresses, route.patience, findings).await?;
    if url.scheme() == "http" && !is_here(&host) {
        findings.push(Check::new("scheme", base, "the URL that administrators are given").warn(
            "it begins with http://",
            "Identity providers insist on HTTPS (Okta and Entra refuse anything else), and without it everybody on the way reads \
             the token. End TLS in front of the server and set hosting.public_scheme = \"https\".",
        ));
    }
    match Wire::new(base, at, route.patience) {
        Ok(wire) => Some(wire),
        Err(Silence(why)) => {
            findings.push(
                Check::new("client", base, "making a client").fail(why, "Check hosting.domain."),
            );
            None
        }
    }
}

async fn resolve(
    base: &str,
    host: &str,
    name: &str,
    route: &Route<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<SocketAddr>> {
    let check = Check::new("dns", base, format!("the address of {name}"));
    // Names below localhost are this machine's own (RFC 6761 §6.3); not every resolver knows.
    if route.connect.is_none() && is_here(host) {
        let port = name.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
        findings.push(check.pass("this machine; names below localhost are its own"));
        return Some(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
    }
    let found = tokio::time::timeout(route.patience, lookup_host(name.to_owned())).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    if addresses.is_empty() {
        let fix = match route.connect {
            Some(given) => format!(
                "--connect {given} names no address; give a host and a port, such as 10.0.0.7:8080."
            ),
            None => format!(
                "Make a DNS record (A, AAAA or CNAME) for {host} that leads to the load balancer, for the whole world to see; or, \
                 if the name is wrong, set hosting.domain or the region's host_prefix. To try a server that has no name yet: \
                 --connect HOST:PORT."
            ),
        };
        findings.push(check.fail(format!("{name} has no address"), fix));
        return None;
    }
    let listed: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    findings.push(check.pass(listed.join(", ")));
    Some(addresses)
}

async fn open(
    base: &str,
    name: &str,
    addresses: &[SocketAddr],
    patience: Duration,
    findings: &mut Vec<Finding>,
) -> Option<SocketAddr> {
    let check = Check::new("tcp", base, format!("a connection to {name}"));
    let mut why = String::new();
    let mut was_silent = false;
    for address in addresses {
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                findings.push(check.pass(format!("{address} accepts")));
                return Some(*address);
            }
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => {
                was_silent = true;
                why = format!("{address} does not answer within {} s", patience.as_secs());
            }
        }
    }
    let fix = if was_silent {
        "A firewall or security group drops the packets, or the address is not that of the load balancer. Open the port to the \
         identity providers' networks."
    } else {
        "Nothing listens there. Start the server (`muster serve`), or the load balancer in front of it; see server.listen, and \
         hosting.public_port for the port in the URL."
    };
    findings.push(check.fail(why, fix));
    None
}

/// Asks without a token, which shows TLS, the clock, and whether this is SCIM and the right host.
pub(super) async fn greet(wire: &Wire, findings: &mut Vec<Finding>) -> bool {
    let before = Clock.now();
    let is_tls = wire.base.starts_with("https://");
    let reply = wire.call(Method::GET, "/Users?count=1").send().await;
    let reply = match reply {
        Ok(reply) => reply,
        Err(Silence(why)) => {
            let (id, fix) =
                if is_tls { ("tls", untrusted(&why)) } else { ("http", NO_HTTP.to_owned()) };
            let tried = if is_tls {
                "a TLS connection that anybody trusts"
            } else {
                "a request without a token"
            };
            findings.push(Check::new(id, &wire.base, tried).fail(why, fix));
            return false;
        }
    };
    if is_tls {
        findings.push(certificate(wire, &reply, before));
    }
    findings.push(clock(wire, &reply, before));
    let anonymous = anonymous(wire, &reply);
    let is_good = anonymous.fix.is_none();
    findings.push(anonymous);
    is_good
}

const NO_HTTP: &str = "Something listens there that does not answer HTTP. Check that the port is the server's (server.listen), and that \
     hosting.public_scheme is https if TLS is spoken there.";

fn untrusted(why: &str) -> String {
    let lower = why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let fix = if has(&["expired"]) {
        "The certificate has expired. Renew it."
    } else if has(&["notvalidforname", "not valid for name"]) {
        "The certificate is for another name. Have one issued for each host, or for *.DOMAIN."
    } else if has(&["unknownissuer", "unknown issuer", "self-signed", "selfsigned"]) {
        "Nobody vouches for the certificate: it is self-signed, or the intermediate certificates are not sent. Install one of a \
         public authority, with its chain; identity providers accept nothing else."
    } else if has(&["certificate"]) {
        "The certificate is not accepted, as the text says. Install one of a public authority, with its chain."
    } else {
        "No TLS is spoken there. End TLS in front of the server, or set hosting.public_scheme = \"http\" for a trial on one machine."
    };
    fix.to_owned()
}

fn certificate(wire: &Wire, reply: &Reply, now: OffsetDateTime) -> Finding {
    let check = Check::new("tls", &wire.base, "a TLS connection that anybody trusts");
    let Some(end) = reply.certificate.as_deref().and_then(not_after) else {
        return check.pass("trusted");
    };
    let days = (end - now).whole_days();
    let found = format!("trusted; the certificate ends on {} (in {days} days)", end.date());
    if end - now < CERTIFICATE_WARN {
        return check
            .warn(found, "Renew the certificate, and see why that was not done by itself.");
    }
    check.pass(found)
}

/// Compares the server's `Date` with the time here, at the middle of the request.
fn clock(wire: &Wire, reply: &Reply, before: OffsetDateTime) -> Finding {
    let check = Check::new("clock", &wire.base, "the server's time, in its Date header");
    let sent = OffsetDateTime::parse(&reply.header("date").replace("GMT", "+0000"), &Rfc2822);
    let Ok(theirs) = sent else {
        return check.warn(
            "there is no Date header",
            "A proxy takes the Date header away; then the clock cannot be compared. Look at it on the server itself.",
        );
    };
    let ours = before + reply.took / 2;
    let skew = theirs.to_offset(UtcOffset::UTC) - ours;
    // The header has whole seconds.
    let seconds = skew.whole_seconds();
    let direction = if seconds < 0 { "behind" } else { "ahead of" };
    if skew.abs() <= SKEW_WARN {
        return check.pass("the same as here");
    }
    let found = format!("{} s {direction} the time of this machine", seconds.abs());
    let fix = "One of the two clocks is wrong. Switch time synchronization on (NTP, chrony, systemd-timesyncd) on the server and \
               here: expiry of tokens and signatures, and the times in the log, are judged by it.";
    if skew.abs() > SKEW_FAIL { check.fail(found, fix) } else { check.warn(found, fix) }
}

/// Who answers 401 in SCIM's form is a SCIM server that knows the host.
fn anonymous(wire: &Wire, reply: &Reply) -> Finding {
    let check = Check::new(
        "host",
        &wire.base,
        "a request without a token is refused with 401, as SCIM has it",
    );
    let found = format!("{}: {}", reply.in_short(), reply.detail());
    if reply.status == 401 && reply.is_message("Error") && reply.is_scim() {
        let challenged =
            reply.header("www-authenticate").to_ascii_lowercase().starts_with("bearer");
        if !challenged {
            return check.warn(
                reply.in_short(),
                "The header WWW-Authenticate is missing: a proxy takes it away. Let it pass; clients may need it (RFC 6750 §3).",
            );
        }
        return check.pass(reply.in_short());
    }
    let fix = match reply.status {
        _ if !reply.reason().is_empty() => remedy::of(reply, &wire.base),
        300..=399 => format!(
            "The host redirects to {}. Identity providers do not follow, since the token would go along. Give out the URL that is \
             redirected to, or serve SCIM here.",
            reply.header("location")
        ),
        401 => "Something in front of the server asks for a login of its own, or changes the answer: an authenticating proxy, a \
                firewall for web applications. Let /scim/v2 and /oauth2/token pass."
            .to_owned(),
        403 => "Something in front of the server refuses the request: a firewall for web applications, or a rule for addresses. \
                Let /scim/v2 pass for the identity providers."
            .to_owned(),
        404 => format!(
            "Something else than this server answers at {}. Check what the name leads to, and that the proxy passes the path \
             /scim/v2 and the Host header on unchanged.",
            wire.base
        ),
        502..=504 => "The proxy in front does not reach the server. Start it (`muster serve`), and check the proxy's upstream \
                      address and health check (/readyz on the ops port)."
            .to_owned(),
        _ => "Something else than this server answers. Check what the name leads to.".to_owned(),
    };
    check.fail(found, fix)
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "[::1]"
}
