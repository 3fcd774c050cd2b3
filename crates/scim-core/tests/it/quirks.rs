//! The quirk ledger: each row is tolerated and noted, and refused by whoever is strict about it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use crate::custom::{OWN, schemas};
use crate::patch::{PATCH_LIMITS, document, shown, texts, without_schemas};
use crate::support::{body, ignored};
use scim_core::{
    Attributes, Filter, FilterLimits, Group, Notes, PatchRequest, Quirk, ResourceType, Schemas,
    ScimError, Tolerance, User,
};
use serde_json::{Value, json};

/// What came of a fixture, in the words of the fixture.
#[derive(Debug, PartialEq)]
struct Outcome {
    after: Value,
    members: Value,
    matches: Value,
    ignored: Vec<String>,
    quirks: Vec<Quirk>,
}

fn fixture(name: &str) -> Option<Value> {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn run(fixture: &Value, tolerance: &Tolerance) -> Result<Outcome, ScimError> {
    let all = if fixture["own"] == true { schemas(OWN) } else { (*Schemas::builtin()).clone() };
    let of = if fixture["resource"] == "Group" { &all.group } else { &all.user };
    let mut notes = Notes::default();
    let (after, members, matches) = if fixture.get("body").is_some() {
        let (after, members) = post(&body(&fixture["body"]), of, tolerance, &mut notes)?;
        (after, members, Value::Null)
    } else if fixture.get("patch").is_some() {
        let (after, members) = patched(fixture, of, tolerance, &mut notes)?;
        (after, members, Value::Null)
    } else {
        let text = fixture["filter"].as_str().unwrap();
        let filter = Filter::parse(text, &FilterLimits::default(), tolerance, &mut notes)?;
        let condition = filter.bind(of, tolerance, &mut notes)?;
        let search = document(&fixture["before"], of).search(of);
        (Value::Null, Value::Null, json!(condition.matches(&search)))
    };
    let ignored = ignored(&notes).into_iter().map(str::to_owned).collect();
    Ok(Outcome { after, members, matches, ignored, quirks: notes.quirks().collect() })
}

fn post(
    body: &Attributes,
    of: &ResourceType,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(Value, Value), ScimError> {
    if of.name == "User" {
        let (user, met) = User::parse(body, of, tolerance)?;
        notes.absorb(met);
        return Ok((without_schemas(user.document()), Value::Null));
    }
    let (group, members, met) = Group::parse(body, of, tolerance, 100)?;
    notes.absorb(met);
    let ids = members.map(|members| members.into_iter().map(|m| json!(m.id)).collect());
    Ok((without_schemas(group.document()), ids.unwrap_or_default()))
}

fn patched(
    fixture: &Value,
    of: &ResourceType,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(Value, Value), ScimError> {
    let before = document(&fixture["before"], of);
    let mut request =
        PatchRequest::parse(&body(&fixture["patch"]), &PATCH_LIMITS, tolerance, notes)?;
    let mut steps = Vec::new();
    if of.name == "Group" {
        (request, steps) = request.split_members("own", tolerance, notes)?;
    }
    let after = request.apply(&before, of, tolerance, notes)?;
    let steps: Vec<Value> = steps.iter().map(shown).collect();
    let steps = if steps.is_empty() { Value::Null } else { Value::Array(steps) };
    Ok((without_schemas(&after), steps))
}

#[test]
fn each_quirk_is_tolerated_noted_and_refused_alone() {
    for quirk in Quirk::ALL.iter().copied() {
        let id = quirk.id();
        // What only HTTP shows is tested where HTTP is.
        let Some(fixture) = fixture(quirk.fixture()) else {
            assert!(quirk.fixture().contains(": "), "{id} has no fixture");
            continue;
        };
        let expected = Outcome {
            after: fixture["after"].clone(),
            members: fixture["members"].clone(),
            matches: fixture["matches"].clone(),
            ignored: texts(&fixture["ignored"]).into_iter().map(str::to_owned).collect(),
            quirks: vec![quirk],
        };
        let strict_elsewhere =
            Tolerance::all_but(Quirk::ALL.iter().copied().filter(|other| *other != quirk));
        for tolerance in [Tolerance::default(), strict_elsewhere] {
            let came = run(&fixture, &tolerance).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(came, expected, "{id}, strict about {tolerance}");
        }
        for tolerance in [Tolerance::all_but([quirk]), Tolerance::strict()] {
            let Err(error) = run(&fixture, &tolerance) else { panic!("{id} is not refused") };
            assert_eq!(error.kind().scim_type(), quirk.scim_type(), "{id}: {error}");
            assert_eq!(error.kind().status(), quirk.status(), "{id}: {error}");
        }
    }
}

#[test]
fn what_the_rfcs_send_is_taken_by_the_strictest() {
    let folder = format!("{}/tests/fixtures/rfc", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let sent: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let all = Schemas::builtin();
        let strict = Tolerance::strict();
        let mut notes = Notes::default();
        if name.starts_with("rfc7643-8.")
            && (sent.get("displayName").is_some() || sent.get("userName").is_some())
        {
            let of = if sent.get("userName").is_some() { &all.user } else { &all.group };
            let taken = post(&body(&sent), of, &strict, &mut notes);
            assert!(taken.is_ok(), "{name}: {taken:?}");
        } else if sent["patch"].get("Operations").is_some() && sent.get("error").is_none() {
            let came = run(&sent, &strict).map(|_| ());
            let quirks = texts(&sent["quirks"]);
            assert_eq!(came.is_ok(), quirks.is_empty(), "{name}: {came:?}");
        }
    }
}
