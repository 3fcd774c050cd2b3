//! What is refused, and that nothing is a 500.

use crate::support::TestGateway;
use crate::support::raw::exchange;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_405_with_allow() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (path, allow) in [
        ("", "GET"),
        ("/Users", "GET, POST"),
        ("/Groups", "GET, POST"),
        ("/Users/x", "GET, PUT, PATCH, DELETE"),
        ("/Groups/x", "GET, PUT, PATCH, DELETE"),
        ("/ServiceProviderConfig", "GET"),
        ("/Schemas", "GET"),
        ("/ResourceTypes", "GET"),
        ("/Schemas/x", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if allow.split(", ").any(|allowed| allowed == method) {
                continue;
            }
            let answer = acme.call(method, path).json(&json!({ "userName": "ada" })).send().await;
            answer.refused(405, "method_not_allowed", None);
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        }
    }
    assert_eq!(acme.get("/Users").await.total(), 0);
}

#[actix_web::test]
async fn a_head_request_is_a_get_without_a_body() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    for path in ["".to_owned(), "/Users".to_owned(), format!("/Users/{id}"), "/Schemas".to_owned()]
    {
        let answer = acme.call("HEAD", &path).send().await.assert(200);
        assert_eq!(answer.text, "");
    }
}

#[actix_web::test]
async fn a_body_is_taken_as_json_of_either_media_type_and_no_other() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (number, media) in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
        "application/scim+json ;charset=\"utf-8\"",
    ]
    .iter()
    .enumerate()
    {
        let body = json!({ "userName": format!("ada{number}") }).to_string();
        acme.call("POST", "/Users")
            .header("content-type", media)
            .body(body)
            .send()
            .await
            .assert(201);
    }
    acme.call("POST", "/Users").body("{\"userName\":\"nomedia\"}").send().await.assert(201);
    for media in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/scim",
        "*/*",
        "multipart/form-data; boundary=x",
    ] {
        let call = acme.call("POST", "/Users").header("content-type", media);
        let answer = call.body("{\"userName\":\"other\"}").send().await;
        answer.refused(415, "media_type_unsupported", None);
    }
    for encoding in ["gzip", "br", "deflate"] {
        let call = acme.call("POST", "/Users").header("content-encoding", encoding);
        let answer = call.json(&json!({ "userName": "zip" })).send().await;
        answer.refused(415, "media_type_unsupported", None);
    }
}

#[actix_web::test]
async fn a_body_over_the_limit_is_413_whether_it_says_so_or_not() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let large = json!({ "userName": "ada", "title": "x".repeat(1 << 20) }).to_string();
    let call = acme.call("POST", "/Users").header("content-type", "application/json");
    call.body(large.clone()).send().await.refused(413, "body_too_large", None);
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        acme.token
    );
    let mut request = head.into_bytes();
    for chunk in large.as_bytes().chunks(60_000) {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let (status, head, _) = exchange(gateway.address, &request).await;
    assert_eq!(status, 413, "{head}");
    assert!(head.contains("x-reason: body_too_large"), "{head}");
    let just = format!("{{\"userName\":\"ada\"{}}}", " ".repeat((1 << 20) - 18));
    let call = acme.call("POST", "/Users").header("content-type", "application/json");
    call.body(just).send().await.assert(201);
}

#[actix_web::test]
async fn a_body_that_is_no_json_object_is_invalid_syntax() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    let deep = format!("{}1{}", "{\"a\":".repeat(70), "}".repeat(70));
    let deeper = "[".repeat(100_000);
    let long = format!("{{\"userName\":\"bob\",\"emails\":[{}]}}", vec!["1"; 10_001].join(","));
    for body in [
        "",
        " ",
        "{",
        "nonsense",
        "[]",
        "null",
        "\"text\"",
        "1",
        "{\"userName\":\"a\"} trailing",
        "{\"userName\":\"a\",}",
        "{'userName':'a'}",
        "{\"userName\":\"\\ud800\"}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        &deep,
        &deeper,
        &long,
    ] {
        for (method, path) in [
            ("POST", "/Users".to_owned()),
            ("PUT", format!("/Users/{id}")),
            ("PATCH", format!("/Users/{id}")),
            ("POST", "/Groups".to_owned()),
        ] {
            let call = acme.call(method, &path).header("content-type", "application/scim+json");
            let answer = call.body(body.to_owned()).send().await;
            let shown: String = body.chars().take(40).collect();
            assert_eq!(answer.status, 400, "{method} {shown}: {}", answer.text);
            // What is JSON and beyond a limit is no error of syntax.
            let expected = if [&deep, &deeper, &long].contains(&&body.to_owned()) {
                "invalidValue"
            } else {
                "invalidSyntax"
            };
            assert_eq!(answer.body["scimType"], expected, "{method} {shown}: {}", answer.text);
        }
    }
    let bytes = acme.call("POST", "/Users").body(vec![b'{', 0xff, 0xfe, b'}']).send().await;
    bytes.refused(400, "syntax_invalid", Some("invalidSyntax"));
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn wrong_types_are_refused_by_name_and_never_stored() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (name, value) in [
        ("active", json!("maybe")),
        ("active", json!({})),
        ("active", json!([true, false])),
        ("userName", json!({ "a": 1 })),
        ("userName", json!(["a", "b"])),
        ("name", json!("Ada")),
        ("name", json!([{ "givenName": "a" }, { "givenName": "b" }])),
        ("title", json!({ "x": 1 })),
        ("emails", json!("text")),
        ("emails", json!([1])),
        ("emails", json!([{ "value": { "x": 1 } }])),
        ("emails", json!([{ "value": "a", "primary": "perhaps" }])),
        ("x509Certificates", json!([{ "value": "not base64!" }])),
    ] {
        let mut body = json!({ "userName": "ada" });
        body[name] = value.clone();
        let answer = acme.post("/Users", &body).await;
        assert!(answer.status == 400 || answer.status == 201, "{name} {value}: {}", answer.text);
        if answer.status == 201 {
            acme.delete(&format!("/Users/{}", answer.id())).await.assert(204);
            continue;
        }
        let scim_type = answer.body["scimType"].as_str().unwrap();
        assert!(["invalidValue", "invalidSyntax"].contains(&scim_type), "{}", answer.text);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(name), "{name} {value}: {detail}");
    }
}

#[actix_web::test]
async fn texts_that_a_store_could_choke_on_are_kept_or_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    // Of random letters, so that no index can hide their length by compression.
    let long = crate::support::random_text(12_000);
    let medium = crate::support::random_text(3_000);
    let nasty = [
        "nul\u{0}nul",
        "\u{feff}bom",
        "\u{202e}rtl",
        "\u{1f469}\u{200d}\u{1f680}",
        "'; DROP TABLE users; --",
        "$1 ? % _ \\",
        "\u{ffff}",
        "\u{10ffff}",
        "a\u{300}\u{301}\u{302}",
        long.as_str(),
        medium.as_str(),
    ];
    for (number, text) in nasty.iter().enumerate() {
        for name in ["userName", "externalId", "displayName", "title", "emails", "userType"] {
            let mut body = json!({ "userName": format!("user{number}{name}") });
            body[name] = if name == "emails" { json!([{ "value": text }]) } else { json!(text) };
            let answer = acme.post("/Users", &body).await;
            let shown: String = text.chars().take(20).collect();
            match answer.status {
                201 => {
                    let read = acme.get(&format!("/Users/{}", answer.id())).await.assert(200);
                    assert_eq!(read.body[name], body[name], "{name} {shown:?}");
                }
                400 => {}
                other => panic!("{name} {shown:?}: {other} {}", answer.text),
            }
        }
        let group = acme
            .post(
                "/Groups",
                &json!({ "displayName": format!("g{number}{text}"), "externalId": text }),
            )
            .await;
        assert!([201, 400].contains(&group.status), "{}", group.text);
        let members =
            json!({ "displayName": format!("m{number}"), "members": [{ "value": text }] });
        assert_eq!(acme.post("/Groups", &members).await.status, 400);
    }
}

#[actix_web::test]
async fn ids_of_any_form_are_simply_nobodys() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let long = "x".repeat(6_000);
    for id in [
        "1",
        "00919288221112222",
        "%00",
        "a%00b",
        "..",
        "%2e%2e",
        "'",
        "%27%20OR%201=1",
        "%F0%9F%98%80",
        "%ff",
        "a%2Fb",
        "null",
        "Users",
        &long,
    ] {
        for kind in ["Users", "Groups"] {
            for (method, body) in [
                ("GET", Value::Null),
                ("PUT", json!({ "userName": "ada", "displayName": "ada" })),
                (
                    "PATCH",
                    json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "x" }] }),
                ),
                ("DELETE", Value::Null),
            ] {
                let path = format!("/scim/v2/{kind}/{id}");
                let body = body.to_string();
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n{body}",
                    acme.token,
                    body.len()
                );
                let (status, head, body) = exchange(gateway.address, request.as_bytes()).await;
                let shown: String = path.chars().take(60).collect();
                assert!([404, 405].contains(&status), "{method} {shown}: {status} {body}");
                assert!(
                    head.contains("content-type: application/scim+json"),
                    "{method} {shown}: {head}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn what_is_not_offered_is_501() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (method, path) in [("GET", "/Me"), ("POST", "/Me"), ("PATCH", "/Me")] {
        let answer = acme.call(method, path).json(&json!({})).send().await;
        answer.refused(501, "not_implemented", None);
    }
}

#[actix_web::test]
async fn separators_at_the_end_of_a_url_and_unknown_parameters_are_tolerated() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada+x@example.com").await;
    for path in [
        "/Users?filter=userName+eq+%22ada%2Bx%40example.com%22&",
        "/Users/?filter=userName%20eq%20%22ada%2Bx%40example.com%22",
        "/Users?aadOptscim062020&filter=userName+eq+%22ADA%2Bx@example.com%22",
        "/Users?FILTER=userName+eq+%22ada%2Bx@example.com%22&sortBy=userName&x=y",
        "/Users?",
        "/Users/",
        "/Users?&",
    ] {
        assert_eq!(acme.get(path).await.each("id"), std::slice::from_ref(&id), "{path}");
    }
    let patched = acme
        .patch(
            &format!("/Users/{id}?"),
            &json!([{ "op": "replace", "path": "title", "value": "x" }]),
        )
        .await;
    assert_eq!(patched.status, 200);
}

#[actix_web::test]
async fn a_store_that_is_gone_is_503_with_whole_seconds_to_wait() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    gateway.state.directories.of(&acme.tenant).unwrap().close().await.unwrap();
    for (method, path) in [
        ("GET", "/Users".to_owned()),
        ("GET", format!("/Users/{id}")),
        ("POST", "/Users".to_owned()),
        ("PUT", format!("/Users/{id}")),
        ("DELETE", format!("/Users/{id}")),
        ("POST", "/Groups".to_owned()),
    ] {
        let body = json!({ "userName": "bob", "displayName": "bob" });
        let answer = acme.call(method, &path).json(&body).send().await;
        let detail = answer.refused(503, "store_unavailable", None);
        assert!(!detail.to_lowercase().contains("sql"), "{detail}");
        answer.header("retry-after").unwrap().parse::<u32>().unwrap();
    }
    // What needs no store is still answered.
    acme.get("/Schemas").await.assert(200);
    acme.get("/nothing").await.refused(404, "path_unknown", None);
}

#[actix_web::test]
async fn a_body_without_a_content_type_is_read_and_noted() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let body = |name: &str| json!({ "userName": name }).to_string();
    acme.call("POST", "/Users").body(body("ada")).send().await.assert(201);
    let rows = acme.decisions_until(1).await;
    assert!(rows[0].quirks.contains(&"Q-no-content-type".to_owned()), "{:?}", rows[0].quirks);
    crate::quirks::set_strict(&acme, "Q-no-content-type").await;
    let answer = acme.call("POST", "/Users").body(body("bob")).send().await;
    let text = answer.refused(415, "media_type_unsupported", None);
    assert!(text.contains("Content-Type"), "{text}");
}

#[actix_web::test]
async fn a_slash_at_the_end_is_noted_and_a_strict_tenant_refuses_it() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.get("/Users/").await.assert(200);
    acme.get("/Users/?count=1").await.assert(200);
    for row in acme.decisions_until(2).await {
        assert_eq!(row.quirks, ["Q-trailing-separator"]);
    }
    crate::quirks::set_strict(&acme, "Q-trailing-separator").await;
    acme.get("/Users/").await.refused(400, "syntax_invalid", Some("invalidSyntax"));
    acme.get("/Users").await.assert(200);
    // The base URL may be written with a slash.
    acme.get("/").await.assert(200);
}

#[actix_web::test]
async fn messages_without_their_urn_are_refused_by_a_strict_tenant() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let bulk = json!({ "Operations": [] });
    acme.post("/Bulk", &bulk).await.assert(200);
    acme.post("/.search", &json!({})).await.assert(200);
    crate::quirks::set_strict(&acme, "all").await;
    acme.post("/Bulk", &bulk).await.refused(400, "syntax_invalid", Some("invalidSyntax"));
    acme.post("/.search", &json!({})).await.refused(400, "syntax_invalid", Some("invalidSyntax"));
    let named = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
    acme.post("/.search", &named).await.assert(200);
}
