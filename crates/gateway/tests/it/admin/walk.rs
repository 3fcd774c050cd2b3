//! Every endpoint with every kind of credential: the documented ones pass, all others are refused.

use super::api::{Api, Reply};
use super::jwt::{Jwt, SigningKey, now};
use crate::support::TestGateway;
use crate::support::tenant::TestTenant;
use gateway::admin::access::{Access, Right};
use gateway::admin::endpoint::Endpoint;
use gateway::admin::problem::Code;
use gateway::admin::routes::{PATH_PARTS, endpoints};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Who calls, as the documentation sees it.
#[derive(Clone, Copy)]
enum Is<'a> {
    /// No good token: 401 with this code.
    Nobody(&'a str),
    Operator {
        scopes: &'a str,
        region: Option<&'a str>,
    },
    Admin {
        scopes: &'a str,
        tenant: &'a str,
    },
}

/// A tenant with something of everything, and the paths to it.
pub(super) struct Scene {
    pub(super) gateway: TestGateway,
    pub(super) api: Api,
    pub(super) acme: TestTenant,
    pub(super) other: TestTenant,
    parts: Vec<(&'static str, String)>,
    /// What is good at SCIM.
    not_ours: Vec<(&'static str, String)>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let quick = [
            ("MUSTER__OPERATOR__RATE_PER_SECOND", "100000"),
            ("MUSTER__OPERATOR__RATE_BURST", "100000"),
        ];
        let gateway = TestGateway::start_with(&["us", "eu"], &quick).await;
        let (acme, other) = (gateway.tenant("ours").await, gateway.tenant("other").await);
        let api = Api::of(&gateway);
        let id = acme.tenant.id.as_str();
        let user = acme.user("ada").await;
        let group = acme.group("Crew", &[&user]).await;
        let at = format!("/admin/v1/tenants/{id}");
        let connection = api.get(&format!("{at}/connections")).await.data()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        api.put("/admin/v1/plans/starter", &json!({ "directory_sync": true, "group_push": true }))
            .await
            .assert(200);
        let declared = json!({ "attribute": "costCentre", "type": "string" });
        api.post(&format!("{at}/attributes"), &declared).await.assert(201);
        let clients = format!("{at}/oauth-clients");
        let client = api.post(&clients, &json!({ "name": "Entra" })).await.assert(201);
        let secret =
            api.post(&format!("{clients}/{}/secrets", client.id()), &json!({})).await.assert(201);
        let asked = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            client.id(),
            client.text("client_secret")
        );
        let access = gateway
            .http
            .post(format!("http://{}/oauth2/token", gateway.address))
            .header("host", &acme.host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(asked);
        let access: Value =
            serde_json::from_str(&access.send().await.unwrap().text().await.unwrap()).unwrap();
        let not_ours = vec![
            ("a SCIM token", acme.token.clone()),
            ("an OAuth access token", access["access_token"].as_str().unwrap().to_owned()),
            ("a client's secret", client.text("client_secret")),
            ("a client's other secret", secret.text("client_secret")),
        ];
        let parts = vec![
            ("client", client.id()),
            ("secret", secret.id()),
            ("tenant", id.to_owned()),
            ("connection", connection),
            ("token", format!("tok_{}", acme.key_id)),
            ("user", user),
            ("group", group),
            ("plan", "starter".to_owned()),
            ("profile", "oktopost".to_owned()),
            ("attribute", "costCentre".to_owned()),
        ];
        Self { gateway, api, acme, other, parts, not_ours }
    }

    /// The path to what is there.
    pub(super) fn path(&self, endpoint: &Endpoint) -> String {
        self.path_with(endpoint, &[])
    }

    /// The same with other parts.
    fn path_with(&self, endpoint: &Endpoint, others: &[(&str, &str)]) -> String {
        let mut path = endpoint.path.to_owned();
        for (name, value) in others {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        for (name, value) in &self.parts {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "nothing to put into {path}");
        path
    }

    /// Calls an endpoint, and changes nothing by it.
    async fn call(&self, api: &Api, endpoint: &Endpoint, path: &str) -> Reply {
        let query = if endpoint.method.is_mutating() { "?dry_run=true" } else { "" };
        let call = api.call(endpoint.method.as_str(), &format!("{path}{query}"));
        match example(endpoint) {
            None => call.send().await,
            Some(body) => call.json(&body).send().await,
        }
    }
}

/// The example of the body, as the document has it.
pub(super) fn example(endpoint: &Endpoint) -> Option<Value> {
    let shape = endpoint.body.as_ref()?;
    let schema = serde_json::to_value((shape.schema)()).unwrap();
    let example = schema["example"].clone();
    assert!(example.is_object(), "{}: no example", endpoint.id);
    Some(example)
}

fn bearer(what: impl Into<String>, token: String, is: Is<'_>) -> (String, Option<String>, Is<'_>) {
    (what.into(), Some(token), is)
}

/// What the documentation says: nothing when the caller passes, else status and code.
fn expected(endpoint: &Endpoint, is: Is<'_>, scene: &Scene) -> Option<(u16, String)> {
    let home = "us";
    let own = scene.acme.tenant.id.as_str();
    let names_tenant = endpoint.path.contains("{tenant}");
    let refused = |status, code: &str| Some((status, code.to_owned()));
    if endpoint.access == Access::Public {
        return None;
    }
    if let Is::Nobody(code) = is {
        return refused(401, code);
    }
    let right = match endpoint.access {
        Access::Public | Access::Caller => return None,
        Access::Operator(right) | Access::Tenant(right) => right.as_str(),
    };
    let has = |scopes: &str| scopes == "*" || scopes.split(',').any(|scope| scope == right);
    match is {
        Is::Operator { scopes, .. } if !has(scopes) => refused(403, "scope_missing"),
        Is::Operator { region: Some(region), .. } if region != home && names_tenant => {
            refused(404, "not_found")
        }
        // What is of all regions is not for an operator of one.
        Is::Operator { region: Some(_), .. }
            if matches!(endpoint.id, "audit.list" | "plans.set") =>
        {
            refused(403, "region_forbidden")
        }
        // The example makes a tenant in `eu`.
        Is::Operator { region: Some("us"), .. } if endpoint.id == "tenants.create" => {
            refused(403, "region_forbidden")
        }
        Is::Admin { .. } if matches!(endpoint.access, Access::Operator(_)) => {
            refused(403, "role_forbidden")
        }
        Is::Admin { scopes, .. } if !has(scopes) => refused(403, "scope_missing"),
        Is::Admin { tenant, .. } if tenant != own && names_tenant => refused(404, "not_found"),
        Is::Nobody(_) | Is::Operator { .. } | Is::Admin { .. } => None,
    }
}

/// One credential of every kind.
fn credentials(scene: &Scene) -> Vec<(String, Option<String>, Is<'_>)> {
    let key = &scene.api.key;
    let (own, other) = (scene.acme.tenant.id.as_str(), scene.other.tenant.id.as_str());
    let foreign = SigningKey::new_ed25519("foreign");
    let whole = Jwt::operator("*");
    let mut all = vec![
        ("nothing".to_owned(), None, Is::Nobody("token_missing")),
        bearer(
            "expired",
            whole.clone().claim("iat", now() - 900).claim("exp", now() - 120).signed(key),
            Is::Nobody("token_expired"),
        ),
        bearer("a foreign key", whole.signed(&foreign), Is::Nobody("token_invalid")),
        bearer(
            "a foreign key under our name",
            whole.signed(&foreign.named(&key.kid)),
            Is::Nobody("token_invalid"),
        ),
        bearer("operator", whole.signed(key), Is::Operator { scopes: "*", region: None }),
        bearer(
            "operator of nothing",
            Jwt::operator("").signed(key),
            Is::Operator { scopes: "", region: None },
        ),
        bearer("admin", Jwt::admin(own, "*").signed(key), Is::Admin { scopes: "*", tenant: own }),
        bearer(
            "admin of nothing",
            Jwt::admin(own, "").signed(key),
            Is::Admin { scopes: "", tenant: own },
        ),
        bearer(
            "admin of another tenant",
            Jwt::admin(other, "*").signed(key),
            Is::Admin { scopes: "*", tenant: other },
        ),
    ];
    for (what, token) in &scene.not_ours {
        assert!(token.starts_with('m'), "{what}: {token}");
        all.push(bearer(*what, token.clone(), Is::Nobody("token_is_scim")));
    }
    for region in ["us", "eu"] {
        let token = whole.clone().claim("regions", json!([region])).signed(key);
        let region = Some(region);
        all.push(bearer(
            format!("operator of {region:?}"),
            token,
            Is::Operator { scopes: "*", region },
        ));
    }
    for right in Right::ALL {
        let scopes = right.as_str();
        all.push(bearer(
            format!("operator for {right}"),
            Jwt::operator(scopes).signed(key),
            Is::Operator { scopes, region: None },
        ));
        all.push(bearer(
            format!("admin for {right}"),
            Jwt::admin(own, scopes).signed(key),
            Is::Admin { scopes, tenant: own },
        ));
    }
    all
}

#[actix_web::test]
async fn every_endpoint_lets_in_whom_the_document_says_and_nobody_else() {
    let scene = Scene::new().await;
    let credentials = credentials(&scene);
    let before = state(&scene).await;
    let mut wrong = Vec::new();
    for endpoint in endpoints() {
        let path = scene.path(endpoint);
        for (what, token, is) in &credentials {
            let api =
                token.as_ref().map_or_else(|| scene.api.nobody(), |token| scene.api.bearer(token));
            let reply = scene.call(&api, endpoint, &path).await;
            let passed = !matches!(reply.status, 401 | 403 | 404)
                // Beyond the gate: the tenant lives, so nothing was purged.
                || (endpoint.id == "residency.manifest" && reply.text.contains("not purged"));
            let found = (!passed).then(|| (reply.status, reply.code().to_owned()));
            let expected = expected(endpoint, *is, &scene);
            if found != expected {
                wrong.push(format!("{} as {what}: {found:?}, and not {expected:?}", endpoint.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(state(&scene).await, before, "a dry run changed something");
}

/// What a dry run must not change: the registry's generation, and the rows of the tenant.
pub(super) async fn state(scene: &Scene) -> (i64, Vec<(&'static str, u64)>) {
    let directory = scene.gateway.state.directories.of(&scene.acme.tenant).unwrap();
    let rows = directory.residency(&scene.acme.tenant).await.unwrap();
    // How often something was tolerated is written a little later, from what the tests before did.
    let rows = rows.tables.into_iter().filter(|(table, _)| *table != "quirk_counts").collect();
    scene.gateway.state.registry.refresh().await.unwrap();
    (*scene.gateway.state.registry.generations().borrow(), rows)
}

/// For each part of a path: one that is not there, and what another tenant has there.
#[actix_web::test]
async fn what_is_of_another_tenant_is_as_unknown_as_what_is_not_there() {
    let scene = Scene::new().await;
    let other = scene.other.tenant.id.to_string();
    let (user, group) = (scene.other.user("eve").await, scene.other.group("Theirs", &[]).await);
    let connection = scene.other.tenant.connection_id();
    let token = format!("tok_{}", scene.other.key_id);
    let clients = format!("/admin/v1/tenants/{other}/oauth-clients");
    let client = scene.api.post(&clients, &json!({})).await.assert(201).id();
    let secret = format!("{clients}/{client}/secrets");
    let secret = scene.api.post(&secret, &json!({})).await.assert(201).id();
    let theirs = [
        ("tenant", "ten_aaaaaaaaaaaaaaaa", other.as_str()),
        ("connection", "conn_aaaaaaaaaaaaaaaa", &connection),
        ("token", "tok_AAAAAAAAAAAAAAAA", &token),
        ("client", "mcl_us_pf_AAAAAAAAAAAAAAAA", &client),
        ("secret", "sec_AAAAAAAAAAAAAAAA", &secret),
        ("user", "01900000-0000-7000-8000-000000000000", &user),
        ("group", "01900000-0000-7000-8000-000000000000", &group),
    ];
    let admin = scene.api.with(&Jwt::admin(scene.acme.tenant.id.as_str(), "*"));
    let mut seen = 0;
    for endpoint in endpoints().filter(|endpoint| matches!(endpoint.access, Access::Tenant(_))) {
        for (part, unknown, foreign) in theirs {
            if !endpoint.path.contains(&format!("{{{part}}}")) {
                continue;
            }
            let of = |value| scene.path_with(endpoint, &[(part, value)]);
            let unknown = scene.call(&admin, endpoint, &of(unknown)).await;
            let foreign = scene.call(&admin, endpoint, &of(foreign)).await;
            assert_eq!(unknown.refused(404, "not_found"), foreign.refused(404, "not_found"));
            assert_eq!(unknown.comparable(), foreign.comparable(), "{} {part}", endpoint.id);
            assert_eq!(unknown.text.len(), foreign.text.len(), "{} {part}", endpoint.id);
            let names = |reply: &Reply| {
                reply.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>()
            };
            assert_eq!(names(&unknown), names(&foreign), "{} {part}", endpoint.id);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[actix_web::test]
async fn no_token_of_the_admin_api_is_good_at_scim() {
    let scene = Scene::new().await;
    for (what, token, _) in credentials(&scene) {
        let Some(token) = token.filter(|token| token.starts_with("ey")) else { continue };
        for (method, path) in [
            ("GET", "/Users"),
            ("POST", "/Users"),
            ("GET", "/ServiceProviderConfig"),
            ("POST", "/Bulk"),
        ] {
            let call = scene
                .acme
                .bare_call(method, path)
                .header("authorization", &format!("Bearer {token}"));
            let answer = call.send().await;
            assert_eq!(
                (answer.status, answer.header("x-reason")),
                (401, Some("token_foreign_jwt")),
                "{what}"
            );
        }
    }
}

#[test]
fn every_row_is_documented_and_its_name_and_path_are_its_own() {
    let (mut seen, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for endpoint in endpoints() {
        assert!(seen.insert(endpoint.id), "{} is there twice", endpoint.id);
        assert!(
            paths.insert(format!("{:?} {}", endpoint.method, endpoint.path)),
            "{}",
            endpoint.path
        );
        assert!(!endpoint.summary.is_empty(), "{} does what?", endpoint.id);
        for part in endpoint.path.split('/').filter(|part| part.starts_with('{')) {
            assert!(PATH_PARTS.iter().any(|known| format!("{{{}}}", known.0) == part), "{part}");
        }
        if endpoint.path.contains("{tenant}") {
            assert!(
                matches!(endpoint.access, Access::Tenant(_) | Access::Operator(_)),
                "{}",
                endpoint.id
            );
        }
        let all = endpoint.all_problems();
        assert!(endpoint.access == Access::Public || all.contains(&Code::TokenMissing));
    }
}
