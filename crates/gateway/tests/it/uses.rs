//! When a credential was used last, and who tried with what is none.

use crate::support::{TestGateway, until};
use tenant_registry::CredentialUse;

#[actix_web::test]
async fn the_last_use_of_a_token_is_written_lazily() {
    let settings = [
        ("MUSTER__REGISTRY__USES_INTERVAL", "50ms"),
        ("MUSTER__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let gateway = TestGateway::start_with(&["us"], &settings).await;
    let acme = gateway.tenant("acme").await;
    let registry = &gateway.state.registry;
    assert!(registry.uses(&acme.tenant.id).await.unwrap().is_empty());

    let call = acme.call("GET", "/Users").header("user-agent", "Okta SCIM Client 1.0");
    call.header("x-forwarded-for", "203.0.113.77").send().await.assert(200);

    let seen: CredentialUse = until("the use", async || {
        registry.uses(&acme.tenant.id).await.unwrap().remove(&acme.key_id)
    })
    .await;
    assert_eq!((seen.client.as_str(), seen.network.as_str()), ("okta", "203.0.113.0/24"));
    let call = acme.call("GET", "/Users").header("x-forwarded-for", "2001:db8:1:2::3");
    call.send().await.assert(200);
    until("the newer use", async || {
        let uses = registry.uses(&acme.tenant.id).await.unwrap();
        (uses[&acme.key_id].network == "2001:db8:1::/48").then_some(())
    })
    .await;
}

#[actix_web::test]
async fn a_refused_request_is_no_use() {
    let gateway = TestGateway::start_with(&["us"], &[("MUSTER__REGISTRY__USES_INTERVAL", "50ms")]);
    let gateway = gateway.await;
    let acme = gateway.tenant("acme").await;
    let neighbour = gateway.tenant("neighbour").await;
    let off = tenant_registry::TenantChange { provisioning: Some(false), ..Default::default() };
    gateway.change(&acme, off).await;
    acme.get("/Users").await.assert(403);
    neighbour.get("/Users").await.assert(200);
    let registry = &gateway.state.registry;
    until("the neighbour's use", async || {
        registry.uses(&neighbour.tenant.id).await.unwrap().remove(&neighbour.key_id)
    })
    .await;
    assert!(registry.uses(&acme.tenant.id).await.unwrap().is_empty());
}

#[actix_web::test]
async fn what_is_sent_in_place_of_a_token_is_in_the_log_of_the_tenant_that_it_points_to() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let neighbour = gateway.tenant("neighbour").await;
    let credentials = gateway.state.registry.credentials(&acme.tenant.id).await.unwrap();
    let hint = credentials[0].hint.clone();
    let token = acme.token.as_str();
    let attempts = [
        (format!("Bearer {hint}"), "token_is_hint"),
        (format!("Bearer {}", &token[..token.len() - 5]), "token_truncated"),
        (format!("Bearer tok_{}", acme.key_id), "token_is_key_id"),
        (format!("Bearer \"{token}\""), "token_quoted"),
        (format!("Bearer Bearer {token}"), "token_doubled_bearer"),
        (format!("Bearer {token}x"), "token_overlong"),
        (format!("Bearer {token}%0A"), "token_line_break"),
        (format!("Bearer {}", token.replace("mst_", "mst_ ")), "token_whitespace"),
    ];
    for (sent, reason) in &attempts {
        let call = acme.bare_call("GET", "/Users").header("authorization", sent);
        let detail = call.send().await.refused(401, reason, None);
        assert!(!detail.contains("acme"), "{detail}");
    }

    let rows = acme.decisions_until(attempts.len()).await;

    let mut logged: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    let mut expected: Vec<&str> = attempts.iter().map(|(_, reason)| *reason).collect();
    logged.sort_unstable();
    expected.sort_unstable();
    assert_eq!(logged, expected);
    assert!(rows.iter().all(|row| row.key_id == acme.key_id && row.status == 401));
    // What nobody has is nobody's.
    for sent in ["Bearer mst_us_pf_****0000", "Bearer tok_0123456789abcdef", "Basic YTpi"] {
        acme.bare_call("GET", "/Users").header("authorization", sent).send().await.assert(401);
    }
    assert_eq!(neighbour.decisions().await.len(), 0);
    assert_eq!(acme.decisions().await.len(), attempts.len());
}

#[actix_web::test]
async fn a_flood_of_attempts_is_one_line() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let sent = format!("Bearer tok_{}", acme.key_id);
    for _ in 0..20 {
        let call = acme.bare_call("GET", "/Users").header("authorization", &sent);
        call.send().await.refused(401, "token_is_key_id", None);
    }
    acme.get("/Users").await.assert(200);
    let rows = acme.decisions_until(2).await;
    assert_eq!(rows.len(), 2);
}

#[actix_web::test]
async fn a_token_at_the_wrong_host_is_in_the_log_at_home() {
    let gateway = TestGateway::start_everywhere().await;
    let acme = gateway.tenant("acme").await;
    let call = gateway.call("GET", "eu-app.localhost", "/scim/v2/Users");
    let call = call.header("authorization", &format!("Bearer {}", acme.token));
    call.send().await.refused(401, "token_wrong_region", None);
    let rows = acme.decisions_until(1).await;
    assert_eq!(
        (rows[0].reason.as_str(), rows[0].key_id.as_str()),
        ("token_wrong_region", acme.key_id.as_str())
    );
}
