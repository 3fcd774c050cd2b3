//! Tokens as administrators paste them: whole, mangled, old, of someone else.

use crate::support::TestGateway;
use crate::support::answer::Answer;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::time::Duration;
use tenant_registry::{By, NewCredential, Scopes};
use time::OffsetDateTime;

/// What Entra sends when its Secret Token field is empty.
const ENTRA_JWT: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6IkhsQzBS.eyJhdWQiOiI4YWRmOGU2ZS02N2IyLTRjZjItYTI1OS1lM2RjNTQ3NmM2MjEiLCJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC94LyJ9.c2lnbmF0dXJl";

async fn with(gateway: &TestGateway, authorization: &str) -> Answer {
    gateway
        .call("GET", "app.localhost", "/scim/v2/Users")
        .header("authorization", authorization)
        .send()
        .await
}

#[actix_web::test]
async fn the_word_bearer_may_be_there_in_any_case_or_not() {
    let gateway = TestGateway::start().await;
    let token = gateway.tenant("acme").await.token;
    for authorization in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER {token}"),
        token.clone(),
    ] {
        assert_eq!(with(&gateway, &authorization).await.status, 200, "{authorization}");
    }
}

#[actix_web::test]
async fn every_way_to_mangle_a_token_has_its_own_reason() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let token = acme.token.as_str();
    let credentials = gateway.state.registry.credentials(&acme.tenant.id).await.unwrap();
    let hint = credentials[0].hint.as_str();
    let (start, end) = token.split_at(token.len() / 2);
    let last = if token.ends_with('a') { "b" } else { "a" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let forms = [
        ("token_missing", vec![String::new(), "Bearer ".into(), "Bearer".into()]),
        ("token_is_hint", vec![format!("Bearer {hint}"), hint.to_owned()]),
        (
            "token_truncated",
            vec![format!("Bearer {start}"), format!("Bearer {}", &token[..token.len() - 1])],
        ),
        ("token_whitespace", vec![format!("Bearer {start} {end}"), format!("Bearer {token}%20")]),
        ("token_line_break", vec![format!("Bearer {token}\\n"), format!("Bearer {token}%0A")]),
        ("token_quoted", vec![format!("Bearer \"{token}\""), format!("'{token}'")]),
        (
            "token_doubled_bearer",
            vec![format!("Bearer Bearer {token}"), format!("bearer Bearer {token}")],
        ),
        ("token_is_key_id", vec![format!("Bearer {}", acme.key_id)]),
        ("token_checksum", vec![format!("Bearer {changed}")]),
        ("token_overlong", vec![format!("Bearer {token}{token}")]),
        ("token_foreign_jwt", vec![format!("Bearer {ENTRA_JWT}"), ENTRA_JWT.to_owned()]),
        (
            "token_scheme_unsupported",
            vec!["Basic YWRhOmFkYQ==".to_owned(), "Digest a=b".to_owned()],
        ),
        ("token_unrecognised", vec!["non-token".to_owned(), "Bearer hunter2".to_owned()]),
    ];
    let mut details = BTreeMap::new();
    for (reason, sent) in &forms {
        for authorization in sent {
            let answer = with(&gateway, authorization).await;
            let detail = answer.refused(401, reason, None);
            assert!(!answer.text.contains(end), "the answer repeats the token: {}", answer.text);
            details.insert(detail, *reason);
            let challenge = match *reason {
                "token_missing" => "Bearer realm=\"scim\"",
                _ => "Bearer realm=\"scim\", error=\"invalid_token\"",
            };
            assert_eq!(answer.header("www-authenticate"), Some(challenge), "{reason}");
            assert_eq!(answer.header("x-scim-correct-base-url"), None, "{reason}");
        }
    }
    assert_eq!(details.len(), forms.len(), "{details:#?}");
    assert!(acme.decisions().await.is_empty());
}

#[actix_web::test]
async fn a_token_of_another_installation_is_unknown_and_gets_the_plain_text() {
    let gateway = TestGateway::start().await;
    let elsewhere = TestGateway::start().await;
    gateway.tenant("acme").await;
    let token = elsewhere.tenant("acme").await.token;

    let answer = with(&gateway, &format!("Bearer {token}")).await;
    let detail = answer.refused(401, "token_unknown", None);
    assert!(!detail.contains("acme"), "{detail}");
}

#[actix_web::test]
async fn an_expired_token_is_told_so() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let new = NewCredential::new("old", Duration::from_secs(3_600));
    let then = OffsetDateTime::from(std::time::SystemTime::now()) - Duration::from_secs(7_200);
    let registry = &gateway.state.registry;
    let old = registry.create_credential(&acme.tenant.id, &new, &By::cli(then)).await.unwrap();
    let old = old.commit().await.unwrap();

    let answer = with(&gateway, &format!("Bearer {}", old.token.expose_secret())).await;
    let detail = answer.refused(401, "token_expired", None);
    assert!(detail.starts_with("This token expired on 20"), "{detail}");
}

#[actix_web::test]
async fn a_revoked_token_dies_and_others_live() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let other = gateway.with_scopes(&acme, Scopes::ALL).await;
    gateway.revoke(&acme).await;

    acme.get("/Users").await.refused(401, "token_revoked", None);
    other.get("/Users").await.assert(200);
}

#[actix_web::test]
async fn an_unknown_path_without_a_token_is_404_and_with_a_bad_one_401() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for path in ["/", "/scim/v2/nothing", "/scim", "/Users", "/scim/v1/Users"] {
        let answer = gateway.call("GET", "app.localhost", path).send().await;
        answer.refused(404, "path_unknown", None);
        assert_eq!(answer.header("x-scim-correct-base-url"), Some(acme.base_url.as_str()));
        let call = gateway.call("GET", "app.localhost", path);
        let answer = call.header("authorization", "Bearer hunter2").send().await;
        answer.refused(401, "token_unrecognised", None);
    }
}
