//! Regions: where each is, which of them a node serves, and into which stores one is spread.

use super::{problems, read, served, store};
use region_router::{Place, Population, Region};
use secrecy::ExposeSecret;

#[test]
fn a_region_is_served_from_its_store_or_reached_by_its_gateway() {
    let toml = r#"
[regions.eu]
gateway = "https://eu-gateway.example.com/"
[regions.ap]
store = "postgres://db/ap"
host_prefix = "asia-"
"#;
    let config = read(toml, &[("MUSTER__REGIONS__US__STORE", "sqlite:/tmp/x/us.sqlite")]).unwrap();

    assert_eq!(store(&config, "us"), "sqlite:/tmp/x/us.sqlite");
    assert_eq!(store(&config, "eu"), "gateway https://eu-gateway.example.com");
    assert_eq!(served(&config), ["ap", "us"]);
    let hosts = config.hosting.hosts(443, &config.regions).unwrap();
    let place = Place { region: Region::parse("ap").unwrap(), population: Population::Board };
    assert_eq!(hosts.host(&place), "asia-board.localhost");
}

#[test]
fn a_node_serves_the_regions_it_is_told_to() {
    let config = read("[node]\nregions = [\"eu\"]", &[]).unwrap();
    assert_eq!(served(&config), ["eu"]);

    let found = problems(
        "[regions.eu]\ngateway = \"https://eu.example.com\"\n[node]\nregions = [\"eu\"]",
        &[],
    );
    assert_eq!(
        found,
        [
            "node.regions (muster.toml:4): names eu, which has a gateway and no store (regions.eu.gateway)"
        ]
    );
}

#[test]
fn a_region_gets_no_file_of_its_own_beside_database_servers_of_several_nodes() {
    let toml = "[redis]\nurl = \"redis://redis/\"\n[registry]\nurl = \"postgres://db/registry\"\n[regions.us]\nstore = \"postgres://db/us\"\n";
    let problem = "regions.eu.store (default): is not given, and region us has a database server (regions.us.store): name the database of region eu, or the gateway that serves it (regions.eu.gateway), or the regions of this node without it (node.regions)";
    assert_eq!(problems(toml, &[]), [problem]);
    for said in [
        ("MUSTER__REGIONS__EU__STORE", "sqlite:eu.sqlite"),
        ("MUSTER__REGIONS__EU__GATEWAY", "https://eu.example.com"),
        ("MUSTER__NODE__REGIONS", "us"),
    ] {
        assert!(read(toml, &[said]).is_ok(), "{said:?}");
    }
    // A node that is alone.
    assert!(read(toml.trim_start_matches("[redis]\nurl = \"redis://redis/\"\n"), &[]).is_ok());
}

#[test]
fn two_regions_share_neither_a_database_nor_a_host() {
    let toml = r#"
[regions.us]
store = "postgres://db/one"
[regions.eu]
store = "postgres://db/one"
host_prefix = ""
"#;
    assert_eq!(
        problems(toml, &[]),
        [
            "regions.us.host_prefix (default): the host app.localhost is named twice",
            "regions.us.store (muster.toml:3): is the store of region eu too (muster.toml:5): each region has a database of its own",
        ]
    );
}

#[test]
fn the_name_of_a_region_fits_a_host_name() {
    let found = problems("[regions.\"EU-1\"]\nstore = \"postgres://db/eu\"\n", &[]);
    assert_eq!(
        found,
        [
            "regions.EU-1.store (muster.toml:2): \"EU-1\" is not the name of a region: a small letter, then at most seven small letters or digits"
        ]
    );
}

#[test]
fn a_region_has_further_stores_each_its_own() {
    let toml = r#"
[regions.us]
store = "postgres://db/us"
[regions.us.shards]
1 = "postgres://db/us1"
2b = "sqlite:us2.sqlite"
"#;
    let config = read(toml, &[("MUSTER__REGIONS__EU__SHARDS__1", "sqlite:eu1.sqlite")]).unwrap();
    let names = |name: &str| config.shards(&Region::parse(name).unwrap()).unwrap();
    assert_eq!((names("us"), names("eu")), (vec!["0", "1", "2b"], vec!["0", "1"]));
    let (_, url) = config.region(&Region::parse("us").unwrap()).unwrap().stores().nth(2).unwrap();
    assert_eq!(url.expose_secret(), "sqlite:us2.sqlite");
}

#[test]
fn every_problem_of_a_shard_names_its_key() {
    let toml = r#"
[regions.us]
store = "postgres://db/one"
shards.1 = "postgres://db/one"
shards.0 = "postgres://db/zero"
shards.2 = "mysql://db/two"
shards.B-2 = "postgres://db/three"
[regions.eu]
shards.1 = "postgres://db/one"
[regions.ap]
gateway = "https://ap.example.com"
shards.1 = "postgres://db/ap1"
"#;
    assert_eq!(
        problems(toml, &[]),
        [
            "regions.ap.shards.1 (muster.toml:12): is given, and so is regions.ap.gateway (muster.toml:11): a region has its stores here or a gateway elsewhere",
            "regions.us.shards.0 (muster.toml:5): shard 0 of a region is its store: name it with regions.us.store",
            "regions.us.shards.1 (muster.toml:4): is the store of shard 1 of region eu too (muster.toml:9): each region has a database of its own",
            "regions.us.shards.1 (muster.toml:4): is the store of region us too (muster.toml:3): each shard has a database of its own",
            "regions.us.shards.2 (muster.toml:6): must begin with sqlite: or postgres://",
            "regions.us.shards.B-2 (muster.toml:7): \"B-2\" is not the name of a shard: 1 to 16 small letters and digits",
            "regions.us.store (muster.toml:3): is the store of shard 1 of region eu too (muster.toml:9): each region has a database of its own",
        ]
    );
}
