//! Creating, reading and deleting: RFC 7644 §3.3, §3.4.1, §3.6.

use super::check::{Verdict, checks};
use super::http::nowhere;
use super::json::{at, encoded, items};
use super::session::Session;
use serde_json::json;

checks! {
    "7644-3.3-created" Must [User] "POST answers 201 with the new resource" => created,
    "7644-3.3-location" Must [User] "the 201 has a Location, the same as meta.location" => location,
    "7644-3.3-listed" Must [User] "what was created is in the list" => listed,
    "7644-3.3-conflict" Must [User] "a duplicate is 409 with scimType uniqueness, and the first one stays" => conflict,
    "7644-3.3-etag" Should [User, Etag] "the 201 has an ETag, the same as meta.version" => etag,
    "7644-3.3-group" Must [Group] "a group is created with 201 and Location" => group,
    "7644-3.3-unknown-member" Should [Group] "a group with a member that does not exist is refused with 4xx" => unknown_member,
    "7644-3.3-wrong-endpoint" Must [User, Group] "a POST to a resource's own path is refused" => wrong_endpoint,
    "7644-3.4.1-read" Must [User] "GET of a known resource is 200 with the whole of it" => read,
    "7644-3.4.1-unknown" Must [User] "GET of an unknown id is 404 with an error body" => unknown,
    "7644-3.4.1-other-type" Must [User, Group] "a user's id is not found among the groups" => other_type,
    "7644-3.6-deleted" Must [User] "DELETE answers 204 without a body" => deleted,
    "7644-3.6-gone" Must [User] "afterwards GET, PUT and DELETE are 404" => gone,
    "7644-3.6-gone-patch" Must [User, Patch] "afterwards PATCH is 404" => gone_patch,
    "7644-3.6-not-listed" Must [User, Filter] "afterwards no list shows it" => not_listed,
    "7644-3.6-free-again" Must [User] "afterwards its userName is free" => free_again,
    "7644-3.6-unknown" Must [User] "DELETE of an unknown id is 404" => delete_unknown,
    "7644-3.6-group-membership" Should [User, Group] "a deleted user is in no group" => leaves_groups,
    "7644-3.6-group" Must [Group] "a deleted group is gone" => group_gone,
}

async fn created(session: &Session) -> Verdict {
    let made = session.make("created", &json!({ "displayName": "Babs" })).await?;
    made.present("/id")?.present("/schemas")?.present("/userName")?.present("/meta")?;
    Ok(())
}

async fn location(session: &Session) -> Verdict {
    let made = session.make("located", &json!({})).await?;
    let header = made.header("location").unwrap_or_default();
    made.wants(!header.is_empty(), "there is no Location")?;
    made.has("/meta/location", &json!(header))?;
    Ok(())
}

async fn listed(session: &Session) -> Verdict {
    let made = session.make("listed", &json!({})).await?;
    let filter = encoded(&format!("userName eq \"{}\"", made.text("/userName")));
    let list = session.get(&format!("{}?filter={filter}", session.users())).await?;
    list.status(&[200])?.has("/Resources/0/id", at(&made.body, "/id"))?;
    Ok(())
}

async fn conflict(session: &Session) -> Verdict {
    let made = session.make("taken", &json!({ "nickName": "first" })).await?;
    let second = session.user(made.text("/userName"), &json!({ "nickName": "second" }));
    session.post(&session.users(), &second).await?.refused_as(409, "uniqueness")?;
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?.has("/nickName", at(&made.body, "/nickName"))?;
    Ok(())
}

async fn etag(session: &Session) -> Verdict {
    let made = session.make("tagged", &json!({})).await?;
    let tag = made.header("etag").unwrap_or_default();
    made.wants(!tag.is_empty(), "there is no ETag")?.has("/meta/version", &json!(tag))?;
    Ok(())
}

async fn group(session: &Session) -> Verdict {
    let made = session.make_group("created", &[]).await?;
    let header = made.header("location").unwrap_or_default();
    made.wants(!header.is_empty(), "there is no Location")?;
    made.has("/meta/location", &json!(header))?;
    Ok(())
}

async fn unknown_member(session: &Session) -> Verdict {
    session.make_group("known", &[]).await?;
    let nobody = "00000000-0000-4000-8000-0000000000ff";
    let body = session.group(&session.fresh("stranger"), &[nobody]);
    session.post(&session.groups(), &body).await?.refused(&[400, 404, 409])?;
    Ok(())
}

async fn wrong_endpoint(session: &Session) -> Verdict {
    let made = session.make("wrong", &json!({})).await?;
    let body = session.user(&session.fresh("wrong"), &json!({}));
    let answer = session.post(&session.path_of(&made), &body).await?;
    answer.refused(&[400, 404, 405, 501])?;
    Ok(())
}

async fn read(session: &Session) -> Verdict {
    let made = session.make("read", &json!({ "displayName": "Babs" })).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?;
    for (name, value) in made.body.as_object().into_iter().flatten() {
        read.has(&format!("/{name}"), value)?;
    }
    Ok(())
}

async fn unknown(session: &Session) -> Verdict {
    session.make("known", &json!({})).await?;
    session.get(&nowhere(session)).await?.refused(&[404])?;
    // Not 400: a client cannot know the form of this server's ids.
    session.get(&format!("{}/no-such-id", session.users())).await?.refused(&[404])?;
    Ok(())
}

async fn other_type(session: &Session) -> Verdict {
    let made = session.make("typed", &json!({})).await?;
    session.get(&session.path_of(&made)).await?.status(&[200])?;
    let path = format!("{}/{}", session.groups(), made.text("/id"));
    session.get(&path).await?.refused(&[404])?;
    Ok(())
}

async fn deleted(session: &Session) -> Verdict {
    let made = session.make("deleted", &json!({})).await?;
    let answer = session.delete(&session.path_of(&made)).await?;
    answer.status(&[204])?.wants(answer.received.is_empty(), "a 204 has no body")?;
    Ok(())
}

async fn gone(session: &Session) -> Verdict {
    let made = session.make("gone", &json!({})).await?;
    let path = session.path_of(&made);
    session.delete(&path).await?.status(&[204])?;
    session.get(&path).await?.refused(&[404])?;
    let body = session.user(made.text("/userName"), &json!({}));
    session.put(&path, &body).await?.refused(&[404])?;
    session.delete(&path).await?.refused(&[404])?;
    Ok(())
}

async fn gone_patch(session: &Session) -> Verdict {
    let made = session.make("gone", &json!({})).await?;
    let path = session.path_of(&made);
    session.delete(&path).await?.status(&[204])?;
    let change = json!([{ "op": "replace", "path": "displayName", "value": "ghost" }]);
    session.patch(&path, &change).await?.refused(&[404])?;
    Ok(())
}

async fn not_listed(session: &Session) -> Verdict {
    let made = session.make("gone", &json!({})).await?;
    session.delete(&session.path_of(&made)).await?.status(&[204])?;
    let filter = encoded(&format!("userName eq \"{}\"", made.text("/userName")));
    let list = session.get(&format!("{}?filter={filter}", session.users())).await?;
    list.status(&[200])?.has("/totalResults", &json!(0))?;
    list.wants(items(&list.body, "/Resources").is_empty(), "the list is not empty")?;
    Ok(())
}

async fn free_again(session: &Session) -> Verdict {
    let made = session.make("again", &json!({})).await?;
    let same = session.user(made.text("/userName"), &json!({}));
    session.post(&session.users(), &same).await?.refused(&[409])?;
    session.delete(&session.path_of(&made)).await?.status(&[204])?;
    session.make_named(&same).await?;
    Ok(())
}

async fn delete_unknown(session: &Session) -> Verdict {
    session.make("known", &json!({})).await?;
    session.delete(&nowhere(session)).await?.refused(&[404])?;
    Ok(())
}

async fn leaves_groups(session: &Session) -> Verdict {
    let user = session.make("leaver", &json!({})).await?;
    let group = session.make_group("left", &[user.text("/id")]).await?;
    session.delete(&session.path_of(&user)).await?.status(&[204])?;
    session.get(&session.group_path(&group)).await?.status(&[200])?.lacks("/members")?;
    Ok(())
}

async fn group_gone(session: &Session) -> Verdict {
    let group = session.make_group("gone", &[]).await?;
    let path = session.group_path(&group);
    session.delete(&path).await?.status(&[204])?;
    session.get(&path).await?.refused(&[404])?;
    Ok(())
}
