//! Requests that meet: names and seats are given once.

use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, until};
use futures_util::future::join_all;
use serde_json::json;
use tenant_registry::{Scopes, TenantChange};

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

async fn set_active(tenant: &TestTenant, id: &str, active: bool) -> Answer {
    let operations = json!([{ "op": "Replace", "path": "active", "value": active }]);
    tenant.patch(&format!("/Users/{id}"), &operations).await
}

#[actix_web::test]
async fn of_many_creates_of_one_name_in_five_spellings_one_succeeds() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let spellings = [
        "\u{c5}sa.\u{d6}berg@example.com",
        "\u{e5}SA.\u{f6}BERG@EXAMPLE.COM",
        "A\u{30a}sa.O\u{308}berg@example.com",
        "a\u{30a}sa.o\u{308}berg@Example.com",
        "\u{c5}SA.o\u{308}berg@example.COM",
    ];
    let creates = (0..64).map(|number| {
        let (acme, name) = (acme.clone(), spellings[number % spellings.len()]);
        async move { acme.post("/Users", &json!({ "userName": name })).await }
    });
    let answers = join_all(creates).await;

    assert_eq!((count(&answers, 201), count(&answers, 409)), (1, 63));
    for refused in answers.iter().filter(|answer| answer.status == 409) {
        refused.refused(409, "user_name_taken", Some("uniqueness"));
    }
    assert_eq!(acme.get("/Users").await.total(), 1);
    let rows = acme.decisions().await;
    assert_eq!(rows.iter().filter(|row| row.operation == "user.create").count(), 64);
}

#[actix_web::test]
async fn of_fifty_creates_into_ten_seats_ten_succeed() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(10)).await;
    let creates = (0..50).map(|number| {
        let acme = acme.clone();
        async move { acme.post("/Users", &json!({ "userName": format!("user{number}") })).await }
    });
    let answers = join_all(creates).await;

    assert_eq!((count(&answers, 201), count(&answers, 403)), (10, 40));
    for refused in answers.iter().filter(|answer| answer.status == 403) {
        let detail = refused.refused(403, "seats_exhausted", None);
        assert!(detail.contains("10 of 10"), "{detail}");
        assert!(detail.contains("your account owner"), "{detail}");
    }
    assert_eq!(acme.get("/Users").await.total(), 10);
}

#[actix_web::test]
async fn a_taken_name_is_409_before_a_full_house_is_403() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(1)).await;
    acme.user("ada").await;
    acme.post("/Users", &json!({ "userName": "ADA" })).await.refused(
        409,
        "user_name_taken",
        Some("uniqueness"),
    );
    acme.post("/Users", &json!({ "userName": "bob" })).await.refused(403, "seats_exhausted", None);
    // Who is not active needs no seat, and takes the name all the same.
    let bob = acme.user_with(&json!({ "userName": "bob", "active": false })).await;
    acme.post("/Users", &json!({ "userName": "bob" })).await.refused(
        409,
        "user_name_taken",
        Some("uniqueness"),
    );
    set_active(&acme, &bob, true).await.refused(403, "seats_exhausted", None);
    // No other change needs one.
    let path = format!("/Users/{bob}");
    acme.patch(&path, &json!([{ "op": "add", "path": "title", "value": "x" }])).await.assert(200);
    acme.put(&path, &json!({ "userName": "bob", "active": false })).await.assert(200);
    acme.delete(&path).await.assert(204);
}

#[actix_web::test]
async fn a_seat_is_freed_by_deactivation_and_by_deletion() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(1)).await;
    let ada = acme.user("ada").await;
    set_active(&acme, &ada, false).await.assert(200);
    set_active(&acme, &ada, false).await.assert(200);
    let bob = acme.user("bob").await;
    set_active(&acme, &ada, true).await.refused(403, "seats_exhausted", None);
    acme.delete(&format!("/Users/{bob}")).await.assert(204);
    set_active(&acme, &ada, true).await.assert(200);
    set_active(&acme, &ada, true).await.assert(200);
    acme.post("/Users", &json!({ "userName": "eve" })).await.refused(403, "seats_exhausted", None);
    acme.delete(&format!("/Users/{ada}")).await.assert(204);
    acme.user("eve").await;
}

#[actix_web::test]
async fn of_many_reactivations_only_as_many_succeed_as_there_are_seats() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(5)).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(
            acme.user_with(&json!({ "userName": format!("user{number}"), "active": false })).await,
        );
    }
    let answers = join_all(ids.iter().map(|id| set_active(&acme, id, true))).await;
    assert_eq!((count(&answers, 200), count(&answers, 403)), (5, 15));
    assert_eq!(acme.find("/Users", "active eq true").await.total(), 5);
    // The same user again and again takes one seat.
    let active = acme.find("/Users", "active eq true").await.each("id");
    set_active(&acme, &active[0], false).await.assert(200);
    let answers = join_all((0..20).map(|_| set_active(&acme, &active[0], true))).await;
    assert_eq!(count(&answers, 200), 20);
    set_active(&acme, &active[1], false).await.assert(200);
    acme.user("one-more").await;
    acme.post("/Users", &json!({ "userName": "too-many" })).await.refused(
        403,
        "seats_exhausted",
        None,
    );
}

#[actix_web::test]
async fn seats_that_are_bought_can_be_used_at_once() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant_with("acme", |new| new.seats = Some(1)).await;
    acme.user("ada").await;
    acme.post("/Users", &json!({ "userName": "bob" })).await.refused(403, "seats_exhausted", None);
    gateway.change(&acme, TenantChange { seats: Some(Some(2)), ..Default::default() }).await;
    acme.user("bob").await;
}

#[actix_web::test]
async fn concurrent_changes_of_one_user_are_all_kept() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let path = format!("/Users/{}", acme.user("ada").await);
    let names = ["title", "nickName", "displayName", "userType", "locale", "timezone"];
    let changes = names.map(|name| {
        let operations = json!([{ "op": "add", "path": name, "value": "new" }]);
        let (acme, path) = (acme.clone(), path.clone());
        async move { acme.patch(&path, &operations).await.assert(200) }
    });
    join_all(changes).await;
    let after = acme.get(&path).await;
    for name in names {
        assert_eq!(after.body[name], "new", "{}", after.text);
    }
    assert_eq!(after.version(), "W/\"7\"");
}

#[actix_web::test]
async fn a_create_is_finished_though_its_client_hangs_up() {
    use tokio::io::AsyncWriteExt;
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    for number in 0..10 {
        let body = json!({ "userName": format!("user{number}") }).to_string();
        let mut stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let request = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            acme.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        drop(stream);
    }
    // Each is there whole or not at all; what was begun is finished.
    until("ten creates", async || (acme.get("/Users").await.total() == 10).then_some(())).await;
    let rows = acme.decisions().await;
    assert_eq!(rows.iter().filter(|row| row.reason == "user_created").count(), 10);
}

#[actix_web::test]
async fn a_token_may_do_what_its_scopes_say() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let (ada, crew) = (acme.user("ada").await, acme.group("Crew", &[]).await);
    let user = format!("/Users/{ada}");
    let group = format!("/Groups/{crew}");
    let rename =
        json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "x" }] });
    let disable = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    for (scopes, allowed) in [
        ("users,read", vec!["GET users", "GET user"]),
        ("users,groups,read", vec!["GET users", "GET user", "GET groups", "GET group"]),
        ("users,create", vec!["POST users"]),
        ("users,deactivate", vec!["DISABLE user"]),
        ("users,update,deactivate", vec!["PATCH user", "DISABLE user", "PUT user"]),
        ("groups,update", vec!["PATCH group", "PUT group"]),
    ] {
        let token = gateway.with_scopes(&acme, Scopes::parse(scopes).unwrap()).await;
        for (name, method, path, body) in [
            ("GET users", "GET", "/Users", json!({})),
            ("GET user", "GET", &user, json!({})),
            ("GET groups", "GET", "/Groups", json!({})),
            ("GET group", "GET", &group, json!({})),
            (
                "POST users",
                "POST",
                "/Users",
                json!({ "userName": format!("new-{}", token.key_id) }),
            ),
            (
                "POST groups",
                "POST",
                "/Groups",
                json!({ "displayName": format!("new-{}", token.key_id) }),
            ),
            ("PATCH user", "PATCH", &user, rename.clone()),
            ("DISABLE user", "PATCH", &user, disable.clone()),
            ("PUT user", "PUT", &user, json!({ "userName": "ada", "title": token.key_id })),
            ("PATCH group", "PATCH", &group, rename.clone()),
            ("PUT group", "PUT", &group, json!({ "displayName": token.key_id })),
            ("DELETE user", "DELETE", &user, json!({})),
            ("DELETE group", "DELETE", &group, json!({})),
        ] {
            let answer = token.call(method, path).json(&body).send().await;
            if allowed.contains(&name) {
                assert!(answer.status < 300, "{scopes} {name}: {}", answer.text);
            } else {
                let detail = answer.refused(403, "scope_missing", None);
                assert!(detail.contains("Entra"), "{scopes} {name}: {detail}");
            }
        }
        // What describes the service is open to every token.
        for path in ["", "/Schemas", "/ServiceProviderConfig"] {
            token.get(path).await.assert(200);
        }
        gateway.revoke(&token).await;
        set_active(&acme, &ada, true).await.assert(200);
    }
}

#[actix_web::test]
async fn many_changes_of_one_user_all_succeed_also_those_that_find_nothing_to_change() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let path = format!("/Users/{}", acme.user("ada").await);
    let changes = (0..60).map(|number| {
        let (acme, path) = (acme.clone(), path.clone());
        let value = if number % 3 == 0 { "one" } else { "other" };
        let operations = json!([{ "op": "replace", "path": "nickName", "value": value }]);
        async move { acme.patch(&path, &operations).await }
    });
    let answers = join_all(changes).await;

    assert_eq!(count(&answers, 200), 60);
}
