//! The schema as the database has it: every key begins with the tenant.

use crate::support::Scene;
use crate::support::store::Store;
use std::collections::BTreeMap;

/// The tables of the store itself.
const WITHOUT_TENANT: [&str; 2] = ["directory_store", "directory_migrations"];

/// The first columns of primary keys and unique indexes, by the name of the key.
async fn first_columns(store: &Store) -> BTreeMap<String, String> {
    let sql = if store.is_sqlite() {
        "SELECT t.name || ' ' || l.name || ' ' || l.origin, coalesce(i.name, '')
         FROM sqlite_master t, pragma_index_list(t.name) l, pragma_index_info(l.name) i
         WHERE t.type = 'table' AND l.\"unique\" = 1 AND i.seqno = 0"
    } else {
        "SELECT t.relname || ' ' || i.relname || ' ' || CASE WHEN x.indisprimary THEN 'pk' ELSE 'u' END, a.attname::text
         FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
         WHERE n.nspname = 'public' AND x.indisunique"
    };
    let rows = store.rows(sql).await;
    rows.iter()
        .map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap()))
        .collect()
}

async fn tables(store: &Store) -> Vec<String> {
    let sql = if store.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    } else {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    };
    store.texts(sql).await
}

#[tokio::test]
async fn every_primary_key_and_unique_index_begins_with_the_tenant() {
    let scene = Scene::new().await;
    let keys = first_columns(&scene.store).await;
    let tables = tables(&scene.store).await;
    assert_eq!(
        tables,
        [
            "changes",
            "decisions",
            "directory_migrations",
            "directory_store",
            "groups",
            "idempotency",
            "members",
            "outbox",
            "quirk_counts",
            "tallies",
            "tenants",
            "tombstones",
            "user_emails",
            "users"
        ]
    );
    for table in tables.iter().filter(|name| !WITHOUT_TENANT.contains(&name.as_str())) {
        let own: Vec<(&String, &String)> =
            keys.iter().filter(|(name, _)| name.split(' ').next() == Some(table)).collect();
        assert!(own.iter().any(|(name, _)| name.ends_with(" pk")), "{table} has no primary key");
        for (name, first) in own {
            assert_eq!(first, "tenant_id", "{name}");
        }
    }
}

#[tokio::test]
async fn every_foreign_key_begins_with_the_tenant_on_both_ends() {
    let scene = Scene::new().await;
    let sql = if scene.store.is_sqlite() {
        "SELECT t.name || ': ' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
         FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND f.seq = 0 ORDER BY 1"
    } else {
        "SELECT t.relname || ': ' || a.attname || ' to ' || o.relname || '.' || b.attname
         FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
         JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = c.confkey[1]
         WHERE c.contype = 'f' ORDER BY 1"
    };

    // There is none today; one that comes must say `table: tenant_id to other.tenant_id`.
    let keys = scene.store.texts(sql).await;
    assert!(keys.iter().all(|key| key.contains(": tenant_id to ")), "{keys:?}");
}

#[tokio::test]
async fn there_is_no_trigger_no_sequence_and_no_number_that_the_database_gives() {
    let scene = Scene::new().await;
    let sql = if scene.store.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') OR name = 'sqlite_sequence' OR sql LIKE '%AUTOINCREMENT%'"
    } else {
        "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL SELECT relname::text FROM pg_class WHERE relkind = 'S'
         UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i')
         UNION ALL SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND (is_identity = 'YES' OR is_generated = 'ALWAYS' OR column_default LIKE 'nextval%')
         UNION ALL SELECT rulename::text FROM pg_rules WHERE schemaname = 'public'
         UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    };

    assert_eq!(scene.store.texts(sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn keys_are_compared_byte_by_byte() {
    let scene = Scene::new().await;
    let sql = if scene.store.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'index') AND upper(sql) LIKE '%COLLATE%'"
    } else {
        "SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
         JOIN pg_index x ON x.indrelid = (quote_ident(c.table_name))::regclass
         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey) AND a.attname = c.column_name
         WHERE c.table_schema = 'public' AND c.data_type = 'text' AND c.collation_name IS DISTINCT FROM 'C'
         AND c.table_name <> 'directory_migrations'"
    };

    assert_eq!(scene.store.texts(sql).await, Vec::<String>::new());
}
