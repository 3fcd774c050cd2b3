//! `/Users` as an identity provider sees it: create, read, replace, delete.

mod active;
mod preconditions;
mod projection;

use crate::support::TestGateway;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[actix_web::test]
async fn a_user_is_created_read_replaced_and_deleted() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let made = acme
        .post(
            "/Users",
            &json!({ "schemas": [USER, ENTERPRISE], "userName": "Ada@Example.com", "externalId": "00u1",
                     "name": { "givenName": "Ada", "familyName": "Lovelace" },
                     "emails": [{ "type": "work", "primary": true, "value": "Ada@Example.com" }],
                     "active": true, ENTERPRISE: { "department": "Engines" } }),
        )
        .await
        .assert(201);
    assert_eq!(
        made.redacted(),
        json!({ "schemas": [USER, ENTERPRISE], "id": "[id]", "userName": "Ada@Example.com", "externalId": "00u1",
                "name": { "givenName": "Ada", "familyName": "Lovelace" },
                "emails": [{ "type": "work", "primary": true, "value": "Ada@Example.com" }],
                "active": true, ENTERPRISE: { "department": "Engines" },
                "meta": { "resourceType": "User", "created": "[at]", "lastModified": "[at]",
                          "location": "[base]/Users/[id]", "version": "W/\"1\"" } })
    );
    let location = format!("{}/Users/{}", acme.base_url, made.id());
    assert_eq!(made.header("location"), Some(location.as_str()));
    assert_eq!(made.version(), "W/\"1\"");
    assert_eq!(made.header("x-reason"), Some("user_created"));

    let path = format!("/Users/{}", made.id());
    let read = acme.get(&path).await.assert(200);
    assert_eq!(read.body, made.body);
    assert_eq!(read.version(), "W/\"1\"");

    let replaced = acme
        .put(&path, &json!({ "userName": "ada@example.com", "title": "Countess" }))
        .await
        .assert(200);
    assert_eq!(
        replaced.redacted(),
        json!({ "schemas": [USER], "id": "[id]", "userName": "ada@example.com", "title": "Countess", "active": true,
                "meta": { "resourceType": "User", "created": "[at]", "lastModified": "[at]",
                          "location": "[base]/Users/[id]", "version": "W/\"2\"" } })
    );
    assert_eq!(replaced.body["meta"]["created"], made.body["meta"]["created"]);
    assert_eq!(acme.get(&path).await.body, replaced.body);

    let deleted = acme.delete(&path).await.assert(204);
    assert_eq!(deleted.text, "");
    for method in ["GET", "DELETE", "PUT", "PATCH"] {
        let body = match method {
            "PUT" => json!({ "userName": "ada" }),
            _ => json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }] }),
        };
        acme.call(method, &path).json(&body).send().await.refused(404, "not_found", None);
    }
    assert_eq!(acme.get("/Users").await.total(), 0);
    let again = acme
        .post("/Users", &json!({ "userName": "ADA@example.com", "externalId": "00u1" }))
        .await
        .assert(201);
    assert_ne!(again.id(), made.id());
}

#[actix_web::test]
async fn a_name_that_differs_only_in_case_or_composition_is_taken() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    acme.user("\u{c5}sa@example.com").await;
    for name in ["\u{e5}sa@example.com", "A\u{30a}SA@EXAMPLE.COM", "a\u{30a}sa@Example.com"] {
        let answer = acme.post("/Users", &json!({ "userName": name })).await;
        answer.refused(409, "user_name_taken", Some("uniqueness"));
    }
    let bob = acme.user("bob").await;
    let path = format!("/Users/{bob}");
    let renamed = acme.put(&path, &json!({ "userName": "\u{c5}SA@example.com" })).await;
    renamed.refused(409, "user_name_taken", Some("uniqueness"));
    let operations =
        json!([{ "op": "replace", "path": "userName", "value": "\u{e5}sa@example.com" }]);
    acme.patch(&path, &operations).await.refused(409, "user_name_taken", Some("uniqueness"));
    // Another case of its own name is no conflict, and another tenant has names of its own.
    let recased = acme.put(&path, &json!({ "userName": "BOB" })).await.assert(200);
    assert_eq!(recased.body["userName"], "BOB");
    other.user("\u{e5}sa@example.com").await;
}

#[actix_web::test]
async fn a_taken_name_of_an_inactive_user_says_how_to_reactivate() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user_with(&json!({ "userName": "ada", "active": false })).await;

    let answer = acme.post("/Users", &json!({ "userName": "Ada" })).await;
    let detail = answer.refused(409, "user_name_taken", Some("uniqueness"));
    assert!(detail.contains("active"), "{detail}");
    // It is seen by every look-up, or the identity provider would never find what it must reactivate.
    assert_eq!(acme.get(&format!("/Users/{id}")).await.body["active"], false);
    let found = acme.find("/Users", "userName eq \"ADA\"").await;
    assert_eq!((found.total(), &found.body["Resources"][0]["active"]), (1, &json!(false)));
    assert_eq!(acme.get("/Users").await.total(), 1);
}

#[actix_web::test]
async fn nothing_but_a_name_is_required() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for body in [
        json!({}),
        json!({ "userName": "" }),
        json!({ "userName": null }),
        json!({ "userName": "   " }),
        json!({ "externalId": "x" }),
    ] {
        let answer = acme.post("/Users", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert_eq!(answer.body["scimType"], "invalidValue", "{body}");
        assert!(answer.body["detail"].as_str().unwrap().contains("userName"), "{}", answer.text);
    }
    let made = acme.post("/Users", &json!({ "username": "ada" })).await.assert(201);
    assert_eq!(made.body["active"], true);
    let id = made.id();
    let without = acme.put(&format!("/Users/{id}"), &json!({ "title": "x" })).await;
    assert_eq!(without.status, 400);
    let removed =
        acme.patch(&format!("/Users/{id}"), &json!([{ "op": "remove", "path": "userName" }])).await;
    assert_eq!(removed.status, 400, "{}", removed.text);
    assert_eq!(acme.get(&format!("/Users/{id}")).await.body, made.body);
}

#[actix_web::test]
async fn a_replacement_that_says_nothing_of_active_reactivates_nobody() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user_with(&json!({ "userName": "ada", "active": false })).await;
    let path = format!("/Users/{id}");
    let replaced = acme.put(&path, &json!({ "userName": "ada", "title": "x" })).await.assert(200);
    assert_eq!(replaced.body["active"], false);
    assert_eq!(replaced.header("x-reason"), Some("user_updated"));
    let back = acme.put(&path, &json!({ "userName": "ada", "active": true })).await.assert(200);
    assert_eq!(back.header("x-reason"), Some("user_reactivated"));
    let off = acme.put(&path, &json!({ "userName": "ada", "active": "False" })).await.assert(200);
    assert_eq!(
        (off.header("x-reason"), &off.body["active"]),
        (Some("user_deactivated"), &json!(false))
    );
}

#[actix_web::test]
async fn what_the_service_gives_is_not_taken_from_a_body() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let body = json!({ "userName": "ada", "id": "mine", "meta": { "created": "1999-01-01T00:00:00Z", "version": "x" },
                       "groups": [{ "value": "g" }], "password": "hunter2", "unknown": 1, "urn:x:y": { "a": 1 } });
    let made = acme.post("/Users", &body).await.assert(201);
    let id = made.id();
    assert_ne!(id, "mine");
    for name in ["groups", "password", "unknown", "urn:x:y"] {
        assert_eq!(made.body[name], Value::Null, "{name}");
    }
    assert_eq!(made.body["meta"]["version"], "W/\"1\"");
    assert!(!made.text.contains("1999"), "{}", made.text);
    // The same again in a replacement, and not even by asking for it.
    acme.put(&format!("/Users/{id}"), &body).await.assert(200);
    let asked = acme.get(&format!("/Users/{id}?attributes=password,userName")).await.assert(200);
    assert!(!asked.text.contains("hunter2"), "{}", asked.text);
    let unchanged = acme.put(&format!("/Users/{id}"), &body).await.assert(200);
    assert_eq!(unchanged.header("x-reason"), Some("user_unchanged"));
    assert_eq!(unchanged.version(), "W/\"1\"");
}

#[actix_web::test]
async fn null_and_empty_values_are_no_values() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    // Entra's own sample: nulls, enterprise attributes at top level, a misspelt URN (idp-wire section 1, row 19).
    let made = acme
        .post(
            "/Users",
            &json!({ "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"], "userName": "ada",
                     "addresses": null, "phoneNumbers": [], "preferredLanguage": "", "title": null, "department": null,
                     "manager": null, "name": { "givenName": "", "familyName": "L" }, "roles": [] }),
        )
        .await
        .assert(201);
    assert_eq!(
        made.redacted(),
        json!({ "schemas": [USER], "id": "[id]", "userName": "ada", "name": { "familyName": "L" }, "active": true,
                "meta": { "resourceType": "User", "created": "[at]", "lastModified": "[at]",
                          "location": "[base]/Users/[id]", "version": "W/\"1\"" } })
    );
}

#[actix_web::test]
async fn the_whole_schema_is_stored_and_returned() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let mut body = json!({ "schemas": [USER, ENTERPRISE] });
    for schema in acme.get("/Schemas").await.body["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        let values = json!(
            schema["attributes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|attribute| attribute["mutability"] != "readOnly")
                .map(|attribute| (
                    attribute["name"].as_str().unwrap().to_owned(),
                    example(attribute)
                ))
                .collect::<serde_json::Map<String, Value>>()
        );
        match id {
            USER => body.as_object_mut().unwrap().extend(values.as_object().unwrap().clone()),
            ENTERPRISE => body[ENTERPRISE] = values,
            _ => {}
        }
    }
    let made = acme.post("/Users", &body).await.assert(201);
    let mut returned = made.body.clone();
    for name in ["id", "meta"] {
        returned.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(returned, body);
    assert_eq!(acme.get(&format!("/Users/{}", made.id())).await.body, made.body);
}

/// A value that fits an attribute of `/Schemas`.
fn example(attribute: &Value) -> Value {
    let one = match attribute["type"].as_str().unwrap() {
        "complex" => json!(
            attribute["subAttributes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|part| part["mutability"] != "readOnly")
                .map(|part| (part["name"].as_str().unwrap().to_owned(), example(part)))
                .collect::<serde_json::Map<String, Value>>()
        ),
        "boolean" => json!(true),
        "reference" => json!("https://example.com/x"),
        "binary" => json!("QUJD"),
        "dateTime" => json!("2026-11-22T10:00:00Z"),
        _ => json!(attribute["canonicalValues"].get(0).cloned().unwrap_or_else(|| json!("text"))),
    };
    if attribute["multiValued"] == true { json!([one]) } else { one }
}

#[actix_web::test]
async fn a_manager_may_be_text_an_object_a_list_or_nothing() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (number, (sent, kept)) in [
        (json!("m1"), json!({ "value": "m1" })),
        (json!({ "value": "m1" }), json!({ "value": "m1" })),
        // The address follows from the id, where somebody has it.
        (json!([{ "$ref": "https://example.com/m1", "value": "m1" }]), json!({ "value": "m1" })),
        (json!(""), Value::Null),
        (Value::Null, Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "userName": format!("ada{number}"), ENTERPRISE: { "manager": sent } });
        let made = acme.post("/Users", &body).await.assert(201);
        assert_eq!(made.body[ENTERPRISE]["manager"], kept, "{sent}");
        let path = format!("/Users/{}", made.id());
        let operations =
            json!([{ "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "m2" }]);
        let patched = acme.patch(&path, &operations).await.assert(200);
        assert_eq!(patched.body[ENTERPRISE]["manager"]["value"], "m2", "{}", patched.text);
        let operations =
            json!([{ "op": "Replace", "path": format!("{ENTERPRISE}:manager"), "value": "" }]);
        let patched = acme.patch(&path, &operations).await.assert(200);
        assert_eq!(patched.body[ENTERPRISE]["manager"], Value::Null, "{}", patched.text);
    }
}

#[actix_web::test]
async fn a_users_groups_are_shown_and_follow_the_groups() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let crew = acme.group("Crew", &[&ada]).await;
    let expected = json!([{ "value": crew, "$ref": format!("{}/Groups/{crew}", acme.base_url), "display": "Crew", "type": "direct" }]);
    let path = format!("/Users/{ada}");
    assert_eq!(acme.get(&path).await.body["groups"], expected);
    assert_eq!(acme.get("/Users").await.body["Resources"][0]["groups"], expected);
    let patched =
        acme.patch(&path, &json!([{ "op": "replace", "path": "title", "value": "x" }])).await;
    assert_eq!(patched.body["groups"], expected);
    let without = acme.get(&format!("{path}?excludedAttributes=groups")).await;
    assert_eq!(without.body["groups"], Value::Null);
    for filter in [
        "groups.display eq \"CREW\"",
        "groups[display sw \"cr\"]",
        &format!("groups.value eq \"{crew}\""),
        "groups pr",
    ] {
        assert_eq!(
            acme.find("/Users", filter).await.each("id"),
            std::slice::from_ref(&ada),
            "{filter}"
        );
    }
    acme.delete(&format!("/Groups/{crew}")).await.assert(204);
    assert_eq!(acme.get(&path).await.body["groups"], Value::Null);
}
