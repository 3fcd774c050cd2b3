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

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The data of an operation when `bulkId:ada` is `id1`.
fn resolved(method: &str, data: &Value) -> Value {
    let operations = json!([
        post("/Users", "ada", &[]),
        { "method": method, "path": "Groups/7?x=1", "version": "W/\"3\"", "data": data },
    ]);
    let request = parse(&operations).unwrap();
    let task = request.operations[1].task.as_ref().unwrap();
    assert_eq!(task.named, Named::Id("7".into()));
    assert_eq!(task.version.as_deref(), Some("W/\"3\""));
    assert_eq!(request.operations[1].method, method.to_uppercase());
    let needs: Vec<usize> = task.needs().collect();
    let data = request.data(task, &["id1".to_owned(), String::new()]);
    assert_eq!(needs.is_empty(), !data.as_map().values().any(|v| v.to_string().contains("id1")));
    Value::Object(data.as_map().clone())
}

#[test]
fn references_are_replaced_where_the_id_of_a_resource_stands() {
    for (data, expected) in [
        (json!({ "manager": "bulkId:ada" }), json!({ "manager": "id1" })),
        (
            json!({ "Members": [{ "value": "bulkId:ada", "display": "bulkId:" }, "bulkId:ada"] }),
            json!({ "Members": [{ "value": "id1", "display": "bulkId:" }, "id1"] }),
        ),
        (
            json!({ ENTERPRISE: { "manager": { "value": "bulkId:ada", "$ref": "bulkId:ada" } } }),
            json!({ ENTERPRISE: { "manager": { "value": "id1", "$ref": "id1" } } }),
        ),
        (
            json!({ format!("{ENTERPRISE}:manager.value"): "bulkId:ada" }),
            json!({ format!("{ENTERPRISE}:manager.value"): "id1" }),
        ),
        (json!({ "owner": { "$ref": "bulkId:ada" } }), json!({ "owner": { "$ref": "id1" } })),
    ] {
        assert_eq!(resolved("put", &data), expected);
        let patch = |value: &Value| json!({ "Operations": [{ "op": "add", "value": value }] });
        assert_eq!(resolved("Patch", &patch(&data)), patch(&expected));
    }
    for (path, value, path_after, value_after) in [
        ("members", json!([{ "value": "bulkId:ada" }]), "members", json!([{ "value": "id1" }])),
        ("manager.value", json!("bulkId:ada"), "manager.value", json!("id1")),
        (
            "members[value eq \"bulkId:ada\" or value eq \"bulkId:\"]",
            Value::Null,
            "members[value eq \"id1\" or value eq \"bulkId:\"]",
            Value::Null,
        ),
        (ENTERPRISE, json!({ "manager": "bulkId:ada" }), ENTERPRISE, json!({ "manager": "id1" })),
    ] {
        let patch = |path: &str, value: &Value| json!({ "operations": [{ "op": "add", "path": path, "value": value }] });
        assert_eq!(resolved("PATCH", &patch(path, &value)), patch(path_after, &value_after));
    }
}

#[test]
fn what_begins_like_a_reference_elsewhere_is_a_text() {
    let text = "bulkId:ada";
    let data = json!({
        "displayName": text,
        "title": "bulkId: our tool",
        "password": "bulkId:secret",
        "note": "see bulkId:ada",
        "path": "members[value eq \"bulkId:ada\"]",
        "emails": [{ "value": text, "type": "work" }],
        "name": { "value": text, "givenName": text },
        "members": [{ "display": text }],
        "manager.displayName": text,
        ENTERPRISE: { "manager": { "displayName": text }, "department": text },
    });
    assert_eq!(resolved("PUT", &data), data);
    for path in ["password", "emails[value eq \"bulkId:ada\"]", "manager.displayName"] {
        let data = json!({ "Operations": [{ "op": "add", "path": path, "value": text }] });
        assert_eq!(resolved("PATCH", &data), data);
    }
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
