//! The configuration: where values come from, and what is said about those that are wrong.

#![expect(clippy::unwrap_used, reason = "the functions that the tests share stop a wrong test")]

use gateway::Config;
use gateway::config::{FileText, Home, LogFormat, Problem, Source};
use region_router::Region;
use secrecy::ExposeSecret;
use std::time::Duration;

mod regions;

fn read(toml: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let file = FileText { name: "muster.toml".to_owned(), text: toml.to_owned() };
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::from_sources(Some(&file), &variables).map_err(|problems| problems.0)
}

/// The problems as lines, as they are printed.
fn problems(toml: &str, variables: &[(&str, &str)]) -> Vec<String> {
    read(toml, variables).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn store(config: &Config, region: &str) -> String {
    let settings = config.regions.iter().find(|r| r.region.as_str() == region).unwrap();
    match &settings.home {
        Home::Store(url) => url.expose_secret().to_owned(),
        Home::Gateway(url) => format!("gateway {url}"),
    }
}

fn served(config: &Config) -> Vec<&str> {
    config.serves.iter().map(Region::as_str).collect()
}

#[test]
fn with_nothing_written_it_runs() {
    let config = Config::defaults().unwrap();

    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.ops_listen.to_string(), "127.0.0.1:9090");
    assert_eq!(config.registry.url.expose_secret(), "sqlite:./data/registry.sqlite");
    assert_eq!(store(&config, "us"), "sqlite:./data/us.sqlite");
    assert_eq!(store(&config, "eu"), "sqlite:./data/eu.sqlite");
    assert_eq!(served(&config), ["eu", "us"]);
    assert!(config.redis_url.is_none());
    assert!(!config.otel.is_on);
    assert_eq!(config.retention.decisions, Duration::from_hours(24 * 30));
    let hosts = config.hosting.hosts(8080, &config.regions).unwrap();
    let urls: Vec<String> = hosts.all().iter().map(|place| hosts.base_url(place)).collect();
    assert_eq!(
        urls,
        [
            "http://eu-app.localhost:8080/scim/v2",
            "http://eu-board.localhost:8080/scim/v2",
            "http://app.localhost:8080/scim/v2",
            "http://board.localhost:8080/scim/v2",
        ]
    );
}

#[test]
fn the_environment_is_over_the_file_and_the_file_over_the_defaults() {
    let toml = "[server]\nworkers = 3\nlisten = \"127.0.0.1:1\"\n[log]\nformat = \"json\"\n";
    let config = read(toml, &[("MUSTER__SERVER__LISTEN", "127.0.0.1:2")]).unwrap();

    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.server.workers, 3);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.database.pool_max, 16);
}

#[test]
fn a_variable_set_to_nothing_counts_as_not_set() {
    let variables = [("MUSTER__SERVER__WORKERS", ""), ("MUSTER__REDIS__URL", "")];
    let config = read("[server]\nworkers = 3\n", &variables).unwrap();

    assert_eq!(config.server.workers, 3);
    assert!(config.redis_url.is_none());
}

#[test]
fn every_problem_is_reported_at_once_with_its_key_and_its_source() {
    let toml = r#"
colour = "red"

[server]
lisen = "127.0.0.1:8080"
workers = "many"
drain_delay = 5

[hosting]
public_scheme = "ftp"
public_port = 0

[regions.eu]
store = "mysql://user:hunter2@db/eu"
gateway = "https://eu.example.com"
"#;
    let variables = [
        ("MUSTER__OPS__LISTEN", "9090"),
        ("MUSTER__NODE__REGIONS", "us,uz"),
        ("MUSTER__LOG__LEVEL", "loud"),
        ("MUSTER__LIMITS__PAGE_MAX", "100"),
    ];

    let mut found = problems(toml, &variables);
    assert!(!found.join("\n").contains("hunter2"), "{found:#?}");
    found.sort();
    assert_eq!(
        found,
        [
            "colour (muster.toml:2): unknown key; docs/configuration.md lists all of them",
            "hosting.public_port (muster.toml:11): must be a port from 1 to 65535, and is \"0\"",
            "hosting.public_scheme (muster.toml:10): must be http or https, and is \"ftp\"",
            "limits.page_max (MUSTER__LIMITS__PAGE_MAX): page_default is 200 and page_max is 100: a page is at most page_max",
            "log.level (MUSTER__LOG__LEVEL): must be off, error, warn, info, debug or trace, or such levels by module as in info,directory=debug, and is \"loud\"",
            "node.regions (MUSTER__NODE__REGIONS): names \"uz\"; the regions are: eu, us",
            "ops.listen (MUSTER__OPS__LISTEN): must be an IP address and a port such as 127.0.0.1:8080 or [::]:8080, and is \"9090\"",
            "regions.eu.store (muster.toml:14): is given, and so is regions.eu.gateway (muster.toml:15): a region has a store here or a gateway elsewhere",
            "regions.eu.store (muster.toml:14): must begin with sqlite: or postgres://",
            "server.drain_delay (muster.toml:7): must be a number and a unit without a space, such as 500ms, 5s, 15m, 24h or 30d, and is \"5\"",
            "server.lisen (muster.toml:5): unknown key; did you mean server.listen?",
            "server.workers (muster.toml:6): must be a whole number from 0 to 1024, and is \"many\"",
        ]
    );
}

#[test]
fn text_that_is_not_toml_is_reported_with_its_line_beside_the_problems_of_the_environment() {
    let found = problems("[server]\nlisten = \n[ops\n", &[("MUSTER__SERVER__WORKERS", "x")]);

    assert!(found.len() >= 2, "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("muster.toml:2: not TOML: ")), "{found:#?}");
    let workers = "server.workers (MUSTER__SERVER__WORKERS): must be a whole number";
    assert!(found.iter().any(|line| line.starts_with(workers)), "{found:#?}");
}

#[test]
fn a_value_of_another_kind_is_named() {
    for (toml, expected) in [
        (
            "[hosting]\ndomain = 5",
            "hosting.domain (muster.toml:2): must be text in quotes, and is a number",
        ),
        (
            "[server]\nworkers = true",
            "server.workers (muster.toml:2): must be a whole number from 0 to 1024, and is true or false",
        ),
        (
            "[server]\nworkers = 1.5",
            "server.workers (muster.toml:2): must be a whole number from 0 to 1024, and is a number with a fraction",
        ),
        (
            "[server]\nworkers = -1",
            "server.workers (muster.toml:2): must be a whole number from 0 to 1024, and is \"-1\"",
        ),
        (
            "[node]\nregions = [1]",
            "node.regions (muster.toml:2): must be a list of words, and is a list of other things than text",
        ),
        ("data_dir = \"\"", "data_dir (muster.toml:1): is empty"),
    ] {
        assert_eq!(problems(toml, &[]), [expected]);
    }
}

#[test]
fn numbers_are_taken_from_the_file_as_toml_writes_them() {
    let config = read("[limits]\nbody_bytes = 2_000_000\npage_max = 0x200\n", &[]).unwrap();

    assert_eq!(config.limits.body_bytes, 2_000_000);
    assert_eq!(config.limits.page_max, 512);
}

#[test]
fn the_listeners_are_apart() {
    let found = problems("[ops]\nlisten = \"127.0.0.1:8080\"\n", &[]);
    assert_eq!(
        found,
        [
            "ops.listen (muster.toml:2): 127.0.0.1:8080 is the address of server.listen too: choose another port"
        ]
    );
    let both = [("MUSTER__OPS__LISTEN", "127.0.0.1:0"), ("MUSTER__SERVER__LISTEN", "127.0.0.1:0")];
    assert!(read("", &both).is_ok());
}

#[test]
fn a_secret_comes_from_its_key_or_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pepper");
    std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    let path = path.to_str().unwrap();

    let config = read("", &[("MUSTER__REGISTRY__PEPPER_FILE", path)]).unwrap();
    let pepper = config.registry.pepper.unwrap();
    assert_eq!(pepper.expose_secret(), "0123456789abcdef0123456789abcdef");

    let toml = format!("[registry]\npepper = \"p\"\npepper_file = {path:?}\n");
    let found = problems(&toml, &[]);
    assert!(
        found.contains(&"registry.pepper (muster.toml:2): is given, and so is registry.pepper_file (muster.toml:3): keep one".to_owned()),
        "{found:#?}"
    );

    let config = read(
        "[registry]\npepper = \"ffffffffffffffffffffffffffffffff\"\n",
        &[("MUSTER__REGISTRY__PEPPER_FILE", path)],
    );
    let pepper = config.unwrap().registry.pepper.unwrap();
    assert_eq!(
        pepper.expose_secret(),
        "0123456789abcdef0123456789abcdef",
        "the environment is over the file"
    );

    let found = problems("", &[("MUSTER__REDIS__URL_FILE", "/no/such/file")]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "redis.url_file (MUSTER__REDIS__URL_FILE): the file /no/such/file cannot be read: "
        ),
        "{found:#?}"
    );
}

#[test]
fn secrets_are_in_no_text_about_the_configuration() {
    let variables = [
        ("MUSTER__REGISTRY__PEPPER", "hunter2-hunter2-hunter2-hunter2-x"),
        ("MUSTER__REDIS__URL", "redis://:hunter2@redis/"),
        ("MUSTER__REGISTRY__URL", "postgres://muster:hunter2@db/registry"),
        ("MUSTER__REGIONS__EU__STORE", "postgres://muster:hunter2@db/eu"),
        ("MUSTER__REGIONS__US__STORE", "postgres://muster:hunter2@db/us"),
    ];
    let config = read("", &variables).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));

    let variables = [
        ("MUSTER__REGISTRY__PEPPER", "hunter2"),
        ("MUSTER__REDIS__URL", "http://:hunter2@redis/"),
        ("MUSTER__REGISTRY__URL", "mysql://muster:hunter2@db/registry"),
    ];
    let found = problems("", &variables).join("\n");
    assert_eq!(found.lines().count(), 3, "{found}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn the_variables_of_opentelemetry_are_checked_too() {
    let config = read(
        "",
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ],
    )
    .unwrap();
    assert!(config.otel.is_on);
    assert!((config.otel.sampled - 0.25).abs() < f64::EPSILON);
    assert_eq!(config.otel.service_name, "muster");

    let found = problems(
        "",
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "jaeger"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ],
    );
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn a_named_file_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent.toml");
    let found = Config::load(Some(&path)).unwrap_err().0;

    let source = Source::File { name: path.display().to_string(), line: None };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].source, source);
    assert!(found[0].text.starts_with("the configuration file cannot be read: "));
}
