//! The token at the hosts that it is not for, and the token endpoint.

use super::reach::{self, Route};
use super::report::{Check, Finding};
use super::visit::Visit;
use super::wire::{Reply, Silence};
use region_router::{Hosts, Place};
use reqwest::Method;
use serde_json::Value;

/// Each other host refuses the token and names the right one (requirements N2).
pub(super) async fn wrong_hosts(
    visit: &Visit<'_>,
    hosts: &Hosts,
    home: &Place,
    route: &Route<'_>,
    findings: &mut Vec<Finding>,
) {
    for place in hosts.all().into_iter().filter(|place| place != home) {
        let base = hosts.base_url(&place);
        let tried =
            format!("the token at {base}, which it is not for, is refused with the right URL");
        let check = Check::new("wrong_host", &visit.wire.base, tried);
        // How that host is reached is its own matter: `muster doctor` without a tenant looks at all of them.
        let Some(wire) = reach::connect(&base, route, &mut Vec::new()).await else {
            findings.push(check.skip("that host is not to be reached from here"));
            continue;
        };
        let there = Visit { wire: &wire, token: visit.token };
        findings.push(judge(check, &there.get("/Users?count=1").await, visit));
    }
}

fn judge(check: Check<'_>, reply: &Result<Reply, Silence>, visit: &Visit<'_>) -> Finding {
    let reply = match reply {
        Ok(reply) => reply,
        Err(Silence(why)) => return check.skip(why.clone()),
    };
    let named = reply.header("x-scim-correct-base-url");
    if reply.status == 401 && named == visit.wire.base {
        return check.pass(reply.in_short());
    }
    let found = format!("{}: {}", reply.in_short(), reply.detail());
    if reply.status == 401 && !named.is_empty() {
        return check.fail(
            found,
            format!(
                "That host names {named} as the right URL, and it is {}. The servers have different hosting.* settings: give all the \
                 same.",
                visit.wire.base
            ),
        );
    }
    if reply.status < 400 {
        return check.fail(
            found,
            "That host takes a token of another place: it leads to a server that takes the Host header from somewhere else. Let the \
             proxy pass the Host header on unchanged.",
        );
    }
    check.warn(
        found,
        "That host does not say which URL is right. Check what its name leads to: it should be a server with the same configuration.",
    )
}

/// The token endpoint refuses a client that nobody made, as RFC 6749 §5.2 has it.
pub(super) async fn token_endpoint(visit: &Visit<'_>) -> Finding {
    let check = Check::new(
        "oauth.endpoint",
        &visit.wire.base,
        "the token endpoint for OAuth client credentials refuses an unknown client",
    );
    let form = "grant_type=client_credentials&client_id=doctor&client_secret=doctor";
    let reply = visit.wire.at_root(Method::POST, "/oauth2/token").form(form).send().await;
    let fix = "Token requests do not reach the server: the proxy passes /scim/v2 alone, or changes the answer. Let it pass /oauth2/token \
               too. Only identity providers that use client credentials need it, such as applications of Entra's gallery.";
    match reply {
        Err(Silence(why)) => check.warn(why, fix),
        Ok(reply) => {
            let error = reply.body.get("error").and_then(Value::as_str);
            let found = format!("{}: {}", reply.in_short(), error.unwrap_or("no OAuth error"));
            if matches!(reply.status, 400 | 401) && error == Some("invalid_client") {
                check.pass(found)
            } else {
                check.warn(found, fix)
            }
        }
    }
}
