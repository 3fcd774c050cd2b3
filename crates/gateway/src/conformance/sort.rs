//! Sorting: RFC 7644 §3.4.2.3.

use super::check::{Verdict, checks};
use super::json::encoded;
use super::people::crowd_only;
use super::session::Session;

checks! {
    "7644-3.4.2.3-ascending" Must [User, Sort, Filter] "sortBy sorts ascending when sortOrder is absent" => ascending,
    "7644-3.4.2.3-descending" Must [User, Sort, Filter] "sortOrder descending turns the order" => descending,
    "7644-3.4.2.3-case" Must [User, Sort, Filter, Folded("name.familyName")] "texts that are not caseExact sort without regard to case" => any_case,
    "7644-3.4.2.3-sub-attribute" Must [User, Sort, Filter, Attribute("name")] "a sub-attribute in dotted form sorts" => sub_attribute,
    "7644-3.4.2.3-absent" Must [User, Sort, Filter, Attribute("title")] "absent values come last ascending and first descending" => absent,
    "7644-3.4.2.3-multi-valued" Must [User, Sort, Filter, Attribute("emails")] "a multi-valued attribute sorts by its primary value, else the first" => multi_valued,
    "7644-3.4.2.3-date-time" Must [User, Sort, Filter] "dateTime sorts in time order" => date_time,
    "7644-3.4.2.3-extension" Must [User, Sort, Filter, Enterprise] "an extension's attribute sorts by its URN name" => extension,
    "7644-3.4.2.3-names-any-case" Must [User, Sort, Filter] "sortBy in any case and with the schema's URN" => names,
    "7644-3.4.2.3-pages" Must [User, Sort, Filter] "pages of a sorted list join to the whole" => pages,
}

/// The crowd's letters in the order of the answer.
async fn sorted(session: &Session, by: &str, more: &str, wanted: &[&str]) -> Verdict {
    let crowd = session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let users = session.users();
    let path = format!("{users}?filter={filter}&sortBy={}{more}&count=50", encoded(by));
    let list = session.get(&path).await?;
    list.status(&[200])?;
    let found = crowd.letters(&list.body);
    let what = format!("the order is {found:?} instead of {:?}", wanted.join(" or "));
    list.wants(wanted.contains(&found.as_str()), what)?;
    Ok(())
}

async fn ascending(session: &Session) -> Verdict {
    sorted(session, "userName", "", &["abcdef"]).await?;
    sorted(session, "userName", "&sortOrder=ascending", &["abcdef"]).await
}

async fn descending(session: &Session) -> Verdict {
    sorted(session, "userName", "&sortOrder=descending", &["fedcba"]).await
}

async fn any_case(session: &Session) -> Verdict {
    // "Archer" and "archer" are the same; who comes first of the two is open.
    sorted(session, "name.familyName", "", &["aebcdf", "eabcdf"]).await
}

async fn sub_attribute(session: &Session) -> Verdict {
    sorted(session, "name.givenName", "&sortOrder=descending", &["fedcba"]).await
}

async fn absent(session: &Session) -> Verdict {
    sorted(session, "title", "", &["abcefd"]).await?;
    sorted(session, "title", "&sortOrder=descending", &["dfecba"]).await
}

async fn multi_valued(session: &Session) -> Verdict {
    sorted(session, "emails", "&sortOrder=descending", &["fedcba"]).await?;
    sorted(session, "emails.value", "", &["abcdef"]).await
}

async fn date_time(session: &Session) -> Verdict {
    // Several may be made within one tick of the server's clock, so only the ends of the two orders are compared.
    let crowd = session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let mut orders = Vec::new();
    for order in ["ascending", "descending"] {
        let by = format!("sortBy=meta.created&sortOrder={order}");
        let list =
            session.get(&format!("{}?filter={filter}&{by}&count=50", session.users())).await?;
        list.status(&[200])?;
        let mut instants: Vec<String> = super::json::items(&list.body, "/Resources")
            .iter()
            .map(|one| super::json::text(one, "/meta/created").to_owned())
            .collect();
        list.wants(instants.len() == crowd.people.len(), "not everybody is there")?;
        if order == "descending" {
            instants.reverse();
        }
        list.wants(instants.is_sorted(), format!("the instants are not {order}"))?;
        orders.push(crowd.letters(&list.body));
    }
    Ok(())
}

async fn extension(session: &Session) -> Verdict {
    let by = format!("{}:employeeNumber", super::target::ENTERPRISE);
    sorted(session, &by, "&sortOrder=descending", &["fedcba"]).await
}

async fn names(session: &Session) -> Verdict {
    sorted(session, "USERNAME", "&sortOrder=descending", &["fedcba"]).await?;
    let by = format!("{}:userName", super::target::USER);
    sorted(session, &by, "&sortOrder=descending", &["fedcba"]).await
}

async fn pages(session: &Session) -> Verdict {
    let crowd = session.crowd().await?;
    let filter = encoded(&crowd_only(session));
    let mut all = String::new();
    for start in [1, 3, 5] {
        let page = format!("sortBy=userName&sortOrder=descending&startIndex={start}&count=2");
        let list = session.get(&format!("{}?filter={filter}&{page}", session.users())).await?;
        list.status(&[200])?;
        all.push_str(&crowd.letters(&list.body));
        list.wants(all.len() == start + 1, "the page is not of two")?;
        list.wants("fedcba".starts_with(&all), format!("the pages so far are {all:?}"))?;
    }
    Ok(())
}
