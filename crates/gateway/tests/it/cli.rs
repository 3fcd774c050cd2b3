//! The command line, run as a program.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the functions that the tests share stop the test that they cannot serve"
)]

mod administer;
mod readme;
mod serving;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// `muster` in an empty folder, with nothing of this process's configuration.
fn muster(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.current_dir(folder).env("RUST_BACKTRACE", "0");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("MUSTER__") || name.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    muster(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let done = run(folder, arguments);
    assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The exit code and what was said about the failure.
fn failure(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let done = run(folder, arguments);
    assert_eq!(text(&done.stdout), "", "{arguments:?}");
    (done.status.code().unwrap(), text(&done.stderr).trim_end().to_owned())
}

const ACME: [&str; 11] = [
    "tenant",
    "create",
    "acme",
    "--name",
    "Acme",
    "--region",
    "eu",
    "--population",
    "platform",
    "--profile",
    "oktopost",
];

fn acme(folder: &Path) -> Value {
    json(folder, &[&ACME[..], &["--seats", "50", "-o", "json"]].concat())
}

#[test]
fn a_good_configuration_is_checked_without_touching_anything() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), &["serve", "--check"]);

    assert_eq!(done.status.code(), Some(0));
    assert_eq!(text(&done.stdout), "configuration is good\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn all_problems_of_a_configuration_are_printed_and_the_exit_code_is_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("muster.toml"), "[server]\nlisen = 1\n").unwrap();
    let done = muster(folder.path())
        .args(["serve", "--check"])
        .env("MUSTER__LOG__FORMAT", "xml")
        .output()
        .unwrap();

    assert_eq!(done.status.code(), Some(2));
    assert_eq!(text(&done.stdout), "");
    assert_eq!(
        text(&done.stderr),
        "muster: the configuration has 2 problems:\n  \
         log.format (MUSTER__LOG__FORMAT): must be auto, text or json, and is \"xml\"\n  \
         server.lisen (muster.toml:2): unknown key; did you mean server.listen?\n"
    );
}

#[test]
fn a_tenant_is_made_and_shown_with_its_base_url() {
    let folder = tempfile::tempdir().unwrap();
    let made = acme(folder.path());

    assert!(made["id"].as_str().unwrap().starts_with("ten_"));
    for (name, value) in [
        ("slug", "acme"),
        ("name", "Acme"),
        ("region", "eu"),
        ("population", "platform"),
        ("profile", "oktopost"),
        ("state", "active"),
        ("scim_base_url", "http://eu-app.localhost:8080/scim/v2"),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    assert_eq!(made["seats"], 50);
    assert_eq!(made["groups"], true);
    assert_eq!(json(folder.path(), &["tenant", "show", "acme", "-o", "json"]), made);
    let by_id = ["tenant", "show", made["id"].as_str().unwrap(), "-o", "json"];
    assert_eq!(json(folder.path(), &by_id), made);
    assert_eq!(json(folder.path(), &["tenant", "list", "-o", "json"])["tenants"][0], made);
}

#[test]
fn what_is_wrong_with_a_tenant_is_said_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    acme(folder.path());
    let create = |region: &str, population: &str, profile: &str| {
        let head = ["tenant", "create", "acme", "--name", "Acme", "--region", region];
        let rest = ["--population", population, "--profile", profile];
        failure(folder.path(), &[&head[..], &rest[..]].concat())
    };
    for (answer, expected) in [
        (
            create("mars", "board", "open"),
            "muster: there is no region \"mars\"; the regions are: eu, us",
        ),
        (
            create("eu", "all", "open"),
            "muster: there is no population \"all\"; the populations are: platform, board",
        ),
        (
            create("eu", "board", "none"),
            "muster: there is no profile \"none\"; the profiles are: open, oktopost, condeco, deskpro, outpost",
        ),
        (
            create("eu", "board", "open"),
            "muster: the slug \"acme\" is taken; choose another, or see `muster tenant show acme`",
        ),
        (
            failure(folder.path(), &["tenant", "show", "acne"]),
            "muster: there is no tenant \"acne\"; the tenants are: acme",
        ),
        (
            failure(folder.path(), &["token", "create", "acme", "--expires", "1 year"]),
            "muster: --expires \"1 year\" is not a span of time; write a number and a unit without a space, such as 15m, 24h or 365d",
        ),
    ] {
        assert_eq!(answer, (1, expected.to_owned()));
    }
}

#[test]
fn a_token_is_shown_once_listed_by_its_hint_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    acme(folder.path());
    let arguments = ["token", "create", "acme", "--name", "Okta", "--expires", "30d", "-o", "json"];
    let made = json(folder.path(), &arguments);

    let token = made["token"].as_str().unwrap();
    let key_id = made["key_id"].as_str().unwrap();
    assert!(token.starts_with(&format!("mst_eu_pf_{key_id}_")), "{made}");
    assert_eq!(made["scim_base_url"], "http://eu-app.localhost:8080/scim/v2");
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));

    let listed = json(folder.path(), &["token", "list", "acme", "-o", "json"]);
    assert!(!listed.to_string().contains(token));
    assert_eq!(listed["tokens"][0]["hint"], made["hint"]);
    assert_eq!(listed["tokens"][0]["state"], "live");

    json(folder.path(), &["token", "revoke", key_id, "-o", "json"]);
    let listed = json(folder.path(), &["token", "list", "acme", "-o", "json"]);
    assert_eq!(listed["tokens"][0]["state"], "revoked");
}

#[test]
fn an_operator_token_is_a_jwt_for_the_admin_api() {
    let folder = tempfile::tempdir().unwrap();
    let made =
        json(folder.path(), &["operator", "token", "--scopes", "tenants,tokens", "-o", "json"]);

    assert_eq!(made["admin_base_url"], "http://admin.localhost:8080");
    assert_eq!(made["token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(std::fs::read_dir(folder.path().join("data/operator-keys")).unwrap().count(), 1);
}

#[test]
fn a_log_without_decisions_says_so() {
    let folder = tempfile::tempdir().unwrap();
    acme(folder.path());
    let done = run(folder.path(), &["log", "acme"]);

    assert_eq!(text(&done.stderr), "");
    assert_eq!(text(&done.stdout), "no decisions yet\n");
}

#[test]
fn migrate_makes_every_store_of_this_node() {
    let folder = tempfile::tempdir().unwrap();
    let done = json(folder.path(), &["migrate", "-o", "json"]);

    assert_eq!(done["regions"], serde_json::json!(["eu", "us"]));
    for name in ["registry.sqlite", "us.sqlite", "eu.sqlite"] {
        assert!(folder.path().join("data").join(name).exists(), "{name}");
    }
}
