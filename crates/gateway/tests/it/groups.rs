//! `/Groups`: members by every form that identity providers send.

mod concurrent;
mod large;

use crate::support::TestGateway;
use serde_json::{Value, json};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

#[actix_web::test]
async fn a_group_is_created_read_replaced_and_deleted() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user_with(&json!({ "userName": "ada", "displayName": "Ada L" })).await;
    // Entra's body: a URI of Microsoft's, and no members.
    let made = acme
        .post(
            "/Groups",
            &json!({ "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
                     "externalId": "8aa1", "displayName": "Crew", "meta": { "resourceType": "Group" } }),
        )
        .await
        .assert(201);
    let expected = |version: u32, members: Value| {
        let mut body = json!({ "schemas": [GROUP], "id": "[id]", "externalId": "8aa1", "displayName": "Crew",
                               "meta": { "resourceType": "Group", "created": "[at]", "lastModified": "[at]",
                                         "location": "[base]/Groups/[id]", "version": format!("W/\"{version}\"") } });
        if members != Value::Null {
            body["members"] = members;
        }
        body
    };
    assert_eq!(made.redacted(), expected(1, Value::Null));
    assert_eq!(
        made.header("location"),
        Some(format!("{}/Groups/{}", acme.base_url, made.id()).as_str())
    );
    let path = format!("/Groups/{}", made.id());
    assert_eq!(acme.get(&path).await.body, made.body);

    let replaced = acme
        .put(&path, &json!({ "displayName": "Crew", "externalId": "8aa1", "members": [{ "value": ada, "display": "whatever" }] }))
        .await
        .assert(200);
    let member = json!([{ "value": ada, "$ref": format!("[base]/Users/{ada}"), "type": "User" }]);
    assert_eq!(replaced.redacted(), expected(2, member));
    assert_eq!(acme.get("/Groups").await.body["Resources"], json!([replaced.body]));

    acme.delete(&path).await.assert(204);
    acme.get(&path).await.refused(404, "not_found", None);
    acme.delete(&path).await.refused(404, "not_found", None);
    acme.get(&format!("/Users/{ada}")).await.assert(200);
    acme.group("crew", &[]).await;
}

#[actix_web::test]
async fn a_display_name_is_unique_in_any_case_also_on_rename() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    acme.group("Cr\u{e9}w", &[]).await;
    let other = acme.group("Other", &[]).await;
    for name in ["cr\u{e9}w", "CRE\u{301}W"] {
        acme.post("/Groups", &json!({ "displayName": name })).await.refused(
            409,
            "display_name_taken",
            Some("uniqueness"),
        );
        let path = format!("/Groups/{other}");
        acme.put(&path, &json!({ "displayName": name })).await.refused(
            409,
            "display_name_taken",
            Some("uniqueness"),
        );
        let rename = json!([{ "op": "replace", "value": { "id": other, "displayName": name } }]);
        acme.patch(&path, &rename).await.refused(409, "display_name_taken", Some("uniqueness"));
    }
    gateway.tenant("second").await.group("Cr\u{e9}w", &[]).await;
}

#[actix_web::test]
async fn every_form_of_a_membership_change_does_what_it_says() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let mut ids = Vec::new();
    for name in ["ada", "bob", "eve"] {
        ids.push(acme.user(name).await);
    }
    let (ada, bob, eve) = (ids[0].as_str(), ids[1].as_str(), ids[2].as_str());
    let id_of = |letter: char| match letter {
        'a' => ada,
        'b' => bob,
        'e' => eve,
        _ => "nobody",
    };
    let list = |letters: &str| {
        json!(letters.chars().map(|letter| json!({ "value": id_of(letter) })).collect::<Vec<_>>())
    };
    let forms: Vec<(&str, Value, &str)> = vec![
        ("", json!([{ "op": "Add", "path": "members", "value": list("ab") }]), "ab"),
        ("a", json!([{ "op": "Add", "path": "members", "value": list("aab") }]), "ab"),
        ("a", json!([{ "op": "add", "path": "members", "value": { "value": bob } }]), "ab"),
        ("", json!([{ "op": "add", "value": { "members": list("a") } }]), "a"),
        ("", json!([{ "op": "add", "path": "members[value eq \"x\"]", "value": list("a") }]), ""),
        // Entra's removals: by value list with and without its flag, with the null reference of its guide.
        ("abe", json!([{ "op": "Remove", "path": "members", "value": list("a") }]), "be"),
        (
            "abe",
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": ada }] }]),
            "be",
        ),
        ("abe", json!([{ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }]), "be"),
        (
            "abe",
            json!([{ "op": "remove", "path": format!("members[value eq \"{ada}\" or value eq \"{bob}\"]") }]),
            "e",
        ),
        ("abe", json!([{ "op": "remove", "path": "members[type eq \"User\"]" }]), ""),
        ("abe", json!([{ "op": "remove", "path": "members[display eq \"ADA\"]" }]), "be"),
        ("abe", json!([{ "op": "remove", "path": "members" }]), ""),
        ("abe", json!([{ "op": "Remove", "path": "members", "value": [] }]), "abe"),
        ("a", json!([{ "op": "remove", "path": "members", "value": list("b") }]), "a"),
        ("a", json!([{ "op": "remove", "path": "members", "value": list("n") }]), "a"),
        // Okta: a rename before each change, one PATCH of remove and add, a full push, an empty push.
        ("abe", json!([{ "op": "replace", "value": { "displayName": "Renamed" } }]), "abe"),
        (
            "a",
            json!([{ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }, { "op": "add", "path": "members", "value": [{ "value": bob, "display": "b" }] }]),
            "b",
        ),
        ("abe", json!([{ "op": "replace", "path": "members", "value": list("e") }]), "e"),
        ("abe", json!([{ "op": "replace", "path": "members", "value": [] }]), ""),
        (
            "abe",
            json!([{ "op": "replace", "value": { "members": [], "displayName": "Crew" } }]),
            "",
        ),
        (
            "a",
            json!([{ "op": "replace", "value": { "schemas": [GROUP], "displayName": "Crew", "members": list("b") } }]),
            "b",
        ),
        // The validator: one of each in one request, in order.
        (
            "a",
            json!([{ "op": "add", "path": "members", "value": list("b") }, { "op": "remove", "path": "members", "value": list("b") }]),
            "a",
        ),
        (
            "a",
            json!([{ "op": "remove", "path": "members" }, { "op": "add", "path": "members", "value": list("b") }]),
            "b",
        ),
        ("a", json!([]), "a"),
    ];
    for (number, (before, operations, after)) in forms.into_iter().enumerate() {
        let before: Vec<&str> = before.chars().map(id_of).collect();
        let id = acme.group(&format!("Group {number}"), &before).await;
        let path = format!("/Groups/{id}");
        let operations: Value = serde_json::from_str(
            &operations
                .to_string()
                .replace("Renamed", &format!("Renamed {number}"))
                .replace("Crew", &format!("Crew {number}")),
        )
        .unwrap();
        let answer = acme.patch(&path, &operations).await;
        if operations.to_string().contains("value eq \\\"x\\\"") {
            // It asks to add `x`, who is nobody.
            assert_eq!(answer.status, 400, "{}", answer.text);
        } else {
            assert_eq!(
                (answer.status, answer.text.as_str()),
                (204, ""),
                "{operations}: {}",
                answer.text
            );
        }
        let mut expected: Vec<String> =
            after.chars().map(|letter| id_of(letter).to_owned()).collect();
        expected.sort_unstable();
        assert_eq!(acme.members(&id).await, expected, "{operations}");
    }
}

#[actix_web::test]
async fn a_replacement_without_members_leaves_them_and_an_empty_list_empties_the_group() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let id = acme.group("Crew", &[&ada]).await;
    let path = format!("/Groups/{id}");
    acme.put(&path, &json!({ "displayName": "Crew 2" })).await.assert(200);
    assert_eq!(acme.members(&id).await, [ada]);
    acme.put(&path, &json!({ "displayName": "Crew 2", "members": [] })).await.assert(200);
    assert_eq!(acme.members(&id).await, Vec::<String>::new());
}

#[actix_web::test]
async fn the_id_of_the_group_in_a_patch_is_no_change_and_another_is_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.group("Crew", &[]).await;
    let path = format!("/Groups/{id}");
    let rename =
        |id: &str| json!([{ "op": "replace", "value": { "id": id, "displayName": "Crew 2" } }]);
    acme.patch(&path, &rename(&id)).await.assert(204);
    assert_eq!(acme.get(&path).await.body["displayName"], "Crew 2");
    acme.patch(&path, &rename("other")).await.refused(400, "mutability", Some("mutability"));
}

#[actix_web::test]
async fn a_member_that_does_not_exist_is_named_and_nothing_is_stored() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    let ada = acme.user("ada").await;
    let foreign = other.user("bob").await;
    let id = acme.group("Crew", &[]).await;
    for unknown in ["nobody", foreign.as_str()] {
        let members = json!([{ "value": ada }, { "value": unknown }]);
        let add = json!([{ "op": "add", "path": "members", "value": members }]);
        for answer in [
            acme.post("/Groups", &json!({ "displayName": "Second", "members": members })).await,
            acme.patch(&format!("/Groups/{id}"), &add).await,
            acme.put(
                &format!("/Groups/{id}"),
                &json!({ "displayName": "Crew", "members": members }),
            )
            .await,
        ] {
            let detail = answer.refused(400, "member_unknown", Some("invalidValue"));
            assert!(detail.contains(unknown), "{detail}");
        }
    }
    assert_eq!(acme.members(&id).await, Vec::<String>::new());
    assert_eq!(acme.get("/Groups").await.total(), 1);
}

#[actix_web::test]
async fn groups_may_be_in_groups_and_not_in_themselves() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let inner = acme.group("Inner", &[&ada]).await;
    let outer = acme.group("Outer", &[&inner, &ada]).await;
    // Names only when they are asked for: they change without the group.
    let mut expected =
        [(inner.as_str(), "Group", "Groups", "Inner"), (ada.as_str(), "User", "Users", "ada")];
    expected.sort_unstable();
    for (query, has_names) in [("", false), ("?attributes=members,members.display", true)] {
        let mut members = Vec::new();
        for (id, kind, endpoint, name) in expected {
            let address = format!("{}/{endpoint}/{id}", acme.base_url);
            let mut member = json!({ "value": id, "$ref": address, "type": kind });
            if has_names {
                member["display"] = json!(name);
            }
            members.push(member);
        }
        let answer = acme.get(&format!("/Groups/{outer}{query}")).await;
        assert_eq!(answer.body["members"], json!(members), "{query}");
    }
    let own = json!([{ "op": "add", "path": "members", "value": [{ "value": outer }] }]);
    let answer = acme.patch(&format!("/Groups/{outer}"), &own).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    for (filter, expected) in [
        ("members.type eq \"group\"", 1),
        (&format!("members.value eq \"{ada}\""), 2),
        (&format!("members[type eq \"User\" and value eq \"{inner}\"]"), 0),
    ] {
        assert_eq!(acme.find("/Groups", filter).await.total(), expected, "{filter}");
    }
    acme.delete(&format!("/Groups/{inner}")).await.assert(204);
    assert_eq!(acme.members(&outer).await, [ada]);
}

#[actix_web::test]
async fn a_deleted_user_leaves_its_groups() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (ada, bob) = (acme.user("ada").await, acme.user("bob").await);
    let id = acme.group("Crew", &[&ada, &bob]).await;
    acme.delete(&format!("/Users/{ada}")).await.assert(204);
    let after = acme.get(&format!("/Groups/{id}")).await;
    assert_eq!(acme.members(&id).await, [bob]);
    assert_eq!(after.version(), "W/\"2\"");
}

#[actix_web::test]
async fn a_tenant_without_group_push_has_no_groups_and_takes_none() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.groups = false).await;
    for path in [
        "/Groups",
        "/Groups?count=100&startIndex=1",
        "/Groups?excludedAttributes=members&filter=displayName+eq+%22x%22",
    ] {
        let answer = acme.get(path).await;
        assert_eq!(answer.total(), 0);
        assert_eq!(answer.body["Resources"], json!([]));
    }
    acme.find("/Groups", "nosuch eq 1").await.refused(400, "filter_invalid", Some("invalidFilter"));
    let detail = acme.post("/Groups", &json!({ "displayName": "Crew" })).await.refused(
        403,
        "group_push_off",
        None,
    );
    assert!(detail.contains("group push"), "{detail}");
    for method in ["PUT", "PATCH", "DELETE"] {
        let answer =
            acme.call(method, "/Groups/x").json(&json!({ "displayName": "x" })).send().await;
        answer.refused(403, "group_push_off", None);
    }
}

#[actix_web::test]
async fn more_members_than_a_request_may_name_are_refused() {
    let gateway = TestGateway::start_with(&["us"], &[("MUSTER__LIMITS__MEMBERS", "3")]).await;
    let acme = gateway.tenant("acme").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(json!({ "value": acme.user(name).await }));
    }
    let id = acme.group("Crew", &[]).await;
    let path = format!("/Groups/{id}");
    for answer in [
        acme.post("/Groups", &json!({ "displayName": "Second", "members": ids })).await,
        acme.put(&path, &json!({ "displayName": "Crew", "members": ids })).await,
        acme.patch(&path, &json!([{ "op": "add", "path": "members", "value": ids }])).await,
    ] {
        assert!([400, 413].contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(acme.members(&id).await, Vec::<String>::new());
    let three = json!([{ "op": "add", "path": "members", "value": ids[..3] }]);
    acme.patch(&path, &three).await.assert(204);
}
