//! Regions with several stores: each tenant's data is in one of them.

use crate::support::binary::{Binary, json};
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, client};
use serde_json::json;

const TWO: [&str; 2] = ["us", "us/1"];

async fn start() -> (TestGateway, TestTenant, TestTenant) {
    let gateway = TestGateway::start_on(Stores::new(&TWO), &["us"], &[]).await;
    let acme = gateway.tenant("acme").await;
    let wonka = gateway.tenant_with("wonka", |new| new.shard = "1".to_owned()).await;
    (gateway, acme, wonka)
}

#[actix_web::test]
async fn a_tenants_people_are_in_its_shard_alone() {
    let (gateway, acme, wonka) = start().await;
    for tenant in [&acme, &wonka] {
        tenant.post("/Users", &json!({ "userName": "ada" })).await.assert(201);
    }

    for (tenant, shard) in [(&acme, "0"), (&wonka, "1")] {
        for (_, at, directory) in gateway.state.directories.iter() {
            let found = directory.residency(&tenant.tenant).await.unwrap();
            let users = found.tables.iter().find(|(table, _)| *table == "users").unwrap().1;
            assert_eq!(users, u64::from(at == shard), "{shard} {at}");
            assert_eq!((found.region_tag.as_str(), found.shard_tag.as_str()), ("us", at));
        }
    }
}

#[actix_web::test]
async fn a_shard_that_is_not_on_the_node_is_503_and_hurts_nobody_else() {
    let (gateway, acme, _) = start().await;
    let lost = gateway.tenant_with("lost", |new| new.shard = "7".to_owned()).await;

    for answer in
        [lost.get("/Users").await, lost.post("/Users", &json!({ "userName": "ada" })).await]
    {
        let detail = answer.refused(503, "store_unavailable", None);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!detail.contains("shard"), "{detail}");
    }
    acme.get("/Users").await.assert(200);
}

#[actix_web::test]
async fn the_ops_port_and_the_commands_name_each_shard() {
    let stores = Stores::new(&["us", "us/1", "eu"]);
    let migrated = json(&stores, &["migrate"]);
    assert_eq!(migrated["regions"], json!(["eu", "us", "us/1"]));
    let create = |slug, shard| {
        [
            "tenant",
            "create",
            slug,
            "--name",
            "A",
            "--region",
            "us",
            "--population",
            "platform",
            "--profile",
            "open",
            "--shard",
            shard,
        ]
    };
    assert_eq!(json(&stores, &create("acme", "1"))["shard"], "1");
    assert_eq!(json(&stores, &create("wonka", "0"))["shard"], "0");
    let residency = json(&stores, &["residency", "acme"]);
    assert_eq!(residency["home_shard"], "1");
    let all: Vec<String> = residency["stores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|store| {
            format!(
                "{}/{}",
                store["region_tag"].as_str().unwrap(),
                store["shard_tag"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(all, ["eu/0", "us/0", "us/1"]);
    let server = Binary::serve(&stores, &[]).await;
    let ask = async |path: &str| {
        let url = format!("http://{}{path}", server.ops);
        client().get(url).send().await.unwrap().text().await.unwrap()
    };
    let ready: serde_json::Value = serde_json::from_str(&ask("/readyz").await).unwrap();
    for store in ["store_eu", "store_us", "store_us/1"] {
        assert_eq!(ready["checks"][store], "ok", "{ready}");
    }
    let metrics = ask("/metrics").await;
    assert!(metrics.contains("pool=\"us/1\"") && metrics.contains("pool=\"us\""), "{metrics}");
}
