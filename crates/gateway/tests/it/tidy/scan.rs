//! Reading code and documents, roughly: enough for the names in them.

use std::collections::BTreeSet;

/// What stands before and after each occurrence of the word.
pub(super) fn splits<'a>(text: &'a str, word: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(word).filter_map(move |(at, found)| {
        let (before, rest) = text.split_at_checked(at)?;
        Some((before, rest.strip_prefix(found)?))
    })
}

/// The text up to the bracket that closes the one before it.
fn balanced(rest: &str) -> Option<&str> {
    let (mut depth, mut in_text, mut escaped) = (1_usize, false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return rest.get(..at);
        }
    }
    None
}

/// The arguments of a macro or attribute, split at the commas outside brackets and texts.
pub(super) fn top_level(arguments: &str) -> Vec<&str> {
    let (mut depth, mut in_text, mut escaped, mut start) = (0_i32, false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in arguments.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                parts.extend(arguments.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(arguments.get(start..));
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// What stands in the brackets of each `#[instrument(…)]`.
pub(super) fn instruments(text: &str) -> impl Iterator<Item = &str> {
    ["#[instrument(", "#[tracing::instrument("]
        .into_iter()
        .flat_map(|start| splits(text, start))
        .filter_map(|(_, rest)| balanced(rest))
}

/// The names of spans and fields that a file's attributes and macros use.
pub(super) fn logged_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for attribute in instruments(text) {
        for argument in top_level(attribute) {
            if let Some(name) = argument.strip_prefix("name = ") {
                names.extend(literal(name));
            }
            let inside = argument.strip_prefix("fields(").and_then(balanced);
            names.extend(inside.iter().flat_map(|i| top_level(i)).filter_map(field));
        }
    }
    for level in ["trace", "debug", "info", "warn", "error"] {
        for (_, rest) in macros(text, &format!("{level}_span!(")) {
            let arguments = top_level(rest);
            names.extend(arguments.iter().find_map(|a| literal(a)));
            names.extend(arguments.into_iter().filter_map(field));
        }
        for (_, rest) in macros(text, &format!("{level}!(")) {
            // Fields come before the message; what comes after it is formatted into the message.
            let fields = top_level(rest).into_iter().take_while(|a| !a.starts_with('"'));
            names.extend(fields.filter_map(field));
        }
    }
    for (_, rest) in splits(text, ".record(\"") {
        names.extend(rest.split_once('"').map(|(name, _)| name.to_owned()));
    }
    names
}

/// The calls of a macro by its exact name, and what stands in their brackets.
fn macros<'a>(text: &'a str, call: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    splits(text, call)
        .filter(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter_map(|(before, rest)| Some((before, balanced(rest)?)))
}

fn literal(argument: &str) -> Option<String> {
    Some(argument.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// The name in `name = value`, `%name`, `?name` or `name`; none in `target: "…"`, `parent: …` and texts.
fn field(argument: &str) -> Option<String> {
    if argument.starts_with('"') {
        return None;
    }
    let name = match argument.split_once(" = ") {
        Some((name, _)) => name.trim_matches('"'),
        None => argument.trim_start_matches(['%', '?']),
    };
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

/// Everything between a pair of backticks on one line.
pub(super) fn backticked(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_scan_for_logged_names_sees_what_it_should() {
    let text = r#"
        #[tracing::instrument(name = "a.b.c", skip_all, fields(tenant.id = %t, resource.id))]
        info!(request.id = %id, "a, message with = {} and {}", other, thing);
        warn!(%status, error = &*source as &dyn Error, "gone");
        let span = tracing::info_span!("d.e", route = tracing::field::Empty);
        span.record("outcome", "done");
    "#;

    let names: Vec<String> = logged_names(text).into_iter().collect();

    let expected = [
        "a.b.c",
        "d.e",
        "error",
        "outcome",
        "request.id",
        "resource.id",
        "route",
        "status",
        "tenant.id",
    ];
    assert_eq!(names, expected);
}
