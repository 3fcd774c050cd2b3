//! Requests for tokens that are refused, in the words of RFC 6749 §5.2.

use super::{Client, Reply, basic, form_of, usual};
use crate::support::{TestGateway, place};
use region_router::Population;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[actix_web::test]
async fn what_the_rfc_does_not_allow_is_refused_as_it_says() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let id = ("client_id", client.id());
    let secret = ("client_secret", client.secret.as_str());
    let wrong = ("client_secret", "mcs_us_pf_wrong");
    for (form, status, error) in [
        (vec![id, secret], 400, "invalid_request"),
        (vec![("grant_type", ""), id, secret], 400, "invalid_request"),
        (vec![("grant_type", "password"), id, secret], 400, "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code"), id, secret], 400, "unsupported_grant_type"),
        (vec![GRANT, GRANT, id, secret], 400, "invalid_request"),
        (vec![GRANT, id, id, secret], 400, "invalid_request"),
        (vec![GRANT, secret], 400, "invalid_request"),
        (vec![GRANT, id], 401, "invalid_client"),
        (vec![GRANT], 401, "invalid_client"),
        (vec![GRANT, id, wrong], 401, "invalid_client"),
        (vec![GRANT, ("client_id", "mcl_us_pf_0123456789abcdef"), secret], 401, "invalid_client"),
        (vec![GRANT, ("client_id", "nonsense"), secret], 401, "invalid_client"),
        (vec![GRANT, ("client_id", "mcl_xx_pf_0123456789abcdef"), secret], 401, "invalid_client"),
        (vec![GRANT, ("client_id", &client.tenant.token), secret], 401, "invalid_client"),
        (vec![GRANT, id, ("client_secret", &client.tenant.token)], 401, "invalid_client"),
    ] {
        client.ask(&form).await.refused(status, error);
    }
    // The right one is not told from one that is not there.
    let unknown = client.ask(&[GRANT, ("client_id", "mcl_us_pf_0123456789abcdef"), secret]).await;
    let wrong = client.ask(&[GRANT, id, wrong]).await;
    assert_eq!(unknown.body, wrong.body);
}

#[actix_web::test]
async fn who_says_twice_who_it_is_is_refused() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let header = basic(client.id(), &client.secret);
    for more in [
        vec![("client_secret", client.secret.as_str())],
        vec![("client_id", "mcl_us_pf_0123456789abcdef")],
    ] {
        client.with_basic(&more).await.refused(400, "invalid_request");
    }
    client.with_basic(&[("client_id", client.id())]).await.token();
    let twice = client.request(&[GRANT]).header("authorization", &header);
    Reply::of(twice.header("authorization", &header)).await.refused(400, "invalid_request");
    for header in ["Basic", "Basic !!!", "Bearer abc", "Digest x", &basic("", ""), &basic("a", "")]
    {
        let reply = Reply::of(client.request(&[GRANT]).header("authorization", header)).await;
        reply.refused(401, "invalid_client");
        assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"oauth2\""), "{header}");
    }
}

#[actix_web::test]
async fn a_client_at_the_wrong_host_is_told_the_right_one() {
    let gateway = TestGateway::start_everywhere().await;
    let us = usual(&gateway).await;
    let eu =
        gateway.tenant_with("eu", |new| new.region = place("eu", Population::Board).region).await;
    let eu = Client::of(&eu, |_| {}).await;
    let port = gateway.address.port();
    for (client, host, right) in [
        (&us, "eu-app.localhost", "app"),
        (&us, "board.localhost", "app"),
        (&eu, "app.localhost", "eu-app"),
        (&eu, "eu-board.localhost", "eu-app"),
    ] {
        let form = [GRANT, ("client_id", client.id()), ("client_secret", &client.secret)];
        let url = format!("http://{}/oauth2/token", gateway.address);
        let request = gateway.http.post(url).header("host", host).body(form_of(&form));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let reply = Reply::of(request).await;
        let text = reply.refused(401, "invalid_client");
        let endpoint = format!("http://{right}.localhost:{port}/oauth2/token");
        assert!(text.contains(&endpoint), "{text}");
    }
    us.with_basic(&[]).await.token();
    eu.with_basic(&[]).await.token();
}

#[actix_web::test]
async fn a_token_is_asked_for_by_post_with_a_form() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let form = [GRANT, ("client_id", client.id()), ("client_secret", &client.secret)];
    let url = format!("http://{}/oauth2/token", gateway.address);
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = gateway.http.request(method, &url).header("host", &client.tenant.host);
        let reply = Reply::of(request).await;
        reply.refused(405, "invalid_request");
        assert_eq!(reply.header("allow"), Some("POST"));
    }
    for media in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = gateway.http.post(&url).header("host", &client.tenant.host);
        let request = request.header("content-type", media).body(form_of(&form));
        Reply::of(request).await.refused(400, "invalid_request");
    }
    let long = "x".repeat(64 * 1024);
    client.ask(&[GRANT, ("scope", &long)]).await.refused(413, "invalid_request");
    let request = gateway
        .http
        .post(format!("{url}?{}", form_of(&form)))
        .header("host", &client.tenant.host)
        .header("content-type", "application/x-www-form-urlencoded");
    Reply::of(request).await.refused(400, "invalid_request");
    for host in ["evil.example", "localhost"] {
        let request = gateway.http.post(&url).header("host", host).body(form_of(&form));
        let reply = Reply::of(request).await;
        assert!(reply.refused(404, "invalid_request").contains("app.localhost"));
    }
    client.ask(&form).await.token();
}

#[actix_web::test]
async fn a_wrong_secret_is_in_the_log_of_the_clients_tenant() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    for _ in 0..3 {
        let form = [GRANT, ("client_id", client.id()), ("client_secret", "mcs_us_pf_wrong")];
        client.ask(&form).await.refused(401, "invalid_client");
    }
    let rows = client.tenant.decisions_until(1).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].reason.as_str(), rows[0].status), ("client_secret_invalid", 401));
    assert_eq!(
        (rows[0].key_id.as_str(), rows[0].operation.as_str()),
        (client.id(), "token.create")
    );
}

#[actix_web::test]
async fn who_asks_for_too_many_tokens_waits() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let mut last = client.with_basic(&[]).await;
    for _ in 0..100 {
        last = client.with_basic(&[]).await;
        if last.status == 429 {
            break;
        }
    }
    last.refused(429, "invalid_request");
    assert_eq!(last.header("retry-after"), Some("1"));
}

#[actix_web::test]
async fn an_address_that_floods_waits_whoever_it_says_it_is() {
    let gateway = TestGateway::start().await;
    let client = usual(&gateway).await;
    let mut last = client.ask(&[GRANT]).await;
    for _ in 0..1_000 {
        last = client.ask(&[GRANT]).await;
        if last.status == 429 {
            break;
        }
    }
    last.refused(429, "invalid_request");
    assert!(last.header("retry-after").is_some());
}
