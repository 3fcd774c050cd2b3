//! The command, against a server in another process.

use crate::support::binary::{Binary, json, muster};
use crate::support::stores::Stores;
use serde_json::Value;
use std::process::Output;

fn doctor(stores: &Stores, server: &Binary, arguments: &[&str]) -> Output {
    let ops = server.line("serving").unwrap()["ops"].as_str().unwrap().to_owned();
    muster(stores)
        .arg("doctor")
        .args(arguments)
        .env("MUSTER__HOSTING__PUBLIC_PORT", server.address.port().to_string())
        .env("MUSTER__OPS__LISTEN", ops)
        .output()
        .unwrap()
}

fn read(done: &Output) -> Value {
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{text}"))
}

#[actix_web::test]
async fn the_exit_code_says_whether_something_failed() {
    let stores = Stores::new(&["us", "eu"]);
    let server = Binary::serve(&stores, &[]).await;
    let create = ["tenant", "create", "acme", "--name", "Acme", "--region", "eu"];
    json(&stores, &[&create[..], &["--population", "board", "--profile", "oktopost"]].concat());

    let done = doctor(&stores, &server, &["acme", "--write", "-o", "json"]);
    let report = read(&done);
    assert_eq!((done.status.code(), &report["good"]), (Some(0), &true.into()), "{report:#}");
    assert_eq!(report["tenant"], "acme");
    assert!(report["pass"].as_u64().unwrap() > 25, "{report:#}");

    json(&stores, &["tenant", "set", "acme", "--state", "suspended"]);
    let done = doctor(&stores, &server, &["acme"]);
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert!(text.contains("\nTo do\n  fail  acme is suspended"), "{text}");
    assert!(!text.contains("mst_"), "no token is shown: {text}");
}

#[actix_web::test]
async fn without_a_tenant_the_stores_the_ops_port_and_every_host_are_looked_at() {
    let stores = Stores::new(&["us", "eu"]);
    let server = Binary::serve(&stores, &[]).await;

    let report = read(&doctor(&stores, &server, &["-o", "json"]));

    assert_eq!(report["good"], true, "{report:#}");
    let checks = report["checks"].as_array().unwrap();
    let passed = |id: &str| {
        checks.iter().filter(|one| one["check"] == id && one["verdict"] == "pass").count()
    };
    let counts = ["registry", "store", "ops.ready", "ops.version", "host", "admin"].map(passed);
    assert_eq!(counts, [1, 2, 1, 1, 4, 1], "{report:#}");
}

#[actix_web::test]
async fn a_token_is_read_from_a_file() {
    let stores = Stores::new(&["us"]);
    let server = Binary::serve(&stores, &[("MUSTER__NODE__REGIONS", "us")]).await;
    let create = ["tenant", "create", "acme", "--name", "Acme", "--region", "us"];
    json(&stores, &[&create[..], &["--population", "platform", "--profile", "open"]].concat());
    let token = json(&stores, &["token", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let path = stores.folder().join("token");
    std::fs::write(&path, format!("{token}\n")).unwrap();
    let file = path.display().to_string();

    let done = doctor(&stores, &server, &["acme", "--token-file", &file, "-o", "json"]);
    assert_eq!(read(&done)["good"], true, "{:#}", read(&done));

    std::fs::write(&path, format!("\"{token}\"")).unwrap();
    let done = doctor(&stores, &server, &["acme", "--token-file", &file, "-o", "json"]);
    assert_eq!(done.status.code(), Some(1));
    let report = read(&done);
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|one| one["check"] == "token.file").unwrap();
    assert!(found["found"].as_str().unwrap().contains("quotes"), "{found:#}");

    let done = doctor(&stores, &server, &["acme", "--token-file", "/nowhere/token"]);
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(text.starts_with("muster: /nowhere/token cannot be read: "), "{text}");
}
