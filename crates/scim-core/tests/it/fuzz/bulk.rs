//! The bodies of Bulk and of `.search`.

use super::scene;
use scim_core::bulk::{BulkLimits, BulkRequest, Endpoint, Method, Named};
use scim_core::search::SearchRequest;
use scim_core::{Attributes, Filter, Notes, Tolerance};
use serde_json::Value;

const LIMITS: BulkLimits = BulkLimits { operations: 100, array_values: 1000 };

/// Any bytes.
pub(crate) fn run(data: &[u8]) {
    let Ok(body) = Attributes::parse(data, &scene::JSON) else { return };
    for tolerance in scene::tolerances() {
        if let Ok(request) = BulkRequest::parse(&body, &LIMITS, &tolerance, &mut Notes::default()) {
            check_order(&request);
            check_data(&request);
        }
        let mut notes = Notes::default();
        if let Ok(search) = SearchRequest::parse(&body, &tolerance, &mut notes) {
            check_search(&search, &body, &tolerance);
        }
    }
}

/// Every operation has one place, behind those that it needs or together with them.
fn check_order(request: &BulkRequest) {
    let mut places = vec![None; request.operations.len()];
    for (place, step) in request.order().iter().enumerate() {
        assert!(!step.operations.is_empty() || !step.unresolvable.is_empty(), "an empty step");
        for index in step.operations.iter().chain(&step.unresolvable) {
            let was = places.get_mut(*index).map(|at| at.replace(place));
            assert_eq!(was, Some(None), "operation {index} is there once");
        }
        for index in &step.unresolvable {
            let task = request.operations.get(*index).and_then(|one| one.task.as_ref().ok());
            let is_group = task.is_some_and(|task| task.endpoint == Endpoint::Groups);
            assert!(is_group, "only groups cannot be made in a circle");
        }
    }
    assert!(places.iter().all(Option::is_some), "no operation is left out");
    for (index, operation) in request.operations.iter().enumerate() {
        for need in operation.task.iter().flat_map(scim_core::bulk::Task::needs) {
            assert!(places.get(need) <= places.get(index), "{index} comes before {need}");
        }
    }
}

/// The data have no reference left that was understood, and a task is of one form.
fn check_data(request: &BulkRequest) {
    let ids: Vec<String> = (0..request.operations.len()).map(|n| format!("id-{n}")).collect();
    for operation in &request.operations {
        let Ok(task) = &operation.task else { continue };
        assert_eq!(operation.method, task.method.as_str());
        assert_eq!(task.method == Method::Post, task.named == Named::New, "{:?}", task.named);
        let data = request.data(task, &ids);
        let links = ["members", "manager"].into_iter().filter_map(|link| data.get(link));
        for link in links.filter(|_| matches!(task.method, Method::Post | Method::Put)) {
            for made in request.operations.iter().filter_map(|other| other.bulk_id.as_deref()) {
                assert!(!has_reference(link, made), "{made} is left in {link}");
            }
        }
    }
}

/// Whether a member or a manager has a name for its id.
fn has_reference(link: &Value, name: &str) -> bool {
    match link {
        Value::String(text) => {
            text.strip_prefix("bulkId:").is_some_and(|of| !of.is_empty() && of == name)
        }
        Value::Array(items) => items.iter().any(|item| has_reference(item, name)),
        Value::Object(map) => map.get("value").is_some_and(|id| has_reference(id, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn check_search(search: &SearchRequest, body: &Attributes, tolerance: &Tolerance) {
    let sent = body.get("filter").and_then(Value::as_str);
    assert_eq!(search.filter.as_deref(), sent, "the filter is the text that was sent");
    if let Some(text) = &search.filter {
        drop(Filter::parse(text, &scene::FILTER, tolerance, &mut Notes::default()));
    }
}
