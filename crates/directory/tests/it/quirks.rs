//! What is tolerated, counted.

use crate::support::{NOW, Scene, asked, open, tenant, user};
use directory::{DirectoryError, Refused};
use provisioning::Reason;
use scim_core::Quirk;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn what_is_tolerated_is_counted_by_quirk_and_client() {
    let scene = Scene::new().await;
    let met = |client: &str, seconds: i64| {
        let mut asked = asked("user.create");
        asked.client = client.to_owned();
        asked.now = NOW + time::Duration::seconds(seconds);
        asked.notes.met(Quirk::OpCase);
        asked
    };
    for (number, client) in ["entra", "okta", "entra"].into_iter().enumerate() {
        let user = user(&json!({ "userName": format!("user{number}") }));
        let asked = met(client, i64::try_from(number).unwrap());
        scene.scoped.create_user(&user, &asked).await.unwrap();
    }
    // A refusal counts as well, and so does a read.
    let taken = user(&json!({ "userName": "user0" }));
    let mut again = met("entra", 10);
    again.notes.met(Quirk::StringBool);
    let Err(DirectoryError::Refused(refusal)) = scene.scoped.create_user(&taken, &again).await
    else {
        panic!("the name is free")
    };
    let refused =
        Refused { refusal: &refusal, resource_type: "User", resource_id: None, subject: None };
    scene.scoped.refuse(&again, &refused).await.unwrap();
    scene.scoped.note_read(&met("okta", 20), Reason::UserRead, "User", None, "");
    scene.directory.close().await.unwrap();

    let later = open(&scene.store).await;
    let scoped = later.within(&Arc::new(tenant('a')));
    let counts = scoped.quirk_counts().await.unwrap();
    let rows: Vec<(&str, &str, u64, i64, i64)> = counts
        .iter()
        .map(|row| {
            let since =
                |at: time::OffsetDateTime| (at - NOW).whole_milliseconds().div_euclid(1_000);
            let since = |at| i64::try_from(since(at + time::Duration::milliseconds(1))).unwrap();
            (
                row.quirk.as_str(),
                row.client.as_str(),
                row.count,
                since(row.first_at),
                since(row.last_at),
            )
        })
        .collect();
    let (case, boolean) = (Quirk::OpCase.id(), Quirk::StringBool.id());
    let mut expected =
        [(boolean, "entra", 1, 10, 10), (case, "entra", 3, 0, 10), (case, "okta", 2, 1, 20)];
    expected.sort_unstable();
    assert_eq!(rows, expected);
}
