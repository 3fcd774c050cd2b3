//! Walks over every route: no answer without a token, no resource of another tenant, no answer that is not SCIM JSON.

use crate::support::TestGateway;
use crate::support::answer::Answer;
use gateway::routes::ROUTES;
use serde_json::{Value, json};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// A body that some operation of the path would take.
fn body(path: &str) -> Value {
    let patch = json!([{ "op": "replace", "path": "displayName", "value": "taken over" }]);
    json!({ "userName": "mallory", "displayName": format!("taken over {}", path.len()), "Operations": patch, "members": [] })
}

#[actix_web::test]
async fn no_route_is_answered_without_a_token() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for prefix in ["/scim/v2", "/scim/v2/t/acme"] {
        for (path, _) in ROUTES {
            for method in METHODS {
                let path = format!("{prefix}{}", path.replace("{id}", "x"));
                let answer: Answer =
                    gateway.call(method, "app.localhost", &path).json(&body(&path)).send().await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
                assert_eq!(answer.header("x-reason"), Some("token_missing"), "{method} {path}");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"scim\""));
            }
        }
    }
    assert!(acme.decisions().await.is_empty());
}

#[actix_web::test]
async fn another_tenants_resources_are_404_on_every_route_with_an_id() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    let ada = acme.user("ada").await;
    let crew = acme.group("Crew", &[&ada]).await;
    let before = (acme.get("/Users").await.body, acme.get("/Groups").await.body);
    let mut tried = 0;
    for (route, methods) in ROUTES.iter().filter(|(path, _)| path.contains("{id}")) {
        for id in [&ada, &crew] {
            let path = route.replace("{id}", id);
            for method in methods.split(", ") {
                let answer = other.call(method, &path).json(&body(&path)).send().await;
                answer.refused(404, "not_found", None);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 2 * (4 + 4 + 1 + 1));
    assert_eq!(other.get("/Users").await.total(), 0);
    assert_eq!(other.find("/Users", &format!("id eq \"{ada}\"")).await.total(), 0);
    assert_eq!(other.find("/Groups", &format!("members.value eq \"{ada}\"")).await.total(), 0);
    let crew = other
        .post("/Groups", &json!({ "displayName": "Crew", "members": [{ "value": ada }] }))
        .await;
    crew.refused(400, "member_unknown", Some("invalidValue"));
    assert_eq!((acme.get("/Users").await.body, acme.get("/Groups").await.body), before);
}

#[actix_web::test]
async fn every_failure_is_scim_json() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    // `Answer` itself checks the media type and the members of every error.
    for (path, allowed) in ROUTES {
        let path = path.replace("{id}", "no such id").replace(' ', "%20");
        for method in METHODS {
            for (media, text) in [
                ("application/scim+json", "{"),
                ("text/plain", "{}"),
                ("application/json", "{}"),
                ("application/json", ""),
            ] {
                let call = acme.call(method, &path).header("content-type", media);
                let answer = call.body(text).send().await;
                let takes = allowed.split(", ").any(|one| one == method);
                if !takes && method != "HEAD" {
                    assert!(
                        answer.status == 405 || answer.status == 501,
                        "{method} {path}: {}",
                        answer.status
                    );
                }
                assert!(
                    answer.status < 500 || answer.status == 501,
                    "{method} {path}: {}",
                    answer.text
                );
            }
        }
    }
    for path in
        ["/nosuch", "/Users/a/b", "/Users/a/b/c", "//Users//", "/users", "/t", "/t/acme/nosuch"]
    {
        let answer = acme.get(path).await;
        assert!([200, 404].contains(&answer.status), "{path}: {}", answer.text);
    }
}
