//! Reading what a call brings: the query's parameters and the fields of a body.
//!
//! **Invariant**: what is not known is refused, never passed over; a refusal names the parameter or the field.

use super::endpoint::{Endpoint, Form, Param};
use super::problem::{Code, FieldProblem, Problem};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A page when the caller does not say, and at most.
pub const PAGE: u32 = 50;
/// The largest page.
pub const PAGE_MAX: u32 = 200;

/// How many things a page has.
pub const LIMIT: Param =
    Param { name: "limit", about: "How many, at most.", form: Form::Number(1, PAGE_MAX) };
/// After which thing a page begins.
pub const AFTER: Param =
    Param { name: "after", about: "The `next_cursor` of the page before.", form: Form::Text };
/// Whether nothing is to be kept.
pub const DRY_RUN: Param = Param {
    name: "dry_run",
    about: "Answers as it would be done, and changes nothing. Secrets are null then.",
    form: Form::Bool,
};

/// The parameters of a query, each known to its endpoint and of its form.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query for an endpoint.
    ///
    /// # Errors
    /// 400 for a parameter that is unknown, given twice, or of another form.
    pub fn read(raw: &str, endpoint: &Endpoint) -> Result<Self, Problem> {
        let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(raw);
        let pairs = pairs
            .map_err(|_malformed| {
                Problem::new(
                    Code::QueryInvalid,
                    "The query is not of the form name=value&name=value.",
                )
            })?
            .into_inner();
        let dry_run = endpoint.method.is_mutating().then_some(DRY_RUN);
        let known = |name: &str| endpoint.query.iter().chain(&dry_run).find(|p| p.name == name);
        for (index, (name, value)) in pairs.iter().enumerate() {
            let wrong = |detail: String| Err(Problem::of_field(Code::QueryInvalid, name, detail));
            let Some(param) = known(name) else {
                let names: Vec<&str> =
                    endpoint.query.iter().chain(&dry_run).map(|param| param.name).collect();
                return wrong(if names.is_empty() {
                    "is no parameter here; there are none".to_owned()
                } else {
                    format!("is no parameter here; there are {}", names.join(", "))
                });
            };
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return wrong("is given twice".to_owned());
            }
            if let Some(expected) = misfit(param.form, value) {
                return wrong(format!("must be {expected}"));
            }
        }
        Ok(Self(pairs))
    }

    /// The text of a parameter.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the form of an instant.
    #[must_use]
    pub fn instant(&self, name: &str) -> Option<OffsetDateTime> {
        self.text(name).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok())
    }

    /// Whether a parameter is `true`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// How many things a page has.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.text(LIMIT.name).and_then(|text| text.parse().ok()).unwrap_or(PAGE)
    }

    /// After which thing the page begins.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.text(AFTER.name)
    }
}

/// What a value would have to be, when it is not.
fn misfit(form: Form, value: &str) -> Option<String> {
    match form {
        Form::Text => {
            let fits =
                (1..=256).contains(&value.chars().count()) && !value.chars().any(char::is_control);
            (!fits).then(|| "text of 1 to 256 characters without control characters".to_owned())
        }
        Form::Number(from, to) => {
            let is_plain = value.bytes().all(|b| b.is_ascii_digit());
            let fits = is_plain && value.parse().is_ok_and(|n: u32| (from..=to).contains(&n));
            (!fits).then(|| format!("a whole number from {from} to {to}"))
        }
        Form::Instant => OffsetDateTime::parse(value, &Rfc3339)
            .is_err()
            .then(|| "an instant of RFC 3339, such as 2026-11-22T10:00:00Z".to_owned()),
        Form::Bool => (!matches!(value, "true" | "false")).then(|| "true or false".to_owned()),
        Form::Word(words) => {
            (!words.contains(&value)).then(|| format!("one of {}", words.join(", ")))
        }
    }
}

/// What the parser says of a list that is longer than what is read of it.
const MORE: &str = "trailing characters";

/// Reads a body as a JSON object of a known form.
///
/// # Errors
/// 400 when it is no JSON object; 422 for a field that is unknown, missing, or of another type.
pub fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let is_object = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if !is_object {
        return Err(Problem::new(Code::BodyMalformed, "The body must be a JSON object."));
    }
    let malformed =
        |error| Problem::new(Code::BodyMalformed, format!("The body is not JSON: {error}."));
    // First whether it is JSON: of a list in the place of an object the parser says that there is more than JSON.
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    IgnoredAny::deserialize(&mut reader).map_err(malformed)?;
    reader.end().map_err(|_more| {
        Problem::new(Code::BodyMalformed, "There is more in the body than one JSON object.")
    })?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner();
        let said = inner.to_string();
        // A letter that is none is found in a text that is read.
        if !inner.is_data() && !said.starts_with(MORE) {
            return malformed(inner);
        }
        let detail = said.split(" at line ").next().unwrap_or_default().to_owned();
        let field = named(field, &detail);
        let detail = harmless(&detail);
        Problem {
            errors: vec![FieldProblem { field: field.clone(), detail: detail.clone() }],
            ..Problem::new(Code::FieldInvalid, format!("{field}: {detail}"))
        }
    })
}

/// The field: that of the path, and the one that the parser says is missing, unknown or given twice in it.
fn named(path: String, said: &str) -> String {
    let inner = ["missing field `", "unknown field `", "duplicate field `"]
        .into_iter()
        .find_map(|how| said.strip_prefix(how)?.split('`').next())
        .filter(|inner| path.rsplit('.').next() != Some(inner));
    match (path.as_str(), inner) {
        ("." | "?", Some(inner)) => inner.to_owned(),
        ("." | "?", None) => "body".to_owned(),
        (_, Some(inner)) => format!("{path}.{inner}"),
        (_, None) => path,
    }
}

/// Refuses null for fields that cannot be taken away: as a merge (RFC 7396) it would ask for just that.
///
/// # Errors
/// 422 naming the field.
pub fn refuse_null(bytes: &[u8], nullable: &[&str]) -> Result<(), Problem> {
    let fields: serde_json::Map<String, serde_json::Value> = body(bytes)?;
    let wrong = |(name, value): &(&String, &serde_json::Value)| {
        value.is_null() && !nullable.contains(&name.as_str())
    };
    match fields.iter().find(wrong) {
        Some((name, _)) => {
            Err(Problem::field(name, "cannot be null; leave it out to leave it as it is"))
        }
        None => Ok(()),
    }
}

/// What was sent is not sent back: the texts of the parser quote it.
fn harmless(said: &str) -> String {
    match said.split_once(": ") {
        Some(("invalid type", rest)) | Some(("invalid value", rest)) => {
            let expected = rest.rsplit_once("expected ").map(|(_, expected)| expected);
            let expected = match expected.unwrap_or("of another type") {
                "u64" | "u32" | "usize" => "a whole number, not below zero",
                "a boolean" => "true or false",
                "a string" => "text",
                other if other.starts_with("struct ") => "an object",
                other => other,
            };
            format!("must be {expected}")
        }
        // An array in the place of an object is taken for its fields in their order, as far as it goes.
        None if said.contains("expected struct ") || said == MORE => "must be an object".to_owned(),
        _ => said.to_owned(),
    }
}

/// A field that can be absent (leave it), null (take it away) or a value.
///
/// # Errors
/// Those of the value.
pub fn absent_or_null<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A name for people: 1 to 200 characters, none of them a control character.
///
/// # Errors
/// 422 naming the field.
pub fn name(field: &str, text: &str, most: usize) -> Result<String, Problem> {
    let name = text.trim();
    let fits = (1..=most).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        return Ok(name.to_owned());
    }
    Err(Problem::field(
        field,
        format!("must have 1 to {most} characters and no control characters"),
    ))
}

/// An instant as RFC 3339 has it, in UTC with whole seconds.
#[must_use]
pub fn instant(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_nanosecond(0).ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}
