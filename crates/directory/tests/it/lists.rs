//! Lists: in which order, from where, how many at a time.

use self::reading::{Reading, Way, expected, ids, walk};
use crate::filters::{World, bind};
use crate::support::documents::paths;
use crate::support::{BASE, NOW, Scene};
use directory::{DirectoryError, Found, Key, Listing, Narrowed, Start, StoredUser, Want, WantAll};
use proptest::test_runner::TestRunner;
use scim_core::{ErrorKind, Notes, ResourceType, Schemas, ScimError, Sort, SortValue, Tolerance};
use serde_json::{Value, json};
use std::collections::BTreeSet;

mod reading;

pub(crate) fn order(name: &str, descending: bool, of: &ResourceType) -> Result<Sort, ScimError> {
    let way = if descending { "descending" } else { "Ascending" };
    Sort::parse(name, Some(way), of, &Tolerance::default(), &mut Notes::default())
}

impl World {
    /// Compares the order in the store with the order in memory, read in every way.
    pub(crate) async fn in_order(
        &self,
        name: &str,
        descending: bool,
        filter: Option<&str>,
        limit: u64,
        of: &ResourceType,
    ) -> Result<(), String> {
        let is_user = of.name == "User";
        let Ok(order) = order(name, descending, of) else { return Ok(()) };
        let condition = filter.map(|text| bind(text, of)).transpose()?;
        let reading = Reading {
            scoped: &self.scene.scoped,
            is_user,
            condition: condition.as_ref(),
            order: Some(&order),
        };
        if is_computed(&order) {
            let refused = reading.page(Start::First, limit).await.unwrap_err();
            assert!(
                matches!(&refused, DirectoryError::Scim(e) if e.kind() == ErrorKind::InvalidValue)
            );
            return Ok(());
        }
        let known = if is_user { &self.users } else { &self.groups };
        let expected = expected(known.iter().map(|one| (one, condition.as_ref(), Some(&order))));
        for way in [Way::Positions, Way::Forwards, Way::Backwards] {
            let page = |start, limit| reading.page(start, limit);
            let found = walk(page, way, limit)
                .await
                .map_err(|error| format!("{name} {descending} {filter:?}: {error:?}"))?;
            if found != expected {
                let value = |id: &String| {
                    let one = known.iter().find(|one| one.id == *id).unwrap();
                    (id.clone(), order.value(&one.search))
                };
                let found: Vec<_> = found.iter().map(value).collect();
                let expected: Vec<_> = expected.iter().map(value).collect();
                return Err(format!(
                    "{} by {name}, descending {descending}, filter {filter:?}, {limit} at a time: {found:#?} instead of {expected:#?}",
                    of.name
                ));
            }
        }
        Ok(())
    }
}

fn is_computed(order: &Sort) -> bool {
    order.target.extension.is_none()
        && matches!(order.target.attribute.as_str(), "groups" | "members")
}

async fn every_order(pick: fn(&Schemas) -> &ResourceType) {
    let world = World::new(&mut TestRunner::deterministic()).await;
    let of = pick(&world.schemas);
    let (mut asked, mut wrong) = (0, Vec::new());
    for path in paths(of) {
        for descending in [false, true] {
            asked += 1;
            wrong.extend(world.in_order(&path.name, descending, None, 7, of).await.err());
        }
    }

    assert!(wrong.is_empty(), "{} of {asked}: {:#?}", wrong.len(), &wrong[..wrong.len().min(3)]);
    assert!(asked > 20, "only {asked} orders");
}

#[tokio::test]
async fn users_are_in_the_order_of_any_attribute_as_in_memory() {
    every_order(|schemas| &schemas.user).await;
}

#[tokio::test]
async fn groups_are_in_the_order_of_any_attribute_as_in_memory() {
    every_order(|schemas| &schemas.group).await;
}

#[tokio::test]
async fn users_and_groups_are_one_list_in_every_order() {
    let world = World::new(&mut TestRunner::deterministic()).await;
    let (user, group) = (&world.schemas.user, &world.schemas.group);
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filters = [None, Some(("displayName co \"a\"", "displayName co \"1\""))];
    for (name, descending) in [
        "",
        "id",
        "displayName",
        "userName",
        "externalId",
        "active",
        "emails.value",
        "meta.created",
        "meta.resourceType",
        "meta.location",
        "meta.version",
        "name.familyName",
        "urn:ietf:params:scim:schemas:extension:acme:2.0:User:score",
        "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
    ]
    .into_iter()
    .flat_map(|name| [(name, false), (name, true)])
    {
        let way = descending.then_some("descending");
        let orders = match name {
            "" => Vec::new(),
            _ => Sort::parse_each(name, way, &[user, group], &tolerance, &mut notes).unwrap(),
        };
        let (of_users, of_groups) = (orders.first(), orders.get(1));
        for filter in filters {
            let user_filter = filter.map(|(text, _)| bind(text, user).unwrap());
            let group_filter = filter.map(|(_, text)| bind(text, group).unwrap());
            let users = world.users.iter().map(|one| (one, user_filter.as_ref(), of_users));
            let groups = world.groups.iter().map(|one| (one, group_filter.as_ref(), of_groups));
            let expected = expected(users.chain(groups));
            let page = async |start, limit| {
                let want = WantAll {
                    users: Some(Narrowed { condition: user_filter.as_ref(), order: of_users }),
                    groups: Some(Narrowed { condition: group_filter.as_ref(), order: of_groups }),
                    start,
                    limit,
                    base: BASE,
                    memberships: true,
                    now: NOW,
                };
                let listing = world.scene.scoped.everything(&want).await?;
                Ok(ids(listing, |found| match found {
                    Found::User(user) => user.id,
                    Found::Group(group) => group.id,
                }))
            };
            for way in [Way::Positions, Way::Forwards, Way::Backwards] {
                let found = walk(&page, way, 9).await.unwrap();
                assert_eq!(found, expected, "{name:?}, descending {descending}, {filter:?}");
            }
            let total = page(Start::Offset(0), 0).await.unwrap().total;
            assert_eq!(total, Some(expected.len() as u64));
        }
    }
}

#[tokio::test]
async fn what_has_another_type_in_groups_than_in_users_is_no_common_order() {
    let mut schemas = Schemas::clone(&Schemas::builtin());
    let name = schemas.group.core.attributes.iter_mut().find(|a| a.name == "displayName").unwrap();
    name.kind = scim_core::Kind::Integer;

    let error = Sort::parse_each(
        "displayName",
        None,
        &[&schemas.user, &schemas.group],
        &Tolerance::default(),
        &mut Notes::default(),
    )
    .unwrap_err();

    assert_eq!((error.kind(), error.attribute()), (ErrorKind::InvalidValue, Some("sortBy")));
}

fn named(number: usize) -> Value {
    json!({ "userName": format!("user{number:03}"), "title": format!("{}", number % 3) })
}

#[tokio::test]
async fn pages_by_key_neither_skip_nor_repeat_while_others_come_and_go() {
    let scene = Scene::new().await;
    let mut staying = BTreeSet::new();
    let mut leaving = Vec::new();
    for number in 0..60 {
        let id = scene.user(&named(number)).await;
        if number % 4 == 1 {
            leaving.push(id);
        } else {
            staying.insert(id);
        }
    }
    for (name, descending) in
        [("", false), ("userName", false), ("userName", true), ("title", true), ("title", false)]
    {
        let sort =
            order(if name.is_empty() { "id" } else { name }, descending, ResourceType::user());
        let sort = sort.unwrap();
        let reading = Reading {
            scoped: &scene.scoped,
            is_user: true,
            condition: None,
            order: (!name.is_empty()).then_some(&sort),
        };
        let mut seen = Vec::new();
        let mut listing = reading.page(Start::First, 7).await.unwrap();
        let mut come = 0;
        loop {
            // The last of the page goes, and others come around it.
            if let Some(gone) = listing.resources.last().filter(|id| leaving.contains(id)) {
                let mut asked = crate::support::asked("user.delete");
                asked.now = NOW;
                scene.scoped.delete_user(gone, |_| true, &asked).await.unwrap();
            }
            come += 1;
            let body = json!({
                "userName": format!("user{:03}{name}{descending}", come * 7), "title": "1"
            });
            scene.user(&body).await;
            seen.extend(listing.resources);
            let Some(next) = listing.next else { break };
            listing = reading.page(Start::After(next), 7).await.unwrap();
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{name} {descending}: one came twice");
        let missed: Vec<&String> = staying.difference(&once).collect();
        assert!(missed.is_empty(), "{name} {descending}: {missed:?}");
    }
}

#[tokio::test]
async fn a_total_is_given_where_it_costs_nothing_and_always_with_positions() {
    let scene = Scene::new().await;
    for number in 0..12 {
        let mut body = named(number);
        body["active"] = json!(number % 4 != 0);
        scene.user(&body).await;
    }
    for (filter, start, limit, total) in [
        (None, Start::Offset(0), 5, Some(12)),
        (None, Start::First, 5, Some(12)),
        (None, Start::First, 0, Some(12)),
        (Some("active eq true"), Start::First, 5, Some(9)),
        (Some("active eq false"), Start::Offset(1), 1, Some(3)),
        (Some("title eq \"1\""), Start::First, 2, None),
        (Some("title eq \"1\""), Start::First, 5, Some(4)),
        (Some("title eq \"1\""), Start::First, 0, Some(4)),
        (Some("title eq \"1\""), Start::Offset(0), 2, Some(4)),
        (Some("title eq \"1\""), Start::Offset(3), 2, Some(4)),
        (Some("title eq \"1\""), Start::Offset(9), 2, Some(4)),
        (Some("userName eq \"user001\""), Start::First, 2, Some(1)),
    ] {
        let condition = filter.map(|text| bind(text, ResourceType::user()).unwrap());
        let condition = condition.as_ref();
        let reading = Reading { scoped: &scene.scoped, is_user: true, condition, order: None };
        let listing = reading.page(start.clone(), limit).await.unwrap();
        assert_eq!(listing.total, total, "{filter:?} {start:?} {limit}");
    }
}

#[tokio::test]
async fn a_page_ends_before_its_documents_become_too_many_bytes() {
    let scene = Scene::new().await;
    // A little more than a mebibyte each.
    let values: Vec<Value> =
        (10..76).map(|n| json!({ "value": format!("{n}{}", "x".repeat(16_000)) })).collect();
    for number in 0..20 {
        let body = json!({ "userName": format!("u{number}"), "entitlements": values });
        scene.user(&body).await;
    }
    let reading = Reading { scoped: &scene.scoped, is_user: true, condition: None, order: None };
    let first = reading.page(Start::First, 100).await.unwrap();
    assert_eq!((first.resources.len(), first.total), (7, Some(20)));
    let second = reading.page(Start::After(first.next.unwrap()), 100).await.unwrap();
    assert_eq!(second.resources.len(), 7);
    let all = reading.page(Start::Offset(0), 100).await.unwrap();
    assert_eq!((all.resources, all.total), (first.resources, Some(20)));
    let want = WantAll {
        users: Some(Narrowed::default()),
        groups: Some(Narrowed::default()),
        start: Start::First,
        limit: 100,
        base: BASE,
        memberships: false,
        now: NOW,
    };
    assert_eq!(scene.scoped.everything(&want).await.unwrap().resources.len(), 7);
}

#[tokio::test]
async fn a_key_of_another_order_is_an_invalid_cursor() {
    let scene = Scene::new().await;
    scene.user(&named(1)).await;
    let created = order("meta.created", false, ResourceType::user()).unwrap();
    let key = Key { id: "x".into(), value: Some(SortValue::Text("ada".into())) };
    let want = Want {
        condition: None,
        order: Some(&created),
        start: Start::After(key),
        limit: 1,
        base: BASE,
        groups: false,
        now: NOW,
    };
    let refused: Result<Listing<StoredUser>, _> = scene.scoped.users(&want).await;
    assert!(
        matches!(refused, Err(DirectoryError::Scim(error)) if error.kind() == ErrorKind::InvalidCursor)
    );
}
