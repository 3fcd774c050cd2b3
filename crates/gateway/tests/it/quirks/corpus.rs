//! Everything that identity providers are known to send (requirements N10): accepted, and with which deviations.

use super::replay::{Scenario, folder, quirks_of, scenarios};
use super::{set_strict, strictly};
use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use scim_core::{Quirk, Tolerance};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A scenario, the deviations that its requests need taken together, and the families that its clients are taken for.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const TRAFFIC: &[Row] = &[
    ("entra-01-test-connection", &[], &["entra", "none"]),
    ("entra-02-create-and-match", &[], &["none"]),
    ("entra-03-update-default-patch", &["Q-op-case", "Q-element-created"], &["entra", "none"]),
    ("entra-04-update-compliant-patch", &["Q-dotted-key"], &["entra", "none"]),
    ("entra-05-disable-restore-delete", &["Q-bool-string", "Q-op-case"], &["entra", "none"]),
    (
        "entra-06-group-lifecycle",
        &["Q-op-case", "Q-remove-with-value", "Q-unknown-schema-uri"],
        &["entra", "none"],
    ),
    ("entra-07-group-compliant-patch", &["Q-unknown-schema-uri"], &["none"]),
    ("okta-01-test-connector-and-import", &[], &["okta"]),
    ("okta-02-create", &[], &["okta"]),
    ("okta-03-put-update-deactivate", &[], &["okta"]),
    ("okta-04-patch-deactivate-reactivate", &[], &["okta"]),
    ("okta-05-group-push", &["Q-read-only-echo"], &["okta"]),
    // Its first request makes the person that the test wants to find, and says nothing of itself.
    ("okta-06-spec-test", &[], &["none", "okta"]),
];

#[actix_web::test]
async fn recorded_traffic_needs_the_deviations_of_this_table_and_no_others() {
    let Some(folder) = folder() else { return };
    let gateway = TestGateway::start().await;
    let mut found = BTreeMap::new();
    for mut scenario in scenarios(&folder) {
        let tenant = gateway.tenant(&scenario.name).await;
        let by_step = play(&mut scenario, &tenant).await;
        let quirks: BTreeSet<String> = by_step.values().flat_map(|(q, _)| q.clone()).collect();
        let clients: BTreeSet<String> = by_step.into_values().map(|(_, client)| client).collect();
        found.insert(scenario.name, (quirks, clients));
    }
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let table: BTreeMap<String, _> =
        TRAFFIC.iter().map(|(name, q, c)| ((*name).to_owned(), (set(q), set(c)))).collect();
    assert_eq!(found, table);
}

#[actix_web::test]
async fn a_strict_tenant_refuses_the_requests_that_deviate_and_those_alone() {
    let Some(folder) = folder() else { return };
    let gateway = TestGateway::start().await;
    let known = scenarios(&folder);
    for (mut tolerated, mut refused) in known.into_iter().zip(scenarios(&folder)) {
        let tenant = gateway.tenant(&tolerated.name).await;
        let by_step = play(&mut tolerated, &tenant).await;
        let strict = gateway.tenant(&format!("{}-strict", refused.name)).await;
        let steps = std::mem::take(&mut refused.steps);
        for (at, step) in steps.iter().enumerate() {
            set_strict(&strict, "all").await;
            let answer = refused.send(step, &strict, &format!("strict-{at}")).await;
            let quirks = by_step.get(&format!("step-{at}")).map(|(quirks, _)| quirks.clone());
            let quirks = quirks.unwrap_or_default();
            if quirks.is_empty() {
                refused.keep(step, &answer);
                continue;
            }
            assert_refused(&answer, &quirks, &format!("{} step {at}", refused.name));
            // The scenario goes on as if its client had not been strictly held.
            set_strict(&strict, "none").await;
            let answer = refused.send(step, &strict, &format!("again-{at}")).await;
            refused.keep(step, &answer);
        }
    }
}

/// Sends a whole scenario; gives quirks and client by request id.
async fn play(
    scenario: &mut Scenario,
    tenant: &TestTenant,
) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let mut ids = BTreeSet::new();
    let steps = std::mem::take(&mut scenario.steps);
    for (at, step) in steps.iter().enumerate() {
        let id = format!("step-{at}");
        let answer = scenario.send(step, tenant, &id).await;
        scenario.keep(step, &answer);
        // A token that is nobody's is in nobody's log.
        if answer.status != 401 {
            ids.insert(id);
        }
    }
    scenario.steps = steps;
    quirks_of(tenant, &ids).await
}

/// 400, 401 or 415 as the ledger says of one of them.
#[track_caller]
fn assert_refused(answer: &Answer, quirks: &BTreeSet<String>, what: &str) {
    let scim_type = answer.body["scimType"].as_str();
    let fits = quirks.iter().map(|id| Quirk::parse(id).unwrap()).any(|quirk| {
        // Of an error in a path the ledger says that it is one of a path.
        let types = [quirk.scim_type(), Some("invalidPath"), Some("invalidFilter")];
        answer.status == quirk.status()
            && (types[0] == scim_type || (scim_type.is_some() && types.contains(&scim_type)))
    });
    assert!(fits, "{what} needs {quirks:?} and was answered {}: {}", answer.status, answer.text);
}

/// The PATCH fixtures of people, as they are kept for `scim-core`.
fn fixtures() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scim-core/tests/fixtures/idp");
    let mut all = Vec::new();
    for family in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(family.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let fixture: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let is_patched = fixture["patch"].is_object() && fixture["after"].is_object();
            if fixture["resource"] == "User" && is_patched {
                all.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), fixture));
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[actix_web::test]
async fn a_patch_is_refused_by_who_is_strict_about_what_it_needs_and_by_nobody_else() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (at, (name, fixture)) in fixtures().into_iter().enumerate() {
        set_strict(&acme, "none").await;
        let mut before = fixture["before"].clone();
        before["userName"] = json!(format!("person-{at}"));
        before["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
        let id = acme.user_with(&before).await;
        let quirks: BTreeSet<String> = fixture["quirks"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|quirk| quirk.as_str().unwrap().to_owned())
            .collect();
        let path = format!("/Users/{id}");
        // `own` stands for the id of whom it changes.
        let patch = fixture["patch"].to_string().replace("\"own\"", &format!("{id:?}"));
        let patch: Value = serde_json::from_str(&patch).unwrap();
        let send = async || acme.call("PATCH", &path).json(&patch).send().await;

        if !quirks.is_empty() {
            set_strict(&acme, "all").await;
            assert_refused(&send().await, &quirks, &name);
        }
        for quirk in &quirks {
            set_strict(&acme, quirk).await;
            assert_refused(&send().await, &BTreeSet::from([quirk.clone()]), &name);
        }
        let others = Quirk::ALL.iter().filter(|quirk| !quirks.contains(quirk.id()));
        strictly(&acme, &Tolerance::all_but(others.copied())).await;
        let answer = send().await;
        assert!(matches!(answer.status, 200 | 204), "{name}: {}", answer.text);
    }
}
