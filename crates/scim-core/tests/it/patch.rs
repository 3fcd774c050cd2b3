//! PATCH: the RFC's examples, what identity providers send, and what holds for all of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::support::{body, ignored};
use scim_core::{
    Document, FilterLimits, MemberStep, Notes, PatchLimits, PatchRequest, Quirk, ResourceType,
    ScimError, Tolerance,
};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(crate) const PATCH_LIMITS: PatchLimits = PatchLimits {
    operations: 1000,
    members: 10_000,
    filter: FilterLimits { bytes: 4096, depth: 32, terms: 100 },
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What came of a PATCH.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) after: Document,
    steps: Vec<MemberStep>,
    notes: Notes,
}

pub(crate) fn document(value: &Value, of: &ResourceType) -> Document {
    Document::parse(&body(value), of, &Tolerance::default(), &mut Notes::default()).unwrap()
}

pub(crate) fn patch(
    before: &Document,
    patch: &Value,
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<Patched, ScimError> {
    let mut notes = Notes::default();
    let mut request = PatchRequest::parse(&body(patch), &PATCH_LIMITS, tolerance, &mut notes)?;
    let mut steps = Vec::new();
    request.check_id("own")?;
    if of.name == "Group" {
        (request, steps) = request.split_members("own", tolerance, &mut notes)?;
    }
    let after = request.apply(before, of, tolerance, &mut notes)?;
    Ok(Patched { after, steps, notes })
}

pub(crate) fn request(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// A user after operations that are all tolerated, without `schemas`.
fn user_after(before: &Value, operations: &Value) -> Value {
    let of = ResourceType::user();
    let before = document(before, of);
    let patched = patch(&before, &request(operations), of, &Tolerance::default()).unwrap();
    without_schemas(&patched.after)
}

fn user_error(before: &Value, operations: &Value) -> ScimError {
    let of = ResourceType::user();
    let before = document(before, of);
    patch(&before, &request(operations), of, &Tolerance::default()).unwrap_err()
}

fn steps_of(operations: &Value) -> Vec<Value> {
    let of = ResourceType::group();
    let before = document(&json!({"displayName": "G"}), of);
    let patched = patch(&before, &request(operations), of, &Tolerance::default()).unwrap();
    patched.steps.iter().map(shown).collect()
}

fn without_schemas(document: &Document) -> Value {
    let mut map: Map<String, Value> = document.as_map().clone();
    map.remove("schemas");
    Value::Object(map)
}

fn shown(step: &MemberStep) -> Value {
    match step {
        MemberStep::Change { clear, add, remove } => {
            let add: Vec<&str> = add.iter().map(|member| member.id.as_str()).collect();
            json!({"clear": clear, "add": add, "remove": remove})
        }
        MemberStep::RemoveWhere(_) => json!("where"),
    }
}

fn quirk_ids(notes: &Notes) -> Vec<&'static str> {
    let mut ids: Vec<_> = notes.quirks().map(Quirk::id).collect();
    ids.sort_unstable();
    ids
}

fn texts(value: &Value) -> Vec<&str> {
    let mut texts: Vec<_> =
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

fn run_fixture(path: &Path) {
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let name = path.display();
    let of =
        if fixture["resource"] == "Group" { ResourceType::group() } else { ResourceType::user() };
    let refused = texts(&fixture["not_tolerated"]);
    let refused = Quirk::ALL.iter().copied().filter(|quirk| refused.contains(&quirk.id()));
    let tolerance = Tolerance::all_but(refused);
    let before = document(&fixture["before"], of);
    let patched = patch(&before, &fixture["patch"], of, &tolerance);
    if let Some(error) = fixture.get("error") {
        let came = patched.unwrap_err();
        assert_eq!(came.kind().scim_type(), error["kind"].as_str(), "{name}: {came}");
        assert!(came.detail().contains(error["says"].as_str().unwrap()), "{name}: {came}");
        return;
    }
    let patched = patched.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(without_schemas(&patched.after), fixture["after"], "{name}");
    assert_eq!(quirk_ids(&patched.notes), texts(&fixture["quirks"]), "{name}");
    assert_eq!(ignored(&patched.notes), texts(&fixture["ignored"]), "{name}");
    let steps: Value = patched.steps.iter().map(shown).collect();
    assert_eq!(steps, fixture.get("members").cloned().unwrap_or_else(|| json!([])), "{name}");
}

fn run_fixtures(folder: &str, prefix: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut ran = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(prefix) {
            run_fixture(&path);
            ran += 1;
        }
    }
    ran
}

#[test]
fn the_examples_of_rfc_7644_come_out_as_it_says() {
    assert_eq!(run_fixtures("rfc", "rfc7644-3.5.2"), 14);
}

#[test]
fn entras_patches_do_what_entra_means() {
    assert!(run_fixtures("idp/entra", "patch-") > 25);
}

#[test]
fn oktas_patches_do_what_okta_means() {
    assert!(run_fixtures("idp/okta", "patch-") > 5);
}

#[test]
fn other_clients_patches_do_what_they_mean() {
    assert!(run_fixtures("idp/others", "patch-") > 0);
}

#[test]
fn operations_see_each_other_in_order() {
    let after = user_after(
        &json!({"userName": "b", "emails": [{"value": "a@x", "type": "work", "primary": true}]}),
        &json!([
            {"op": "remove", "path": "emails"},
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "b@x"},
            {"op": "add", "path": "emails", "value": [{"value": "c@x", "type": "home", "primary": true}]},
            {"op": "replace", "path": "emails[type eq \"work\"].primary", "value": "True"}
        ]),
    );
    assert_eq!(
        after["emails"],
        json!([
            {"type": "work", "value": "b@x", "primary": true},
            {"type": "home", "value": "c@x", "primary": false}
        ])
    );
}

#[test]
fn adding_what_is_there_in_other_case_changes_nothing() {
    let before = json!({"userName": "b", "emails": [{"value": "Ada@X.org", "type": "work"}]});
    let after = user_after(
        &before,
        &json!([{"op": "add", "path": "EMAILS", "value": [{"value": "ada@x.ORG", "type": "Work"}]}]),
    );
    assert_eq!(after, before);
}

#[test]
fn adding_with_another_type_appends() {
    let after = user_after(
        &json!({"userName": "b", "emails": [{"value": "a@x", "type": "work"}]}),
        &json!([{"op": "add", "path": "emails", "value": {"value": "a@x", "type": "home"}}]),
    );
    assert_eq!(after["emails"].as_array().unwrap().len(), 2);
}

#[test]
fn adding_nothing_to_a_list_leaves_it() {
    let before = json!({"userName": "b", "emails": [{"value": "a@x"}]});
    for nothing in [json!([]), json!(null), json!("")] {
        let operations = json!([{"op": "add", "path": "emails", "value": nothing}]);
        assert_eq!(user_after(&before, &operations), before);
        let operations = json!([{"op": "remove", "path": "emails", "value": []}]);
        assert_eq!(user_after(&before, &operations), before);
    }
}

#[test]
fn replacing_with_nothing_removes() {
    let before = json!({"userName": "b", "title": "t", "emails": [{"value": "a@x"}]});
    for nothing in [json!([]), json!(null), json!("")] {
        let operations = json!([
            {"op": "replace", "path": "emails", "value": nothing},
            {"op": "replace", "path": "title", "value": nothing}
        ]);
        assert_eq!(user_after(&before, &operations), json!({"userName": "b"}));
    }
}

#[test]
fn removing_with_a_list_of_values_removes_those() {
    let after = user_after(
        &json!({"userName": "b", "emails": [
            {"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "b@x", "type": "home"}
        ]}),
        &json!([{"op": "remove", "path": "emails", "value": [{"value": "A@x", "type": "home", "display": "any"}]}]),
    );
    assert_eq!(
        after["emails"],
        json!([{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}])
    );
}

#[test]
fn a_filter_without_match_removes_nothing() {
    let before = json!({"userName": "b", "emails": [{"value": "a@x", "type": "work"}]});
    for path in
        [r#"emails[type eq "home"]"#, r#"emails[type eq "home"].value"#, "title", "name.givenName"]
    {
        assert_eq!(user_after(&before, &json!([{"op": "remove", "path": path}])), before, "{path}");
    }
}

#[test]
fn an_element_is_made_only_from_a_filter_that_says_what_it_is() {
    for (path, made) in [
        (
            r#"emails[type eq "work" and primary eq true].value"#,
            Some(json!({"type": "work", "primary": true, "value": "v"})),
        ),
        (
            r#"emails[type eq "work" and value pr].value"#,
            Some(json!({"type": "work", "value": "v"})),
        ),
        (r#"emails[value eq "old"].value"#, Some(json!({"value": "v"}))),
        (r#"emails[type eq "work" or type eq "home"].value"#, None),
        (r#"emails[not (type eq "home")].value"#, None),
        (r#"emails[value co "@"].value"#, None),
        (r#"emails[type eq "work" and display co "@"].value"#, None),
    ] {
        let operations = json!([{"op": "replace", "path": path, "value": "v"}]);
        match made {
            Some(made) => {
                let after = user_after(&json!({"userName": "b"}), &operations);
                assert_eq!(after["emails"], json!([made]), "{path}");
            }
            None => {
                let error = user_error(&json!({"userName": "b"}), &operations);
                assert_eq!(error.kind().scim_type(), Some("noTarget"), "{path}");
            }
        }
    }
}

#[test]
fn a_whole_element_can_be_set_through_its_filter() {
    let before =
        json!({"userName": "b", "emails": [{"value": "a@x", "type": "work", "display": "old"}]});
    for (op, value, expected) in [
        ("add", json!({"value": "b@x"}), json!({"value": "b@x", "type": "work", "display": "old"})),
        ("replace", json!({"value": "b@x"}), json!({"value": "b@x", "type": "work"})),
        (
            "replace",
            json!([{"value": "b@x", "type": "home"}]),
            json!({"value": "b@x", "type": "home"}),
        ),
        ("replace", json!("b@x"), json!({"value": "b@x", "type": "work", "display": "old"})),
    ] {
        let operations = json!([{"op": op, "path": "emails[type eq \"work\"]", "value": value}]);
        assert_eq!(user_after(&before, &operations)["emails"], json!([expected]), "{value}");
    }
}

#[test]
fn a_part_of_a_list_is_set_in_every_element_or_in_a_new_one() {
    let operations = json!([{"op": "replace", "path": "emails.value", "value": "v@x"}]);
    let after = user_after(&json!({"userName": "b"}), &operations);
    assert_eq!(after["emails"], json!([{"value": "v@x"}]));
    let before = json!({"userName": "b", "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}]});
    let after = user_after(&before, &operations);
    assert_eq!(
        after["emails"],
        json!([{"value": "v@x", "type": "work"}, {"value": "v@x", "type": "home"}])
    );
}

#[test]
fn made_up_text_in_primary_neither_makes_nor_changes_an_element() {
    let operations =
        json!([{"op": "replace", "path": "emails[type eq \"work\"].primary", "value": "555-1234"}]);
    for before in [
        json!({"userName": "b"}),
        json!({"userName": "b", "emails": [{"value": "a@x", "type": "work", "primary": true}]}),
    ] {
        assert_eq!(user_after(&before, &operations), before);
    }
}

#[test]
fn a_bad_value_is_refused_with_operation_and_path() {
    for (operation, kind, says) in [
        (json!({"op": "replace", "path": "active", "value": "perhaps"}), "invalidValue", "active"),
        (json!({"op": "replace", "path": "name", "value": "Ada"}), "invalidValue", "name"),
        (
            json!({"op": "replace", "path": "name.givenName", "value": {"a": 1}}),
            "invalidValue",
            "name.givenName",
        ),
        (json!({"op": "replace", "path": "title"}), "invalidValue", "title"),
        (json!({"op": "replace", "value": "Ada"}), "invalidValue", "object"),
        (
            json!({"op": "replace", "path": "title[type eq \"x\"]", "value": "x"}),
            "invalidPath",
            "title",
        ),
        (json!({"op": "replace", "path": "name.nick", "value": "x"}), "invalidPath", "name.nick"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].nick", "value": "x"}),
            "invalidPath",
            "emails.nick",
        ),
        (json!({"op": "replace", "path": "a b", "value": "x"}), "invalidPath", "a b"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"]value", "value": "x"}),
            "invalidPath",
            "emails",
        ),
        (json!({"op": "replace", "path": 7, "value": "x"}), "invalidPath", "path"),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"", "value": "x"}),
            "invalidFilter",
            "`]`",
        ),
        (
            json!({"op": "replace", "path": "emails[nick eq \"work\"].value", "value": "x"}),
            "invalidFilter",
            "emails.nick",
        ),
        (json!({"op": "remove", "path": "id"}), "mutability", "id"),
        (json!({"op": "remove", "path": "schemas"}), "mutability", "schemas"),
        (
            json!({"op": "replace", "path": "meta.created", "value": "x"}),
            "mutability",
            "meta.created",
        ),
        (json!({"op": "replace", "path": "id", "value": "other"}), "mutability", "id"),
        (
            json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"}),
            "noTarget",
            "whole resource",
        ),
        (json!({"op": "move", "path": "title"}), "invalidSyntax", "`move`"),
        (json!({"path": "title"}), "invalidSyntax", "op"),
        (json!("add"), "invalidSyntax", "object"),
    ] {
        let ok = json!({"op": "add", "path": "nickName", "value": "B"});
        let error = user_error(&json!({"userName": "b"}), &json!([ok, operation]));
        assert_eq!(error.kind().scim_type(), Some(kind), "{operation}: {error}");
        assert!(error.detail().starts_with("Operation 2: "), "{error}");
        assert!(error.detail().contains(says), "{error}");
    }
}

#[test]
fn a_body_that_is_no_patch_is_refused() {
    let tolerance = Tolerance::default();
    for (value, kind) in [
        (json!({}), "invalidSyntax"),
        (json!({"Operations": "add"}), "invalidSyntax"),
        (
            json!({"operations": vec![json!({"op": "remove", "path": "title"}); 1001]}),
            "invalidValue",
        ),
    ] {
        let error =
            PatchRequest::parse(&body(&value), &PATCH_LIMITS, &tolerance, &mut Notes::default());
        assert_eq!(error.unwrap_err().kind().scim_type(), Some(kind));
    }
}

#[test]
fn names_of_the_message_are_read_in_any_case_and_schemas_may_be_missing() {
    let of = ResourceType::user();
    let before = document(&json!({"userName": "b"}), of);
    let value = json!({"operations": [{"OP": "ADD", "Path": "NICKNAME", "Value": "B"}]});
    let patched = patch(&before, &value, of, &Tolerance::default()).unwrap();
    assert_eq!(without_schemas(&patched.after), json!({"userName": "b", "nickName": "B"}));
    assert_eq!(quirk_ids(&patched.notes), ["Q-missing-schemas", "Q-op-case"]);
}

#[test]
fn urn_paths_of_core_and_extension_are_read_in_any_case() {
    let core = "URN:ietf:params:scim:schemas:core:2.0:user";
    let enterprise = ENTERPRISE.to_uppercase();
    let after = user_after(
        &json!({"userName": "b"}),
        &json!([
            {"op": "add", "path": format!("{core}:name.givenName"), "value": "B"},
            {"op": "add", "path": format!("{core}:emails[type eq \"work\"].value"), "value": "b@x"},
            {"op": "add", "path": format!("{enterprise}:Manager.Value"), "value": "m"},
            {"op": "add", "path": core, "value": {"title": "T"}}
        ]),
    );
    assert_eq!(
        after,
        json!({
            "userName": "b", "name": {"givenName": "B"}, "emails": [{"type": "work", "value": "b@x"}],
            "title": "T", ENTERPRISE: {"manager": {"value": "m"}}
        })
    );
}

#[test]
fn an_extension_goes_as_a_whole() {
    let before = json!({"userName": "b", ENTERPRISE: {"department": "D"}});
    for operation in [
        json!({"op": "remove", "path": ENTERPRISE}),
        json!({"op": "replace", "path": ENTERPRISE, "value": null}),
        json!({"op": "replace", "value": {ENTERPRISE: null}}),
    ] {
        let of = ResourceType::user();
        let patched =
            patch(&document(&before, of), &request(&json!([operation])), of, &Tolerance::default());
        let after = patched.unwrap().after;
        assert_eq!(after.as_map()["schemas"].as_array().unwrap().len(), 1);
        assert_eq!(without_schemas(&after), json!({"userName": "b"}));
    }
}

#[test]
fn the_required_user_name_may_go_here_and_is_missed_by_the_user() {
    let of = ResourceType::user();
    let before = document(&json!({"userName": "b"}), of);
    let operations = json!([{"op": "remove", "path": "userName"}]);
    let after = patch(&before, &request(&operations), of, &Tolerance::default()).unwrap().after;
    let error = scim_core::User::from_document(after, &Tolerance::default(), &mut Notes::default());
    assert_eq!(error.unwrap_err().attribute(), Some("userName"));
}

#[test]
fn membership_operations_fold_into_one_step() {
    for (operations, expected) in [
        (json!([]), json!([])),
        (json!([{"op": "add", "path": "members", "value": []}]), json!([])),
        (
            json!([
                {"op": "add", "path": "members", "value": [{"value": "a"}]},
                {"op": "remove", "path": "members"},
                {"op": "add", "path": "members[value eq \"b\"]", "value": [{"value": "b"}]},
                {"op": "remove", "path": "members[value eq \"c\" or value eq \"d\"]"}
            ]),
            json!([{"clear": true, "add": ["b"], "remove": []}]),
        ),
        (
            json!([
                {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": [{"value": "a"}]},
                {"op": "remove", "path": "members[type eq \"Group\"]"},
                {"op": "add", "path": "Members", "value": {"value": "b"}},
                {"op": "remove", "path": "members.value", "value": ["c"]}
            ]),
            json!([
                {"clear": false, "add": ["a"], "remove": []},
                "where",
                {"clear": false, "add": ["b"], "remove": ["c"]}
            ]),
        ),
        (
            json!([{"op": "add", "value": {"Members": [{"value": "a"}], "members[value eq \"b\"]": "b",
                    "urn:ietf:params:scim:schemas:core:2.0:Group": {"members": [{"value": "c"}]}}}]),
            json!([{"clear": false, "add": ["a", "b", "c"], "remove": []}]),
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"a\"].display", "value": "A"}]),
            json!([]),
        ),
    ] {
        assert_eq!(Value::Array(steps_of(&operations)), expected, "{operations}");
    }
}

#[test]
fn members_beyond_the_limit_or_without_id_are_refused() {
    let of = ResourceType::group();
    let before = document(&json!({"displayName": "G"}), of);
    let many: Vec<Value> = (0..6000).map(|n| json!({"value": n.to_string()})).collect();
    for (operations, kind) in [
        (
            json!([{"op": "add", "path": "members", "value": many}, {"op": "add", "path": "members", "value": many}]),
            "invalidValue",
        ),
        (json!([{"op": "add", "path": "members", "value": [{"display": "x"}]}]), "invalidValue"),
        (
            json!([{"op": "add", "path": "members[type eq \"User\"]", "value": {"value": "x"}}]),
            "noTarget",
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"x\"].value", "value": "y"}]),
            "mutability",
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"x\"].nick", "value": "y"}]),
            "invalidPath",
        ),
        (json!([{"op": "remove", "path": "members[nick eq \"x\"]"}]), "invalidFilter"),
        (json!([{"op": "replace", "path": "id", "value": "other"}]), "mutability"),
    ] {
        let error = patch(&before, &request(&operations), of, &Tolerance::default()).unwrap_err();
        assert_eq!(error.kind().scim_type(), Some(kind), "{error}");
        assert!(error.detail().starts_with("Operation "), "{error}");
    }
}

#[test]
fn many_operations_on_a_long_list_are_bounded() {
    let emails: Vec<Value> = (0..5000).map(|n| json!({"value": format!("{n}@x")})).collect();
    let mut operations = vec![json!({"op": "add", "path": "emails", "value": emails})];
    operations.extend(
        (0..500)
            .map(|n| json!({"op": "add", "path": "emails", "value": [{"value": n.to_string()}]})),
    );
    let error = user_error(&json!({"userName": "b"}), &Value::Array(operations));
    assert_eq!(error.kind().scim_type(), Some("invalidValue"));
}
