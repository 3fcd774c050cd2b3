//! What `sortBy` and `sortOrder` may be, and what order they mean (RFC 7644 §3.4.2.3).

use scim_core::{ErrorKind, Notes, ResourceType, Sort, SortValue, Tolerance};
use serde_json::json;
use std::cmp::Ordering;

fn parse(sort_by: &str, sort_order: Option<&str>) -> Result<Sort, scim_core::ScimError> {
    Sort::parse(
        sort_by,
        sort_order,
        ResourceType::user(),
        &Tolerance::default(),
        &mut Notes::default(),
    )
}

#[test]
fn attributes_are_named_in_any_case_with_urn_and_part() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (text, extension, attribute, part) in [
        ("USERNAME", None, "userName", None),
        ("name.FamilyName", None, "name", Some("familyName")),
        ("urn:ietf:params:scim:schemas:core:2.0:User:title", None, "title", None),
        ("meta.lastModified", None, "meta", Some("lastModified")),
        // A complex one alone means its value (RFC 7643 §2.4).
        ("emails", None, "emails", Some("value")),
        ("emails.type", None, "emails", Some("type")),
        (
            "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:Department",
            Some(ENTERPRISE),
            "department",
            None,
        ),
    ] {
        let target = parse(text, None).unwrap().target;
        assert_eq!(target.extension.as_deref(), extension, "{text}");
        assert_eq!(target.attribute, attribute, "{text}");
        assert_eq!(target.sub.map(|sub| sub.name).as_deref(), part, "{text}");
    }
}

#[test]
fn order_is_ascending_unless_it_is_said_to_descend() {
    for (text, descending) in [
        (None, false),
        (Some("ascending"), false),
        (Some("Ascending"), false),
        (Some("DESCENDING"), true),
    ] {
        assert_eq!(parse("userName", text).unwrap().descending, descending);
    }
}

#[test]
fn what_is_nothing_to_sort_by_is_refused_by_name() {
    for (sort_by, sort_order, says) in [
        ("shoeSize", None, "shoeSize is not an attribute that can be sorted by"),
        ("password", None, "password is not an attribute"),
        ("name", None, "name has parts; sort by one of them: name.formatted, name.familyName"),
        ("emails[type eq \"work\"].value", None, "the path of one attribute"),
        ("", None, "the path of one attribute"),
        ("userName", Some("up"), "sortOrder is up; it may be ascending or descending"),
    ] {
        let error = parse(sort_by, sort_order).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{sort_by}");
        assert!(error.detail().contains(says), "{sort_by}: {}", error.detail());
    }
}

#[test]
fn the_primary_value_of_a_list_counts_and_else_its_first() {
    let sort = parse("emails.value", None).unwrap();
    for (emails, expected) in [
        (json!([{ "value": "b" }, { "value": "a", "primary": true }]), Some("a")),
        (json!([{ "value": "b", "primary": false }, { "value": "a" }]), Some("b")),
        (json!([{ "type": "work", "primary": true }, { "value": "c" }]), Some("c")),
        (json!([]), None),
        (json!([{ "type": "work" }]), None),
    ] {
        let search = json!({ "emails": emails });
        let value = sort.value(search.as_object().unwrap());
        assert_eq!(value, expected.map(|text| SortValue::Text(text.into())), "{search}");
    }
}

#[test]
fn what_has_no_value_is_last_ascending_and_first_descending() {
    let ada = SortValue::Text("ada".into());
    let ascending = parse("title", None).unwrap();
    let descending = parse("title", Some("descending")).unwrap();
    assert_eq!(ascending.compare(Some(&ada), None), Ordering::Less);
    assert_eq!(descending.compare(Some(&ada), None), Ordering::Greater);
}

#[test]
fn numbers_are_compared_by_size_and_booleans_false_first() {
    let sort = parse("title", None).unwrap();
    let number = |text: &str| SortValue::Number(text.into());
    for (left, right) in [
        (number("9"), number("10")),
        (number("-1"), number("0.5")),
        (number("1.5"), number("1e300")),
        (SortValue::Boolean(false), SortValue::Boolean(true)),
        (SortValue::Text("Z".into()), SortValue::Text("a".into())),
    ] {
        assert_eq!(sort.compare(Some(&left), Some(&right)), Ordering::Less, "{left:?} {right:?}");
    }
}
