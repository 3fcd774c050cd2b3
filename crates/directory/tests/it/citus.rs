//! Every table of the schema is in the script that distributes them, so that a new one cannot be forgotten.

use crate::support::Scene;
use std::fmt::Write;
use std::path::Path;

/// The tables of the store itself: they stay on the coordinator.
const LOCAL: [&str; 2] = ["directory_store", "directory_migrations"];

/// The table that the others lie beside: every write looks at it.
const FIRST: &str = "tenants";

async fn script(scene: &Scene) -> String {
    let sql = if scene.store.is_sqlite() {
        "SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name"
    } else {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \"C\""
    };
    let tables = scene.store.texts(sql).await;
    assert!(LOCAL.iter().all(|name| tables.iter().any(|table| table == name)), "{tables:?}");
    let mut text = String::from(
        "-- Distributes a region's store over the workers of Citus, by tenant: docs/scaling.md. Run it on the coordinator after
-- `muster migrate`, as often as you like; what is distributed is left alone. Made from the schema by `make docs`.
--
-- Not in it, and local on the coordinator: directory_store, directory_migrations.
CREATE EXTENSION IF NOT EXISTS citus;
SET citus.shard_count = 64;
",
    );
    let others = tables.iter().map(String::as_str).filter(|name| *name != FIRST);
    for table in [FIRST].into_iter().chain(others).filter(|name| !LOCAL.contains(name)) {
        let beside = if table == FIRST { "none" } else { FIRST };
        writeln!(
            text,
            "SELECT create_distributed_table('{table}', 'tenant_id', colocate_with => '{beside}')
    WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = '{table}'::regclass);"
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn the_page_of_citus_is_what_the_code_says() {
    let scene = Scene::new().await;
    let made = script(&scene).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/citus/distribute.sql");
    if crate::support::store::variable("MUSTER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == made, "deploy/citus/distribute.sql is not what the schema says: make docs");
}
