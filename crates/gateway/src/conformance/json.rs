//! Reading JSON of which nothing is known. Names are compared without regard to case (RFC 7643 §2.1).

use serde_json::Value;

static NULL: Value = Value::Null;

/// The value at a path such as `/name/givenName` or `/emails/0/value`; null where there is none.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('/').filter(|step| !step.is_empty()).fold(value, |value, step| match value {
        Value::Object(members) => {
            let found = members.get(step).or_else(|| {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case(step)).map(|(_, v)| v)
            });
            found.unwrap_or(&NULL)
        }
        Value::Array(items) => {
            step.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(&NULL)
        }
        _ => &NULL,
    })
}

/// The text at a path; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// The items at a path.
pub(super) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// Whether nothing is there: absent, null or an empty list are the same (RFC 7643 §2.5).
pub(super) fn is_absent(value: &Value, path: &str) -> bool {
    match at(value, path) {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The item of a list whose sub-attribute has this text.
pub(super) fn item<'a>(value: &'a Value, path: &str, name: &str, wanted: &str) -> &'a Value {
    items(value, path)
        .iter()
        .find(|item| text(item, name).eq_ignore_ascii_case(wanted))
        .unwrap_or(&NULL)
}

/// Whether a list of texts has this one, in any case.
pub(super) fn lists(value: &Value, path: &str, wanted: &str) -> bool {
    items(value, path)
        .iter()
        .any(|item| item.as_str().is_some_and(|item| item.eq_ignore_ascii_case(wanted)))
}

/// Whether a text is an instant as RFC 7643 §2.3.5 wants it.
pub(super) fn is_instant(text: &str) -> bool {
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok()
        || time::OffsetDateTime::parse(
            text,
            &time::format_description::well_known::Iso8601::PARSING,
        )
        .is_ok()
}

/// Text as it stands in a query (RFC 3986 §2.1).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
