//! Every operation leaves exactly one decision.

use crate::support::TestGateway;
use directory::DecisionRow;
use serde_json::{Value, json};
use std::process::Command;

fn line(row: &DecisionRow) -> String {
    let subject = row.subject.as_deref().unwrap_or("-");
    format!("{} {} {} {} {subject}", row.operation, row.outcome, row.reason, row.status)
}

#[actix_web::test]
async fn every_operation_leaves_exactly_one_decision() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(1)).await;
    let title = json!([{ "op": "Add", "path": "title", "value": "x" }]);
    let ada = acme.user("Ada").await;
    let path = format!("/Users/{ada}");
    acme.post("/Users", &json!({ "userName": "ada" })).await.assert(409);
    acme.post("/Users", &json!({ "userName": "bob" })).await.assert(403);
    acme.post("/Users", &json!({ "title": "x" })).await.assert(400);
    acme.call("POST", "/Users").body("{").send().await.assert(400);
    acme.patch(&path, &title).await.assert(200);
    acme.patch(&path, &title).await.assert(200);
    acme.patch(&path, &json!([{ "op": "replace", "path": "nosuch", "value": 1 }]))
        .await
        .assert(400);
    acme.get("/Users/nobody").await.assert(404);
    acme.find("/Users", "nosuch pr").await.assert(400);
    acme.call("PUT", "/Users").json(&json!({})).send().await.assert(405);
    acme.get("/nosuch").await.assert(404);
    acme.get("/Me").await.assert(501);
    let crew = acme.group("Crew", &[&ada]).await;
    let members = json!([{ "op": "remove", "path": "members" }]);
    acme.patch(&format!("/Groups/{crew}"), &members).await.assert(204);
    acme.patch(&format!("/Groups/{crew}"), &members).await.assert(204);
    acme.delete(&format!("/Groups/{crew}")).await.assert(204);
    acme.delete(&path).await.assert(204);
    let expected = [
        "user.create done user_created 201 Ada",
        "user.create refused user_name_taken 409 ada",
        "user.create refused seats_exhausted 403 bob",
        "user.create refused attribute_missing 400 -",
        "user.create refused syntax_invalid 400 -",
        "user.patch done user_updated 200 Ada",
        "user.patch unchanged user_unchanged 200 Ada",
        "user.patch refused path_invalid 400 -",
        "user.get refused not_found 404 -",
        "user.list refused filter_invalid 400 -",
        "method.unknown refused method_not_allowed 405 -",
        "path.unknown refused path_unknown 404 -",
        "path.not_offered refused not_implemented 501 -",
        "group.create done group_created 201 Crew",
        "group.patch done members_changed 200 Crew",
        "group.patch unchanged group_unchanged 200 Crew",
        "group.delete done group_deleted 204 Crew",
        "user.delete done user_deleted 204 Ada",
    ];
    let rows = acme.decisions().await;
    assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), expected);
}

#[actix_web::test]
async fn a_decision_says_who_asked_what_changed_and_what_was_tolerated() {
    let gateway = TestGateway::start().await;
    let acme =
        gateway.tenant_with("acme", |new| new.profile = provisioning::ProfileId::Oktopost).await;
    let body = json!({ "userName": "ada@example.com", "active": "True", "nickName": "A", "unknown": 1,
                       "name": { "givenName": "Ada", "familyName": "L" }, "emails": [{ "value": "ada@example.com", "type": "work" }] });
    let made = acme
        .call("POST", "/Users?")
        .header("x-request-id", "my-request-1")
        .header("user-agent", "Okta SCIM Client 1.0.0")
        .json(&body)
        .send()
        .await
        .assert(201);
    assert_eq!(made.header("x-request-id"), Some("my-request-1"));
    let rows = acme.decisions().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(line(row), "user.create done user_created 201 ada@example.com");
    assert_eq!(
        (row.request_id.as_str(), row.client.as_str(), row.key_id.as_str()),
        ("my-request-1", "okta", acme.key_id.as_str())
    );
    assert_eq!(row.resource_id.as_deref(), Some(made.id().as_str()));
    assert_eq!(
        (row.resource_type.as_str(), row.attribute.as_deref(), row.detail.as_str()),
        ("User", None, "")
    );
    assert_eq!(
        row.changed,
        ["active", "emails", "name.familyName", "name.givenName", "nickName", "userName"]
    );
    assert!(
        row.ignored.contains(&"unknown".to_owned()) && row.ignored.contains(&"nickName".to_owned()),
        "{:?}",
        row.ignored
    );
    assert!(
        row.quirks.contains(&"string-bool".to_owned())
            || row.quirks.iter().any(|quirk| quirk.contains("bool")),
        "{:?}",
        row.quirks
    );
    assert!(row.duration_us > 0 && row.duration_us < 30_000_000);
    assert_eq!(row.trace_id, None);

    let wrong = json!({ "userName": "eve@example.com", "name": { "givenName": "E", "familyName": "V" }, "emails": [{ "value": "other@example.com" }] });
    let refused = acme.post("/Users", &wrong).await;
    let detail = refused.refused(400, "user_name_not_email", Some("invalidValue"));
    let rows = acme.decisions().await;
    let row = rows.last().unwrap();
    assert_eq!(
        (row.attribute.as_deref(), row.detail.as_str(), row.changed.len()),
        (Some("userName"), detail.as_str(), 0)
    );
    assert_eq!(row.subject.as_deref(), Some("eve@example.com"));
    assert_eq!(refused.header("x-request-id"), Some(row.request_id.as_str()));
}

#[actix_web::test]
async fn reads_leave_decisions_too_a_little_later() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (ada, crew) = (acme.user("ada").await, acme.group("Crew", &[]).await);
    acme.get(&format!("/Users/{ada}")).await.assert(200);
    acme.call("GET", &format!("/Users/{ada}"))
        .header("if-none-match", "*")
        .send()
        .await
        .assert(304);
    acme.get("/Users").await.assert(200);
    acme.get(&format!("/Groups/{crew}")).await.assert(200);
    acme.find("/Groups", "displayName eq \"x\"").await.assert(200);
    acme.get("/Schemas").await.assert(200);
    acme.get("").await.assert(200);
    let rows = acme.decisions_until(9).await;
    let lines: Vec<String> = rows.iter().map(line).collect();
    assert_eq!(
        lines[2..],
        [
            "user.get read user_read 200 -",
            "user.get read not_modified 304 -",
            "user.list read users_listed 200 -",
            "group.get read group_read 200 -",
            "group.list read groups_listed 200 -",
            "discovery.get read discovery_read 200 -",
            "root.get read root_read 200 -",
        ]
    );
    assert_eq!(rows[2].resource_id.as_deref(), Some(ada.as_str()));
}

#[actix_web::test]
async fn ids_and_names_of_any_length_leave_decisions() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let long = crate::support::random_text(5_000);
    acme.get(&format!("/Users/{long}")).await.assert(404);
    acme.delete(&format!("/Groups/{long}")).await.assert(404);
    let refused = acme.post("/Users", &json!({ "userName": long, "active": "perhaps" })).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    acme.get("/Users").await.assert(200);
    let rows = acme.decisions_until(4).await;
    assert_eq!(rows.len(), 4, "{:?}", rows.iter().map(line).collect::<Vec<_>>());
}

#[actix_web::test]
async fn the_log_command_prints_decisions_as_a_person_reads_them() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    acme.user("bob").await;
    acme.patch(&format!("/Users/{ada}"), &json!([{ "op": "Add", "path": "title", "value": "x" }]))
        .await
        .assert(200);
    acme.post("/Users", &json!({ "userName": "Ada" })).await.assert(409);
    acme.delete(&format!("/Users/{ada}")).await.assert(204);
    let log = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_muster"))
            .current_dir(gateway.stores.folder())
            .envs(gateway.stores.variables())
            .args(["log", "acme"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let all: Value = serde_json::from_str(&log(&["-o", "json"])).unwrap();
    let reasons: Vec<&str> = all["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        ["user_created", "user_created", "user_updated", "user_name_taken", "user_deleted"]
    );
    let text = log(&["--user", "ADA", "--last", "3"]);
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("20")).collect();
    assert_eq!(heads.len(), 3, "{text}");
    for (head, expected) in heads.iter().zip([
        "patch user         ada: done (200, user_updated)",
        "create user        Ada: refused (409, user_name_taken)",
        "delete user        ada: done (204, user_deleted)",
    ]) {
        assert!(head.ends_with(expected), "{head}");
    }
    assert!(text.contains("    changed: title\n"), "{text}");
    assert!(!text.contains("bob"), "{text}");
    assert_eq!(log(&["--user", "nobody"]), "no decisions yet\n");
}
