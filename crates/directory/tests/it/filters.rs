//! A filter finds in the store what it finds in memory: every attribute with every operator that its type allows.

use crate::support::documents::{operands, operators, paths, resource, some_of};
use crate::support::{BASE, Scene, asked, group, tenant, user_of};
use directory::{Start, Want};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use scim_core::{
    Condition, Custom, Filter, FilterLimits, Notes, ResourceType, Schemas, Tolerance, fold,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tenant_registry::Tenant;

/// A resource in the store, and its comparison form as a filter in memory reads it.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) search: Map<String, Value>,
}

/// A tenant with random people and groups.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) users: Vec<Known>,
    pub(crate) groups: Vec<Known>,
}

/// Attributes that the tenant declares: every type, single and as a list.
const OWN: &str = r#"{
    "id": "urn:ietf:params:scim:schemas:extension:acme:2.0:User",
    "attributes": [
        { "name": "shirt-size", "type": "string" }, { "name": "badge", "type": "string", "caseExact": true },
        { "name": "level", "type": "integer" }, { "name": "score", "type": "decimal" },
        { "name": "joined", "type": "dateTime" }, { "name": "remote", "type": "boolean" },
        { "name": "site", "type": "reference" }, { "name": "seal", "type": "binary" },
        { "name": "languages", "type": "string", "multiValued": true },
        { "name": "marks", "type": "decimal", "multiValued": true },
        { "name": "visits", "type": "dateTime", "multiValued": true }
    ]
}"#;
const USERS: usize = 36;
const GROUPS: usize = 12;
/// [`crate::support::NOW`] as the store keeps it: in whole milliseconds.
const AT: &str = "2026-11-22T10:00:00.123000000Z";

impl World {
    pub(crate) async fn new(runner: &mut TestRunner) -> Self {
        let schemas = Arc::new(Schemas::builtin().with(&Custom::parse(OWN).unwrap()));
        let tenant = Tenant { schemas: Arc::clone(&schemas), ..tenant('a') };
        let scene = Scene::of(tenant).await;
        let mut users = Vec::new();
        for number in 0..USERS {
            let mut body = pick(runner, &resource(&schemas.user));
            // Unique, and still in any case and with accents.
            let stem = ["ada", "ADA", "\u{e5}sa", "Stra\u{df}e", "zz"][number % 5];
            body["userName"] = json!(format!("{stem}{number}"));
            let known = user_of(&body, &schemas.user);
            let mut search = known.document().search(&schemas.user);
            let made = scene.scoped.create_user(&known, &asked("user.create")).await;
            let id = made.unwrap().user.id;
            about(&mut search, &id, "User");
            users.push(Known { id, search });
        }
        let mut groups: Vec<Known> = Vec::new();
        for number in 0..GROUPS {
            let mut body = pick(runner, &resource(ResourceType::group()));
            body["displayName"] = json!(format!("Group \u{c5} {number}"));
            let known = group(&body);
            let mut search = known.document().search(ResourceType::group());
            let of_users = pick(runner, &some_of(USERS.min(6)));
            let of_groups = pick(runner, &some_of(groups.len().min(2)));
            let members: Vec<(usize, bool)> = of_users
                .into_iter()
                .map(|place| (place, true))
                .chain(of_groups.into_iter().map(|place| (place, false)))
                .collect();
            let ids: Vec<String> = members
                .iter()
                .map(|(place, is_user)| {
                    if *is_user { &users[*place].id } else { &groups[*place].id }.clone()
                })
                .collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let id = scene.group(&body, &ids).await;
            about(&mut search, &id, "Group");
            let mut list = Vec::new();
            for (place, is_user) in members {
                if is_user {
                    list.push(member(&users[place], "User"));
                    belongs(&mut users[place].search, &id, known.display_name(), "direct");
                } else {
                    list.push(member(&groups[place], "Group"));
                    let within = json!(groups[place].id);
                    let is_in = |user: &Known| {
                        let mut groups = user.search["groups"].as_array().into_iter().flatten();
                        groups.any(|group| group["value"] == within)
                    };
                    for user in
                        users.iter_mut().filter(|u| u.search.contains_key("groups") && is_in(u))
                    {
                        belongs(&mut user.search, &id, known.display_name(), "indirect");
                    }
                }
            }
            if !list.is_empty() {
                search.insert("members".into(), Value::Array(list));
            }
            groups.push(Known { id, search });
        }
        Self { scene, schemas, users, groups }
    }

    /// Compares what the store finds with what memory finds.
    pub(crate) async fn agree(&self, text: &str, of: &ResourceType) -> Result<(), String> {
        let condition = bind(text, of)?;
        let is_user = of.name == "User";
        let known = if is_user { &self.users } else { &self.groups };
        let expected: BTreeSet<&str> = known
            .iter()
            .filter(|one| condition.matches(&one.search))
            .map(|one| one.id.as_str())
            .collect();
        let want = Want {
            now: crate::support::NOW,
            condition: Some(&condition),
            order: None,
            start: Start::Offset(0),
            limit: 1_000,
            base: BASE,
            groups: false,
        };
        let found: Vec<String> = if is_user {
            let listing =
                self.scene.scoped.users(&want).await.map_err(|e| format!("{text}: {e:?}"))?;
            listing.resources.into_iter().map(|user| user.id).collect()
        } else {
            let listing =
                self.scene.scoped.groups(&want).await.map_err(|e| format!("{text}: {e:?}"))?;
            listing.resources.into_iter().map(|group| group.id).collect()
        };
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        if found == expected {
            return Ok(());
        }
        let odd = found.symmetric_difference(&expected).next().unwrap();
        let search = &known.iter().find(|one| one.id == **odd).unwrap().search;
        let who = if found.contains(odd) { "the store alone" } else { "memory alone" };
        Err(format!("{} {text}: {who} finds {}", of.name, Value::Object(search.clone())))
    }
}

pub(crate) fn pick<T: std::fmt::Debug>(
    runner: &mut TestRunner,
    strategy: &impl Strategy<Value = T>,
) -> T {
    strategy.new_tree(runner).unwrap().current()
}

pub(crate) fn bind(text: &str, of: &ResourceType) -> Result<Condition, String> {
    let limits = FilterLimits { bytes: 4096, depth: 32, terms: 100 };
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    Filter::parse(text, &limits, &tolerance, &mut notes)
        .and_then(|filter| filter.bind(of, &tolerance, &mut notes))
        .map_err(|error| format!("{text}: {error:?}"))
}

/// What the service adds to a document.
fn about(search: &mut Map<String, Value>, id: &str, kind: &str) {
    search.insert("id".into(), json!(id));
    search.insert(
        "meta".into(),
        json!({ "resourceType": kind, "created": AT, "lastModified": AT,
                "location": format!("{BASE}/{kind}s/{id}"), "version": "W/\"1\"" }),
    );
}

fn member(of: &Known, kind: &str) -> Value {
    let display = of.search.get("displayName").or_else(|| of.search.get("userName"));
    json!({ "value": of.id, "$ref": format!("{BASE}/{kind}s/{}", of.id), "type": fold(kind), "display": display })
}

/// Each group once, the direct ones first.
fn belongs(search: &mut Map<String, Value>, id: &str, name: &str, kind: &str) {
    let one = json!({ "value": id, "$ref": format!("{BASE}/Groups/{id}"), "display": fold(name), "type": kind });
    match search.get_mut("groups").and_then(Value::as_array_mut) {
        Some(list) if list.iter().any(|group| group["value"] == one["value"]) => {}
        Some(list) => list.push(one),
        None => drop(search.insert("groups".into(), json!([one]))),
    }
}

async fn every_attribute_with_every_operator(pick: fn(&Schemas) -> &ResourceType) {
    let world = World::new(&mut TestRunner::deterministic()).await;
    let of = pick(&world.schemas);
    let (mut asked, mut wrong) = (0, Vec::new());
    for path in paths(of) {
        let mut filters = vec![
            format!("{} pr", path.name),
            format!("not ({} pr)", path.name),
            format!("{} eq null", path.name),
            format!("{} ne null", path.name),
        ];
        for op in operators(&path.attribute) {
            for operand in operands(&path.attribute).iter().step_by(3) {
                filters.push(format!("{} {op} {operand}", path.name));
            }
        }
        for filter in filters {
            asked += 1;
            wrong.extend(world.agree(&filter, of).await.err());
        }
    }

    assert!(wrong.is_empty(), "{} of {asked}: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
    assert!(asked > 150, "only {asked} filters");
}

#[tokio::test]
async fn every_attribute_of_a_user_is_found_with_every_operator_as_in_memory() {
    every_attribute_with_every_operator(|schemas| &schemas.user).await;
}

#[tokio::test]
async fn every_attribute_of_a_group_is_found_with_every_operator_as_in_memory() {
    every_attribute_with_every_operator(|schemas| &schemas.group).await;
}

#[tokio::test]
async fn ids_and_versions_are_found_with_every_operator_as_in_memory() {
    let world = World::new(&mut TestRunner::deterministic()).await;
    let mut wrong = Vec::new();
    for (of, known) in
        [(ResourceType::user(), &world.users), (ResourceType::group(), &world.groups)]
    {
        let one = &known[known.len() / 2].id;
        for name in
            ["id", "meta.location", "meta.version", "members.value", "groups.value", "groups.$ref"]
        {
            if bind(&format!("{name} pr"), of).is_err() {
                continue;
            }
            let values = [
                one.clone(),
                one.to_uppercase(),
                format!("{BASE}/{}s/{one}", of.name),
                "W/\"1\"".into(),
                world.groups[0].id.clone(),
            ];
            for op in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
                for value in &values {
                    let filter = format!("{name} {op} {}", json!(value));
                    wrong.extend(world.agree(&filter, of).await.err());
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
}

#[tokio::test]
async fn a_user_is_found_by_each_of_many_emails() {
    let scene = Scene::new().await;
    let mails: Vec<Value> = (0..40)
        .map(|n| json!({ "value": format!("Ada{n:02}@Example.com"), "type": "work" }))
        .collect();
    let id = scene.user(&json!({ "userName": "ada", "emails": mails })).await;
    scene.user(&json!({ "userName": "bob", "emails": [{ "value": "bob@example.com" }] })).await;
    for number in 0..40 {
        for filter in [
            format!("emails.value eq \"ADA{number:02}@example.com\""),
            format!("emails eq \"ada{number:02}@example.com\""),
            format!("emails[type eq \"work\" and value eq \"ada{number:02}@example.COM\"]"),
        ] {
            let condition = bind(&filter, ResourceType::user()).unwrap();
            let want = Want {
                now: crate::support::NOW,
                condition: Some(&condition),
                order: None,
                start: Start::Offset(0),
                limit: 10,
                base: BASE,
                groups: false,
            };
            let found = scene.scoped.users(&want).await.unwrap();
            let ids: Vec<&str> = found.resources.iter().map(|user| user.id.as_str()).collect();
            assert_eq!(ids, [id.as_str()], "{filter}");
        }
    }
}

#[tokio::test]
async fn an_email_too_long_for_the_index_is_kept_and_found() {
    let scene = Scene::new().await;
    let mut long = String::new();
    for number in 0..900_u64 {
        long.push_str(&format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
    let mails = json!([{ "value": long }, { "value": "short@example.com" }]);
    let id = scene.user(&json!({ "userName": "ada", "emails": mails })).await;
    for (mail, text) in
        [("short", "short@example.com".to_owned()), ("long", long[..3_000].to_owned())]
    {
        let op = if mail == "long" { "sw" } else { "eq" };
        let condition =
            bind(&format!("emails.value {op} \"{text}\""), ResourceType::user()).unwrap();
        let want = Want {
            condition: Some(&condition),
            order: None,
            start: Start::Offset(0),
            limit: 10,
            base: BASE,
            groups: false,
            now: crate::support::NOW,
        };
        let found = scene.scoped.users(&want).await.unwrap();
        assert_eq!(found.resources.len(), 1, "{mail}");
    }
    scene
        .replace(&id, &json!({ "userName": "ada", "emails": [{ "value": "short@example.com" }] }))
        .await
        .unwrap();
    let changes = scene.store.texts("SELECT kind FROM changes ORDER BY seq").await;
    assert_eq!(changes, ["user.created", "user.updated"]);
}
