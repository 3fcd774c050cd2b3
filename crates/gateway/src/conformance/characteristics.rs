//! That the characteristics of attributes are kept: RFC 7643 §2.2 and §7.

use super::check::{Verdict, checks, skip};
use super::json::{at, encoded, items, text};
use super::session::Session;
use super::target::USER;
use serde_json::{Value, json};

checks! {
    "7643-2.2-read-only-post" Must [User] "readOnly attributes in a POST are ignored" => read_only_post,
    "7643-2.2-read-only-put" Must [User] "readOnly attributes in a PUT are ignored" => read_only_put,
    "7643-2.2-read-only-patch" Must [User, Patch] "a PATCH of a readOnly attribute is 400 mutability" => read_only_patch,
    "7643-2.2-read-only-sub" Must [User, Patch] "a PATCH of meta's members is 400 mutability" => read_only_sub,
    "7643-2.2-never" Must [User] "attributes announced as returned never are not returned, also not on request" => never,
    "7643-2.2-always" Must [User] "attributes announced as returned always cannot be excluded" => always,
    "7643-2.2-request" Must [User] "attributes announced as returned request come only on request" => on_request,
    "7643-2.2-unique" Must [User] "a second user of the same userName is 409 uniqueness" => unique,
    "7643-2.2-unique-any-case" Must [User] "userName is unique without regard to case" => unique_any_case,
    "7643-2.2-unique-put" Must [User] "a PUT that takes another's userName is 409 uniqueness" => unique_put,
    "7643-2.2-unique-patch" Must [User, Patch] "a PATCH that takes another's userName is 409 uniqueness" => unique_patch,
    "7643-2.2-case-kept" Must [User] "the case of values that are not caseExact is kept as sent" => case_kept,
    "7643-2.2-case-exact" Must [User, Filter] "externalId is compared exactly, userName in any case" => case_exact,
    "7643-2.2-required-sub" Must [User] "a required sub-attribute that is missing is 400" => required_sub,
    "7643-2.2-required-patch" Must [User, Patch] "a required attribute cannot be removed" => required_patch,
    "7643-2.2-undefined" Must [User] "an attribute that no schema has is ignored or refused, not stored at the top" => undefined,
}

async fn read_only_post(session: &Session) -> Verdict {
    let sent = json!({ "groups": [{ "value": "made-up", "display": "Admins" }], "id": "made-up" });
    let made = session.make("read-only", &sent).await?;
    made.wants(made.text("/id") != "made-up", "id was taken")?.lacks("/groups")?;
    Ok(())
}

async fn read_only_put(session: &Session) -> Verdict {
    let made = session.make("read-only", &json!({})).await?;
    let sent = json!({
        "groups": [{ "value": "made-up" }],
        "meta": { "resourceType": "Robot", "created": "2001-01-01T00:00:00Z" },
    });
    let body = session.user(made.text("/userName"), &sent);
    let put = session.put(&session.path_of(&made), &body).await?;
    put.status(&[200])?.lacks("/groups")?;
    put.has("/meta/created", at(&made.body, "/meta/created"))?;
    put.has("/meta/resourceType", &json!("User"))?;
    Ok(())
}

async fn read_only_patch(session: &Session) -> Verdict {
    let made = session.make("read-only", &json!({})).await?;
    let path = session.path_of(&made);
    let mut operations = vec![json!({ "op": "replace", "path": "id", "value": "made-up" })];
    if session.target().characteristic("groups", "mutability") == Some("readOnly") {
        let value = json!([{ "value": "made-up" }]);
        operations.push(json!({ "op": "add", "path": "groups", "value": value }));
    }
    for operation in operations {
        session.patch(&path, &json!([operation])).await?.refused_as(400, "mutability")?;
    }
    session.get(&path).await?.status(&[200])?;
    Ok(())
}

async fn read_only_sub(session: &Session) -> Verdict {
    let made = session.make("read-only", &json!({})).await?;
    let operation =
        json!([{ "op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z" }]);
    let answer = session.patch(&session.path_of(&made), &operation).await?;
    answer.refused_as(400, "mutability")?;
    Ok(())
}

/// The names of User attributes that are announced with this word for `returned`.
fn returned<'a>(session: &'a Session, word: &str) -> Vec<&'a str> {
    let schema = session.target().schema(USER);
    let attributes = schema.map(|schema| items(schema, "/attributes")).unwrap_or_default();
    let of = attributes.iter().filter(|one| text(one, "/returned") == word);
    of.map(|one| text(one, "/name")).filter(|name| !name.is_empty()).collect()
}

async fn never(session: &Session) -> Verdict {
    let names = returned(session, "never");
    if names.is_empty() {
        return skip("the User schema announces no attribute as returned never");
    }
    let made = session.make("never", &json!({ "password": "conformance-Pa55 word" })).await?;
    let path = format!("{}?attributes={}", session.path_of(&made), names.join(","));
    let asked = session.get(&path).await?;
    asked.status(&[200])?.present("/id")?;
    for name in names {
        made.lacks(&format!("/{name}"))?;
        asked.lacks(&format!("/{name}"))?;
    }
    Ok(())
}

async fn always(session: &Session) -> Verdict {
    let made = session.make("always", &json!({})).await?;
    let mut names = returned(session, "always");
    names.retain(|name| !made.text(&format!("/{name}")).is_empty());
    names.push("id");
    let path = format!("{}?excludedAttributes={}", session.path_of(&made), names.join(","));
    let read = session.get(&path).await?;
    read.status(&[200])?;
    for name in names {
        read.present(&format!("/{name}"))?;
    }
    Ok(())
}

async fn on_request(session: &Session) -> Verdict {
    let names = returned(session, "request");
    let writable = |name: &&&str| {
        session.target().characteristic(name, "mutability").is_none_or(|word| word == "readWrite")
    };
    let Some(name) = names.iter().find(writable) else {
        return skip("the User schema announces no writable attribute as returned on request");
    };
    let attribute = session.target().attribute(USER, name).cloned().unwrap_or_default();
    let value = super::people::some_value(&attribute, "conformance");
    let made = session.make("request", &json!({ *name: value })).await?;
    let path = session.path_of(&made);
    session.get(&path).await?.status(&[200])?.lacks(&format!("/{name}"))?;
    let asked = session.get(&format!("{path}?attributes={name}")).await?;
    asked.status(&[200])?.present(&format!("/{name}"))?;
    Ok(())
}

async fn unique(session: &Session) -> Verdict {
    let made = session.make("unique", &json!({})).await?;
    let body = session.user(made.text("/userName"), &json!({}));
    session.post(&session.users(), &body).await?.refused_as(409, "uniqueness")?;
    Ok(())
}

async fn unique_any_case(session: &Session) -> Verdict {
    let made = session.make("unique", &json!({})).await?;
    let body = session.user(&made.text("/userName").to_uppercase(), &json!({}));
    session.post(&session.users(), &body).await?.refused_as(409, "uniqueness")?;
    Ok(())
}

async fn unique_put(session: &Session) -> Verdict {
    let (one, two) =
        (session.make("one", &json!({})).await?, session.make("two", &json!({})).await?);
    let body = session.user(one.text("/userName"), &json!({}));
    session.put(&session.path_of(&two), &body).await?.refused_as(409, "uniqueness")?;
    let read = session.get(&session.path_of(&two)).await?;
    read.has("/userName", at(&two.body, "/userName"))?;
    Ok(())
}

async fn unique_patch(session: &Session) -> Verdict {
    let (one, two) =
        (session.make("one", &json!({})).await?, session.make("two", &json!({})).await?);
    let taken = json!([{ "op": "replace", "path": "userName", "value": one.text("/userName") }]);
    session.patch(&session.path_of(&two), &taken).await?.refused_as(409, "uniqueness")?;
    let read = session.get(&session.path_of(&two)).await?;
    read.has("/userName", at(&two.body, "/userName"))?;
    Ok(())
}

async fn case_kept(session: &Session) -> Verdict {
    let name = format!("{}@Example.COM", session.fresh("MiXeD"));
    let made = session.make_named(&session.user(&name, &json!({}))).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.has("/userName", &json!(name))?;
    Ok(())
}

async fn case_exact(session: &Session) -> Verdict {
    let external = session.fresh("Exact");
    let made = session.make("exact", &json!({ "externalId": external })).await?;
    let total = |body: &Value| at(body, "/totalResults").as_u64();
    let name = made.text("/userName").to_uppercase();
    for (name, value, count) in [
        ("externalId", external.as_str(), 1),
        ("externalId", &external.to_uppercase(), 0),
        ("userName", &name, 1),
    ] {
        let filter = encoded(&format!("{name} eq \"{value}\""));
        let list = session.get(&format!("{}?filter={filter}", session.users())).await?;
        let what = format!("totalResults is not {count} for this value of {name}");
        list.status(&[200])?.wants(total(&list.body) == Some(count), what)?;
    }
    Ok(())
}

async fn required_sub(session: &Session) -> Verdict {
    let schema = session.target().schema(USER);
    let attributes = schema.map(|schema| items(schema, "/attributes")).unwrap_or_default();
    let required = |one: &&Value| {
        items(one, "/subAttributes").iter().any(|sub| at(sub, "/required") == &json!(true))
            && at(one, "/multiValued") == &json!(true)
            && text(one, "/mutability") != "readOnly"
    };
    let Some(found) = attributes.iter().find(required) else {
        return skip("the User schema announces no required sub-attribute");
    };
    let name = text(found, "/name");
    session.make("whole", &json!({})).await?;
    let user_name = format!("{}@example.com", session.fresh("part"));
    let body = session.user(&user_name, &json!({ name: [{ "type": "work" }] }));
    session.post(&session.users(), &body).await?.refused_as(400, "invalidValue")?;
    Ok(())
}

async fn required_patch(session: &Session) -> Verdict {
    let made = session.make("required", &json!({})).await?;
    let path = session.path_of(&made);
    let answer = session.patch(&path, &json!([{ "op": "remove", "path": "userName" }])).await?;
    answer.refused(&[400])?;
    session.get(&path).await?.has("/userName", at(&made.body, "/userName"))?;
    Ok(())
}

async fn undefined(session: &Session) -> Verdict {
    session.make("plain", &json!({})).await?;
    let user_name = format!("{}@example.com", session.fresh("undefined"));
    let mut body = session.user(&user_name, &json!({}));
    if let Some(members) = body.as_object_mut() {
        members.insert("conformanceNoSuchAttribute".to_owned(), json!("x"));
    }
    let answer = session.post(&session.users(), &body).await?;
    if answer.status != 201 {
        answer.refused(&[400])?;
        return Ok(());
    }
    answer.lacks("/conformanceNoSuchAttribute")?;
    Ok(())
}
