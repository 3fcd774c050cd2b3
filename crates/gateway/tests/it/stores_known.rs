//! A database in the place of the one where a region's people are.

use crate::support::binary::{Binary, muster};
use crate::support::stores::Stores;
use serde_json::Value;

fn run(stores: &Stores, url: Option<&str>, arguments: &[&str]) -> Result<Value, String> {
    let mut command = muster(stores);
    command.args(arguments).args(["-o", "json"]);
    command.envs(["MUSTER__SERVER__LISTEN", "MUSTER__OPS__LISTEN"].map(|key| (key, "127.0.0.1:0")));
    command.envs(url.map(|url| ("MUSTER__REGIONS__US__STORE", url)));
    let done = command.output().unwrap();
    match done.status.code() {
        Some(0) => Ok(serde_json::from_slice(&done.stdout).unwrap()),
        Some(1) => Err(String::from_utf8([done.stdout, done.stderr].concat()).unwrap()),
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&done.stderr)),
    }
}

#[actix_web::test]
async fn an_empty_database_in_the_place_of_a_store_is_refused_until_it_is_accepted() {
    let stores = Stores::new(&["us", "eu"]);
    let other = format!("sqlite:{}", stores.folder().join("other.sqlite").display());
    run(&stores, None, &["migrate"]).unwrap();
    let create = ["tenant", "create", "acme", "--name", "Acme", "--profile", "open"];
    let place = ["--region", "us", "--population", "platform"];
    run(&stores, None, &[create.as_slice(), &place].concat()).unwrap();

    let to_eu = ["tenant", "move", "acme", "--to-region", "eu", "--confirm", "acme"];
    for arguments in [&["migrate"][..], &["serve"], &["log", "acme"], &["doctor"], &to_eu] {
        let said = run(&stores, Some(&other), arguments).unwrap_err();
        for part in ["regions.us.store", "muster registry accept --store us"] {
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
    }
    // What was there before serves as ever.
    Binary::serve(&stores, &[]).await.terminate();

    let unknown = run(&stores, Some(&other), &["registry", "accept", "--store", "mars"]);
    assert!(unknown.unwrap_err().contains("there is no region"));
    let accepted = run(&stores, Some(&other), &["registry", "accept", "--store", "us"]).unwrap();
    assert_eq!(accepted["store"], "us");
    run(&stores, Some(&other), &["migrate"]).unwrap();
    let said = run(&stores, None, &["migrate"]).unwrap_err();
    assert!(said.contains("muster registry accept --store us"), "{said}");
    let audit = run(&stores, Some(&other), &["audit"]).unwrap();
    assert!(audit.to_string().contains("registry.accept_store"), "{audit}");
}

#[actix_web::test]
async fn a_store_is_known_wherever_its_database_is() {
    let stores = Stores::new(&["us", "eu"]);
    run(&stores, None, &["migrate"]).unwrap();
    if !stores.are_files() {
        return;
    }
    let copy = stores.folder().join("restored.sqlite");
    std::fs::copy(stores.folder().join("us.sqlite"), &copy).unwrap();
    run(&stores, Some(&format!("sqlite:{}", copy.display())), &["migrate"]).unwrap();
}
