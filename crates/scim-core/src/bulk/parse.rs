//! A bulk body becomes operations.

use super::reference::{name_in, survey_all};
use super::{BulkLimits, BulkOperation, BulkRequest, Endpoint, Method, Named, Task};
use crate::attributes::Attributes;
use crate::document::check::shown;
use crate::error::{ErrorKind, ScimError};
use crate::message::check_schemas;
use crate::quirk::{Notes, Quirk, Tolerance};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap, HashSet};

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

pub(super) fn request(
    body: &Attributes,
    limits: &BulkLimits,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<BulkRequest, ScimError> {
    check_schemas(body.get("schemas"), BULK_REQUEST, tolerance, notes)?;
    let fail_on_errors = fail_on_errors(body.get("failOnErrors"))?;
    let Some(Value::Array(list)) = body.get("Operations") else {
        let detail = "A bulk request needs \"Operations\", a list of operations.";
        return Err(ScimError::new(ErrorKind::InvalidSyntax, detail).about("Operations"));
    };
    if list.len() > limits.operations {
        // RFC 7644 §3.7.4: the answer names the limit.
        let detail = format!(
            "The bulk request has {} operations, which exceeds maxOperations ({}). Send them in several requests.",
            list.len(),
            limits.operations
        );
        return Err(ScimError::new(ErrorKind::TooLarge, detail).about("Operations"));
    }
    let names = Names::of(list);
    let operations = list
        .iter()
        .map(|value| Reader { limits, names: &names, tolerance, notes }.operation(value))
        .collect();
    Ok(BulkRequest { fail_on_errors, operations, made: names.made })
}

/// No number, and 0, which clients send that have none, mean that errors stop nothing.
fn fail_on_errors(value: Option<&Value>) -> Result<Option<usize>, ScimError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().ok_or_else(|| {
                let detail = "failOnErrors takes a whole number of errors; leave it out to have all operations tried.";
                ScimError::new(ErrorKind::InvalidValue, detail).about("failOnErrors")
            })?;
            Ok((number > 0).then(|| usize::try_from(number).unwrap_or(usize::MAX)))
        }
    }
}

/// The bulkIds of a request.
struct Names {
    made: HashMap<String, usize>,
    twice: HashSet<String>,
}

impl Names {
    /// RFC 7644 §3.7: a bulkId is unique within the request, and a POST's names what it makes.
    fn of(list: &[Value]) -> Self {
        let (mut made, mut seen, mut twice) = (HashMap::new(), HashSet::new(), HashSet::new());
        for (index, value) in list.iter().enumerate() {
            let Some(name) = field(value, "bulkId").and_then(Value::as_str) else { continue };
            if !seen.insert(name) {
                twice.insert(name.to_owned());
            }
            let method = field(value, "method").and_then(Value::as_str);
            if method.is_some_and(|method| method.eq_ignore_ascii_case("POST")) {
                made.insert(name.to_owned(), index);
            }
        }
        Self { made, twice }
    }

    fn find(&self, name: &str) -> Result<usize, ScimError> {
        if self.twice.contains(name) {
            return Err(invalid(format!(
                "The bulkId {} is the name of two operations; give each its own.",
                shown(name)
            )));
        }
        self.made.get(name).copied().ok_or_else(|| {
            invalid(format!("No POST operation of this request has the bulkId {}.", shown(name)))
        })
    }
}

struct Reader<'a> {
    limits: &'a BulkLimits,
    names: &'a Names,
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
}

impl Reader<'_> {
    fn operation(&mut self, value: &Value) -> BulkOperation {
        let sent = field(value, "method").and_then(Value::as_str).unwrap_or_default();
        let bulk_id = field(value, "bulkId").and_then(Value::as_str).map(str::to_owned);
        let task = self.task(value, sent, bulk_id.as_deref());
        BulkOperation { method: shown(sent).to_ascii_uppercase(), bulk_id, task }
    }

    fn task(
        &mut self,
        value: &Value,
        method: &str,
        bulk_id: Option<&str>,
    ) -> Result<Task, ScimError> {
        if !value.is_object() {
            return Err(syntax("An operation is an object with \"method\" and \"path\"."));
        }
        let method = self.method(method)?;
        match bulk_id {
            None | Some("") if method == Method::Post => {
                return Err(invalid(
                    "A POST operation needs a bulkId, the name by which its answer is known."
                        .into(),
                ));
            }
            Some(name) if self.names.twice.contains(name) => {
                self.names.find(name)?;
            }
            _ => {}
        }
        let (endpoint, named) = self.path(value, method)?;
        let version = match field(value, "version") {
            _ if method == Method::Post => None,
            None | Some(Value::Null) => None,
            Some(Value::String(version)) => Some(version.clone()),
            Some(_) => return Err(invalid("version is no text; send meta.version.".into())),
        };
        let data = match field(value, "data") {
            _ if method == Method::Delete => Map::new(),
            Some(Value::Object(data)) => data.clone(),
            _ => {
                return Err(invalid(format!(
                    "A {} operation needs \"data\", the object that its own request would have as body.",
                    method.as_str()
                )));
            }
        };
        let needs = self.needs(method, &data)?;
        Ok(Task { method, endpoint, named, version, data, needs })
    }

    fn method(&mut self, sent: &str) -> Result<Method, ScimError> {
        let refused = || syntax("The method of an operation is POST, PUT, PATCH or DELETE.");
        let all = [Method::Post, Method::Put, Method::Patch, Method::Delete];
        let found = all.into_iter().find(|method| sent.eq_ignore_ascii_case(method.as_str()));
        let method = found.ok_or_else(refused)?;
        if sent != method.as_str() {
            self.tolerance.bend(Quirk::OpCase, self.notes, refused)?;
        }
        Ok(method)
    }

    /// `/Users` for POST, `/Users/{id}` or `/Users/bulkId:{name}` for the others.
    fn path(&self, value: &Value, method: Method) -> Result<(Endpoint, Named), ScimError> {
        let Some(path) = field(value, "path").and_then(Value::as_str) else {
            return Err(invalid("An operation needs a \"path\", such as \"/Users\".".into()));
        };
        let plain = path.split('?').next().unwrap_or_default().trim_matches('/');
        let (endpoint, id) = plain.split_once('/').unwrap_or((plain, ""));
        let endpoint = match endpoint {
            "Users" => Endpoint::Users,
            "Groups" => Endpoint::Groups,
            _ => {
                let detail = format!(
                    "There is no {} for bulk operations; they work on /Users and /Groups.",
                    shown(path)
                );
                return Err(ScimError::new(ErrorKind::NotFound, detail).about("path"));
            }
        };
        let named = match (method, id) {
            (Method::Post, "") => Named::New,
            (Method::Post, _) => {
                return Err(syntax("The path of a POST operation is /Users or /Groups."));
            }
            (_, "") => {
                return Err(syntax(
                    "The path of this operation names a resource: /Users/{id} or /Users/bulkId:{name}.",
                ));
            }
            (_, id) => match name_in(id) {
                Some(name) => Named::MadeBy(self.names.find(name)?),
                None => Named::Id(id.to_owned()),
            },
        };
        Ok((endpoint, named))
    }

    fn needs(
        &self,
        method: Method,
        data: &Map<String, Value>,
    ) -> Result<BTreeSet<usize>, ScimError> {
        let mut names = Vec::new();
        let longest = survey_all(method.place(), data, &mut |name| names.push(name));
        if longest > self.limits.array_values {
            return Err(invalid(format!(
                "A list in the data has {longest} values; at most {} are allowed.",
                self.limits.array_values
            )));
        }
        names.into_iter().map(|name| self.names.find(name)).collect()
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_object()?;
    map.get(name).or_else(|| {
        map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn invalid(detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, detail)
}

fn syntax(detail: &str) -> ScimError {
    ScimError::new(ErrorKind::InvalidSyntax, detail)
}
