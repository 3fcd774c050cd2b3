use region_router::{Decision, Hosts, Node, Place, Population, Region, Why, decide};
use std::collections::{BTreeMap, BTreeSet};

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn places() -> Vec<Place> {
    let regions = vec![(region("us"), String::new()), (region("eu"), "eu-".to_owned())];
    Hosts::new("localhost", "http", None, regions).unwrap().all()
}

fn node(serves: &[&str], peers: &[&str]) -> Node {
    Node {
        serves: serves.iter().map(|name| region(name)).collect::<BTreeSet<_>>(),
        peers: peers
            .iter()
            .map(|name| (region(name), format!("http://{name}.gateway")))
            .collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn of_sixteen_combinations_only_the_four_that_agree_are_served() {
    let both = node(&["us", "eu"], &[]);
    let mut served = 0;
    for host in places() {
        for token in places() {
            let decision = decide(&both, &host, &token);
            if host == token {
                assert_eq!(decision, Decision::Here, "{host} with a token of {token}");
                served += 1;
            } else {
                let why = Why::WrongPlace { correct: token.clone() };
                assert_eq!(decision, Decision::Refuse(why), "{host} with a token of {token}");
            }
        }
    }
    assert_eq!((served, places().len()), (4, 4));
}

#[test]
fn the_token_is_judged_before_the_node() {
    // A node without the token's region still says where the token belongs, and never forwards a wrong pair.
    for lone in [node(&["us"], &[]), node(&["us"], &["eu"]), node(&[], &["us"]), node(&[], &[])] {
        for host in places() {
            for token in places().into_iter().filter(|token| *token != host) {
                let why = Why::WrongPlace { correct: token.clone() };
                assert_eq!(decide(&lone, &host, &token), Decision::Refuse(why));
            }
        }
    }
}

#[test]
fn a_region_is_served_here_before_it_is_asked_of_a_peer() {
    for population in Population::ALL {
        let eu = Place { region: region("eu"), population };
        let cases = [
            (node(&["eu"], &[]), Decision::Here),
            (node(&["eu"], &["eu"]), Decision::Here),
            (node(&["us"], &["eu"]), Decision::Peer(region("eu"))),
            (node(&["us"], &[]), Decision::Refuse(Why::NotHere(region("eu")))),
            (node(&[], &[]), Decision::Refuse(Why::NotHere(region("eu")))),
        ];
        for (node, expected) in cases {
            assert_eq!(decide(&node, &eu, &eu), expected, "{node:?}");
        }
    }
}
