//! A filter: parse, print, parse again; bind to both resource types; evaluate on a document made of the filter.

use super::scene;
use scim_core::{
    AttrPath, Condition, Document, Filter, FilterLimits, Literal, Notes, Op, Operand, ResourceType,
    Target, Tolerance,
};
use serde_json::{Map, Value};

/// Any bytes.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for tolerance in scene::tolerances() {
        let mut notes = Notes::default();
        let Ok(filter) = Filter::parse(text, &scene::FILTER, &tolerance, &mut notes) else {
            continue;
        };
        check_printed(&filter);
        for of in scene::types() {
            let Ok(condition) = filter.bind(of, &tolerance, &mut Notes::default()) else {
                continue;
            };
            let document = document_of(&filter, of);
            check_evaluated(&filter, &condition, &document, of);
        }
    }
}

/// parse ∘ print = identity, and what is printed needs no tolerance.
fn check_printed(filter: &Filter) {
    let printed = filter.to_string();
    // Escapes lengthen the text, and each join may get brackets that it did without.
    let wide = FilterLimits {
        bytes: usize::MAX,
        depth: 3 * scene::FILTER.depth,
        terms: scene::FILTER.terms,
    };
    let mut notes = Notes::default();
    let read = Filter::parse(&printed, &wide, &Tolerance::strict(), &mut notes);
    assert_eq!(read.as_ref(), Ok(filter), "{printed}");
    assert_eq!(notes, Notes::default(), "{printed}");
    assert_eq!(read.map(|filter| filter.to_string()), Ok(printed.clone()), "{printed}");
}

/// A document that has what the filter compares with, where it compares with it.
fn document_of(filter: &Filter, of: &ResourceType) -> Document {
    let mut body = scene::seeded(of).as_map().clone();
    let mut terms = Vec::new();
    collect(filter, None, &mut terms);
    for (path, value) in terms {
        let mut with = body.clone();
        put(&mut with, path, value);
        if scene::read(&Value::Object(with.clone()), of).is_some() {
            body = with;
        }
    }
    scene::read(&Value::Object(body), of).unwrap_or_else(|| scene::seeded(of))
}

fn collect<'f>(
    filter: &'f Filter,
    list: Option<&'f AttrPath>,
    terms: &mut Vec<(AttrPath, &'f Literal)>,
) {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => {
            operands.iter().for_each(|operand| collect(operand, list, terms));
        }
        Filter::Not(filter) => collect(filter, list, terms),
        Filter::Element { path, filter } => collect(filter, Some(path), terms),
        Filter::Present(_) => {}
        Filter::Compare { path, value, .. } => terms.push(match list {
            Some(list) => (AttrPath { sub: Some(path.name.clone()), ..list.clone() }, value),
            None => (path.clone(), value),
        }),
    }
}

fn put(body: &mut Map<String, Value>, path: AttrPath, value: &Literal) {
    let value = match value {
        Literal::Text(text) => Value::String(text.clone()),
        Literal::Boolean(truth) => Value::Bool(*truth),
        Literal::Number(number) => Value::Number(number.clone()),
        Literal::Null => return,
    };
    // Names in any case are one name, and a body has none twice.
    body.retain(|key, _| !key.eq_ignore_ascii_case(&path.name));
    match (path.urn, path.sub) {
        (None, None) => body.insert(path.name, value),
        (None, Some(sub)) => body.insert(path.name, Value::Object(Map::from_iter([(sub, value)]))),
        (Some(urn), sub) => {
            let key = AttrPath { urn: Some(urn), name: path.name, sub }.to_string();
            body.retain(|other, _| !other.eq_ignore_ascii_case(&key));
            body.insert(key, value)
        }
    };
}

fn check_evaluated(filter: &Filter, condition: &Condition, document: &Document, of: &ResourceType) {
    let search = document.search(of);
    let holds = condition.matches(&search);
    let negated = Condition::Not(Box::new(condition.clone()));
    assert_eq!(negated.matches(&search), !holds, "{filter}");
    check_joins(condition, &search);

    let printed = filter.to_string();
    let tolerance = Tolerance::default();
    let wide = FilterLimits { bytes: usize::MAX, depth: 100, terms: 100 };
    let again = Filter::parse(&printed, &wide, &tolerance, &mut Notes::default())
        .and_then(|again| again.bind(of, &tolerance, &mut Notes::default()));
    assert_eq!(again.map(|again| again.matches(&search)), Ok(holds), "{printed}");

    // What the document was given is what a comparison for equality finds.
    if let (Filter::Compare { op: Op::Eq, value, .. }, Condition::Compare { target, operand, .. }) =
        (filter, condition)
        && *value != Literal::Null
        && *operand != Operand::Text(String::new())
        && is_given(target, value, document)
    {
        assert!(holds, "{filter} on {}", document.to_text());
    }
}

/// Whether the document has the literal itself at the target.
fn is_given(target: &Target, value: &Literal, document: &Document) -> bool {
    let home = match &target.extension {
        None => Some(document.as_map()),
        Some(urn) => document.get(urn).and_then(Value::as_object),
    };
    let Some(whole) = home.and_then(|home| home.get(&target.attribute)) else { return false };
    let elements = whole.as_array().map_or(std::slice::from_ref(whole), Vec::as_slice);
    elements.iter().any(|element| {
        let found = target.sub.as_ref().map_or(Some(element), |sub| element.get(&sub.name));
        match (found, value) {
            (Some(Value::String(found)), Literal::Text(text)) => found == text,
            (Some(Value::Bool(found)), Literal::Boolean(truth)) => found == truth,
            (Some(Value::Number(found)), Literal::Number(number)) => found == number,
            _ => false,
        }
    })
}

/// A join holds when all or any of its operands hold.
fn check_joins(condition: &Condition, search: &Map<String, Value>) {
    let of_each = |operands: &[Condition]| -> Vec<bool> {
        operands
            .iter()
            .map(|operand| {
                check_joins(operand, search);
                operand.matches(search)
            })
            .collect()
    };
    match condition {
        Condition::And(operands) => {
            let all = of_each(operands).into_iter().all(|holds| holds);
            assert_eq!(condition.matches(search), all, "{condition:?}");
        }
        Condition::Or(operands) => {
            let any = of_each(operands).into_iter().any(|holds| holds);
            assert_eq!(condition.matches(search), any, "{condition:?}");
        }
        Condition::Not(inner) => check_joins(inner, search),
        Condition::Present(_) | Condition::Compare { .. } | Condition::Element { .. } => {}
    }
}
