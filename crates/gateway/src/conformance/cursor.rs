//! Pages by cursor: RFC 9865.

use super::check::{Verdict, checks, skip};
use super::exchange::Exchange;
use super::filter::is_list;
use super::json::{at, encoded, is_absent, items, text};
use super::people::crowd_only;
use super::session::Session;
use serde_json::{Value, json};

checks! {
    "9865-2-first-page" Must [User, Filter, Cursor] "an empty cursor asks for the first page, which has nextCursor" => first_page,
    "9865-2-pages" Must [User, Filter, Cursor] "following nextCursor gives every resource once" => pages,
    "9865-2-last-page" Must [User, Filter, Cursor] "the last page has no nextCursor" => last_page,
    "9865-2-count" Must [User, Filter, Cursor] "no more than count resources come" => count,
    "9865-2-unreserved" Must [User, Filter, Cursor] "cursors consist of unreserved characters" => unreserved,
    "9865-2-previous" Must [User, Filter, Cursor] "previousCursor, where there is one, leads back" => previous,
    "9865-2-total" Should [User, Filter, Cursor] "totalResults is the number of all" => total,
    "9865-2-stable" Must [User, Filter, Cursor] "a cursor can be used again with the same answer" => stable,
    "9865-2-single-page" Must [User, Filter, Cursor] "a result of one page has no nextCursor" => single_page,
    "9865-2.1-invalid-cursor" Should [User, Filter, Cursor] "a cursor that was never given is 400 invalidCursor" => invalid,
    "9865-2.1-other-query" Should [User, Filter, Cursor] "a cursor with another filter is refused or keeps to its own" => other_query,
    "9865-2.1-invalid-count" Should [User, Filter, Cursor] "a count that is no number is 400 invalidCount" => invalid_count,
    "9865-2.2-sorted" Should [User, Filter, Cursor, Sort] "pages by cursor are sorted as asked" => sorted,
    "9865-2.3-default" Must [User, Cursor] "without startIndex and cursor a method is chosen, and it is no error" => default,
    "9865-3-search" Must [User, Filter, Cursor, Search] ".search takes a cursor and gives the next" => search,
    "9865-4-pagination" Must [Cursor] "ServiceProviderConfig has pagination with cursor and index, booleans" => pagination,
    "9865-4-details" Must [Cursor] "the other members of pagination are of their types" => details,
    "9865-4-max-page-size" Must [User, Filter, Cursor] "no page is larger than maxPageSize" => max_page_size,
}

async fn page(session: &Session, more: &str) -> Verdict<Exchange> {
    session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    session.get(&format!("{}?filter={filter}&{more}", session.users())).await
}

async fn good_page(session: &Session, more: &str) -> Verdict<Exchange> {
    let answer = page(session, more).await?;
    answer.status(&[200])?;
    let list = super::json::lists(&answer.body, "/schemas", super::search::LIST);
    answer.wants(list, "the answer is no ListResponse")?;
    Ok(answer)
}

async fn after(session: &Session, cursor: &str, more: &str) -> Verdict<Exchange> {
    good_page(session, &format!("cursor={}&{more}", encoded(cursor))).await
}

/// All pages, from the first to the last.
async fn walk(session: &Session, more: &str) -> Verdict<Vec<Exchange>> {
    let mut all = vec![good_page(session, &format!("cursor&{more}")).await?];
    while let Some(last) = all.last() {
        let next = last.text("/nextCursor").to_owned();
        if next.is_empty() {
            break;
        }
        last.wants(all.len() < 20, "the pages do not end")?;
        all.push(after(session, &next, more).await?);
    }
    Ok(all)
}

fn shown(answer: &Exchange) -> usize {
    items(&answer.body, "/Resources").len()
}

async fn letters(session: &Session, pages: &[Exchange]) -> Verdict<String> {
    let crowd = session.crowd().await?;
    Ok(pages.iter().map(|page| crowd.letters(&page.body)).collect())
}

async fn first_page(session: &Session) -> Verdict {
    for form in ["cursor&count=2", "cursor=&count=2"] {
        let answer = good_page(session, form).await?;
        answer.present("/nextCursor")?.wants(shown(&answer) > 0, "the page is empty")?;
    }
    Ok(())
}

async fn pages(session: &Session) -> Verdict {
    let all = walk(session, "count=2").await?;
    let mut found: Vec<char> = letters(session, &all).await?.chars().collect();
    found.sort_unstable();
    let found: String = found.into_iter().collect();
    let Some(last) = all.last() else { return skip("there are no pages") };
    last.wants(found == "abcdef", format!("the pages together show {found:?}"))?;
    last.wants(all.len() >= 3, "there are fewer than three pages of two")?;
    Ok(())
}

async fn last_page(session: &Session) -> Verdict {
    let all = walk(session, "count=4").await?;
    let Some(last) = all.last() else { return skip("there are no pages") };
    last.wants(all.len() >= 2, "there is only one page")?.lacks("/nextCursor")?;
    last.wants(shown(last) > 0, "the last page is empty")?;
    Ok(())
}

async fn count(session: &Session) -> Verdict {
    for count in [1, 3] {
        let answer = good_page(session, &format!("cursor&count={count}")).await?;
        let held = shown(&answer) <= count && shown(&answer) > 0;
        answer.wants(held, format!("{} came for count={count}", shown(&answer)))?;
    }
    Ok(())
}

async fn unreserved(session: &Session) -> Verdict {
    let answer = good_page(session, "cursor&count=2").await?;
    let cursor = answer.text("/nextCursor");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let good = !cursor.is_empty() && cursor.chars().all(plain);
    answer.wants(good, format!("the cursor is {cursor:?}"))?;
    Ok(())
}

async fn previous(session: &Session) -> Verdict {
    let all = walk(session, "count=2").await?;
    let (Some(first), Some(second)) = (all.first(), all.get(1)) else {
        return skip("there is only one page");
    };
    let cursor = second.text("/previousCursor");
    if cursor.is_empty() {
        return skip("the server gives no previousCursor, which is optional");
    }
    let back = after(session, cursor, "count=2").await?;
    let crowd = session.crowd().await?;
    let same = crowd.letters(&back.body) == crowd.letters(&first.body);
    back.wants(same, "it does not lead to the page before")?;
    Ok(())
}

async fn total(session: &Session) -> Verdict {
    let answer = good_page(session, "cursor&count=2").await?;
    answer.has("/totalResults", &json!(6))?;
    Ok(())
}

async fn stable(session: &Session) -> Verdict {
    let first = good_page(session, "cursor&count=2").await?;
    let cursor = first.present("/nextCursor")?.text("/nextCursor");
    let (one, two) =
        (after(session, cursor, "count=2").await?, after(session, cursor, "count=2").await?);
    let crowd = session.crowd().await?;
    let same = crowd.letters(&one.body) == crowd.letters(&two.body);
    two.wants(same && shown(&two) > 0, "the same cursor gave another page")?;
    Ok(())
}

async fn single_page(session: &Session) -> Verdict {
    let answer = good_page(session, "cursor&count=50").await?;
    answer.lacks("/nextCursor")?.wants(shown(&answer) == 6, "not everybody is on the page")?;
    Ok(())
}

async fn invalid(session: &Session) -> Verdict {
    good_page(session, "cursor&count=2").await?;
    for cursor in ["conformance-never-given", "AAAA", "%7B%7D"] {
        let answer = page(session, &format!("cursor={cursor}&count=2")).await?;
        answer.refused_as(400, "invalidCursor")?;
    }
    Ok(())
}

async fn other_query(session: &Session) -> Verdict {
    let first = good_page(session, "cursor&count=2").await?;
    let cursor = encoded(first.present("/nextCursor")?.text("/nextCursor"));
    let filter = encoded("userName eq \"nobody-of-this-name@example.com\"");
    let path = format!("{}?filter={filter}&cursor={cursor}&count=2", session.users());
    let answer = session.get(&path).await?;
    if answer.status == 200 {
        let crowd = session.crowd().await?;
        let strangers = crowd.letters(&answer.body).contains('?');
        answer.wants(!strangers, "the page shows what neither filter lets through")?;
    } else {
        answer.refused_as(400, "invalidCursor")?;
    }
    Ok(())
}

async fn invalid_count(session: &Session) -> Verdict {
    good_page(session, "cursor&count=2").await?;
    page(session, "cursor&count=many").await?.refused_as(400, "invalidCount")?;
    Ok(())
}

async fn sorted(session: &Session) -> Verdict {
    for (order, wanted) in [("ascending", "abcdef"), ("descending", "fedcba")] {
        let all = walk(session, &format!("sortBy=userName&sortOrder={order}&count=2")).await?;
        let found = letters(session, &all).await?;
        let Some(last) = all.last() else { return skip("there are no pages") };
        last.wants(found == wanted, format!("the pages together show {found:?}"))?;
    }
    Ok(())
}

async fn default(session: &Session) -> Verdict {
    session.crowd().await?;
    let answer = session.get(&session.users()).await?;
    answer.status(&[200])?;
    is_list(&answer)?.wants(shown(&answer) > 0, "the page is empty")?;
    Ok(())
}

async fn search(session: &Session) -> Verdict {
    session.crowd().await?;
    let mut cursor = String::new();
    let mut found = String::new();
    loop {
        let body = json!({
            "schemas": [super::search::REQUEST],
            "filter": crowd_only(session), "cursor": cursor, "count": 4,
        });
        let answer = session.post(&format!("{}/.search", session.users()), &body).await?;
        answer.status(&[200])?;
        found.push_str(&session.crowd().await?.letters(&answer.body));
        answer.wants(found.len() <= 6, "more came than there are")?;
        answer.text("/nextCursor").clone_into(&mut cursor);
        if cursor.is_empty() || shown(&answer) == 0 {
            answer.wants(found.len() == 6, format!("the pages together show {found:?}"))?;
            return Ok(());
        }
    }
}

async fn config(session: &Session) -> Verdict<Exchange> {
    let answer = session.get("/ServiceProviderConfig").await?;
    answer.status(&[200])?;
    Ok(answer)
}

async fn pagination(session: &Session) -> Verdict {
    let answer = config(session).await?;
    for name in ["cursor", "index"] {
        let value = at(&answer.body, &format!("/pagination/{name}"));
        answer.wants(value.is_boolean(), format!("pagination.{name} is {value}"))?;
    }
    Ok(())
}

async fn details(session: &Session) -> Verdict {
    let answer = config(session).await?;
    answer.present("/pagination")?;
    for name in ["defaultPageSize", "maxPageSize", "cursorTimeout"] {
        let value = at(&answer.body, &format!("/pagination/{name}"));
        let good = value.is_null() || value.as_u64().is_some_and(|number| number > 0);
        answer.wants(good, format!("pagination.{name} is {value}"))?;
    }
    let method = at(&answer.body, "/pagination/defaultPaginationMethod");
    let good = [Value::Null, json!("cursor"), json!("index")].contains(method);
    answer.wants(good, format!("pagination.defaultPaginationMethod is {method}"))?;
    Ok(())
}

async fn max_page_size(session: &Session) -> Verdict {
    let Some(most) = at(&session.target().config, "/pagination/maxPageSize").as_u64() else {
        return skip("maxPageSize is not announced");
    };
    let answer = page(session, &format!("cursor&count={}", most.saturating_add(1))).await?;
    if answer.status != 200 {
        answer.refused_as(400, "invalidCount")?;
        return Ok(());
    }
    let held = u64::try_from(shown(&answer)).is_ok_and(|shown| shown <= most);
    let first = items(&answer.body, "/Resources").first();
    let whole = first.is_some_and(|one| !is_absent(one, "/id") && !text(one, "/id").is_empty());
    answer.wants(held && whole, "the page is larger than maxPageSize, or empty")?;
    Ok(())
}
