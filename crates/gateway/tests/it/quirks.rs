//! Deviations: tolerated, noted, counted, and refused by who wants them refused.

mod corpus;
mod page;
mod replay;

use crate::support::tenant::TestTenant;
use crate::support::{self, TestGateway};
use scim_core::Tolerance;
use serde_json::json;
use tenant_registry::TenantChange;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Makes a tenant strict; this process sees it at once.
pub(crate) async fn set_strict(tenant: &TestTenant, what: &str) {
    strictly(tenant, &Tolerance::parse(what).unwrap()).await;
}

pub(crate) async fn strictly(tenant: &TestTenant, tolerance: &Tolerance) {
    let change = TenantChange { tolerance: Some(tolerance.clone()), ..Default::default() };
    support::change(&tenant.state.registry, tenant, &change).await;
}

#[actix_web::test]
async fn a_tenant_is_strict_about_what_it_names_and_others_are_not() {
    let gateway = TestGateway::start().await;
    let (acme, zeta) = (gateway.tenant("acme").await, gateway.tenant("zeta").await);
    let ids = [acme.user("ada").await, zeta.user("ada").await];
    set_strict(&acme, "Q-bool-string").await;

    let in_text = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    let path = |id: &str| format!("/Users/{id}");
    let detail = acme.patch(&path(&ids[0]), &in_text).await.refused(
        400,
        "attribute_invalid",
        Some("invalidValue"),
    );
    assert!(detail.contains("active"), "{detail}");
    zeta.patch(&path(&ids[1]), &in_text).await.assert(200);

    // Another case of `op` is another quirk.
    let truth = json!([{ "op": "Replace", "path": "active", "value": false }]);
    let answer = acme.patch(&path(&ids[0]), &truth).await.assert(200);
    assert_eq!(answer.body["active"], false);
    set_strict(&acme, "none").await;
    let in_text = json!([{ "op": "Replace", "path": "active", "value": "True" }]);
    assert_eq!(acme.patch(&path(&ids[0]), &in_text).await.assert(200).body["active"], true);
}

#[actix_web::test]
async fn a_refused_deviation_changes_nothing_and_is_in_the_log() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    set_strict(&acme, "all").await;

    let both = json!([
        { "op": "replace", "path": "displayName", "value": "Ada" },
        { "op": "Replace", "path": "nickName", "value": "Countess" },
    ]);
    acme.patch(&format!("/Users/{id}"), &both).await.refused(
        400,
        "syntax_invalid",
        Some("invalidSyntax"),
    );

    let answer = acme.get(&format!("/Users/{id}")).await.assert(200);
    assert!(answer.body.get("displayName").is_none(), "{}", answer.text);
    let decisions = acme.decisions_until(3).await;
    let refused = decisions.iter().find(|row| row.outcome == "refused").unwrap();
    assert_eq!((refused.operation.as_str(), refused.status), ("user.patch", 400));
}

#[actix_web::test]
async fn a_bare_token_is_refused_by_a_strict_tenant_and_its_administrator_can_see_why() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let bare = async |authorization: &str| {
        acme.bare_call("GET", "/Users").header("authorization", authorization).send().await
    };
    bare(&acme.token).await.assert(200);
    set_strict(&acme, "all").await;

    let answer = bare(&acme.token).await;

    let detail = answer.refused(401, "token_scheme_missing", None);
    assert!(detail.contains("Put Bearer and a space"), "{detail}");
    let challenge = "Bearer realm=\"scim\", error=\"invalid_token\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    // The scheme's case is free (RFC 9110 §11.1): that is no deviation.
    bare(&format!("bearer {}", acme.token)).await.assert(200);
    let rows = acme.decisions_until(3).await;
    let refused = rows.iter().find(|row| row.outcome == "refused").unwrap();
    assert_eq!(refused.reason, "token_scheme_missing");
}

#[actix_web::test]
async fn a_separator_at_the_end_is_refused_by_a_strict_tenant() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for path in ["/Users?", "/Users?count=1&", "/Users/"] {
        set_strict(&acme, "none").await;
        acme.get(path).await.assert(200);
        set_strict(&acme, "Q-trailing-separator").await;
        acme.get(path).await.refused(400, "syntax_invalid", Some("invalidSyntax"));
    }
    acme.get("/Users?count=1").await.assert(200);
}

#[actix_web::test]
async fn a_body_without_a_content_type_is_read_and_noted() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let send = async |name: &str| {
        let body = json!({ "schemas": [USER], "userName": name });
        acme.call("POST", "/Users").body(body.to_string()).send().await
    };
    send("ada").await.assert(201);
    let rows = acme.decisions_until(1).await;
    assert_eq!(rows[0].quirks, ["Q-no-content-type"]);

    set_strict(&acme, "Q-no-content-type").await;
    send("bob").await.refused(415, "media_type_unsupported", None);
}

#[actix_web::test]
async fn a_client_that_says_nothing_is_recognised_in_the_log_by_what_it_does() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let id = acme.user("ada").await;
    let entra = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    acme.patch(&format!("/Users/{id}"), &entra).await.assert(200);
    acme.get("/Users?filter=userName+eq+%22ada%22&").await.assert(200);
    acme.get("/Users?aadOptscim062020").await.assert(200);

    let rows = acme.decisions_until(4).await;

    let clients: Vec<(&str, &str)> =
        rows.iter().map(|row| (row.operation.as_str(), row.client.as_str())).collect();
    for expected in [
        ("user.create", "none"),
        ("user.patch", "entra"),
        ("user.list", "onelogin"),
        ("user.list", "entra"),
    ] {
        assert!(clients.contains(&expected), "{expected:?} is not in {clients:?}");
    }
}
