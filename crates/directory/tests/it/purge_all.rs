//! Closing a tenant for good: nothing is left in any table, and nothing comes back.

use crate::support::store::Store;
use crate::support::{BASE, NOW, Scene, asked, group, tenant, user};
use directory::{Action, Directory, DirectoryError, Once, Run, Scoped};
use provisioning::Reason;
use region_router::Population;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tenant_registry::Tenant;

/// Every table with a tenant's column, and how many rows it has of each tenant.
async fn rows(store: &Store) -> BTreeMap<String, Vec<String>> {
    let tables = if store.is_sqlite() {
        "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = 'tenant_id'"
    } else {
        "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    };
    let mut found = BTreeMap::new();
    for table in store.texts(tables).await {
        let sql = format!(
            "SELECT tenant_id || ' ' || CAST(count(*) AS TEXT) FROM {table} GROUP BY tenant_id ORDER BY tenant_id"
        );
        found.insert(table.clone(), store.texts(&sql).await);
    }
    found
}

/// Puts rows into every table.
async fn fill(scoped: &Scoped) {
    let make = async |name: &str| {
        let body =
            json!({ "userName": name, "emails": [{ "value": format!("{name}@example.com") }] });
        scoped.create_user(&user(&body), &asked("user.create")).await.unwrap().user.id
    };
    let (ada, bob) = (make("ada").await, make("bob").await);
    let members = [scim_core::Member { id: ada.clone(), kind: None }];
    let crew = group(&json!({ "displayName": "Crew" }));
    scoped.create_group(&crew, &members, &asked("group.create")).await.unwrap();
    scoped.delete_user(&bob, |_| true, &asked("user.delete")).await.unwrap();
    let once = Some(Once { key: [1; 32], body: [1; 32] });
    let run = Run { once, ..Run::default() };
    let act = asked("user.deactivate");
    scoped.act(&ada, BASE, Action::Deactivate, run, &act).await.unwrap();
    let mut read = asked("user.read");
    read.notes.met(scim_core::Quirk::StringBool);
    scoped.note_read(&read, Reason::UserRead, "User", Some(&ada), "");
}

/// A store with two populations of two tenants, everything written.
async fn scene() -> (Scene, [Arc<Tenant>; 2]) {
    let scene = Scene::new().await;
    let tenants = ['a', 'b'].map(|letter| Arc::new(tenant(letter)));
    for tenant in &tenants {
        for population in Population::ALL {
            fill(&scene.directory.within_population(tenant, population)).await;
        }
    }
    // A directory that is closed has written everything; the scene's own goes on.
    scene.directory.close().await.unwrap();
    let directory = crate::support::open(&scene.store).await;
    let scoped = directory.within(&tenants[0]);
    (Scene { directory, scoped, ..scene }, tenants)
}

fn sum(counts: &[(&str, u64)]) -> u64 {
    counts.iter().map(|(_, rows)| rows).sum()
}

#[tokio::test]
async fn the_residency_counts_every_table_of_the_schema() {
    let (scene, tenants) = scene().await;
    let residency = scene.directory.residency(&tenants[0]).await.unwrap();

    assert_eq!(residency.region_tag, "us");
    assert_eq!(residency.engine, if scene.store.is_sqlite() { "sqlite" } else { "postgresql" });
    let counted: BTreeMap<String, u64> =
        residency.tables.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect();
    let stored: BTreeMap<String, u64> = rows(&scene.store)
        .await
        .into_iter()
        .map(|(table, rows)| {
            let ours = rows.iter().filter(|row| row.starts_with(tenants[0].id.as_str()));
            (table, ours.map(|row| row.split(' ').nth(1).unwrap().parse::<u64>().unwrap()).sum())
        })
        .collect();
    assert_eq!(counted, stored);
    assert!(counted.values().all(|rows| *rows > 0), "the scene leaves a table out: {counted:?}");
}

#[tokio::test]
async fn nothing_is_left_of_a_purged_tenant_and_all_of_its_neighbour() {
    let (scene, tenants) = scene().await;
    let before = scene.directory.residency(&tenants[0]).await.unwrap();
    let neighbour = scene.directory.residency(&tenants[1]).await.unwrap();

    let manifest = scene.directory.purge_all(&tenants[0]).await.unwrap();

    for (table, rows) in rows(&scene.store).await {
        let ours: Vec<_> =
            rows.iter().filter(|row| row.starts_with(tenants[0].id.as_str())).collect();
        // The fence stays, so that nothing can be written again.
        let left = if table == "tenants" { 2 } else { 0 };
        assert_eq!(ours.len(), left, "{table}: {ours:?}");
        assert!(manifest.iter().any(|(name, _)| *name == table), "{table} is not in the manifest");
    }
    for ((table, rows), (same, gone)) in before.tables.iter().zip(&manifest) {
        assert_eq!(table, same);
        assert_eq!(*gone, if *table == "tenants" { 0 } else { *rows }, "{table}");
    }
    assert_eq!(scene.directory.residency(&tenants[1]).await.unwrap(), neighbour);
    let fences = "SELECT tenant_id || ' ' || state FROM tenants ORDER BY tenant_id";
    assert_eq!(
        scene.store.texts(fences).await,
        [
            "ten_aaaaaaaaaaaaaaaa purged",
            "ten_aaaaaaaaaaaaaaaa+board purged",
            "ten_bbbbbbbbbbbbbbbb active",
            "ten_bbbbbbbbbbbbbbbb+board active",
        ]
    );
}

#[tokio::test]
async fn nothing_can_be_written_behind_a_purge() {
    let (scene, tenants) = scene().await;
    scene.directory.purge_all(&tenants[0]).await.unwrap();
    let late = scene.directory.within_population(&tenants[0], Population::Board);

    let made = late.create_user(&user(&json!({ "userName": "ada" })), &asked("user.create")).await;
    assert!(matches!(made, Err(DirectoryError::Fenced)), "{made:?}");
    let crew = group(&json!({ "displayName": "Crew" }));
    let made = late.create_group(&crew, &[], &asked("group.create")).await;
    assert!(matches!(made, Err(DirectoryError::Fenced)), "{made:?}");
    let mut read = asked("user.read");
    read.notes.met(scim_core::Quirk::StringBool);
    late.note_read(&read, Reason::UserRead, "User", None, "");
    let refusal = provisioning::Refusal::new(Reason::TenantSuspended, "Closed.");
    late.note_refusal(&asked("request"), &refusal);
    let refused = directory::Refused {
        refusal: &refusal,
        resource_type: "User",
        resource_id: None,
        subject: Some("ada"),
    };
    late.refuse(&asked("user.create"), &refused).await.unwrap();
    late.note_event(&asked("x"), Reason::TokenExpiring, (NOW, "k"), "").await.unwrap();
    scene.directory.close().await.unwrap();

    let left: Vec<String> = rows(&scene.store)
        .await
        .into_iter()
        .filter(|(table, rows)| {
            table != "tenants" && rows.iter().any(|row| row.starts_with(tenants[0].id.as_str()))
        })
        .map(|(table, _)| table)
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Many rows, so that a purge takes several commits.
async fn crowd(scene: &Scene, count: usize) {
    let (list, id) = if scene.store.is_sqlite() {
        (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
            ),
            "printf('%07d', i)",
        )
    } else {
        (format!("generate_series(1, {count}) n(i)"), "to_char(i, 'FM0000000')")
    };
    scene
        .store
        .run(&format!(
            "INSERT INTO members (tenant_id, group_id, member_id, kind) SELECT 'ten_aaaaaaaaaaaaaaaa', 'g', {id}, 'User' FROM {list}"
        ))
        .await;
}

#[tokio::test]
async fn a_purge_that_was_interrupted_goes_on_and_counts_all() {
    let (scene, tenants) = scene().await;
    crowd(&scene, 3_500).await;
    let expected = scene.directory.residency(&tenants[0]).await.unwrap();
    // Two nodes purge at once, and one more a little later; the first is interrupted.
    let first = scene.directory.clone();
    let tenant = Arc::clone(&tenants[0]);
    let interrupted = async {
        tokio::select! {
            biased;
            () = yielded(40) => {}
            _ = first.purge_all(&tenant) => {}
        }
    };
    interrupted.await;
    let other: Directory = crate::support::open(&scene.store).await;
    let (one, two) =
        tokio::join!(scene.directory.purge_all(&tenants[0]), other.purge_all(&tenants[0]));
    let (one, two) = (one.unwrap(), two.unwrap());

    let fences = 2;
    assert_eq!(sum(&one), sum(&expected.tables) - fences);
    assert_eq!(one, two);
    assert_eq!(scene.directory.purge_all(&tenants[0]).await.unwrap(), one);
}

/// Lets others run so many times.
async fn yielded(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
