//! The provisioning log, a page at a time.

use crate::support::{NOW, Scene, asked};
use directory::{Asked, DecisionQuery, DirectoryError};
use provisioning::Reason;
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;

fn at(seconds: u64) -> OffsetDateTime {
    NOW + Duration::from_secs(seconds)
}

/// Twelve decisions, one a second: of two credentials by turns, the fifth refused, the last about Ada.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    for number in 0..12_u64 {
        let asked = Asked {
            request_id: format!("request-{number}"),
            key_id: format!("key-{}", number % 2),
            now: at(number),
            ..asked("user.create")
        };
        let name = match number {
            4 => "p3".to_owned(),
            11 => "Ada".to_owned(),
            number => format!("p{number}"),
        };
        let user = crate::support::user(&json!({ "userName": name }));
        match scene.scoped.create_user(&user, &asked).await {
            Ok(_) => assert_ne!(number, 4),
            Err(DirectoryError::Refused(refusal)) => {
                let refused = directory::Refused {
                    refusal: &refusal,
                    resource_type: "User",
                    resource_id: None,
                    subject: Some("p3"),
                };
                scene.scoped.refuse(&asked, &refused).await.unwrap();
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    scene
}

/// The numbers of the requests found, and the id of the last.
async fn page(scene: &Scene, query: DecisionQuery) -> (Vec<u64>, Option<String>) {
    let query = DecisionQuery { limit: if query.limit == 0 { 50 } else { query.limit }, ..query };
    let rows = scene.scoped.decisions_page(&query).await.unwrap();
    let number = |id: &str| id.trim_start_matches("request-").parse().unwrap();
    let last = rows.last().map(|row| row.id.clone());
    (rows.iter().map(|row| number(&row.request_id)).collect(), last)
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest_and_hold_each_decision_once() {
    let scene = scene().await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query = DecisionQuery { limit: 5, after: after.clone(), ..DecisionQuery::default() };
        let (numbers, last) = page(&scene, query).await;
        if numbers.is_empty() {
            break;
        }
        found.push(numbers);
        after = last;
        // One that comes meanwhile is on no later page.
        let late = Asked { now: at(100), request_id: "request-100".into(), ..asked("user.read") };
        scene.scoped.note_event(&late, Reason::TokenExpiring, (at(100), "k"), "").await.unwrap();
    }
    assert_eq!(found, [vec![11, 10, 9, 8, 7], vec![6, 5, 4, 3, 2], vec![1, 0]]);
}

#[tokio::test]
async fn decisions_are_found_by_each_thing_that_is_asked_of_them() {
    let scene = scene().await;
    let ada = scene.store.texts("SELECT id FROM users WHERE user_name_key = 'ada'").await.remove(0);
    let any = DecisionQuery::default;
    let cases = [
        (DecisionQuery { user: Some("ADA".into()), ..any() }, vec![11]),
        (DecisionQuery { user: Some(ada), ..any() }, vec![11]),
        (DecisionQuery { user: Some("p3".into()), ..any() }, vec![4, 3]),
        (
            DecisionQuery { user: Some("p3".into()), outcome: Some("refused".into()), ..any() },
            vec![4],
        ),
        (DecisionQuery { key_id: Some("key-1".into()), ..any() }, vec![11, 9, 7, 5, 3, 1]),
        (DecisionQuery { reasons: vec!["user_name_taken", "seats_exhausted"], ..any() }, vec![4]),
        (DecisionQuery { outcome: Some("refused".into()), ..any() }, vec![4]),
        (DecisionQuery { request_id: Some("request-6".into()), ..any() }, vec![6]),
        (DecisionQuery { since: Some(at(9)), ..any() }, vec![11, 10, 9]),
        (DecisionQuery { until: Some(at(2)), ..any() }, vec![1, 0]),
        (
            DecisionQuery {
                since: Some(at(2)),
                until: Some(at(8)),
                key_id: Some("key-0".into()),
                reasons: vec!["user_created"],
                ..any()
            },
            vec![6, 2],
        ),
        (DecisionQuery { request_id: Some("' OR 1=1".into()), ..any() }, vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(page(&scene, query.clone()).await.0, expected, "{query:?}");
    }
}

#[tokio::test]
async fn of_pages_that_no_index_leads_to_few_are_read_at_once() {
    let scene = scene().await;
    let query =
        DecisionQuery { key_id: Some("key-1".into()), limit: 3, ..DecisionQuery::default() };
    let pages = (0..12).map(|_| scene.scoped.decisions_page(&query));
    let mut read = 0;
    for page in futures_util::future::join_all(pages).await {
        match page {
            Ok(rows) => {
                assert_eq!(rows.len(), 3);
                read += 1;
            }
            Err(error) => assert!(matches!(error, DirectoryError::Crowded), "{error:?}"),
        }
    }
    assert!(read > 0);
}

#[tokio::test]
async fn an_event_is_written_once_whoever_notices_it() {
    let scene = Scene::new().await;
    let asked = |later| Asked { now: NOW + Duration::from_secs(later), ..asked("token.expiring") };
    let note = async |later, at: u64, key: &'static str| {
        let event = (self::at(at), key);
        let detail = "The token SCIM ends in 30 days.";
        let reason = Reason::TokenExpiring;
        scene.scoped.note_event(&asked(later), reason, event, detail).await.unwrap()
    };
    assert!(note(0, 1, "key-1 30").await);
    assert!(!note(60, 1, "key-1 30").await);
    assert!(note(60, 1, "key-2 30").await);
    assert!(note(60, 2, "key-1 30").await);
    let both = tokio::join!(note(60, 9, "key-1 7"), note(61, 9, "key-1 7"));
    assert!(both.0 != both.1);

    let query = DecisionQuery { limit: 9, ..DecisionQuery::default() };
    let rows = scene.scoped.decisions_page(&query).await.unwrap();
    assert_eq!(rows.len(), 4);
    let row = &rows[0];
    assert_eq!(
        (row.operation.as_str(), row.outcome.as_str(), row.reason.as_str(), row.status),
        ("token.expiring", "noted", "token_expiring", 200)
    );
    assert_eq!(row.detail, "The token SCIM ends in 30 days.");
}
