//! What the messages of RFC 7644 have in common: the URN that says which one it is.

use crate::error::{ErrorKind, ScimError};
use crate::quirk::{Notes, Quirk, Tolerance};
use serde_json::Value;

/// Checks that a body's `schemas` names its message, as far as the tenant insists on it.
///
/// # Errors
/// `invalidSyntax`.
pub(crate) fn check_schemas(
    schemas: Option<&Value>,
    urn: &str,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let is_named = |value: &Value| value.as_str().is_some_and(|v| v.eq_ignore_ascii_case(urn));
    let quirk = match schemas {
        Some(Value::Array(urns)) if urns.iter().any(is_named) => {
            if urns.iter().all(is_named) {
                return Ok(());
            }
            Quirk::UnknownSchemaUri
        }
        Some(single) if is_named(single) => Quirk::ListShape,
        None | Some(Value::Null) => Quirk::MissingSchemas,
        Some(Value::Array(urns)) if urns.is_empty() => Quirk::MissingSchemas,
        Some(_) => Quirk::UnknownSchemaUri,
    };
    tolerance.bend(quirk, notes, || {
        let detail = format!("This body has \"schemas\": [\"{urn}\"].");
        ScimError::new(ErrorKind::InvalidSyntax, detail).about("schemas")
    })
}
