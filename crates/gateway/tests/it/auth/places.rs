//! Four tokens at four hosts, and everything else that names a place or a tenant.

use crate::support::raw::exchange;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, place};
use region_router::Population;
use serde_json::json;
use tenant_registry::TenantState;

const PLACES: [(&str, Population); 4] = [
    ("us", Population::Platform),
    ("us", Population::Board),
    ("eu", Population::Platform),
    ("eu", Population::Board),
];

async fn four(gateway: &TestGateway) -> Vec<TestTenant> {
    let mut tenants = Vec::new();
    for (number, (region, population)) in PLACES.into_iter().enumerate() {
        let home = place(region, population);
        let slug = format!("tenant-{number}");
        let tenant = gateway
            .tenant_with(&slug, |new| (new.region, new.population) = (home.region, home.population))
            .await;
        tenants.push(tenant);
    }
    tenants
}

#[actix_web::test]
async fn a_token_works_at_its_own_host_and_elsewhere_is_told_the_right_one() {
    let gateway = TestGateway::start_everywhere().await;
    let tenants = four(&gateway).await;
    assert_eq!(tenants[0].host, "app.localhost");
    assert_eq!(tenants[1].host, "board.localhost");
    assert_eq!(tenants[2].host, "eu-app.localhost");
    assert_eq!(tenants[3].host, "eu-board.localhost");
    let mut good = 0;
    for (token, holder) in tenants.iter().enumerate() {
        for (host, at) in tenants.iter().enumerate() {
            for path in ["/scim/v2/Users", "/scim/v2/Users/", "/scim/v2/scim/v2/Users"] {
                let call = gateway
                    .call("POST", &at.host, path)
                    .header("authorization", &format!("Bearer {}", holder.token))
                    .json(&json!({ "userName": format!("ada-{path}") }));
                let answer = call.send().await;
                let base_url = answer.header("x-scim-correct-base-url");
                if token != host {
                    let reason = match (token / 2 == host / 2, token % 2 == host % 2) {
                        (true, _) => "token_wrong_population",
                        (false, true) => "token_wrong_region",
                        (false, false) => "token_wrong_place",
                    };
                    let detail = answer.refused(401, reason, None);
                    assert_eq!(base_url, Some(holder.base_url.as_str()), "{path}");
                    assert!(detail.contains(&format!("Use {} as", holder.base_url)), "{detail}");
                    assert_eq!(
                        answer.header("www-authenticate"),
                        Some("Bearer realm=\"scim\", error=\"invalid_token\"")
                    );
                } else if path.ends_with("v2/scim/v2/Users") {
                    answer.refused(404, "path_doubled", None);
                    assert_eq!(base_url, Some(at.base_url.as_str()));
                } else {
                    assert_eq!(answer.status, 201, "{}", answer.text);
                    good += 1;
                }
            }
        }
    }
    assert_eq!(good, 8);
    for tenant in &tenants {
        assert_eq!(tenant.get("/Users").await.total(), 2);
        // Two creates, the doubled path, perhaps the list just now, and each of the other hosts once: nothing of others.
        let rows = tenant.decisions_until(6).await;
        assert!(rows.iter().all(|row| row.key_id == tenant.key_id), "{rows:?}");
        let count = |reason: &str| rows.iter().filter(|row| row.reason == reason).count();
        assert_eq!((count("user_created"), count("path_doubled")), (2, 1), "{rows:?}");
        for reason in ["token_wrong_population", "token_wrong_region", "token_wrong_place"] {
            assert_eq!(count(reason), 1, "{rows:?}");
        }
    }
}

#[actix_web::test]
async fn a_body_that_never_ends_does_not_delay_the_401() {
    let gateway = TestGateway::start_everywhere().await;
    let tenants = four(&gateway).await;
    for (body, header) in [
        ("5\r\n{\"a\":\r\n", "Transfer-Encoding: chunked"),
        ("{\"userName\":", "Content-Length: 99999999999"),
        ("", "Content-Length: 10"),
    ] {
        let request = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{header}\r\n\r\n{body}",
            tenants[0].host, tenants[2].token
        );
        let (status, head, body) = exchange(gateway.address, request.as_bytes()).await;
        assert_eq!(status, 401, "{body}");
        assert!(head.contains("x-reason: token_wrong_region"), "{head}");
    }
}

#[actix_web::test]
async fn no_header_but_host_names_the_place() {
    let gateway = TestGateway::start_everywhere().await;
    let tenants = four(&gateway).await;
    for header in ["x-forwarded-host", "x-host", "forwarded", "x-original-host", "x-muster-region"]
    {
        let forged =
            if header == "forwarded" { "host=eu-app.localhost" } else { "eu-app.localhost" };
        tenants[0].call("GET", "").header(header, forged).send().await.assert(200);
        let answer = gateway
            .call("GET", &tenants[0].host, "/scim/v2")
            .header("authorization", &format!("Bearer {}", tenants[2].token))
            .header(header, forged)
            .send()
            .await;
        answer.refused(401, "token_wrong_region", None);
    }
}

#[actix_web::test]
async fn a_host_is_known_in_any_case_with_any_port_and_with_a_final_dot() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for host in ["APP.LocalHost", "app.localhost.", "app.localhost:1", "app.localhost:443"] {
        let answer = gateway
            .call("GET", host, "/scim/v2")
            .header("authorization", &format!("Bearer {}", acme.token))
            .send()
            .await
            .assert(200);
        assert_eq!(answer.body["baseUrl"], acme.base_url.as_str(), "{host}");
    }
}

#[actix_web::test]
async fn an_unknown_host_is_told_the_known_ones() {
    let gateway = TestGateway::start_everywhere().await;
    let acme = gateway.tenant("acme").await;
    for host in [
        "localhost",
        "example.com",
        "app.localhost.evil.com",
        "us-app.localhost",
        "127.0.0.1",
        "xapp.localhost",
    ] {
        for path in ["/scim/v2", "/scim/v2/Users", "/nowhere"] {
            let answer = gateway
                .call("GET", host, path)
                .header("authorization", &format!("Bearer {}", acme.token))
                .send()
                .await;
            let detail = answer.refused(404, "host_unknown", None);
            assert!(detail.contains(&acme.base_url), "{detail}");
        }
    }
}

#[actix_web::test]
async fn the_tenant_in_a_path_must_be_the_tokens_own() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.tenant("other").await;
    let id = acme.user("ada").await;
    for name in ["acme", acme.tenant.id.as_str()] {
        assert_eq!(acme.get(&format!("/t/{name}/Users")).await.total(), 1);
        acme.get(&format!("/t/{name}/Users/{id}")).await.assert(200);
        acme.get(&format!("/t/{name}/")).await.assert(200);
    }
    for name in ["other", other.tenant.id.as_str(), "ACME", "nobody"] {
        let answer = acme.get(&format!("/t/{name}/Users")).await;
        answer.refused(404, "tenant_mismatch", None);
    }
}

#[actix_web::test]
async fn a_suspended_tenant_is_refused_until_it_is_active_again() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for (state, reason) in
        [(TenantState::Suspended, "tenant_suspended"), (TenantState::Closed, "tenant_closed")]
    {
        gateway.set_state(&acme, state).await;
        for (method, path) in
            [("GET", "/Users"), ("GET", ""), ("POST", "/Users"), ("GET", "/Schemas")]
        {
            let answer = acme.call(method, path).json(&json!({ "userName": "ada" })).send().await;
            let detail = answer.refused(403, reason, None);
            assert!(detail.contains("your account owner"), "{detail}");
        }
    }
    let active = TenantState::Active;
    gateway.set_state(&acme, active).await;
    assert_eq!(acme.get("/Users").await.total(), 0);
}
