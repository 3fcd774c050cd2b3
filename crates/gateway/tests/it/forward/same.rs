//! Whoever comes to the wrong node gets what the right one says.

use super::{Pair, tenant};
use crate::support::answer::Answer;
use crate::support::tenant::{TestTenant, encoded};
use serde_json::{Value, json};
use tenant_registry::NewClient;

/// Everything of an answer but its moment.
fn whole(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let of_moment = ["date", "ratelimit-remaining", "ratelimit-reset"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| !of_moment.contains(&name.as_str()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

async fn send(tenant: &TestTenant, method: &str, path: &str, body: &Value) -> Answer {
    let call = tenant.call(method, path).header("x-request-id", "the-same");
    if body.is_null() { call.send().await } else { call.json(body).send().await }
}

#[actix_web::test]
async fn every_operation_through_the_wrong_node_equals_the_local_one() {
    let pair = Pair::start().await;
    let here = tenant(&pair.home, "acme").await;
    let there = pair.edge.at(&here);
    let ada = there.user("ada").await;
    let crew = there.group("crew", &[&ada]).await;
    assert_eq!(here.get(&format!("/Users/{ada}")).await.body["userName"], "ada");

    let none = Value::Null;
    let user = format!("/Users/{ada}");
    let group = format!("/Groups/{crew}");
    let patch = |path: &str, value: Value| json!({ "Operations": [{ "op": "replace", "path": path, "value": value }] });
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName pr" });
    let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "GET", "path": "/Users/1" }, { "method": "DELETE", "path": "/Users/nobody" }] });
    for (method, path, body) in [
        ("GET", user.as_str(), &none),
        ("HEAD", &user, &none),
        ("GET", &group, &none),
        ("GET", "/Users", &none),
        ("GET", &format!("/Users?filter={}", encoded("userName eq \"ada\"")), &none),
        ("GET", "/Users?filter=nothing", &none),
        ("GET", "/Users/?count=1&", &none),
        ("GET", "/Groups?count=1", &none),
        ("GET", "/Users/nobody", &none),
        ("GET", "/Users/%2e%2e/../Groups", &none),
        ("GET", "/ServiceProviderConfig", &none),
        ("GET", "/Schemas", &none),
        ("GET", "/ResourceTypes/User", &none),
        ("GET", "", &none),
        ("GET", "/Me", &none),
        ("GET", "/Nowhere", &none),
        ("GET", "/t/acme/Users", &none),
        ("GET", "/t/other/Users", &none),
        ("POST", "/Users", &json!({ "userName": "ADA" })),
        ("POST", "/Users", &json!([])),
        ("POST", "/Groups", &json!({ "displayName": "crew" })),
        ("PUT", &user, &json!({ "userName": "ada" })),
        ("PATCH", &user, &patch("userName", json!("ada"))),
        ("PATCH", &group, &patch("displayName", json!("crew"))),
        ("POST", "/.search", &search),
        ("POST", "/Users/.search", &search),
        ("POST", "/Bulk", &bulk),
        ("DELETE", "/Users/nobody", &none),
        ("PURGE", &user, &none),
    ] {
        let (local, forwarded) =
            (send(&here, method, path, body).await, send(&there, method, path, body).await);
        assert_eq!(whole(&local), whole(&forwarded), "{method} {path}");
        assert!(forwarded.header("x-request-id") == Some("the-same"));
    }
    send(&there, "DELETE", &group, &none).await.assert(204);
    send(&there, "DELETE", &user, &none).await.assert(204);
    here.get(&user).await.assert(404);
}

#[actix_web::test]
async fn what_is_wrong_with_host_or_token_is_said_where_it_comes_in() {
    let pair = Pair::start().await;
    let acme = tenant(&pair.home, "acme").await;
    let there = pair.edge.at(&acme);
    let wrong_host = TestTenant { host: "app.localhost".to_owned(), ..there.clone() };
    let refused = wrong_host.get("/Users").await;
    refused.refused(401, "token_wrong_region", None);
    assert_eq!(refused.header("x-scim-correct-base-url"), Some("http://eu-app.localhost/scim/v2"));
    there.bare_call("GET", "/Users").send().await.refused(401, "token_missing", None);
    let cut = TestTenant { token: acme.token[..20].to_owned(), ..there.clone() };
    assert_eq!(cut.get("/Users").await.status, 401);
    // Whether a token is known says the region that it names.
    pair.home.revoke(&acme).await;
    there.get("/Users").await.refused(401, "token_revoked", None);
}

#[actix_web::test]
async fn a_token_is_asked_for_at_the_wrong_node_as_at_the_right_one() {
    let pair = Pair::start().await;
    let acme = tenant(&pair.home, "acme").await;
    let registry = &pair.home.state.registry;
    let by = crate::support::by();
    let pending = registry.create_client(&acme.tenant.id, &NewClient::new("Entra"), &by).await;
    let client = pending.unwrap().commit().await.unwrap();
    let ask = async |secret: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}",
            client.client.client_id
        );
        let url = format!("http://{}/oauth2/token", pair.edge.address);
        let request = acme.http.post(url).header("host", "eu-app.localhost");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(form).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let secret = secrecy::ExposeSecret::expose_secret(client.secret.as_ref().unwrap());
    let (status, body) = ask(secret).await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().unwrap().to_owned();
    let there = TestTenant { token, ..pair.edge.at(&acme) };
    there.get("/Users").await.assert(200);
    let (status, body) = ask("mcs_wrong").await;
    assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")));
}
