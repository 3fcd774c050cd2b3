//! A secret is in the answer that makes it, and never again: in no answer, no log, no audit, and not in the store.

use super::walk::Scene;
use crate::support::binary::{Binary, json as printed};
use crate::support::stores::Stores;
use gateway::admin::endpoint::Method;
use gateway::admin::routes::endpoints;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The texts of every secret in an answer.
fn secrets_of(body: &Value) -> Vec<String> {
    ["token", "client_secret"]
        .iter()
        .filter_map(|name| body[*name].as_str().map(str::to_owned))
        .collect()
}

#[actix_web::test]
async fn no_later_answer_and_no_audit_row_has_a_secret() {
    let scene = Scene::new().await;
    let at = format!("/admin/v1/tenants/{}", scene.acme.tenant.id);
    let mut secrets = vec![scene.acme.token.clone()];
    let mut texts = String::new();
    let token =
        scene.api.post(&format!("{at}/tokens"), &json!({ "name": "Entra" })).await.assert(201);
    let id = token.id();
    let client = scene.api.post(&format!("{at}/oauth-clients"), &json!({})).await.assert(201);
    let client_id = client.id();
    let secret =
        scene.api.act(&format!("{at}/oauth-clients/{client_id}/secrets")).await.assert(201);
    let rotated = scene.api.act(&format!("{at}/tokens/{id}/rotation")).await.assert(201);
    for made in [&token, &client, &secret, &rotated] {
        let found = secrets_of(&made.body);
        assert_eq!(found.len(), 1, "{}", made.text);
        secrets.extend(found);
    }
    for reply in [
        scene.api.patch(&format!("{at}/tokens/{id}"), &json!({ "name": "Okta" })).await,
        scene.api.act(&format!("{at}/tokens/{id}/rotation/complete")).await,
        scene.api.delete(&format!("{at}/tokens/{}", rotated.id())).await,
        scene
            .api
            .patch(&format!("{at}/oauth-clients/{client_id}"), &json!({ "name": "Okta" }))
            .await,
        scene.api.delete(&format!("{at}/oauth-clients/{client_id}/secrets/{}", secret.id())).await,
        scene.api.delete(&format!("{at}/oauth-clients/{client_id}")).await,
    ] {
        texts.push_str(&reply.assert(200).text);
    }
    for endpoint in endpoints().filter(|endpoint| endpoint.method == Method::Get) {
        texts.push_str(&scene.api.get(&scene.path(endpoint)).await.text);
    }
    for secret in &secrets {
        assert!(!texts.contains(secret.as_str()), "{secret}");
        // Nor the part of it that is secret, without what is public before it.
        let inner = secret.rsplit('_').next().unwrap();
        assert!(inner.len() >= 32 && !texts.contains(inner), "{secret}");
    }
    assert!(
        texts.contains("credential.create") && texts.contains("****"),
        "the audit and the hints were looked at"
    );
    let stored = String::from_utf8_lossy(&scene.gateway.stores.bytes_of("registry")).into_owned();
    for secret in &secrets {
        assert!(!stored.contains(secret.rsplit('_').next().unwrap()), "{secret}");
    }
}

#[actix_web::test]
async fn neither_the_log_nor_the_store_has_a_secret_or_an_operators_token() {
    let stores = Stores::new(&["us", "eu"]);
    let server = Binary::serve(&stores, &[("MUSTER__LOG__LEVEL", "trace")]).await;
    let tokens: Vec<String> = ["alice", "dave@example.com"]
        .iter()
        .map(|subject| {
            printed(&stores, &["operator", "token", "--subject", subject])["token"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let http = crate::support::client();
    let call = async |method: &str, path: &str, body: Option<Value>, token: &str, key: &str| {
        let address: SocketAddr = server.address;
        let request = http
            .request(
                reqwest::Method::from_bytes(method.as_bytes()).unwrap(),
                format!("http://{address}{path}"),
            )
            .header("host", format!("admin.localhost:{}", address.port()))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.map(|body| body.to_string()).unwrap_or_default());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let mut secrets = tokens.clone();
    let new = json!({ "slug": "acme", "name": "Acme", "region": "us", "population": "platform", "profile": "open" });
    for (index, token) in tokens.iter().enumerate() {
        let key = format!("key-of-the-client-{index}");
        secrets.push(key.clone());
        let (status, _) = call("POST", "/admin/v1/tenants", Some(new.clone()), token, &key).await;
        assert_eq!(status, if index == 0 { 201 } else { 409 });
        for path in ["/admin/v1/tenants/acme/tokens", "/admin/v1/tenants/acme/oauth-clients"] {
            let (status, body) =
                call("POST", path, Some(json!({ "name": "Entra" })), token, &key).await;
            assert_eq!(status, 201, "{body}");
            secrets.extend(secrets_of(&body));
        }
        // Refused calls are logged with their reason, and not with what was sent.
        let (status, _) =
            call("POST", "/admin/v1/tenants/acme/tokens", None, &format!("{token}x"), &key).await;
        assert_eq!(status, 401);
    }
    assert_eq!(secrets.len(), 8);
    let log = crate::support::until("the log", async || {
        let log = server.log();
        (log.matches("token_invalid").count() >= 2).then_some(log)
    })
    .await;
    let stored = String::from_utf8_lossy(&stores.bytes_of("registry")).into_owned();
    for secret in &secrets {
        let inner = secret.rsplit(['_', '.']).next().unwrap();
        assert!(!log.contains(inner), "the log has {secret}");
        assert!(!stored.contains(inner), "the registry has {secret}");
    }
    // Whose subject is an address is in the global store as a keyed hash alone.
    assert!(!stored.contains("dave@example.com") && stored.contains("operator h_"));
    assert!(!log.contains("dave@example.com"));
}
