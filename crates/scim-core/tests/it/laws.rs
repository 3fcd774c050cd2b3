//! What holds for every document and every change of one, made from the schemas themselves.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::fuzz::scene;
use proptest::prelude::*;
use scim_core::schema::Format;
use scim_core::{
    AttrPath, Attribute, Attributes, Document, Filter, FilterLimits, Kind, Mutability, Notes,
    PatchRequest, ResourceType, ScimError, Tolerance,
};
use serde_json::{Map, Value, json};

/// The name of an attribute as a path, and its value.
type Parts = Vec<(String, Value)>;

fn any_text() -> BoxedStrategy<Value> {
    "[a-zA-Z0-9åßÉ@.]{1,8}( [a-z]{1,4})?".prop_map(Value::String).boxed()
}

fn any_scalar(attribute: &Attribute) -> BoxedStrategy<Value> {
    match attribute.kind {
        Kind::Boolean => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Integer => any::<i32>().prop_map(|n| json!(n)).boxed(),
        Kind::Decimal => any::<i32>().prop_map(|n| json!(f64::from(n) / 8.0)).boxed(),
        Kind::DateTime => {
            prop::sample::select(vec!["2011-05-13T04:42:34Z", "2026-01-31T08:00:00.5+02:00"])
                .prop_map(|text| json!(text))
                .boxed()
        }
        Kind::Binary => {
            prop::sample::select(vec!["TQ==", "TWE=", "TWFu"]).prop_map(|text| json!(text)).boxed()
        }
        Kind::Reference => "https://example\\.com/[a-z]{1,4}".prop_map(Value::String).boxed(),
        Kind::String if !attribute.canonical_values.is_empty() => {
            let suggested = prop::sample::select(attribute.canonical_values.clone());
            prop_oneof![3 => suggested.prop_map(Value::String), 1 => any_text()].boxed()
        }
        Kind::String => any_formatted(attribute.handling.format),
        Kind::Complex => any_parts(&attribute.sub_attributes, 0.5).prop_map(Value::Object).boxed(),
    }
}

fn any_formatted(format: Format) -> BoxedStrategy<Value> {
    let texts = match format {
        Format::Any => return any_text(),
        Format::LanguageTag => vec!["en-US", "de", "zh-Hant-TW"],
        Format::LanguageRanges => vec!["en-US, de;q=0.8", "fr"],
        Format::TimeZone => vec!["Europe/Berlin", "UTC"],
    };
    prop::sample::select(texts).prop_map(|text| json!(text)).boxed()
}

/// A value that fits the attribute; empty where it is of parts and has none.
fn any_value(attribute: &Attribute) -> BoxedStrategy<Value> {
    if attribute.multi_valued {
        return prop::collection::vec(any_scalar(attribute), 1..4).prop_map(Value::Array).boxed();
    }
    any_scalar(attribute)
}

/// Some of the attributes that a client may write.
fn any_parts(attributes: &[Attribute], chance: f64) -> BoxedStrategy<Map<String, Value>> {
    let writable = |a: &&Attribute| a.mutability == Mutability::ReadWrite && a.name != "schemas";
    let each: Vec<_> = attributes
        .iter()
        .filter(writable)
        .map(|a| (Just(a.name.clone()), prop::option::weighted(chance, any_value(a))))
        .collect();
    each.prop_map(|all| all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
        .boxed()
}

/// A document with some of all attributes of its schemas. The members of a group are not in its document.
fn any_document(of: &'static ResourceType) -> BoxedStrategy<Document> {
    let own: Vec<Attribute> = of
        .common
        .iter()
        .chain(&of.core.attributes)
        .filter(|attribute| attribute.name != "members" && !attribute.required)
        .cloned()
        .collect();
    let extensions: Vec<_> = of
        .extensions
        .iter()
        .map(|schema| (Just(schema.id.clone()), any_parts(&schema.attributes, 0.4)))
        .collect();
    // The name is another's key, and never missing.
    let name = if of.name == "Group" { "displayName" } else { "userName" };
    (any_parts(&own, 0.3), extensions, "[a-y0-9]{1,8}")
        .prop_map(move |(mut map, extensions, text)| {
            map.insert(name.to_owned(), Value::String(text));
            map.extend(extensions.into_iter().map(|(id, parts)| (id, Value::Object(parts))));
            let body = Attributes::from(map);
            Document::parse(&body, of, &Tolerance::default(), &mut Notes::default()).unwrap()
        })
        .boxed()
}

fn user() -> BoxedStrategy<Document> {
    any_document(scene::user())
}

/// The top-level attributes and those of extensions, each by its path.
fn parts(document: &Document, of: &ResourceType) -> Parts {
    let mut all = Parts::new();
    for (name, value) in document.as_map() {
        match (of.extension(name), value) {
            (Some(_), Value::Object(inner)) => {
                all.extend(inner.iter().map(|(part, v)| (format!("{name}:{part}"), v.clone())));
            }
            _ if name == "schemas" => {}
            _ => all.push((name.clone(), value.clone())),
        }
    }
    all
}

fn apply_as(
    document: &Document,
    operations: &[Value],
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<Document, ScimError> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    });
    let body = Attributes::parse(body.to_string().as_bytes(), &scene::JSON)?;
    let mut notes = Notes::default();
    let request = PatchRequest::parse(&body, &scene::PATCH, tolerance, &mut notes)?;
    request.apply(document, of, tolerance, &mut notes)
}

fn apply(document: &Document, operations: &[Value]) -> Result<Document, ScimError> {
    apply_as(document, operations, scene::user(), &Tolerance::default())
}

fn operation(op: &str, path: &str, value: &Value) -> Value {
    json!({"op": op, "path": path, "value": value})
}

fn removal(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}

/// The operations of a client that has `from` there and wants `to`, and knows neither PUT nor paths for values.
fn difference(from: &Document, to: &Document, of: &ResourceType) -> Vec<Value> {
    let mut target = to.as_map().clone();
    target.remove("schemas");
    let mut operations = vec![json!({"op": "replace", "value": target})];
    let wanted = parts(to, of);
    for (path, was) in parts(from, of) {
        match (wanted.iter().find(|(name, _)| *name == path), &was) {
            (None, _) => operations.push(removal(&path)),
            // §3.5.2.3: of what has parts, those that are named are replaced.
            (Some((_, Value::Object(is))), Value::Object(was)) => operations.extend(
                was.keys()
                    .filter(|part| !is.contains_key(*part))
                    .map(|part| removal(&format!("{path}.{part}"))),
            ),
            _ => {}
        }
    }
    operations
}

/// The same path with other letters.
fn recased(path: &str) -> String {
    path.char_indices()
        .map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect()
}

fn any_name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,6}".prop_filter("not", |name| !name.eq_ignore_ascii_case("not"))
}

fn any_path() -> impl Strategy<Value = AttrPath> {
    let urn = prop::option::of("urn:[a-z]{1,6}:[a-zA-Z0-9.:-]{0,12}[a-zA-Z0-9]");
    (urn, any_name(), prop::option::of("[a-zA-Z$][a-zA-Z0-9_-]{0,6}"))
        .prop_map(|(urn, name, sub)| AttrPath { urn, name, sub })
}

proptest! {
    #[test]
    fn a_printed_path_reads_as_itself(path in any_path()) {
        prop_assert_eq!(AttrPath::parse(&path.to_string()), Some(path));
    }

    #[test]
    fn a_path_with_a_filter_is_that_path_however_it_is_written(
        list in any_name(), name in any_name(), value in any_text(), sub in prop::option::of(any_name())
    ) {
        let spaced = format!("{list}[ ( {name}  EQ {value} ) AND not( {name} pr)]");
        let tolerance = Tolerance::default();
        let filter = Filter::parse(&spaced, &FilterLimits::default(), &tolerance, &mut Notes::default());
        let end = sub.map(|sub| format!(".{sub}")).unwrap_or_default();
        let read = |text: String| {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [removal(&text)],
            });
            let body = Attributes::parse(body.to_string().as_bytes(), &scene::JSON).unwrap();
            PatchRequest::parse(&body, &scene::PATCH, &tolerance, &mut Notes::default()).unwrap()
        };
        prop_assert_eq!(read(format!("{}{end}", filter.unwrap())), read(format!("{spaced}{end}")));
    }

    #[test]
    fn a_document_of_any_attributes_reads_as_itself(
        user in user(), group in any_document(scene::group())
    ) {
        scene::check_canonical(&user, scene::user());
        scene::check_canonical(&group, scene::group());
    }

    #[test]
    fn a_patch_without_operations_changes_nothing(user in user()) {
        prop_assert_eq!(apply(&user, &[]), Ok(user));
    }

    #[test]
    fn a_patch_gives_what_the_same_change_by_put_gives(from in user(), to in user()) {
        let of = scene::user();
        let operations = difference(&from, &to, of);
        for tolerance in scene::tolerances() {
            prop_assert_eq!(apply_as(&from, &operations, of, &tolerance), Ok(to.clone()));
        }
        // Removing first is as good.
        let (replace, removals) = operations.split_first().unwrap();
        let turned: Vec<Value> = removals.iter().chain([replace]).cloned().collect();
        prop_assert_eq!(apply(&from, &turned), Ok(to));
    }

    #[test]
    fn a_patch_path_by_path_gives_what_one_without_paths_gives(from in user(), to in user()) {
        let whole = difference(&from, &to, scene::user());
        let mut single: Vec<Value> = parts(&to, scene::user())
            .iter()
            .map(|(path, value)| operation("replace", path, value))
            .collect();
        single.extend(whole.into_iter().skip(1));
        prop_assert_eq!(apply(&from, &single), Ok(to));
    }

    #[test]
    fn what_was_not_there_is_added_and_removed_again_without_a_trace(start in user(), other in user()) {
        let of = scene::user();
        let there = parts(&start, of);
        for (path, value) in parts(&other, of) {
            if there.iter().all(|(name, _)| *name != path) {
                let added = apply(&start, &[operation("add", &path, &value)]).unwrap();
                prop_assert_ne!(&added, &start);
                let removed = apply(&added, &[removal(&path)]);
                prop_assert_eq!(removed.as_ref(), Ok(&start), "{}", path);
                // `add` makes one of two elements that are the same pair of value and type (RFC 7643 §2.4).
                if !value.is_array() {
                    let replaced = apply(&start, &[operation("replace", &path, &value)]);
                    prop_assert_eq!(replaced, Ok(added), "{}: nothing there to replace", path);
                }
            }
        }
    }

    #[test]
    fn an_element_is_added_and_removed_again_without_a_trace(start in user()) {
        for list in ["emails", "phoneNumbers", "ims", "roles", "entitlements"] {
            let element = json!([{"value": "new-element", "type": "new-type"}]);
            let added = apply(&start, &[operation("add", list, &element)]).unwrap();
            prop_assert_ne!(&added, &start);
            for path in [
                format!("{list}[value eq \"new-element\"]"),
                format!("{list}[value eq \"NEW-element\" and type eq \"new-type\"]"),
                format!("{list}[not (value ne \"new-element\")]"),
            ] {
                let removed = apply(&added, &[removal(&path)]);
                prop_assert_eq!(removed.as_ref(), Ok(&start), "{}", path);
            }
        }
    }

    #[test]
    fn the_order_of_operations_on_different_attributes_does_not_matter(
        start in user(),
        (sorted, shuffled) in user().prop_flat_map(|other| {
            let operations: Vec<Value> = parts(&other, scene::user())
                .iter()
                .filter(|(path, _)| path != "userName")
                .zip(["add", "replace", "remove"].iter().cycle())
                .map(|((path, value), op)| match *op {
                    "remove" => removal(path),
                    op => operation(op, path, value),
                })
                .collect();
            (Just(operations.clone()), Just(operations).prop_shuffle())
        })
    ) {
        prop_assert_eq!(apply(&start, &sorted).ok(), apply(&start, &shuffled).ok());
    }

    #[test]
    fn one_request_does_what_a_request_for_each_operation_does(start in user(), to in user()) {
        let operations = difference(&start, &to, scene::user());
        let mut step_by_step = start;
        for operation in operations {
            step_by_step = apply(&step_by_step, &[operation]).unwrap();
        }
        prop_assert_eq!(step_by_step, to);
    }

    #[test]
    fn replacing_any_attributes_twice_is_replacing_them_once(start in user(), other in user()) {
        let of = scene::user();
        let by_path: Vec<Value> = parts(&other, of)
            .iter()
            .map(|(path, value)| operation("replace", path, value))
            .collect();
        let mut whole = other.as_map().clone();
        whole.remove("schemas");
        for operations in [by_path, vec![json!({"op": "replace", "value": whole})]] {
            let once = apply(&start, &operations).unwrap();
            prop_assert_eq!(apply(&once, &operations), Ok(once));
        }
    }

    #[test]
    fn a_path_in_other_letters_or_with_its_urn_is_the_same_path(start in user(), other in user()) {
        let of = scene::user();
        for (path, value) in parts(&other, of) {
            let expected = apply_as(&start, &[operation("replace", &path, &value)], of, &Tolerance::strict());
            let mut spellings = vec![recased(&path)];
            if !path.contains(':') {
                spellings.push(format!("{}:{path}", of.core.id));
                spellings.push(recased(&format!("{}:{path}", of.core.id)));
            }
            for spelling in spellings {
                let spelt = [operation("replace", &spelling, &value)];
                let came = apply_as(&start, &spelt, of, &Tolerance::strict());
                prop_assert_eq!(came.ok(), expected.clone().ok(), "{}", spelling);
            }
        }
    }
}

#[test]
fn values_that_differ_in_who_is_primary_alone_become_one() {
    let of = scene::user();
    let twins = json!([{"type": "x", "primary": true}, {"type": "x", "primary": false}]);
    let emails = json!([twins[0], twins[1], {"value": "a@b.c", "primary": true}]);
    let user = scene::read(&json!({"userName": "ada", "emails": emails}), of).unwrap();
    scene::check_canonical(&user, of);
    let user = scene::read(&json!({"userName": "ada", "emails": twins}), of).unwrap();
    let added = json!([{"value": "a@b.c", "primary": true}]);
    for path in ["emails", "emails[value eq \"a@b.c\"]"] {
        let after = apply(&user, &[operation("add", path, &added)]).unwrap();
        scene::check_canonical(&after, of);
        assert_eq!(after.get("emails").and_then(Value::as_array).map(Vec::len), Some(2), "{path}");
    }
}

#[test]
fn a_number_that_is_printed_reads_as_itself() {
    // Read the quick way, what is printed of it is another number.
    let text = format!("{}:shoe-size eq 111111231111111.111", scene::OWN);
    let read = |text: &str| {
        Filter::parse(text, &FilterLimits::default(), &Tolerance::strict(), &mut Notes::default())
    };
    let filter = read(&text).unwrap();
    assert_eq!(read(&filter.to_string()), Ok(filter));
    let body =
        format!(r#"{{"userName": "ada", "{}": {{"shoe-size": 111111231111111.111}}}}"#, scene::OWN);
    let body = Attributes::parse(body.as_bytes(), &scene::JSON).unwrap();
    let of = scene::user();
    let user = Document::parse(&body, of, &Tolerance::default(), &mut Notes::default()).unwrap();
    scene::check_canonical(&user, of);
}
