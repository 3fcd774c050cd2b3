//! Queries by POST: RFC 7644 §3.4.3.

use super::check::{Verdict, checks};
use super::exchange::Exchange;
use super::filter::is_list;
use super::json::{at, is_absent, items};
use super::people::crowd_only;
use super::session::Session;
use serde_json::{Value, json};

/// The schema of a search request.
pub(super) const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The schema of a list.
pub(super) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

checks! {
    "7644-3.4.3-search" Must [User, Filter, Search] "POST /Users/.search answers as GET does" => search,
    "7644-3.4.3-root" Must [User, Filter, Search] "POST /.search finds resources of all types" => root,
    "7644-3.4.3-groups" Must [Group, Filter, Search] "POST /Groups/.search answers" => groups,
    "7644-3.4.3-attributes" Must [User, Filter, Search] "attributes and excludedAttributes are kept to" => attributes,
    "7644-3.4.3-pages" Must [User, Filter, Search] "startIndex and count are kept to" => pages,
    "7644-3.4.3-sort" Must [User, Filter, Search, Sort] "sortBy and sortOrder are kept to" => sort,
    "7644-3.4.3-schemas" Must [User, Search] "a search without its schema is 400, or answered as what it plainly is" => schemas,
    "7644-3.4.3-bad-filter" Must [User, Filter, Search] "a filter that cannot be read is 400 invalidFilter" => bad_filter,
}

async fn ask(session: &Session, path: &str, more: Value) -> Verdict<Exchange> {
    session.crowd().await?;
    let mut body = json!({ "schemas": [REQUEST], "filter": crowd_only(session), "count": 50 });
    if let (Some(all), Value::Object(more)) = (body.as_object_mut(), more) {
        all.extend(more);
    }
    session.post(path, &body).await
}

async fn listed(session: &Session, path: &str, more: Value, wanted: &str) -> Verdict<Exchange> {
    let answer = ask(session, path, more).await?;
    answer.status(&[200])?;
    is_list(&answer)?;
    let mut found: Vec<char> = session.crowd().await?.letters(&answer.body).chars().collect();
    found.sort_unstable();
    let found: String = found.into_iter().collect();
    answer.wants(found == wanted, format!("{found:?} is found instead of {wanted:?}"))?;
    Ok(answer)
}

fn users(session: &Session) -> String {
    format!("{}/.search", session.users())
}

async fn search(session: &Session) -> Verdict {
    let answer = listed(session, &users(session), json!({}), "abcdef").await?;
    answer.has("/totalResults", &json!(6))?;
    Ok(())
}

async fn root(session: &Session) -> Verdict {
    let answer = listed(session, "/.search", json!({}), "abcdef").await?;
    let first = items(&answer.body, "/Resources").first();
    let known = first.is_some_and(|one| at(one, "/meta/resourceType") == &json!("User"));
    answer.wants(known, "the resources do not say of which type they are")?;
    if session.target().lacks(&super::Need::Group).is_none() {
        let group = session.make_group("everywhere", &[]).await?;
        let name = group.text("/displayName");
        let filter = format!("displayName eq \"{name}\" or {}", crowd_only(session));
        let both = ask(session, "/.search", json!({ "filter": filter })).await?;
        both.status(&[200])?.has("/totalResults", &json!(7))?;
    }
    Ok(())
}

async fn groups(session: &Session) -> Verdict {
    let group = session.make_group("searched", &[]).await?;
    let filter = format!("displayName eq \"{}\"", group.text("/displayName"));
    let path = format!("{}/.search", session.groups());
    let answer = ask(session, &path, json!({ "filter": filter })).await?;
    answer.status(&[200])?.has("/totalResults", &json!(1))?;
    answer.has("/Resources/0/id", at(&group.body, "/id"))?;
    Ok(())
}

async fn attributes(session: &Session) -> Verdict {
    let only = json!({ "attributes": ["userName"] });
    let answer = listed(session, &users(session), only, "abcdef").await?;
    for one in items(&answer.body, "/Resources") {
        let kept = !is_absent(one, "/userName") && is_absent(one, "/name");
        answer.wants(kept, "attributes is not kept to")?;
    }
    let without = json!({ "excludedAttributes": ["name"] });
    let answer = listed(session, &users(session), without, "abcdef").await?;
    for one in items(&answer.body, "/Resources") {
        let kept = !is_absent(one, "/userName") && is_absent(one, "/name");
        answer.wants(kept, "excludedAttributes is not kept to")?;
    }
    Ok(())
}

async fn pages(session: &Session) -> Verdict {
    let answer = ask(session, &users(session), json!({ "startIndex": 3, "count": 2 })).await?;
    answer.status(&[200])?.has("/startIndex", &json!(3))?.has("/totalResults", &json!(6))?;
    answer.wants(items(&answer.body, "/Resources").len() == 2, "the page is not of two")?;
    Ok(())
}

async fn sort(session: &Session) -> Verdict {
    let order = json!({ "sortBy": "userName", "sortOrder": "descending" });
    let answer = ask(session, &users(session), order).await?;
    answer.status(&[200])?;
    let found = session.crowd().await?.letters(&answer.body);
    answer.wants(found == "fedcba", format!("the order is {found:?}"))?;
    Ok(())
}

async fn schemas(session: &Session) -> Verdict {
    let body = json!({ "filter": crowd_only(session) });
    session.crowd().await?;
    let answer = session.post(&users(session), &body).await?;
    if answer.status == 200 {
        is_list(&answer)?.has("/totalResults", &json!(6))?;
    } else {
        answer.refused(&[400])?;
    }
    Ok(())
}

async fn bad_filter(session: &Session) -> Verdict {
    let answer = ask(session, &users(session), json!({ "filter": "userName eq" })).await?;
    answer.refused_as(400, "invalidFilter")?;
    Ok(())
}
