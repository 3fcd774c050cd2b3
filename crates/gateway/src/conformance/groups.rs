//! Members of groups: RFC 7643 §4.2 and the group examples of RFC 7644 §3.5.2.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::json::{at, items, text};
use super::session::Session;
use serde_json::{Value, json};

checks! {
    "7643-4.2-members-kept" Must [User, Group] "members of a created group are those that were sent" => created,
    "7643-4.2-nested" Must [User, Group] "a group as a member of a group is kept or refused with 4xx" => nested,
    "7643-4.2-display-name-required" Should [Group] "a group without displayName is 400" => display_name,
    "7644-3.5.2.1-members" Must [User, Group, Patch] "add members (the RFC's example)" => add,
    "7644-3.5.2.1-members-twice" Should [User, Group, Patch] "add of a member that is there leaves one" => add_again,
    "7644-3.5.2.2-member" Must [User, Group, Patch] "remove of one member by value path (the RFC's example)" => remove_one,
    "7644-3.5.2.2-members" Must [User, Group, Patch] "remove of all members (the RFC's example)" => remove_all,
    "7644-3.5.2.3-members" Must [User, Group, Patch] "replace of all members (the RFC's example)" => replace,
    "7644-3.5.2.3-members-none" Must [User, Group, Patch] "replace of members with an empty list" => replace_none,
    "7644-3.5.2-remove-and-add" Must [User, Group, Patch] "remove and add in one request (the RFC's example)" => both,
    "7644-3.5.2.3-rename" Must [User, Group, Patch] "a change of displayName keeps the members" => rename,
}

/// A group of two out of three users.
async fn subject(session: &Session) -> Verdict<(Exchange, Vec<String>)> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(
            session.make("member", &json!({ "displayName": "Babs" })).await?.text("/id").to_owned(),
        );
    }
    let two: Vec<&str> = ids.iter().take(2).map(String::as_str).collect();
    let group = session.make_group("members", &two).await?;
    members_are(session, &group, &two).await?;
    Ok((group, ids))
}

async fn members_are(session: &Session, group: &Exchange, wanted: &[&str]) -> Verdict {
    let read = session.get(&session.group_path(group)).await?;
    read.status(&[200])?;
    let mut got: Vec<&str> =
        items(&read.body, "/members").iter().map(|m| text(m, "/value")).collect();
    let mut wanted = wanted.to_vec();
    got.sort_unstable();
    wanted.sort_unstable();
    read.wants(got == wanted, format!("the members are {got:?} instead of {wanted:?}"))?;
    Ok(())
}

async fn patched(
    session: &Session,
    group: &Exchange,
    operations: Value,
    wanted: &[&String],
) -> Verdict {
    let answer = session.patch(&session.group_path(group), &operations).await?;
    answer.status(&[200, 204])?;
    let wanted: Vec<&str> = wanted.iter().map(|id| id.as_str()).collect();
    members_are(session, group, &wanted).await
}

/// The three users of a group.
fn three(ids: &[String]) -> Verdict<[&String; 3]> {
    match ids {
        [a, b, c] => Ok([a, b, c]),
        _ => super::check::unmet("three users were not made"),
    }
}

async fn created(session: &Session) -> Verdict {
    subject(session).await?;
    Ok(())
}

async fn nested(session: &Session) -> Verdict {
    let inner = session.make_group("inner", &[]).await?;
    let mut body = session.group(&session.fresh("outer"), &[]);
    if let Some(members) = body.as_object_mut() {
        let value = json!([{ "value": inner.text("/id"), "type": "Group" }]);
        members.insert("members".to_owned(), value);
    }
    let answer = session.post(&session.groups(), &body).await?;
    if answer.status == 201 {
        return members_are(session, &answer, &[inner.text("/id")]).await;
    }
    answer.refused(&[400, 403, 404, 409, 501])?;
    Ok(())
}

async fn display_name(session: &Session) -> Verdict {
    session.make_group("named", &[]).await?;
    let body = json!({ "schemas": [super::target::GROUP] });
    session.post(&session.groups(), &body).await?.refused(&[400])?;
    Ok(())
}

async fn add(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [a, b, c] = three(&ids)?;
    let value = json!([{ "display": "Babs Jensen", "value": c }]);
    let operations = json!([{ "op": "add", "path": "members", "value": value }]);
    patched(session, &group, operations, &[a, b, c]).await
}

async fn add_again(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [a, b, c] = three(&ids)?;
    for value in [json!([{ "value": c }]), json!([{ "value": a }, { "value": c }])] {
        let operations = json!([{ "op": "add", "path": "members", "value": value }]);
        patched(session, &group, operations, &[a, b, c]).await?;
    }
    Ok(())
}

async fn remove_one(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [a, b, _] = three(&ids)?;
    let path = format!("members[value eq \"{a}\"]");
    patched(session, &group, json!([{ "op": "remove", "path": path }]), &[b]).await
}

async fn remove_all(session: &Session) -> Verdict {
    let (group, _) = subject(session).await?;
    patched(session, &group, json!([{ "op": "remove", "path": "members" }]), &[]).await
}

async fn replace(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [_, b, c] = three(&ids)?;
    let value = json!([{ "display": "Babs", "value": b }, { "value": c }]);
    let operations = json!([{ "op": "replace", "path": "members", "value": value }]);
    patched(session, &group, operations, &[b, c]).await
}

async fn replace_none(session: &Session) -> Verdict {
    let (group, _) = subject(session).await?;
    let operations = json!([{ "op": "replace", "path": "members", "value": [] }]);
    patched(session, &group, operations, &[]).await
}

async fn both(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [a, b, c] = three(&ids)?;
    let operations = json!([
        { "op": "remove", "path": format!("members[value eq \"{a}\"]") },
        { "op": "add", "path": "members", "value": [{ "value": c }] },
    ]);
    patched(session, &group, operations, &[b, c]).await
}

async fn rename(session: &Session) -> Verdict {
    let (group, ids) = subject(session).await?;
    let [a, b, _] = three(&ids)?;
    let name = session.fresh("renamed");
    let operations = json!([{ "op": "replace", "path": "displayName", "value": name }]);
    patched(session, &group, operations, &[a, b]).await?;
    let read = session.get(&session.group_path(&group)).await?;
    read.has("/displayName", &json!(name))?.has("/id", at(&group.body, "/id"))?;
    Ok(())
}
