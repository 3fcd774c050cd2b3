//! Calls that are not of the form: each is refused, and says what of it is wrong.

use super::api::Api;
use super::jwt::Jwt;
use super::walk::Scene;
use crate::support::TestGateway;
use gateway::admin::endpoint::{Endpoint, Form};
use gateway::admin::routes::endpoints;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_field_that_is_wrong_is_named() {
    let scene = Scene::new().await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let whole = json!({ "slug": "new", "name": "New", "region": "eu", "population": "board", "profile": "open" });
    let with = |field: &str, value: Value| {
        let mut body = whole.clone();
        body[field] = value;
        body
    };
    let connection = format!("{at}/connections/{}", scene.acme.tenant.connection_id());
    let (tenants, tokens, settings) =
        ("/admin/v1/tenants".to_owned(), format!("{at}/tokens"), format!("{at}/settings"));
    let (limits, clients, attributes) =
        (format!("{at}/limits"), format!("{at}/oauth-clients"), format!("{at}/attributes"));
    let switch = format!("{at}/population-switch/freeze");
    let assertion =
        json!({ "assertion": { "issuer": "a", "subject": "b", "jwks": "{\"keys\":[]}" } });
    for (method, path, body, field) in [
        ("POST", &tenants, with("slug", json!("Acme")), "slug"),
        ("POST", &tenants, with("slug", json!("")), "slug"),
        ("POST", &tenants, with("slug", json!("a".repeat(64))), "slug"),
        ("POST", &tenants, with("slug", json!(7)), "slug"),
        ("POST", &tenants, with("slug", Value::Null), "slug"),
        ("POST", &tenants, with("name", json!(" ")), "name"),
        ("POST", &tenants, with("name", json!("a\u{7}b")), "name"),
        ("POST", &tenants, with("name", json!("a".repeat(201))), "name"),
        ("POST", &tenants, with("region", json!("mars")), "region"),
        ("POST", &tenants, with("population", json!("both")), "population"),
        ("POST", &tenants, with("profile", json!("Open")), "profile"),
        ("POST", &tenants, with("plan", json!("Gold Plan")), "plan"),
        ("POST", &tenants, with("seats", json!(-1)), "seats"),
        ("POST", &tenants, with("seats", json!(1.5)), "seats"),
        ("POST", &tenants, with("seats", json!("5")), "seats"),
        ("POST", &tenants, with("seats", json!(1_000_000_001)), "seats"),
        ("POST", &tenants, with("groups", json!("yes")), "groups"),
        ("POST", &tenants, with("both_populations", json!(1)), "both_populations"),
        ("POST", &tenants, with("seat_contact", json!("")), "seat_contact"),
        ("POST", &tenants, with("id", json!("ten_a2b3c4d5e6f7g2h3")), "id"),
        ("POST", &tenants, with("Slug", json!("new")), "Slug"),
        ("POST", &tenants, json!({}), "slug"),
        ("PATCH", &at, json!({ "seats": "none" }), "seats"),
        ("PATCH", &at, json!({ "naming": "x" }), "naming"),
        ("PATCH", &at, json!({ "slug": "a b" }), "slug"),
        ("PATCH", &at, json!({ "scim_base_url": "https://evil.example" }), "scim_base_url"),
        ("PATCH", &at, json!({ "closed_at": "2026-01-01T00:00:00Z" }), "closed_at"),
        ("PUT", &limits, json!({ "rate_limit": "200" }), "rate_limit"),
        ("PUT", &limits, json!({ "rate_limit": "200/20" }), "rate_limit"),
        ("PUT", &limits, json!({}), "rate_limit"),
        ("PATCH", &settings, json!({ "operations": ["read", "fly"] }), "operations"),
        ("PATCH", &settings, json!({ "operations": "read" }), "operations"),
        ("PATCH", &settings, json!({ "operations": ["read", 1] }), "operations[1]"),
        ("PATCH", &settings, json!({ "strict": "Q-nothing" }), "strict"),
        ("PATCH", &settings, json!({ "platform_role": "" }), "platform_role"),
        ("PATCH", &connection, json!({ "provider": "myspace" }), "provider"),
        ("PATCH", &connection, json!({ "provisioning": "on" }), "provisioning"),
        ("POST", &tokens, json!({ "expires_in_seconds": 0 }), "expires_in_seconds"),
        ("POST", &tokens, json!({ "expires_in_seconds": 316_224_001 }), "expires_in_seconds"),
        ("POST", &tokens, json!({ "networks": ["203.0.113.0/33"] }), "networks"),
        ("POST", &tokens, json!({ "networks": ["example.com"] }), "networks"),
        ("POST", &tokens, json!({ "networks": ["203.0.113.1,203.0.113.2"] }), "networks"),
        ("POST", &tokens, json!({ "scopes": ["*"] }), "scopes"),
        ("POST", &tokens, json!({ "token": "mst_mine" }), "token"),
        ("POST", &clients, json!({ "token_lifetime_seconds": 60 }), "token_lifetime_seconds"),
        ("POST", &clients, json!({ "client_secret": "mine" }), "client_secret"),
        ("POST", &clients, assertion, "assertion.jwks"),
        ("POST", &clients, json!({ "assertion": { "issuer": "a" } }), "assertion.subject"),
        ("POST", &clients, json!({ "assertion": ["a", "b"] }), "assertion"),
        ("POST", &clients, json!({ "assertion": vec!["a"; 3000] }), "assertion"),
        ("POST", &clients, json!({ "assertion": { "secret": "a" } }), "assertion.secret"),
        ("POST", &attributes, json!({ "attribute": "x", "type": "complex" }), "type"),
        ("POST", &attributes, json!({ "attribute": "1x", "type": "string" }), "attribute"),
        (
            "POST",
            &attributes,
            json!({ "attribute": "x", "type": "string", "description": "a".repeat(201) }),
            "description",
        ),
        (
            "POST",
            &attributes,
            json!({ "attribute": "x", "type": "string", "values": vec!["a"; 101] }),
            "values",
        ),
        (
            "POST",
            &attributes,
            json!({ "attribute": "x", "type": "integer", "values": ["1"] }),
            "values",
        ),
        ("POST", &switch, json!({ "to": "nowhere" }), "to"),
        (
            "PUT",
            &"/admin/v1/plans/gold".to_owned(),
            json!({ "directory_sync": true, "group_push": true, "grace_seconds": 31_622_401 }),
            "grace_seconds",
        ),
        (
            "PUT",
            &"/admin/v1/plans/gold".to_owned(),
            json!({ "directory_sync": true, "group_push": true, "upgrade_text": "a".repeat(501) }),
            "upgrade_text",
        ),
        (
            "PUT",
            &"/admin/v1/plans/GOLD".to_owned(),
            json!({ "directory_sync": true, "group_push": true }),
            "plan",
        ),
    ] {
        let reply = scene.api.call(method, path).json(&body).send().await;
        let said = reply.refused_field(422, "field_invalid", field);
        assert!(!said.is_empty() && !said.contains("evil") && !said.contains("mst_"), "{said}");
    }
    for field in ["id", "region", "shard", "profile", "population", "state"] {
        let reply = scene.api.patch(&at, &json!({ field: "x" })).await;
        reply.refused_field(422, "field_immutable", field);
    }
    let twice = scene
        .api
        .call("PATCH", &at)
        .header("content-type", "application/json")
        .body("{\"name\":\"a\",\"name\":\"b\"}");
    twice.send().await.refused_field(422, "field_invalid", "name");
}

#[actix_web::test]
async fn a_parameter_that_is_unknown_repeated_or_of_another_form_is_named() {
    let scene = Scene::new().await;
    for endpoint in endpoints() {
        let path = scene.path(endpoint);
        let ask = async |query: String| {
            let call = scene.api.call(endpoint.method.as_str(), &format!("{path}?{query}"));
            match super::walk::example(endpoint) {
                Some(body) => call.json(&body).send().await,
                None => call.send().await,
            }
        };
        for unknown in ["bogus", "Limit", "limit%00", "dry-run", "$filter"] {
            ask(format!("{unknown}=1")).await.refused(400, "query_invalid");
        }
        ask("bogus=1".to_owned()).await.refused_field(400, "query_invalid", "bogus");
        for param in endpoint.query {
            let wrong: &[&str] = match param.form {
                Form::Text => &["", "%00", "a%0Ab"],
                Form::Number(..) => &["", "-1", "1.0", "+1", "%D9%A1", "99999999999"],
                Form::Instant => {
                    &["", "today", "2026-11-22", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z"]
                }
                Form::Bool => &["", "TRUE", "1"],
                Form::Word(_) => &["", "nothing", "%20"],
            };
            for value in wrong {
                ask(format!("{}={value}", param.name)).await.refused_field(
                    400,
                    "query_invalid",
                    param.name,
                );
            }
            let good = match param.form {
                Form::Text => "a",
                Form::Number(..) => "1",
                Form::Instant => "2026-11-22T10:00:00Z",
                Form::Bool => "true",
                Form::Word(words) => words[0],
            };
            let twice = format!("{0}={good}&{0}={good}", param.name);
            ask(twice).await.refused_field(400, "query_invalid", param.name);
        }
        if endpoint.query.iter().any(|param| param.name == "limit") {
            for value in ["0", "201"] {
                ask(format!("limit={value}")).await.refused_field(400, "query_invalid", "limit");
            }
        }
        let long = "a".repeat(257);
        if let Some(param) = endpoint.query.iter().find(|param| matches!(param.form, Form::Text)) {
            ask(format!("{}={long}", param.name)).await.refused_field(
                400,
                "query_invalid",
                param.name,
            );
        }
    }
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_is_refused_and_says_why() {
    let gateway = TestGateway::start().await;
    let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    let at = format!("/admin/v1/tenants/{}", acme.tenant.id);
    let tokens = format!("{at}/tokens");
    let json_type = |method: &str, path: &str| {
        api.call(method, path).header("content-type", "application/json")
    };
    for body in [
        "",
        " ",
        "{",
        "[]",
        "\"text\"",
        "null",
        "7",
        "{}{}",
        "{} x",
        "{\"name\":}",
        "{'name':'x'}",
        "\u{feff}{}",
        "{\"a\":1,}",
        &"[".repeat(10_000),
        &format!("{{\"name\":{}", "[".repeat(10_000)),
    ] {
        json_type("PATCH", &at).body(body.to_owned()).send().await.refused(400, "body_malformed");
    }
    json_type("PATCH", &at)
        .body(b"{\"name\":\"\xff\"}".to_vec())
        .send()
        .await
        .refused(400, "body_malformed");
    // Where a body can be left out, nothing is as good as an empty object.
    api.act(&tokens).await.assert(201);
    json_type("POST", &tokens).body(" \n").send().await.assert(201);
    json_type("POST", &tokens).body("[]").send().await.refused(400, "body_malformed");
    // Where none is taken, one is a misunderstanding.
    api.post(&format!("{at}/suspend"), &json!({})).await.refused(400, "body_malformed");
    api.call("GET", &at).json(&json!({})).send().await.refused(400, "body_malformed");
    api.call("DELETE", &format!("{at}/attributes/x"))
        .json(&json!({}))
        .send()
        .await
        .refused(400, "body_malformed");

    for media in [
        "text/plain",
        "application/scim+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "json",
        "",
    ] {
        let call = api.call("PATCH", &at).header("content-type", media).body("{\"name\":\"x\"}");
        call.send().await.refused(415, "media_type_unsupported");
    }
    api.call("PATCH", &at)
        .body("{\"name\":\"x\"}")
        .send()
        .await
        .refused(415, "media_type_unsupported");
    let packed =
        json_type("PATCH", &at).header("content-encoding", "gzip").body(vec![0x1f, 0x8b, 8, 0]);
    packed.send().await.refused(415, "media_type_unsupported");
    for media in
        ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
    {
        api.call("PATCH", &at)
            .header("content-type", media)
            .body("{\"name\":\"x\"}")
            .send()
            .await
            .assert(200);
    }

    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(256 * 1024));
    json_type("PATCH", &at).body(large.clone()).send().await.refused(413, "body_too_large");
    json_type("POST", &tokens)
        .body(" ".repeat(256 * 1024 + 1))
        .send()
        .await
        .refused(413, "body_too_large");
    // Who may not call is told so before a byte of it is read.
    api.nobody()
        .call("PATCH", &at)
        .json(&json!({ "name": large }))
        .send()
        .await
        .refused(401, "token_missing");
    let reader = api.with(&Jwt::operator("tenants:read"));
    reader
        .call("PATCH", &at)
        .header("content-type", "application/json")
        .body(large)
        .send()
        .await
        .refused(403, "scope_missing");
}

#[actix_web::test]
async fn a_path_takes_the_methods_of_the_document_and_a_path_that_is_none_is_404() {
    let scene = Scene::new().await;
    let mut paths: Vec<&Endpoint> = endpoints().collect();
    paths.sort_by_key(|endpoint| endpoint.path);
    paths.dedup_by_key(|endpoint| endpoint.path);
    for one in paths {
        let path = scene.path(one);
        let taken: Vec<&str> = endpoints()
            .filter(|endpoint| endpoint.path == one.path)
            .map(|endpoint| endpoint.method.as_str())
            .collect();
        for method in
            ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]
        {
            if taken.contains(&method) {
                continue;
            }
            let reply = scene.api.call(method, &path).send().await;
            reply.refused(405, "method_not_allowed");
            let mut allowed: Vec<&str> = reply.header("allow").unwrap().split(", ").collect();
            allowed.retain(|method| *method != "HEAD");
            assert_eq!(allowed, taken, "{}", one.path);
            scene.api.nobody().call(method, &path).send().await.refused(401, "token_missing");
        }
        if taken.contains(&"GET") {
            let whole = scene.api.get(&path).await;
            let head = scene.api.call("HEAD", &path).send().await;
            assert_eq!((head.status, head.text.as_str()), (whole.status, ""), "{path}");
            assert_eq!(head.header("etag"), whole.header("etag"));
        }
        for path in [
            format!("{path}/"),
            format!("{path}/no/such/thing"),
            format!("/x{path}"),
            format!("{path}%00"),
            format!("{path};x=1"),
        ] {
            let reply = scene.api.get(&path).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text);
        }
    }
    for path in [
        "/",
        "/admin",
        "/admin/",
        "/admin/v1",
        "/admin/v2/tenants",
        "/admin/v1//tenants",
        "/admin/v1/tenants//limits",
        "/admin/v1/tenants/..%2fx",
        "/ADMIN/V1/TENANTS",
    ] {
        scene.api.get(path).await.refused(404, "path_unknown");
        scene.api.nobody().get(path).await.refused(401, "token_missing");
    }
}

#[actix_web::test]
async fn beyond_the_rate_of_a_caller_is_429_and_no_other_caller_is_touched() {
    let slow = [("MUSTER__OPERATOR__RATE_PER_SECOND", "1"), ("MUSTER__OPERATOR__RATE_BURST", "3")];
    let gateway = TestGateway::start_with(&["us"], &slow).await;
    let (alice, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
    for left in ["2", "1", "0"] {
        let reply = alice.get("/admin/v1/me").await.assert(200);
        assert_eq!(reply.header("ratelimit-limit"), Some("3"));
        assert_eq!(reply.header("ratelimit-remaining"), Some(left));
    }

    // Whatever is asked, and however often the token was made.
    let again = alice.with(&Jwt::operator("tenants:read").claim("jti", "another"));
    let reply = again.get("/admin/v1/nothing").await;

    reply.refused(429, "rate_limited");
    assert!(matches!(reply.header("retry-after"), Some("1")), "{reply:?}");
    assert_eq!(reply.header("ratelimit-remaining"), Some("0"));
    alice.with(&Jwt::operator("*").claim("sub", "carol")).get("/admin/v1/me").await.assert(200);
    // An administrator may have the same name at home.
    let id = acme.tenant.id.as_str();
    alice.with(&Jwt::admin(id, "*").claim("sub", "alice")).get("/admin/v1/me").await.assert(200);
    // Who has no good token takes nothing from anybody.
    for _ in 0..5 {
        alice.bearer("eyJ.eyJ.x").get("/admin/v1/me").await.refused(401, "token_invalid");
    }
    alice.nobody().get("/.well-known/jwks.json").await.assert(200);
}
