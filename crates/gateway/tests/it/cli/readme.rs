//! What the README says to type, typed.

use super::super::support::binary::Binary;
use super::super::support::stores::Stores;

/// The lines of the README between a heading and the next one that are to be typed.
fn typed(heading: &str) -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));
    let readme = readme.unwrap();
    let section = readme.split(heading).nth(1).unwrap();
    section.split("```").nth(1).unwrap().to_owned()
}

#[actix_web::test]
async fn the_readme_leads_from_nothing_to_a_person() {
    let stores = Stores::new(&["us", "eu"]);
    let mut server = Binary::serve(&stores, &[]).await;
    let port = server.address.port().to_string();
    let lines = typed("## From nothing to a person, by API")
        .replace("target/debug/muster", env!("CARGO_BIN_EXE_muster"))
        .replace("8080", &port);
    let done = std::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &lines])
        .current_dir(stores.folder())
        .envs(stores.variables())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for expected in
        [r#""slug":"initech""#, r#""userName":"ada@initech.example""#, r#""reason":"user_created""#]
    {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    server.terminate();
    assert!(server.end().await.success());
}
