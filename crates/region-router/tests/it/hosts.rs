use region_router::{Hosts, HostsError, Place, Population, Region};

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn place(name: &str, population: Population) -> Place {
    Place { region: region(name), population }
}

fn regions() -> Vec<(Region, String)> {
    vec![(region("us"), String::new()), (region("eu"), "eu-".to_owned())]
}

fn local() -> Hosts {
    Hosts::new("localhost", "http", Some(8080), regions()).unwrap()
}

#[test]
fn each_of_the_four_hosts_names_its_place() {
    let hosts = local();
    for (host, expected) in [
        ("app.localhost", place("us", Population::Platform)),
        ("board.localhost", place("us", Population::Board)),
        ("eu-app.localhost", place("eu", Population::Platform)),
        ("eu-board.localhost", place("eu", Population::Board)),
    ] {
        assert_eq!(hosts.place(host), Some(expected.clone()), "{host}");
        assert_eq!(hosts.host(&expected), host);
        assert_eq!(hosts.origin(&expected), format!("http://{host}:8080"));
        assert_eq!(hosts.base_url(&expected), format!("http://{host}:8080/scim/v2"));
    }
}

#[test]
fn case_port_and_the_final_dot_of_a_host_do_not_matter() {
    let hosts = local();
    let eu = Some(place("eu", Population::Platform));
    for spelling in [
        "EU-APP.LOCALHOST",
        "Eu-App.localhost:1",
        "eu-app.localhost:",
        "eu-app.localhost.",
        "eu-app.localhost.:65535",
    ] {
        assert_eq!(hosts.place(spelling), eu, "{spelling}");
    }
}

#[test]
fn every_other_host_names_no_place() {
    let hosts = local();
    for spelling in [
        "",
        ".",
        ":8080",
        "localhost",
        "app",
        "app.localhost..",
        "app.localhost.evil.example",
        "evil.app.localhost",
        "app.localhost:80a",
        "app.localhost:123456",
        "app.localhost:80:80",
        "user@app.localhost",
        " app.localhost",
        "app.localhost ",
        "app.localhost/scim",
        "app.localhost,board.localhost",
        "us-app.localhost",
        "eu_app.localhost",
        "eu-app.localhos\u{017f}",
        "admin.localhost",
        "[::1]",
        "[::1]:8080",
        "127.0.0.1",
    ] {
        assert_eq!(hosts.place(spelling), None, "{spelling}");
    }
}

#[test]
fn the_admin_host_is_told_apart() {
    let hosts = local();
    assert!(hosts.is_admin("ADMIN.localhost.:8080"));
    assert!(!hosts.is_admin("app.localhost"));
    assert!(!hosts.is_admin("eu-admin.localhost"));
    assert_eq!(hosts.admin_base_url(), "http://admin.localhost:8080");
}

#[test]
fn the_port_that_the_scheme_implies_is_not_printed() {
    let us = place("us", Population::Platform);
    for (scheme, port, expected) in [
        ("https", None, "https://app.example.com"),
        ("https", Some(443), "https://app.example.com"),
        ("https", Some(8443), "https://app.example.com:8443"),
        ("http", Some(80), "http://app.example.com"),
        ("http", Some(443), "http://app.example.com:443"),
    ] {
        let hosts = Hosts::new("Example.COM.", scheme, port, regions()).unwrap();
        assert_eq!(hosts.origin(&us), expected);
    }
}

#[test]
fn a_region_without_a_host_has_an_origin_that_no_request_can_name() {
    let hosts = local();
    assert!(!hosts.knows(&region("ap")));
    assert_eq!(hosts.host(&place("ap", Population::Board)), "");
}

#[test]
fn hosts_that_would_clash_or_are_no_names_are_refused() {
    let named = |regions| Hosts::new("localhost", "http", None, regions).map(|_| ());
    let two = |a: &str, b: &str| vec![(region("us"), a.to_owned()), (region("eu"), b.to_owned())];

    assert_eq!(named(two("", "")), Err(HostsError::Taken("app.localhost".to_owned())));
    assert_eq!(named(two("x-", "X-")), Err(HostsError::Taken("x-app.localhost".to_owned())));
    assert_eq!(named(vec![]), Err(HostsError::NoRegion));
    for prefix in ["-", "a.b", "eu_", "eu ", "é"] {
        let refused = HostsError::Prefix { region: region("eu"), prefix: prefix.to_owned() };
        assert_eq!(named(two("", prefix)), Err(refused), "{prefix:?}");
    }
    for domain in ["", ".", "a..b", "-a.example", "exa mple.com", "localhost:8080"] {
        assert!(
            matches!(Hosts::new(domain, "http", None, regions()), Err(HostsError::Domain(_))),
            "{domain:?}"
        );
    }
    assert_eq!(
        Hosts::new("localhost", "ftp", None, regions()).map(|_| ()),
        Err(HostsError::Scheme("ftp".to_owned()))
    );
    let same_region_twice = vec![(region("us"), String::new()), (region("us"), "us-".to_owned())];
    assert_eq!(named(same_region_twice), Err(HostsError::Taken("us-app.localhost".to_owned())));
}
