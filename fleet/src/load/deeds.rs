//! What one tenant's identity provider does: it makes people and one group, changes them, and looks whether it holds.

use super::Shared;
use super::balance::Lost;
use super::history::{Event, Op, Outcome};
use super::people::{Person, State};
use super::plan::Tenant;
use super::reading;
use crate::proxy::Dice;
use serde_json::{Value, json};
use std::cell::RefCell;
use tokio::time::{Duration, Instant};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// How long a create without an answer rests before it is sent again.
const REST: Duration = Duration::from_secs(1);

/// One tenant, and what is known of its people.
#[derive(Debug)]
pub(super) struct Lane {
    tenant: Tenant,
    world: RefCell<World>,
}

#[derive(Debug)]
struct World {
    people: Vec<Person>,
    group: Person,
    dice: Dice,
    stamps: u64,
    retry_at: Instant,
}

/// A request, and whom it is about: a place in the people, or the group.
#[derive(Debug)]
struct Deed {
    op: Op,
    whom: Option<usize>,
    name: String,
    id: String,
    stamp: String,
    method: &'static str,
    path: String,
    body: Option<Value>,
    /// Where it had better not go.
    not: String,
}

impl Lane {
    pub(super) fn new(tenant: Tenant, seed: u64) -> Self {
        let group = Person { name: format!("{}-everyone", tenant.canary), ..Person::default() };
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let world = World { people: Vec::new(), group, dice, stamps: 0, retry_at: Instant::now() };
        Self { tenant, world: RefCell::new(world) }
    }

    pub(super) async fn write(&self, shared: &Shared) {
        let Some(deed) = self.choose() else { return };
        let event = self.send(shared, &deed).await;
        let must_look = self.learn(&deed, &event);
        if must_look {
            // Somebody was before us with this name, and that was us: whoever lost an answer looks for what became of it.
            let find = self.find(deed.whom);
            let found = self.send(shared, &find).await;
            self.take_found(deed.whom, &found);
        }
    }

    pub(super) async fn read(&self, shared: &Shared) {
        let Some(deed) = self.look() else { return };
        self.send(shared, &deed).await;
    }

    fn choose(&self) -> Option<Deed> {
        let mut world = self.world.borrow_mut();
        let world = &mut *world;
        world.stamps += 1;
        let stamp = format!("s{}", world.stamps);
        let now = Instant::now();
        let rested = now >= world.retry_at;
        if world.group.state == State::Wanted && !world.group.is_busy && rested {
            world.retry_at = now + REST;
            world.group.is_busy = true;
            let body =
                json!({ "schemas": [GROUP], "displayName": world.group.name, "externalId": stamp });
            return Some(self.deed(
                Op::MakeGroup,
                None,
                &world.group,
                stamp,
                "POST",
                "/Groups",
                Some(body),
            ));
        }
        let wanted = world.people.iter().position(|one| one.state == State::Wanted && !one.is_busy);
        if let Some(at) = wanted
            && rested
            && let Some(person) = world.people.get_mut(at)
        {
            world.retry_at = now + REST / 4;
            person.is_busy = true;
            let body = self.document(&person.name, &stamp);
            return Some(self.deed(
                Op::Create,
                Some(at),
                person,
                stamp,
                "POST",
                "/Users",
                Some(body),
            ));
        }
        let free: Vec<usize> =
            (0..).zip(&world.people).filter(|(_, one)| one.is_free()).map(|(at, _)| at).collect();
        let roll = world.dice.roll(100);
        if free.len() < 8 || roll < 35 {
            let name = format!("{}-{}@fleet.example", self.tenant.canary, world.people.len());
            let person = Person { name, is_busy: true, ..Person::default() };
            let body = self.document(&person.name, &stamp);
            let deed = self.deed(
                Op::Create,
                Some(world.people.len()),
                &person,
                stamp,
                "POST",
                "/Users",
                Some(body),
            );
            world.people.push(person);
            return Some(deed);
        }
        let pick =
            usize::try_from(world.dice.roll(u64::try_from(free.len()).unwrap_or(1))).unwrap_or(0);
        let at = *free.get(pick)?;
        let person = world.people.get_mut(at)?;
        person.is_busy = true;
        Some(self.change(roll, at, person, &world.group, stamp))
    }

    /// A change of a person that is there.
    fn change(&self, roll: u64, at: usize, person: &Person, group: &Person, stamp: String) -> Deed {
        let path = format!("/Users/{}", person.id);
        let active = !roll.is_multiple_of(4);
        if (75..83).contains(&roll) {
            return self.deed(Op::Delete, Some(at), person, stamp, "DELETE", &path, None);
        }
        if (65..75).contains(&roll) {
            let body = self.document(&person.name, &stamp);
            return self.deed(Op::Replace, Some(at), person, stamp, "PUT", &path, Some(body));
        }
        if roll >= 83 && group.state == State::Live {
            let path = format!("/Groups/{}", group.id);
            let (op, change) = if person.is_member {
                let members = format!("members[value eq \"{}\"]", person.id);
                (Op::Remove, json!([{ "op": "remove", "path": members }]))
            } else {
                let value = json!([{ "value": person.id }]);
                (Op::Add, json!([{ "op": "add", "path": "members", "value": value }]))
            };
            let body = json!({ "schemas": [PATCH], "Operations": change });
            return self.deed(op, Some(at), person, String::new(), "PATCH", &path, Some(body));
        }
        let value = json!({ "title": stamp, "active": active });
        let body =
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "value": value }] });
        self.deed(Op::Patch, Some(at), person, stamp, "PATCH", &path, Some(body))
    }

    fn document(&self, name: &str, stamp: &str) -> Value {
        json!({
            "schemas": [USER], "userName": name, "title": stamp, "active": true,
            "displayName": format!("{} of {}", stamp, self.tenant.canary),
            "name": { "givenName": "Person", "familyName": self.tenant.canary },
            "emails": [{ "value": name, "type": "work", "primary": true }],
        })
    }

    /// A read of somebody that was written, on another node if there is one.
    fn look(&self) -> Option<Deed> {
        let mut world = self.world.borrow_mut();
        let count = u64::try_from(world.people.len()).unwrap_or(0);
        let roll = world.dice.roll(100);
        if roll < 10 || count == 0 {
            let nobody = Person::default();
            return Some(self.deed(
                Op::List,
                None,
                &nobody,
                String::new(),
                "GET",
                "/Users?count=3",
                None,
            ));
        }
        // Half of them look at one of the last.
        let back = if roll.is_multiple_of(2) {
            world.dice.roll(count.min(12))
        } else {
            world.dice.roll(count)
        };
        let at = usize::try_from(count - 1 - back).ok()?;
        let person = world.people.get(at)?;
        if roll < 35 || person.id.is_empty() {
            return Some(self.find_person(Some(at), person));
        }
        let path = format!("/Users/{}", person.id);
        Some(self.deed(Op::Get, Some(at), person, String::new(), "GET", &path, None))
    }

    fn find(&self, whom: Option<usize>) -> Deed {
        let world = self.world.borrow();
        let nobody = Person::default();
        match whom {
            Some(at) => self.find_person(whom, world.people.get(at).unwrap_or(&nobody)),
            None => {
                let path = format!("/Groups?filter=displayName%20eq%20%22{}%22", world.group.name);
                self.deed(Op::Find, None, &world.group, String::new(), "GET", &path, None)
            }
        }
    }

    fn find_person(&self, whom: Option<usize>, person: &Person) -> Deed {
        let name = person.name.replace('@', "%40");
        let path = format!("/Users?filter=userName%20eq%20%22{name}%22");
        self.deed(Op::Find, whom, person, String::new(), "GET", &path, None)
    }

    #[expect(clippy::too_many_arguments, reason = "a request is what it is made of")]
    fn deed(
        &self,
        op: Op,
        whom: Option<usize>,
        person: &Person,
        stamp: String,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Deed {
        Deed {
            op,
            whom,
            name: person.name.clone(),
            id: person.id.clone(),
            stamp,
            method,
            path: path.to_owned(),
            body,
            not: person.node.clone(),
        }
    }

    async fn send(&self, shared: &Shared, deed: &Deed) -> Event {
        let Tenant { host, token, class, slug, via, .. } = &self.tenant;
        let body = deed.body.as_ref().map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/scim+json\r\nContent-Length: {}\r\n", body.len())
        };
        let request = format!(
            "{} /scim/v2{} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nUser-Agent: fleet\r\n{kind}\r\n{body}",
            deed.method, deed.path
        );
        let at = shared.history.now();
        let delivery =
            shared.balancer.deliver(via, &deed.not, request.as_bytes(), shared.patience).await;
        let mut event = Event {
            at,
            end: shared.history.now(),
            class: class.clone(),
            tenant: slug.clone(),
            node: delivery.node,
            op: deed.op,
            name: deed.name.clone(),
            id: deed.id.clone(),
            stamp: deed.stamp.clone(),
            outcome: Outcome::Unknown,
            status: 0,
            version: 0,
            total: None,
            reason: String::new(),
            retry_after: String::new(),
            note: String::new(),
            smell: String::new(),
        };
        match delivery.said {
            Ok(answer) => reading::read(&answer, &self.tenant.canary, &mut event),
            Err(Lost::NotSent(why)) => {
                event.outcome = Outcome::Fail;
                event.note = why;
            }
            Err(Lost::Unknown(why)) => event.note = why,
        }
        shared.history.write(&event);
        event
    }

    /// Takes what an answer says; whether the one with the name is to be looked for.
    fn learn(&self, deed: &Deed, event: &Event) -> bool {
        let mut world = self.world.borrow_mut();
        let world = &mut *world;
        let Some(person) = deed.whom.map_or(Some(&mut world.group), |at| world.people.get_mut(at))
        else {
            return false;
        };
        person.is_busy = false;
        person.node.clone_from(&event.node);
        match (deed.op, event.outcome) {
            (Op::Create | Op::MakeGroup, Outcome::Ok) => {
                person.id.clone_from(&event.id);
                person.version = event.version;
                person.state = State::Live;
            }
            (Op::Create | Op::MakeGroup, Outcome::Fail) if event.status == 409 => {
                person.is_busy = true;
                return true;
            }
            // What was not made is wanted all the same: sent again, as identity providers do. What was not changed stands.
            (Op::Create | Op::MakeGroup, _) | (_, Outcome::Fail) => {}
            (Op::Delete, Outcome::Ok) => person.state = State::Gone,
            (Op::Add, Outcome::Ok) => person.is_member = true,
            (Op::Remove, Outcome::Ok) => person.is_member = false,
            (_, Outcome::Ok) => person.version = event.version,
            (_, Outcome::Unknown) => person.state = State::Doubtful,
        }
        false
    }

    fn take_found(&self, whom: Option<usize>, found: &Event) {
        let mut world = self.world.borrow_mut();
        let world = &mut *world;
        let Some(person) = whom.map_or(Some(&mut world.group), |at| world.people.get_mut(at))
        else {
            return;
        };
        person.is_busy = false;
        if found.outcome == Outcome::Ok && found.total == Some(1) {
            person.id.clone_from(&found.id);
            person.version = found.version;
            person.state = State::Live;
        }
    }
}
