//! Bulk: RFC 7644 §3.7.

use super::check::{Verdict, checks, skip};
use super::exchange::Exchange;
use super::json::{at, items, lists, text};
use super::session::Session;
use reqwest::Method;
use serde_json::{Value, json};

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// The largest request that is worth sending to see it refused.
const PAYLOAD_BYTES_MAX: u64 = 12 << 20;
/// The most operations that are worth sending to see them refused.
const OPERATIONS_MAX: u64 = 20_000;

checks! {
    "7644-3.7-answer" Must [User, Bulk] "a bulk request is 200 with a BulkResponse, an answer for each operation" => answer,
    "7644-3.7-all-methods" Must [User, Bulk] "POST, PUT, PATCH and DELETE in one request" => all_methods,
    "7644-3.7-post-needs-bulk-id" Must [User, Bulk] "a POST without bulkId is refused" => needs_bulk_id,
    "7644-3.7-continues" Must [User, Bulk] "without failOnErrors the rest goes on after an error" => continues,
    "7644-3.7-fail-on-errors" Must [User, Bulk] "failOnErrors stops after that many errors" => fail_on_errors,
    "7644-3.7-bad-operation" Must [User, Bulk] "an operation with an unknown method or path fails by itself, or all is 400" => bad_operation,
    "7644-3.7-syntax" Must [User, Bulk] "a body that is no bulk request is 400" => syntax,
    "7644-3.7-schemas" Must [User, Bulk] "a group and its users in one request (the RFC's example)" => user_and_group,
    "7644-3.7.1-circular" Must [User, Group, Bulk] "references in a circle are resolved, or refused with 409" => circular,
    "7644-3.7.2-bulk-id" Must [User, Group, Bulk] "bulkId:… in a later operation stands for the id" => bulk_id,
    "7644-3.7.2-bulk-id-before" Must [User, Group, Bulk] "bulkId:… may stand before the operation that makes it" => bulk_id_before,
    "7644-3.7.2-bulk-id-unknown" Must [User, Group, Bulk] "a bulkId that nothing makes is an error of that operation" => bulk_id_unknown,
    "7644-3.7.3-location" Must [User, Bulk] "each answer has location, except where a POST failed" => location,
    "7644-3.7.3-status" Must [User, Bulk] "each answer has method, status as text, and bulkId where one was sent" => status,
    "7644-3.7.3-error" Must [User, Bulk] "a failed operation has the error as response" => error,
    "7644-3.7.3-version" Should [User, Bulk, Etag] "a change's answer has the version" => version,
    "7644-3.7.4-operations" Must [User, Bulk] "more than maxOperations is 413 and names the limit, nothing is done" => too_many,
    "7644-3.7.4-payload" Must [User, Bulk] "more than maxPayloadSize is 413 and names the limit" => too_large,
}

async fn bulk(session: &Session, operations: Value, more: Value) -> Verdict<Exchange> {
    let mut body = json!({ "schemas": [REQUEST], "Operations": operations });
    if let (Some(all), Value::Object(more)) = (body.as_object_mut(), more) {
        all.extend(more);
    }
    let answer = session.post("/Bulk", &body).await?;
    for one in items(&answer.body, "/Operations") {
        // What was made must be deleted at the end.
        let made = text(one, "/method").eq_ignore_ascii_case("POST");
        if let (true, Some(path)) = (made, session.path_at(text(one, "/location"))) {
            session.note_made(path);
        }
    }
    Ok(answer)
}

async fn done(session: &Session, operations: Value) -> Verdict<Exchange> {
    let sent = items(&operations, "").len();
    let answer = bulk(session, operations, json!({})).await?;
    answer.status(&[200])?;
    answer.wants(lists(&answer.body, "/schemas", RESPONSE), "schemas lacks BulkResponse")?;
    let got = items(&answer.body, "/Operations").len();
    answer.wants(got == sent, format!("{got} answers for {sent} operations"))?;
    Ok(answer)
}

fn new_user(session: &Session, bulk_id: &str) -> Value {
    let name = format!("{}@example.com", session.fresh("bulk"));
    let data = session.user(&name, &json!({ "displayName": "Bulk" }));
    json!({ "method": "POST", "path": session.users(), "bulkId": bulk_id, "data": data })
}

fn new_group(session: &Session, bulk_id: &str, members: &[&str]) -> Value {
    let data = session.group(&session.fresh("bulk"), members);
    json!({ "method": "POST", "path": session.groups(), "bulkId": bulk_id, "data": data })
}

fn bad_user(session: &Session, bulk_id: &str) -> Value {
    let mut data = session.user("unused", &json!({}));
    if let Some(members) = data.as_object_mut() {
        members.remove("userName");
    }
    json!({ "method": "POST", "path": session.users(), "bulkId": bulk_id, "data": data })
}

/// The status of an operation; some servers write `{"code": "200"}`, as a draft did.
fn status_of(answer: &Exchange, index: usize) -> String {
    text(&answer.body, &format!("/Operations/{index}/status")).to_owned()
}

fn statuses(answer: &Exchange, wanted: &[&str]) -> Verdict {
    for (index, wanted) in wanted.iter().enumerate() {
        let got = status_of(answer, index);
        answer
            .wants(got == *wanted, format!("operation {index} is {got:?} instead of {wanted}"))?;
    }
    Ok(())
}

/// Reads what an operation made.
async fn made(session: &Session, answer: &Exchange, index: usize) -> Verdict<Exchange> {
    let location = answer.text(&format!("/Operations/{index}/location"));
    let Some(path) = session.path_at(location).filter(|_| !location.is_empty()) else {
        return answer.unmet(format!("operation {index} has the location {location:?}"));
    };
    let read = session.get(&path).await?;
    read.status(&[200])?;
    Ok(read)
}

async fn answer(session: &Session) -> Verdict {
    let operations = json!([new_user(session, "one"), new_user(session, "two")]);
    let answer = done(session, operations).await?;
    statuses(&answer, &["201", "201"])?;
    for index in 0..2 {
        made(session, &answer, index).await?.has("/displayName", &json!("Bulk"))?;
    }
    Ok(())
}

async fn all_methods(session: &Session) -> Verdict {
    let (one, two) =
        (session.make("bulk", &json!({})).await?, session.make("bulk", &json!({})).await?);
    let gone = session.make("bulk", &json!({})).await?;
    let put = session.user(one.text("/userName"), &json!({ "displayName": "Put" }));
    let mut operations = vec![
        new_user(session, "new"),
        json!({ "method": "PUT", "path": session.path_of(&one), "data": put }),
        json!({ "method": "DELETE", "path": session.path_of(&gone) }),
    ];
    let patches = session.target().lacks(&super::Need::Patch).is_none();
    if patches {
        let change = json!([{ "op": "replace", "path": "displayName", "value": "Patched" }]);
        let data = json!({ "schemas": [super::patch::PATCH_OP], "Operations": change });
        operations.push(json!({ "method": "PATCH", "path": session.path_of(&two), "data": data }));
    }
    let answer = done(session, json!(operations)).await?;
    statuses(&answer, &["201", "200", "204"])?;
    session.get(&session.path_of(&one)).await?.has("/displayName", &json!("Put"))?;
    session.get(&session.path_of(&gone)).await?.refused(&[404])?;
    if patches {
        session.get(&session.path_of(&two)).await?.has("/displayName", &json!("Patched"))?;
    }
    Ok(())
}

async fn needs_bulk_id(session: &Session) -> Verdict {
    done(session, json!([new_user(session, "known")])).await?;
    let mut operation = new_user(session, "unused");
    if let Some(members) = operation.as_object_mut() {
        members.remove("bulkId");
    }
    let answer = bulk(session, json!([operation]), json!({})).await?;
    if answer.status != 200 {
        answer.refused(&[400])?;
        return Ok(());
    }
    statuses(&answer, &["400"])
}

async fn continues(session: &Session) -> Verdict {
    let operations = json!([
        bad_user(session, "a"),
        new_user(session, "b"),
        bad_user(session, "c"),
        new_user(session, "d")
    ]);
    statuses(&done(session, operations).await?, &["400", "201", "400", "201"])
}

async fn fail_on_errors(session: &Session) -> Verdict {
    let operations =
        json!([new_user(session, "a"), bad_user(session, "b"), new_user(session, "c")]);
    let name =
        text(items(&operations, "").get(2).unwrap_or(&Value::Null), "/data/userName").to_owned();
    let answer = bulk(session, operations, json!({ "failOnErrors": 1 })).await?;
    answer.status(&[200])?;
    statuses(&answer, &["201", "400"])?;
    let later = status_of(&answer, 2);
    answer.wants(!later.starts_with('2'), "the operation after the last error was done")?;
    // Nobody else may have the name, unless it was done in spite of the error.
    session.make_named(&session.user(&name, &json!({}))).await?;
    Ok(())
}

async fn bad_operation(session: &Session) -> Verdict {
    done(session, json!([new_user(session, "known")])).await?;
    for (method, path) in [("BREW", session.users()), ("POST", "/NothingOfThisName".to_owned())] {
        let data = json!({ "userName": "unused" });
        let bad = json!({ "method": method, "path": path, "bulkId": "bad", "data": data });
        let answer = bulk(session, json!([new_user(session, "a"), bad]), json!({})).await?;
        if answer.status == 200 {
            statuses(&answer, &["201"])?;
            let second = status_of(&answer, 1);
            answer.wants(
                second.starts_with('4') || second == "501",
                "the bad operation did not fail",
            )?;
        } else {
            answer.refused(&[400])?;
        }
    }
    Ok(())
}

async fn syntax(session: &Session) -> Verdict {
    done(session, json!([new_user(session, "known")])).await?;
    for body in ["{", "[]", "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"]}"]
    {
        let call = session.call(Method::POST, "/Bulk").body(body.to_owned());
        call.send().await?.refused(&[400])?;
    }
    Ok(())
}

async fn user_and_group(session: &Session) -> Verdict {
    if let Some(reason) = session.target().lacks(&super::Need::Group) {
        return skip(reason);
    }
    let operations = json!([
        new_user(session, "qwerty"),
        new_user(session, "ytrewq"),
        new_group(session, "ytreab", &["bulkId:qwerty", "bulkId:ytrewq"]),
    ]);
    let answer = done(session, operations).await?;
    statuses(&answer, &["201", "201", "201"])?;
    let group = made(session, &answer, 2).await?;
    group.wants(items(&group.body, "/members").len() == 2, "the group has not the two members")?;
    Ok(())
}

async fn circular(session: &Session) -> Verdict {
    let operations = json!([
        new_group(session, "one", &["bulkId:two"]),
        new_group(session, "two", &["bulkId:one"]),
    ]);
    let answer = done(session, operations).await?;
    for (index, other) in [(0, 1), (1, 0)] {
        let status = status_of(&answer, index);
        let known = ["201", "400", "409"].contains(&status.as_str());
        answer.wants(known, format!("operation {index} is {status:?}"))?;
        if status == "201" && status_of(&answer, other) == "201" {
            let group = made(session, &answer, index).await?;
            let member = made(session, &answer, other).await?;
            group.has("/members/0/value", at(&member.body, "/id"))?;
        }
    }
    Ok(())
}

async fn resolved(session: &Session, operations: Value, user: usize, group: usize) -> Verdict {
    let answer = done(session, operations).await?;
    statuses(&answer, &["201", "201"])?;
    let (user, group) = (made(session, &answer, user).await?, made(session, &answer, group).await?);
    group.has("/members/0/value", at(&user.body, "/id"))?;
    Ok(())
}

async fn bulk_id(session: &Session) -> Verdict {
    let operations = json!([new_user(session, "u"), new_group(session, "g", &["bulkId:u"])]);
    resolved(session, operations, 0, 1).await
}

async fn bulk_id_before(session: &Session) -> Verdict {
    let operations = json!([new_group(session, "g", &["bulkId:u"]), new_user(session, "u")]);
    let answer = done(session, operations).await?;
    if status_of(&answer, 0) == "409" {
        return statuses(&answer, &["409", "201"]);
    }
    statuses(&answer, &["201", "201"])?;
    let (group, user) = (made(session, &answer, 0).await?, made(session, &answer, 1).await?);
    group.has("/members/0/value", at(&user.body, "/id"))?;
    Ok(())
}

async fn bulk_id_unknown(session: &Session) -> Verdict {
    let operations = json!([new_group(session, "g", &["bulkId:nothing"]), new_user(session, "u")]);
    let answer = done(session, operations).await?;
    let status = status_of(&answer, 0);
    answer.wants(status.starts_with('4'), format!("operation 0 is {status:?}"))?;
    answer.wants(status_of(&answer, 1) == "201", "the other operation did not succeed")?;
    Ok(())
}

async fn location(session: &Session) -> Verdict {
    let user = session.make("bulk", &json!({})).await?;
    let operations = json!([
        new_user(session, "a"),
        bad_user(session, "b"),
        { "method": "DELETE", "path": session.path_of(&user) },
    ]);
    let answer = done(session, operations).await?;
    answer.present("/Operations/0/location")?.present("/Operations/2/location")?;
    answer.lacks("/Operations/1/location")?;
    Ok(())
}

async fn status(session: &Session) -> Verdict {
    let operations = json!([new_user(session, "first"), bad_user(session, "second")]);
    let answer = done(session, operations).await?;
    statuses(&answer, &["201", "400"])?;
    for (index, bulk_id) in ["first", "second"].iter().enumerate() {
        answer.has(&format!("/Operations/{index}/bulkId"), &json!(bulk_id))?;
        answer.has(&format!("/Operations/{index}/method"), &json!("POST"))?;
    }
    Ok(())
}

async fn error(session: &Session) -> Verdict {
    let answer = done(session, json!([bad_user(session, "a")])).await?;
    let schema = lists(&answer.body, "/Operations/0/response/schemas", super::exchange::ERROR);
    answer.wants(schema, "response is no error")?;
    answer.has("/Operations/0/response/status", &json!("400"))?;
    Ok(())
}

async fn version(session: &Session) -> Verdict {
    let answer = done(session, json!([new_user(session, "a")])).await?;
    answer.present("/Operations/0/version")?;
    Ok(())
}

/// Fails unless the refusal names the limit.
fn says_limit(answer: &Exchange, limit: u64) -> Verdict {
    let detail: String = answer.text("/detail").chars().filter(|c| c.is_alphanumeric()).collect();
    answer.wants(
        detail.contains(&limit.to_string()),
        format!("the body does not name the limit {limit}"),
    )?;
    Ok(())
}

async fn too_many(session: &Session) -> Verdict {
    done(session, json!([new_user(session, "known")])).await?;
    let most = at(&session.target().config, "/bulk/maxOperations").as_u64().unwrap_or(u64::MAX);
    if most > OPERATIONS_MAX {
        return skip(format!("maxOperations is {most}: too many to try"));
    }
    let name = format!("{}@example.com", session.fresh("many"));
    let data = session.user(&name, &json!({}));
    let first = json!({ "method": "POST", "path": session.users(), "bulkId": "a", "data": data });
    let mut operations = vec![first];
    let nowhere = super::http::nowhere(session);
    operations.extend((0..most).map(|_| json!({ "method": "DELETE", "path": nowhere })));
    let answer = bulk(session, json!(operations), json!({})).await?;
    says_limit(answer.refused(&[413])?, most)?;
    session.make_named(&session.user(&name, &json!({}))).await?;
    Ok(())
}

async fn too_large(session: &Session) -> Verdict {
    done(session, json!([new_user(session, "known")])).await?;
    let most = at(&session.target().config, "/bulk/maxPayloadSize").as_u64().unwrap_or(u64::MAX);
    if most > PAYLOAD_BYTES_MAX {
        return skip(format!("maxPayloadSize is {most}: too large to try"));
    }
    let length = usize::try_from(most).unwrap_or_default();
    let name = format!("{}@example.com", session.fresh("large"));
    let data = session.user(&name, &json!({ "displayName": "x".repeat(length) }));
    let one = json!({ "method": "POST", "path": session.users(), "bulkId": "a", "data": data });
    let answer = bulk(session, json!([one]), json!({})).await?;
    says_limit(answer.refused(&[413])?, most)
}
