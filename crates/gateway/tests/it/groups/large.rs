//! Lists of large groups, and groups within groups, as an identity provider sees them.

use crate::support::TestGateway;
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_list_of_more_members_than_are_read_at_once_is_whole() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let names: Vec<String> = (0..100).map(|number| format!("user{number:03}")).collect();
    let users = join_all(names.iter().map(|name| acme.user(name))).await;
    let ids: Vec<&str> = users.iter().map(String::as_str).collect();
    for number in 0..52 {
        acme.group(&format!("Group {number}"), &ids).await;
    }
    acme.group("Empty", &[]).await;

    let mut sorted = users.clone();
    sorted.sort_unstable();
    let answer = acme.get("/Groups?count=100").await.assert(200);
    let groups = answer.body["Resources"].as_array().unwrap();
    assert_eq!((answer.total(), groups.len()), (53, 53));
    for group in groups {
        let one = acme.get(&format!("/Groups/{}", group["id"].as_str().unwrap())).await;
        assert_eq!(&one.body, group);
        let members: Vec<&str> = group["members"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|member| member["value"].as_str().unwrap())
            .collect();
        if group["displayName"] == "Empty" {
            assert_eq!(members, Vec::<&str>::new());
        } else {
            assert_eq!(members, sorted);
        }
    }
    let answer = acme.get("/Groups?count=100&attributes=members.display").await.assert(200);
    let shown: Vec<&Value> = answer.body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["members"].as_array().into_iter().flatten())
        .collect();
    assert_eq!(shown.len(), 5_200);
    assert!(shown.iter().all(|member| member["display"].as_str().unwrap().starts_with("user")));
    let without = acme.get("/Groups?count=100&excludedAttributes=members").await.assert(200);
    assert!(!without.text.contains("\"members\""));
}

#[actix_web::test]
async fn groups_within_groups_are_told_and_circles_are_refused() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let ada = acme.user("ada").await;
    let crew = acme.group("Crew", &[&ada]).await;
    let ship = acme.group("Ship", &[&crew]).await;
    let groups = |body: &Value| -> Vec<String> {
        let list = body["groups"].as_array().cloned().unwrap_or_default();
        let mut all: Vec<String> =
            list.iter().map(|g| format!("{} {}", g["display"], g["type"])).collect();
        all.sort_unstable();
        all
    };
    let expected = ["\"Crew\" \"direct\"", "\"Ship\" \"indirect\""];
    let path = format!("/Users/{ada}");
    assert_eq!(groups(&acme.get(&path).await.body), expected);
    let patched = acme.patch(&path, &json!([{ "op": "add", "path": "title", "value": "x" }])).await;
    assert_eq!(groups(&patched.assert(200).body), expected);
    let put = acme.put(&path, &json!({ "userName": "ada" })).await.assert(200);
    assert_eq!(groups(&put.body), expected);
    for filter in [
        format!("groups.value eq \"{ship}\""),
        "groups[type eq \"indirect\" and display eq \"ship\"]".to_owned(),
    ] {
        let found = acme.find("/Users", &filter).await.assert(200);
        assert_eq!(groups(&found.body["Resources"][0]), expected, "{filter}");
    }
    // The group itself tells its own members only.
    let members = &acme.get(&format!("/Groups/{ship}")).await.body["members"];
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["type"], "Group");

    let path = format!("/Groups/{crew}");
    let add =
        json!([{ "op": "add", "path": "members", "value": [{ "value": ship, "type": "Group" }] }]);
    let detail = acme.patch(&path, &add).await.refused(400, "member_cycle", Some("invalidValue"));
    assert!(detail.contains("\"Ship\"") && detail.contains(&ship), "{detail}");
    let body = json!({ "displayName": "Crew", "members": [{ "value": ship }] });
    acme.put(&path, &body).await.refused(400, "member_cycle", Some("invalidValue"));
    let own = json!([{ "op": "add", "path": "members", "value": [{ "value": crew }] }]);
    acme.patch(&path, &own).await.refused(400, "member_cycle", Some("invalidValue"));
    assert_eq!(acme.members(&crew).await, [ada]);
}

#[actix_web::test]
async fn a_manager_is_shown_with_name_and_address() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let boss = acme.user_with(&json!({ "userName": "boss", "displayName": "The \"Boss\"" })).await;
    let manager =
        json!({ "value": boss, "$ref": "https://evil.example/x", "displayName": "Somebody" });
    let body = json!({ "userName": "ada", "title": "\"manager\":{", enterprise: { "department": "manager", "manager": manager } });
    let made = acme.post("/Users", &body).await.assert(201);
    let expected = json!({ "value": boss, "$ref": format!("{}/Users/{boss}", acme.base_url), "displayName": "The \"Boss\"" });
    assert_eq!(made.body[enterprise]["manager"], expected);
    let path = format!("/Users/{}", made.id());
    assert_eq!(acme.get(&path).await.body[enterprise]["manager"], expected);
    let found = acme.find("/Users", &format!("manager eq \"{boss}\"")).await;
    assert_eq!(found.body["Resources"][0][enterprise]["manager"], expected);
    let patched = acme
        .patch(
            &path,
            &json!([{ "op": "replace", "path": format!("{enterprise}:department"), "value": "x" }]),
        )
        .await
        .assert(200);
    assert_eq!(patched.body[enterprise]["manager"], expected);
    let listed = acme.get("/Users?attributes=manager").await.body;
    assert!(listed["Resources"].to_string().contains(&boss), "{listed}");
}
