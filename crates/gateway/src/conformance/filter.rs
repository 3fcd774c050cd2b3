//! Filters: RFC 7644 §3.4.2.2, tried on six known people.

use super::check::Need::{Attribute, Enterprise, Filter, Folded, User};
use super::check::{Check, How, Level, Verdict, unmet};
use super::exchange::Exchange;
use super::json::{at, encoded, items};
use super::people::crowd_only;
use super::session::Session;
use serde_json::Value;

/// A check that filters find the right people. `{tag}` in a filter is the run's own name.
const fn finds(
    id: &'static str,
    needs: &'static [super::Need],
    title: &'static str,
    cases: &'static [(&'static str, &'static str)],
) -> Check {
    Check { id, level: Level::Must, needs, title, how: How::Filters(cases) }
}

/// The same, where the RFC's words leave it open.
const fn should(
    id: &'static str,
    needs: &'static [super::Need],
    title: &'static str,
    cases: &'static [(&'static str, &'static str)],
) -> Check {
    Check { id, level: Level::Should, needs, title, how: How::Filters(cases) }
}

/// A check that filters are refused.
const fn refuses(id: &'static str, title: &'static str, cases: &'static [&'static str]) -> Check {
    Check { id, level: Level::Must, needs: &[User, Filter], title, how: How::Refused(cases) }
}

const NAMED: &[super::Need] = &[User, Filter, Attribute("name")];
const FOLDED: &[super::Need] = &[User, Filter, Attribute("title"), Folded("name.givenName")];
const TITLED: &[super::Need] = &[User, Filter, Attribute("title")];
const TYPED: &[super::Need] = &[User, Filter, Attribute("userType")];
const MAILED: &[super::Need] = &[User, Filter, Attribute("emails")];
const WORKING: &[super::Need] = &[User, Filter, Attribute("active"), Attribute("userType")];
const EMPLOYED: &[super::Need] = &[User, Filter, Enterprise];

/// The checks of this module. The people are in `people.rs`.
pub(super) const CHECKS: &[Check] = &[
    finds(
        "7644-3.4.2.2-eq",
        NAMED,
        "eq",
        &[
            ("userName eq \"{tag}-crowd-a@example.com\"", "a"),
            ("name.givenName eq \"Cleo\"", "c"),
            ("name.givenName eq \"Nobody\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-ne",
        TYPED,
        "ne",
        &[("userType ne \"Employee\"", "cde"), ("not (userType eq \"Employee\")", "cde")],
    ),
    finds(
        "7644-3.4.2.2-co",
        NAMED,
        "co, also of characters that databases treat apart",
        &[
            ("name.familyName co \"rch\"", "ae"),
            ("name.familyName co \"%\"", ""),
            ("name.familyName co \"_\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-sw",
        NAMED,
        "sw",
        &[
            ("name.familyName sw \"B\"", "b"),
            ("userName sw \"{tag}-crowd-\"", "abcdef"),
            ("name.givenName sw \"ert\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-ew",
        NAMED,
        "ew",
        &[
            ("name.familyName ew \"er\"", "abcdef"),
            ("name.familyName ew \"rcher\"", "ae"),
            ("userName ew \"-crowd-b@example.com\"", "b"),
            ("name.familyName ew \"arch\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-pr",
        TITLED,
        "pr: has a value that is not empty",
        &[("title pr", "abcef"), ("not (title pr)", "d")],
    ),
    finds(
        "7644-3.4.2.2-pr-complex",
        &[User, Filter, Attribute("emails"), Attribute("addresses")],
        "pr on complex and multi-valued attributes",
        &[("emails pr", "abcdef"), ("name pr", "abcdef"), ("addresses pr", "")],
    ),
    finds(
        "7644-3.4.2.2-gt-lt",
        NAMED,
        "gt, ge, lt, le order texts",
        &[
            ("name.givenName gt \"Cleo\"", "def"),
            ("name.givenName ge \"Cleo\"", "cdef"),
            ("name.givenName lt \"Cleo\"", "ab"),
            ("name.givenName le \"Cleo\"", "abc"),
        ],
    ),
    finds(
        "7644-3.4.2.2-date-time",
        &[User, Filter],
        "gt, ge, lt, le compare instants in time order",
        &[
            ("meta.created gt \"2011-05-13T04:42:34Z\"", "abcdef"),
            ("meta.lastModified lt \"2011-05-13T04:42:34Z\"", ""),
            ("meta.created le \"2999-01-01T00:00:00+14:00\"", "abcdef"),
            ("meta.lastModified ge \"2999-01-01T00:00:00Z\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-boolean",
        WORKING,
        "booleans with eq and ne",
        &[("active eq true", "abdf"), ("active eq false", "ce"), ("active ne true", "ce")],
    ),
    finds(
        "7644-3.4.2.2-and",
        WORKING,
        "and",
        &[
            ("active eq true and userType eq \"Employee\"", "abf"),
            ("active eq false and userType eq \"Employee\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-or",
        WORKING,
        "or",
        &[("active eq false or userType eq \"Employee\"", "abcef")],
    ),
    finds(
        "7644-3.4.2.2-not",
        WORKING,
        "not",
        &[
            ("not (active eq true)", "ce"),
            ("not (active eq true or userType eq \"Intern\")", "c"),
            ("active eq true and not (userType eq \"Employee\")", "d"),
        ],
    ),
    finds(
        "7644-3.4.2.2-precedence",
        WORKING,
        "and binds closer than or",
        &[
            ("userType eq \"Intern\" or userType eq \"Contractor\" and active eq true", "de"),
            ("active eq true and userType eq \"Contractor\" or userType eq \"Intern\"", "de"),
        ],
    ),
    finds(
        "7644-3.4.2.2-grouping",
        WORKING,
        "parentheses change the order",
        &[
            ("(userType eq \"Intern\" or userType eq \"Contractor\") and active eq true", "d"),
            ("((active eq false))", "ce"),
        ],
    ),
    finds(
        "7644-3.4.2.2-value-path",
        MAILED,
        "value paths apply to one value at a time",
        &[
            ("emails[type eq \"home\"]", "bdf"),
            ("emails[type eq \"work\" and value co \"@home.\"]", ""),
            ("emails[type eq \"home\" and value co \"@home.\"]", "bdf"),
            ("emails[type eq \"home\" and not (value co \"-b@\")]", "df"),
            ("emails[primary eq true] and emails[type eq \"home\"]", "bdf"),
        ],
    ),
    finds(
        "7644-3.4.2.2-multi-valued",
        MAILED,
        "a multi-valued attribute matches if one value does",
        &[
            ("emails.type eq \"home\"", "bdf"),
            ("emails.value ew \"@home.example.com\"", "bdf"),
            ("emails co \"@home.example.com\"", "bdf"),
            ("emails eq \"{tag}-crowd-a@example.com\"", "a"),
        ],
    ),
    finds(
        "7644-3.4.2.2-names-any-case",
        NAMED,
        "attribute names and operators in any case",
        &[
            ("NAME.GIVENNAME EQ \"Ada\"", "a"),
            ("username Eq \"{tag}-crowd-b@example.com\" Or name.givenName eQ \"Ada\"", "ab"),
            ("NOT (name.givenName SW \"A\") AND name.familyName PR", "bcdef"),
        ],
    ),
    finds(
        "7644-3.4.2.2-values-any-case",
        FOLDED,
        "values of attributes that are not caseExact in any case",
        &[
            ("name.givenName eq \"ADA\"", "a"),
            ("title sw \"ENGINEER\"", "ab"),
            ("title eq \"engineer\"", "a"),
        ],
    ),
    finds(
        "7644-3.4.2.2-case-exact",
        &[User, Filter],
        "values of caseExact attributes exactly",
        &[
            ("externalId eq \"{tag}-Ext-A\"", "a"),
            ("externalId eq \"{tag}-ext-a\"", ""),
            ("externalId sw \"{tag}-Ext-\"", "abcdef"),
            ("externalId sw \"{tag}-ext-\"", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-escapes",
        TITLED,
        "values are JSON texts with their escapes",
        &[("title eq \"Sales \\\"East\\\" \\\\ West\"", "e"), ("title co \"\\u0045ast\"", "e")],
    ),
    finds(
        "7644-3.4.2.2-urn",
        NAMED,
        "attribute names with the schema's URN, in any case",
        &[
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"{tag}-crowd-a@example.com\"",
                "a",
            ),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName eq \"Ada\"", "a"),
            ("URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:NAME.familyName eq \"Baker\"", "b"),
        ],
    ),
    finds(
        "7644-3.4.2.2-extension",
        EMPLOYED,
        "attributes of an extension by its URN",
        &[
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"1003\"",
                "c",
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"Employee\"",
                "abf",
            ),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter pr", ""),
        ],
    ),
    finds(
        "7644-3.4.2.2-schemas",
        EMPLOYED,
        "resources are found by the values of schemas",
        &[
            ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "abcdef"),
            ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", "abcdef"),
            ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:Group\"", ""),
        ],
    ),
    should(
        "7644-3.4.2.2-null",
        TITLED,
        "eq and ne with null mean absent and present",
        &[("title eq null", "d"), ("title ne null", "abcef")],
    ),
    finds(
        "7644-3.4.2.2-examples",
        &[User, Filter, Attribute("title"), Attribute("userType"), Attribute("ims")],
        "the RFC's own example forms are read",
        &[
            ("title pr and (userType eq \"Employee\")", "abf"),
            (
                "userType eq \"Employee\" and (emails co \"example.com\" or emails.value co \"example.org\")",
                "abf",
            ),
            (
                "userType ne \"Employee\" and not (emails co \"home.example.com\" or emails.value co \"example.org\")",
                "ce",
            ),
            (
                "userType eq \"Employee\" and emails[type eq \"work\" and value co \"@example.com\"]",
                "abf",
            ),
            (
                "emails[type eq \"work\" and value co \"@example.com\"] or ims[type eq \"xmpp\" and value co \"@foo.com\"]",
                "abcdef",
            ),
        ],
    ),
    refuses(
        "7644-3.4.2.2-unknown-operator",
        "an unknown operator is 400 invalidFilter",
        &["userName regex \"x\"", "userName = \"x\"", "userName eq \"x\" xor userName eq \"y\""],
    ),
    refuses(
        "7644-3.4.2.2-syntax",
        "a filter that cannot be read is 400 invalidFilter",
        &[
            "userName eq",
            "userName",
            "(userName eq \"x\"",
            "userName eq \"x",
            "userName eq \"x\" and",
            "emails[type eq \"work\"",
            "not",
            "eq \"x\"",
        ],
    ),
    refuses(
        "7644-3.4.2.2-boolean-order",
        "gt and its like on a boolean are 400 invalidFilter",
        &["active gt true", "active le false"],
    ),
];

/// Asks for the crowd as far as the filter lets it through, and compares the letters.
pub(super) async fn find(session: &Session, cases: &[(&str, &str)]) -> Verdict {
    let crowd = session.crowd().await?;
    for (filter, wanted) in cases {
        let filter = filter.replace("{tag}", session.tag());
        // Parentheses only where they are needed: a server that cannot nest them fails the checks about that, not all.
        let alone = !filter.to_ascii_lowercase().contains(" or ");
        let whole = match alone {
            true => format!("{} and {filter}", crowd_only(session)),
            false => format!("{} and ({filter})", crowd_only(session)),
        };
        let list = ask(session, &whole).await?;
        let mut found: Vec<char> = crowd.letters(&list.body).chars().collect();
        found.sort_unstable();
        let found: String = found.into_iter().collect();
        let what = format!("filter {filter} finds {found:?} instead of {wanted:?}");
        list.wants(found == *wanted, what)?;
        let total = at(&list.body, "/totalResults").as_u64();
        let count = u64::try_from(wanted.len()).unwrap_or_default();
        list.wants(total == Some(count), format!("filter {filter}: totalResults is {total:?}"))?;
    }
    // The filter by itself, as a client would send it.
    for (filter, wanted) in cases.iter().filter(|(filter, _)| filter.contains("{tag}")) {
        let filter = filter.replace("{tag}", session.tag());
        let list = ask(session, &filter).await?;
        let found = crowd.letters(&list.body);
        let all = wanted.chars().all(|letter| found.contains(letter));
        list.wants(
            all && !wanted.is_empty() || found.is_empty(),
            format!("filter {filter} finds {found:?}"),
        )?;
    }
    Ok(())
}

async fn ask(session: &Session, filter: &str) -> Verdict<Exchange> {
    let path = format!("{}?filter={}&count=50", session.users(), encoded(filter));
    let list = session.get(&path).await?;
    list.status(&[200])?;
    is_list(&list)?;
    Ok(list)
}

/// Fails unless the body is a `ListResponse` with a total.
pub(super) fn is_list(list: &Exchange) -> Verdict<&Exchange> {
    let named = super::json::lists(&list.body, "/schemas", super::search::LIST);
    list.wants(named, "the answer is no ListResponse")?;
    list.wants(at(&list.body, "/totalResults").is_u64(), "totalResults is missing")?;
    let shown = items(&list.body, "/Resources");
    list.wants(shown.iter().all(Value::is_object), "Resources holds something else than objects")
}

/// Sends filters that nobody can answer.
pub(super) async fn refuse(session: &Session, filters: &[&str]) -> Verdict {
    if filters.is_empty() {
        return unmet("there is nothing to send");
    }
    ask(session, &crowd_only(session)).await?;
    for filter in filters {
        let path = format!("{}?filter={}", session.users(), encoded(filter));
        session.get(&path).await?.refused_as(400, "invalidFilter")?;
    }
    Ok(())
}
