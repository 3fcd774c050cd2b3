//! What Microsoft Entra ID asks of a server before it is content (idp-wire §2.1 and §2.2).

use super::report::{Check, Finding};
use super::visit::{Visit, list, nobody, status};
use super::wire::Reply;
use scim_core::{Quirk, Tolerance};
use serde_json::Value;

/// The one question in which Entra's filter is not the RFC's.
const BY_EMAIL: &str = "entra.email";

pub(super) async fn handshake(
    visit: &Visit<'_>,
    tolerance: &Tolerance,
    findings: &mut Vec<Finding>,
) {
    let base = &visit.wire.base;
    // Entra writes a space as a plus.
    let guid = uuid::Uuid::new_v4();
    for (id, tried, path) in [
        (
            "entra.test_connection",
            "\"Test Connection\" looks for a random person: 200 and nobody",
            format!("/Users?filter=userName+eq+%22{guid}%22"),
        ),
        (
            "entra.external_id",
            "a match by externalId",
            format!("/Users?filter=externalId+eq+%22{guid}%22"),
        ),
        (
            BY_EMAIL,
            "a match by work e-mail",
            format!(
                "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22{guid}%40example.com%22"
            ),
        ),
        (
            "entra.flag",
            "the same with the flag of its other dialect in the URL",
            format!("/Users?aadOptscim062020&filter=userName+eq+%22{guid}%22"),
        ),
        (
            "entra.groups",
            "the group test, without members: 200 and none",
            format!("/Groups?excludedAttributes=members&filter=displayName+eq+%22{guid}%22"),
        ),
    ] {
        let check = Check::new(id, base, format!("Entra: {tried}"));
        let quirk = Quirk::FilterAfterValuePath;
        if id == BY_EMAIL && !tolerance.allows(quirk) {
            findings.push(check.skip(format!("this tenant is strict about it ({})", quirk.id())));
            continue;
        }
        let reply = visit.get(&path).await;
        findings.push(visit.judge(check, &reply, nobody));
    }
    discovery(visit, findings).await;
}

async fn discovery(visit: &Visit<'_>, findings: &mut Vec<Finding>) {
    let base = &visit.wire.base;
    let reply = visit.get("/ServiceProviderConfig").await;
    let check = Check::new("discovery.config", base, "/ServiceProviderConfig is complete");
    findings
        .push(visit.judge(check, &reply, |reply| status(reply, &[200]).or_else(|| config(reply))));
    for (id, path) in [("discovery.types", "/ResourceTypes"), ("discovery.schemas", "/Schemas")] {
        let reply = visit.get(path).await;
        let check = Check::new(id, base, format!("{path} names users and groups"));
        findings.push(visit.judge(check, &reply, |reply| list(reply).or_else(|| both(reply))));
    }
}

/// Without these numbers, clients switch PATCH and filters off (idp-wire §1 row 22).
fn config(reply: &Reply) -> Option<String> {
    let missing = [
        "/patch/supported",
        "/filter/supported",
        "/filter/maxResults",
        "/bulk/maxOperations",
        "/bulk/maxPayloadSize",
    ]
    .into_iter()
    .find(|path| reply.body.pointer(path).is_none());
    missing.map(|path| format!("{path} is missing"))
}

fn both(reply: &Reply) -> Option<String> {
    let resources = reply.body.get("Resources").and_then(Value::as_array);
    let has = |name: &str| {
        resources
            .is_some_and(|all| all.iter().any(|one| one.get("name").is_some_and(|n| n == name)))
    };
    ["User", "Group"].into_iter().find(|name| !has(name)).map(|name| format!("{name} is missing"))
}
