//! Random people and groups, and what is asked of them: values from small sets, so that questions meet answers.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use scim_core::{Attribute, Kind, ResourceType, Returned, Schema};
use serde_json::{Map, Value, json};

/// Texts that differ in ways that a comparison could miss: case, accents, wildcards of SQL, quotes, lengths.
const TEXTS: [&str; 16] = [
    "ada",
    "ADA",
    "Ada Lovelace",
    "\u{e5}sa",
    "\u{c5}SA",
    "A\u{30a}sa",
    "Stra\u{df}e",
    "STRASSE",
    "100%",
    "1_0",
    "o'brien",
    "say \"hi\"",
    "back\\slash",
    "\u{1f600}",
    "zz",
    "a",
];
const REFERENCES: [&str; 4] =
    ["https://example.com/A", "https://example.com/a", "https://example.com/a%20b", "urn:x"];
const BINARIES: [&str; 3] = ["QUJD", "YWJj", "AAAA"];
const TYPES: [&str; 3] = ["work", "home", "Other"];
const INTEGERS: [i64; 7] = [0, 1, -1, 9, 10, 100, -2_000_000_000_000];
const DECIMALS: [f64; 8] = [0.0, 1.0, -0.5, 0.1, 1.5, 9.75, 1e300, -1e-7];
const INSTANTS: [&str; 5] = [
    "2026-11-22T10:00:00.123Z",
    "2026-11-22T11:00:00.123+01:00",
    "1999-01-01T00:00:00Z",
    "2026-11-22T10:00:00.123456789Z",
    "2026-11-22T09:59:59",
];

/// A value that a plain attribute may have.
fn plain(attribute: &Attribute) -> BoxedStrategy<Value> {
    match attribute.kind {
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Reference => select(&REFERENCES).prop_map(Value::from).boxed(),
        Kind::Binary => select(&BINARIES).prop_map(Value::from).boxed(),
        Kind::Integer => select(&INTEGERS).prop_map(Value::from).boxed(),
        Kind::Decimal => select(&DECIMALS).prop_map(Value::from).boxed(),
        Kind::DateTime => select(&INSTANTS).prop_map(Value::from).boxed(),
        _ if attribute.name == "type" => select(&TYPES).prop_map(Value::from).boxed(),
        _ => select(&TEXTS).prop_map(Value::from).boxed(),
    }
}

fn object(attributes: &[Attribute]) -> BoxedStrategy<Value> {
    let parts: Vec<_> = attributes
        .iter()
        .map(|part| (Just(part.name.clone()), proptest::option::of(plain(part))))
        .collect();
    parts
        .prop_map(|parts| {
            let given = parts.into_iter().filter_map(|(name, value)| Some((name, value?)));
            Value::Object(given.collect())
        })
        .boxed()
}

/// A value that an attribute may have, or none.
fn value(attribute: &Attribute) -> BoxedStrategy<Option<Value>> {
    let one = if attribute.sub_attributes.is_empty() {
        plain(attribute)
    } else {
        object(&attribute.sub_attributes)
    };
    if !attribute.multi_valued {
        return proptest::option::of(one).boxed();
    }
    // Now and then more e-mails than the index of e-mails holds.
    let most = if attribute.name == "emails" { 11 } else { 3 };
    let list = proptest::collection::vec(one, 0..=most).prop_map(|items| {
        let mut primary = false;
        let items: Vec<Value> = items.into_iter().map(|item| once(item, &mut primary)).collect();
        Some(Value::Array(items))
    });
    list.boxed()
}

/// RFC 7643 §2.4: `primary` is true once at most.
fn once(mut item: Value, primary: &mut bool) -> Value {
    if let Some(mark) = item.get_mut("primary")
        && *mark == json!(true)
        && std::mem::replace(primary, true)
    {
        *mark = json!(false);
    }
    item
}

fn body(attributes: &[Attribute]) -> BoxedStrategy<Map<String, Value>> {
    let given: Vec<_> = attributes
        .iter()
        .filter(|attribute| {
            !["groups", "members", "id", "schemas", "meta"].contains(&attribute.name.as_str())
        })
        .map(|attribute| (Just(attribute.name.clone()), value(attribute)))
        .collect();
    given
        .prop_map(|given| {
            given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        })
        .boxed()
}

/// A body without the attribute that must be unique.
pub(crate) fn resource(of: &ResourceType) -> BoxedStrategy<Value> {
    let own: Vec<Attribute> = of.common.iter().chain(&of.core.attributes).cloned().collect();
    let extensions: Vec<Schema> = of.extensions.clone();
    let extended: Vec<_> = extensions
        .into_iter()
        .map(|schema| (Just(schema.id.clone()), body(&schema.attributes)))
        .collect();
    (body(&own), extended)
        .prop_map(|(mut body, extended)| {
            for (urn, values) in extended {
                body.insert(urn, Value::Object(values));
            }
            Value::Object(body)
        })
        .boxed()
}

/// An attribute as a filter names it.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) name: String,
    pub(crate) attribute: Attribute,
}

/// Every attribute and every part of one.
pub(crate) fn paths(of: &ResourceType) -> Vec<Path> {
    let mut all = Vec::new();
    let mut add = |prefix: &str, attribute: &Attribute| {
        if attribute.returned == Returned::Never {
            return;
        }
        let name = format!("{prefix}{}", attribute.name);
        for part in &attribute.sub_attributes {
            all.push(Path { name: format!("{name}.{}", part.name), attribute: part.clone() });
        }
        all.push(Path { name, attribute: attribute.clone() });
    };
    for attribute in of.common.iter().chain(&of.core.attributes) {
        add("", attribute);
    }
    for schema in &of.extensions {
        for attribute in &schema.attributes {
            add(&format!("{}:", schema.id), attribute);
        }
    }
    all
}

/// The operators that an attribute's type allows beside `pr`.
pub(crate) fn operators(attribute: &Attribute) -> &'static [&'static str] {
    match attribute.kind {
        Kind::Boolean => &["eq", "ne"],
        Kind::Binary => &["eq", "ne", "co", "sw", "ew"],
        Kind::DateTime | Kind::Integer | Kind::Decimal => &["eq", "ne", "gt", "ge", "lt", "le"],
        // A complex one is compared by its `value`, where it has one.
        Kind::Complex => match attribute.sub_attribute("value") {
            Some(value) => operators(value),
            None => &[],
        },
        Kind::String | Kind::Reference => &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
    }
}

/// Operands for an attribute: values that occur, parts of them, and some that do not.
pub(crate) fn operands(attribute: &Attribute) -> Vec<Value> {
    match attribute.kind {
        Kind::Boolean => vec![json!(true), json!(false)],
        Kind::DateTime => INSTANTS
            .iter()
            .chain(&["2026-11-22T10:00:00.1234Z", "2030-01-01T00:00:00Z"])
            .map(|text| json!(text))
            .collect(),
        Kind::Integer | Kind::Decimal => INTEGERS
            .iter()
            .map(|number| json!(number))
            .chain(DECIMALS.iter().map(|number| json!(number)))
            .collect(),
        Kind::Reference => {
            REFERENCES.iter().chain(&["", "example"]).map(|text| json!(text)).collect()
        }
        Kind::Binary => BINARIES.iter().chain(&["QU"]).map(|text| json!(text)).collect(),
        Kind::Complex => attribute.sub_attribute("value").map(operands).unwrap_or_default(),
        _ if attribute.name == "type" => {
            TYPES.iter().chain(&["wo", ""]).map(|text| json!(text)).collect()
        }
        _ => TEXTS
            .iter()
            .chain(&["", "d", "SS", "_", "%", "nobody"])
            .map(|text| json!(text))
            .collect(),
    }
}

fn comparison(paths: Vec<Path>) -> BoxedStrategy<String> {
    select(paths)
        .prop_flat_map(|path| {
            let operators = operators(&path.attribute);
            let name = path.name.clone();
            if operators.is_empty() {
                return Just(format!("{name} pr")).boxed();
            }
            let operand = operands(&path.attribute);
            let compared = (select(operators), select(operand))
                .prop_map(move |(op, operand)| format!("{} {op} {operand}", path.name));
            let null = format!("{name} eq null");
            prop_oneof![8 => compared, 1 => Just(format!("{name} pr")), 1 => Just(null)].boxed()
        })
        .boxed()
}

fn joined(leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
    .boxed()
}

/// A filter over a resource type, with brackets now and then.
pub(crate) fn filter(of: &ResourceType) -> BoxedStrategy<String> {
    let plain = comparison(paths(of));
    let own = of.common.iter().chain(&of.core.attributes).map(|a| (a.name.clone(), a.clone()));
    let extended = of.extensions.iter().flat_map(|schema| {
        schema.attributes.iter().map(|a| (format!("{}:{}", schema.id, a.name), a.clone()))
    });
    let lists: Vec<(String, Attribute)> =
        own.chain(extended).filter(|(_, attribute)| attribute.kind == Kind::Complex).collect();
    let brackets = select(lists).prop_flat_map(|(name, list)| {
        let parts: Vec<Path> = list
            .sub_attributes
            .iter()
            .map(|part| Path { name: part.name.clone(), attribute: part.clone() })
            .collect();
        joined(comparison(parts)).prop_map(move |inner| format!("{name}[{inner}]"))
    });
    joined(prop_oneof![3 => plain, 1 => brackets].boxed())
}

/// Which of a number of things belong together.
pub(crate) fn some_of(count: usize) -> BoxedStrategy<Vec<usize>> {
    subsequence((0..count).collect::<Vec<_>>(), 0..=count).boxed()
}
