//! One person's life: created, looked up, changed, deactivated, restored, deleted. Only when it is asked for.
//!
//! **Invariant**: whoever was made is deleted, also when a check fails or the run is cut short.

use super::report::{Check, Finding};
use super::visit::{Visit, refusal, status};
use super::wire::{Reply, encoded};
use reqwest::Method;
use scim_core::{Quirk, Tolerance};
use serde_json::{Value, json};
use std::cell::RefCell;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The path of who was made and is not deleted yet.
pub(super) type Made = RefCell<Option<String>>;

pub(super) async fn life(
    visit: &Visit<'_>,
    tolerance: &Tolerance,
    made: &Made,
    findings: &mut Vec<Finding>,
) {
    let base = &visit.wire.base;
    let name = format!("muster-doctor-{}@example.com", uuid::Uuid::new_v4().simple());
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "name": { "givenName": "Muster", "familyName": "Doctor" },
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
    });

    let reply = visit.send(Method::POST, "/Users", &person).await;
    let check = Check::new("write.create", base, "a person is created");
    let created = visit.judge(check, &reply, |reply| {
        status(reply, &[201]).or_else(|| {
            reply.header("location").is_empty().then(|| "there is no Location".to_owned())
        })
    });
    let id = reply.as_ref().ok().filter(|reply| reply.status == 201).and_then(id_of);
    findings.push(created);
    let Some(id) = id else { return };
    let path = format!("/Users/{}", encoded(&id));
    made.replace(Some(path.clone()));

    let check = Check::new("write.twice", base, "the same person once more is 409");
    let reply = visit.send(Method::POST, "/Users", &person).await;
    findings.push(visit.judge(check, &reply, |reply| refusal(reply, 409)));

    let check = Check::new("write.look_up", base, "the person is found by userName in capitals");
    let filter = encoded(&format!("userName eq \"{}\"", name.to_uppercase()));
    let reply = visit.get(&format!("/Users?filter={filter}")).await;
    findings.push(visit.judge(check, &reply, |reply| {
        let found = reply.body.pointer("/Resources/0/id").and_then(Value::as_str);
        status(reply, &[200]).or_else(|| (found != Some(&id)).then(|| "not found".to_owned()))
    }));

    changes(visit, tolerance, &path, findings).await;
    delete(visit, &path, made, findings).await;
}

/// Entra's default dialect deactivates, its other one restores and renames, Okta puts the whole person.
async fn changes(
    visit: &Visit<'_>,
    tolerance: &Tolerance,
    path: &str,
    findings: &mut Vec<Finding>,
) {
    let base = &visit.wire.base;
    // A strict tenant refuses these dialects, as it wants to; it gets what the RFC says.
    let is_strict = [Quirk::OpCase, Quirk::StringBool, Quirk::DottedKey]
        .into_iter()
        .any(|quirk| !tolerance.allows(quirk));
    let (off, on) = if is_strict {
        (
            json!([{ "op": "replace", "path": "active", "value": false }]),
            json!([{ "op": "replace", "value": { "active": true, "name": { "givenName": "Well" } } }]),
        )
    } else {
        (
            json!([{ "op": "Replace", "path": "active", "value": "False" }]),
            json!([{ "op": "replace", "value": { "active": true, "name.givenName": "Well" } }]),
        )
    };
    for (id, tried, operations, pointer, wanted) in [
        (
            "write.deactivate",
            "Entra deactivates, and the person stays visible",
            off,
            "/active",
            json!(false),
        ),
        (
            "write.restore",
            "Entra restores and renames in one request",
            on,
            "/name/givenName",
            json!("Well"),
        ),
    ] {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        let reply = visit.send(Method::PATCH, path, &body).await;
        let mut finding =
            visit.judge(Check::new(id, base, tried), &reply, |reply| status(reply, &[200, 204]));
        if finding.fix.is_none() {
            let reply = visit.get(path).await;
            finding = visit.judge(Check::new(id, base, tried), &reply, |reply| {
                let is_so = reply.body.pointer(pointer) == Some(&wanted);
                status(reply, &[200])
                    .or_else(|| (!is_so).then(|| "the change is not there".to_owned()))
            });
        }
        findings.push(finding);
    }
    let check = Check::new("write.replace", base, "Okta puts the whole person");
    let read = visit.get(path).await;
    let reply = match read {
        Ok(Reply { status: 200, body, .. }) => visit.send(Method::PUT, path, &body).await,
        other => other,
    };
    findings.push(visit.judge(check, &reply, |reply| status(reply, &[200])));
}

async fn delete(visit: &Visit<'_>, path: &str, made: &Made, findings: &mut Vec<Finding>) {
    let base = &visit.wire.base;
    let check = Check::new("write.delete", base, "the person is deleted");
    let reply = visit.call(Method::DELETE, path).send().await;
    let finding = visit.judge(check, &reply, |reply| status(reply, &[204]));
    if finding.fix.is_none() {
        made.replace(None);
    }
    findings.push(finding);
    let check = Check::new("write.gone", base, "and is 404 from then on");
    let reply = visit.get(path).await;
    findings.push(visit.judge(check, &reply, |reply| refusal(reply, 404)));
}

/// Deletes whoever is left; says so when that fails.
pub(super) async fn clean_up(visit: &Visit<'_>, made: &Made) -> Option<Finding> {
    let path = made.take()?;
    let check = Check::new("write.clean_up", &visit.wire.base, "the person is deleted after all");
    match visit.call(Method::DELETE, &path).send().await {
        Ok(reply) if matches!(reply.status, 204 | 404) => Some(check.pass(reply.in_short())),
        _ => Some(check.warn(
            format!("{path} is left"),
            format!("Delete {path} with a token that may, or in the console."),
        )),
    }
}

fn id_of(reply: &Reply) -> Option<String> {
    reply.body.get("id").and_then(Value::as_str).map(str::to_owned)
}
