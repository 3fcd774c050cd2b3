//! A JSON object whose names ignore case: the only holder of untyped values.
//!
//! **Invariant**: what was parsed is within [`JsonLimits`], has no name twice in any case, and holds no U+0000.

use crate::error::ScimError;
use serde_json::{Map, Value};

/// How much nesting and how many values one request may hold.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Objects and arrays inside each other, at most.
    pub depth: usize,
    /// Values in one array, at most.
    pub array_values: usize,
}

/// A JSON object whose names are compared in any case (RFC 7643 §2.1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    map: Map<String, Value>,
}

impl Attributes {
    /// The value under a name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).or_else(|| {
            self.map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    /// The names and values, as sent.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(map: Map<String, Value>) -> Self {
        Self { map }
    }
}

impl Attributes {
    /// Parses a request body.
    ///
    /// # Errors
    /// `invalidSyntax` when it is not a JSON object; `invalidValue` when it passes a limit or holds U+0000.
    pub fn parse(json: &[u8], limits: &JsonLimits) -> Result<Self, ScimError> {
        let _ = (json, limits);
        Err(ScimError::new(crate::ErrorKind::InvalidSyntax, "replaced by the real parser"))
    }
}
