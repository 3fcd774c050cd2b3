//! What holds for every request: RFC 7644 §2, §3.1, §3.8, §3.11 to §3.13, §7.

use super::check::{Verdict, checks};
use super::exchange::{ERROR, Exchange};
use super::json::{lists, text};
use super::session::{SCIM, Session};
use reqwest::Method;
use serde_json::json;

checks! {
    "7644-2-unauthorized" Must [User, Token] "a request without credentials is 401 (or 403)" => unauthorized,
    "7644-2-challenge" Must [User, Token] "the 401 names its scheme in WWW-Authenticate" => challenge,
    "7644-2-wrong-token" Must [User, Token] "a token that was never issued is 401" => wrong_token,
    "7644-3.1-answers" Must [User] "answers are application/scim+json" => answers,
    "7644-3.1-accepts" Must [User] "a body of application/scim+json is accepted, with and without charset" => accepts,
    "7644-3.1-accepts-json" Should [User] "a body of application/json is accepted too" => accepts_json,
    "7644-3.8-utf-8" Must [User] "text beyond ASCII comes back as it was sent, in UTF-8" => utf_8,
    "7644-3.8-accept" Must [User] "Accept: application/scim+json is answered, Accept: application/json too" => accept,
    "7644-3.11-me" Should [] "/Me answers, redirects with 308 and a Location, or is refused with 501" => me,
    "7644-3.12-not-found" Must [User] "an error has schemas, status as text, and the status of the answer" => error_body,
    "7644-3.12-syntax" Must [User] "a body that is no JSON is 400" => syntax,
    "7644-3.12-scim-type" Must [User] "a scimType, where there is one, is one of the RFCs' keywords" => scim_type,
    "7644-3.12-media-type" Must [User] "errors are application/scim+json" => error_media,
    "7644-3.12-unknown-endpoint" Must [User] "an unknown endpoint is 404" => unknown_endpoint,
    "7644-3.12-root-object" Must [User] "a body that is no object is 400" => no_object,
    "7644-3.13-version" Must [User] "the protocol's version in the base URL, if any, is v2" => version,
    "7644-7.5-token-not-in-uri" Must [User, Token] "locations do not hold the token" => no_token_in_uri,
}

/// Fails unless the answer is of SCIM's media type.
pub(super) fn is_scim(answer: &Exchange) -> Verdict<&Exchange> {
    let media = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let essence = media.split(';').next().unwrap_or_default().trim();
    answer.wants(essence == SCIM, format!("Content-Type is {media:?} instead of {SCIM}"))
}

/// The users, which must be there for a refusal to mean anything.
async fn users(session: &Session) -> Verdict<Exchange> {
    let path = format!("{}?count=1", session.users());
    let answer = session.get(&path).await?;
    super::filter::is_list(answer.status(&[200])?)?;
    Ok(answer)
}

async fn nobody(session: &Session) -> Verdict<Exchange> {
    users(session).await?;
    let path = format!("{}?count=1", session.users());
    session.call(Method::GET, path).anonymous().send().await
}

async fn unauthorized(session: &Session) -> Verdict {
    nobody(session).await?.status(&[401, 403])?;
    Ok(())
}

async fn challenge(session: &Session) -> Verdict {
    let answer = nobody(session).await?;
    if answer.status == 403 {
        return super::check::skip("it is 403, which asks for nothing");
    }
    answer.status(&[401])?;
    let named = answer.header("www-authenticate").is_some_and(|text| !text.trim().is_empty());
    answer.wants(named, "there is no WWW-Authenticate")?;
    Ok(())
}

async fn wrong_token(session: &Session) -> Verdict {
    users(session).await?;
    let path = format!("{}?count=1", session.users());
    let call = session.call(Method::GET, path).anonymous();
    let answer = call.header("authorization", "Bearer conformance-never-issued").send().await?;
    answer.status(&[401, 403])?;
    Ok(())
}

async fn answers(session: &Session) -> Verdict {
    let made = session.make("media", &json!({})).await?;
    is_scim(&made)?;
    is_scim(&users(session).await?)?;
    is_scim(&session.get(&session.path_of(&made)).await?)?;
    Ok(())
}

async fn sent_as(session: &Session, media: &str) -> Verdict {
    let name = format!("{}@example.com", session.fresh("media"));
    let call = session.call(Method::POST, session.users()).json(&session.user(&name, &json!({})));
    let made = call.header("content-type", media).send().await?;
    made.status(&[201])?.has("/userName", &json!(name))?;
    made.wants(!made.text("/id").is_empty(), "the created user has no id")?;
    Ok(())
}

async fn accepts(session: &Session) -> Verdict {
    sent_as(session, SCIM).await?;
    sent_as(session, "application/scim+json; charset=utf-8").await?;
    sent_as(session, "application/scim+json;charset=UTF-8").await
}

async fn accepts_json(session: &Session) -> Verdict {
    sent_as(session, "application/json").await
}

async fn utf_8(session: &Session) -> Verdict {
    let name = "Zoë Ångström \u{4f60}\u{597d} \u{1f600} \"quoted\" \\ back";
    let made = session.make("utf", &json!({ "displayName": name, "nickName": name })).await?;
    let read = session.get(&session.path_of(&made)).await?;
    read.status(&[200])?;
    let shown = ["/displayName", "/nickName"].iter().filter(|path| read.text(path) == name).count();
    read.wants(shown > 0, format!("{name:?} did not come back"))?;
    Ok(())
}

async fn accept(session: &Session) -> Verdict {
    session.make("accept", &json!({})).await?;
    for media in [SCIM, "application/json", "*/*"] {
        let path = format!("{}?count=1", session.users());
        let answer = session.call(Method::GET, path).header("accept", media).send().await?;
        super::filter::is_list(answer.status(&[200])?)?;
    }
    Ok(())
}

async fn me(session: &Session) -> Verdict {
    let answer = session.get("/Me").await?;
    match answer.status {
        200 => answer.present("/id")?.present("/schemas")?,
        308 => answer.wants(answer.header("location").is_some(), "308 without Location")?,
        _ => answer.refused(&[501])?,
    };
    Ok(())
}

/// A path below the users at which nobody is.
pub(super) fn nowhere(session: &Session) -> String {
    format!("{}/00000000-0000-4000-8000-0000000000ff", session.users())
}

async fn not_found(session: &Session) -> Verdict<Exchange> {
    users(session).await?;
    session.get(&nowhere(session)).await
}

async fn error_body(session: &Session) -> Verdict {
    let answer = not_found(session).await?;
    answer.refused(&[404])?.has("/status", &json!("404"))?;
    Ok(())
}

async fn broken(session: &Session, body: &str) -> Verdict<Exchange> {
    users(session).await?;
    session.call(Method::POST, session.users()).body(body.to_owned()).send().await
}

async fn syntax(session: &Session) -> Verdict {
    for body in ["{\"userName\": ", "", "userName=x", "{]"] {
        broken(session, body).await?.refused(&[400])?;
    }
    Ok(())
}

async fn no_object(session: &Session) -> Verdict {
    for body in ["[]", "\"text\"", "1", "null"] {
        broken(session, body).await?.refused(&[400])?;
    }
    Ok(())
}

async fn scim_type(session: &Session) -> Verdict {
    const KEYWORDS: [&str; 14] = [
        "",
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
        "invalidCursor",
        "expiredCursor",
        "invalidCount",
    ];
    let list = format!("{}?filter=nonsense", session.users());
    for answer in [
        broken(session, "{").await?,
        session.get(&list).await?,
        session.post(&session.users(), &json!({ "schemas": [super::target::USER] })).await?,
    ] {
        let refused = answer.status >= 400 && lists(&answer.body, "/schemas", ERROR);
        answer.wants(refused, "it is not refused with an error body")?;
        let got = text(&answer.body, "/scimType");
        answer.wants(KEYWORDS.contains(&got), format!("scimType {got:?} is in no RFC"))?;
        answer
            .wants(answer.text("/status") == answer.status.to_string(), "status is not its text")?;
    }
    Ok(())
}

async fn error_media(session: &Session) -> Verdict {
    for answer in [not_found(session).await?, broken(session, "{").await?] {
        answer.wants(answer.status >= 400, "it is no error")?;
        is_scim(&answer)?;
    }
    Ok(())
}

async fn unknown_endpoint(session: &Session) -> Verdict {
    users(session).await?;
    session.get("/NothingOfThisName").await?.refused(&[404])?;
    Ok(())
}

async fn version(session: &Session) -> Verdict {
    let answer = users(session).await?;
    let path = session.base().splitn(4, '/').nth(3).unwrap_or_default();
    let is_version = |segment: &str| {
        let digits = segment.strip_prefix('v').unwrap_or_default();
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let other = path.split('/').find(|segment| is_version(segment) && !segment.starts_with("v2"));
    answer.wants(other.is_none(), format!("the base URL names {}", other.unwrap_or_default()))?;
    let made = session.make("version", &json!({})).await?;
    made.present("/meta/location")?;
    Ok(())
}

async fn no_token_in_uri(session: &Session) -> Verdict {
    let made = session.make("secret", &json!({})).await?;
    let location = made.header("location").unwrap_or_default();
    let shown = [location, made.text("/meta/location")];
    made.wants(shown.iter().any(|url| !url.is_empty()), "there is no location to look at")?;
    let leaked = shown.iter().any(|url| session.is_secret_in(url));
    made.wants(!leaked, "a location holds the token")?;
    Ok(())
}
