//! The OpenAPI document, and the page that shows it.

use super::api::Api;
use super::walk::{Scene, example};
use crate::support::TestGateway;
use gateway::admin::clients::shown::AssertionView;
use gateway::admin::endpoint::{Endpoint, Method, Shape};
use gateway::admin::openapi::document;
use gateway::admin::problem::Code;
use gateway::admin::routes::{NOUNS, PATH_PARTS, endpoints};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// As the committed copy has it: with the usual configuration.
fn written() -> String {
    let mut text = serde_json::to_string_pretty(&document("http://admin.localhost:8080")).unwrap();
    text.push('\n');
    text
}

#[test]
fn the_page_of_the_admin_api_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if crate::support::stores::variable("MUSTER_WRITE_DOCS").is_some() {
        std::fs::write(&path, written()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == written(), "docs/openapi.json is not what the code says: make docs");
}

/// Every `$ref` within a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                found.insert(reference.to_owned());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    let document = document("http://admin.example.com");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name}: who has it?");
        assert!(!name.ends_with("View"), "{name}: a name of the code and not of the API");
    }
}

#[test]
fn every_operation_is_described_and_every_part_of_it_is_known() {
    let document = document("http://admin.example.com");
    let tags: BTreeSet<&str> = NOUNS.iter().map(|(name, _)| *name).collect();
    let mut ids = BTreeSet::new();
    for endpoint in endpoints() {
        assert!(tags.contains(endpoint.noun()), "{}", endpoint.id);
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][endpoint.path][&method];
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
        for member in ["summary", "description"] {
            assert!(!operation[member].as_str().unwrap().is_empty(), "{} {member}", endpoint.id);
        }
        let names: Vec<&str> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.contains(&"dry_run"), endpoint.method.is_mutating(), "{}", endpoint.id);
        assert_eq!(
            names.contains(&"Idempotency-Key"),
            endpoint.method == Method::Post,
            "{}",
            endpoint.id
        );
        assert_eq!(names.contains(&"limit"), names.contains(&"after"), "{}", endpoint.id);
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_problem = status.starts_with(['4', '5']);
            let media = if is_problem { "application/problem+json" } else { "application/json" };
            let content = &response["content"][media];
            assert!(content["schema"]["$ref"].is_string(), "{} {status}", endpoint.id);
            if is_problem {
                assert!(!content["examples"].as_object().unwrap().is_empty());
            } else {
                let schema =
                    document.pointer(&content["schema"]["$ref"].as_str().unwrap()[1..]).unwrap();
                assert!(
                    content["example"].is_object(),
                    "{}: what does it answer? {schema}",
                    endpoint.id
                );
            }
        }
    }
    assert_eq!(ids.len(), endpoints().count());
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let used: BTreeSet<&str> =
        endpoints().flat_map(Endpoint::all_problems).map(Code::as_str).collect();
    assert_eq!(codes, used, "a code that nothing answers with, or the other way round");
}

/// What a field says it needs is what the code needs: each is taken as the document has it.
#[actix_web::test]
async fn the_example_of_every_body_is_accepted() {
    let scene = Scene::new().await;
    for endpoint in endpoints() {
        let Some(example) = example(endpoint) else { continue };
        let path = scene.path(endpoint);
        let reply = scene
            .api
            .call(endpoint.method.as_str(), &format!("{path}?dry_run=true"))
            .json(&example)
            .send()
            .await;
        // Nothing is frozen yet.
        let is_too_early =
            endpoint.id == "population-switch.cut_over" && reply.code() == "state_conflict";
        assert!(
            reply.status == endpoint.gives.0 || is_too_early,
            "{}: {}",
            endpoint.id,
            reply.text
        );
        for field in example.as_object().unwrap().keys() {
            let mut without = example.clone();
            without.as_object_mut().unwrap().remove(field);
            let shape = endpoint.body.as_ref().unwrap();
            let schema = serde_json::to_value((shape.schema)()).unwrap();
            let required =
                schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == field));
            let reply = scene
                .api
                .call(endpoint.method.as_str(), &format!("{path}?dry_run=true"))
                .json(&without)
                .send()
                .await;
            if required {
                reply.refused_field(422, "field_invalid", field);
            } else {
                assert!(
                    reply.status == endpoint.gives.0 || is_too_early,
                    "{} without {field}: {}",
                    endpoint.id,
                    reply.text
                );
            }
        }
    }
    let shape = Shape::of::<AssertionView>();
    let schema = serde_json::to_value((shape.schema)()).unwrap();
    let client = json!({ "assertion": schema["example"] });
    let clients = format!("/admin/v1/tenants/{}/oauth-clients", scene.acme.tenant.id);
    let made = scene.api.post(&clients, &client).await.assert(201);
    assert_eq!(made.body["assertion"]["issuer"], schema["example"]["issuer"]);
}

#[test]
fn every_part_of_a_path_has_an_example_of_its_form() {
    for (name, about, form, example) in PATH_PARTS {
        assert!(!about.is_empty() && form.starts_with('^') && form.ends_with('$'), "{name}");
        let path = format!("/admin/v1/tenants/{example}");
        assert!(path.len() > 20, "{name}");
    }
}

#[actix_web::test]
async fn the_document_and_its_page_are_for_everybody_and_load_nothing() {
    let gateway = TestGateway::start().await;
    let api = Api::of(&gateway);
    let shown = api.nobody().get("/openapi.json").await.assert(200);
    assert_eq!(shown.body, document(&gateway.state.hosts.admin_base_url()));
    assert_eq!(shown.body["openapi"], "3.1.0");

    let page = gateway
        .http
        .get(format!("http://{}/docs", gateway.address))
        .header("host", &api.host)
        .send()
        .await
        .unwrap();
    assert_eq!(page.status().as_u16(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = page.text().await.unwrap();
    for endpoint in endpoints() {
        assert!(
            html.contains(&format!("id=\"{}\"", endpoint.id.replace('.', "_"))),
            "{}",
            endpoint.id
        );
    }
    for code in Code::ALL {
        assert!(html.contains(&format!("id=\"problem-{}\"", code.as_str())), "{code:?}");
    }
    for outside in ["<script", "src=", "url(", "@import", "http-equiv"] {
        assert!(!html.contains(outside), "{outside}");
    }
    // Every link within the page leads somewhere in it.
    for target in html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(html.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

#[actix_web::test]
async fn a_host_that_is_not_the_admin_apis_has_none_of_it() {
    let gateway = TestGateway::start().await;
    let (acme, api) = (gateway.tenant("acme").await, Api::of(&gateway));
    for path in ["/admin/v1/tenants", "/openapi.json", "/docs", "/.well-known/jwks.json"] {
        let call = gateway.call("GET", &acme.host, path);
        let answer = call.header("authorization", &format!("Bearer {}", api.token())).send().await;
        assert!(matches!(answer.status, 401 | 404), "{path}: {}", answer.text);
    }
    // And the other way round.
    for path in [
        "/scim/v2/Users",
        "/oauth2/token",
        "/scim/v2/ServiceProviderConfig",
        "/healthz",
        "/metrics",
    ] {
        api.get(path).await.refused(404, "path_unknown");
    }
    let bodies = json!({ "userName": "ada" });
    api.post("/scim/v2/Users", &bodies).await.refused(404, "path_unknown");
}
