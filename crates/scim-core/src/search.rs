//! What a query asks for, in the URL or in a `SearchRequest` (RFC 7644 §3.4.2 and §3.4.3, RFC 9865 §2 and §3).
//!
//! **Invariant**: both forms end in one value, so that a query has one meaning however it was sent.

use crate::attributes::Attributes;
use crate::error::{ErrorKind, ScimError};
use crate::message::check_schemas;
use crate::quirk::{Notes, Quirk, Tolerance};
use serde_json::Value;

const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters of a query, as texts of the form that they have in a URL. What they mean is read where they are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchRequest {
    /// Names between commas.
    pub attributes: Option<String>,
    /// Names between commas.
    pub excluded_attributes: Option<String>,
    /// The filter.
    pub filter: Option<String>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// The first result, counted from 1.
    pub start_index: Option<String>,
    /// How many results.
    pub count: Option<String>,
    /// The place to go on from; empty for the first page of cursor paging.
    pub cursor: Option<String>,
}

impl SearchRequest {
    /// Reads the body of `POST …/.search`. Members that it does not know are passed over, as unknown parameters of a
    /// URL are.
    ///
    /// # Errors
    /// `invalidSyntax` for another message, or the error that a parameter of this name has: `invalidFilter`,
    /// `invalidCursor`, `invalidValue`. A number that is none is found when the page is read.
    pub fn parse(
        body: &Attributes,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        check_schemas(body.get("schemas"), SEARCH_REQUEST, tolerance, notes)?;
        Ok(Self {
            attributes: names(body, "attributes", tolerance, notes)?,
            excluded_attributes: names(body, "excludedAttributes", tolerance, notes)?,
            filter: text(body, "filter", ErrorKind::InvalidFilter)?,
            sort_by: text(body, "sortBy", ErrorKind::InvalidValue)?,
            sort_order: text(body, "sortOrder", ErrorKind::InvalidValue)?,
            start_index: number(body, "startIndex"),
            count: number(body, "count"),
            cursor: text(body, "cursor", ErrorKind::InvalidCursor)?,
        })
    }
}

fn given<'a>(body: &'a Attributes, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn text(body: &Attributes, name: &str, kind: ErrorKind) -> Result<Option<String>, ScimError> {
    match given(body, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            Err(ScimError::new(kind, format!("{name} is no text; send it in quotes.")).about(name))
        }
    }
}

/// A number as a URL has it. A text stays in its quotes, so that it is found to be none.
fn number(body: &Attributes, name: &str) -> Option<String> {
    given(body, name).map(Value::to_string)
}

/// RFC 7644 §3.4.3: a list of names. One text of names between commas is what the URL has.
fn names(
    body: &Attributes,
    name: &str,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Option<String>, ScimError> {
    let refused = || {
        let detail = format!("{name} takes a list of names, as in \"{name}\": [\"userName\"].");
        ScimError::new(ErrorKind::InvalidValue, detail).about(name)
    };
    match given(body, name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            tolerance.bend(Quirk::ListShape, notes, refused)?;
            Ok(Some(text.clone()))
        }
        Some(Value::Array(list)) => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            Ok(Some(names.ok_or_else(refused)?.join(",")))
        }
        Some(_) => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::JsonLimits;
    use serde_json::json;

    fn parse(body: &Value, tolerance: &Tolerance) -> Result<(SearchRequest, Notes), ScimError> {
        let limits = JsonLimits { depth: 8, array_values: 10 };
        let body = Attributes::parse(body.to_string().as_bytes(), &limits).unwrap();
        let mut notes = Notes::default();
        SearchRequest::parse(&body, tolerance, &mut notes).map(|request| (request, notes))
    }

    #[test]
    fn every_member_is_read_as_its_parameter() {
        // The example of RFC 7644 §3.4.3, with the members that it leaves out.
        let body = json!({
            "schemas": [SEARCH_REQUEST],
            "attributes": ["displayName", "userName"],
            "EXCLUDEDATTRIBUTES": null,
            "filter": "displayName sw \"smith\"",
            "sortBy": "userName",
            "sortOrder": "descending",
            "startIndex": 1,
            "count": 10,
            "cursor": "",
            "other": { "is": "passed over" },
        });
        let (request, notes) = parse(&body, &Tolerance::default()).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let expected = SearchRequest {
            attributes: some("displayName,userName"),
            excluded_attributes: None,
            filter: some("displayName sw \"smith\""),
            sort_by: some("userName"),
            sort_order: some("descending"),
            start_index: some("1"),
            count: some("10"),
            cursor: some(""),
        };
        assert_eq!(request, expected);
        assert_eq!(notes.quirks().count(), 0);
    }

    #[test]
    fn a_member_of_another_type_is_refused_by_name() {
        for (name, kind) in [
            ("filter", ErrorKind::InvalidFilter),
            ("cursor", ErrorKind::InvalidCursor),
            ("sortBy", ErrorKind::InvalidValue),
            ("sortOrder", ErrorKind::InvalidValue),
            ("attributes", ErrorKind::InvalidValue),
        ] {
            let body = json!({ "schemas": [SEARCH_REQUEST], name: 7 });
            let error = parse(&body, &Tolerance::default()).unwrap_err();
            assert_eq!((error.kind(), error.attribute()), (kind, Some(name)));
        }
    }

    #[test]
    fn a_body_without_its_urn_is_a_quirk() {
        let (request, notes) = parse(&json!({ "count": "x" }), &Tolerance::default()).unwrap();
        assert_eq!(request.count.as_deref(), Some("\"x\""));
        assert_eq!(notes.quirks().collect::<Vec<_>>(), [Quirk::MissingSchemas]);
        let strict = Tolerance::all_but([Quirk::MissingSchemas]);
        assert_eq!(parse(&json!({}), &strict).unwrap_err().kind(), ErrorKind::InvalidSyntax);
    }
}
