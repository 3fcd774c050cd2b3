//! PUT: RFC 7644 §3.5.1.

use super::check::{Verdict, checks};
use super::http::nowhere;
use super::json::{at, items, text};
use super::session::Session;
use super::target::ENTERPRISE;
use serde_json::json;

checks! {
    "7644-3.5.1-replaced" Must [User] "PUT answers 200 with the replaced resource, and it is stored" => replaced,
    "7644-3.5.1-cleared" Must [User, Attribute("title")] "readWrite attributes that the body lacks are cleared or defaulted" => cleared,
    "7644-3.5.1-read-only-ignored" Must [User] "readOnly values are ignored: id and meta stay" => read_only,
    "7644-3.5.1-required" Must [User] "a body without a required attribute is 400, and nothing changes" => required,
    "7644-3.5.1-not-created" Must [User] "PUT to an unknown id is 404 and creates nothing" => not_created,
    "7644-3.5.1-multi-valued" Must [User, Attribute("emails")] "a multi-valued attribute is replaced as a whole" => multi_valued,
    "7644-3.5.1-extension" Must [User, Enterprise] "an extension that the body lacks is cleared" => extension,
    "7644-3.5.1-same" Must [User] "PUT of what GET gave changes nothing" => same,
    "7644-3.5.1-external-id" Must [User] "externalId is replaced and cleared as any other" => external_id,
    "7644-3.5.1-rename" Must [User] "userName can be changed, and the old one is free" => rename,
    "7644-3.5.1-group" Must [User, Group] "PUT of a group sets its members exactly" => group,
}

async fn replaced(session: &Session) -> Verdict {
    let made = session.make("put", &json!({ "nickName": "old" })).await?;
    let body = session.user(made.text("/userName"), &json!({ "nickName": "new" }));
    let put = session.put(&session.path_of(&made), &body).await?;
    put.status(&[200])?.has("/nickName", &json!("new"))?.has("/id", at(&made.body, "/id"))?;
    session.get(&session.path_of(&made)).await?.has("/nickName", &json!("new"))?;
    Ok(())
}

async fn cleared(session: &Session) -> Verdict {
    let made = session.make("put", &json!({ "title": "Guide" })).await?;
    made.has("/title", &json!("Guide"))?;
    let body = session.user(made.text("/userName"), &json!({}));
    session.put(&session.path_of(&made), &body).await?.status(&[200])?.lacks("/title")?;
    session.get(&session.path_of(&made)).await?.status(&[200])?.lacks("/title")?;
    Ok(())
}

async fn read_only(session: &Session) -> Verdict {
    let made = session.make("put", &json!({})).await?;
    let meta = json!({ "resourceType": "Robot", "created": "2001-01-01T00:00:00Z" });
    let body = session.user(made.text("/userName"), &json!({ "meta": meta, "nickName": "n" }));
    let put = session.put(&session.path_of(&made), &body).await?;
    put.status(&[200])?.has("/id", at(&made.body, "/id"))?;
    for name in ["resourceType", "created", "location"] {
        put.has(&format!("/meta/{name}"), at(&made.body, &format!("/meta/{name}")))?;
    }
    Ok(())
}

async fn required(session: &Session) -> Verdict {
    let made = session.make("put", &json!({ "nickName": "kept" })).await?;
    let mut body = session.user(made.text("/userName"), &json!({ "nickName": "lost" }));
    if let Some(members) = body.as_object_mut() {
        members.remove("userName");
    }
    session.put(&session.path_of(&made), &body).await?.refused(&[400])?;
    let read = session.get(&session.path_of(&made)).await?;
    read.has("/nickName", at(&made.body, "/nickName"))?;
    Ok(())
}

async fn not_created(session: &Session) -> Verdict {
    session.make("known", &json!({})).await?;
    let name = format!("{}@example.com", session.fresh("never"));
    let path = nowhere(session);
    session.put(&path, &session.user(&name, &json!({}))).await?.refused(&[404])?;
    session.get(&path).await?.refused(&[404])?;
    Ok(())
}

async fn multi_valued(session: &Session) -> Verdict {
    let word = session.fresh("put");
    let (one, two) = (format!("{word}@example.com"), format!("{word}@home.example.com"));
    let made =
        session.make("put", &json!({ "emails": [{ "value": one, "type": "work" }] })).await?;
    let mails = json!({ "emails": [{ "value": two, "type": "home" }] });
    let body = session.user(made.text("/userName"), &mails);
    let put = session.put(&session.path_of(&made), &body).await?;
    let values: Vec<&str> = items(&put.body, "/emails").iter().map(|m| text(m, "/value")).collect();
    put.status(&[200])?.wants(values == [two.as_str()], format!("emails is {values:?}"))?;
    Ok(())
}

async fn extension(session: &Session) -> Verdict {
    let made = session.make("put", &json!({ ENTERPRISE: { "department": "Tours" } })).await?;
    made.present(&format!("/{ENTERPRISE}/department"))?;
    let body = session.user(made.text("/userName"), &json!({}));
    let put = session.put(&session.path_of(&made), &body).await?;
    put.status(&[200])?.lacks(&format!("/{ENTERPRISE}/department"))?;
    Ok(())
}

async fn same(session: &Session) -> Verdict {
    let more = json!({
        "title": "Guide",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        ENTERPRISE: { "department": "Tours" },
    });
    let made = session.make("put", &more).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?;
    let put = session.put(&session.path_of(&made), &read.body).await?;
    put.status(&[200])?;
    for (name, value) in read.body.as_object().into_iter().flatten() {
        if name != "meta" {
            put.has(&format!("/{name}"), value)?;
        }
    }
    Ok(())
}

async fn external_id(session: &Session) -> Verdict {
    let (one, two) = (session.fresh("Ext"), session.fresh("Ext"));
    let made = session.make("put", &json!({ "externalId": one })).await?;
    made.has("/externalId", &json!(one))?;
    let body = session.user(made.text("/userName"), &json!({ "externalId": two }));
    session.put(&session.path_of(&made), &body).await?.has("/externalId", &json!(two))?;
    let body = session.user(made.text("/userName"), &json!({}));
    session.put(&session.path_of(&made), &body).await?.status(&[200])?.lacks("/externalId")?;
    Ok(())
}

async fn rename(session: &Session) -> Verdict {
    let made = session.make("put", &json!({})).await?;
    let name = format!("{}@example.com", session.fresh("renamed"));
    let put = session.put(&session.path_of(&made), &session.user(&name, &json!({}))).await?;
    put.status(&[200])?.has("/userName", &json!(name))?;
    session.make_named(&session.user(made.text("/userName"), &json!({}))).await?;
    Ok(())
}

async fn group(session: &Session) -> Verdict {
    let (one, two) = (session.make("m", &json!({})).await?, session.make("m", &json!({})).await?);
    let made = session.make_group("put", &[one.text("/id")]).await?;
    let body = session.group(made.text("/displayName"), &[two.text("/id")]);
    session.put(&session.group_path(&made), &body).await?.status(&[200, 204])?;
    let read = session.get(&session.group_path(&made)).await?;
    let ids: Vec<&str> = items(&read.body, "/members").iter().map(|m| text(m, "/value")).collect();
    read.wants(ids == [two.text("/id")], format!("the members are {ids:?}"))?;
    Ok(())
}
