//! The flat table of keys that the sections read from.
//!
//! **Invariant**: a key that nobody asked for is a problem, and so is a value that could not be read; reading goes on
//! with the default, so that one problem does not hide the next.

use super::edit_distance;
use super::problem::{Problem, Source};
use super::span;
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A value as it was written.
#[derive(Debug, Clone)]
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    Texts(Vec<String>),
    /// A variable that is set to nothing: as if it were not there.
    Empty,
    /// A kind of value that no key takes, in words.
    Other(&'static str),
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) raw: Raw,
    pub(super) source: Source,
}

/// All keys that were written, and the problems met so far.
#[derive(Debug, Default)]
pub(super) struct Values {
    entries: BTreeMap<String, Entry>,
    asked: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Values {
    /// Adds a value; the last source wins, but a variable set to nothing does not hide the file.
    pub(super) fn add(&mut self, key: String, entry: Entry) {
        if matches!(entry.raw, Raw::Empty) && self.entries.contains_key(&key) {
            return;
        }
        self.entries.insert(key, entry);
    }

    pub(super) fn add_problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Notes a problem with the value of a key.
    pub(super) fn problem(&mut self, key: &str, text: impl Into<String>) {
        let source = self.source(key);
        self.problems.push(Problem { key: key.to_owned(), source, text: text.into() });
    }

    /// Where the value of a key was written.
    pub(super) fn source(&self, key: &str) -> Source {
        self.entries.get(key).map_or(Source::Default, |entry| entry.source.clone())
    }

    /// Whether a key was given a value.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| !matches!(entry.raw, Raw::Empty))
    }

    /// The second parts of all keys of a section: the names of the regions.
    pub(super) fn names_in(&self, section: &str) -> BTreeSet<String> {
        self.entries
            .keys()
            .filter_map(|key| key.strip_prefix(section)?.strip_prefix('.')?.split_once('.'))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// The last parts of all keys right below a section: the names of a region's shards.
    pub(super) fn names_below(&self, section: &str) -> BTreeSet<String> {
        self.entries
            .keys()
            .filter_map(|key| key.strip_prefix(section)?.strip_prefix('.'))
            .filter(|name| !name.contains('.'))
            .map(str::to_owned)
            .collect()
    }

    /// Every key that a section asked for.
    #[cfg(test)]
    pub(super) fn asked(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(String::as_str)
    }

    fn raw(&mut self, key: &str) -> Option<Raw> {
        self.asked.insert(key.to_owned());
        self.entries.get(key).map(|entry| entry.raw.clone())
    }

    /// A key of free text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.raw(key)? {
            Raw::Text(text) if !text.trim().is_empty() => Some(text),
            Raw::Text(_) => {
                self.problem(key, "is empty");
                None
            }
            Raw::Empty => None,
            other => self.wrong_kind(key, &other, "text in quotes"),
        }
    }

    /// A key of text that may be empty when a file says so.
    pub(super) fn text_or_nothing(&mut self, key: &str) -> Option<String> {
        match self.raw(key)? {
            Raw::Text(text) => Some(text),
            Raw::Empty => None,
            other => self.wrong_kind(key, &other, "text in quotes"),
        }
    }

    /// A key whose text is parsed; `expected` completes the sentence "must be …".
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = match self.raw(key)? {
            Raw::Text(text) => text,
            Raw::Integer(number) => number.to_string(),
            Raw::Empty => return None,
            other => return self.wrong_kind(key, &other, expected),
        };
        let value = parse(text.trim());
        if value.is_none() {
            self.problem(key, format!("must be {expected}, and is {text:?}"));
        }
        value
    }

    pub(super) fn address(&mut self, key: &str, default: SocketAddr) -> SocketAddr {
        let expected = "an IP address and a port such as 127.0.0.1:8080 or [::]:8080";
        self.parsed(key, expected, |text| text.parse().ok()).unwrap_or(default)
    }

    /// A whole number within a range.
    pub(super) fn number<T: TryFrom<u64>>(
        &mut self,
        key: &str,
        default: T,
        range: RangeInclusive<u64>,
    ) -> T {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let parse = |text: &str| {
            let number: u64 = text.replace('_', "").parse().ok()?;
            range.contains(&number).then(|| T::try_from(number).ok())?
        };
        self.parsed(key, &expected, parse).unwrap_or(default)
    }

    /// A span of time within a range.
    pub(super) fn span(
        &mut self,
        key: &str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let value = self.parsed(key, span::SHAPE, span::parse_span).unwrap_or(default);
        if range.contains(&value) {
            return value;
        }
        let (start, end) = (span::write_span(*range.start()), span::write_span(*range.end()));
        self.problem(key, format!("must be from {start} to {end}"));
        default
    }

    /// A list of words; in a variable they are parted by commas.
    pub(super) fn words(&mut self, key: &str) -> Option<Vec<String>> {
        match self.raw(key)? {
            Raw::Texts(texts) => Some(texts),
            Raw::Text(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            Raw::Empty => None,
            other => self.wrong_kind(key, &other, "a list of words"),
        }
    }

    /// A secret: its text under the key, or the name of the file that holds it under `{key}_file`. The text is never
    /// in a problem.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let (given, from_file) = (self.is_given(key), self.is_given(&file_key));
        if given && from_file {
            let is_variable = |source| matches!(source, Source::Variable(_));
            let (text, file) = (self.source(key), self.source(&file_key));
            if is_variable(text) == is_variable(file) {
                let other = self.source(&file_key);
                self.problem(key, format!("is given, and so is {file_key} ({other}): keep one"));
            } else if matches!(self.source(&file_key), Source::Variable(_)) {
                // The environment is over the file, whichever of the two keys it uses.
                self.asked.insert(key.to_owned());
                return self.secret_file(&file_key);
            }
        }
        if !given && from_file {
            self.asked.insert(key.to_owned());
            return self.secret_file(&file_key);
        }
        self.asked.insert(file_key);
        self.text(key).map(SecretString::from)
    }

    fn secret_file(&mut self, key: &str) -> Option<SecretString> {
        let path = self.text(key)?;
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => {
                self.problem(key, format!("the file {path} is empty"));
                None
            }
            Ok(text) => Some(SecretString::from(text.trim().to_owned())),
            Err(error) => {
                self.problem(key, format!("the file {path} cannot be read: {error}"));
                None
            }
        }
    }

    fn wrong_kind<T>(&mut self, key: &str, raw: &Raw, expected: &str) -> Option<T> {
        let given = match raw {
            Raw::Text(_) => "text",
            Raw::Integer(_) => "a number",
            Raw::Texts(_) => "a list",
            Raw::Empty => "nothing",
            Raw::Other(kind) => kind,
        };
        self.problem(key, format!("must be {expected}, and is {given}"));
        None
    }

    /// All problems, with the keys that nobody asked for; those of one key together.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        let known = &self.asked;
        for (key, entry) in &self.entries {
            if known.contains(key) {
                continue;
            }
            let nearest = edit_distance::nearest(key, known.iter().map(String::as_str));
            let text = match nearest {
                Some(nearest) => format!("unknown key; did you mean {nearest}?"),
                None => "unknown key; docs/configuration.md lists all of them".to_owned(),
            };
            self.problems.push(Problem { key: key.clone(), source: entry.source.clone(), text });
        }
        self.problems.sort_by(|a, b| a.key.cmp(&b.key));
        self.problems
    }
}
