//! `muster tenant attribute` and `muster tenant set --strict`, beside a server that runs.

use crate::support::binary::{Binary, json, muster};
use crate::support::stores::Stores;
use crate::support::{client, until};
use serde_json::{Value, json};
use std::time::Instant;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const OWN: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";

fn acme(stores: &Stores) -> String {
    let head = ["tenant", "create", "acme", "--name", "Acme", "--region", "us"];
    json(stores, &[&head[..], &["--population", "platform", "--profile", "open"]].concat());
    json(stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned()
}

fn add(stores: &Stores, arguments: &[&str]) -> Value {
    json(stores, &[&["tenant", "attribute", "add", "acme"], arguments].concat())
}

/// What a command says when it fails.
fn failure(stores: &Stores, arguments: &[&str]) -> String {
    let done = muster(stores).args(arguments).output().unwrap();
    assert!(!done.status.success(), "{arguments:?}");
    String::from_utf8(done.stderr).unwrap().trim_end().to_owned()
}

fn said(stores: &Stores, arguments: &[&str]) -> String {
    let done = muster(stores).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn an_attribute_is_declared_with_the_three_facts_that_an_administrator_needs() {
    let stores = Stores::new(&["us"]);
    acme(&stores);

    let made = add(&stores, &["--label", "Some User's Field", "--type", "select"]);
    assert_eq!(made["attribute"], "some-users-field");
    assert_eq!((&made["schema"], &made["type"]), (&json!(OWN), &json!("string")));
    add(&stores, &["--name", "tags", "--type", "choices", "--values", "red,blue"]);
    add(&stores, &["--name", "code", "--type", "text", "--case-exact"]);

    assert_eq!(
        said(&stores, &["tenant", "attribute", "list", "acme"]),
        format!(
            "schema     {OWN}\nattribute  some-users-field\ntype       string\n\n\
             schema     {OWN}\nattribute  tags\ntype       string array\n\n\
             schema     {OWN}\nattribute  code\ntype       string, exact case\n"
        )
    );
    let listed = json(&stores, &["tenant", "attribute", "list", "acme"]);
    assert_eq!(listed["attributes"][1]["values"], json!(["red", "blue"]));
    let shown = json(&stores, &["tenant", "show", "acme"]);
    assert_eq!(shown["extension"]["schema"], OWN);
    assert_eq!(shown["extension"]["attributes"], listed["attributes"]);
    let shown = said(&stores, &["tenant", "show", "acme"]);
    assert!(shown.contains(&format!("{OWN} with some-users-field, tags, code\n")), "{shown}");
}

#[test]
fn the_types_of_deskpro_are_those_of_its_convention() {
    let stores = Stores::new(&["us"]);
    acme(&stores);
    for (field, kind, is_list) in [
        ("text", "string", false),
        ("number", "string", false),
        ("select", "string", false),
        ("url", "string", false),
        ("hidden", "string", false),
        ("display", "string", false),
        ("toggle", "boolean", false),
        ("date", "dateTime", false),
        ("currency", "integer", false),
    ] {
        let made =
            add(&stores, &["--name", &format!("a-{field}"), "--type", field, "--in", "enterprise"]);
        assert_eq!(
            (&made["type"], &made["multi_valued"]),
            (&json!(kind), &json!(is_list)),
            "{field}"
        );
        assert!(made["schema"].as_str().unwrap().contains("enterprise"), "{made}");
    }
    let made = add(&stores, &["--name", "many", "--type", "multi-select", "--values", "a,b"]);
    assert_eq!((&made["type"], &made["multi_valued"]), (&json!("string"), &json!(true)));
    assert!(
        made["schema"].as_str().unwrap().contains("enterprise"),
        "where the others are: {made}"
    );
}

#[test]
fn what_is_wrong_with_a_declaration_is_said() {
    let stores = Stores::new(&["us"]);
    acme(&stores);
    add(&stores, &["--name", "vip", "--type", "boolean"]);
    let add = |arguments: &[&str]| {
        failure(&stores, &[&["tenant", "attribute", "add", "acme"], arguments].concat())
    };
    for (said, expected) in [
        (add(&["--label", "¿?", "--type", "text"]), "has no letter to make a name of"),
        (add(&["--name", "9lives", "--type", "text"]), "is not a name"),
        (add(&["--name", "a", "--type", "choice"]), "a choice needs --values"),
        (add(&["--name", "a", "--type", "boolean", "--values", "x"]), "--values is for text"),
        (add(&["--name", "a", "--type", "colour"]), "possible values: text, boolean, date"),
        (add(&["--type", "text"]), "--name"),
        (
            add(&["--name", "a", "--type", "text", "--in", "enterprise"]),
            "leave this out, or remove them first",
        ),
        (
            failure(&stores, &["tenant", "attribute", "remove", "acme", "nothing"]),
            "the tenant's attributes are: vip",
        ),
        (
            failure(&stores, &["tenant", "set", "acme", "--strict", "Q-op-case,Q-nothing"]),
            "there is no quirk Q-nothing; write all, none, or some of: Q-missing-schemas, ",
        ),
    ] {
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
}

#[test]
fn strictness_is_set_shown_and_taken_back() {
    let stores = Stores::new(&["us"]);
    acme(&stores);
    assert_eq!(json(&stores, &["tenant", "show", "acme"])["strict"], "none");
    for (given, kept) in
        [("all", "all"), ("Q-op-case, Q-bool-string", "Q-bool-string,Q-op-case"), ("none", "none")]
    {
        let changed = json(&stores, &["tenant", "set", "acme", "--strict", given]);
        assert_eq!(changed["strict"], kept);
        assert_eq!(json(&stores, &["tenant", "show", "acme"])["strict"], kept);
    }
}

/// A running server and somebody who calls it.
struct Called {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Called {
    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("host", "app.localhost")
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request =
                request.header("content-type", "application/scim+json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

#[actix_web::test]
async fn a_running_server_follows_what_is_declared_and_how_strict_it_is() {
    let stores = Stores::new(&["us"]);
    let token = acme(&stores);
    let server = Binary::serve(&stores, &[("MUSTER__NODE__REGIONS", "us")]).await;
    let url = format!("http://{}/scim/v2", server.address);
    let called = Called { http: client(), url, token };

    add(&stores, &["--name", "floor", "--type", "integer"]);
    let begun = Instant::now();
    let announced = format!("/Schemas/{OWN}");
    until("the declaration's arrival", async || {
        (called.send("GET", &announced, None).await.0 == 200).then_some(())
    })
    .await;
    println!("a declaration arrived after {:?}", begun.elapsed());
    let body = json!({ "schemas": [USER, OWN], "userName": "ada", OWN: { "floor": 7 } });
    let (status, made) = called.send("POST", "/Users", Some(&body)).await;
    assert_eq!((status, &made[OWN]["floor"]), (201, &json!(7)), "{made}");

    // Somebody has a value: the type stays what it is.
    let arguments = ["tenant", "attribute", "add", "acme", "--name", "floor", "--type", "text"];
    let refused = failure(&stores, &arguments);
    assert!(refused.contains("1 people have a value of floor, which is integer"), "{refused}");
    let removed = json(&stores, &["tenant", "attribute", "remove", "acme", "FLOOR"]);
    assert_eq!(removed["people_with_values"], 1);
    let refused = failure(&stores, &arguments);
    assert!(refused.contains("1 people have a value of floor, which is integer"), "{refused}");
    until("the removal's arrival", async || {
        (called.send("GET", &announced, None).await.0 == 404).then_some(())
    })
    .await;
    add(&stores, &["--name", "floor", "--type", "integer", "--label", "The floor"]);
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    until("the value's return", async || {
        (called.send("GET", &path, None).await.1[OWN]["floor"] == 7).then_some(())
    })
    .await;

    let body = json!({ "schemas": [USER], "userName": "bob", "shoeSize": 43 });
    let (status, bob) = called.send("POST", "/Users", Some(&body)).await;
    assert_eq!(status, 201, "{bob}");
    called.send("DELETE", &format!("/Users/{}", bob["id"].as_str().unwrap()), None).await;
    let count = until("the count", async || {
        let report = json(&stores, &["quirks", "acme", "--since", "1h"]);
        report["quirks"].as_array()?.iter().find(|c| c["quirk"] == "Q-unknown-attribute").cloned()
    })
    .await;
    assert_eq!((&count["client"], &count["count"]), (&json!("none"), &json!(1)), "{count}");
    assert_eq!((&count["clause"], &count["tolerated"]), (&json!("RFC 7643 §2.1"), &json!(true)));
    assert_eq!(count["strict_scim_type"], "invalidSyntax");

    let ops = server.line("serving").unwrap()["ops"].as_str().unwrap().to_owned();
    let metrics = client().get(format!("http://{ops}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counter = r#"scim_quirks_total{quirk="Q-unknown-attribute",client="none"} 1"#;
    assert!(metrics.contains(counter), "{metrics}");

    json(&stores, &["tenant", "set", "acme", "--strict", "Q-unknown-attribute"]);
    until("strictness", async || {
        let (status, answer) = called.send("POST", "/Users", Some(&body)).await;
        if status == 201 {
            called.send("DELETE", &format!("/Users/{}", answer["id"].as_str()?), None).await;
        }
        (status == 400 && answer["scimType"] == "invalidSyntax").then_some(())
    })
    .await;
    let report = said(&stores, &["quirks", "acme"]);
    assert!(report.contains("    strict answers 400 invalidSyntax\n"), "{report}");
    drop(server);
}

#[test]
fn a_tenant_whose_clients_needed_nothing_is_told_so() {
    let stores = Stores::new(&["us"]);
    acme(&stores);
    assert_eq!(
        said(&stores, &["quirks", "acme"]),
        "nothing was tolerated: what was sent is as the RFCs say\n"
    );
    assert!(failure(&stores, &["quirks", "acme", "--since", "1 day"]).contains("such as 24h"));
}
