//! Entity tags: RFC 7644 §3.14.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::json::at;
use super::session::Session;
use reqwest::Method;
use serde_json::json;

checks! {
    "7644-3.14-header" Must [User, Etag] "a resource comes with an ETag header" => header,
    "7644-3.14-version" Must [User, Etag] "meta.version is the ETag header" => version,
    "7644-3.14-moves" Must [User, Etag] "a change gives another version" => moves,
    "7644-3.14-stays" Must [User, Etag] "a read does not" => stays,
    "7644-3.14-not-modified" Must [User, Etag] "GET with If-None-Match of the present version is 304 without a body" => not_modified,
    "7644-3.14-modified" Must [User, Etag] "GET with If-None-Match of an old version is 200" => modified,
    "7644-3.14-put" Must [User, Etag] "PUT with If-Match of an old version is 412, and nothing changes" => put,
    "7644-3.14-patch" Must [User, Etag, Patch] "PATCH with If-Match of an old version is 412, and nothing changes" => patch,
    "7644-3.14-delete" Must [User, Etag] "DELETE with If-Match of an old version is 412, and it stays" => delete,
    "7644-3.14-match" Must [User, Etag] "If-Match of the present version lets the change through" => matches,
    "7644-3.14-any" Must [User, Etag] "If-Match: * matches what is there" => any,
    "7644-3.14-list" Should [User, Etag, Filter] "lists show meta.version" => list,
}

fn tag_of(answer: &Exchange) -> Verdict<&str> {
    match answer.header("etag") {
        Some(tag) if !tag.is_empty() => Ok(tag),
        _ => answer.unmet("there is no ETag"),
    }
}

/// A user that was changed once: its first and its present version.
async fn changed(session: &Session) -> Verdict<(Exchange, String, String)> {
    let made = session.make("version", &json!({ "displayName": "one" })).await?;
    let read = session.get(&session.path_of(&made)).await?;
    let old = tag_of(read.status(&[200])?)?.to_owned();
    let body = session.user(made.text("/userName"), &json!({ "displayName": "two" }));
    session.put(&session.path_of(&made), &body).await?.status(&[200])?;
    let read = session.get(&session.path_of(&made)).await?;
    let new = tag_of(read.status(&[200])?)?.to_owned();
    read.wants(old != new, "the version stayed the same over a change")?;
    Ok((made, old, new))
}

async fn header(session: &Session) -> Verdict {
    let made = session.make("version", &json!({})).await?;
    let read = session.get(&session.path_of(&made)).await?;
    let tag = tag_of(read.status(&[200])?)?;
    let formed = tag.strip_prefix("W/").unwrap_or(tag);
    let quoted = formed.len() >= 2 && formed.starts_with('"') && formed.ends_with('"');
    read.wants(quoted, format!("ETag {tag} is no entity tag"))?;
    Ok(())
}

async fn version(session: &Session) -> Verdict {
    let made = session.make("version", &json!({})).await?;
    let read = session.get(&session.path_of(&made)).await?;
    let tag = tag_of(read.status(&[200])?)?;
    read.has("/meta/version", &json!(tag))?;
    Ok(())
}

async fn moves(session: &Session) -> Verdict {
    changed(session).await?;
    Ok(())
}

async fn stays(session: &Session) -> Verdict {
    let (made, _, new) = changed(session).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.wants(tag_of(&read)? == new, "a read changed the version")?;
    Ok(())
}

async fn not_modified(session: &Session) -> Verdict {
    let (made, _, new) = changed(session).await?;
    let call = session.call(Method::GET, session.path_of(&made)).header("if-none-match", &new);
    let answer = call.send().await?;
    answer.status(&[304])?.wants(answer.received.is_empty(), "a 304 has no body")?;
    Ok(())
}

async fn modified(session: &Session) -> Verdict {
    let (made, old, _) = changed(session).await?;
    let call = session.call(Method::GET, session.path_of(&made)).header("if-none-match", &old);
    call.send().await?.status(&[200])?.present("/id")?;
    Ok(())
}

async fn stands(session: &Session, made: &Exchange) -> Verdict {
    let read = session.get(&session.path_of(made)).await?;
    read.status(&[200])?.has("/displayName", &json!("two"))?;
    Ok(())
}

async fn put(session: &Session) -> Verdict {
    let (made, old, _) = changed(session).await?;
    let body = session.user(made.text("/userName"), &json!({ "displayName": "three" }));
    let call = session.call(Method::PUT, session.path_of(&made)).json(&body);
    call.header("if-match", &old).send().await?.refused(&[412])?;
    stands(session, &made).await
}

async fn patch(session: &Session) -> Verdict {
    let (made, old, _) = changed(session).await?;
    let change = json!([{ "op": "replace", "path": "displayName", "value": "three" }]);
    let body = json!({ "schemas": [super::patch::PATCH_OP], "Operations": change });
    let call = session.call(Method::PATCH, session.path_of(&made)).json(&body);
    call.header("if-match", &old).send().await?.refused(&[412])?;
    stands(session, &made).await
}

async fn delete(session: &Session) -> Verdict {
    let (made, old, _) = changed(session).await?;
    let call = session.call(Method::DELETE, session.path_of(&made)).header("if-match", &old);
    call.send().await?.refused(&[412])?;
    stands(session, &made).await
}

async fn matches(session: &Session) -> Verdict {
    let (made, _, new) = changed(session).await?;
    let body = session.user(made.text("/userName"), &json!({ "displayName": "three" }));
    let call = session.call(Method::PUT, session.path_of(&made)).json(&body);
    call.header("if-match", &new).send().await?.status(&[200])?;
    let read = session.get(&session.path_of(&made)).await?;
    let tag = tag_of(&read)?.to_owned();
    let call = session.call(Method::DELETE, session.path_of(&made)).header("if-match", &tag);
    call.send().await?.status(&[204])?;
    Ok(())
}

async fn any(session: &Session) -> Verdict {
    let (made, _, _) = changed(session).await?;
    let body = session.user(made.text("/userName"), &json!({ "displayName": "three" }));
    let call = session.call(Method::PUT, session.path_of(&made)).json(&body);
    call.header("if-match", "*").send().await?.status(&[200])?;
    Ok(())
}

async fn list(session: &Session) -> Verdict {
    let made = session.make("version", &json!({})).await?;
    let filter = super::json::encoded(&format!("userName eq \"{}\"", made.text("/userName")));
    let list = session.get(&format!("{}?filter={filter}", session.users())).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.present("/meta/version")?;
    list.has("/Resources/0/meta/version", at(&read.body, "/meta/version"))?;
    Ok(())
}
