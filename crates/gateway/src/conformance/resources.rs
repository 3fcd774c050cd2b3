//! Users, groups and the enterprise extension: RFC 7643 §4.

use super::check::{Verdict, checks, skip};
use super::exchange::Exchange;
use super::json::{at, is_absent, item, items, lists, text};
use super::representation::{mails, stored};
use super::session::Session;
use super::target::{ENTERPRISE, GROUP};
use serde_json::{Value, json};

checks! {
    "7643-4.1.1-attributes" Must [User] "the singular attributes come back as sent" => singular,
    "7643-4.1.1-user-name-required" Must [User] "a user without userName, or with an empty one, is 400" => user_name_required,
    "7643-4.1.1-password" Must [User] "password is never returned" => password,
    "7643-4.1.2-attributes" Must [User, Attribute("emails")] "the multi-valued attributes come back as sent" => multi_valued,
    "7643-4.1.2-groups" Should [User, Group, Attribute("groups")] "groups of a user shows the group, with value and $ref" => groups,
    "7643-4.2-attributes" Must [Group] "a group comes back with displayName and members" => group,
    "7643-4.2-member" Must [User, Group] "a member has value; $ref, where there is one, is the member's location" => member,
    "7643-4.2-immutable" Should [Group] "value, $ref and type of members are announced as immutable, where they are announced" => immutable,
    "7643-4.3-attributes" Must [User, Enterprise] "the enterprise attributes come back as sent" => enterprise,
    "7643-4.3-manager" Must [User, Enterprise] "manager is kept as an object with value" => manager,
}

async fn singular(session: &Session) -> Verdict {
    let mut more = json!({
        "displayName": "Babs Jensen",
        "nickName": "Babs",
        "profileUrl": "https://login.example.com/bjensen",
        "title": "Tour Guide",
        "userType": "Employee",
        "preferredLanguage": "en-US",
        "locale": "en-US",
        "timezone": "America/Los_Angeles",
        "active": true,
        "name": {
            "formatted": "Ms. Barbara J Jensen, III",
            "familyName": "Jensen",
            "givenName": "Barbara",
            "middleName": "Jane",
            "honorificPrefix": "Ms.",
            "honorificSuffix": "III",
        },
    });
    if let Some(all) = more.as_object_mut() {
        all.retain(|name, _| session.target().has_attribute(name));
    }
    compare(&stored(session, &more).await?, &more)
}

/// Fails unless everything that was sent is there as it was sent.
fn compare(read: &Exchange, sent: &Value) -> Verdict {
    for (name, value) in sent.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                for (sub, value) in inner {
                    read.has(&format!("/{name}/{sub}"), value)?;
                }
            }
            value => {
                read.has(&format!("/{name}"), value)?;
            }
        }
    }
    Ok(())
}

async fn user_name_required(session: &Session) -> Verdict {
    session.make("required", &json!({})).await?;
    for value in [None, Some(json!("")), Some(json!(null))] {
        let mut body = session.user("unused", &json!({}));
        if let Some(members) = body.as_object_mut() {
            members.remove("userName");
            if let Some(value) = &value {
                members.insert("userName".to_owned(), value.clone());
            }
        }
        session.post(&session.users(), &body).await?.refused_as(400, "invalidValue")?;
    }
    Ok(())
}

async fn password(session: &Session) -> Verdict {
    let more = json!({ "password": "conformance-Pa55 word" });
    let made = session.make("password", &more).await?;
    let path = session.path_of(&made);
    let read = session.get(&path).await?;
    let asked = session.get(&format!("{path}?attributes=password,userName")).await?;
    for answer in [&made, &read, &asked] {
        answer.succeeded()?.lacks("/password")?.present("/id")?;
    }
    Ok(())
}

async fn multi_valued(session: &Session) -> Verdict {
    let (work, home) = mails(session);
    let more = json!({
        "emails": [
            { "value": work, "type": "work", "primary": true },
            { "value": home, "type": "home" },
        ],
        "phoneNumbers": [{ "value": "tel:+1-201-555-0123", "type": "work" }],
        "ims": [{ "value": "someaimhandle", "type": "aim" }],
        "photos": [{ "value": "https://photos.example.com/profile.jpg", "type": "photo" }],
        "addresses": [{
            "type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood",
            "region": "CA", "postalCode": "91608", "country": "US",
        }],
        "entitlements": [{ "value": "tour-keys" }],
        "roles": [{ "value": "guide" }],
        "x509Certificates": [{ "value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAw" }],
    });
    let read = stored(session, &more).await?;
    for (name, sent) in more.as_object().into_iter().flatten() {
        if !session.target().has_attribute(name) {
            continue;
        }
        let got = items(&read.body, &format!("/{name}"));
        let all = items(sent, "").iter().all(|sent| got.iter().any(|got| covers(got, sent)));
        let alike = got.len() == items(sent, "").len();
        read.wants(all && alike, format!("{name} is {} instead of {sent}", at(&read.body, name)))?;
    }
    Ok(())
}

/// Whether the object has all that the other has.
fn covers(got: &Value, sent: &Value) -> bool {
    sent.as_object().is_some_and(|all| all.iter().all(|(name, value)| at(got, name) == value))
}

async fn groups(session: &Session) -> Verdict {
    let user = session.make("grouped", &json!({})).await?;
    let group = session.make_group("group", &[user.text("/id")]).await?;
    let read = session.get(&session.path_of(&user)).await?;
    let shown = item(&read.body, "/groups", "/value", group.text("/id"));
    read.wants(shown.is_object(), "groups does not show the group")?;
    let reference = text(shown, "/$ref");
    let good = reference.is_empty() || reference.ends_with(group.text("/id"));
    read.wants(good, format!("$ref is {reference:?}"))?;
    Ok(())
}

async fn group(session: &Session) -> Verdict {
    let group = session.make_group("plain", &[]).await?;
    let read = session.get(&session.group_path(&group)).await?;
    read.status(&[200])?.has("/displayName", at(&group.body, "/displayName"))?;
    read.wants(lists(&read.body, "/schemas", GROUP), format!("schemas lacks {GROUP}"))?;
    read.has("/meta/resourceType", &json!("Group"))?.lacks("/members")?;
    Ok(())
}

async fn member(session: &Session) -> Verdict {
    let user = session.make("member", &json!({})).await?;
    let group = session.make_group("members", &[user.text("/id")]).await?;
    let read = session.get(&session.group_path(&group)).await?;
    let shown = item(&read.body, "/members", "/value", user.text("/id"));
    read.wants(shown.is_object(), "the member is not shown")?;
    if !is_absent(shown, "/$ref") {
        let reference = text(shown, "/$ref");
        read.wants(reference.ends_with(user.text("/id")), format!("$ref is {reference:?}"))?;
    }
    Ok(())
}

async fn immutable(session: &Session) -> Verdict {
    let answer = session.get("/Schemas").await?;
    answer.status(&[200])?;
    if session.target().attribute(GROUP, "members").is_none() {
        return answer.unmet("the Group schema has no members");
    }
    for name in ["value", "$ref", "type"] {
        let path = format!("members.{name}");
        let Some(found) = session.target().attribute(GROUP, &path) else { continue };
        let word = text(found, "/mutability");
        answer.wants(word == "immutable", format!("{path} is announced as {word}"))?;
    }
    Ok(())
}

async fn enterprise(session: &Session) -> Verdict {
    let sent = json!({
        "employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios",
        "division": "Theme Park", "department": "Tour Operations",
    });
    let read = stored(session, &json!({ ENTERPRISE: sent })).await?;
    for (name, value) in sent.as_object().into_iter().flatten() {
        if session.target().attribute(ENTERPRISE, name).is_some() {
            read.has(&format!("/{ENTERPRISE}/{name}"), value)?;
        }
    }
    read.present(&format!("/{ENTERPRISE}/employeeNumber"))?;
    Ok(())
}

async fn manager(session: &Session) -> Verdict {
    if session.target().attribute(ENTERPRISE, "manager").is_none() {
        return skip("the extension has no manager here");
    }
    let boss = session.make("manager", &json!({})).await?;
    let more = json!({ ENTERPRISE: { "manager": { "value": boss.text("/id") } } });
    let read = stored(session, &more).await?;
    read.has(&format!("/{ENTERPRISE}/manager/value"), &json!(boss.text("/id")))?;
    Ok(())
}
