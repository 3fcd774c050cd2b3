//! PATCH of multi-valued attributes and through value paths: RFC 7644 §3.5.2.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::json::{at, item, items, text};
use super::session::Session;
use serde_json::{Value, json};

checks! {
    "7644-3.5.2-primary" Must [User, Patch, Attribute("emails")] "a new primary value takes primary from the old one" => primary,
    "7644-3.5.2.1-append" Must [User, Patch, Attribute("emails")] "add to a multi-valued attribute appends" => append,
    "7644-3.5.2.1-append-without-path" Must [User, Patch, Attribute("emails")] "add without a path appends to multi-valued attributes" => append_without_path,
    "7644-3.5.2.1-present" Should [User, Patch, Attribute("emails")] "add of a value that is there changes nothing" => already_there,
    "7644-3.5.2.1-value-path" Must [User, Patch, Attribute("emails")] "add to a sub-attribute of the values that a filter picks" => add_value_path,
    "7644-3.5.2.2-multi-valued" Must [User, Patch, Attribute("emails")] "remove of a multi-valued attribute removes all values" => remove_all,
    "7644-3.5.2.2-value-path" Must [User, Patch, Attribute("emails")] "remove with a value path removes the matching values only" => remove_some,
    "7644-3.5.2.2-last-value" Must [User, Patch, Attribute("emails")] "when the last value goes, the attribute is unassigned" => remove_last,
    "7644-3.5.2.2-value-path-sub" Must [User, Patch, Attribute("emails")] "remove of a sub-attribute of the matching values" => remove_sub,
    "7644-3.5.2.2-compound" Must [User, Patch, Attribute("emails")] "the RFC's example: a value path with and" => remove_compound,
    "7644-3.5.2.3-multi-valued" Must [User, Patch, Attribute("emails")] "replace of a multi-valued attribute replaces all values" => replace_all,
    "7644-3.5.2.3-value-path" Must [User, Patch, Attribute("addresses")] "replace of the values that a filter picks (the RFC's example)" => replace_picked,
    "7644-3.5.2.3-value-path-sub" Must [User, Patch, Attribute("addresses")] "replace of a sub-attribute of the values that a filter picks (the RFC's example)" => replace_picked_sub,
    "7644-3.5.2.3-no-target" Must [User, Patch, Attribute("emails")] "replace with a value path that picks nothing is 400 noTarget" => replace_no_target,
    "7644-3.5.2-value-path-any-case" Must [User, Patch, Attribute("emails")] "names and operators of a value path in any case" => any_case,
}

fn one(session: &Session, word: &str) -> String {
    format!("{}@example.com", session.fresh(word))
}

/// A user with a work and a home address for mail; the work one is primary.
async fn subject(session: &Session) -> Verdict<(Exchange, String, String)> {
    let (work, home) = (one(session, "work"), one(session, "home"));
    let mails = json!([
        { "value": work, "type": "work", "primary": true },
        { "value": home, "type": "home" },
    ]);
    let user = session.make("paths", &json!({ "emails": mails })).await?;
    user.wants(items(&user.body, "/emails").len() == 2, "the two addresses were not stored")?;
    Ok((user, work, home))
}

async fn patched(session: &Session, user: &Exchange, operations: Value) -> Verdict<Exchange> {
    let path = session.path_of(user);
    session.patch(&path, &operations).await?.status(&[200, 204])?;
    let read = session.get(&path).await?;
    read.status(&[200])?.has("/id", at(&user.body, "/id"))?;
    Ok(read)
}

/// Fails unless these are the addresses, in any order.
fn mails_are(read: &Exchange, wanted: &[&str]) -> Verdict {
    let mut got: Vec<&str> =
        items(&read.body, "/emails").iter().map(|m| text(m, "/value")).collect();
    let mut wanted = wanted.to_vec();
    got.sort_unstable();
    wanted.sort_unstable();
    read.wants(got == wanted, format!("emails has {got:?} instead of {wanted:?}"))?;
    Ok(())
}

async fn primary(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let new = one(session, "new");
    let value = json!([{ "value": new, "type": "other", "primary": true }]);
    let read =
        patched(session, &user, json!([{ "op": "add", "path": "emails", "value": value }])).await?;
    mails_are(&read, &[&work, &home, &new])?;
    let is = |value: &str| at(item(&read.body, "/emails", "/value", value), "/primary").clone();
    read.wants(is(&new) == json!(true), "the new value is not primary")?;
    read.wants(is(&work) != json!(true), "the old value is still primary")?;
    Ok(())
}

async fn append(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let new = one(session, "new");
    let value = json!([{ "value": new, "type": "other" }]);
    let read =
        patched(session, &user, json!([{ "op": "add", "path": "emails", "value": value }])).await?;
    mails_are(&read, &[&work, &home, &new])
}

async fn append_without_path(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let new = one(session, "new");
    let value = json!({ "emails": [{ "value": new, "type": "other" }], "nickName": "Babs" });
    let read = patched(session, &user, json!([{ "op": "add", "value": value }])).await?;
    read.has("/nickName", &json!("Babs"))?;
    mails_are(&read, &[&work, &home, &new])
}

async fn already_there(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let new = one(session, "new");
    let value = json!([{ "value": new, "type": "other" }]);
    let operations = json!([{ "op": "add", "path": "emails", "value": value }]);
    let first = patched(session, &user, operations.clone()).await?;
    mails_are(&first, &[&work, &home, &new])?;
    let second = patched(session, &user, operations).await?;
    mails_are(&second, &[&work, &home, &new])
}

async fn add_value_path(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let path = "emails[type eq \"home\"].display";
    let change = json!([{ "op": "add", "path": path, "value": "At home" }]);
    let read = patched(session, &user, change).await?;
    let shown = item(&read.body, "/emails", "/value", &home);
    read.wants(text(shown, "/display") == "At home", "the matching value did not change")?;
    let other = item(&read.body, "/emails", "/value", &work);
    read.wants(text(other, "/display") != "At home", "another value changed")?;
    Ok(())
}

async fn remove_all(session: &Session) -> Verdict {
    let (user, ..) = subject(session).await?;
    let read = patched(session, &user, json!([{ "op": "remove", "path": "emails" }])).await?;
    read.lacks("/emails")?;
    Ok(())
}

async fn remove_some(session: &Session) -> Verdict {
    let (user, work, _) = subject(session).await?;
    let removal = json!([{ "op": "remove", "path": "emails[type eq \"home\"]" }]);
    mails_are(&patched(session, &user, removal).await?, &[&work])
}

async fn remove_last(session: &Session) -> Verdict {
    let (user, ..) = subject(session).await?;
    let removal = json!([
        { "op": "remove", "path": "emails[type eq \"home\"]" },
        { "op": "remove", "path": "emails[type eq \"work\"]" },
    ]);
    patched(session, &user, removal).await?.lacks("/emails")?;
    Ok(())
}

async fn remove_sub(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let path = format!("emails[value eq \"{home}\"].type");
    let read = patched(session, &user, json!([{ "op": "remove", "path": path }])).await?;
    mails_are(&read, &[&work, &home])?;
    let shown = item(&read.body, "/emails", "/value", &home);
    read.wants(text(shown, "/type").is_empty(), "the type is still there")?;
    let other = item(&read.body, "/emails", "/value", &work);
    read.wants(text(other, "/type") == "work", "another value changed")?;
    Ok(())
}

async fn remove_compound(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let with = |ending: &str| format!("emails[type eq \"home\" and value ew \"{ending}\"]");
    let removal = json!([{ "op": "remove", "path": with("@example.com") }]);
    mails_are(&patched(session, &user, removal).await?, &[&work])?;
    user.wants(home.ends_with("@example.com"), "there was no such address")?;
    Ok(())
}

async fn replace_all(session: &Session) -> Verdict {
    let (user, ..) = subject(session).await?;
    let new = one(session, "new");
    let value = json!([{ "value": new, "type": "work" }]);
    let change = json!([{ "op": "replace", "path": "emails", "value": value }]);
    mails_are(&patched(session, &user, change).await?, &[&new])
}

async fn addressed(session: &Session) -> Verdict<Exchange> {
    let addresses = json!([
        { "type": "work", "streetAddress": "1 Old Street", "locality": "Old Town" },
        { "type": "home", "streetAddress": "2 Home Street", "locality": "Home Town" },
    ]);
    session.make("paths", &json!({ "addresses": addresses })).await
}

async fn replace_picked(session: &Session) -> Verdict {
    let user = addressed(session).await?;
    let value = json!({
        "type": "work", "streetAddress": "911 Universal City Plaza", "locality": "Hollywood",
        "region": "CA", "postalCode": "91608", "country": "US", "primary": true,
    });
    let path = "addresses[type eq \"work\"]";
    let change = json!([{ "op": "replace", "path": path, "value": value }]);
    let read = patched(session, &user, change).await?;
    let work = item(&read.body, "/addresses", "/type", "work");
    let good = text(work, "/streetAddress").starts_with("911") && text(work, "/region") == "CA";
    read.wants(good, "the matching value is not replaced")?;
    let home = item(&read.body, "/addresses", "/type", "home");
    read.wants(text(home, "/locality") == "Home Town", "another value changed")?;
    read.wants(items(&read.body, "/addresses").len() == 2, "the number of values changed")?;
    Ok(())
}

async fn replace_picked_sub(session: &Session) -> Verdict {
    let user = addressed(session).await?;
    let path = "addresses[type eq \"work\"].streetAddress";
    let change = json!([{ "op": "replace", "path": path, "value": "1010 Broadway Ave" }]);
    let read = patched(session, &user, change).await?;
    let work = item(&read.body, "/addresses", "/type", "work");
    let good = text(work, "/streetAddress") == "1010 Broadway Ave"
        && text(work, "/locality") == "Old Town";
    read.wants(good, "the sub-attribute is not replaced alone")?;
    let home = item(&read.body, "/addresses", "/type", "home");
    read.wants(text(home, "/streetAddress") == "2 Home Street", "another value changed")?;
    Ok(())
}

async fn replace_no_target(session: &Session) -> Verdict {
    let (user, work, home) = subject(session).await?;
    let path = "emails[type eq \"other\"].value";
    let change = json!([{ "op": "replace", "path": path, "value": one(session, "new") }]);
    session.patch(&session.path_of(&user), &change).await?.refused_as(400, "noTarget")?;
    mails_are(&session.get(&session.path_of(&user)).await?, &[&work, &home])
}

async fn any_case(session: &Session) -> Verdict {
    let (user, work, _) = subject(session).await?;
    let removal = json!([{ "op": "remove", "path": "EMAILS[TYPE EQ \"HOME\"]" }]);
    mails_are(&patched(session, &user, removal).await?, &[&work])
}
