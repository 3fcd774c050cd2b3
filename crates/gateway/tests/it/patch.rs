//! PATCH of a user: both dialects of Entra, Okta's forms, the validator's list, all or nothing.

use crate::support::TestGateway;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[actix_web::test]
async fn every_form_that_identity_providers_send_changes_what_it_says() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let base = json!({ "userName": "ada", "title": "Countess", "nickName": "A", "name": { "givenName": "Ada", "familyName": "L" },
                       "emails": [{ "type": "work", "value": "a@example.com", "primary": true }], ENTERPRISE: { "department": "Engines" } });
    let forms = [
        // Entra, default (idp-wire 2.2).
        (json!([{ "op": "Replace", "path": "active", "value": "False" }]), "/active", json!(false)),
        (json!([{ "op": "Add", "path": "nickName", "value": "B" }]), "/nickName", json!("B")),
        (
            json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@example.com" }]),
            "/emails/0/value",
            json!("b@example.com"),
        ),
        (
            json!([{ "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1" }]),
            "/phoneNumbers",
            json!([{ "type": "mobile", "value": "+1" }]),
        ),
        (
            json!([{ "op": "Replace", "path": "addresses[type eq \"work\"].country", "value": "DE" }]),
            "/addresses",
            json!([{ "type": "work", "country": "DE" }]),
        ),
        (
            json!([{ "op": "Add", "path": "name.givenName", "value": "Bea" }]),
            "/name",
            json!({ "givenName": "Bea", "familyName": "L" }),
        ),
        (
            json!([{ "op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "7" }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/employeeNumber",
            json!("7"),
        ),
        (
            json!([{ "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "m1" }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value",
            json!("m1"),
        ),
        (
            json!([{ "op": "Add", "path": "manager", "value": [{ "$ref": "x", "value": "m1" }] }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value",
            json!("m1"),
        ),
        (
            json!([{ "op": "Add", "path": "roles", "value": [{ "value": "{\"id\":\"1\",\"value\":\"admin\",\"displayName\":\"Admin\"}" }] }]),
            "/roles/0/value",
            Value::Null,
        ),
        (
            json!([{ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "admin" }]),
            "/roles/0/value",
            json!("admin"),
        ),
        (json!([{ "op": "Remove", "path": "title" }]), "/title", Value::Null),
        // Entra with its flag.
        (json!([{ "op": "replace", "path": "active", "value": false }]), "/active", json!(false)),
        (
            json!([{ "op": "replace", "value": { "displayName": "D", "name.givenName": "Bea", format!("{ENTERPRISE}:employeeNumber"): "7" } }]),
            "/name/givenName",
            json!("Bea"),
        ),
        (
            json!([{ "op": "add", "value": { "title": "T", ENTERPRISE: { "division": "X" } } }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            json!({ "department": "Engines", "division": "X" }),
        ),
        (
            json!([{ "op": "replace", "value": { "emails[type eq \"work\"].value": "c@example.com" } }]),
            "/emails/0/value",
            json!("c@example.com"),
        ),
        // Okta, catalogue applications (idp-wire 3.2).
        (json!([{ "op": "replace", "value": { "active": false } }]), "/active", json!(false)),
        (
            json!([{ "op": "replace", "value": { "active": true, "password": "hunter2" } }]),
            "/password",
            Value::Null,
        ),
        // The RFC's own (7644 §3.5.2).
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "type": "home", "value": "h@example.com" }] }]),
            "/emails/1/value",
            json!("h@example.com"),
        ),
        (json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]), "/emails", Value::Null),
        (
            json!([{ "op": "replace", "path": "name", "value": { "familyName": "King" } }]),
            "/name",
            json!({ "givenName": "Ada", "familyName": "King" }),
        ),
        (
            json!([{ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:TITLE", "value": "T" }]),
            "/title",
            json!("T"),
        ),
        (
            json!([{ "op": "remove", "path": ENTERPRISE }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            Value::Null,
        ),
    ];
    for (number, (operations, pointer, expected)) in forms.into_iter().enumerate() {
        let mut body = base.clone();
        body["userName"] = json!(format!("ada{number}"));
        let id = acme.user_with(&body).await;
        let answer = acme.patch(&format!("/Users/{id}"), &operations).await.assert(200);
        // A JSON pointer would take the dots and colons of a URN for what they are: names.
        let mut found = &answer.body;
        for name in pointer.split('/').skip(1) {
            found = name.parse::<usize>().map_or(&found[name], |place| &found[place]);
        }
        if pointer == "/roles/0/value" && expected == Value::Null {
            assert!(found.is_string(), "{operations}: {}", answer.text);
        } else {
            assert_eq!(found, &expected, "{operations}: {}", answer.text);
        }
        assert_eq!(acme.get(&format!("/Users/{id}")).await.body, answer.body);
        assert!(!answer.text.contains("name.givenName"), "a literal dotted key: {}", answer.text);
    }
}

#[actix_web::test]
async fn one_operation_that_fails_undoes_all() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    acme.user("bob").await;
    let path = format!("/Users/{id}");
    let before = acme.get(&path).await;
    let good = json!({ "op": "replace", "path": "title", "value": "changed" });
    for (bad, scim_type) in [
        (json!({ "op": "replace", "path": "nosuch", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "name.nosuch", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[", "value": "x" }), "invalidFilter"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (
            json!({ "op": "replace", "path": "meta.created", "value": "1999-01-01T00:00:00Z" }),
            "mutability",
        ),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "replace", "path": "active", "value": "perhaps" }), "invalidValue"),
        (json!({ "op": "replace", "path": "userName", "value": "BOB" }), "uniqueness"),
        (json!({ "op": "destroy", "path": "title" }), "invalidSyntax"),
        (json!({ "path": "title", "value": "x" }), "invalidSyntax"),
        (json!("replace"), "invalidSyntax"),
    ] {
        let answer = acme.patch(&path, &json!([good, bad])).await;
        assert!(
            answer.status == 400 || answer.status == 409,
            "{bad}: {} {}",
            answer.status,
            answer.text
        );
        assert_eq!(answer.body["scimType"], scim_type, "{bad}: {}", answer.text);
        assert_eq!(acme.get(&path).await.body, before.body, "{bad}");
    }
}

#[actix_web::test]
async fn operations_run_in_order_and_the_result_is_judged() {
    let gateway = TestGateway::start().await;
    let acme =
        gateway.tenant_with("acme", |new| new.profile = provisioning::ProfileId::Oktopost).await;
    let body = json!({ "userName": "ada@example.com", "name": { "givenName": "Ada", "familyName": "L" },
                       "emails": [{ "type": "work", "value": "ada@example.com" }] });
    let id = acme.user_with(&body).await;
    let path = format!("/Users/{id}");
    let mail = json!({ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "Eve@example.com" });
    let name = json!({ "op": "Replace", "path": "userName", "value": "eve@example.com" });
    // Each alone breaks the rule that both are equal; together they keep it, in either order.
    for alone in [&mail, &name] {
        let answer = acme.patch(&path, &json!([alone])).await;
        let detail = answer.refused(400, "user_name_not_email", Some("invalidValue"));
        assert!(detail.contains("userName"), "{detail}");
    }
    acme.patch(&path, &json!([mail, name])).await.assert(200);
    let back = json!([{ "op": "Replace", "path": "userName", "value": "ada@example.com" },
                      { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada@example.com" }]);
    acme.patch(&path, &back).await.assert(200);
    // The validator's three operations on one attribute.
    let thrice = json!([{ "op": "remove", "path": "title" }, { "op": "add", "path": "title", "value": "one" }, { "op": "replace", "path": "title", "value": "two" }]);
    assert_eq!(acme.patch(&path, &thrice).await.assert(200).body["title"], "two");
}

#[actix_web::test]
async fn an_empty_list_of_operations_is_no_change_and_a_missing_one_is_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let path = format!("/Users/{}", acme.user("ada").await);
    let answer = acme.patch(&path, &json!([])).await.assert(200);
    assert_eq!(answer.header("x-reason"), Some("user_unchanged"));
    for body in [
        json!({}),
        json!({ "Operations": null }),
        json!({ "Operations": {} }),
        json!({ "Operations": "x" }),
    ] {
        let answer = acme.call("PATCH", &path).json(&body).send().await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert_eq!(answer.body["scimType"], "invalidSyntax", "{body}");
    }
}

#[actix_web::test]
async fn more_than_a_thousand_operations_are_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let path = format!("/Users/{}", acme.user("ada").await);
    let operations = |count: usize| -> Value {
        json!(
            (0..count)
                .map(|n| json!({ "op": "replace", "path": "title", "value": n.to_string() }))
                .collect::<Vec<_>>()
        )
    };
    assert_eq!(acme.patch(&path, &operations(1_000)).await.assert(200).body["title"], "999");
    let refused = acme.patch(&path, &operations(1_001)).await;
    assert!([400, 413].contains(&refused.status), "{}", refused.text);
    assert_eq!(acme.get(&path).await.body["title"], "999");
}

#[actix_web::test]
async fn enabling_and_changing_at_once_works() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user_with(&json!({ "userName": "ada", "active": false })).await;
    let operations = json!([{ "op": "Replace", "path": "active", "value": "True" }, { "op": "Replace", "path": "displayName", "value": "Ada L" }]);
    let answer = acme.patch(&format!("/Users/{id}"), &operations).await.assert(200);
    assert_eq!(answer.header("x-reason"), Some("user_reactivated"));
    assert_eq!(
        (&answer.body["active"], &answer.body["displayName"]),
        (&json!(true), &json!("Ada L"))
    );
}
