//! The people and groups that checks are done with: made up, all of example.com.

use super::check::{Verdict, unmet};
use super::exchange::Exchange;
use super::json::{at, items, text};
use super::session::Session;
use super::target::{ENTERPRISE, GROUP, USER};
use serde_json::{Map, Value, json};

/// The userName attribute and what the server's schema requires beyond it.
impl Session {
    /// A user with these attributes, as far as the server's schema has them, and with all that it requires.
    pub(super) fn user(&self, user_name: &str, more: &Value) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([USER]));
        body.insert("userName".to_owned(), json!(user_name));
        for (name, value) in more.as_object().into_iter().flatten() {
            if name == ENTERPRISE {
                if self.target().lacks(&super::Need::Enterprise).is_none() {
                    body.insert("schemas".to_owned(), json!([USER, ENTERPRISE]));
                    body.insert(name.clone(), value.clone());
                }
            } else if ["externalId", "schemas", "id", "meta"].contains(&name.as_str())
                || self.target().has_attribute(name)
            {
                body.insert(name.clone(), value.clone());
            }
        }
        self.require(USER, user_name, &mut body);
        Value::Object(body)
    }

    /// A group with these members.
    pub(super) fn group(&self, name: &str, members: &[&str]) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([GROUP]));
        body.insert("displayName".to_owned(), json!(name));
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        if !members.is_empty() {
            body.insert("members".to_owned(), json!(members));
        }
        self.require(GROUP, name, &mut body);
        Value::Object(body)
    }

    /// Fills in what the server's schema requires and nobody gave.
    fn require(&self, urn: &str, name: &str, body: &mut Map<String, Value>) {
        let Some(schema) = self.target().schema(urn) else { return };
        for attribute in items(schema, "/attributes") {
            let known = text(attribute, "/name");
            let wanted = at(attribute, "/required") == &Value::Bool(true)
                && text(attribute, "/mutability") != "readOnly";
            if wanted && !known.is_empty() && !body.keys().any(|k| k.eq_ignore_ascii_case(known)) {
                body.insert(known.to_owned(), some_value(attribute, name));
            }
        }
    }

    /// Makes a user and gives the answer, which must be 201 with an id.
    pub(super) async fn make(&self, word: &str, more: &Value) -> Verdict<Exchange> {
        let name = format!("{}@example.com", self.fresh(word));
        self.make_named(&self.user(&name, more)).await
    }

    /// Makes a user of this body.
    pub(super) async fn make_named(&self, body: &Value) -> Verdict<Exchange> {
        let answer = self.post(&self.users(), body).await?;
        answer
            .status(&[201])?
            .wants(!answer.text("/id").is_empty(), "the created user has no id")?;
        Ok(answer)
    }

    /// Makes a group.
    pub(super) async fn make_group(&self, word: &str, members: &[&str]) -> Verdict<Exchange> {
        let answer = self.post(&self.groups(), &self.group(&self.fresh(word), members)).await?;
        answer
            .status(&[201])?
            .wants(!answer.text("/id").is_empty(), "the created group has no id")?;
        Ok(answer)
    }

    /// The path of a user that an answer shows.
    pub(super) fn path_of(&self, user: &Exchange) -> String {
        format!("{}/{}", self.users(), user.text("/id"))
    }

    /// The path of a group that an answer shows.
    pub(super) fn group_path(&self, group: &Exchange) -> String {
        format!("{}/{}", self.groups(), group.text("/id"))
    }
}

/// Some value that an attribute can have.
pub(super) fn some_value(attribute: &Value, name: &str) -> Value {
    let one = match text(attribute, "/type") {
        "boolean" => json!(true),
        "integer" => json!(1),
        "decimal" => json!(1.5),
        "dateTime" => json!("2024-01-02T03:04:05Z"),
        "binary" => json!("aGVsbG8="),
        "reference" => json!("https://example.com/some"),
        "complex" => {
            let mut inner = Map::new();
            for sub in items(attribute, "/subAttributes") {
                let known = text(sub, "/name");
                if at(sub, "/required") == &Value::Bool(true) || known == "value" {
                    inner.insert(known.to_owned(), some_value(sub, name));
                }
            }
            Value::Object(inner)
        }
        _ => match items(attribute, "/canonicalValues").first() {
            Some(canonical) => canonical.clone(),
            None => json!(name),
        },
    };
    if at(attribute, "/multiValued") == &Value::Bool(true) { json!([one]) } else { one }
}

/// Six people who differ in everything that filters and sorting look at.
pub(super) struct Crowd {
    /// Letter and id, in the order in which they were made.
    pub(super) people: Vec<(char, String)>,
}

/// Letter, given name, family name, title, user type, active, employee number.
type Person =
    (char, &'static str, &'static str, Option<&'static str>, &'static str, bool, &'static str);

/// Given name, family name, title, user type, active, employee number; every second has a home address for mail.
const PEOPLE: [Person; 6] = [
    ('a', "Ada", "Archer", Some("Engineer"), "Employee", true, "1001"),
    ('b', "Bert", "Baker", Some("engineer lead"), "Employee", true, "1002"),
    ('c', "Cleo", "Carter", Some("Manager"), "Contractor", false, "1003"),
    ('d', "Dora", "Draper", None, "Contractor", true, "1004"),
    ('e', "Emil", "archer", Some("Sales \"East\" \\ West"), "Intern", false, "1005"),
    ('f', "Fay", "Fisher", Some("Zoologist"), "Employee", true, "1006"),
];

impl Crowd {
    /// Makes them.
    pub(super) async fn make(session: &Session) -> Verdict<Self> {
        let mut crowd = Self { people: Vec::new() };
        for (letter, given, family, title, kind, active, number) in PEOPLE {
            let name = crowd_name(session, letter);
            let mut mails = vec![json!({ "value": name, "type": "work", "primary": true })];
            if "bdf".contains(letter) {
                let home = format!("{}-{letter}@home.example.com", session.tag());
                mails.push(json!({ "value": home, "type": "home" }));
            }
            let mut more = json!({
                "externalId": format!("{}-Ext-{}", session.tag(), letter.to_ascii_uppercase()),
                "name": { "givenName": given, "familyName": family },
                "displayName": format!("{given} {family}"),
                "userType": kind,
                "active": active,
                "emails": mails,
                ENTERPRISE: { "employeeNumber": number, "department": kind },
            });
            if let (Some(title), Some(more)) = (title, more.as_object_mut()) {
                more.insert("title".to_owned(), json!(title));
            }
            let answer = session.make_named(&session.user(&name, &more)).await?;
            crowd.people.push((letter, answer.text("/id").to_owned()));
        }
        if crowd.people.len() < PEOPLE.len() {
            return unmet("the people for lists could not be made");
        }
        Ok(crowd)
    }

    /// The letters of those that a list shows, in the list's order; `?` for a stranger.
    pub(super) fn letters(&self, list: &Value) -> String {
        let letter = |one: &Value| {
            let id = text(one, "/id");
            self.people.iter().find(|(_, known)| known == id).map_or('?', |(letter, _)| *letter)
        };
        items(list, "/Resources").iter().map(letter).collect()
    }
}

/// The userName of one of the crowd.
pub(super) fn crowd_name(session: &Session, letter: char) -> String {
    format!("{}-crowd-{letter}@example.com", session.tag())
}

/// The filter that keeps to the crowd.
pub(super) fn crowd_only(session: &Session) -> String {
    format!("userName sw \"{}-crowd-\"", session.tag())
}
