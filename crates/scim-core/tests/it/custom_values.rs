//! The values of a tenant's own attributes: as those of builtin ones, everywhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene has failed"
)]

use crate::custom::{ENTERPRISE, OWN, schemas};
use crate::patch::{PATCH_LIMITS, document, request, without_schemas};
use crate::support::{about, body, quirks};
use scim_core::{
    Document, ErrorKind, Filter, FilterLimits, Notes, PatchRequest, Projection, Quirk,
    ResourceType, ScimError, Tolerance, User,
};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn of(urn: &str) -> ResourceType {
    schemas(urn).user
}

fn sent(urn: &str, own: &Value) -> Value {
    json!({"schemas": [USER, urn], "userName": "ada", urn: own})
}

fn parse(urn: &str, own: &Value) -> Result<(Value, Vec<Quirk>), ScimError> {
    let (user, notes) = User::parse(&body(&sent(urn, own)), &of(urn), &Tolerance::default())?;
    Ok((user.document().get(urn).cloned().unwrap_or_default(), quirks(&notes)))
}

#[test]
fn values_of_every_kind_are_checked_and_kept() {
    for urn in [OWN, ENTERPRISE] {
        for (value, kept, met) in [
            (json!({"badge": "A7"}), json!({"badge": "A7"}), &[][..]),
            (json!({"BADGE": 7}), json!({"badge": "7"}), &[Quirk::TextFromScalar]),
            (json!({"shirt": "XXL"}), json!({"shirt": "XXL"}), &[]),
            (json!({"vip": true}), json!({"vip": true}), &[]),
            (json!({"vip": "False"}), json!({"vip": false}), &[Quirk::StringBool]),
            (
                json!({"hired": "2026-01-31T08:00:00Z"}),
                json!({"hired": "2026-01-31T08:00:00Z"}),
                &[],
            ),
            (json!({"level": -7}), json!({"level": -7}), &[]),
            (json!({"level": "7"}), json!({"level": 7}), &[Quirk::NumberString]),
            (json!({"rate": 0.5}), json!({"rate": 0.5}), &[]),
            (json!({"rate": 2}), json!({"rate": 2}), &[]),
            (
                json!({"page": "https://example.com/a"}),
                json!({"page": "https://example.com/a"}),
                &[],
            ),
            (json!({"seal": "TQ=="}), json!({"seal": "TQ=="}), &[]),
            (json!({"tags": ["a", "b"]}), json!({"tags": ["a", "b"]}), &[]),
            (json!({"tags": []}), json!(null), &[]),
            (json!({"tags": "a"}), json!({"tags": ["a"]}), &[Quirk::ListShape]),
            (json!({"tags": ["a", "a"]}), json!({"tags": ["a"]}), &[Quirk::DuplicateValue]),
            (json!({"tags": [7]}), json!({"tags": ["7"]}), &[Quirk::TextFromScalar]),
            (json!({"grades": [1, 2]}), json!({"grades": [1, 2]}), &[]),
            (json!({"pin": "1234"}), json!({"pin": "1234"}), &[]),
        ] {
            assert_eq!(parse(urn, &value).unwrap(), (kept, met.to_vec()), "{value}");
        }
        for (value, attribute) in [
            (json!({"vip": "maybe"}), "vip"),
            (json!({"hired": "2026-01-31"}), "hired"),
            (json!({"level": 1.5}), "level"),
            (json!({"level": u64::MAX}), "level"),
            (json!({"level": "seven"}), "level"),
            (json!({"seal": "?"}), "seal"),
            (json!({"tags": [{"value": "a"}]}), "tags"),
            (json!({"badge": {"a": 1}}), "badge"),
        ] {
            let error = parse(urn, &value).unwrap_err();
            let attribute = format!("{urn}:{attribute}");
            assert_eq!(about(&error), (ErrorKind::InvalidValue, Some(attribute.as_str())));
        }
    }
}

fn patched(before: &Value, operations: &Value) -> Result<(Value, Vec<Quirk>), ScimError> {
    let of = of(OWN);
    let before = document(&sent(OWN, before), &of);
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let request =
        PatchRequest::parse(&body(&request(operations)), &PATCH_LIMITS, &tolerance, &mut notes)?;
    let after = request.apply(&before, &of, &tolerance, &mut notes)?;
    let own = without_schemas(&after).get(OWN).cloned().unwrap_or_default();
    Ok((own, quirks(&notes)))
}

#[test]
fn lists_of_plain_values_are_patched_by_value() {
    let path = |rest: &str| format!("{OWN}:tags{rest}");
    let is_x = path(r#"[value eq "X"]"#);
    for (operation, after, met) in [
        (
            json!({"op": "add", "path": path(""), "value": ["y", "b"]}),
            json!(["x", "y", "b"]),
            &[][..],
        ),
        (json!({"op": "add", "path": path(""), "value": "b"}), json!(["x", "y", "b"]), &[]),
        (json!({"op": "add", "value": {OWN: {"tags": ["b"]}}}), json!(["x", "y", "b"]), &[]),
        (json!({"op": "replace", "path": path(""), "value": ["b"]}), json!(["b"]), &[]),
        (json!({"op": "remove", "path": path("")}), json!(null), &[]),
        (json!({"op": "remove", "path": is_x}), json!(["y"]), &[]),
        (
            json!({"op": "remove", "path": path(r#"[value sw "x" or value eq "y"]"#)}),
            json!(null),
            &[],
        ),
        (json!({"op": "replace", "path": is_x, "value": "b"}), json!(["b", "y"]), &[]),
        (json!({"op": "replace", "path": is_x, "value": {"value": "b"}}), json!(["b", "y"]), &[]),
        (
            json!({"op": "remove", "path": path(""), "value": ["x", "no"]}),
            json!(["y"]),
            &[Quirk::RemoveWithValue],
        ),
        (
            json!({"op": "add", "path": path(""), "value": [{"$ref": null, "value": "b"}]}),
            json!(["x", "y", "b"]),
            &[Quirk::WrappedValue],
        ),
        (
            json!({"op": "add", "path": path(r#"[value eq "b"]"#), "value": "b"}),
            json!(["x", "y", "b"]),
            &[Quirk::ElementCreated],
        ),
        (
            json!({"op": "remove", "path": path(r#"[value eq "no"]"#)}),
            json!(["x", "y"]),
            &[Quirk::RemoveWithoutMatch],
        ),
    ] {
        let (own, quirks) = patched(&json!({"tags": ["x", "y"]}), &json!([operation])).unwrap();
        assert_eq!(own.get("tags").cloned().unwrap_or_default(), after, "{operation}");
        assert_eq!(quirks, met, "{operation}");
    }
    let grades = format!("{OWN}:grades[value gt 1]");
    let (own, _) =
        patched(&json!({"grades": [1, 2, 3]}), &json!([{"op": "remove", "path": grades}])).unwrap();
    assert_eq!(own, json!({"grades": [1]}));
}

#[test]
fn what_is_immutable_is_set_once() {
    let path = format!("{OWN}:birthplace");
    let before = json!({"birthplace": "London", "badge": "7"});
    for (operation, allowed) in [
        (json!({"op": "add", "path": path, "value": "LONDON"}), true),
        (json!({"op": "replace", "path": path, "value": "Paris"}), false),
        (json!({"op": "replace", "value": {OWN: {"birthplace": "Paris"}}}), false),
        (json!({"op": "remove", "path": path}), false),
        (json!({"op": "remove", "path": OWN}), false),
    ] {
        let after = patched(&before, &json!([operation]));
        assert_eq!(after.is_ok(), allowed, "{operation}");
        if let Err(error) = after {
            assert_eq!(about(&error), (ErrorKind::Mutability, Some(path.as_str())));
            assert!(error.detail().starts_with("Operation 1: "), "{error}");
        }
    }
    let operation = json!([{"op": "add", "path": path, "value": "Paris"}]);
    assert_eq!(patched(&json!({"badge": "7"}), &operation).unwrap().0["birthplace"], "Paris");
}

#[test]
fn a_put_keeps_what_is_immutable_and_what_cannot_be_read() {
    let of = of(OWN);
    let put = |new: &Value, old: &Value| {
        let old = document(&sent(OWN, old), &of);
        let (user, _) = User::parse(&body(&sent(OWN, new)), &of, &Tolerance::default()).unwrap();
        let user = user.replacing(&old, &of)?;
        Ok::<_, ScimError>(user.document().get(OWN).cloned().unwrap_or_default())
    };
    let old = json!({"birthplace": "London", "pin": "1", "badge": "7"});
    let kept = json!({"birthplace": "London", "pin": "1"});
    assert_eq!(put(&json!(null), &old).unwrap(), kept);
    assert_eq!(put(&json!({"birthplace": "london"}), &old).unwrap(), kept);
    assert_eq!(
        put(&json!({"pin": "2", "badge": "8"}), &old).unwrap(),
        json!({"birthplace": "London", "pin": "2", "badge": "8"})
    );
    let error = put(&json!({"birthplace": "Paris"}), &old).unwrap_err();
    let path = format!("{OWN}:birthplace");
    assert_eq!(about(&error), (ErrorKind::Mutability, Some(path.as_str())));
    assert_eq!(put(&json!({"birthplace": "Paris"}), &json!(null)).unwrap()["birthplace"], "Paris");
    assert_eq!(put(&json!(null), &json!({"badge": "7"})).unwrap(), json!(null));
}

#[test]
fn filters_know_their_kinds() {
    let of = of(OWN);
    let search = document(
        &sent(
            OWN,
            &json!({"badge": "Seven", "shirt": "M", "vip": true, "hired": "2026-01-31T08:00:00Z",
                "level": 7, "rate": 0.5, "page": "https://example.com/A", "seal": "TQ==",
                "tags": ["Blue", "green"], "grades": [1, 9]}),
        ),
        &of,
    )
    .search(&of);
    let matches = |text: &str| {
        let text = text.replace('@', &format!("{OWN}:"));
        let (tolerance, mut notes) = (Tolerance::strict(), Notes::default());
        let filter = Filter::parse(&text, &FilterLimits::default(), &tolerance, &mut notes)?;
        Ok::<_, ScimError>(filter.bind(&of, &tolerance, &mut notes)?.matches(&search))
    };
    for (text, expected) in [
        (r#"@badge eq "Seven""#, true),
        (r#"@badge eq "seven""#, false),
        (r#"@SHIRT eq "m""#, true),
        ("@vip eq true", true),
        (r#"@hired gt "2026-01-31T08:30:00+01:00""#, true),
        ("@level ge 7 and @level lt 7.5", true),
        ("@rate eq 0.50", true),
        (r#"@page sw "https://example.com/A""#, true),
        (r#"@page eq "https://example.com/a""#, false),
        (r#"@seal eq "TQ==""#, true),
        (r#"@tags eq "blue""#, true),
        (r#"@tags co "REE""#, true),
        (r#"@tags eq "red""#, false),
        ("@grades gt 8", true),
        ("@tags pr and not (@birthplace pr)", true),
        (r#"@birthplace ne "x""#, true),
    ] {
        assert_eq!(matches(text).unwrap(), expected, "{text}");
    }
    for text in [
        r#"@pin eq "1""#,
        "@pin pr",
        r#"@vip gt true"#,
        r#"@seal gt "A""#,
        r#"@hired co "2026""#,
        r#"@level co 7"#,
        r#"@level eq "7""#,
        r#"@nothing eq "1""#,
        r#"badge eq "Seven""#,
    ] {
        assert_eq!(matches(text).unwrap_err().kind(), ErrorKind::InvalidFilter, "{text}");
    }
}

fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let declaration = json!({"id": OWN, "attributes": [
        {"name": "badge"}, {"name": "pin", "mutability": "writeOnly"},
        {"name": "notes", "returned": "request"}, {"name": "rank", "returned": "always"},
    ]});
    let custom = scim_core::Custom::parse(&declaration.to_string()).unwrap();
    let of = scim_core::Schemas::builtin().with(&custom).user;
    let projection = Projection::parse(attributes, excluded, &of).unwrap();
    assert!(!projection.everything());
    let mut resource = json!({"schemas": [USER, OWN], "id": "1", "userName": "ada",
        OWN: {"badge": "7", "pin": "1", "notes": "n", "rank": 3}});
    projection.apply(resource.as_object_mut().unwrap(), &of);
    resource[OWN].take()
}

#[test]
fn answers_carry_what_returned_says() {
    let notes = format!("{OWN}:notes");
    for (attributes, excluded, expected) in [
        (None, None, json!({"badge": "7", "rank": 3})),
        (Some(OWN), None, json!({"badge": "7", "rank": 3})),
        (Some(notes.as_str()), None, json!({"notes": "n", "rank": 3})),
        (Some("userName"), None, json!({"rank": 3})),
        (None, Some(OWN), json!({"rank": 3})),
        (None, Some("userName"), json!({"badge": "7", "rank": 3})),
        (None, Some(notes.as_str()), json!({"badge": "7", "rank": 3})),
    ] {
        assert_eq!(shown(attributes, excluded), expected, "{attributes:?} {excluded:?}");
    }
}

#[test]
fn changes_are_told_by_full_name() {
    let of = of(OWN);
    let old = document(&sent(OWN, &json!({"tags": ["a"], "level": 1})), &of);
    let new = document(&sent(OWN, &json!({"tags": ["b"], "level": 1})), &of);
    assert_eq!(new.changed_since(&old, &of), [format!("{OWN}:tags")]);
    assert_eq!(new.search(&of)[OWN], json!({"tags": ["b"], "level": 1}));
    assert_eq!(Document::stored(&new.to_text()).unwrap(), new);
}

#[test]
fn a_required_attribute_of_ones_own_is_missed() {
    let declaration = json!({"id": OWN, "attributes": [{"name": "badge", "required": true}]});
    let custom = scim_core::Custom::parse(&declaration.to_string()).unwrap();
    let of = scim_core::Schemas::builtin().with(&custom).user;
    for own in [json!(null), json!({"badge": " "})] {
        let error = User::parse(&body(&sent(OWN, &own)), &of, &Tolerance::default()).unwrap_err();
        assert!(error.is_missing(), "{error}");
        assert_eq!(error.attribute(), Some(format!("{OWN}:badge").as_str()));
    }
    let error = User::parse(&body(&json!({})), &of, &Tolerance::default()).unwrap_err();
    assert_eq!(error.attribute(), Some("userName"));
    assert!(error.detail().contains("userName, urn:"), "{error}");
}

/// RFC 7643 §2.3.5: an instant is a valid `xsd:dateTime`.
#[test]
fn an_instant_is_of_the_form_that_xml_schema_has() {
    let at = |text: &str| json!({"hired": text});
    for text in ["2026-11-22T24:00:00Z", "2026-11-22T08:00:00.5+14:00", "2026-11-22T08:00:00-00:00"]
    {
        assert_eq!(parse(OWN, &at(text)).unwrap(), (at(text), vec![]), "{text}");
    }
    for text in ["2026-11-22 08:00:00Z", "2026-11-22t08:00:00Z", "2026-11-22T08:00:00z"] {
        let kept = at("2026-11-22T08:00:00Z");
        assert_eq!(parse(OWN, &at(text)).unwrap(), (kept, vec![Quirk::DateTimeForm]), "{text}");
        let strict = Tolerance::all_but([Quirk::DateTimeForm]);
        let error = User::parse(&body(&sent(OWN, &at(text))), &of(OWN), &strict).unwrap_err();
        assert_eq!(about(&error), (ErrorKind::InvalidValue, Some(&*format!("{OWN}:hired"))));
        let filter = format!("{OWN}:hired eq \"{text}\"");
        for (tolerance, taken) in [(Tolerance::default(), true), (strict, false)] {
            let (of, mut notes) = (of(OWN), Notes::default());
            let limits = FilterLimits::default();
            let filter = Filter::parse(&filter, &limits, &tolerance, &mut notes).unwrap();
            assert_eq!(filter.bind(&of, &tolerance, &mut notes).is_ok(), taken, "{text}");
        }
    }
    for text in [
        "0000-01-01T00:00:00Z",
        "2026-11-22T08:00:00+15:00",
        "2026-11-22T24:00:01Z",
        "2026-11-22T08:00:60Z",
        "2026-11-22T08:00:00 Z",
        "2026-11-22",
    ] {
        let error = parse(OWN, &at(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{text}");
    }
}
