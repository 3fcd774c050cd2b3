//! Scenarios of recorded-shape traffic, step by step. What the answers hold is checked by `scripts/replay`; here it is which
//! deviations they needed.

use crate::support::answer::Answer;
use crate::support::tenant::TestTenant;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One request of a scenario.
pub(super) struct Step {
    request: Map<String, Value>,
    expected: Vec<u64>,
    save: BTreeMap<String, String>,
}

/// A scenario: its file's name, its steps, and what it calls things.
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    variables: BTreeMap<String, Value>,
}

/// The folder of the traffic, where there is one beside the clone.
pub(super) fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = crate::support::stores::variable("MUSTER_TRAFFIC");
    let folder = root.join(named.as_deref().unwrap_or("../shared/idp-traffic"));
    folder.is_dir().then_some(folder)
}

/// Every scenario, by name.
pub(super) fn scenarios(folder: &Path) -> Vec<Scenario> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().map(|path| Scenario::read(path)).collect()
}

impl Scenario {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut variables = BTreeMap::new();
        for (name, text) in document["vars"].as_object().into_iter().flatten() {
            let value = filled(text, &variables);
            variables.insert(name.clone(), value);
        }
        let mut steps = Vec::new();
        flatten(&document["steps"], &mut steps);
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        Self { name, steps, variables }
    }

    /// Sends a step; `id` becomes its request id.
    pub(super) async fn send(&self, step: &Step, tenant: &TestTenant, id: &str) -> Answer {
        let request = filled(&Value::Object(step.request.clone()), &self.variables);
        let path = request["path"].as_str().unwrap().replace(' ', "%20").replace('"', "%22");
        let headers = request["headers"].as_object().cloned().unwrap_or_default();
        let authorization = format!("Bearer {}", tenant.token);
        let mut all = BTreeMap::from([
            ("accept".to_owned(), "application/scim+json".to_owned()),
            ("authorization".to_owned(), authorization),
            ("x-request-id".to_owned(), id.to_owned()),
        ]);
        let body = &request["body"];
        if !body.is_null() {
            all.insert("content-type".to_owned(), "application/scim+json".to_owned());
        }
        for (name, value) in headers {
            match value.as_str() {
                Some(value) => all.insert(name.to_lowercase(), value.to_owned()),
                None => all.remove(&name.to_lowercase()),
            };
        }
        let mut call = tenant.bare_call(request["method"].as_str().unwrap(), &path);
        for (name, value) in &all {
            call = call.header(name, value);
        }
        match body {
            Value::Null => call,
            Value::String(text) => call.body(text.clone()),
            other => call.body(other.to_string()),
        }
        .send()
        .await
    }

    /// Remembers what later steps name.
    pub(super) fn keep(&mut self, step: &Step, answer: &Answer) {
        assert!(
            step.expected.contains(&u64::from(answer.status)),
            "{}: {:?} answered {}: {}",
            self.name,
            step.request,
            answer.status,
            answer.text
        );
        for (name, path) in &step.save {
            let value = match path.as_str() {
                "id" => &answer.body["id"],
                "Resources[0].id" => &answer.body["Resources"][0]["id"],
                other => panic!("{other} is not known to this replay"),
            };
            self.variables.insert(name.clone(), value.clone());
        }
    }
}

fn flatten(steps: &Value, into: &mut Vec<Step>) {
    for step in steps.as_array().unwrap() {
        if step["parallel"].is_array() {
            flatten(&step["parallel"], into);
            continue;
        }
        let expected = match &step["expect"]["status"] {
            Value::Array(many) => many.iter().map(|one| one.as_u64().unwrap()).collect(),
            one => vec![one.as_u64().unwrap()],
        };
        let save = step["save"].as_object().into_iter().flatten();
        into.push(Step {
            request: step["request"].as_object().unwrap().clone(),
            expected,
            save: save.map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect(),
        });
    }
}

/// The value with every `{{name}}` in it replaced; a text that is only that keeps the variable's type.
fn filled(value: &Value, variables: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::Object(map) => {
            let one = |(k, v): (&String, &Value)| {
                let key = filled(&Value::String(k.clone()), variables);
                (key.as_str().unwrap().to_owned(), filled(v, variables))
            };
            Value::Object(map.iter().map(one).collect())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::String(text) => filled_text(text, variables),
        other => other.clone(),
    }
}

fn filled_text(text: &str, variables: &BTreeMap<String, Value>) -> Value {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, end) = after.split_once("}}").unwrap();
        let value = look_up(name, variables);
        if before.is_empty() && end.is_empty() && filled.is_empty() {
            return value;
        }
        filled.push_str(before);
        match &value {
            Value::String(text) => filled.push_str(text),
            other => filled.push_str(&other.to_string()),
        }
        rest = end;
    }
    filled.push_str(rest);
    Value::String(filled)
}

fn look_up(name: &str, variables: &BTreeMap<String, Value>) -> Value {
    let id = uuid::Uuid::new_v4();
    match name {
        "$uuid" => Value::String(id.to_string()),
        "$email" => Value::String(format!("u{}@example.com", id.simple())),
        name => variables.get(name).unwrap_or_else(|| panic!("no variable {name}")).clone(),
    }
}

/// The quirks of each request, by its id, as soon as all of them are in the log.
pub(super) async fn quirks_of(
    tenant: &TestTenant,
    ids: &BTreeSet<String>,
) -> BTreeMap<String, (BTreeSet<String>, String)> {
    crate::support::until("the decisions", async || {
        let rows = tenant.decisions().await;
        let found: BTreeMap<_, _> = rows
            .into_iter()
            .filter(|row| ids.contains(&row.request_id))
            .map(|row| (row.request_id, (row.quirks.into_iter().collect(), row.client)))
            .collect();
        (found.len() == ids.len()).then_some(found)
    })
    .await
}
