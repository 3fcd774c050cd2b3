//! `attributes` and `excludedAttributes`, and the notation of attributes: RFC 7644 §3.9 and §3.10.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::json::{encoded, is_absent, items};
use super::people::crowd_only;
use super::session::Session;
use super::target::{ENTERPRISE, USER};
use reqwest::Method;
use serde_json::json;

checks! {
    "7644-3.9-attributes" Must [User] "attributes: only those, and id" => attributes,
    "7644-3.9-excluded" Must [User, Attribute("title")] "excludedAttributes: all but those" => excluded,
    "7644-3.9-sub-attribute" Must [User, Attribute("name")] "a sub-attribute alone" => sub_attribute,
    "7644-3.9-excluded-sub" Must [User, Attribute("name")] "a sub-attribute excluded alone" => excluded_sub,
    "7644-3.9-list" Must [User] "on lists" => list,
    "7644-3.9-post" Must [User] "on the answer to a POST" => post,
    "7644-3.9-put" Must [User] "on the answer to a PUT" => put,
    "7644-3.9-patch" Must [User, Patch] "on the answer to a PATCH, which is then 200" => patch,
    "7644-3.9-id-always" Must [User] "id is there even when it is excluded" => id_always,
    "7644-3.9-unknown" Must [User] "an unknown attribute in attributes changes nothing else" => unknown,
    "7644-3.10-urn" Must [User] "attributes with the schema's URN" => urn,
    "7644-3.10-extension" Must [User, Enterprise] "attributes of an extension with its URN" => extension,
    "7644-3.10-whole-extension" Must [User, Enterprise] "an extension's URN alone stands for all of it" => whole_extension,
    "7644-3.10-any-case" Must [User] "names and URNs in any case" => any_case,
    "7644-3.10-not-bare" Must [User, Enterprise] "an extension's attribute needs its URN" => not_bare,
}

async fn person(session: &Session) -> Verdict<Exchange> {
    let more = json!({
        "title": "Guide",
        "displayName": "Babs",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        ENTERPRISE: { "department": "Tours", "costCenter": "4130" },
    });
    session.make("shown", &more).await
}

async fn asked(session: &Session, query: &str) -> Verdict<Exchange> {
    let made = person(session).await?;
    let read = session.get(&format!("{}?{query}", session.path_of(&made))).await?;
    read.status(&[200])?.present("/id")?;
    Ok(read)
}

async fn attributes(session: &Session) -> Verdict {
    let read = asked(session, "attributes=displayName,userName").await?;
    read.present("/displayName")?.present("/userName")?.lacks("/title")?.lacks("/name")?;
    read.lacks("/meta")?;
    Ok(())
}

async fn excluded(session: &Session) -> Verdict {
    let read = asked(session, "excludedAttributes=title,meta").await?;
    read.lacks("/title")?.lacks("/meta")?.present("/userName")?.present("/displayName")?;
    Ok(())
}

async fn sub_attribute(session: &Session) -> Verdict {
    let read = asked(session, "attributes=name.givenName").await?;
    read.has("/name/givenName", &json!("Barbara"))?.lacks("/name/familyName")?.lacks("/title")?;
    Ok(())
}

async fn excluded_sub(session: &Session) -> Verdict {
    let read = asked(session, "excludedAttributes=name.givenName").await?;
    read.lacks("/name/givenName")?.has("/name/familyName", &json!("Jensen"))?;
    Ok(())
}

async fn list(session: &Session) -> Verdict {
    session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let path = format!("{}?filter={filter}&attributes=userName&count=50", session.users());
    let answer = session.get(&path).await?;
    let shown = items(&answer.body, "/Resources");
    answer.status(&[200])?.wants(shown.len() >= 6, "the list is not complete")?;
    for one in shown {
        let kept =
            !is_absent(one, "/id") && !is_absent(one, "/userName") && is_absent(one, "/name");
        answer.wants(kept, format!("a listed user shows other attributes: {one}"))?;
    }
    Ok(())
}

async fn post(session: &Session) -> Verdict {
    let name = format!("{}@example.com", session.fresh("posted"));
    let body = session.user(&name, &json!({ "displayName": "Babs", "nickName": "B" }));
    let path = format!("{}?attributes=displayName", session.users());
    let answer = session.post(&path, &body).await?;
    answer.status(&[201])?.present("/id")?.has("/displayName", &json!("Babs"))?;
    answer.lacks("/nickName")?.lacks("/userName")?;
    Ok(())
}

async fn put(session: &Session) -> Verdict {
    let made = person(session).await?;
    let body = session.user(made.text("/userName"), &json!({ "displayName": "New", "title": "T" }));
    let path = format!("{}?excludedAttributes=displayName", session.path_of(&made));
    let answer = session.put(&path, &body).await?;
    answer.status(&[200])?.present("/id")?.lacks("/displayName")?.has("/title", &json!("T"))?;
    Ok(())
}

async fn patch(session: &Session) -> Verdict {
    let made = person(session).await?;
    let path = format!("{}?attributes=displayName", session.path_of(&made));
    let change = json!([{ "op": "replace", "path": "displayName", "value": "New" }]);
    let answer = session.patch(&path, &change).await?;
    answer.status(&[200])?.present("/id")?.has("/displayName", &json!("New"))?;
    answer.lacks("/title")?;
    Ok(())
}

async fn id_always(session: &Session) -> Verdict {
    asked(session, "excludedAttributes=id").await?.present("/userName")?;
    asked(session, "attributes=displayName").await?.present("/displayName")?;
    Ok(())
}

async fn unknown(session: &Session) -> Verdict {
    let read = asked(session, "attributes=conformanceNoSuchAttribute,displayName").await?;
    read.present("/displayName")?.lacks("/title")?;
    Ok(())
}

async fn urn(session: &Session) -> Verdict {
    let read =
        asked(session, &format!("attributes={USER}:displayName,{USER}:name.givenName")).await?;
    read.present("/displayName")?.present("/name/givenName")?.lacks("/title")?;
    read.lacks("/name/familyName")?;
    Ok(())
}

async fn extension(session: &Session) -> Verdict {
    let read = asked(session, &format!("attributes={ENTERPRISE}:department")).await?;
    read.has(&format!("/{ENTERPRISE}/department"), &json!("Tours"))?;
    read.lacks(&format!("/{ENTERPRISE}/costCenter"))?.lacks("/title")?;
    let read = asked(session, &format!("excludedAttributes={ENTERPRISE}:department")).await?;
    read.lacks(&format!("/{ENTERPRISE}/department"))?.present("/userName")?;
    Ok(())
}

async fn whole_extension(session: &Session) -> Verdict {
    let read = asked(session, &format!("attributes={ENTERPRISE}")).await?;
    read.has(&format!("/{ENTERPRISE}/department"), &json!("Tours"))?;
    read.has(&format!("/{ENTERPRISE}/costCenter"), &json!("4130"))?.lacks("/title")?;
    let read = asked(session, &format!("excludedAttributes={ENTERPRISE}")).await?;
    read.lacks(&format!("/{ENTERPRISE}/department"))?.present("/userName")?;
    Ok(())
}

async fn any_case(session: &Session) -> Verdict {
    let upper = USER.to_uppercase();
    let read = asked(session, &format!("attributes=DISPLAYNAME,{upper}:TITLE")).await?;
    read.present("/displayName")?.present("/title")?.lacks("/name")?;
    Ok(())
}

async fn not_bare(session: &Session) -> Verdict {
    let read = asked(session, "attributes=department,userName").await?;
    read.present("/userName")?.lacks("/department")?;
    let path = format!("{}?filter={}", session.users(), encoded("department eq \"Tours\""));
    let list = session.call(Method::GET, path).send().await?;
    if list.status == 200 {
        list.has("/totalResults", &json!(0))?;
    } else {
        list.refused_as(400, "invalidFilter")?;
    }
    Ok(())
}
