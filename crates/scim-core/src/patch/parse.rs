//! A PATCH body becomes operations.

use super::{At, Operation, PatchLimits, PatchRequest, Verb};
use crate::attributes::Attributes;
use crate::document::check::{shown, unknown};
use crate::error::{ErrorKind, ScimError};
use crate::filter::ValuePath;
use crate::message::check_schemas;
use crate::path::AttrPath;
use crate::quirk::{Notes, Quirk, Tolerance};
use serde_json::{Map, Value};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

pub(super) fn request(
    body: &Attributes,
    limits: &PatchLimits,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<PatchRequest, ScimError> {
    check_schemas(body.get("schemas"), PATCH_OP, tolerance, notes)?;
    let is_known =
        |name: &str| ["schemas", "Operations"].iter().any(|n| n.eq_ignore_ascii_case(name));
    for name in body.as_map().keys().filter(|name| !is_known(name)) {
        unknown(&shown(name), tolerance, notes)?;
    }
    let list = match body.get("Operations") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(single @ Value::Object(_)) => {
            tolerance.bend(Quirk::ListShape, notes, no_operations)?;
            std::slice::from_ref(single)
        }
        _ => return Err(no_operations()),
    };
    if list.len() > limits.operations {
        let detail =
            format!("too many operations: {} of at most {}", list.len(), limits.operations);
        return Err(ScimError::new(ErrorKind::InvalidValue, detail).about("Operations"));
    }
    // Microsoft's validator sends an empty list and wants it taken (idp-wire 2.5).
    if list.is_empty() {
        tolerance.bend(Quirk::EmptyOperations, notes, || {
            let detail = "\"Operations\" is empty; a PATCH needs one operation at least.";
            ScimError::new(ErrorKind::InvalidSyntax, detail).about("Operations")
        })?;
    }
    let operations = list
        .iter()
        .zip(1..)
        .map(|(value, number)| {
            operation(value, number, limits, tolerance, notes)
                .map_err(|error| error.in_operation(number))
        })
        .collect::<Result<_, _>>()?;
    Ok(PatchRequest { operations, limits: *limits })
}

fn no_operations() -> ScimError {
    ScimError::new(
        ErrorKind::InvalidSyntax,
        "A PATCH body needs \"Operations\", a list of operations (RFC 7644, 3.5.2).",
    )
    .about("Operations")
}

fn operation(
    value: &Value,
    number: usize,
    limits: &PatchLimits,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Operation, ScimError> {
    let Value::Object(map) = value else {
        return Err(ScimError::new(
            ErrorKind::InvalidSyntax,
            "it is not an object with \"op\", \"path\" and \"value\".",
        ));
    };
    let is_known =
        |name: &str| ["op", "path", "value"].iter().any(|n| n.eq_ignore_ascii_case(name));
    for name in map.keys().filter(|name| !is_known(name)) {
        unknown(&format!("Operations.{}", shown(name)), tolerance, notes)?;
    }
    let verb = verb(field(map, "op"), tolerance, notes)?;
    let path = match field(map, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            let path = text.trim();
            if path.is_empty() || path.len() < text.len() {
                tolerance.bend(Quirk::LoosePath, notes, || {
                    let detail = "its path is empty or has white space around it; send the path \
                                  alone, or leave it out.";
                    ScimError::new(ErrorKind::InvalidPath, detail)
                })?;
            }
            match path {
                "" => None,
                path => Some(ValuePath::parse(path, &limits.filter, tolerance, notes)?),
            }
        }
        Some(_) => {
            let detail = "its path is not text; send the path as text, such as \"name.givenName\".";
            return Err(ScimError::new(ErrorKind::InvalidPath, detail));
        }
    };
    let value = field(map, "value");
    let at = match (path, verb, value) {
        (None, Verb::Remove, _) => {
            // RFC 7644 §3.5.2.2: else one request would empty the resource.
            let detail = "remove needs a path that says what to remove.";
            return Err(ScimError::new(ErrorKind::NoTarget, detail));
        }
        (None, _, Some(Value::Object(parts))) => At::Resource(parts.clone()),
        (None, _, _) => {
            let detail = "without a path the value must be an object of attributes; add a path, \
                          or send {\"attribute\": value}.";
            return Err(ScimError::new(ErrorKind::InvalidValue, detail));
        }
        (Some(path), Verb::Remove, value) => At::Path(Box::new(path), value.cloned()),
        (Some(path), _, Some(value)) => At::Path(Box::new(path), Some(value.clone())),
        (Some(path), _, None) => {
            let detail = format!("{} has no value; send one, or use remove.", path.attr);
            return Err(
                ScimError::new(ErrorKind::InvalidValue, detail).about(path.attr.to_string())
            );
        }
    };
    Ok(Operation { number, verb, at })
}

fn verb(
    value: Option<&Value>,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Verb, ScimError> {
    let text = match value {
        Some(Value::String(text)) => text.as_str(),
        _ => {
            let detail = "it has no \"op\"; send add, replace or remove.";
            return Err(ScimError::new(ErrorKind::InvalidSyntax, detail).about("op"));
        }
    };
    let known = [("add", Verb::Add), ("replace", Verb::Replace), ("remove", Verb::Remove)];
    let found = known.into_iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(text));
    match found {
        Some((keyword, verb)) if keyword == text => Ok(verb),
        // Entra sends Add, Replace and Remove.
        Some((_, verb)) => tolerance.bend(Quirk::OpCase, notes, || no_such(text)).map(|()| verb),
        None => Err(no_such(text)),
    }
}

fn no_such(op: &str) -> ScimError {
    let detail = format!("op `{}` is not one of add, replace and remove.", shown(op));
    ScimError::new(ErrorKind::InvalidSyntax, detail).about("op")
}

/// A member of the operation object, in any case; no name is there twice (see [`Attributes`]).
fn field<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| {
        map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

pub(super) fn check_id(request: &PatchRequest, own_id: &str) -> Result<(), ScimError> {
    for operation in &request.operations {
        let conflicts = match &operation.at {
            At::Path(path, value) => {
                is_id(&path.attr) && value.as_ref().is_some_and(|value| differs(value, own_id))
            }
            At::Resource(parts) => parts.iter().any(|(key, value)| {
                AttrPath::parse(key).is_some_and(|path| is_id(&path)) && differs(value, own_id)
            }),
        };
        if conflicts && operation.verb != Verb::Remove {
            let detail = "id is given by this service and cannot be changed; leave it out.";
            return Err(ScimError::new(ErrorKind::Mutability, detail)
                .about("id")
                .in_operation(operation.number));
        }
    }
    Ok(())
}

pub(super) fn is_id(path: &AttrPath) -> bool {
    let is_core = path.urn.as_deref().is_none_or(|urn| {
        urn.get(..CORE.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORE))
    });
    is_core && path.sub.is_none() && path.name.eq_ignore_ascii_case("id")
}

fn differs(value: &Value, own_id: &str) -> bool {
    match value {
        Value::Null => false,
        Value::String(id) => !id.is_empty() && id != own_id,
        other => other.to_string().as_str() != own_id,
    }
}
