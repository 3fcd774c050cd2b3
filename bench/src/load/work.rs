//! What is asked: the requests of each kind of work, for the product and for the yardstick.

use super::{Arguments, Dialect, Work};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

/// One request, and what its answer must be.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) request: Vec<u8>,
    pub(super) status: u16,
    /// A text that the body holds; nothing when empty.
    pub(super) must: &'static str,
}

#[derive(Debug)]
struct Person {
    id: String,
    name: String,
}

#[derive(Debug)]
pub(super) struct Plan {
    arguments: Arguments,
    people: Vec<Person>,
}

impl Plan {
    pub(super) fn new(arguments: Arguments) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        if let Some(path) = &arguments.people {
            for line in std::fs::read_to_string(path)?.lines() {
                let (id, name) = line.split_once('\t').context("a line without a tab")?;
                people.push(Person { id: id.to_owned(), name: name.to_owned() });
            }
        }
        let alone = matches!(arguments.work, Work::Create | Work::Miss | Work::Sync | Work::Path);
        ensure!(alone || !people.is_empty(), "this work needs --people");
        Ok(Self { arguments, people })
    }

    /// The requests of one unit, to be sent one after the other.
    pub(super) fn unit(&self, n: u64) -> Vec<Ask> {
        match self.arguments.work {
            Work::Hit => vec![self.look_up(&self.someone(n).name, true)],
            Work::Miss => vec![self.look_up(&format!("nobody{n}@bench.example"), false)],
            Work::Get => vec![self.get(self.someone(n))],
            Work::Create => vec![self.create(n)],
            Work::Active => {
                let person = self.person(n);
                vec![self.active(person, n, false), self.active(person, n, true)]
            }
            Work::Page => vec![self.page(n)],
            Work::Member => {
                let member = &self.person(self.arguments.last + n).id;
                vec![self.add(&[member]), self.remove(member)]
            }
            Work::Members => {
                // Those after the first so many, a batch after the other, and again from the start.
                let Arguments { last, batch, .. } = self.arguments;
                let spare = u64::try_from(self.people.len()).unwrap_or_default() - last;
                let first = last + (n % (spare / batch).max(1)) * batch;
                let ids = (first..first + batch).map(|n| self.person(n).id.as_str());
                let ids: Vec<&str> = ids.collect();
                vec![self.add(&ids), self.remove_all(&ids)]
            }
            Work::Path => {
                let path = format!("/scim/v2{}", self.arguments.path);
                vec![self.ask("GET", &path, None, 200, "\"schemas\"")]
            }
            Work::Sync => vec![self.look_up(&self.name(n), false), self.create(n)],
            Work::Batch => {
                let size = self.arguments.batch;
                let ids = (n * size..(n + 1) * size).map(|n| self.person(n).id.as_str());
                vec![self.add(&ids.collect::<Vec<_>>())]
            }
        }
    }

    fn person(&self, n: u64) -> &Person {
        static NOBODY: Person = Person { id: String::new(), name: String::new() };
        let count = u64::try_from(self.people.len()).unwrap_or(u64::MAX).max(1);
        let index = usize::try_from(n % count).unwrap_or_default();
        self.people.get(index).unwrap_or(&NOBODY)
    }

    /// Somebody, as if by chance and the same in every run.
    fn someone(&self, n: u64) -> &Person {
        self.person(scatter(n))
    }

    fn name(&self, n: u64) -> String {
        format!("{}{n:07}@bench.example", self.arguments.tag)
    }

    fn look_up(&self, name: &str, there: bool) -> Ask {
        let path = match self.arguments.dialect {
            Dialect::Scim => format!("/scim/v2/Users?filter=userName%20eq%20%22{name}%22"),
            Dialect::Yardstick => format!("/name/{name}"),
        };
        let must = if there { "\"totalResults\":1," } else { "\"totalResults\":0" };
        self.ask("GET", &path, None, 200, must)
    }

    fn get(&self, person: &Person) -> Ask {
        let path = match self.arguments.dialect {
            Dialect::Scim => format!("/scim/v2/Users/{}", person.id),
            Dialect::Yardstick => format!("/users/{}", person.id),
        };
        self.ask("GET", &path, None, 200, "\"userName\":")
    }

    fn create(&self, n: u64) -> Ask {
        let name = self.name(n);
        let path = match self.arguments.dialect {
            Dialect::Scim => "/scim/v2/Users".to_owned(),
            Dialect::Yardstick => format!("/users/{name}"),
        };
        self.ask("POST", &path, Some(document(&name, n, true).to_string()), 201, "\"userName\":")
    }

    /// Okta's form. The yardstick gets the document as it is to be.
    fn active(&self, person: &Person, n: u64, active: bool) -> Ask {
        let must = if active { "\"active\":true" } else { "\"active\":false" };
        match self.arguments.dialect {
            Dialect::Scim => {
                let path = format!("/scim/v2/Users/{}", person.id);
                let body = patch(&json!([{ "op": "replace", "value": { "active": active } }]));
                self.ask("PATCH", &path, Some(body), 200, must)
            }
            Dialect::Yardstick => {
                let path = format!("/users/{}", person.id);
                let body = document(&person.name, n, active).to_string();
                self.ask("PUT", &path, Some(body), 200, must)
            }
        }
    }

    fn page(&self, n: u64) -> Ask {
        let Arguments { first, last, stride, .. } = self.arguments;
        let step = if stride == 0 { scatter(n) } else { n * stride };
        let start = first + step % (last.saturating_sub(first) + 1);
        match self.arguments.dialect {
            Dialect::Scim => {
                let path = format!("/scim/v2/Users?startIndex={start}&count=100");
                self.ask("GET", &path, None, 200, "\"itemsPerPage\":100")
            }
            Dialect::Yardstick => {
                let before = start.checked_sub(2).map_or("0", |n| self.person(n).id.as_str());
                self.ask("GET", &format!("/page/{before}"), None, 200, "\"totalResults\":100")
            }
        }
    }

    fn add(&self, members: &[&str]) -> Ask {
        let group = &self.arguments.group;
        match self.arguments.dialect {
            Dialect::Scim => {
                let value: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
                let body = patch(&json!([{ "op": "add", "path": "members", "value": value }]));
                self.ask("PATCH", &format!("/scim/v2/Groups/{group}"), Some(body), 204, "")
            }
            Dialect::Yardstick => {
                self.ask("POST", &format!("/groups/{group}"), Some(members.join("\n")), 204, "")
            }
        }
    }

    /// Entra's form. The yardstick is not asked for it.
    fn remove_all(&self, members: &[&str]) -> Ask {
        let value: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = patch(&json!([{ "op": "remove", "path": "members", "value": value }]));
        let path = format!("/scim/v2/Groups/{}", self.arguments.group);
        self.ask("PATCH", &path, Some(body), 204, "")
    }

    fn remove(&self, member: &str) -> Ask {
        let group = &self.arguments.group;
        match self.arguments.dialect {
            Dialect::Scim => {
                let path = format!("members[value eq \"{member}\"]");
                let body = patch(&json!([{ "op": "remove", "path": path }]));
                self.ask("PATCH", &format!("/scim/v2/Groups/{group}"), Some(body), 204, "")
            }
            Dialect::Yardstick => {
                self.ask("DELETE", &format!("/groups/{group}/{member}"), None, 204, "")
            }
        }
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        status: u16,
        must: &'static str,
    ) -> Ask {
        let Arguments { host, token, .. } = &self.arguments;
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        );
        if let Some(body) = body {
            let length = body.len();
            text +=
                &format!("Content-Type: application/scim+json\r\nContent-Length: {length}\r\n\r\n");
            text += &body;
        } else {
            text += "\r\n";
        }
        Ask { request: text.into_bytes(), status, must }
    }
}

/// Fibonacci hashing: neighbours go far apart.
fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33
}

fn patch(operations: &Value) -> String {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
        .to_string()
}

/// A person as an identity provider sends one: about 1 kB.
fn document(name: &str, n: u64, active: bool) -> Value {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        ],
        "userName": name,
        "externalId": format!("00u{n:017}"),
        "name": { "givenName": format!("Given{n}"), "familyName": format!("Family{n}"), "formatted": format!("Given{n} Family{n}") },
        "displayName": format!("Given{n} Family{n}"),
        "title": "Senior Engineer", "preferredLanguage": "en-US", "locale": "en-US", "timezone": "Europe/Berlin",
        "active": active,
        "emails": [
            { "value": name, "type": "work", "primary": true },
            { "value": format!("home{n}@bench.example"), "type": "home" }
        ],
        "phoneNumbers": [{ "value": "+49 30 555 0100", "type": "work" }],
        "addresses": [{
            "type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood",
            "region": "CA", "postalCode": "91608", "country": "US"
        }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": format!("{n:07}"), "costCenter": "4130",
            "organization": "Universal Studios", "division": "Theme Park", "department": "Tour Operations"
        }
    })
}
