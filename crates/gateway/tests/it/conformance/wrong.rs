//! Servers that are wrong on purpose: a check that cannot fail is worthless.

use super::{check, ids, is_no_pass, musts};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use gateway::conformance::catalogue;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// In which manner a server is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200 and an empty object.
    Empty,
    /// 200 and a list where an object belongs.
    Array,
    /// 200 and a page for people.
    Html,
    /// 500 and text.
    Broken,
    /// 404 and an error body that is right.
    Absent,
    /// 400 and an error body that is right.
    Refusing,
    /// 401, whatever is sent.
    Closed,
    /// 200 and an empty list that is right.
    EmptyList,
    /// 201 and what was sent.
    Echo,
    /// 204.
    Silent,
    /// Deep, odd values in every place where the client looks.
    Odd,
}

const ALL: [Manner; 11] = [
    Manner::Empty,
    Manner::Array,
    Manner::Html,
    Manner::Broken,
    Manner::Absent,
    Manner::Refusing,
    Manner::Closed,
    Manner::EmptyList,
    Manner::Echo,
    Manner::Silent,
    Manner::Odd,
];

/// A server that is wrong in one manner.
pub(crate) struct Wrong {
    pub(crate) base: String,
    handle: ServerHandle,
}

impl Drop for Wrong {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Wrong {
    pub(crate) fn start(manner: Manner) -> Self {
        Self::with(move |request, body| answer(manner, &request, &body))
    }

    /// One whose discovery documents are in order, and announce everything.
    pub(crate) fn announcing(manner: Manner) -> Self {
        Self::with(move |request, body| match discovery(&request) {
            Some(document) => document,
            None => answer(manner, &request, &body),
        })
    }

    pub(crate) fn with<F>(answer: F) -> Self
    where
        F: Fn(HttpRequest, web::Bytes) -> HttpResponse + Clone + Send + 'static,
    {
        let server = HttpServer::new(move || {
            let answer = answer.clone();
            let all = move |request: HttpRequest, body: web::Bytes| {
                let answered = answer(request, body);
                async move { answered }
            };
            App::new().app_data(web::PayloadConfig::new(16 << 20)).default_service(web::to(all))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let base = format!("http://{}/v2", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio_util::task::TaskTracker::new().spawn(server);
        Self { base, handle }
    }
}

fn error(status: u16, scim_type: &str) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": "no",
    });
    if !scim_type.is_empty() {
        body["scimType"] = json!(scim_type);
    }
    body
}

fn answer(manner: Manner, request: &HttpRequest, body: &web::Bytes) -> HttpResponse {
    let scim = "application/scim+json";
    let with = |status: u16, body: String| {
        let status = actix_web::http::StatusCode::from_u16(status).unwrap();
        HttpResponse::build(status).content_type(scim).body(body)
    };
    match manner {
        Manner::Empty => with(200, "{}".to_owned()),
        Manner::Array => with(200, "[1, null, {\"id\": 7}, [[]]]".to_owned()),
        Manner::Html => HttpResponse::Ok().content_type("text/html").body("<h1>Welcome</h1>"),
        Manner::Broken => HttpResponse::InternalServerError().body("\u{0}\u{1b}[31mstack trace"),
        Manner::Absent => with(404, error(404, "").to_string()),
        Manner::Refusing => with(400, error(400, "invalidValue").to_string()),
        Manner::Closed => HttpResponse::Unauthorized()
            .insert_header(("www-authenticate", "Bearer"))
            .content_type(scim)
            .body(error(401, "").to_string()),
        Manner::EmptyList => with(
            200,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": 0, "Resources": [], "startIndex": 1, "itemsPerPage": 0,
            })
            .to_string(),
        ),
        Manner::Echo => with(201, String::from_utf8_lossy(body).into_owned()),
        Manner::Silent => HttpResponse::NoContent().finish(),
        Manner::Odd => {
            let odd = json!({
                "id": { "id": [] }, "schemas": "text", "meta": [1], "totalResults": "many",
                "Resources": [null, 3, { "id": "" }, [1]], "userName": -1.5e300, "emails": {},
                "Operations": [{ "status": 201, "location": "::::" }, 4], "nextCursor": 7,
                "members": "x", "status": 400, "scimType": ["invalidFilter"],
                "pagination": { "cursor": true, "cursorTimeout": "soon" }, "bulk": { "supported": true, "maxOperations": -1 },
                "sort": { "supported": true }, "etag": { "supported": true },
            });
            let status = if request.method() == "POST" { 201 } else { 200 };
            with(status, odd.to_string())
        }
    }
}

/// Discovery documents that are in order, and announce all that there is.
pub(crate) fn discovery(request: &HttpRequest) -> Option<HttpResponse> {
    let ok = request.method() == "GET" && request.query_string().is_empty();
    let document = documents(request.path().strip_prefix("/v2")?)?;
    ok.then(|| HttpResponse::Ok().content_type("application/scim+json").body(document.to_string()))
}

fn attribute(name: &str, kind: &str, list: bool, more: &Value) -> Value {
    let mut one = json!({
        "name": name, "type": kind, "multiValued": list, "required": false, "caseExact": false,
        "mutability": "readWrite", "returned": "default", "uniqueness": "none",
    });
    for (name, value) in more.as_object().unwrap() {
        one[name] = value.clone();
    }
    one
}

fn list(all: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": all.len(), "Resources": all,
    })
}

fn documents(path: &str) -> Option<Value> {
    let core = |name: &str| format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let plain = |name: &str| attribute(name, "string", false, &json!({}));
    let value = attribute("value", "string", false, &json!({ "required": true }));
    let part = |name: &str, list: bool, subs: &[Value]| {
        attribute(name, "complex", list, &json!({ "subAttributes": subs }))
    };
    let several = [value.clone(), plain("type"), plain("display")];
    let read_only = json!({ "subAttributes": several.clone(), "mutability": "readOnly" });
    let user = [
        attribute(
            "userName",
            "string",
            false,
            &json!({ "required": true, "uniqueness": "server" }),
        ),
        part("name", false, &[plain("givenName"), plain("familyName"), plain("middleName")]),
        part("emails", true, &several),
        part("addresses", true, &[plain("type"), plain("streetAddress"), plain("locality")]),
        part("ims", true, &several),
        attribute("groups", "complex", true, &read_only),
        attribute("active", "boolean", false, &json!({})),
        attribute(
            "password",
            "string",
            false,
            &json!({ "returned": "never", "mutability": "writeOnly" }),
        ),
        attribute("recoveryHint", "string", false, &json!({ "returned": "request" })),
        plain("displayName"),
        plain("nickName"),
        plain("title"),
        plain("userType"),
    ];
    let group = [plain("displayName"), part("members", true, &[value])];
    let manager = part("manager", false, &[plain("value"), plain("displayName")]);
    let worker = [plain("employeeNumber"), plain("department"), plain("costCenter"), manager];
    let schema = |id: &str, attributes: &[Value]| json!({ "schemas": [core("Schema")], "id": id, "name": id, "attributes": attributes });
    let kind = |name: &str, extensions: Value| {
        json!({
            "schemas": [core("ResourceType")], "id": name, "name": name, "schema": core(name),
            "endpoint": format!("/{name}s"), "schemaExtensions": extensions,
        })
    };
    let on = json!({ "supported": true });
    match path {
        "/ServiceProviderConfig" => Some(json!({
            "schemas": [core("ServiceProviderConfig")],
            "patch": on, "sort": on, "etag": on, "changePassword": on,
            "bulk": { "supported": true, "maxOperations": 5, "maxPayloadSize": 100_000 },
            "filter": { "supported": true, "maxResults": 100 },
            "authenticationSchemes": [],
            "pagination": { "cursor": true, "index": true, "maxPageSize": 100 },
        })),
        "/ResourceTypes" => Some(list(&[
            kind("User", json!([{ "schema": enterprise, "required": false }])),
            kind("Group", json!([])),
        ])),
        "/Schemas" => Some(list(&[
            schema(&core("User"), &user),
            schema(&core("Group"), &group),
            schema(enterprise, &worker),
        ])),
        _ => None,
    }
}

/// What a server with good discovery documents may pass, whatever else it answers.
fn is_about_discovery(id: &str) -> bool {
    ["7643-5-", "7643-6-", "7643-7-", "7643-8.7-", "7644-4-", "9865-4-"]
        .iter()
        .any(|prefix| id.starts_with(prefix))
}

#[actix_web::test]
async fn nonsense_passes_no_must() {
    let (musts, mut wrong) = (musts(), Vec::new());
    for manner in ALL {
        let server = Wrong::start(manner);
        let report = check(&server.base, Some("token")).await;
        let passed: Vec<&str> = ids(&report, "pass").intersection(&musts).copied().collect();
        if !passed.is_empty() {
            wrong.push(format!("{manner:?} passes {passed:?}"));
        }
        assert_eq!(report.entries.len(), catalogue().count());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn nonsense_behind_good_discovery_passes_no_other_must() {
    let (musts, mut wrong) = (musts(), Vec::new());
    for manner in ALL {
        let server = Wrong::announcing(manner);
        let report = check(&server.base, Some("token")).await;
        let passed: Vec<&str> = ids(&report, "pass")
            .intersection(&musts)
            .copied()
            .filter(|id| !is_about_discovery(id))
            .collect();
        if !passed.is_empty() {
            wrong.push(format!("{manner:?} passes {passed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn every_check_fails_somewhere() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (manner, announcing) in [
        (Manner::Empty, true),
        (Manner::Empty, false),
        (Manner::Odd, false),
        (Manner::Broken, true),
        (Manner::Html, false),
    ] {
        let server = if announcing { Wrong::announcing(manner) } else { Wrong::start(manner) };
        let report = check(&server.base, Some("token")).await;
        let bad = report.entries.iter().filter(|entry| is_no_pass(&entry.outcome));
        seen.extend(bad.filter(|entry| entry.outcome.word() != "skipped").map(|entry| entry.id));
    }
    let never: Vec<&str> = catalogue().map(|(id, ..)| id).filter(|id| !seen.contains(id)).collect();
    assert!(never.is_empty(), "these never fail: {never:?}");
}
