//! The environment: `MUSTER__SECTION__KEY`.

use super::problem::{Problem, Source};
use super::values::{Entry, Raw, Values};

const PREFIX: &str = "MUSTER__";

/// The variables of this process. A name or value that is not Unicode keeps its place with U+FFFD in it, so that it is
/// reported as a bad value and not overlooked.
pub(super) fn of_process() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .collect()
}

/// Adds what the variables say, over what the file said.
pub(super) fn read(variables: &[(String, String)], values: &mut Values) {
    let mut ours: Vec<_> = variables.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    ours.sort();
    for (name, value) in ours {
        let key = name.trim_start_matches(PREFIX).replace("__", ".").to_ascii_lowercase();
        let source = Source::Variable(name.clone());
        if value.contains(char::REPLACEMENT_CHARACTER) {
            let text = "the value is not UTF-8".to_owned();
            values.add_problem(Problem { key: key.clone(), source: source.clone(), text });
        }
        // Composition tools pass every variable they know, empty when nobody set it.
        let raw = if value.is_empty() { Raw::Empty } else { Raw::Text(value.clone()) };
        values.add(key, Entry { raw, source });
    }
}
