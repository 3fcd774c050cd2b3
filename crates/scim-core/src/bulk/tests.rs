use super::*;
use crate::attributes::JsonLimits;
use crate::error::ErrorKind;
use serde_json::json;

const LIMITS: BulkLimits = BulkLimits { operations: 10, array_values: 3 };

fn parse(operations: &Value) -> Result<BulkRequest, ScimError> {
    let limits = JsonLimits { depth: 32, array_values: 1_000 };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    let body = Attributes::parse(body.to_string().as_bytes(), &limits)?;
    BulkRequest::parse(&body, &LIMITS, &Tolerance::default(), &mut Notes::default())
}

/// A POST that names others.
fn post(endpoint: &str, bulk_id: &str, names: &[&str]) -> Value {
    let values: Vec<Value> =
        names.iter().map(|name| json!({ "value": format!("bulkId:{name}") })).collect();
    json!({ "method": "POST", "path": endpoint, "bulkId": bulk_id, "data": { "members": values } })
}

fn order(operations: &Value) -> Vec<(Vec<usize>, Vec<usize>)> {
    let steps = parse(operations).unwrap().order();
    steps.into_iter().map(|step| (step.operations, step.unresolvable)).collect()
}

fn singles(order: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
    order.iter().map(|index| (vec![*index], Vec::new())).collect()
}

#[test]
fn without_references_the_order_is_that_of_the_request() {
    let delete = json!({ "method": "DELETE", "path": "/Users/1" });
    let operations = json!([post("/Users", "b", &[]), delete, post("/Groups", "a", &[]), 7]);
    assert_eq!(order(&operations), singles(&[0, 1, 2, 3]));
}

#[test]
fn an_operation_waits_for_what_it_names() {
    let patch = json!({ "method": "PATCH", "path": "/Users/bulkId:u", "data": {} });
    let operations = json!([
        post("/Groups", "outer", &["inner", "u"]),
        patch,
        post("/Groups", "inner", &["u"]),
        post("/Users", "u", &[]),
        post("/Users", "v", &[]),
    ]);
    assert_eq!(order(&operations), singles(&[3, 1, 2, 0, 4]));
}

#[test]
fn users_that_name_each_other_are_one_step_before_what_relies_on_them() {
    let operations = json!([
        post("/Groups", "g", &["a"]),
        post("/Users", "a", &["b"]),
        post("/Users", "c", &[]),
        post("/Users", "b", &["a"]),
        post("/Users", "self", &["self"]),
    ]);
    let expected = [(vec![2], vec![]), (vec![4], vec![]), (vec![1, 3], vec![]), (vec![0], vec![])];
    assert_eq!(order(&operations), expected);
}

#[test]
fn groups_that_are_in_each_other_cannot_be_resolved() {
    let operations = json!([
        post("/Groups", "a", &["b"]),
        post("/Groups", "b", &["a"]),
        post("/Users", "u", &[]),
        post("/Groups", "c", &["a"]),
    ]);
    assert_eq!(order(&operations), [(vec![2], vec![]), (vec![], vec![0, 1]), (vec![3], vec![])]);
}

#[test]
fn a_user_that_names_its_group_is_no_circle_that_matters() {
    let operations = json!([post("/Groups", "g", &["u"]), post("/Users", "u", &["g"])]);
    assert_eq!(order(&operations), [(vec![1, 0], vec![])]);
}

#[test]
fn references_are_replaced_wherever_they_stand() {
    let data = json!({
        "manager": "bulkId:ada",
        "members": [{ "value": "bulkId:ada", "display": "bulkId:" }, "bulkId:ada"],
        "note": "see bulkId:ada",
        "path": "members[value eq \"bulkId:ada\" or value eq \"bulkId:\"]",
    });
    let operations = json!([
        post("/Users", "ada", &[]),
        { "method": "put", "path": "Groups/7?x=1", "version": "W/\"3\"", "data": data },
    ]);
    let request = parse(&operations).unwrap();
    let task = request.operations[1].task.as_ref().unwrap();
    assert_eq!(task.named, Named::Id("7".into()));
    assert_eq!(task.version.as_deref(), Some("W/\"3\""));
    assert_eq!(request.operations[1].method, "PUT");
    let data = request.data(task, &["id1".to_owned(), String::new()]);
    let expected = json!({
        "manager": "id1",
        "members": [{ "value": "id1", "display": "bulkId:" }, "id1"],
        "note": "see bulkId:ada",
        "path": "members[value eq \"id1\" or value eq \"bulkId:\"]",
    });
    assert_eq!(Value::Object(data.as_map().clone()), expected);
}

#[test]
fn what_cannot_be_read_is_said_of_its_operation() {
    let cases = [
        (json!(null), ErrorKind::InvalidSyntax),
        (json!({ "path": "/Users" }), ErrorKind::InvalidSyntax),
        (json!({ "method": "GET", "path": "/Users/1" }), ErrorKind::InvalidSyntax),
        (json!({ "method": "POST", "path": "/Users", "data": {} }), ErrorKind::InvalidValue),
        (json!({ "method": "DELETE" }), ErrorKind::InvalidValue),
        (json!({ "method": "DELETE", "path": "/Nothing/1" }), ErrorKind::NotFound),
        (json!({ "method": "DELETE", "path": "/Users/" }), ErrorKind::InvalidSyntax),
        (json!({ "method": "DELETE", "path": "/Users/bulkId:x" }), ErrorKind::InvalidValue),
        (json!({ "method": "PUT", "path": "/Users/1" }), ErrorKind::InvalidValue),
        (json!({ "method": "DELETE", "path": "/Users/1", "version": 3 }), ErrorKind::InvalidValue),
        (post("/Users/1", "a", &[]), ErrorKind::InvalidSyntax),
        (post("/Groups", "a", &["nobody"]), ErrorKind::InvalidValue),
        (post("/Groups", "a", &["a", "a", "a", "a"]), ErrorKind::InvalidValue),
    ];
    for (operation, kind) in cases {
        let request = parse(&json!([operation])).unwrap();
        let error = request.operations[0].task.as_ref().unwrap_err();
        assert_eq!(error.kind(), kind, "{operation}");
    }
    let twice = json!([post("/Users", "a", &[]), post("/Users", "a", &[])]);
    for operation in parse(&twice).unwrap().operations {
        assert_eq!(operation.task.unwrap_err().kind(), ErrorKind::InvalidValue);
    }
}

#[test]
fn too_many_operations_are_413_and_no_list_is_400() {
    let many = vec![json!({}); 11];
    assert_eq!(parse(&json!(many)).unwrap_err().kind(), ErrorKind::TooLarge);
    for wrong in [json!({}), json!(null), json!("x")] {
        assert_eq!(parse(&wrong).unwrap_err().kind(), ErrorKind::InvalidSyntax);
    }
}

#[test]
fn a_long_chain_is_no_deep_recursion() {
    let limits = BulkLimits { operations: 100_000, array_values: 3 };
    let name = |number: usize| format!("u{number}");
    let chain: Vec<Value> = (0..20_000)
        .map(|number| post("/Users", &name(number), &[&name((number + 1) % 20_000)]))
        .collect();
    let body = Attributes::from(json!({ "Operations": chain }).as_object().unwrap().clone());
    let request =
        BulkRequest::parse(&body, &limits, &Tolerance::default(), &mut Notes::default()).unwrap();
    assert_eq!(request.order().len(), 1);
}
