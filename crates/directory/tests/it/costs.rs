//! What a list may cost: it ends in time, and those who look up one person do not notice it.

use crate::filters::bind;
use crate::support::{BASE, NOW, Scene, tenant};
use directory::{DirectoryError, Listing, Scoped, Start, StoredUser, Want};
use futures_util::future::join_all;
use scim_core::{Condition, ResourceType};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// People, filled in straight by SQL.
const PEOPLE: usize = 40_000;

/// A store with so many people that to look at all of them a hundred times takes seconds.
async fn crowded() -> (Scene, Scoped) {
    let scene = Scene::new().await;
    let other = Arc::new(tenant('b'));
    let numbers = if scene.store.is_sqlite() {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {PEOPLE}) SELECT i FROM n"
        )
    } else {
        format!("SELECT i FROM generate_series(1, {PEOPLE}) AS n(i)")
    };
    let (json, pad) = if scene.store.is_sqlite() {
        ("", "printf('%08d', i)")
    } else {
        ("::jsonb", "lpad(i::text, 8, '0')")
    };
    for id in [scene.scoped_tenant(), other.id.as_str().to_owned()] {
        let document = format!(
            "'{{\"userName\":\"u' || {pad} || '\",\"emails\":[{{\"value\":\"u' || {pad} || '@example.com\"}},{{\"value\":\"v@example.com\"}}]}}'"
        );
        scene
            .store
            .run(&format!(
                "INSERT INTO users (tenant_id, id, user_name_key, display, active, role, doc, search, version, created_at, updated_at)
                 SELECT '{id}', 'id-' || {pad}, 'u' || {pad}, 'u', 1, 'member', {document}, ({document}){json}, 1, 0, 0 FROM ({numbers}) numbers"
            ))
            .await;
        scene
            .store
            .run(&format!("INSERT INTO tallies (tenant_id, slot, users, seats, groups, removed) VALUES ('{id}', 0, {PEOPLE}, {PEOPLE}, 0, 0)"))
            .await;
    }
    let other = scene.directory.within(&other);
    (scene, other)
}

/// A filter that looks at every e-mail of everybody, a hundred times.
fn expensive() -> Condition {
    let terms: Vec<String> = (0..100).map(|n| format!("emails[display co \"q{n}\"]")).collect();
    bind(&terms.join(" or "), ResourceType::user()).unwrap()
}

async fn list(
    scoped: &Scoped,
    condition: &Condition,
    limit: u64,
) -> Result<Listing<StoredUser>, DirectoryError> {
    let want = Want {
        condition: Some(condition),
        order: None,
        start: Start::Offset(0),
        limit,
        base: BASE,
        groups: false,
        now: NOW,
    };
    scoped.users(&want).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filter_that_costs_too_much_ends_in_time_and_leaves_look_ups_alone() {
    let (scene, other) = crowded().await;
    let condition = expensive();
    let begun = Instant::now();
    let all = async {
        tokio::join!(
            list(&scene.scoped, &condition, 10),
            list(&scene.scoped, &condition, 0),
            list(&scene.scoped, &condition, 10),
            list(&other, &condition, 10),
        )
    };
    let look_ups = async {
        let mut longest = Duration::ZERO;
        for number in 1..=100 {
            let name = format!("userName eq \"U{number:08}\"");
            let condition = bind(&name, ResourceType::user()).unwrap();
            let begun = Instant::now();
            let found = list(&scene.scoped, &condition, 10).await.unwrap();
            longest = longest.max(begun.elapsed());
            assert_eq!(found.resources.len(), 1);
        }
        longest
    };
    let ((first, second, third, elsewhere), longest) = tokio::join!(all, look_ups);

    // One of a tenant runs until its time is over; the others do not get their turn.
    let mut outcomes: Vec<String> = [first, second, third]
        .iter()
        .map(|one| format!("{:?}", one.as_ref().unwrap_err()))
        .collect();
    outcomes.sort();
    assert_eq!(outcomes, ["Crowded", "Crowded", "TooExpensive"]);
    assert!(matches!(elsewhere, Err(DirectoryError::TooExpensive)), "{elsewhere:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(longest < Duration::from_secs(1), "a look-up took {longest:?}");

    // Whatever connection comes next, no deadline is left on it.
    let everybody = bind("userName pr", ResourceType::user()).unwrap();
    let none = bind("not (id pr)", ResourceType::user()).unwrap();
    let quick = bind("id sw \"id-0000\"", ResourceType::user()).unwrap();
    for listing in join_all((0..12).map(|_| list(&other, &quick, 5))).await {
        match listing {
            Ok(listing) => assert_eq!(listing.resources.len(), 5),
            Err(error) => assert!(matches!(error, DirectoryError::Crowded), "{error:?}"),
        }
    }
    for start in (0..6).map(|page| Start::Offset(page * 5_000)) {
        let want = Want {
            condition: None,
            order: None,
            start,
            limit: 5_000,
            base: BASE,
            groups: false,
            now: NOW,
        };
        let pages = join_all((0..4).map(|_| scene.scoped.users(&want))).await;
        assert!(pages.into_iter().all(|page| page.unwrap().resources.len() == 5_000));
    }
    assert_eq!(list(&scene.scoped, &none, 5).await.unwrap().total, Some(0));
    assert_eq!(list(&scene.scoped, &everybody, 5).await.unwrap().total, Some(PEOPLE as u64));
}
