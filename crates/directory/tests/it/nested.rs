//! Groups within groups: who is in which, what is refused, and what happens when two make edges at once.

use crate::support::{BASE, NOW, Scene, asked, group};
use directory::{Asked, DirectoryError, GroupAnswer, GroupChange, Start, Want};
use futures_util::future::join_all;
use provisioning::{Reason, Refusal};
use scim_core::{
    Document, Filter, FilterLimits, Group, Member, MemberKind, MemberStep, Notes, ResourceType,
    Tolerance,
};
use serde_json::{Value, json};

impl Scene {
    /// A change of members alone.
    pub(crate) async fn step(
        &self,
        group: &str,
        step: MemberStep,
    ) -> Result<GroupAnswer, DirectoryError> {
        let alter = |old: &Document, asked: &mut Asked| {
            let group = Group::from_document(old.clone(), &Tolerance::default(), &mut asked.notes)?;
            Ok(GroupChange { group, members: vec![step.clone()] })
        };
        self.scoped.change_group(group, |_| true, alter, &mut asked("group.patch")).await
    }

    pub(crate) async fn add(
        &self,
        group: &str,
        ids: &[&str],
    ) -> Result<GroupAnswer, DirectoryError> {
        self.step(group, change(false, ids, &[])).await
    }

    pub(crate) async fn remove(
        &self,
        group: &str,
        ids: &[&str],
    ) -> Result<GroupAnswer, DirectoryError> {
        self.step(group, change(false, &[], ids)).await
    }

    /// An empty group.
    async fn team(&self, name: &str) -> String {
        self.group(&json!({ "displayName": name }), &[]).await
    }

    /// The names of a user's groups, each with its type, as a GET and as a list give them.
    async fn teams(&self, user: &str) -> Vec<String> {
        let one = self.scoped.user(user, BASE).await.unwrap();
        let want = Want {
            condition: None,
            order: None,
            start: Start::Offset(0),
            limit: 100,
            base: BASE,
            groups: true,
            now: NOW,
        };
        let page = self.scoped.users(&want).await.unwrap();
        let listed = page.resources.into_iter().find(|listed| listed.id == user).unwrap();
        let parsed = |text: Option<String>| -> Vec<Value> {
            text.map_or_else(Vec::new, |text| serde_json::from_str(&text).unwrap())
        };
        let groups = parsed(one.groups);
        assert_eq!(groups, parsed(listed.groups));
        let mut names: Vec<String> = groups
            .iter()
            .map(|group| {
                let id = group["value"].as_str().unwrap();
                assert_eq!(group["$ref"], format!("{BASE}/Groups/{id}"));
                format!(
                    "{} {}",
                    group["display"].as_str().unwrap(),
                    group["type"].as_str().unwrap()
                )
            })
            .collect();
        names.sort_unstable();
        names
    }

    /// The userNames that a filter finds.
    pub(crate) async fn found(&self, filter: &str) -> Vec<String> {
        let limits = FilterLimits { bytes: 4096, depth: 32, terms: 100 };
        let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
        let condition = Filter::parse(filter, &limits, &tolerance, &mut notes)
            .unwrap()
            .bind(ResourceType::user(), &tolerance, &mut notes)
            .unwrap();
        let want = Want {
            condition: Some(&condition),
            order: None,
            start: Start::Offset(0),
            limit: 100,
            base: BASE,
            groups: true,
            now: NOW,
        };
        let page = self.scoped.users(&want).await.unwrap();
        page.resources
            .iter()
            .map(|user| {
                let document = Document::stored(&user.doc).unwrap();
                document.text("userName").unwrap().to_owned()
            })
            .collect()
    }
}

pub(crate) fn member(id: &str, kind: Option<MemberKind>) -> Member {
    Member { id: id.to_owned(), kind }
}

pub(crate) fn change(clear: bool, add: &[&str], remove: &[&str]) -> MemberStep {
    MemberStep::Change {
        clear,
        add: add.iter().map(|id| member(id, None)).collect(),
        remove: remove.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn refused(outcome: Result<GroupAnswer, DirectoryError>) -> Refusal {
    match outcome {
        Err(DirectoryError::Refused(refusal)) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_user_is_in_the_groups_that_list_it_and_in_those_that_list_these() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let bob = scene.user(&json!({ "userName": "bob" })).await;
    let crew = scene.group(&json!({ "displayName": "Crew" }), &[&ada]).await;
    let ship = scene.group(&json!({ "displayName": "Ship" }), &[&crew, &bob]).await;
    let fleet = scene.group(&json!({ "displayName": "Fleet" }), &[&ship, &ada]).await;
    let navy = scene.group(&json!({ "displayName": "Navy" }), &[&ship, &crew]).await;

    // Each once, and direct wins.
    assert_eq!(
        scene.teams(&ada).await,
        ["Crew direct", "Fleet direct", "Navy indirect", "Ship indirect"]
    );
    assert_eq!(scene.teams(&bob).await, ["Fleet indirect", "Navy indirect", "Ship direct"]);
    let both = ["ada", "bob"];
    for (filter, expected) in [
        (format!("groups.value eq \"{crew}\""), &both[..1]),
        (format!("groups.value eq \"{fleet}\""), &both[..]),
        (format!("groups.value eq \"{navy}\""), &both[..]),
        ("groups.display eq \"FLEET\"".into(), &both[..]),
        ("groups[display eq \"fleet\" and type eq \"direct\"]".into(), &both[..1]),
        ("groups[display eq \"fleet\" and type eq \"indirect\"]".into(), &both[1..]),
        ("groups.type eq \"indirect\"".into(), &both[..]),
        ("groups[not (type eq \"direct\") and display sw \"sh\"]".into(), &both[..1]),
        (format!("groups.$ref eq \"{BASE}/Groups/{navy}\""), &both[..]),
        ("groups.display ne \"crew\"".into(), &both[..]),
        (format!("not (groups.value eq \"{crew}\")"), &both[1..]),
        ("groups pr".into(), &both[..]),
    ] {
        assert_eq!(scene.found(&filter).await, expected, "{filter}");
    }

    // A group that goes takes with it what hung on it.
    scene.scoped.delete_group(&ship, |_| true, &asked("group.delete")).await.unwrap();
    assert_eq!(scene.teams(&ada).await, ["Crew direct", "Fleet direct", "Navy indirect"]);
    assert_eq!(scene.teams(&bob).await, Vec::<String>::new());
    scene.remove(&navy, &[&crew]).await.unwrap();
    assert_eq!(scene.teams(&ada).await, ["Crew direct", "Fleet direct"]);
}

#[tokio::test]
async fn a_change_answers_with_direct_and_indirect_groups() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let crew = scene.group(&json!({ "displayName": "Crew" }), &[&ada]).await;
    scene.group(&json!({ "displayName": "Ship" }), &[&crew]).await;
    let answer = scene.replace(&ada, &json!({ "userName": "ada", "title": "x" })).await.unwrap();
    let groups = answer.user.groups.unwrap();
    assert!(
        groups.contains("\"indirect\"") || groups.contains("\"type\" : \"indirect\""),
        "{groups}"
    );
}

#[tokio::test]
async fn a_group_within_itself_is_refused_however_deep() {
    let scene = Scene::new().await;
    let mut chain: Vec<String> = Vec::new();
    for number in 0..6 {
        let id = scene.team(&format!("Level {number}")).await;
        if let Some(above) = chain.last() {
            scene.add(above, &[&id]).await.unwrap();
        }
        chain.push(id);
    }
    for (number, id) in chain.iter().enumerate() {
        for below in &chain[number..] {
            let refusal = refused(scene.add(below, &[id]).await);
            assert_eq!(refusal.reason, Reason::MemberCycle);
            assert_eq!(refusal.attribute.as_deref(), Some("members"));
            if id != below {
                assert!(refusal.detail.contains(&format!("\"Level {number}\"")), "{refusal:?}");
            }
            let refusal = refused(scene.step(below, change(true, &[id], &[])).await);
            assert_eq!(refusal.reason, Reason::MemberCycle);
        }
    }
    // Once the circle would be open, the edge is taken.
    scene.remove(&chain[2], &[&chain[3]]).await.unwrap();
    scene.add(&chain[5], &[&chain[0]]).await.unwrap();
}

#[tokio::test]
async fn a_member_is_of_the_type_that_was_said() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let crew = scene.team("Crew").await;
    let ship = scene.team("Ship").await;
    for (id, kind) in [(&ada, MemberKind::Group), (&crew, MemberKind::User)] {
        let step = MemberStep::Change {
            clear: false,
            add: vec![member(id, Some(kind))],
            remove: Vec::new(),
        };
        assert_eq!(refused(scene.step(&ship, step).await).reason, Reason::MemberUnknown);
    }
    let step = MemberStep::Change {
        clear: false,
        add: vec![member(&ada, Some(MemberKind::User)), member(&crew, Some(MemberKind::Group))],
        remove: Vec::new(),
    };
    scene.step(&ship, step).await.unwrap();
    let refusal = refused(scene.add(&ship, &[&ada, "nobody"]).await);
    assert_eq!(refusal.reason, Reason::MemberUnknown);
    assert!(refusal.detail.contains("nobody"), "{refusal:?}");
}

#[tokio::test]
async fn groups_lie_thirty_two_deep_at_most() {
    let scene = Scene::new().await;
    let mut top = scene.team("Level 0").await;
    for number in 1..=32 {
        let above = scene.team(&format!("Level {number}")).await;
        scene.add(&above, &[&top]).await.unwrap();
        top = above;
    }
    let above = scene.team("Level 33").await;
    let refusal = refused(scene.add(&above, &[&top]).await);
    assert_eq!(refusal.reason, Reason::MemberCycle);
    assert!(refusal.detail.contains("33 deep"), "{refusal:?}");
}

#[tokio::test]
async fn of_two_edges_that_would_close_a_circle_exactly_one_is_made() {
    let scene = Scene::new().await;
    for round in 0..12 {
        let (a, b) =
            (scene.team(&format!("A{round}")).await, scene.team(&format!("B{round}")).await);
        let c = scene.team(&format!("C{round}")).await;
        scene.add(&b, &[&c]).await.unwrap();
        let (below, above) = ([b.as_str()], [a.as_str()]);
        let (down, up, side, twice) = tokio::join!(
            scene.add(&a, &below),
            scene.step(&c, change(true, &above, &[])),
            scene.add(&c, &above),
            scene.add(&a, &below)
        );
        let down_won = down.is_ok();
        assert_eq!(down_won, twice.is_ok());
        for closing in [up, side] {
            if down_won {
                assert_eq!(refused(closing).reason, Reason::MemberCycle);
            } else {
                closing.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn many_edges_at_once_make_no_circle() {
    let scene = Scene::new().await;
    let mut teams = Vec::new();
    for number in 0..8 {
        teams.push(scene.team(&format!("Team {number}")).await);
    }
    let edges = (0..64).map(|number| {
        let (from, to) = (number % 8, (number / 8 + number) % 8);
        let (above, below) = (&teams[from], &teams[to]);
        let scene = &scene;
        async move {
            match scene.add(above, &[below]).await {
                Ok(_) => {}
                Err(DirectoryError::Refused(refusal)) => {
                    assert_eq!(refusal.reason, Reason::MemberCycle);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    join_all(edges).await;

    let circles = scene
        .store
        .texts(
            "WITH RECURSIVE up(start, id) AS (
                 SELECT member_id, group_id FROM members WHERE kind = 'Group'
                 UNION SELECT up.start, m.group_id FROM up JOIN members m ON m.member_id = up.id)
             SELECT start FROM up WHERE start = id",
        )
        .await;
    assert_eq!(circles, Vec::<String>::new());
    assert!(!scene.store.texts("SELECT group_id FROM members").await.is_empty());
}

#[tokio::test]
async fn a_new_group_takes_groups_as_its_first_members() {
    let scene = Scene::new().await;
    let ada = scene.user(&json!({ "userName": "ada" })).await;
    let crew = scene.group(&json!({ "displayName": "Crew" }), &[&ada]).await;
    let made = group(&json!({ "displayName": "Ship" }));
    let members = [member(&crew, Some(MemberKind::Group)), member(&ada, None)];
    let answer = scene.scoped.create_group(&made, &members, &asked("group.create")).await.unwrap();
    let kinds = scene
        .store
        .texts(&format!(
            "SELECT kind FROM members WHERE group_id = '{}' ORDER BY kind",
            answer.group.id
        ))
        .await;
    assert_eq!(kinds, ["Group", "User"]);
    assert_eq!(scene.teams(&ada).await, ["Crew direct", "Ship direct"]);
}
