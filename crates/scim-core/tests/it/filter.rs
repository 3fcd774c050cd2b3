//! Filters: the RFC's examples, the grammar's edges, and what each type allows.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::support::{body, quirks};
use proptest::prelude::*;
use scim_core::{
    AttrPath, Condition, Document, ErrorKind, Filter, FilterLimits, Literal, Notes, Op, Operand,
    Quirk, ResourceType, ScimError, Tolerance,
};
use serde_json::{Map, Value, json};

const LIMITS: FilterLimits = FilterLimits { bytes: 4096, depth: 32, terms: 100 };
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn parse(text: &str) -> Result<Filter, ScimError> {
    Filter::parse(text, &LIMITS, &Tolerance::default(), &mut Notes::default())
}

fn bind(text: &str) -> Result<Condition, ScimError> {
    parse(text)?.bind(ResourceType::user(), &Tolerance::default(), &mut Notes::default())
}

fn search_of(user: &Value) -> Map<String, Value> {
    let of = ResourceType::user();
    let mut notes = Notes::default();
    Document::parse(&body(user), of, &Tolerance::default(), &mut notes).unwrap().search(of)
}

fn ada() -> Map<String, Value> {
    let mut search = search_of(&json!({
        "userName": "Ada@Example.com",
        "externalId": "E-1",
        "active": true,
        "title": "Gräfin",
        "name": {"givenName": "Ada", "familyName": "King \"Lovelace\""},
        "emails": [
            {"type": "work", "value": "ada@example.com", "primary": true},
            {"type": "home", "value": "ADA@home.org"}
        ],
        ENTERPRISE: {"department": "Engines", "manager": {"value": "m-1"}}
    }));
    search.insert("meta".into(), json!({"lastModified": "2026-01-31T08:00:00.000000000Z"}));
    search
}

#[test]
fn the_examples_of_rfc_7644_find_what_they_say() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rfc/rfc7644-3.4.2.2-filters.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut search = search_of(&fixture["user"]);
    search.insert("meta".into(), json!({"lastModified": "2011-08-08T08:00:00.000000000Z"}));
    for example in fixture["filters"].as_array().unwrap() {
        let text = example["filter"].as_str().unwrap();
        let condition = bind(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(json!(condition.matches(&search)), example["matches"], "{text}");
    }
}

#[test]
fn conditions_hold_as_the_contract_says() {
    let search = ada();
    for (text, expected) in [
        // Case, and what ignores it.
        (r#"userName EQ "ADA@example.COM""#, true),
        (r#"EXTERNALID eq "E-1""#, true),
        (r#"externalId eq "e-1""#, false),
        (r#"title eq "GRA\u0308FIN""#, true),
        (r#"name.familyName co "\"love""#, true),
        // Precedence: or < and < not.
        (r#"title pr or userName pr and active eq false"#, true),
        (r#"(title pr or userName pr) and active eq false"#, false),
        (r#"not (active eq false) and title pr"#, true),
        // Lists: any value.
        (r#"emails eq "ada@HOME.org""#, true),
        (r#"emails.value sw "ada@home""#, true),
        (r#"emails.type eq "other""#, false),
        (r#"emails[type eq "home" and value co "@example.com"]"#, false),
        (r#"emails[type eq "work" and value co "@example.com"]and emails[not (primary pr)]"#, true),
        (r#"emails ne "ada@example.com""#, true),
        (r#"not (emails eq "ada@example.com")"#, false),
        // Absence.
        (r#"nickName ne "x""#, true),
        (r#"nickName eq "x""#, false),
        (r#"nickName lt "x""#, false),
        (r#"nickName eq null"#, true),
        (r#"nickName NE NULL"#, false),
        (r#"emails ne null"#, true),
        (r#"phoneNumbers eq null"#, true),
        (r#"nickName pr"#, false),
        (r#"nickName co """#, false),
        (r#"title co """#, true),
        (r#"name pr"#, true),
        (r#"emails pr"#, true),
        (r#"addresses pr"#, false),
        // Types.
        (r#"active eq TRUE"#, true),
        (r#"active eq "True""#, true),
        (r#"active ne false"#, true),
        (r#"emails[primary eq "True"].value eq "ada@example.com""#, true),
        (r#"meta.lastModified eq "2026-01-31T09:00:00+01:00""#, true),
        (r#"meta.lastModified gt "2026-01-31T07:59:59.999Z""#, true),
        (r#"name.givenName ge "ada" and name.givenName le "ada""#, true),
        // Extensions.
        (&format!(r#"{ENTERPRISE}:department eq "engines""#), true),
        (&format!(r#"{}:MANAGER.value eq "m-1""#, ENTERPRISE.to_uppercase()), true),
        (&format!(r#"{ENTERPRISE}:manager eq "m-1""#), true),
        (r#"manager eq "m-1""#, true),
        (r#"manager pr and department pr"#, true),
    ] {
        let condition = bind(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.matches(&search), expected, "{text}");
    }
}

#[test]
fn what_the_grammar_does_not_have_is_invalid_filter_with_the_place() {
    for (text, says) in [
        ("", "ends where an attribute"),
        ("   ", "ends where an attribute"),
        ("userName", "ends where an operator"),
        ("userName eq", "ends where a value"),
        (r#"userName is "x""#, "character 10: `is`"),
        (r#"userName eq "x" title pr"#, "character 17: `title`"),
        (r#"userName eq "x" and"#, "ends"),
        (r#"(userName eq "x""#, "`)`"),
        (r#"userName eq "x")"#, "character 16: `)`"),
        (r#"not userName eq "x""#, "`(` after `not`"),
        (r#"emails[type eq "work""#, "`]`"),
        (r#"emails[emails[type eq "x"]]"#, "one level"),
        (r#"user name eq "x""#, "character 6: `name`"),
        (r#""userName" eq "x""#, "character 1: a quoted text"),
        (r#"userName eq 'x'"#, "double quotes"),
        (r#"userName eq "x"#, "no end"),
        (r#"userName eq "\x""#, "JSON string"),
        (r#"userName eq "\u0000""#, "U+0000"),
        (r#"1a eq "x""#, "character 1"),
        ("a\u{0}b pr", "control"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidFilter, "{text}");
        assert!(error.detail().contains(says), "{text}: {error}");
    }
}

#[test]
fn limits_are_named_with_their_number() {
    let deep = |n: usize| format!("{}title pr{}", "(".repeat(n), ")".repeat(n));
    let wide = |n: usize| vec!["title pr"; n].join(" or ");
    let long = |n: usize| format!("title eq \"{}\"", "x".repeat(n - 11));
    for (ok, too_much, number) in [
        (deep(32), deep(33), "32"),
        (wide(100), wide(101), "100"),
        (long(4096), long(4097), "4096"),
    ] {
        parse(&ok).unwrap();
        let error = parse(&too_much).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidFilter);
        assert!(error.detail().contains(number), "{error}");
    }
    let brackets = "(".repeat(4000);
    assert!(parse(&brackets).unwrap_err().detail().contains("32"));
}

#[test]
fn attribute_operator_and_value_must_go_together() {
    for text in [
        r#"shoeSize eq "x""#,
        r#"name.shoeSize eq "x""#,
        r#"urn:example:2.0:User:userName eq "x""#,
        r#"password eq "x""#,
        r#"active gt true"#,
        r#"active co "t""#,
        r#"active eq "perhaps""#,
        r#"active eq 1"#,
        r#"userName eq true"#,
        r#"userName gt null"#,
        r#"meta.created co "2026""#,
        r#"meta.created gt "yesterday""#,
        r#"meta.created gt 2026"#,
        r#"name eq "x""#,
        r#"addresses eq "x""#,
        r#"userName[type eq "x"]"#,
        r#"emails.value[type eq "x"]"#,
        r#"emails[shoeSize eq "x"]"#,
        r#"emails[value.x eq "x"]"#,
        r#"x509Certificates.value gt "x""#,
    ] {
        let error = bind(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidFilter, "{text}");
        assert!(error.attribute().is_some(), "{text}: {error}");
    }
}

#[test]
fn binding_names_the_canonical_attribute() {
    let Condition::Compare { target, op, operand } = bind(r#"EMAILS eq "Ada@X""#).unwrap() else {
        panic!("not a comparison")
    };
    assert_eq!((target.attribute.as_str(), target.multi_valued, op), ("emails", true, Op::Eq));
    assert_eq!(target.sub.unwrap().name, "value");
    assert_eq!(operand, Operand::Text("ada@x".into()));

    let text = format!(r#"{}:manager.VALUE eq "M""#, ENTERPRISE.to_lowercase());
    let Condition::Compare { target, .. } = bind(&text).unwrap() else {
        panic!("not a comparison")
    };
    assert_eq!(target.extension.as_deref(), Some(ENTERPRISE));
    assert_eq!(target.attribute, "manager");

    let Condition::Element { target, condition } = bind(r#"emails[TYPE eq "Work"]"#).unwrap()
    else {
        panic!("not an element")
    };
    assert_eq!((target.attribute.as_str(), target.sub), ("emails", None));
    let Condition::Compare { target, operand, .. } = *condition else { panic!("not a comparison") };
    assert_eq!((target.attribute.as_str(), target.sub), ("type", None));
    assert_eq!(operand, Operand::Text("work".into()));
}

#[test]
fn group_and_common_attributes_bind() {
    let of = ResourceType::group();
    for text in [
        r#"displayName eq "G""#,
        r#"members.value eq "x""#,
        r#"members eq "x""#,
        r#"members[value eq "x" and type eq "User"]"#,
        r#"id eq "x" and schemas pr and meta.lastModified gt "2026-01-01T00:00:00Z""#,
    ] {
        parse(text).unwrap().bind(of, &Tolerance::default(), &mut Notes::default()).unwrap();
    }
    for text in [r#"groups.value eq "x""#, r#"groups.display co "x""#] {
        bind(text).unwrap();
    }
}

#[test]
fn deviations_are_noted_or_refused() {
    for (text, quirk) in [
        ("externalId eq jyoung", Quirk::UnquotedValue),
        ("externalId eq 2819c223-7f76", Quirk::UnquotedValue),
        ("externalId eq 12345", Quirk::UnquotedValue),
        (r#"emails[type eq "work"].value eq "x""#, Quirk::FilterAfterValuePath),
        (r#"active eq "False""#, Quirk::StringBool),
        (r#"department eq "x""#, Quirk::MisplacedExtension),
    ] {
        let read = |tolerance: &Tolerance| {
            let mut notes = Notes::default();
            Filter::parse(text, &LIMITS, tolerance, &mut notes)
                .and_then(|filter| filter.bind(ResourceType::user(), tolerance, &mut notes))
                .map(|_| notes)
        };
        assert_eq!(quirks(&read(&Tolerance::default()).unwrap()), [quirk], "{text}");
        let error = read(&Tolerance::all_but([quirk])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidFilter, "{text}");
    }
}

#[test]
fn a_comparison_after_brackets_is_of_the_same_element() {
    let filter = parse(r#"emails[type eq "work" and primary eq true].value eq "x""#).unwrap();
    let inside = parse(r#"emails[type eq "work" and primary eq true and value eq "x"]"#).unwrap();
    assert_eq!(filter, inside);
}

fn any_path() -> impl Strategy<Value = AttrPath> {
    let urn = prop_oneof![
        4 => Just(None),
        1 => "urn:[a-z]{1,6}:[a-zA-Z0-9.:]{0,12}[a-zA-Z0-9]".prop_map(Some)
    ];
    let sub = prop_oneof![Just(None), "[a-zA-Z$][a-zA-Z0-9_-]{0,6}".prop_map(Some)];
    // `not` in front of `(` is an operator.
    let name = "[a-zA-Z][a-zA-Z0-9_-]{0,6}".prop_filter("not", |n| !n.eq_ignore_ascii_case("not"));
    (urn, name, sub).prop_map(|(urn, name, sub)| AttrPath { urn, name, sub })
}

fn any_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        "[^\u{0}]{0,8}".prop_map(Literal::Text),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(|n| Literal::Number(n.into())),
        (-1000..1000_i32).prop_map(|n| Literal::Number(
            serde_json::Number::from_f64(f64::from(n) / 8.0).unwrap()
        )),
        Just(Literal::Null),
    ]
}

fn any_term() -> impl Strategy<Value = Filter> {
    let op = prop::sample::select(vec![
        Op::Eq,
        Op::Ne,
        Op::Co,
        Op::Sw,
        Op::Ew,
        Op::Gt,
        Op::Ge,
        Op::Lt,
        Op::Le,
    ]);
    prop_oneof![
        any_path().prop_map(Filter::Present),
        (any_path(), op, any_literal()).prop_map(|(path, op, value)| Filter::Compare {
            path,
            op,
            value
        }),
    ]
}

fn joined(inner: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    prop_oneof![
        prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
        prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
        inner.prop_map(|filter| Filter::Not(Box::new(filter))),
    ]
    .boxed()
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let inside = any_term().boxed().prop_recursive(2, 8, 3, joined);
    let element = (any_path(), inside)
        .prop_map(|(path, filter)| Filter::Element { path, filter: Box::new(filter) });
    prop_oneof![any_term(), element].boxed().prop_recursive(3, 16, 3, joined)
}

proptest! {
    #[test]
    fn a_printed_filter_reads_as_itself(filter in any_filter()) {
        let printed = filter.to_string();
        let wide = FilterLimits { bytes: usize::MAX, ..LIMITS };
        let read = Filter::parse(&printed, &wide, &Tolerance::default(), &mut Notes::default());
        prop_assert_eq!(read, Ok(filter), "{}", printed);
    }

    #[test]
    fn no_text_is_too_strange_to_be_read_or_refused(text in "\\PC{0,60}") {
        drop(bind(&text));
    }

    #[test]
    fn no_jumble_of_pieces_is_too_strange(pieces in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "[", "]", "not", "and", "or", "eq", "co", "pr", "\"x\"", "\"", "\\", "emails", "title",
        "active", ".value", "type", "true", "null", "1.5", " ", " ", " ",
    ]), 0..40)) {
        drop(bind(&pieces.concat()));
    }

    #[test]
    fn not_is_plain_negation(text in prop::sample::select(vec![
        "title pr", "nickName eq \"x\"", "emails.value ne \"x\"", "active eq true", "emails[primary eq true]",
        "nickName ne null", "name.givenName gt \"b\"",
    ])) {
        let search = ada();
        let plain = bind(text).unwrap().matches(&search);
        let negated = bind(&format!("not ({text})")).unwrap().matches(&search);
        prop_assert_eq!(plain, !negated);
    }
}
