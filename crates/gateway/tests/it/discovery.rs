//! What the service says about itself.

use crate::support::TestGateway;
use serde_json::{Value, json};

#[actix_web::test]
async fn the_service_provider_config_is_complete() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let answer = acme.get("/ServiceProviderConfig").await.assert(200);
    let body = &answer.body;
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
    );
    assert_eq!(body["patch"], json!({ "supported": true }));
    assert_eq!(body["filter"], json!({ "supported": true, "maxResults": 1000 }));
    assert_eq!(body["etag"], json!({ "supported": true }));
    assert_eq!(body["sort"], json!({ "supported": true }));
    assert_eq!(body["pagination"]["cursor"], true);
    assert_eq!(body["pagination"]["maxPageSize"], 1000);
    assert_eq!(body["pagination"]["cursorTimeout"], 3600);
    assert_eq!(body["changePassword"], json!({ "supported": false }));
    assert_eq!(
        body["bulk"],
        json!({ "supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576 })
    );
    assert_eq!(body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(body["meta"]["location"], format!("{}/ServiceProviderConfig", acme.base_url));
}

#[actix_web::test]
async fn schemas_and_resource_types_are_found_one_by_one() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (path, ids) in [
        ("/ResourceTypes", vec!["User", "Group"]),
        (
            "/Schemas",
            vec![
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:core:2.0:Group",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            ],
        ),
    ] {
        let all = acme.get(path).await;
        let found = all.each("id");
        assert_eq!(all.total(), found.len() as u64);
        for id in ids {
            assert!(found.iter().any(|one| one == id), "{id} is not in {found:?}");
            let one = acme.get(&format!("{path}/{id}")).await.assert(200);
            let listed = all.body["Resources"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["id"] == id)
                .unwrap();
            assert_eq!(&one.body, listed);
            assert_eq!(one.body["meta"]["location"], format!("{}{path}/{id}", acme.base_url));
        }
        acme.get(&format!("{path}/nosuch")).await.refused(404, "not_found", None);
        acme.find(path, "id pr").await.refused(403, "filter_invalid", None);
    }
    assert!(!has_null(&acme.get("/Schemas").await.body));
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[actix_web::test]
async fn the_base_path_describes_the_token() {
    let gateway = TestGateway::start_everywhere().await;
    let acme = gateway
        .tenant_with("acme", |new| {
            let home = crate::support::place("eu", region_router::Population::Board);
            (new.region, new.population) = (home.region, home.population);
            new.profile = provisioning::ProfileId::Oktopost;
        })
        .await;
    for path in ["", "/"] {
        let body = acme.get(path).await.assert(200).body;
        for (name, value) in [
            ("tenant", "acme Ltd"),
            ("region", "eu"),
            ("population", "board"),
            ("profile", "oktopost"),
            ("baseUrl", acme.base_url.as_str()),
        ] {
            assert_eq!(body[name], value, "{name}");
        }
        assert_eq!(body["token"]["name"], "Entra");
        assert!(body["token"]["scopes"].as_array().unwrap().len() > 4, "{body}");
        assert!(body["token"]["expiresAt"].as_str().unwrap().starts_with("20"), "{body}");
        let hint = body["token"]["hint"].as_str().unwrap();
        assert!(hint.contains("****") && !body.to_string().contains(&acme.token), "{body}");
        for (_, url) in body["endpoints"].as_object().unwrap() {
            let path = url.as_str().unwrap().strip_prefix(&acme.base_url).unwrap();
            acme.get(path).await.assert(200);
        }
    }
}
