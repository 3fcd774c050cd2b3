//! Stores that are away when a node starts, and what is sent to those that are there. A file is on the node or is not: only
//! PostgreSQL is asked here.

use crate::support::binary::{Binary, muster};
use crate::support::server::Server;
use crate::support::stores::{Stores, variable};
use crate::support::{TestGateway, client, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

fn is_asked() -> bool {
    variable("MUSTER_TEST_STORE").as_deref() == Some("postgres")
}

/// A tenant in a region, and its token.
fn made(stores: &Stores, settings: &[(&str, &str)], slug: &str, region: &str) -> String {
    let json = |arguments: &[&str]| -> Value {
        let mut command = muster(stores);
        command.args(arguments).args(["-o", "json"]).envs(settings.iter().copied());
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let create = [
        "tenant",
        "create",
        slug,
        "--name",
        "A",
        "--region",
        region,
        "--population",
        "platform",
        "--profile",
        "open",
    ];
    json(&create);
    json(&["token", "create", slug])["token"].as_str().unwrap().to_owned()
}

/// What a list of people is answered with, and after how many seconds it is worth another try.
async fn list(server: &Binary, host: &str, token: &str) -> (u16, Option<String>, Value) {
    let url = format!("http://{}/scim/v2/Users", server.address);
    let request = client().get(url).header("host", format!("{host}.localhost"));
    let answer = request.bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    let later = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (status, later, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn ready(server: &Binary) -> (u16, Value) {
    let answer = client().get(format!("http://{}/readyz", server.ops)).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[actix_web::test]
async fn a_node_starts_without_one_of_its_stores_and_opens_it_when_it_answers() {
    if !is_asked() {
        return;
    }
    let eu = Server::start("");
    let url = eu.url();
    eu.stop();
    let stores = Stores::new(&["us"]);
    let settings = [
        ("MUSTER__REGIONS__EU__STORE", url.as_str()),
        ("MUSTER__DATABASE__ACQUIRE_TIMEOUT", "1s"),
        ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
    ];

    let made = |slug, region| made(&stores, &settings, slug, region);
    let (here, away) = (made("acme", "us"), made("zeta", "eu"));
    let mut server = Binary::serve(&stores, &settings).await;

    assert_eq!(list(&server, "app", &here).await.0, 200);
    let (status, later, body) = list(&server, "eu-app", &away).await;
    assert_eq!((status, later.as_deref()), (503, Some("5")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("store_unavailable"), "{body}");
    let (status, body) = ready(&server).await;
    assert_eq!((status, &body["status"]), (200, &json!("degraded")), "{body}");
    assert_eq!(body["checks"]["store_us"], "ok");
    assert_eq!(body["checks"]["store_eu"], "not open yet");

    eu.up();
    let opened = tokio::time::timeout(Duration::from_secs(40), async {
        while list(&server, "eu-app", &away).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    opened.await.expect("it is opened");
    until("it is ready", async || (ready(&server).await.1["status"] == "ready").then_some(()))
        .await;
    assert!(server.line("a store that was away at the start is open").is_some());

    // A restart of it later costs nobody anything but time.
    eu.stop();
    eu.up();
    assert_eq!(list(&server, "eu-app", &away).await.0, 200);
    server.terminate();
    assert!(server.end().await.success());
}

#[actix_web::test]
async fn a_store_that_answers_and_cannot_be_worked_with_ends_the_start_and_says_why() {
    if !is_asked() {
        return;
    }
    let eu = Server::start("");
    let stores = Stores::new(&["us"]);
    let settings = [("MUSTER__REGIONS__EU__STORE", eu.url())];
    let said = |arguments: &[&str]| {
        let done = muster(&stores).args(arguments).envs(settings.clone()).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        String::from_utf8(done.stderr).unwrap()
    };
    let migrated = muster(&stores).arg("migrate").envs(settings.clone()).status().unwrap();
    assert!(migrated.success());

    eu.sql_in("us", "UPDATE directory_store SET region = 'us'");
    for command in ["serve", "migrate"] {
        let said = said(&[command]);
        assert!(said.contains("regions.eu.store") && said.contains("region us"), "{said}");
    }
    eu.sql_in("us", "UPDATE directory_store SET region = 'eu'");
    eu.sql_in(
        "us",
        "INSERT INTO directory_migrations (version, applied_at) VALUES ('m2999_01_01_000001_contract_users', 0)",
    );
    for command in ["serve", "migrate"] {
        let said = said(&[command]);
        for part in ["regions.eu.store", "m2999_01_01_000001_contract_users", "run the version"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

/// Every statement that the server was sent for a database, each once, with single spaces.
fn sent(server: &Server, database: &str) -> BTreeSet<String> {
    let log = server.log();
    let mut all = BTreeSet::new();
    let mut current: Option<String> = None;
    let mark = format!("{database}|LOG:  ");
    for line in log.lines().chain([""]) {
        // What goes on of a statement begins with a tab.
        if let (Some(rest), Some(text)) = (line.strip_prefix('\t'), current.as_mut()) {
            text.push(' ');
            text.push_str(rest);
            continue;
        }
        if let Some(text) = current.take() {
            all.insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        let said = line.strip_prefix(&mark);
        current = said.and_then(|said| {
            let (how, text) = said.split_once(": ")?;
            (how == "statement" || how.starts_with("execute")).then(|| text.to_owned())
        });
    }
    all
}

/// What names no tenant, and may.
fn is_allowed(text: &str) -> bool {
    const BEGINNINGS: [&str; 11] = [
        // No table of tenants.
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SELECT 1",
        "SELECT pg_is_in_recovery()",
        // The store itself: whose it is, and what its schema is.
        "SELECT region, shard FROM directory_store",
        "INSERT INTO directory_store (region,",
        "SELECT version FROM directory_migrations",
        "SELECT count(*) FROM pg_tables",
        // The driver, about types.
        "SELECT typname",
        // Which tenants there are is asked by the purge, which then takes one at a time.
        "SELECT tenant_id FROM tenants WHERE state",
    ];
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

#[actix_web::test]
async fn every_statement_that_is_sent_to_a_directory_names_its_tenant() {
    if !is_asked() {
        return;
    }
    let us = Server::start("log_line_prefix = '%d|'");
    let url = us.url();
    let settings = [("MUSTER__REGIONS__US__STORE", url.as_str())];
    let gateway = TestGateway::start_on(Stores::new(&[]), &["us"], &settings).await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(50)).await;
    us.sql("ALTER SYSTEM SET log_statement = 'all'");
    us.sql("SELECT pg_reload_conf()");
    until("the log is on", async || {
        acme.get("/Users").await.assert(200);
        (!sent(&us, "us").is_empty()).then_some(())
    })
    .await;

    let (ada, bob) = (acme.user("ada").await, acme.user("bob").await);
    acme.post("/Users", &json!({ "userName": "ada" })).await.assert(409);
    let crew = acme.group("Crew", &[&ada]).await;
    let all = acme.group("All", &[]).await;
    let add = |id: &str, kind: &str| json!([{ "op": "add", "path": "members", "value": [{ "value": id, "type": kind }] }]);
    acme.patch(&format!("/Groups/{crew}"), &add(&bob, "User")).await;
    acme.patch(&format!("/Groups/{all}"), &add(&crew, "Group")).await;
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Team" }]);
    acme.patch(&format!("/Groups/{crew}"), &renamed).await;
    acme.put(
        &format!("/Groups/{crew}"),
        &json!({ "displayName": "Crew", "members": [{ "value": bob }] }),
    )
    .await;
    acme.put(&format!("/Users/{ada}"), &json!({ "userName": "ada", "active": false }))
        .await
        .assert(200);
    let active = json!([{ "op": "replace", "path": "active", "value": true }]);
    acme.patch(&format!("/Users/{ada}"), &active).await.assert(200);
    acme.patch(&format!("/Users/{ada}"), &active).await.assert(200);
    for path in ["/Users", "/Groups", "/Users?count=1&sortBy=userName", "/", "/Users?startIndex=2"]
    {
        acme.get(path).await;
    }
    acme.get(&format!("/Users/{ada}")).await.assert(200);
    acme.get(&format!("/Groups/{crew}")).await.assert(200);
    for filter in [
        "userName eq \"ada\"",
        "externalId eq \"x\"",
        "emails.value eq \"a@b.example\"",
        "userName co \"a\" and active eq true",
        "meta.lastModified gt \"2020-01-01T00:00:00Z\"",
        "name.familyName pr or displayName sw \"A\"",
    ] {
        acme.find("/Users", filter).await;
    }
    acme.find("/Groups", "displayName eq \"Crew\"").await;
    acme.find("/Groups", &format!("members.value eq \"{bob}\"")).await;
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "eve" } },
            { "method": "DELETE", "path": format!("/Users/{bob}") },
        ],
    });
    acme.post("/Bulk", &bulk).await.assert(200);
    acme.delete(&format!("/Groups/{all}")).await.assert(204);
    let scoped = acme.scoped();
    let directory = gateway.state.directories.of(&acme.tenant).unwrap();
    acme.decisions().await;
    scoped.quirk_counts().await.unwrap();
    scoped.tally().await.unwrap();
    directory.residency(&acme.tenant).await.unwrap();
    acme.delete(&format!("/Users/{ada}")).await.assert(204);
    scoped.fence(crate::support::by().now).await.unwrap();
    directory.purge_all(&acme.tenant).await.unwrap();

    let all = sent(&us, "us");
    let wrong: Vec<&String> = all
        .iter()
        .filter(|text| !is_allowed(text))
        .filter(|text| !text.contains("tenant_id = $1") && !text.contains(" (tenant_id,"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all.len() > 60, "only {} statements were seen: {all:#?}", all.len());
}
