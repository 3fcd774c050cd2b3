//! `If-Match` and `If-None-Match` (RFC 7644 §3.14).

use crate::support::TestGateway;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_reader_that_holds_the_current_version_gets_304_without_a_body() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let user = acme.user("ada").await;
    let bob = acme.user("bob").await;
    let group = acme.group("Crew", &[&bob]).await;
    for path in [format!("/Users/{user}"), format!("/Groups/{group}")] {
        for tags in ["W/\"1\"", "\"1\"", "*", "W/\"9\", W/\"1\""] {
            let answer = acme.call("GET", &path).header("if-none-match", tags).send().await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{tags}");
            assert_eq!(answer.version(), "W/\"1\"");
        }
        for tags in ["W/\"2\"", "\"x\"", "W/\"11\""] {
            let answer = acme.call("GET", &path).header("if-none-match", tags).send().await;
            assert_eq!(answer.status, 200, "{tags}");
        }
    }
    // The version is not that of the groups that the answer shows.
    let member = acme.call("GET", &format!("/Users/{bob}")).header("if-none-match", "W/\"1\"");
    assert_eq!(member.send().await.status, 200);
}

#[actix_web::test]
async fn a_change_of_another_version_is_412_and_changes_nothing() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let user = acme.user("ada").await;
    let group = acme.group("Crew", &[]).await;
    for (path, name) in
        [(format!("/Users/{user}"), "userName"), (format!("/Groups/{group}"), "displayName")]
    {
        let patch = |value: &str| json!({ "Operations": [{ "op": "replace", "path": name, "value": value }] });
        for (method, body) in
            [("PUT", json!({ name: "eve" })), ("PATCH", patch("eve")), ("DELETE", Value::Null)]
        {
            let call = acme.call(method, &path).header("if-match", "W/\"7\"");
            call.json(&body).send().await.refused(412, "version_mismatch", None);
        }
        assert_eq!(acme.get(&path).await.version(), "W/\"1\"");
        for (method, body, version) in
            [("PUT", json!({ name: "eve" }), 1), ("PATCH", patch("zoe"), 2)]
        {
            let answer = acme
                .call(method, &path)
                .header("if-match", &format!("W/\"{version}\""))
                .json(&body)
                .send()
                .await;
            assert!(answer.status < 300, "{}", answer.text);
            assert_eq!(answer.version(), format!("W/\"{}\"", version + 1));
        }
        acme.call("DELETE", &path).header("if-match", "*").send().await.assert(204);
    }
}

#[actix_web::test]
async fn a_change_that_changes_nothing_keeps_version_and_time() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let user = acme.user_with(&json!({ "userName": "ada", "active": true })).await;
    let path = format!("/Users/{user}");
    let before = acme.get(&path).await;
    let operations = json!([{ "op": "Replace", "path": "active", "value": "True" }, { "op": "add", "path": "userName", "value": "ada" }]);
    let answer = acme.patch(&path, &operations).await.assert(200);
    assert_eq!(answer.header("x-reason"), Some("user_unchanged"));
    assert_eq!(answer.body, before.body);
}
