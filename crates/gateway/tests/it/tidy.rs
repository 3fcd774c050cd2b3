//! What no linter knows: the size of files, the layering of crates, and that the papers agree with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::scan::{backticked, instruments, logged_names, splits, top_level};

mod layers;
mod scan;

/// Longest file, tests included.
const LINES_MAX: usize = 400;

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<String> = sources()
        .unwrap()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();

    assert!(long.is_empty(), "one idea each, at most {LINES_MAX} lines: {long:#?}");
}

#[test]
fn no_module_is_called_mod_rs() {
    let found: Vec<String> =
        sources().unwrap().into_keys().filter(|path| path.ends_with("/mod.rs")).collect();

    assert!(found.is_empty(), "`foo.rs` beside `foo/` instead: {found:#?}");
}

#[test]
fn every_todo_names_its_issue() {
    let mut found = Vec::new();
    for (path, text) in sources().unwrap() {
        for (number, line) in text.lines().enumerate() {
            // Put together here, so that this file does not find itself.
            for word in [concat!("TO", "DO"), concat!("FIX", "ME")] {
                for (_, rest) in splits(line, word) {
                    let issue = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
                    if issue.is_none_or(|(n, _)| n.is_empty() || n.parse::<u32>().is_err()) {
                        found.push(format!("{path}:{}: {}", number + 1, line.trim()));
                    }
                }
            }
        }
    }

    assert!(found.is_empty(), "write {}(#12), or do it: {found:#?}", concat!("TO", "DO"));
}

#[test]
fn every_instrumented_function_skips_its_arguments_and_names_its_span() {
    let mut found = Vec::new();
    for (path, text) in code().unwrap() {
        for attribute in instruments(&text) {
            let arguments = top_level(attribute);
            if !arguments.contains(&"skip_all") {
                found.push(format!("{path}: no skip_all in #[instrument({attribute})]"));
            }
            if !arguments.iter().any(|a| a.starts_with("name = \"")) {
                found.push(format!("{path}: no name in #[instrument({attribute})]"));
            }
        }
        for bare in ["#[instrument]", "#[tracing::instrument]"] {
            if splits(&text, bare).next().is_some() {
                found.push(format!("{path}: {bare} records every argument"));
            }
        }
    }

    assert!(found.is_empty(), "arguments are people's data: {found:#?}");
}

#[test]
fn every_span_and_field_name_is_documented() {
    let documented = backticked(&read("docs/logging.md").unwrap());

    let mut missing = BTreeMap::new();
    for (path, text) in code().unwrap() {
        for name in logged_names(&text) {
            if !documented.contains(&name) {
                missing.entry(name).or_insert_with(|| path.clone());
            }
        }
    }

    assert!(missing.is_empty(), "not in docs/logging.md: {missing:#?}");
}

#[test]
fn every_configuration_key_is_documented() {
    let documented = backticked(&read("docs/configuration.md").unwrap());

    let missing: Vec<_> =
        gateway::config::KEYS.iter().filter(|key| !documented.contains(**key)).collect();

    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:#?}");
}

#[test]
fn the_samples_set_only_keys_that_exist() {
    let known: BTreeSet<&str> = gateway::config::KEYS.iter().copied().collect();

    let mut set = Vec::new();
    let sample = read("deploy/muster.toml").unwrap();
    let mut section = "";
    for line in sample.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            set.push(format!("{section}.{key}").trim_start_matches('.').to_owned());
        }
    }
    for path in ["docker-compose.yml", "deploy/Dockerfile", "scripts/replay"] {
        for (_, rest) in splits(&read(path).unwrap(), "MUSTER__") {
            let end = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let name = rest.split(end).next().unwrap_or_default();
            set.push(name.replace("__", ".").to_lowercase());
        }
    }
    // A region's name is part of its keys; an empty name is the bare prefix.
    let general = |key: &str| match key.split('.').collect::<Vec<_>>()[..] {
        ["regions", _, field] => format!("regions.{{name}}.{field}"),
        _ => key.to_owned(),
    };
    let unknown: Vec<_> =
        set.iter().filter(|k| !k.is_empty() && !known.contains(general(k).as_str())).collect();

    assert!(set.len() > 10 && unknown.is_empty(), "no such key: {unknown:#?}");
}

#[test]
fn the_guides_name_only_reason_codes_that_exist() {
    let mut known = BTreeSet::new();
    for reason in provisioning::Reason::ALL {
        known.insert(reason.as_str());
    }

    let mut unknown = Vec::new();
    for (path, text) in papers().unwrap() {
        let mut in_table = false;
        for line in text.lines() {
            // A table whose first column is headed "reason" has a code in the first cell of each row.
            let first = line.strip_prefix('|').and_then(|l| l.split('|').next()).map(str::trim);
            match first {
                None => in_table = false,
                Some("reason") => in_table = true,
                Some(cell) if in_table => {
                    for code in backticked(cell) {
                        if !known.contains(code.as_str()) {
                            unknown.push(format!("{path}: {code}"));
                        }
                    }
                }
                Some(_) => {}
            }
        }
    }

    assert!(unknown.is_empty(), "no such reason: {unknown:#?}");
}

#[test]
fn every_refusal_is_explained_with_its_status() {
    let text = read("docs/idp/reasons.md").unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        if let (Some(code), Some(status)) = (cells.next(), cells.next()) {
            rows.insert(code.trim_matches('`'), status);
        }
    }

    let mut wrong = Vec::new();
    for reason in provisioning::Reason::ALL {
        let status = reason.status().to_string();
        if reason.status() >= 400 && rows.get(reason.as_str()) != Some(&status.as_str()) {
            wrong.push(format!("{} {status}", reason.as_str()));
        }
    }

    assert!(wrong.is_empty(), "not so in docs/idp/reasons.md: {wrong:#?}");
}

#[test]
fn scanners_for_secrets_have_one_expression_and_it_is_the_code_s() {
    let expression = tenant_registry::secret_pattern();
    let mut found = Vec::new();
    for (path, text) in papers().unwrap() {
        for (_, rest) in splits(&text, "[0-9A-Za-z]{16}_") {
            found.push((path.clone(), rest.starts_with("[0-9A-Za-z]{49}\\b")));
        }
    }

    assert_eq!(found, [("docs/admin.md".to_owned(), true)]);
    assert!(read("docs/admin.md").unwrap().contains(&format!("`{expression}`")));
}

#[test]
fn the_files_that_the_map_names_exist() {
    let mut missing = Vec::new();
    for name in backticked(&read("ARCHITECTURE.md").unwrap()) {
        let is_file = name.contains('/') && name.ends_with(".rs");
        if is_file && !root().join(&name).exists() && !root().join("crates").join(&name).exists() {
            missing.push(name);
        }
    }

    assert!(missing.is_empty(), "named in ARCHITECTURE.md: {missing:#?}");
}

#[test]
fn every_link_between_the_papers_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in papers().unwrap() {
        let folder = root().join(&path);
        let folder = folder.parent().unwrap();
        for (_, rest) in splits(&text, "](") {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://") || target.contains(':');
            if !elsewhere && !folder.join(target).exists() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }

    assert!(broken.is_empty(), "{broken:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(root().join(path))
        .map_err(|e| io::Error::new(e.kind(), format!("{path}: {e}")))
}

/// Every file below the folder with the ending, by its path from the root.
fn files(folder: &str, ending: &str) -> io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root().join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let name = path.to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                if !name.ends_with("/target") {
                    open.push(path);
                }
            } else if name.ends_with(ending) {
                found.insert(name.clone(), read(&name)?);
            }
        }
    }
    Ok(found)
}

/// All Rust files, tests included.
fn sources() -> io::Result<BTreeMap<String, String>> {
    let mut all = files("crates", ".rs")?;
    all.extend(files("migrations", ".rs")?);
    all.extend(files("bench", ".rs")?);
    all.extend(files("fleet", ".rs")?);
    Ok(all)
}

/// The Rust files that run in production, without their comments.
fn code() -> io::Result<BTreeMap<String, String>> {
    let without_comments = |text: String| -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.flat_map(|line| [line, "\n"]).collect()
    };
    let all = sources()?.into_iter().filter(|(path, _)| path.contains("/src/"));
    Ok(all.map(|(path, text)| (path, without_comments(text))).collect())
}

/// Every document: those at the root and those in `docs/`.
fn papers() -> io::Result<BTreeMap<String, String>> {
    let mut all = files("docs", ".md")?;
    for entry in fs::read_dir(root())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            all.insert(name.clone(), read(&name)?);
        }
    }
    Ok(all)
}
