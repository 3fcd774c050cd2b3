//! What resources look like: RFC 7643 §2 to §4.

use super::check::{Verdict, checks, skip};
use super::exchange::Exchange;
use super::json::{at, is_absent, is_instant, item, items, lists, text};
use super::session::Session;
use super::target::{ENTERPRISE, GROUP, USER};
use serde_json::{Value, json};

checks! {
    "7643-2.1-names-any-case" Must [User] "attribute names are read in any case" => names_any_case,
    "7643-2.1-urn-any-case" Should [User] "`urn:` and the namespace of a URN in schemas are read in any case (RFC 8141 §3.1)" => urn_any_case,
    "7643-2.3-boolean" Must [User, Attribute("active")] "a boolean comes back as a JSON boolean" => boolean,
    "7643-2.3-date-time" Must [User] "dateTime values are valid xsd:dateTime with a date and a time" => date_time,
    "7643-2.3-types-refused" Must [User, Attribute("active"), Attribute("name")] "a value of another type is 400 invalidValue or invalidSyntax" => types_refused,
    "7643-2.4-primary-once" Must [User, Attribute("emails")] "two values with primary true are not stored as such" => primary_once,
    "7643-2.4-duplicates" Should [User, Attribute("emails")] "the same type and value are not there twice" => duplicates,
    "7643-2.5-null" Must [User, Attribute("title"), Attribute("emails")] "null and [] on POST mean absent" => null_is_absent,
    "7643-2.5-put-null" Must [User, Attribute("title")] "null on PUT clears" => null_on_put,
    "7643-3-schemas" Must [User] "schemas holds the URN of the resource type, no value twice" => schemas,
    "7643-3-schemas-wanted" Must [User] "a body without schemas, or with wrong ones, is 400 or taken as the endpoint says" => schemas_wanted,
    "7643-3.1-id" Must [User] "id is a text that is not empty and not `bulkId`" => id,
    "7643-3.1-id-assigned" Must [User] "an id that the client sends is not taken" => id_assigned,
    "7643-3.1-id-stable" Must [User] "id stays the same over reads and changes" => id_stable,
    "7643-3.1-id-not-reused" Must [User] "the id of a deleted resource is not given again" => id_not_reused,
    "7643-3.1-external-id" Must [User] "externalId comes back exactly as it was sent" => external_id,
    "7643-3.1-unmodified" Must [User] "a resource that was never changed has lastModified equal to created" => unmodified,
    "7643-3.1-meta" Must [User] "meta has resourceType, created, lastModified and location" => meta,
    "7643-3.1-meta-read-only" Must [User] "meta that the client sends is ignored" => meta_read_only,
    "7643-3.1-location" Must [User] "meta.location is the Location (or Content-Location) header and can be read" => location,
    "7643-3.1-content-location" Should [User] "the 200 of a resource has a Content-Location or Location, the same as meta.location" => read_location,
    "7643-3.1-last-modified" Must [User] "lastModified is not before created and moves with a change" => last_modified,
    "7643-3.1-resource-type" Must [User] "meta.resourceType is the resource type's name" => resource_type,
    "7643-3.3-extension" Must [User, Enterprise] "extension attributes live in an object under the extension's URN, named in schemas" => extension,
    "7643-3.3-extension-absent" Must [User, Enterprise] "an extension without values is not named in schemas as filled" => extension_absent,
    "7643-4.1.1-attributes" Must [User] "the singular attributes come back as sent" => singular,
    "7643-4.1.1-user-name-required" Must [User] "a user without userName, or with an empty one, is 400" => user_name_required,
    "7643-4.1.1-password" Must [User] "password is never returned" => password,
    "7643-4.1.2-attributes" Must [User, Attribute("emails")] "the multi-valued attributes come back as sent" => multi_valued,
    "7643-4.1.2-groups" Should [User, Group, Attribute("groups")] "groups of a user shows the group, with value and $ref" => groups,
    "7643-4.2-attributes" Must [Group] "a group comes back with displayName and members" => group,
    "7643-4.2-member" Must [User, Group] "a member has value; $ref, where there is one, is the member's location" => member,
    "7643-4.3-attributes" Must [User, Enterprise] "the enterprise attributes come back as sent" => enterprise,
    "7643-4.3-manager" Must [User, Enterprise] "manager is kept as an object with value" => manager,
}

/// Sends a user and reads it again.
async fn stored(session: &Session, more: &Value) -> Verdict<Exchange> {
    let made = session.make("shape", more).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?.has("/id", &json!(made.text("/id")))?;
    Ok(read)
}

async fn names_any_case(session: &Session) -> Verdict {
    let name = format!("{}@example.com", session.fresh("case"));
    let mut body = session.user("unused", &json!({}));
    if let Some(members) = body.as_object_mut() {
        members.retain(|known, _| known != "userName" && known != "displayName");
        members.insert("USERNAME".to_owned(), json!(name));
        members.insert("DisplayNAME".to_owned(), json!("Any Case"));
    }
    let made = session.make_named(&body).await?;
    made.has("/userName", &json!(name))?;
    let named = made.body.as_object().is_some_and(|all| all.contains_key("userName"));
    made.wants(named, "the answer does not name it `userName`")?;
    Ok(())
}

async fn urn_any_case(session: &Session) -> Verdict {
    let name = format!("{}@example.com", session.fresh("urn"));
    let mut body = session.user(&name, &json!({}));
    if let Some(schemas) = body.get_mut("schemas") {
        *schemas = json!([USER.replace("urn:ietf", "URN:IETF")]);
    }
    session.make_named(&body).await?.has("/userName", &json!(name))?;
    Ok(())
}

async fn boolean(session: &Session) -> Verdict {
    for active in [true, false] {
        stored(session, &json!({ "active": active })).await?.has("/active", &json!(active))?;
    }
    Ok(())
}

async fn date_time(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    for path in ["/meta/created", "/meta/lastModified"] {
        let value = read.text(path);
        read.wants(is_instant(value), format!("{path} is {value:?}"))?;
    }
    Ok(())
}

async fn types_refused(session: &Session) -> Verdict {
    session.make("typed", &json!({})).await?;
    for (name, value) in [
        ("active", json!("neither")),
        ("active", json!({ "value": true })),
        ("name", json!("text")),
        ("emails", json!(7)),
        ("userName", json!({ "value": "x" })),
    ] {
        let user_name = format!("{}@example.com", session.fresh("typed"));
        let mut body = session.user(&user_name, &json!({}));
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        let answer = session.post(&session.users(), &body).await?;
        answer.refused(&[400])?;
        let scim_type = answer.text("/scimType");
        let known = ["invalidValue", "invalidSyntax", ""].contains(&scim_type);
        answer.wants(known, format!("scimType is {scim_type:?}"))?;
    }
    Ok(())
}

fn mails(session: &Session) -> (String, String) {
    let word = session.fresh("mail");
    (format!("{word}@example.com"), format!("{word}@home.example.com"))
}

async fn primary_once(session: &Session) -> Verdict {
    session.make("plain", &json!({})).await?;
    let (work, home) = mails(session);
    let user_name = format!("{}@example.com", session.fresh("primary"));
    let body = session.user(
        &user_name,
        &json!({ "emails": [
        { "value": work, "type": "work", "primary": true },
        { "value": home, "type": "home", "primary": true },
    ] }),
    );
    let answer = session.post(&session.users(), &body).await?;
    if answer.status != 201 {
        answer.refused(&[400])?;
        return Ok(());
    }
    let primaries = items(&answer.body, "/emails").iter();
    let count = primaries.filter(|mail| at(mail, "/primary") == &json!(true)).count();
    let there = !items(&answer.body, "/emails").is_empty();
    answer.wants(there && count <= 1, format!("{count} of the stored values are primary"))?;
    Ok(())
}

async fn duplicates(session: &Session) -> Verdict {
    session.make("plain", &json!({})).await?;
    let (work, _) = mails(session);
    let one = json!({ "value": work, "type": "work" });
    let user_name = format!("{}@example.com", session.fresh("twice"));
    let body = session.user(&user_name, &json!({ "emails": [one, one] }));
    let answer = session.post(&session.users(), &body).await?;
    if answer.status != 201 {
        answer.refused(&[400])?;
        return Ok(());
    }
    let same = items(&answer.body, "/emails").iter().filter(|m| text(m, "/value") == work).count();
    answer.wants(same == 1, format!("the value is there {same} times"))?;
    Ok(())
}

async fn null_is_absent(session: &Session) -> Verdict {
    let more = json!({ "title": null, "emails": [], "nickName": "kept" });
    let read = stored(session, &more).await?;
    read.lacks("/title")?.lacks("/emails")?.present("/userName")?;
    Ok(())
}

async fn null_on_put(session: &Session) -> Verdict {
    let made = session.make("null", &json!({ "title": "Engineer" })).await?;
    made.has("/title", &json!("Engineer"))?;
    let body = session.user(made.text("/userName"), &json!({ "title": null }));
    session.put(&session.path_of(&made), &body).await?.status(&[200])?.lacks("/title")?;
    session.get(&session.path_of(&made)).await?.status(&[200])?.lacks("/title")?;
    Ok(())
}

async fn schemas(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    read.wants(lists(&read.body, "/schemas", USER), format!("schemas lacks {USER}"))?;
    let mut seen: Vec<&Value> = Vec::new();
    for urn in items(&read.body, "/schemas") {
        read.wants(!seen.contains(&urn), format!("{urn} is there twice"))?;
        seen.push(urn);
    }
    Ok(())
}

async fn schemas_wanted(session: &Session) -> Verdict {
    session.make("plain", &json!({})).await?;
    let name = format!("{}@example.com", session.fresh("schemas"));
    let mut body = session.user(&name, &json!({}));
    if let Some(members) = body.as_object_mut() {
        members.remove("schemas");
    }
    let answer = session.post(&session.users(), &body).await?;
    if answer.status == 201 {
        answer.wants(lists(&answer.body, "/schemas", USER), "it is stored without schemas")?;
    } else {
        answer.refused(&[400])?;
    }
    Ok(())
}

async fn id(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    let value = at(&read.body, "/id");
    let good = value.as_str().is_some_and(|id| !id.is_empty() && id != "bulkId");
    read.wants(good, format!("id is {value}"))?;
    Ok(())
}

async fn id_assigned(session: &Session) -> Verdict {
    let chosen = session.fresh("chosen-id");
    let made = session.make("id", &json!({ "id": chosen })).await?;
    made.wants(made.text("/id") != chosen, "the client's id was taken")?;
    Ok(())
}

async fn id_stable(session: &Session) -> Verdict {
    let made = session.make("stable", &json!({})).await?;
    let body = session.user(made.text("/userName"), &json!({ "id": "other", "nickName": "n" }));
    let answer = session.put(&session.path_of(&made), &body).await?;
    if answer.status != 200 {
        answer.refused_as(400, "mutability")?;
    }
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?.has("/id", &json!(made.text("/id")))?;
    Ok(())
}

async fn id_not_reused(session: &Session) -> Verdict {
    let made = session.make("gone", &json!({})).await?;
    session.delete(&session.path_of(&made)).await?.status(&[204])?;
    let again = session.make_named(&session.user(made.text("/userName"), &json!({}))).await?;
    again.wants(again.text("/id") != made.text("/id"), "the id was given again")?;
    Ok(())
}

async fn external_id(session: &Session) -> Verdict {
    let sent = format!("{}-MiXeD case/\u{e9}", session.fresh("Ext"));
    stored(session, &json!({ "externalId": sent })).await?.has("/externalId", &json!(sent))?;
    Ok(())
}

async fn meta(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    for name in ["resourceType", "created", "lastModified", "location"] {
        let path = format!("/meta/{name}");
        read.wants(!read.text(&path).is_empty(), format!("{path} is missing or no text"))?;
    }
    Ok(())
}

async fn unmodified(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    read.present("/meta/created")?.has("/meta/lastModified", at(&read.body, "/meta/created"))?;
    Ok(())
}

async fn meta_read_only(session: &Session) -> Verdict {
    let sent = json!({ "meta": {
        "resourceType": "Robot",
        "created": "2001-01-01T00:00:00Z",
        "lastModified": "2001-01-01T00:00:00Z",
        "location": "https://example.com/elsewhere",
        "version": "W/\"sent\"",
    } });
    let made = session.make("meta", &sent).await?;
    made.present("/meta/location")?;
    for (path, sent) in sent.get("meta").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("/meta/{path}");
        made.wants(at(&made.body, &path) != sent, format!("{path} was taken from the client"))?;
    }
    Ok(())
}

async fn location(session: &Session) -> Verdict {
    let made = session.make("location", &json!({})).await?;
    let shown = made.text("/meta/location").to_owned();
    let header = made.header("location").unwrap_or_default();
    made.wants(header == shown, format!("Location is {header:?}, meta.location {shown:?}"))?;
    made.wants(shown.ends_with(made.text("/id")), "the location does not end in the id")?;
    let read = session.get(&session.path_of(&made)).await?;
    read.has("/meta/location", &json!(shown))?;
    let Some(path) = session.path_at(&shown) else {
        return read.unmet(format!("{shown} is not below the base URL {}", session.base()));
    };
    session.get(&path).await?.status(&[200])?.has("/id", &json!(made.text("/id")))?;
    Ok(())
}

async fn read_location(session: &Session) -> Verdict {
    let made = session.make("read", &json!({})).await?;
    let read = session.get(&session.path_of(&made)).await?;
    let header = read.header("location").or_else(|| read.header("content-location"));
    let same = header.is_some_and(|header| header == read.text("/meta/location"));
    read.wants(same, format!("Location is {header:?}"))?;
    Ok(())
}

async fn last_modified(session: &Session) -> Verdict {
    let made = session.make("modified", &json!({})).await?;
    session.next_tick(made.text("/meta/lastModified")).await;
    let body = session.user(made.text("/userName"), &json!({ "nickName": "n", "title": "t" }));
    let put = session.put(&session.path_of(&made), &body).await?;
    put.status(&[200])?;
    let read = |text: &str| {
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
    };
    let (created, was) = (read(put.text("/meta/created")), read(made.text("/meta/lastModified")));
    let now = read(put.text("/meta/lastModified"));
    let (Some(created), Some(was), Some(now)) = (created, was, now) else {
        return put.unmet("created or lastModified is no dateTime");
    };
    put.wants(created <= now, "lastModified is before created")?;
    put.wants(was < now, "lastModified did not move")?;
    put.has("/meta/created", at(&made.body, "/meta/created"))?;
    Ok(())
}

async fn resource_type(session: &Session) -> Verdict {
    stored(session, &json!({})).await?.has("/meta/resourceType", &json!("User"))?;
    Ok(())
}

async fn extension(session: &Session) -> Verdict {
    let more = json!({ ENTERPRISE: { "department": "Tours" } });
    let read = stored(session, &more).await?;
    read.has(&format!("/{ENTERPRISE}/department"), &json!("Tours"))?;
    read.wants(lists(&read.body, "/schemas", ENTERPRISE), "schemas lacks the extension")?;
    read.lacks("/department")?;
    Ok(())
}

async fn extension_absent(session: &Session) -> Verdict {
    let read = stored(session, &json!({})).await?;
    read.present("/schemas")?;
    let object = at(&read.body, &format!("/{ENTERPRISE}"));
    let empty = object.as_object().is_none_or(|all| all.values().all(Value::is_null));
    read.wants(empty, "values appeared that nobody sent")?;
    Ok(())
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
