//! What resources look like: RFC 7643 §2 to §4.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::json::{at, is_instant, items, lists, text};
use super::session::Session;
use super::target::{ENTERPRISE, USER};
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
}

/// Sends a user and reads it again.
pub(super) async fn stored(session: &Session, more: &Value) -> Verdict<Exchange> {
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

pub(super) fn mails(session: &Session) -> (String, String) {
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
