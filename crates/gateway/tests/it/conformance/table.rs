//! That `docs/conformance.md` names only checks and tests that exist, and every check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A row of the table of requirements: section, level, requirement, what shows it.
struct Row {
    section: String,
    level: String,
    shown_by: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let mut rows = Vec::new();
    let mut within = false;
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells.as_slice() {
            ["", "section", "level", "requirement", "shown by", ""] => within = true,
            ["", section, level, _, shown_by, ""] if within && !section.starts_with("---") => {
                let [section, level, shown_by] =
                    [section, level, shown_by].map(|s| (*s).to_owned());
                rows.push(Row { section, level, shown_by });
            }
            [""] | [_] => within = false,
            _ => assert!(!within || line.starts_with("| ---"), "not four cells: {line}"),
        }
    }
    rows
}

fn named(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a path such as `gateway::errors::a_fact` or `scim_core::patch::x` is a function of a test.
fn is_test(path: &str) -> bool {
    let mut steps: Vec<&str> = path.split("::").collect();
    let (Some(function), Some(package)) = (steps.pop(), steps.first().copied()) else {
        return false;
    };
    let package = package.replace('_', "-");
    let needle = format!("fn {function}(");
    let modules: Vec<&str> = steps.iter().skip(1).copied().collect();
    ["tests/it", "src"].iter().any(|folder| {
        let mut place = root().join("crates").join(&package).join(folder);
        place.extend(&modules);
        let file = place.with_extension("rs");
        let inside = place.join("tests.rs");
        [file, inside]
            .iter()
            .any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(&needle)))
    })
}

#[test]
fn the_table_names_only_what_exists() {
    let checks: BTreeSet<&str> = gateway::conformance::catalogue().map(|(id, ..)| id).collect();

    let mut wrong = Vec::new();
    for row in rows() {
        let begins = ["7643 §", "7644 §", "9865 §"].iter().any(|rfc| row.section.starts_with(rfc));
        if !begins || !["MUST", "MUST NOT", "SHOULD", "SHOULD NOT"].contains(&row.level.as_str()) {
            wrong.push(format!("{} {}: not a section or a level", row.section, row.level));
        }
        let names = named(&row.shown_by);
        if names.is_empty() && !row.shown_by.starts_with("not tested: ") {
            wrong.push(format!("{} {}: neither a test nor a reason", row.section, row.level));
        }
        for name in names {
            if !checks.contains(name) && !is_test(name) {
                wrong.push(format!("{}: no check and no test is called {name}", row.section));
            }
        }
    }

    assert!(wrong.is_empty(), "docs/conformance.md: {wrong:#?}");
}

#[test]
fn every_check_is_in_the_table() {
    let rows = rows();
    let shown: BTreeSet<&str> = rows.iter().flat_map(|row| named(&row.shown_by)).collect();

    let missing: Vec<&str> = gateway::conformance::catalogue()
        .map(|(id, ..)| id)
        .filter(|id| !shown.contains(id))
        .collect();

    assert!(rows.len() >= 150, "the table has {} rows", rows.len());
    assert!(missing.is_empty(), "not in docs/conformance.md: {missing:#?}");
}
