//! A declaration in JSON becomes a [`Custom`].

use super::{Custom, CustomAttribute};
use crate::attributes::{Attributes, JsonLimits};
use crate::document::check::shown;
use crate::error::{ErrorKind, ScimError};
use crate::path::is_name;
use crate::schema::builtin::ENTERPRISE_USER;
use crate::schema::{Kind, Mutability, Returned, Schemas};
use serde_json::{Map, Value};

/// The longest name, in bytes.
pub(super) const NAME_BYTES: usize = 64;
const ATTRIBUTES: usize = 100;
const DESCRIPTION_BYTES: usize = 1024;
const CANONICAL_VALUES: usize = 200;
const CANONICAL_BYTES: usize = 256;

pub(super) fn custom(json: &str) -> Result<Custom, ScimError> {
    let limits = JsonLimits { depth: 8, array_values: ATTRIBUTES.max(CANONICAL_VALUES) };
    let body = Attributes::parse(json.as_bytes(), &limits)?;
    known(body.as_map(), &["id", "attributes"], "a declaration")?;
    let urn = match body.get("id") {
        Some(Value::String(urn)) => urn_of(urn)?,
        _ => return Err(wrong("id", "must be the URN of the extension as text")),
    };
    let Some(Value::Array(declared)) = body.get("attributes") else {
        return Err(wrong("attributes", "must be a list of attributes"));
    };
    if declared.len() > ATTRIBUTES {
        return Err(wrong("attributes", &format!("may hold {ATTRIBUTES} attributes at most")));
    }
    let mut attributes: Vec<CustomAttribute> = Vec::with_capacity(declared.len());
    for value in declared {
        let Value::Object(map) = value else {
            return Err(wrong("attributes", "must be a list of objects with name and type"));
        };
        let attribute = attribute(&Attributes::from(map.clone()))?;
        let clashes = |other: &str| other.eq_ignore_ascii_case(&attribute.name);
        if attributes.iter().any(|other| clashes(&other.name)) {
            return Err(wrong(&attribute.name, "is declared twice, in one case or two"));
        }
        let builtin = Schemas::builtin();
        let of_rfc = builtin.user.extension(&urn).into_iter().flat_map(|of| &of.attributes);
        if of_rfc.map(|a| &a.name).any(|name| clashes(name)) {
            return Err(wrong(&attribute.name, "is an attribute of that schema already"));
        }
        attributes.push(attribute);
    }
    Ok(Custom { urn, attributes })
}

/// The own URN has a slug where the enterprise extension has its name.
fn urn_of(urn: &str) -> Result<String, ScimError> {
    if urn.eq_ignore_ascii_case(ENTERPRISE_USER) {
        return Ok(ENTERPRISE_USER.to_owned());
    }
    let slug = urn
        .strip_prefix("urn:ietf:params:scim:schemas:extension:")
        .and_then(|rest| rest.strip_suffix(":2.0:User"))
        .filter(|slug| (1..=NAME_BYTES).contains(&slug.len()))
        .filter(|slug| {
            slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
    match slug {
        Some(slug) if slug != "enterprise" => Ok(urn.to_owned()),
        _ => {
            let rule = format!(
                "must be {} with the tenant's slug, or {ENTERPRISE_USER}",
                Custom::own_urn("SLUG")
            );
            Err(wrong("id", &rule))
        }
    }
}

fn attribute(sent: &Attributes) -> Result<CustomAttribute, ScimError> {
    let Some(name) = sent.get("name").and_then(Value::as_str) else {
        return Err(wrong("attributes", "has one without a name as text"));
    };
    // `$ref` alone may begin otherwise than with a letter, and it is the service's (RFC 7643 §2.4).
    if !is_name(name) || name.starts_with('$') || name.len() > NAME_BYTES {
        let rule = format!(
            "is not a name: a letter, then letters, digits, - and _, {NAME_BYTES} at most \
             (RFC 7643, 2.1)"
        );
        return Err(wrong(&shown(name), &rule));
    }
    let words = [
        "name",
        "type",
        "multiValued",
        "description",
        "required",
        "caseExact",
        "mutability",
        "returned",
        "canonicalValues",
        "uniqueness",
        "referenceTypes",
    ];
    known(sent.as_map(), &words, name)?;
    let default = CustomAttribute::new(name, kind(name, sent)?);
    let truth = |word: &str, default: bool| match sent.get(word) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(_) => Err(wrong(name, &format!("has a {word} that is neither true nor false"))),
    };
    let mutability = mutability(name, sent)?;
    let found = CustomAttribute {
        multi_valued: truth("multiValued", default.multi_valued)?,
        description: description(name, sent)?,
        required: truth("required", default.required)?,
        case_exact: truth("caseExact", default.case_exact)?,
        mutability,
        returned: returned(name, sent, mutability)?,
        canonical_values: canonical_values(name, sent)?,
        ..default
    };
    if text(sent, "uniqueness").is_some_and(|word| word != "none") {
        return Err(wrong(name, "has a uniqueness other than none, which is not offered"));
    }
    if !found.canonical_values.is_empty() && found.kind != Kind::String {
        return Err(wrong(name, "has canonicalValues, which only strings have"));
    }
    Ok(found)
}

/// The types of RFC 7643 §2.3 but complex, and the words that people use for some of them.
fn kind(name: &str, sent: &Attributes) -> Result<Kind, ScimError> {
    match text(sent, "type") {
        None | Some("string" | "text") => Ok(Kind::String),
        Some("boolean") => Ok(Kind::Boolean),
        Some("decimal") => Ok(Kind::Decimal),
        Some("integer") => Ok(Kind::Integer),
        Some("dateTime" | "date") => Ok(Kind::DateTime),
        Some("binary") => Ok(Kind::Binary),
        Some("reference") => Ok(Kind::Reference),
        Some(_) => Err(wrong(
            name,
            "has a type that is none of string, boolean, decimal, integer, dateTime, binary and \
             reference",
        )),
    }
}

fn mutability(name: &str, sent: &Attributes) -> Result<Mutability, ScimError> {
    match text(sent, "mutability") {
        None | Some("readWrite") => Ok(Mutability::ReadWrite),
        Some("immutable") => Ok(Mutability::Immutable),
        Some("writeOnly") => Ok(Mutability::WriteOnly),
        Some(_) => {
            Err(wrong(name, "has a mutability that is none of readWrite, immutable and writeOnly"))
        }
    }
}

/// RFC 7643 §7: what is writeOnly is returned never.
fn returned(name: &str, sent: &Attributes, mutability: Mutability) -> Result<Returned, ScimError> {
    let returned = match text(sent, "returned") {
        None if mutability == Mutability::WriteOnly => Returned::Never,
        None | Some("default") => Returned::Default,
        Some("always") => Returned::Always,
        Some("request") => Returned::Request,
        Some("never") => Returned::Never,
        Some(_) => {
            return Err(wrong(
                name,
                "has a returned that is none of always, default, request and never",
            ));
        }
    };
    if mutability == Mutability::WriteOnly && returned != Returned::Never {
        return Err(wrong(name, "is writeOnly, so it is returned never"));
    }
    Ok(returned)
}

fn description(name: &str, sent: &Attributes) -> Result<String, ScimError> {
    let text = match sent.get("description") {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::String(text)) if text.len() <= DESCRIPTION_BYTES => text,
        Some(_) => {
            let rule =
                format!("has a description that is not text of {DESCRIPTION_BYTES} bytes at most");
            return Err(wrong(name, &rule));
        }
    };
    Ok(text.clone())
}

fn canonical_values(name: &str, sent: &Attributes) -> Result<Vec<String>, ScimError> {
    let refusal = || {
        let rule = format!(
            "has canonicalValues that are not {CANONICAL_VALUES} different texts of \
             {CANONICAL_BYTES} bytes at most"
        );
        wrong(name, &rule)
    };
    let values = match sent.get("canonicalValues") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() <= CANONICAL_VALUES => values,
        Some(_) => return Err(refusal()),
    };
    let mut texts: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::String(text)
                if (1..=CANONICAL_BYTES).contains(&text.len()) && !texts.contains(text) =>
            {
                texts.push(text.clone());
            }
            _ => return Err(refusal()),
        }
    }
    Ok(texts)
}

/// The text under a word; anything but text is taken for a word that nobody knows.
fn text<'a>(sent: &'a Attributes, word: &str) -> Option<&'a str> {
    match sent.get(word) {
        None | Some(Value::Null) => None,
        Some(value) => Some(value.as_str().unwrap_or_default()),
    }
}

/// A misspelt word would otherwise be a default without anybody knowing.
fn known(map: &Map<String, Value>, words: &[&str], of: &str) -> Result<(), ScimError> {
    let stray = map.keys().find(|key| !words.iter().any(|word| word.eq_ignore_ascii_case(key)));
    match stray {
        Some(stray) => Err(wrong(of, &format!("has no {}", shown(stray)))),
        None => Ok(()),
    }
}

fn wrong(about: &str, rule: &str) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, format!("{about} {rule}.")).about(about)
}
