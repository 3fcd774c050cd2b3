//! Where a value stands, and the refusal of it in words for the administrator.
//!
//! **Invariant**: a refusal never quotes the value.

use crate::error::{ErrorKind, ScimError};
use crate::schema::{Attribute, Kind};
use serde_json::Value;
use std::fmt;

/// Where a value stands; written out only when somebody has to read it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// What the caller calls the attribute.
    pub(super) path: &'a str,
    /// The part of it.
    pub(super) sub: Option<&'a str>,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        self.sub.map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// A value that the attribute cannot take.
pub(super) fn refusal(place: At<'_>, detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, detail).about(place.to_string())
}

/// A value of another type than the attribute's: says what came and what is due.
pub(super) fn wrong_type(attribute: &Attribute, place: At<'_>, value: &Value) -> ScimError {
    let came = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let due = match attribute.kind {
        Kind::String | Kind::Reference => "text",
        Kind::Boolean if value.is_string() => {
            let detail = format!(
                "{place} came as text that is neither true nor false; send one of the two."
            );
            return refusal(place, detail);
        }
        Kind::Boolean => "true or false",
        Kind::Decimal => "a number",
        Kind::Integer => "a whole number",
        Kind::DateTime => "a date and time as text",
        Kind::Binary => "base64 text",
        Kind::Complex => "an object",
    };
    refusal(place, format!("{place} came as {came}; {due} is due."))
}
