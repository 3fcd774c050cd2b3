//! `muster setup`: every value exact for the tenant's own region and population.

mod page;

use crate::support::binary::{json, muster};
use crate::support::stores::Stores;
use serde_json::Value;

const HOSTING: [(&str, &str); 3] = [
    ("MUSTER__HOSTING__DOMAIN", "example.com"),
    ("MUSTER__HOSTING__PUBLIC_SCHEME", "https"),
    ("MUSTER__HOSTING__PUBLIC_PORT", "443"),
];

fn make(stores: &Stores, slug: &str, region: &str, population: &str, profile: &str) {
    let arguments = [
        ["tenant", "create", slug, "--name", slug, "--region", region].as_slice(),
        &["--population", population, "--profile", profile],
    ]
    .concat();
    json(stores, &arguments);
}

fn setup(stores: &Stores, arguments: &[&str]) -> Value {
    let done = muster(stores)
        .arg("setup")
        .args(arguments)
        .args(["-o", "json"])
        .envs(HOSTING)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn value<'a>(setup: &'a Value, at: &str, key: &str) -> &'a str {
    let fields = setup.pointer(at).unwrap().as_array().unwrap();
    let field = fields.iter().find(|field| field["key"] == key);
    field.and_then(|field| field["value"].as_str()).unwrap_or_else(|| panic!("no {key} in {at}"))
}

#[test]
fn every_url_is_that_of_the_tenants_region_and_population() {
    let stores = Stores::new(&["us", "eu"]);
    for (slug, region, population, host) in [
        ("a", "us", "platform", "app.example.com"),
        ("b", "eu", "platform", "eu-app.example.com"),
        ("c", "us", "board", "board.example.com"),
        ("d", "eu", "board", "eu-board.example.com"),
    ] {
        make(&stores, slug, region, population, "oktopost");
        let entra = setup(&stores, &[slug, "--idp", "entra"]);

        let base = format!("https://{host}/scim/v2");
        assert_eq!(entra["scim_base_url"], base);
        assert_eq!(value(&entra, "/connection", "base_url"), base);
        let tokens = format!("https://{host}/oauth2/token");
        assert_eq!(value(&entra, "/oauth", "token_endpoint"), tokens);
        let saml = |key| value(&entra, "/saml/fields", key);
        assert_eq!(saml("saml_identifier"), format!("https://{host}"));
        assert_eq!(saml("saml_acs"), format!("https://{host}/auth/acs"));
        assert_eq!(saml("saml_login"), format!("https://{host}/auth/login"));
        assert_eq!(saml("saml_audience"), "urn:oktopost:sp");
        // No other host of the four is anywhere in it.
        let text = entra.to_string();
        for other in ["app", "board"].map(|label| format!("//{label}.example.com")) {
            assert_eq!(text.contains(&other), host == &other[2..], "{slug}: {other}");
        }
    }
}

#[test]
fn the_mapping_is_that_of_the_profile_in_the_words_of_the_identity_provider() {
    let stores = Stores::new(&["us"]);
    make(&stores, "acme", "us", "platform", "condeco");
    let table = |idp: &str| {
        let setup = setup(&stores, &["acme", "--idp", idp]);
        let rows = setup["mapping"].as_array().unwrap().clone();
        move |attribute: &str| {
            let row = rows.iter().find(|row| row["attribute"] == attribute)?;
            Some((row["source"].as_str()?.to_owned(), row["need"].as_str()?.to_owned()))
        }
    };
    let row = |source: &str, need: &str| Some((source.to_owned(), need.to_owned()));

    let okta = table("okta");
    assert_eq!(okta(r#"emails[type eq "work"].value"#), row("user.email", "required"));
    assert_eq!(okta("name.givenName"), row("user.firstName", "required"));
    assert_eq!(okta("preferredLanguage"), row("user.preferredLanguage", "optional"));
    assert_eq!(okta("nickName"), None);
    let entra = table("entra");
    assert_eq!(entra("userName"), row("userPrincipalName", "required"));
    assert_eq!(entra("externalId"), row("objectId", "recommended"));
}

#[test]
fn the_tenants_own_attributes_are_there_with_schema_attribute_and_type() {
    let stores = Stores::new(&["us"]);
    make(&stores, "acme", "us", "platform", "open");
    let add = ["tenant", "attribute", "add", "acme", "--label", "Some User's Field"];
    json(&stores, &[&add[..], &["--type", "choices", "--values", "a,b"]].concat());

    let setup = setup(&stores, &["acme", "--idp", "entra"]);

    let own = &setup["own_attributes"][0];
    let urn = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";
    assert_eq!(own["schema"], urn);
    assert_eq!(own["attribute"], "some-users-field");
    assert_eq!(own["type"], "string array");
    assert_eq!(own["written"], format!("{urn}:some-users-field"));
    assert_eq!(own["description"], "Some User's Field");
}

#[test]
fn a_tenant_without_groups_is_told_to_leave_them_off() {
    let stores = Stores::new(&["us"]);
    make(&stores, "acme", "us", "platform", "open");
    let groups = |setup: &Value| {
        let steps = setup["steps"].as_array().unwrap();
        let titles = steps.iter().filter_map(|step| step["title"].as_str());
        titles.filter(|title| title.contains("roups")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(groups(&setup(&stores, &["acme", "--idp", "entra"])), ["Mapping of groups"]);
    json(&stores, &["tenant", "set", "acme", "--groups", "off"]);
    assert_eq!(groups(&setup(&stores, &["acme", "--idp", "entra"])), ["No groups"]);
}

#[test]
fn text_for_people_has_the_values_and_no_secret() {
    let stores = Stores::new(&["us"]);
    make(&stores, "acme", "us", "platform", "oktopost");
    let made = json(&stores, &["token", "create", "acme"]);
    let done = muster(&stores).args(["setup", "acme"]).envs(HOSTING).output().unwrap();

    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success());
    assert!(text.starts_with("acme: connecting any other identity provider\n"), "{text}");
    assert!(text.contains("https://app.example.com/scim/v2\n"), "{text}");
    assert!(!text.contains(made["token"].as_str().unwrap()));
    assert!(!text.contains("HOST") && !text.contains("TENANT"), "{text}");
}

#[test]
fn an_unknown_identity_provider_or_the_other_population_is_refused_with_what_would_be_right() {
    let stores = Stores::new(&["us"]);
    make(&stores, "acme", "us", "platform", "open");
    for (arguments, expected) in [
        (
            ["setup", "acme", "--idp", "azure"],
            "muster: there is no identity provider \"azure\"; they are: okta, okta-catalogue, entra, onelogin, jumpcloud, ping, \
             google, custom\n",
        ),
        (
            ["setup", "acme", "--population", "board"],
            "muster: acme provisions platform users alone; leave --population out, or let it provision both populations first\n",
        ),
    ] {
        let done = muster(&stores).args(arguments).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        assert_eq!(String::from_utf8(done.stderr).unwrap(), expected);
    }
}
