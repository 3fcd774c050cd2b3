//! Two regions that forward to each other, each with a store, a Redis, a collector and a folder of its own: no byte of one's
//! people is on the other's side, nor anywhere but in its own store.

use super::{Customer, excerpt, holds, person, traffic};
use crate::support::binary::{Binary, muster};
use crate::support::client;
use crate::support::collector::Collector;
use crate::support::files::{every_byte, every_byte_but};
use crate::support::postgres::Postgres;
use crate::support::redis::{Redis, free_port};
use crate::support::stores::Stores;
use gateway::admin::keys::Keys;
use serde_json::{Value, json};
use std::path::PathBuf;

/// One region and all that is in it.
struct Side {
    region: &'static str,
    canary: &'static str,
    host: &'static str,
    folder: PathBuf,
    redis: Redis,
    database: Option<Postgres>,
    spans: Collector,
    settings: Vec<(String, String)>,
}

impl Side {
    async fn new(stores: &Stores, [region, canary, host]: [&'static str; 3]) -> Self {
        let folder = stores.folder().join(region);
        std::fs::create_dir_all(folder.join("tmp")).unwrap();
        let redis = Redis::own();
        let database = (!stores.are_files()).then(Postgres::start);
        let (spans, collector) = Collector::start().await;
        let within = |name: &str| folder.join(name).display().to_string();
        let file = format!("sqlite:{}", within(&format!("{region}.sqlite")));
        let store = database.as_ref().map_or(file, Postgres::url);
        let mut settings = vec![
            ("MUSTER__DATA_DIR".to_owned(), folder.display().to_string()),
            (format!("MUSTER__REGIONS__{}__STORE", region.to_uppercase()), store),
            ("TMPDIR".to_owned(), within("tmp")),
            ("MUSTER__NODE__KEYS".to_owned(), within("keys")),
            ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://{collector}")),
            ("MUSTER__SERVER__LISTEN".to_owned(), format!("127.0.0.1:{}", free_port())),
            ("MUSTER__REDIS__URL".to_owned(), redis.url.clone()),
            ("MUSTER__REDIS__TIMEOUT".to_owned(), "300ms".to_owned()),
        ];
        let jwks = stores.folder().join("peers.json").display().to_string();
        let registry = format!("sqlite:{}", stores.folder().join("registry.sqlite").display());
        if stores.are_files() {
            settings.push(("MUSTER__REGISTRY__URL".to_owned(), registry));
        }
        for (key, value) in [
            ("MUSTER__NODE__REGIONS", region),
            ("MUSTER__NODE__PEER_JWKS", &jwks),
            ("MUSTER__HOSTING__PUBLIC_PORT", "80"),
            ("MUSTER__LOG__LEVEL", "debug"),
            ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ] {
            settings.push((key.to_owned(), value.to_owned()));
        }
        Self { region, canary, host, folder, redis, database, spans, settings }
    }

    fn jwk(&self) -> Value {
        let key = Keys::within(&self.folder.join("keys")).signing().unwrap();
        serde_json::to_value(key.to_jwk().unwrap()).unwrap()
    }

    /// The other region is the gateway that listens there.
    fn knows(&mut self, other: &Self) {
        let listens = other.settings.iter().find(|(key, _)| key == "MUSTER__SERVER__LISTEN");
        let url = format!("http://{}", listens.unwrap().1);
        let key = format!("MUSTER__REGIONS__{}__GATEWAY", other.region.to_uppercase());
        self.settings.push((key, url));
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// What a command on this side prints.
    fn tell(&self, stores: &Stores, arguments: &str) -> Value {
        let mut command = muster(stores);
        command.envs(self.settings()).args(arguments.split(' ')).args(["-o", "json"]);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// A tenant of this region, with its token, who calls that server.
    fn customer(&self, stores: &Stores, server: &Binary) -> Customer {
        let region = self.region;
        self.tell(stores, &format!("tenant create of-{region} --name Of-{region} --region {region} --population platform --profile open"));
        // So that what Redis holds for it is still there when it is looked for.
        self.tell(stores, &format!("tenant set of-{region} --rate-limit 1/1000"));
        self.customer_again(stores, server)
    }

    /// The same with another token.
    fn customer_again(&self, stores: &Stores, server: &Binary) -> Customer {
        let token = self.tell(stores, &format!("token create of-{}", self.region));
        let token = token["token"].as_str().unwrap().to_owned();
        let (http, address) = (client(), server.address);
        Customer { http, address, token, host: self.host, canary: self.canary }
    }

    /// Every byte of this side's store, while it is open: with what is in its write-ahead log.
    fn store(&self) -> Vec<u8> {
        match &self.database {
            None => every_byte(&self.folder),
            Some(database) => {
                database.checkpoint();
                every_byte(database.folder())
            }
        }
    }

    /// Every byte of this side that is not its store.
    async fn rest(&self, server: &Binary) -> Vec<(&'static str, Vec<u8>)> {
        let url = format!("http://{}/metrics", server.ops);
        // It has ended when it does not answer.
        let metrics = match client().get(url).send().await {
            Ok(answer) => answer.bytes().await.unwrap().to_vec(),
            Err(_) => b"ended".to_vec(),
        };
        let store = format!("{}.sqlite", self.region);
        vec![
            ("the folder beside the store", every_byte_but(&self.folder, Some(&store))),
            ("Redis", self.redis.bytes()),
            ("the log", server.log().into_bytes()),
            ("the spans", self.spans.bytes()),
            ("the metrics", metrics),
        ]
    }
}

/// Nothing is where it may not be.
async fn scan(stores: &Stores, sides: [(&Side, &Binary); 2]) {
    let registry = stores.bytes_of("registry");
    for (side, server) in sides {
        let other = if side.region == sides[0].0.region { sides[1].0 } else { sides[0].0 };
        let (own, foreign) = (side.canary, other.canary);
        let store = side.store();
        assert!(holds(&store, own), "the scan finds what is there");
        let of = side.region;
        assert!(!holds(&store, foreign), "{of}'s store: {}", excerpt(&store, foreign));
        assert!(!holds(&registry, own), "the registry: {}", excerpt(&registry, own));
        for (what, bytes) in side.rest(server).await {
            assert!(!bytes.is_empty(), "{what} of {of} is empty");
            for canary in [own, foreign] {
                assert!(!holds(&bytes, canary), "{what} of {of}: {}", excerpt(&bytes, canary));
            }
        }
    }
}

#[actix_web::test]
async fn no_byte_of_a_regions_people_is_in_the_other_region() {
    // A registry for both, and nothing else that both have.
    let stores = Stores::new(&[]);
    let mut us = Side::new(&stores, ["us", "zqxuscanary", "app.localhost"]).await;
    let mut eu = Side::new(&stores, ["eu", "zqxeucanary", "eu-app.localhost"]).await;
    let jwks = json!({ "keys": [us.jwk(), eu.jwk()] });
    std::fs::write(stores.folder().join("peers.json"), jwks.to_string()).unwrap();
    us.knows(&eu);
    eu.knows(&us);
    let mut in_us = Binary::serve_as("us", &stores, &us.settings()).await;
    let mut in_eu = Binary::serve_as("eu", &stores, &eu.settings()).await;

    // Each comes to the other region's gateway, and once to its own.
    for (side, there, here) in [(&us, &in_eu, &in_us), (&eu, &in_us, &in_eu)] {
        let customer = side.customer(&stores, there);
        traffic(&customer).await;
        let customer = Customer { address: here.address, ..customer };
        let (status, answer) = customer.own("POST", "/Users", &person(side.canary, 5)).await;
        assert_eq!(status, 201, "{answer}");
    }
    for redis in [&us.redis, &eu.redis] {
        assert!(redis.keys().iter().any(|key| key.starts_with("muster:rate:ten_")));
    }
    let snapshots = [us.folder.join("registry-snapshot"), eu.folder.join("registry-snapshot")];
    assert!(snapshots.iter().all(|file| file.exists()));
    scan(&stores, [(&us, &in_us), (&eu, &in_eu)]).await;

    // A region that is gone, and people who are sent for it.
    let customer = us.customer_again(&stores, &in_eu);
    in_us.terminate();
    assert!(in_us.end().await.success());
    for number in 6..12 {
        assert_eq!(customer.own("POST", "/Users", &person(us.canary, number)).await.0, 503);
    }
    in_eu.terminate();
    assert!(in_eu.end().await.success());
    assert!(in_eu.log().contains("\"outcome\":\"forwarded\""));
    assert!(in_us.log().contains("\"outcome\":\"forwarded\""));
    scan(&stores, [(&us, &in_us), (&eu, &in_eu)]).await;
}
