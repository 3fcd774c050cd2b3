//! Everything that the admin API does to a tenant, on the command line, as JSON.

use super::super::support::binary::{json, muster};
use super::super::support::stores::Stores;
use serde_json::{Value, json};

fn acme() -> Stores {
    let stores = Stores::new(&["us", "eu"]);
    let create = ["tenant", "create", "acme", "--name", "Acme", "--region", "eu"];
    let as_what = ["--population", "platform", "--profile", "open", "--rate-limit", "off"];
    json(&stores, &[create.as_slice(), &as_what].concat());
    stores
}

fn refused(stores: &Stores, arguments: &[&str]) -> String {
    let done = muster(stores).args(arguments).args(["-o", "json"]).output().unwrap();
    assert!(!done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!(done.stdout, b"", "a failure is not an answer");
    String::from_utf8(done.stderr).unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn a_tenant_lives_on_the_command_line() {
    let stores = acme();
    let state = |what: &str| text(&json(&stores, &["tenant", what, "acme"]), "state");

    assert_eq!(json(&stores, &["tenant", "suspend", "acme", "--dry-run"])["state"], "suspended");
    assert_eq!(json(&stores, &["tenant", "show", "acme"])["state"], "active");
    assert_eq!(state("suspend"), "suspended");
    assert_eq!(state("resume"), "active");
    assert_eq!(state("close"), "closed");
    assert_eq!(state("resume"), "active");
    assert!(refused(&stores, &["tenant", "suspend", "nobody"]).contains("no such tenant"));
    assert!(refused(&stores, &["tenant", "manifest", "acme"]).contains("not purged"));

    let set = ["tenant", "set", "acme", "--platform-role", "editor", "--operations", "read,create"];
    json(&stores, &set);
    assert_eq!(json(&stores, &["tenant", "show", "acme"])["default_role"], "editor");
    assert_eq!(json(&stores, &["tenant", "limits", "acme"])["rate_limit"], "off");
    let connection = json(&stores, &["tenant", "connection", "acme", "--provider", "entra"]);
    assert_eq!(
        (&connection["provider"], &connection["provisioning"]),
        (&json!("entra"), &json!(true))
    );
    let residency = json(&stores, &["residency", "acme"]);
    assert_eq!(
        (&residency["home_region"], &residency["is_home_alone"]),
        (&json!("eu"), &json!(true))
    );
}

#[test]
fn a_token_is_rotated_on_the_command_line() {
    let stores = acme();
    let old = text(
        &json(&stores, &["token", "create", "acme", "--networks", "203.0.113.0/24"]),
        "key_id",
    );
    let shown = json(&stores, &["token", "show", "acme", &old]);
    assert_eq!(shown["networks"], json!(["203.0.113.0/24"]));
    assert!(shown.get("token").is_none());

    let new = json(&stores, &["token", "rotate", "start", "acme", &old, "--overlap", "1d"]);
    assert!(text(&new, "token").starts_with("mst_eu_pf_"));
    assert_eq!(json(&stores, &["token", "show", "acme", &old])["state"], "retiring");
    json(&stores, &["token", "rotate", "cancel", "acme", &old]);
    assert_eq!(json(&stores, &["token", "show", "acme", &old])["state"], "live");
    assert!(
        refused(&stores, &["token", "rotate", "complete", "acme", &old])
            .contains("not being replaced")
    );

    json(&stores, &["token", "rotate", "start", "acme", &old]);
    json(&stores, &["token", "rotate", "complete", "acme", &old]);
    assert_eq!(json(&stores, &["token", "show", "acme", &old])["state"], "revoked");
    let other = ["token", "create", "acme", "--population", "board"];
    assert!(refused(&stores, &other).contains("--both-populations"));
}

#[test]
fn clients_plans_people_and_audit_are_on_the_command_line() {
    let stores = acme();
    let made = json(&stores, &["oauth-client", "create", "acme", "--name", "Entra gallery"]);
    let client = text(&made, "id");
    assert!(text(&made, "client_secret").starts_with("mcs_eu_pf_"));
    let more = json(&stores, &["oauth-client", "add-secret", "acme", &client]);
    json(&stores, &["oauth-client", "revoke-secret", "acme", &client, &text(&more, "id")]);
    assert_eq!(json(&stores, &["oauth-client", "revoke", "acme", &client])["state"], "revoked");

    let plan = ["plan", "set", "starter", "--directory-sync", "off", "--group-push", "off"];
    assert_eq!(json(&stores, &plan)["directory_sync"], false);
    assert_eq!(json(&stores, &["plan", "list"])["data"][0]["name"], "starter");

    let preview = json(&stores, &["tenant", "switch", "preview", "acme"]);
    assert_eq!((&preview["from"], &preview["to"]), (&json!("platform"), &json!("board")));
    let frozen = json(&stores, &["tenant", "switch", "freeze", "acme", "--to", "board"]);
    assert_eq!(frozen["stage"], "frozen");
    assert_eq!(json(&stores, &["tenant", "switch", "undo", "acme"])["stage"], "none");

    assert_eq!(json(&stores, &["user", "list", "acme"])["data"], json!([]));
    assert_eq!(json(&stores, &["group", "list", "acme"])["data"], json!([]));
    assert!(refused(&stores, &["user", "deactivate", "acme", "nobody"]).contains("no such person"));

    let audit = json(&stores, &["audit", "acme", "--limit", "200"]);
    let actions: Vec<&str> = audit["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions.last(), Some(&"tenant.create"));
    assert!(actions.len() >= 6, "{actions:?}");
    let all = audit.to_string();
    assert!(!all.contains(&text(&made, "client_secret")), "{all}");
}
