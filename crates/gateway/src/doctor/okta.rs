//! What Okta asks of a server before it is content (idp-wire §3.2 and §3.4).

use super::report::{Check, Finding};
use super::visit::{Visit, list, nobody, refusal, status};
use super::wire::{Reply, encoded};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;

/// Okta's own suite wants groups within this time.
const GROUPS_WITHIN: Duration = Duration::from_millis(600);

pub(super) async fn handshake(visit: &Visit<'_>, findings: &mut Vec<Finding>) {
    let base = &visit.wire.base;
    let check = |id, tried: &str| Check::new(id, base, format!("Okta: {tried}"));

    let reply = visit.get("/Users?count=1&startIndex=1").await;
    findings.push(visit.judge(
        check("okta.test", "\"Test Connector Configuration\" reads one user"),
        &reply,
        |reply| list(reply).or_else(|| head(reply)),
    ));
    findings.push(in_capitals(visit, reply.as_ref().ok()).await);

    let reply = visit.get("/Users?startIndex=1&count=100").await;
    let tried = check("okta.import", "an import reads a page of 100 users");
    findings.push(visit.judge(tried, &reply, |reply| list(reply).or_else(|| head(reply))));

    let unknown = encoded(&format!("userName eq \"{}@example.com\"", uuid::Uuid::new_v4()));
    let reply = visit.get(&format!("/Users?filter={unknown}&startIndex=1&count=100")).await;
    let tried = check("okta.unknown_user", "the look-up before a create finds nobody, with 200");
    findings.push(visit.judge(tried, &reply, nobody));

    let reply = visit.get("/Users/00919288221112222").await;
    let tried = check("okta.unknown_id", "an id of another form is 404 with a SCIM error");
    findings.push(visit.judge(tried, &reply, |reply| refusal(reply, 404)));

    findings.push(groups(visit).await);

    let reply =
        visit.wire.call(Method::GET, "/Users?count=1").authorization("non-token").send().await;
    let tried = check("okta.wrong_token", "what is no token is 401 with a SCIM error");
    findings.push(visit.judge(tried, &reply, |reply| refusal(reply, 401)));

    findings.push(bare(visit).await);
}

/// Okta reads these as numbers.
fn head(reply: &Reply) -> Option<String> {
    let missing =
        ["itemsPerPage", "startIndex"].into_iter().find(|name| reply.number(name).is_none());
    missing.map(|name| format!("{name} is no number"))
}

/// Somebody who is there is found by userName in capitals.
async fn in_capitals(visit: &Visit<'_>, first: Option<&Reply>) -> Finding {
    let check = Check::new(
        "okta.capitals",
        &visit.wire.base,
        "Okta: a user is found by userName in capital letters",
    );
    let user = first.and_then(|reply| reply.body.get("Resources")).and_then(|users| users.get(0));
    let Some(name) = user.and_then(|user| user.get("userName")).and_then(Value::as_str) else {
        return check.skip("there is nobody yet");
    };
    let filter = encoded(&format!("userName eq {}", Value::from(name.to_uppercase())));
    let reply = visit.get(&format!("/Users?filter={filter}&startIndex=1&count=100")).await;
    visit.judge(check, &reply, |reply| {
        list(reply).or_else(|| {
            let total = reply.number("totalResults");
            (total != Some(1)).then(|| "not exactly one is found".to_owned())
        })
    })
}

async fn groups(visit: &Visit<'_>) -> Finding {
    let base = &visit.wire.base;
    let check = Check::new("okta.groups", base, "Okta: groups are listed within 600 ms");
    let reply = visit.get("/Groups?count=100&startIndex=1").await;
    match &reply {
        Ok(reply) if list(reply).is_none() && reply.took > GROUPS_WITHIN => check.warn(
            reply.in_short(),
            "Okta's test suite wants groups within 600 ms. Look at the region's database, and at the way to it.",
        ),
        _ => visit.judge(check, &reply, list),
    }
}

/// Custom connectors send exactly what was pasted (idp-wire §3.1).
async fn bare(visit: &Visit<'_>) -> Finding {
    let base = &visit.wire.base;
    let check =
        Check::new("okta.bare_token", base, "Okta: the token without Bearer in front of it");
    let text = visit.token.expose_secret();
    let reply = visit.wire.call(Method::GET, "/Users?count=1").authorization(text).send().await;
    match &reply {
        Ok(reply) if reply.reason() == "token_scheme_missing" => {
            check.pass("refused, as this tenant wants it: it is strict about bare tokens")
        }
        _ => visit.judge(check, &reply, |reply| status(reply, &[200])),
    }
}
