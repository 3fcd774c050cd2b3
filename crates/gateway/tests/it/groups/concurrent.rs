//! Membership changes that meet lose nothing (idp-wire section 1, row 7).

use crate::support::TestGateway;
use futures_util::future::join_all;
use serde_json::json;

#[actix_web::test]
async fn fifty_members_added_at_once_are_all_there_and_removed_at_once_all_gone() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let names: Vec<String> = (0..50).map(|n| format!("user{n}")).collect();
    let mut ids = join_all(names.iter().map(|name| acme.user(name))).await;
    let group = acme.group("Crew", &[]).await;
    let path = format!("/Groups/{group}");
    let adds = ids.iter().map(|id| {
        let operations = json!([{ "op": "Add", "path": "members", "value": [{ "value": id }] }]);
        let (acme, path) = (acme.clone(), path.clone());
        async move { acme.patch(&path, &operations).await.assert(204) }
    });
    join_all(adds).await;
    ids.sort_unstable();
    assert_eq!(acme.members(&group).await, ids);
    assert_eq!(acme.get(&path).await.version(), "W/\"51\"");

    let removes = ids.iter().enumerate().map(|(number, id)| {
        let operations = if number % 2 == 0 {
            json!([{ "op": "Remove", "path": "members", "value": [{ "value": id }] }])
        } else {
            json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }])
        };
        let (acme, path) = (acme.clone(), path.clone());
        async move { acme.patch(&path, &operations).await.assert(204) }
    });
    join_all(removes).await;
    assert_eq!(acme.members(&group).await, Vec::<String>::new());
    assert_eq!(acme.get(&path).await.version(), "W/\"101\"");
}

#[actix_web::test]
async fn adding_deleting_and_listing_at_once_ends_without_a_stranger_in_the_group() {
    let gateway = TestGateway::start().await;
    let acme = gateway.tenant("acme").await;
    let names: Vec<String> = (0..24).map(|n| format!("user{n}")).collect();
    let ids = join_all(names.iter().map(|name| acme.user(name))).await;
    let groups = join_all(["A", "B", "C"].map(|name| acme.group(name, &[]))).await;
    let work = ids.iter().enumerate().map(|(number, id)| {
        let acme = acme.clone();
        let groups = groups.clone();
        async move {
            for group in &groups {
                let operations =
                    json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
                let path = format!("/Groups/{group}");
                // Half of the users are deleted meanwhile; then their id is nobody's.
                let (added, _) = tokio::join!(acme.patch(&path, &operations), async {
                    if number % 2 == 0 {
                        let gone = acme.delete(&format!("/Users/{id}")).await;
                        assert!([204, 404].contains(&gone.status), "{} {}", gone.status, gone.text);
                    }
                });
                assert!([204, 400].contains(&added.status), "{} {}", added.status, added.text);
            }
        }
    });
    join_all(work).await;
    let mut left: Vec<String> = ids.iter().skip(1).step_by(2).cloned().collect();
    left.sort_unstable();
    for group in &groups {
        assert_eq!(acme.members(group).await, left);
    }
}
