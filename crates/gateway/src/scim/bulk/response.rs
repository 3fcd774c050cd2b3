//! The answer to a bulk request (`BulkResponse`, RFC 7644 §3.7).

use super::{Results, kind};
use crate::scim::answer::Answered;
use scim_core::bulk::{BulkOperation, Named};
use scim_core::{BulkRequest, ETag};
use serde_json::{Map, Value};

/// The operations that were tried, in the order of the request.
pub(super) fn render(request: &BulkRequest, results: &Results, base_url: &str) -> String {
    let entries: Vec<String> = results
        .keys()
        .filter_map(|index| {
            let operation = request.operations.get(*index)?;
            Some(entry(*index, operation, request, results, base_url).to_string())
        })
        .collect();
    format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkResponse\"],\"Operations\":[{}]}}",
        entries.join(",")
    )
}

fn entry(
    index: usize,
    operation: &BulkOperation,
    request: &BulkRequest,
    results: &Results,
    base_url: &str,
) -> Value {
    let mut entry = Map::new();
    let mut put = |name: &str, value: String| entry.insert(name.to_owned(), value.into());
    if !operation.method.is_empty() {
        put("method", operation.method.clone());
    }
    if let Some(bulk_id) = &operation.bulk_id {
        put("bulkId", bulk_id.clone());
    }
    if let Some(location) = location(index, operation, request, results, base_url) {
        put("location", location);
    }
    match results.get(&index) {
        Some(Ok(answered)) => {
            if let Some(version) = answered.version {
                put("version", ETag(version).to_string());
            }
            put("status", answered.status.as_u16().to_string());
        }
        Some(Err(failure)) => {
            put("status", failure.status_code().as_u16().to_string());
            let error = serde_json::from_str(&failure.body()).unwrap_or_default();
            entry.insert("response".to_owned(), error);
        }
        None => {}
    }
    Value::Object(entry)
}

/// RFC 7644 §3.7: the address is in every answer but that of a POST that failed.
fn location(
    index: usize,
    operation: &BulkOperation,
    request: &BulkRequest,
    results: &Results,
    base_url: &str,
) -> Option<String> {
    let known = |index: usize| -> Option<&Answered> { results.get(&index)?.as_ref().ok() };
    if let Some(answered) = known(index) {
        return answered.location.clone();
    }
    let task = operation.task.as_ref().ok()?;
    let id = match &task.named {
        Named::New => return None,
        Named::Id(id) => id.clone(),
        Named::MadeBy(index) => match known(*index) {
            Some(made) => return made.location.clone(),
            // What was not made has no address but the one that it was named by.
            None => format!("bulkId:{}", request.operations.get(*index)?.bulk_id.as_deref()?),
        },
    };
    Some(format!("{base_url}{}/{id}", kind(task).endpoint()))
}
