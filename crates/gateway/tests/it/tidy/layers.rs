//! What each crate may use, and what it must never name.

use super::scan::splits;
use super::{code, read, root};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};

/// The crates that think, and all that they may depend on: no I/O, no async, no clock, no randomness.
const PURE: &[(&str, &[&str])] = &[
    (
        "scim-core",
        &[
            "caseless",
            "precis-core",
            "precis-profiles",
            "serde",
            "serde_json",
            "thiserror",
            "time",
            "unicode-normalization",
            "winnow",
        ],
    ),
    ("provisioning", &["scim-core", "serde_json", "thiserror"]),
];

/// Each crate, the crates of this workspace that it may use, and what it must never name, not even in tests.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("scim-core", &[], &[]),
    ("region-router", &[], &[]),
    ("provisioning", &["scim-core"], &[]),
    ("migrations", &[], &["actix-web", "reqwest", "redis"]),
    (
        "tenant-registry",
        &["scim-core", "region-router", "provisioning", "migrations"],
        &["actix-web", "reqwest", "axum", "hyper"],
    ),
    (
        "directory",
        &["scim-core", "region-router", "provisioning", "tenant-registry", "migrations"],
        &["actix-web", "reqwest", "redis", "axum", "hyper"],
    ),
    (
        "gateway",
        &[
            "scim-core",
            "region-router",
            "provisioning",
            "tenant-registry",
            "directory",
            "migrations",
        ],
        &["sea-orm", "sea-orm-migration", "sqlx"],
    ),
    // Measures from outside: see docs/decisions/0009.
    ("bench", &[], &["sea-orm", "sea-orm-migration", "reqwest", "redis"]),
    // Judges from outside, by answers and rows that others have read for it.
    ("fleet", &[], &["sea-orm", "sea-orm-migration", "sqlx", "reqwest", "redis", "actix-web"]),
];

#[test]
fn the_crates_that_think_depend_on_values_only() {
    let packages = packages().unwrap();

    let mut found = Vec::new();
    for (name, allowed) in PURE {
        let package = &packages[*name];
        for dependency in package.dependencies.iter() {
            let real = dependency.kind != DependencyKind::Development;
            if real && !allowed.contains(&dependency.name.as_str()) {
                found.push(format!("{name} → {}", dependency.name));
            }
        }
    }

    assert!(found.is_empty(), "no I/O, async, clock or randomness in these crates: {found:#?}");
}

#[test]
fn the_router_reaches_out_in_its_peer_module_alone() {
    let mut found = Vec::new();
    for (path, text) in code().unwrap() {
        let is_pure = path.starts_with("crates/region-router/src/")
            && !path.starts_with("crates/region-router/src/peer");
        for name in ["hyper", "tokio", "rustls", "jsonwebtoken", "rand::", "Instant::now"] {
            if is_pure && splits(&text, name).next().is_some() {
                found.push(format!("{path}: {name}"));
            }
        }
    }

    assert!(found.is_empty(), "where a request goes is decided without I/O: {found:#?}");
}

#[test]
fn no_crate_reaches_past_its_layer() {
    let packages = packages().unwrap();
    let layered: BTreeSet<&str> = LAYERS.iter().map(|(name, _, _)| *name).collect();
    let present: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(present, layered, "a new crate needs a decision record and a line in LAYERS");

    let mut found = Vec::new();
    for (name, ours, never) in LAYERS {
        for dependency in packages[*name].dependencies.iter() {
            let to = dependency.name.as_str();
            let upwards = layered.contains(to) && !ours.contains(&to);
            if upwards || never.contains(&to) {
                found.push(format!("{name} → {to}"));
            }
        }
    }

    assert!(found.is_empty(), "see the table of crates in docs/style.md: {found:#?}");
}

#[test]
fn a_crates_own_clippy_file_repeats_the_bans_of_the_root() {
    // clippy reads the nearest clippy.toml only.
    let banned = banned_methods(&read("clippy.toml").unwrap());
    assert!(!banned.is_empty());

    let mut missing = Vec::new();
    for (name, _, _) in LAYERS {
        let Ok(text) = read(&format!("crates/{name}/clippy.toml")) else { continue };
        let repeated = banned_methods(&text);
        missing.extend(banned.difference(&repeated).map(|path| format!("{name}: {path}")));
    }

    assert!(missing.is_empty(), "{missing:#?}");
}

fn packages() -> Result<BTreeMap<String, Package>, cargo_metadata::Error> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()?;
    Ok(metadata.packages.into_iter().map(|p| (p.name.to_string(), p)).collect())
}

fn banned_methods(text: &str) -> BTreeSet<String> {
    splits(text, "path = \"")
        .filter_map(|(_, rest)| rest.split_once('"'))
        .map(|(path, _)| path.to_owned())
        .collect()
}
