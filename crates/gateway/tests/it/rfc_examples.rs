//! The examples of RFC 7644: request by request, answer by answer.
//!
//! An exchange is a file of `crates/scim-core/tests/fixtures/rfc/exchanges`. In its texts `{name}` stands for what an
//! earlier step saved, `{base}` for the tenant's base URL, and in an answer `{any}` for any text. An answer may have more
//! than the example (`active`, say), but not what `without` names; the values of a list come in any order.

use crate::support::TestGateway;
use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

type Saved = BTreeMap<String, String>;

#[actix_web::test]
async fn the_examples_of_rfc_7644_are_answered_as_it_says() {
    let gateway = TestGateway::start().await;
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for (number, (name, exchange)) in exchanges().into_iter().enumerate() {
        let tenant = gateway.tenant(&format!("example-{number}")).await;
        if let Err(why) = run(&exchange, &tenant).await {
            wrong.push(format!("{name}: {why}"));
        }
        ran += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran > 30, "{ran} examples");
}

fn exchanges() -> BTreeMap<String, Value> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../scim-core/tests/fixtures/rfc/exchanges");
    let read = |path: &Path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path)))
        .collect()
}

async fn run(exchange: &Value, tenant: &TestTenant) -> Result<(), String> {
    let mut saved = Saved::from([("base".to_owned(), tenant.base_url.clone())]);
    for (number, step) in exchange["steps"].as_array().unwrap().iter().enumerate() {
        let answer = send(&filled(&step["request"], &saved), tenant).await;
        if let Value::Object(names) = &step["save"] {
            for (name, path) in names {
                let found = at(&answer.body, path.as_str().unwrap());
                let found = found.and_then(Value::as_str).unwrap_or_default();
                saved.insert(name.clone(), found.to_owned());
            }
        }
        check(&filled(&step["answer"], &saved), &answer)
            .map_err(|why| format!("step {}: {why}; {}", number + 1, answer.text))?;
    }
    Ok(())
}

async fn send(request: &Value, tenant: &TestTenant) -> Answer {
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    let mut call = tenant.call(method, path);
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        call = call.header(name, value.as_str().unwrap());
    }
    if let Some(body) = request.get("body") {
        call = call.json(body);
    }
    call.send().await
}

fn check(expected: &Value, answer: &Answer) -> Result<(), String> {
    if expected["status"] != json!(answer.status) {
        return Err(format!("status {}", answer.status));
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let found = answer.header(&name.to_lowercase()).unwrap_or_default();
        if !fits(value.as_str().unwrap(), found) {
            return Err(format!("{name}: {found}"));
        }
    }
    for path in expected["without"].as_array().into_iter().flatten() {
        let path = path.as_str().unwrap();
        if let Some(found) = at(&answer.body, path) {
            return Err(format!("{path} is there: {found}"));
        }
    }
    match expected.get("body") {
        Some(body) => holds(body, &answer.body, ""),
        None => Ok(()),
    }
}

/// Whether `found` has all that `expected` has.
fn holds(expected: &Value, found: &Value, path: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().try_for_each(|(name, value)| {
                let inner = found.get(name).unwrap_or(&Value::Null);
                holds(value, inner, &format!("{path}/{name}"))
            })
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                return Err(format!("{path} has {} values", found.len()));
            }
            let mut left: Vec<&Value> = found.iter().collect();
            for one in expected {
                let place = left.iter().position(|found| holds(one, found, path).is_ok());
                let place = place.ok_or_else(|| format!("{path} has no {one}"))?;
                left.remove(place);
            }
            Ok(())
        }
        (Value::String(expected), Value::String(found)) if fits(expected, found) => Ok(()),
        _ if expected == found => Ok(()),
        _ => Err(format!("{path} is {found} and should be {expected}")),
    }
}

/// Whether a text is as expected, where `{any}` is any text that is not empty.
fn fits(expected: &str, found: &str) -> bool {
    match expected.split_once("{any}") {
        None => expected == found,
        Some((start, end)) => {
            found.len() > start.len() + end.len()
                && found.starts_with(start)
                && found.ends_with(end)
        }
    }
}

/// The value at a dotted path; of a list without a number, that of any of its values.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let inner = match (value, name.parse::<usize>()) {
        (Value::Array(items), Ok(number)) => items.get(number)?,
        (Value::Array(items), Err(_)) => return items.iter().find_map(|item| at(item, path)),
        _ => value.get(name)?,
    };
    rest.map_or(Some(inner), |rest| at(inner, rest))
}

fn filled(value: &Value, saved: &Saved) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            for (name, value) in saved {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, saved)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, saved)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
