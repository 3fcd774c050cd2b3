//! Lists and pages by index: RFC 7644 §3.4.2, §3.4.2.1, §3.4.2.4.

use super::check::{Verdict, checks, skip};
use super::exchange::Exchange;
use super::filter::is_list;
use super::json::{at, encoded, is_absent, items, text};
use super::people::crowd_only;
use super::session::Session;
use serde_json::json;

checks! {
    "7644-3.4.2-list" Must [User] "a list is a ListResponse with totalResults" => list,
    "7644-3.4.2-empty" Must [User, Filter] "no match is 200 with totalResults 0" => empty,
    "7644-3.4.2-resources" Must [User] "what a list shows are whole resources" => resources,
    "7644-3.4.2-not-filtered-silently" Must [User, Filter] "a filter that cannot be served is refused, not left out" => not_silent,
    "7644-3.4.2-total-of-all" Must [User] "totalResults counts all matches, not the page" => total,
    "7644-3.4.2.1-root" Must [User, Filter] "a query at the server's root finds resources of all types" => root,
    "7644-3.4.2.1-group-filter" Must [Group, Filter] "groups are found by displayName" => group_filter,
    "7644-3.4.2.1-members" Should [User, Group, Filter] "groups are found by members.value" => group_members,
    "7644-3.4.2.4-start-below-one" Must [User] "startIndex below 1 is read as 1" => start_below_one,
    "7644-3.4.2.4-count" Must [User] "no more than count resources come" => count,
    "7644-3.4.2.4-count-zero" Must [User] "count=0 gives totalResults and no resources" => count_zero,
    "7644-3.4.2.4-count-negative" Must [User] "a negative count is read as 0" => count_negative,
    "7644-3.4.2.4-beyond" Must [User, Filter] "a page beyond the end is empty, with the same total" => beyond,
    "7644-3.4.2.4-partial" Must [User] "a part of the result has startIndex and itemsPerPage" => partial,
    "7644-3.4.2.4-pages" Must [User, Filter] "pages join to the whole, without gap and without overlap" => pages,
    "7644-3.4.2.4-default" Must [User] "without count the server chooses a page, and totalResults still counts all" => default,
}

async fn people(session: &Session, query: &str) -> Verdict<Exchange> {
    session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let by_filter = session.target().lacks(&super::Need::Filter).is_none();
    let filter = if by_filter { format!("filter={filter}") } else { String::new() };
    let parts = [filter.as_str(), query];
    let query = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    let answer = session.get(&format!("{}?{query}", session.users())).await?;
    answer.status(&[200])?;
    is_list(&answer)?;
    Ok(answer)
}

fn shown(answer: &Exchange) -> usize {
    items(&answer.body, "/Resources").len()
}

fn total_of(answer: &Exchange) -> u64 {
    at(&answer.body, "/totalResults").as_u64().unwrap_or_default()
}

async fn list(session: &Session) -> Verdict {
    let answer = people(session, "count=50").await?;
    answer.wants(total_of(&answer) >= 6, "totalResults is less than what was made")?;
    answer.wants(shown(&answer) >= 6, "Resources is less than what was made")?;
    Ok(())
}

async fn empty(session: &Session) -> Verdict {
    people(session, "count=1").await?;
    let filter = encoded(&format!("userName eq \"{}\"", session.fresh("nobody")));
    let answer = session.get(&format!("{}?filter={filter}", session.users())).await?;
    answer.status(&[200])?;
    is_list(&answer)?.has("/totalResults", &json!(0))?.lacks("/Resources")?;
    Ok(())
}

async fn resources(session: &Session) -> Verdict {
    let answer = people(session, "count=50").await?;
    answer.wants(shown(&answer) > 0, "the list is empty")?;
    for one in items(&answer.body, "/Resources") {
        for name in ["id", "userName"] {
            answer.wants(!text(one, name).is_empty(), format!("a listed user has no {name}"))?;
        }
        answer.wants(!items(one, "/schemas").is_empty(), "a listed user has no schemas")?;
    }
    let one = &items(&answer.body, "/Resources").first().cloned().unwrap_or_default();
    let path = format!("{}/{}", session.users(), text(one, "/id"));
    let read = session.get(&path).await?;
    read.has("/meta/location", at(one, "/meta/location"))?;
    Ok(())
}

async fn not_silent(session: &Session) -> Verdict {
    people(session, "count=1").await?;
    let filter = encoded("conformanceNoSuchAttribute eq \"x\"");
    let answer = session.get(&format!("{}?filter={filter}", session.users())).await?;
    if answer.status == 200 {
        // An unknown attribute has no value, so nothing matches.
        is_list(&answer)?.has("/totalResults", &json!(0))?;
        return Ok(());
    }
    answer.refused_as(400, "invalidFilter")?;
    Ok(())
}

async fn total(session: &Session) -> Verdict {
    let whole = total_of(&people(session, "count=50").await?);
    let page = people(session, "count=2").await?;
    page.wants(shown(&page) == 2, "the page is not of two")?;
    page.wants(total_of(&page) == whole && whole >= 6, "totalResults is not that of all")?;
    Ok(())
}

async fn root(session: &Session) -> Verdict {
    session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let answer = session.get(&format!("/?filter={filter}&count=50")).await?;
    if [404, 403, 501].contains(&answer.status) {
        return skip("the server's root does not answer queries");
    }
    if is_absent(&answer.body, "/totalResults") {
        return skip("the server's root answers something else than a list");
    }
    answer.status(&[200])?;
    is_list(&answer)?.has("/totalResults", &json!(6))?;
    Ok(())
}

async fn group_filter(session: &Session) -> Verdict {
    let group = session.make_group("found", &[]).await?;
    let filter = encoded(&format!("displayName eq \"{}\"", group.text("/displayName")));
    let answer = session.get(&format!("{}?filter={filter}", session.groups())).await?;
    answer.status(&[200])?;
    is_list(&answer)?
        .has("/totalResults", &json!(1))?
        .has("/Resources/0/id", at(&group.body, "/id"))?;
    Ok(())
}

async fn group_members(session: &Session) -> Verdict {
    let user = session.make("sought", &json!({})).await?;
    let group = session.make_group("holder", &[user.text("/id")]).await?;
    let filter = encoded(&format!("members.value eq \"{}\"", user.text("/id")));
    let answer = session.get(&format!("{}?filter={filter}", session.groups())).await?;
    answer.status(&[200])?.has("/totalResults", &json!(1))?;
    answer.has("/Resources/0/id", at(&group.body, "/id"))?;
    Ok(())
}

async fn start_below_one(session: &Session) -> Verdict {
    let first = people(session, "startIndex=1&count=2").await?;
    for start in ["0", "-1", "-100"] {
        let page = people(session, &format!("startIndex={start}&count=2")).await?;
        let same = ids(&page) == ids(&first);
        page.wants(same && shown(&page) == 2, format!("startIndex={start} is not the first page"))?;
    }
    Ok(())
}

fn ids(answer: &Exchange) -> Vec<&str> {
    items(&answer.body, "/Resources").iter().map(|one| text(one, "/id")).collect()
}

async fn count(session: &Session) -> Verdict {
    for count in [1, 3, 5] {
        let page = people(session, &format!("count={count}")).await?;
        let what = format!("{} resources came for count={count}", shown(&page));
        page.wants(shown(&page) == count, what)?;
    }
    Ok(())
}

async fn count_zero(session: &Session) -> Verdict {
    let page = people(session, "count=0").await?;
    page.lacks("/Resources")?.wants(total_of(&page) >= 6, "totalResults is not that of all")?;
    Ok(())
}

async fn count_negative(session: &Session) -> Verdict {
    let page = people(session, "count=-1").await?;
    page.lacks("/Resources")?.wants(total_of(&page) >= 6, "totalResults is not that of all")?;
    Ok(())
}

async fn beyond(session: &Session) -> Verdict {
    let page = people(session, "startIndex=1000000&count=10").await?;
    page.lacks("/Resources")?.has("/totalResults", &json!(6))?;
    Ok(())
}

async fn partial(session: &Session) -> Verdict {
    let page = people(session, "startIndex=2&count=2").await?;
    page.has("/startIndex", &json!(2))?.has("/itemsPerPage", &json!(2))?;
    Ok(())
}

async fn pages(session: &Session) -> Verdict {
    let crowd = session.crowd().await?;
    let mut seen: Vec<String> = Vec::new();
    for start in [1, 3, 5] {
        let page = people(session, &format!("startIndex={start}&count=2")).await?;
        for id in ids(&page) {
            page.wants(!seen.iter().any(|one| one == id), format!("{id} is on two pages"))?;
            seen.push(id.to_owned());
        }
    }
    let page = people(session, "count=1").await?;
    let all = crowd.people.iter().all(|(_, id)| seen.contains(id));
    page.wants(all, "somebody is on no page")?;
    Ok(())
}

async fn default(session: &Session) -> Verdict {
    let page = people(session, "").await?;
    let most = u64::try_from(shown(&page)).unwrap_or(u64::MAX);
    page.wants(shown(&page) > 0, "the page is empty")?;
    page.wants(total_of(&page) >= most.max(6), "totalResults is less than what is there")?;
    let per_page = at(&page.body, "/itemsPerPage");
    let good = per_page.is_null() || per_page == &json!(shown(&page));
    page.wants(good, format!("itemsPerPage is {per_page}, and {} came", shown(&page)))?;
    Ok(())
}
