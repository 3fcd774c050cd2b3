//! Every statement names its tenant: read in the source, since a statement that leaves it out works as well.

use std::fs;
use std::path::{Path, PathBuf};

/// The tables that hold tenants' rows.
const TABLES: [&str; 12] = [
    "users",
    "groups",
    "members",
    "user_emails",
    "tallies",
    "tenants",
    "changes",
    "outbox",
    "decisions",
    "tombstones",
    "quirk_counts",
    "idempotency",
];

/// What a table follows in a statement that reads or writes it.
const VERBS: [&str; 5] = ["FROM ", "JOIN ", "INTO ", "UPDATE ", "ONLY "];

/// Texts that may go without.
const WITHOUT: [&str; 2] = [
    // Which tenants there are is asked by the purge, which then takes one at a time.
    "SELECT tenant_id FROM tenants WHERE state = 'active' OR state LIKE 'frozen:%' ORDER BY tenant_id",
    // A step of the same script, by its name.
    "EXISTS (SELECT 1 FROM {name})",
];

/// The values of a text's string literals, with the line where each begins.
fn literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = source.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        match c {
            '\n' => line += 1,
            '/' if rest.peek() == Some(&'/') => {
                while rest.peek().is_some_and(|c| *c != '\n') {
                    rest.next();
                }
            }
            // A character literal that is a quote.
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            '"' => {
                let (start, mut text) = (line, String::new());
                while let Some(c) = rest.next() {
                    match c {
                        '"' => break,
                        '\\' => text.extend(rest.next()),
                        '\n' => {
                            line += 1;
                            text.push(' ');
                        }
                        c => text.push(c),
                    }
                }
                // A raw text's hashes would end the scan too early; there are none in this crate.
                assert_ne!(before, '#', "line {start}: raw texts are not read");
                found.push((start, text.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
            _ => {}
        }
        before = c;
    }
    found
}

/// Whether a text reads or writes a table of tenants.
fn touches(text: &str) -> bool {
    VERBS.iter().any(|verb| {
        text.match_indices(verb).any(|(at, _)| {
            let after = &text[at + verb.len()..];
            let name: String =
                after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            TABLES.contains(&name.as_str())
                || after.starts_with("{name}")
                || after.starts_with("{table}")
        })
    })
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_statement_about_a_tenants_rows_names_the_tenant() {
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in files {
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        for (line, text) in literals(code) {
            if !touches(&text) || WITHOUT.contains(&text.as_str()) {
                continue;
            }
            seen += 1;
            // An INSERT gives it as its first column, everything else compares it with the first place.
            let named = text.contains("tenant_id = $1")
                || text.contains("(tenant_id,")
                || text.contains("{COLUMNS}")
                || text.contains("tenant_id = {")
                || text.contains("WHERE {condition}");
            if !named {
                wrong.push(format!("{}:{line}: {text}", path.display()));
            }
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 30, "only {seen} statements were found: the scan is broken");
}

#[test]
fn the_scan_finds_a_statement_without_a_tenant() {
    let source = "let a = 'x'; // \"FROM users\"\nlet sql = format!(\n    \"SELECT doc FROM users WHERE id = $1\",\n);";

    assert_eq!(literals(source), [(3, "SELECT doc FROM users WHERE id = $1".to_owned())]);
    assert!(touches("SELECT doc FROM users WHERE id = $1"));
    assert!(!touches("SELECT region FROM directory_store"));
}
