//! PATCH: one rule at a time.

use crate::patch::{
    ENTERPRISE, document, patch, quirk_ids, request, user_after, user_error, without_schemas,
};
use scim_core::{ResourceType, Tolerance};
use serde_json::json;

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
fn an_element_set_to_nothing_goes_and_is_not_made() {
    let before = json!({"userName": "b", "emails": [{"value": "a@x", "type": "work"}]});
    for nothing in
        [json!({"value": ""}), json!({"type": null}), json!([{"value": null}]), json!({})]
    {
        let operations =
            json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": nothing}]);
        for before in [&before, &json!({"userName": "b"})] {
            assert_eq!(user_after(before, &operations), json!({"userName": "b"}), "{nothing}");
        }
    }
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
fn what_is_required_is_missed_in_the_result_alone() {
    let after = user_after(
        &json!({"userName": "b"}),
        &json!([{"op": "remove", "path": "userName"}, {"op": "add", "path": "userName", "value": "c"}]),
    );
    assert_eq!(after, json!({"userName": "c"}));
}

/// RFC 7644 §3.5.2.2.
#[test]
fn what_takes_a_required_attribute_away_is_refused_as_mutability() {
    for (of, before, name) in [
        (ResourceType::user(), json!({"userName": "b"}), "userName"),
        (ResourceType::group(), json!({"displayName": "b"}), "displayName"),
    ] {
        for operation in [
            json!({"op": "remove", "path": name}),
            json!({"op": "replace", "path": name, "value": null}),
            json!({"op": "add", "path": name, "value": ""}),
            json!({"op": "replace", "value": {name: null}}),
        ] {
            let before = document(&before, of);
            let operations = request(&json!([operation]));
            let error = patch(&before, &operations, of, &Tolerance::default()).unwrap_err();
            assert_eq!(error.kind().scim_type(), Some("mutability"), "{operation}: {error}");
            assert_eq!(error.attribute(), Some(name));
            assert!(error.detail().contains("required and cannot be removed"), "{error}");
        }
        // Blank text is a value, if none that will do.
        let blank = request(&json!([{"op": "replace", "path": name, "value": " "}]));
        let error = patch(&document(&before, of), &blank, of, &Tolerance::default()).unwrap_err();
        assert_eq!(error.kind().scim_type(), Some("invalidValue"), "{error}");
    }
}
