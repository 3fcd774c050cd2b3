//! PATCH as a whole, and its operations on simple paths: RFC 7644 §3.5.2.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::http::nowhere;
use super::json::{at, items, text};
use super::session::Session;
use super::target::ENTERPRISE;
use reqwest::Method;
use serde_json::{Value, json};

/// The schema of a PATCH.
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

checks! {
    "7644-3.5.2-answer" Must [User, Patch] "PATCH answers 200 with the resource, or 204" => answer,
    "7644-3.5.2-atomic" Must [User, Patch] "one bad operation, and none is applied" => atomic,
    "7644-3.5.2-in-order" Must [User, Patch] "operations are applied one after another" => in_order,
    "7644-3.5.2-schemas" Must [User, Patch] "a body without the PatchOp schema is 400, or taken as what it plainly is" => schemas,
    "7644-3.5.2-unknown-op" Must [User, Patch] "an op that is not add, remove or replace is 400" => unknown_op,
    "7644-3.5.2-no-operations" Must [User, Patch] "a body without Operations is 400" => no_operations,
    "7644-3.5.2-unknown" Must [User, Patch] "PATCH of an unknown id is 404" => unknown,
    "7644-3.5.2-invalid-path" Must [User, Patch] "a path that cannot be read is 400 invalidPath" => invalid_path,
    "7644-3.5.2-unknown-attribute" Must [User, Patch] "a path to an attribute that no schema has is 400" => unknown_attribute,
    "7644-3.5.2-wrong-type" Must [User, Patch, Attribute("active")] "a value of another type is 400 invalidValue" => wrong_type,
    "7644-3.5.2-last-modified" Must [User, Patch] "a change moves meta.lastModified; nothing else readOnly" => last_modified,
    "7644-3.5.2-urn-path" Must [User, Patch] "a path with the schema's URN" => urn_path,
    "7644-3.5.2-names-any-case" Must [User, Patch] "attribute names of a path in any case" => names_any_case,
    "7644-3.5.2-extension-path" Must [User, Patch, Enterprise] "a path into an extension, by its URN" => extension_path,
    "7644-3.5.2.1-single" Must [User, Patch] "add to a single-valued attribute sets it, whether it was there or not" => add_single,
    "7644-3.5.2.1-timestamp" Must [User, Patch] "add of a value that is there leaves lastModified" => timestamp,
    "7644-3.5.2.1-without-path" Must [User, Patch] "add without a path merges the attributes of value" => add_without_path,
    "7644-3.5.2.1-sub-attribute" Must [User, Patch, Attribute("name")] "add to a sub-attribute keeps its neighbours" => add_sub,
    "7644-3.5.2.1-complex" Must [User, Patch, Attribute("name")] "add to a complex attribute merges what is named" => add_complex,
    "7644-3.5.2.1-no-value" Must [User, Patch] "add without a value is 400" => add_no_value,
    "7644-3.5.2.1-extension" Must [User, Patch, Enterprise] "add of a whole extension object without a path" => add_extension,
    "7644-3.5.2.2-single" Must [User, Patch, Attribute("title")] "remove of a single-valued attribute unassigns it" => remove_single,
    "7644-3.5.2.2-no-path" Must [User, Patch] "remove without a path is 400 noTarget" => remove_no_path,
    "7644-3.5.2.2-sub-attribute" Must [User, Patch, Attribute("name")] "remove of a sub-attribute keeps its neighbours" => remove_sub,
    "7644-3.5.2.2-required" Must [User, Patch] "a required attribute that is removed or unassigned is 400 mutability" => remove_required,
    "7644-3.5.2.2-read-only" Must [User, Patch] "remove of a readOnly attribute is 400 mutability" => remove_read_only,
    "7644-3.5.2.2-absent" Must [User, Patch, Attribute("title")] "remove of what is not there is no failure of the server" => remove_absent,
    "7644-3.5.2.3-single" Must [User, Patch] "replace of a single-valued attribute" => replace_single,
    "7644-3.5.2.3-absent" Must [User, Patch, Attribute("title")] "replace of an absent attribute adds it" => replace_absent,
    "7644-3.5.2.3-without-path" Must [User, Patch] "replace without a path sets what value names, and nothing else" => replace_without_path,
    "7644-3.5.2.3-complex" Must [User, Patch, Attribute("name")] "replace of a complex attribute replaces the sub-attributes that are named" => replace_complex,
    "7644-3.5.2.3-boolean" Must [User, Patch, Attribute("active")] "replace of active" => replace_active,
}

/// A user to change, with several attributes.
async fn subject(session: &Session) -> Verdict<Exchange> {
    let more = json!({
        "title": "Guide",
        "displayName": "Babs Jensen",
        "nickName": "Babs",
        "active": true,
        "name": { "givenName": "Barbara", "familyName": "Jensen", "middleName": "Jane" },
        ENTERPRISE: { "department": "Tours", "costCenter": "4130" },
    });
    session.make("patch", &more).await
}

/// Applies operations that must succeed, and reads the user again.
async fn patched(session: &Session, user: &Exchange, operations: Value) -> Verdict<Exchange> {
    let path = session.path_of(user);
    session.patch(&path, &operations).await?.status(&[200, 204])?;
    let read = session.get(&path).await?;
    read.status(&[200])?.has("/id", at(&user.body, "/id"))?;
    Ok(read)
}

/// Sends operations that must be refused, and makes sure that nothing changed.
async fn unchanged(session: &Session, operations: Value) -> Verdict<Exchange> {
    let user = subject(session).await?;
    let path = session.path_of(&user);
    let before = session.get(&path).await?;
    before.status(&[200])?;
    let answer = session.patch(&path, &operations).await?;
    answer.refused(&[400])?;
    let after = session.get(&path).await?;
    for (name, value) in before.body.as_object().into_iter().flatten() {
        after.has(&format!("/{name}"), value)?;
    }
    Ok(answer)
}

fn op(op: &str, path: &str, value: &Value) -> Value {
    json!([{ "op": op, "path": path, "value": value }])
}

async fn answer(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let change = op("replace", "displayName", &json!("New"));
    let answer = session.patch(&session.path_of(&user), &change).await?;
    answer.status(&[200, 204])?;
    if answer.status == 200 {
        answer.has("/displayName", &json!("New"))?.present("/id")?.present("/schemas")?;
    } else {
        answer.wants(answer.received.is_empty(), "a 204 has no body")?;
    }
    session.get(&session.path_of(&user)).await?.has("/displayName", &json!("New"))?;
    Ok(())
}

async fn atomic(session: &Session) -> Verdict {
    let operations = json!([
        { "op": "replace", "path": "displayName", "value": "Half" },
        { "op": "replace", "path": "nickName", "value": "Half" },
        { "op": "replace", "path": "active", "value": { "not": "a boolean" } },
    ]);
    unchanged(session, operations).await?;
    Ok(())
}

async fn in_order(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let operations = json!([
        { "op": "replace", "path": "displayName", "value": "first" },
        { "op": "remove", "path": "nickName" },
        { "op": "replace", "path": "displayName", "value": "second" },
        { "op": "add", "path": "nickName", "value": "third" },
    ]);
    let read = patched(session, &user, operations).await?;
    read.has("/displayName", &json!("second"))?.has("/nickName", &json!("third"))?;
    Ok(())
}

async fn schemas(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let body = json!({ "Operations": op("replace", "displayName", &json!("New")) });
    let call = session.call(Method::PATCH, session.path_of(&user)).json(&body);
    let answer = call.send().await?;
    let read = session.get(&session.path_of(&user)).await?;
    if [200, 204].contains(&answer.status) {
        read.has("/displayName", &json!("New"))?;
    } else {
        answer.refused(&[400])?;
        read.has("/displayName", at(&user.body, "/displayName"))?;
    }
    Ok(())
}

async fn unknown_op(session: &Session) -> Verdict {
    unchanged(session, op("merge", "displayName", &json!("New"))).await?;
    unchanged(session, json!([{ "path": "displayName", "value": "New" }])).await?;
    Ok(())
}

async fn no_operations(session: &Session) -> Verdict {
    let user = subject(session).await?;
    for body in
        [json!({ "schemas": [PATCH_OP] }), json!({ "schemas": [PATCH_OP], "Operations": "x" })]
    {
        let call = session.call(Method::PATCH, session.path_of(&user)).json(&body);
        call.send().await?.refused(&[400])?;
    }
    Ok(())
}

async fn unknown(session: &Session) -> Verdict {
    subject(session).await?;
    let change = op("replace", "displayName", &json!("New"));
    session.patch(&nowhere(session), &change).await?.refused(&[404])?;
    Ok(())
}

async fn invalid_path(session: &Session) -> Verdict {
    for path in ["emails[type eq", "emails[type eq \"work\"", "name..givenName", "emails[]", "]["] {
        let answer = unchanged(session, op("replace", path, &json!("x"))).await?;
        let got = answer.text("/scimType");
        let known = ["invalidPath", "invalidFilter"].contains(&got);
        answer.wants(known, format!("scimType is {got:?} instead of \"invalidPath\""))?;
    }
    Ok(())
}

async fn unknown_attribute(session: &Session) -> Verdict {
    for path in ["conformanceNoSuchAttribute", "name.conformanceNoSuch", "urn:example:none:2.0:X:y"]
    {
        let answer = unchanged(session, op("replace", path, &json!("x"))).await?;
        let got = answer.text("/scimType");
        let known = ["invalidPath", "noTarget", "invalidValue"].contains(&got);
        answer.wants(known, format!("scimType is {got:?} instead of \"invalidPath\""))?;
    }
    Ok(())
}

async fn wrong_type(session: &Session) -> Verdict {
    for value in [json!("neither"), json!([true, false]), json!({ "value": true })] {
        let answer = unchanged(session, op("replace", "active", &value)).await?;
        let got = answer.text("/scimType");
        let known = ["invalidValue", "invalidSyntax"].contains(&got);
        answer.wants(known, format!("scimType is {got:?} instead of \"invalidValue\""))?;
    }
    Ok(())
}

async fn last_modified(session: &Session) -> Verdict {
    let user = subject(session).await?;
    session.next_tick(user.text("/meta/lastModified")).await;
    let read = patched(session, &user, op("replace", "displayName", &json!("New"))).await?;
    let (was, now) = (user.text("/meta/lastModified"), read.text("/meta/lastModified"));
    read.wants(super::json::is_instant(now), "lastModified is no dateTime")?;
    read.wants(was != now, "lastModified stayed")?;
    read.has("/meta/created", at(&user.body, "/meta/created"))?;
    Ok(())
}

async fn urn_path(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let path = format!("{}:displayName", super::target::USER);
    let read = patched(session, &user, op("replace", &path, &json!("New"))).await?;
    read.has("/displayName", &json!("New"))?;
    let path = format!("{}:name.givenName", super::target::USER);
    let read = patched(session, &user, op("replace", &path, &json!("Ann"))).await?;
    read.has("/name/givenName", &json!("Ann"))?;
    Ok(())
}

async fn names_any_case(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let read = patched(session, &user, op("replace", "DISPLAYNAME", &json!("New"))).await?;
    read.has("/displayName", &json!("New"))?;
    let named = read.body.as_object().is_some_and(|all| all.contains_key("displayName"));
    read.wants(named, "the answer does not name it `displayName`")?;
    Ok(())
}

async fn extension_path(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let path = format!("{ENTERPRISE}:department");
    let read = patched(session, &user, op("replace", &path, &json!("Sales"))).await?;
    read.has(&format!("/{ENTERPRISE}/department"), &json!("Sales"))?;
    read.has(&format!("/{ENTERPRISE}/costCenter"), &json!("4130"))?;
    let read = patched(session, &user, json!([{ "op": "remove", "path": path }])).await?;
    read.lacks(&format!("/{ENTERPRISE}/department"))?;
    Ok(())
}

async fn add_single(session: &Session) -> Verdict {
    let user = session.make("patch", &json!({ "displayName": "Old" })).await?;
    let read = patched(session, &user, op("add", "displayName", &json!("New"))).await?;
    read.has("/displayName", &json!("New"))?;
    let read = patched(session, &user, op("add", "nickName", &json!("Nick"))).await?;
    read.has("/nickName", &json!("Nick"))?.has("/displayName", &json!("New"))?;
    Ok(())
}

async fn timestamp(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let change = op("add", "displayName", &json!("New"));
    let first = patched(session, &user, change.clone()).await?;
    first.has("/displayName", &json!("New"))?;
    session.next_tick(first.text("/meta/lastModified")).await;
    let second = patched(session, &user, change).await?;
    second.has("/meta/lastModified", at(&first.body, "/meta/lastModified"))?;
    Ok(())
}

async fn add_without_path(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let value = json!({ "nickName": "New", "name": { "givenName": "Ann" } });
    let read = patched(session, &user, json!([{ "op": "add", "value": value }])).await?;
    read.has("/nickName", &json!("New"))?.has("/name/givenName", &json!("Ann"))?;
    read.has("/displayName", &json!("Babs Jensen"))?.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn add_sub(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let read = patched(session, &user, op("add", "name.givenName", &json!("Ann"))).await?;
    read.has("/name/givenName", &json!("Ann"))?.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn add_complex(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let value = json!({ "givenName": "Ann", "honorificPrefix": "Ms." });
    let read = patched(session, &user, op("add", "name", &value)).await?;
    read.has("/name/givenName", &json!("Ann"))?.has("/name/honorificPrefix", &json!("Ms."))?;
    read.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn add_no_value(session: &Session) -> Verdict {
    unchanged(session, json!([{ "op": "add", "path": "nickName" }])).await?;
    unchanged(session, json!([{ "op": "add" }])).await?;
    Ok(())
}

async fn add_extension(session: &Session) -> Verdict {
    let user = session.make("patch", &json!({})).await?;
    let value = json!({ ENTERPRISE: { "department": "Tours" } });
    let read = patched(session, &user, json!([{ "op": "add", "value": value }])).await?;
    read.has(&format!("/{ENTERPRISE}/department"), &json!("Tours"))?;
    let named = super::json::lists(&read.body, "/schemas", ENTERPRISE);
    read.wants(named, "schemas lacks the extension")?;
    Ok(())
}

async fn remove_single(session: &Session) -> Verdict {
    let user = subject(session).await?;
    user.present("/title")?;
    let read = patched(session, &user, json!([{ "op": "remove", "path": "title" }])).await?;
    read.lacks("/title")?.present("/displayName")?;
    Ok(())
}

async fn remove_no_path(session: &Session) -> Verdict {
    let answer = unchanged(session, json!([{ "op": "remove" }])).await?;
    answer.refused_as(400, "noTarget")?;
    Ok(())
}

async fn remove_sub(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let read =
        patched(session, &user, json!([{ "op": "remove", "path": "name.middleName" }])).await?;
    read.lacks("/name/middleName")?.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn remove_required(session: &Session) -> Verdict {
    for operation in [
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "replace", "path": "userName", "value": null }),
    ] {
        unchanged(session, json!([operation])).await?.refused_as(400, "mutability")?;
    }
    Ok(())
}

async fn remove_read_only(session: &Session) -> Verdict {
    for path in ["id", "meta", "meta.created"] {
        let answer = unchanged(session, json!([{ "op": "remove", "path": path }])).await?;
        answer.refused_as(400, "mutability")?;
    }
    Ok(())
}

async fn remove_absent(session: &Session) -> Verdict {
    let user = session.make("patch", &json!({})).await?;
    let removal = json!([{ "op": "remove", "path": "title" }]);
    let answer = session.patch(&session.path_of(&user), &removal).await?;
    if ![200, 204].contains(&answer.status) {
        answer.refused_as(400, "noTarget")?;
    }
    Ok(())
}

async fn replace_single(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let read = patched(session, &user, op("replace", "displayName", &json!("New"))).await?;
    read.has("/displayName", &json!("New"))?.has("/nickName", &json!("Babs"))?;
    Ok(())
}

async fn replace_absent(session: &Session) -> Verdict {
    let user = session.make("patch", &json!({})).await?;
    let read = patched(session, &user, op("replace", "title", &json!("Guide"))).await?;
    read.has("/title", &json!("Guide"))?;
    Ok(())
}

async fn replace_without_path(session: &Session) -> Verdict {
    let mail = format!("{}@example.com", session.fresh("new"));
    let user = subject(session).await?;
    let value = json!({ "nickName": "New", "emails": [{ "value": mail, "type": "home" }] });
    let read = patched(session, &user, json!([{ "op": "replace", "value": value }])).await?;
    read.has("/nickName", &json!("New"))?.has("/displayName", &json!("Babs Jensen"))?;
    let values: Vec<&str> =
        items(&read.body, "/emails").iter().map(|m| text(m, "/value")).collect();
    read.wants(values == [mail.as_str()], format!("emails is {values:?}"))?;
    Ok(())
}

async fn replace_complex(session: &Session) -> Verdict {
    let user = subject(session).await?;
    let read =
        patched(session, &user, op("replace", "name", &json!({ "givenName": "Ann" }))).await?;
    read.has("/name/givenName", &json!("Ann"))?.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn replace_active(session: &Session) -> Verdict {
    let user = subject(session).await?;
    for active in [false, true] {
        let read = patched(session, &user, op("replace", "active", &json!(active))).await?;
        read.has("/active", &json!(active))?;
    }
    Ok(())
}
