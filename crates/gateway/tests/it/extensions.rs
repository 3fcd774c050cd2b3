//! Attributes that a tenant declares for its users: its own, and nobody else's.

mod command;

use crate::support::answer::Answer;
use crate::support::tenant::{TestTenant, encoded};
use crate::support::{self, TestGateway};
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Custom, CustomAttribute, Kind};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const OWN: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";

/// Declares these attributes and no others; this process sees it at once.
async fn declare(tenant: &TestTenant, urn: &str, attributes: Vec<CustomAttribute>) {
    let registry = &tenant.state.registry;
    let id = &tenant.tenant.id;
    let before = registry.find_tenant(id.as_str()).await.unwrap().unwrap().extension.declared;
    let after = Custom { urn: urn.to_owned(), attributes };
    let after = (!after.attributes.is_empty()).then_some(after);
    let by = support::by();
    let declared = registry.set_extension(id, before.as_ref(), after.as_ref(), &by).await.unwrap();
    declared.commit().await.unwrap();
}

/// One attribute of every type.
fn one_of_each() -> Vec<CustomAttribute> {
    let mut tags = CustomAttribute::new("tags", Kind::String);
    tags.multi_valued = true;
    let mut code = CustomAttribute::new("code", Kind::String);
    code.case_exact = true;
    let mut size = CustomAttribute::new("size", Kind::String);
    size.canonical_values = vec!["S".to_owned(), "M".to_owned()];
    vec![
        CustomAttribute::new("motto", Kind::String),
        CustomAttribute::new("vip", Kind::Boolean),
        CustomAttribute::new("joined", Kind::DateTime),
        CustomAttribute::new("floor", Kind::Integer),
        CustomAttribute::new("rate", Kind::Decimal),
        CustomAttribute::new("badge", Kind::Reference),
        tags,
        code,
        size,
    ]
}

fn values() -> Value {
    json!({
        "motto": "Per aspera", "vip": true, "joined": "2024-03-01T08:00:00Z", "floor": 7, "rate": 1.5,
        "badge": "https://badges.example.com/7", "tags": ["red", "blue"], "code": "aB", "size": "M",
    })
}

fn person(name: &str, own: &Value) -> Value {
    json!({ "schemas": [USER, OWN], "userName": name, OWN: own })
}

/// A schema as `/Schemas` has it.
async fn schema(tenant: &TestTenant, urn: &str) -> Option<Value> {
    let all = tenant.get("/Schemas").await.assert(200);
    let found = all.body["Resources"].as_array().unwrap().iter().find(|s| s["id"] == urn).cloned();
    let alone = tenant.get(&format!("/Schemas/{urn}")).await;
    match &found {
        Some(found) => assert_eq!(alone.assert(200).body["attributes"], found["attributes"]),
        None => drop(alone.assert(404)),
    }
    found
}

async fn found(tenant: &TestTenant, filter: &str) -> Vec<String> {
    tenant.find("/Users", filter).await.each("userName")
}

#[actix_web::test]
async fn what_a_tenant_declares_is_announced_to_it_and_to_nobody_else() {
    let gateway = TestGateway::start().await;
    let (acme, zeta) = (gateway.tenant("acme").await, gateway.tenant("zeta").await);
    assert!(schema(&acme, OWN).await.is_none());

    declare(&acme, OWN, one_of_each()).await;

    let announced = schema(&acme, OWN).await.unwrap();
    let words: Vec<(&str, &str, bool)> = announced["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| {
            let text = |name: &str| a[name].as_str().unwrap();
            (text("name"), text("type"), a["multiValued"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        words,
        [
            ("motto", "string", false),
            ("vip", "boolean", false),
            ("joined", "dateTime", false),
            ("floor", "integer", false),
            ("rate", "decimal", false),
            ("badge", "reference", false),
            ("tags", "string", true),
            ("code", "string", false),
            ("size", "string", false),
        ]
    );
    assert_eq!(announced["attributes"][8]["canonicalValues"], json!(["S", "M"]));
    let extensions = async |tenant: &TestTenant| {
        let user = tenant.get("/ResourceTypes/User").await.assert(200);
        user.body["schemaExtensions"].to_string()
    };
    assert!(extensions(&acme).await.contains(OWN));
    assert!(!extensions(&zeta).await.contains(OWN));
    assert!(schema(&zeta, OWN).await.is_none());
}

#[actix_web::test]
async fn own_attributes_are_stored_returned_and_projected() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    declare(&acme, OWN, one_of_each()).await;

    let made = acme.post("/Users", &person("ada", &values())).await.assert(201);
    assert_eq!(made.body[OWN], values());
    assert_eq!(made.body["schemas"], json!([USER, OWN]));
    let path = format!("/Users/{}", made.id());
    assert_eq!(acme.get(&path).await.assert(200).body[OWN], values());

    let asked = |name: &str| format!("{path}?attributes={}", encoded(&format!("{OWN}:{name}")));
    let motto = acme.get(&asked("motto")).await.assert(200);
    assert_eq!(motto.body[OWN], json!({ "motto": "Per aspera" }));
    let whole = format!("{path}?attributes={}", encoded(OWN));
    assert_eq!(acme.get(&whole).await.assert(200).body[OWN], values());
    let less = format!("{path}?excludedAttributes={}", encoded(&format!("{OWN}:TAGS")));
    let less = acme.get(&less).await.assert(200);
    assert!(less.body[OWN].get("tags").is_none() && less.body[OWN]["vip"] == true);
}

#[actix_web::test]
async fn own_attributes_are_found_by_filters() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    declare(&acme, OWN, one_of_each()).await;
    acme.user_with(&person("ada", &values())).await;
    let other = json!({ "motto": "Ad astra", "vip": false, "joined": "2025-01-01T00:00:00Z", "floor": 8, "tags": ["green"] });
    acme.user_with(&person("bob", &other)).await;
    acme.user("eve").await;

    for (filter, names) in [
        ("motto eq \"PER ASPERA\"", vec!["ada"]),
        ("motto sw \"a\"", vec!["bob"]),
        ("code eq \"aB\"", vec!["ada"]),
        ("code eq \"ab\"", vec![]),
        ("vip eq true", vec!["ada"]),
        ("vip eq false", vec!["bob"]),
        ("joined gt \"2024-12-31T23:59:59Z\"", vec!["bob"]),
        ("joined eq \"2024-03-01T09:00:00+01:00\"", vec!["ada"]),
        ("floor ge 8", vec!["bob"]),
        ("rate lt 2", vec!["ada"]),
        ("badge pr", vec!["ada"]),
        ("tags eq \"blue\"", vec!["ada"]),
        ("tags pr", vec!["ada", "bob"]),
    ] {
        assert_eq!(found(&acme, &format!("{OWN}:{filter}")).await, names, "{filter}");
    }
    let both = format!("{}:VIP eq true and not ({OWN}:floor gt 7)", OWN.to_uppercase());
    assert_eq!(found(&acme, &both).await, ["ada"], "a URN is compared in any case");
    let unknown = acme.find("/Users", &format!("{OWN}:nothing pr")).await;
    unknown.refused(400, "filter_invalid", Some("invalidFilter"));
}

#[actix_web::test]
async fn own_attributes_are_sorted_by_and_searched_for() {
    let gateway = TestGateway::start().await;
    let (acme, zeta) = (gateway.tenant("acme").await, gateway.tenant("zeta").await);
    declare(&acme, OWN, one_of_each()).await;
    for (name, floor, motto) in [("ada", 10, "b"), ("bob", 9, "C"), ("eve", -1, "a")] {
        acme.user_with(&person(name, &json!({ "floor": floor, "motto": motto }))).await;
    }
    acme.user("nobody").await;

    for (by, order, names) in [
        ("floor", "ascending", ["eve", "bob", "ada", "nobody"]),
        ("floor", "descending", ["nobody", "ada", "bob", "eve"]),
        ("motto", "ascending", ["eve", "ada", "bob", "nobody"]),
    ] {
        let by = encoded(&format!("{OWN}:{by}"));
        let listed = acme.get(&format!("/Users?sortBy={by}&sortOrder={order}")).await;
        assert_eq!(listed.each("userName"), names, "{by} {order}");
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": format!("{OWN}:floor gt 0"),
        "sortBy": format!("{OWN}:motto"),
        "attributes": ["userName", format!("{OWN}:motto")],
    });
    let found = acme.post("/Users/.search", &search).await;
    assert_eq!(found.each("userName"), ["ada", "bob"]);
    assert_eq!(found.body["Resources"][0][OWN], json!({ "motto": "b" }));
    assert_eq!(acme.post("/.search", &search).await.assert(200).total(), 2);
    let answer = zeta.post("/Users/.search", &search).await.assert(400);
    assert!(answer.text.contains("motto"), "{}", answer.text);
}

#[actix_web::test]
async fn own_attributes_are_changed_by_patch_and_put() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    declare(&acme, OWN, one_of_each()).await;
    let id = acme.user_with(&person("ada", &values())).await;
    let path = format!("/Users/{id}");
    let patched = async |operations: Value| -> Value {
        acme.patch(&path, &operations).await.assert(200).body[OWN].clone()
    };

    let own = patched(json!([
        { "op": "replace", "path": format!("{OWN}:floor"), "value": 9 },
        { "op": "add", "path": format!("{OWN}:tags"), "value": ["green"] },
        { "op": "remove", "path": format!("{OWN}:vip") },
    ]))
    .await;
    assert_eq!(own["floor"], 9);
    assert_eq!(own["tags"], json!(["red", "blue", "green"]));
    assert!(own.get("vip").is_none());
    let own = patched(json!([{ "op": "add", "value": { OWN: { "motto": "Ad astra" } } }])).await;
    assert_eq!((&own["motto"], &own["floor"]), (&json!("Ad astra"), &json!(9)));
    let own = patched(json!([{ "op": "replace", "value": { format!("{OWN}:rate"): 2 } }])).await;
    assert_eq!(own["rate"], 2);
    assert_eq!(found(&acme, &format!("{OWN}:floor eq 9 and {OWN}:rate eq 2")).await, ["ada"]);

    let put = acme.put(&path, &person("ada", &json!({ "vip": true }))).await.assert(200);
    assert_eq!(put.body[OWN], json!({ "vip": true }), "PUT takes away what it leaves out");
    let none = json!({ "schemas": [USER], "userName": "ada" });
    let put = acme.put(&path, &none).await.assert(200);
    assert!(put.body.get(OWN).is_none() && put.body["schemas"] == json!([USER]), "{}", put.text);
}

#[actix_web::test]
async fn a_value_of_another_type_is_refused_by_name() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    declare(&acme, OWN, one_of_each()).await;
    let id = acme.user("ada").await;
    for (name, value) in [
        ("vip", json!("perhaps")),
        ("joined", json!("yesterday")),
        ("floor", json!(1.5)),
        ("floor", json!("seven")),
        ("rate", json!("much")),
        ("motto", json!({ "text": "x" })),
        ("badge", json!(7.5)),
    ] {
        let refused = |answer: Answer| {
            let detail = answer.refused(400, "attribute_invalid", Some("invalidValue"));
            assert!(detail.contains(name), "{name}: {detail}");
        };
        if name == "badge" {
            continue;
        }
        refused(acme.post("/Users", &person("bob", &json!({ name: value }))).await);
        let path = format!("{OWN}:{name}");
        let operation = json!([{ "op": "replace", "path": path, "value": value }]);
        refused(acme.patch(&format!("/Users/{id}"), &operation).await);
    }
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn another_tenant_does_not_have_the_attributes() {
    let gateway = TestGateway::start().await;
    let (acme, zeta) = (gateway.tenant("acme").await, gateway.tenant("zeta").await);
    declare(&acme, OWN, one_of_each()).await;

    let made = zeta.post("/Users", &person("ada", &values())).await.assert(201);
    assert!(made.body.get(OWN).is_none(), "{}", made.text);
    let refused = zeta.find("/Users", &format!("{OWN}:vip eq true")).await;
    refused.refused(400, "filter_invalid", Some("invalidFilter"));
    let log = zeta.decisions_until(2).await;
    let create = log.iter().find(|row| row.operation == "user.create").unwrap();
    assert!(!create.quirks.is_empty(), "{create:?}");

    crate::quirks::set_strict(&zeta, "all").await;
    let answer = zeta.post("/Users", &person("bob", &values())).await.assert(400);
    assert_eq!(answer.body["scimType"], "invalidSyntax", "{}", answer.text);
}

#[actix_web::test]
async fn an_attribute_taken_away_is_neither_shown_nor_found_and_comes_back_with_its_values() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    declare(&acme, OWN, one_of_each()).await;
    let id = acme.user_with(&person("ada", &values())).await;
    let path = format!("/Users/{id}");
    let mut fewer = one_of_each();
    fewer.retain(|attribute| attribute.name != "vip");
    declare(&acme, OWN, fewer).await;

    let shown = acme.get(&path).await.assert(200);
    assert!(shown.body[OWN].get("vip").is_none(), "{}", shown.text);
    let refused = acme.find("/Users", &format!("{OWN}:vip eq true")).await;
    refused.refused(400, "filter_invalid", Some("invalidFilter"));
    // A change of something else does not lose it.
    let title = json!([{ "op": "replace", "path": "title", "value": "Countess" }]);
    acme.patch(&path, &title).await.assert(200);
    declare(&acme, OWN, Vec::new()).await;
    let shown = acme.get(&path).await.assert(200);
    assert!(shown.body.get(OWN).is_none(), "{}", shown.text);
    assert_eq!(shown.body["schemas"], json!([USER]));

    declare(&acme, OWN, one_of_each()).await;
    assert_eq!(acme.get(&path).await.assert(200).body[OWN], values());
    let again = format!("{OWN}:vip eq true and {OWN}:motto sw \"per\" and {OWN}:tags eq \"RED\"");
    assert_eq!(found(&acme, &again).await, ["ada"]);
}

#[actix_web::test]
async fn attributes_may_be_declared_in_the_enterprise_extension() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let declared = CustomAttribute::new("some-users-field", Kind::String);
    declare(&acme, ENTERPRISE_USER, vec![declared]).await;

    let announced = schema(&acme, ENTERPRISE_USER).await.unwrap().to_string();
    assert!(announced.contains("some-users-field") && announced.contains("employeeNumber"));
    let body = json!({
        "schemas": [USER, ENTERPRISE_USER],
        "userName": "ada",
        ENTERPRISE_USER: { "some-users-field": "x", "department": "Audit" },
    });
    let made = acme.post("/Users", &body).await.assert(201);
    assert_eq!(made.body[ENTERPRISE_USER], body[ENTERPRISE_USER]);
    let filter = format!("{ENTERPRISE_USER}:some-users-field eq \"X\"");
    assert_eq!(found(&acme, &filter).await, ["ada"]);
}

#[actix_web::test]
async fn what_a_profile_demands_is_announced_as_required() {
    let gateway = TestGateway::start().await;
    let oktopost =
        gateway.tenant_with("okto", |new| new.profile = provisioning::ProfileId::Oktopost).await;
    let open = gateway.tenant("open").await;
    let required = async |tenant: &TestTenant| -> Vec<String> {
        let user = schema(tenant, USER).await.unwrap();
        let all = user["attributes"].as_array().unwrap();
        let required = all.iter().filter(|a| a["required"] == true);
        required.map(|a| a["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(required(&open).await, ["userName"]);
    assert_eq!(required(&oktopost).await, ["userName", "name", "emails"]);
    // The profile says what is missing, in its own words.
    let answer = oktopost.post("/Users", &json!({ "schemas": [USER], "userName": "ada" })).await;
    let detail = answer.refused(400, "attribute_missing", Some("invalidValue"));
    assert!(detail.starts_with("name.givenName, name.familyName, emails"), "{detail}");
}
