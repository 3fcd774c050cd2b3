//! `/Groups` (RFC 7644 §3.3 to §3.6).
//!
//! A tenant without group push answers lookups as if it had no groups, since Entra takes a 404 on `/Groups` for a wrong
//! URL (idp-wire, section 1, row 11), and refuses writes.

use super::body;
use super::error::Failure;
use super::exchange::Exchange;
use super::response;
use super::users::{Id, Search, expected, is_current, patch_limits, projection};
use crate::auth::Caller;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use directory::{
    Asked, DirectoryError, GroupAnswer, GroupChange, Listing, MemberNames, StoredGroup,
    StoredMember,
};
use provisioning::{Reason, Refusal};
use scim_core::{Document, ErrorKind, Group, MemberStep, PatchRequest, Projection, ScimError};
use serde_json::Value;
use std::sync::Arc;
use tenant_registry::{Operation, Resource};

/// Removals of members by filter that one request may hold.
const SEARCHES: usize = 10;

type Answer = Result<(Reason, HttpResponse), Failure>;

/// `POST /Groups` (RFC 7644 §3.3).
#[tracing::instrument(name = "scim.groups.create", skip_all)]
pub async fn create(request: HttpRequest, payload: web::Payload, caller: Caller) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "group.create", "Group", None);
    let result = try_create(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_create(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    may_write(&exchange.caller, Operation::Create)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.group)?;
    let limits = &exchange.caller.state.limits;
    let body = body::read(request, payload, limits, &mut exchange.asked.notes).await?;
    exchange.subject.name = body.get("displayName").and_then(Value::as_str).map(str::to_owned);
    let tolerance = &exchange.caller.tolerance;
    let (group, members, notes) = Group::parse(&body, &schemas.group, tolerance, limits.members)?;
    exchange.asked.notes.absorb(notes);
    let members = members.unwrap_or_default();
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked.clone());
    let answer =
        exchange.commit(async move { scoped.create_group(&group, &members, &asked).await }).await?;
    exchange.subject.id = Some(answer.group.id.clone());
    let location = format!("{}/Groups/{}", exchange.caller.base_url, answer.group.id);
    let body = render(exchange, &answer.group, &projection).await?;
    let version = answer.group.version;
    Ok((answer.reason, response::one(StatusCode::CREATED, body, version, Some(&location))))
}

/// `GET /Groups/{id}` (RFC 7644 §3.4.1).
#[tracing::instrument(name = "scim.groups.get", skip_all)]
pub async fn get(request: HttpRequest, path: Id, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "group.get", "Group", Some(path.0));
    let result = try_get(&request, &exchange).await;
    exchange.finish(result).await
}

async fn try_get(request: &HttpRequest, exchange: &Exchange) -> Answer {
    let Exchange { caller, subject, .. } = exchange;
    caller.may(Resource::Groups, Operation::Read)?;
    let projection = projection(request, &caller.tenant.schemas.group)?;
    let group =
        exchange.read(caller.scoped.group(subject.id.as_deref().unwrap_or_default())).await?;
    if is_current(request, group.version)? {
        exchange.note_read(Reason::NotModified, "");
        return Ok((
            Reason::NotModified,
            response::empty(StatusCode::NOT_MODIFIED, Some(group.version)),
        ));
    }
    let body = render(exchange, &group, &projection).await?;
    exchange.note_read(Reason::GroupRead, "");
    Ok((Reason::GroupRead, response::one(StatusCode::OK, body, group.version, None)))
}

/// `GET /Groups` (RFC 7644 §3.4.2).
#[tracing::instrument(name = "scim.groups.list", skip_all)]
pub async fn list(request: HttpRequest, caller: Caller) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "group.list", "Group", None);
    let result = try_list(&request, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_list(request: &HttpRequest, exchange: &mut Exchange) -> Answer {
    exchange.caller.may(Resource::Groups, Operation::Read)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let search = Search::of(request, &schemas.group, exchange)?;
    let caller = &exchange.caller;
    let want = search.want(&caller.base_url, false, exchange.asked.now);
    let listing = if caller.tenant.groups {
        exchange.read(caller.scoped.groups(&want)).await?
    } else {
        Listing { total: Some(0), resources: Vec::new(), next: None, previous: None }
    };
    let mut members = Vec::new();
    if search.projection.wants("members") {
        let ids: Vec<&str> = listing.resources.iter().map(|group| group.id.as_str()).collect();
        members = exchange.read(caller.scoped.members(&ids, names(&search.projection))).await?;
    }
    let total = listing.total.unwrap_or_default();
    exchange.note_read(Reason::GroupsListed, &format!("{total} found"));
    let resources: Vec<String> = listing
        .resources
        .iter()
        .map(|group| {
            let own = of_group(&members, &group.id);
            response::group(group, own, &caller.base_url, &search.projection, &schemas.group)
        })
        .collect();
    let body = response::list(total, search.page.start_index, &resources);
    Ok((Reason::GroupsListed, response::json(StatusCode::OK, body)))
}

/// The members of one group among those of several, which lie a group at a time.
fn of_group<'a>(members: &'a [StoredMember], id: &str) -> &'a [StoredMember] {
    let start = members.partition_point(|member| member.group_id.as_str() < id);
    let end = members.partition_point(|member| member.group_id.as_str() <= id);
    members.get(start..end).unwrap_or_default()
}

/// `PUT /Groups/{id}` (RFC 7644 §3.5.1).
#[tracing::instrument(name = "scim.groups.replace", skip_all)]
pub async fn replace(
    request: HttpRequest,
    payload: web::Payload,
    path: Id,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "group.replace", "Group", Some(path.0));
    let result = try_replace(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_replace(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    may_write(&exchange.caller, Operation::Update)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.group)?;
    let limits = &exchange.caller.state.limits;
    let body = body::read(request, payload, limits, &mut exchange.asked.notes).await?;
    exchange.subject.name = body.get("displayName").and_then(Value::as_str).map(str::to_owned);
    let tolerance = &exchange.caller.tolerance;
    let (group, members, notes) = Group::parse(&body, &schemas.group, tolerance, limits.members)?;
    exchange.asked.notes.absorb(notes);
    // A body without `members` says nothing of them; an empty list empties the group.
    let steps: Vec<MemberStep> = members
        .map(|add| MemberStep::Change { clear: true, add, remove: Vec::new() })
        .into_iter()
        .collect();
    let alter = move |_: &Document, _: &mut Asked| {
        Ok(GroupChange { group: group.clone(), members: steps.clone() })
    };
    let answer = change(request, exchange, alter).await?;
    let body = render(exchange, &answer.group, &projection).await?;
    Ok((answer.reason, response::one(StatusCode::OK, body, answer.group.version, None)))
}

/// `PATCH /Groups/{id}` (RFC 7644 §3.5.2).
#[tracing::instrument(name = "scim.groups.patch", skip_all)]
pub async fn patch(
    request: HttpRequest,
    payload: web::Payload,
    path: Id,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "group.patch", "Group", Some(path.0));
    let result = try_patch(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_patch(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    may_write(&exchange.caller, Operation::Update)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.group)?;
    let limits = &exchange.caller.state.limits;
    let notes = &mut exchange.asked.notes;
    let body = body::read(request, payload, limits, notes).await?;
    let tolerance = exchange.caller.tolerance.clone();
    let patch = PatchRequest::parse(&body, &patch_limits(limits), &tolerance, notes)?;
    let own_id = exchange.subject.id.as_deref().unwrap_or_default();
    let (patch, members) = patch.split_members(own_id, &tolerance, notes)?;
    check_searches(&members)?;
    let alter = move |old: &Document, asked: &mut Asked| {
        let notes = &mut asked.notes;
        let result = patch.apply(old, &schemas.group, &tolerance, notes)?;
        let group = Group::from_document(result, &tolerance, notes)?;
        Ok(GroupChange { group, members: members.clone() })
    };
    let answer = change(request, exchange, alter).await?;
    let version = answer.group.version;
    if projection.is_explicit() {
        let body = render(exchange, &answer.group, &projection).await?;
        return Ok((answer.reason, response::one(StatusCode::OK, body, version, None)));
    }
    // Microsoft advises against a body here: it would hold all members.
    Ok((answer.reason, response::empty(StatusCode::NO_CONTENT, Some(version))))
}

/// `DELETE /Groups/{id}` (RFC 7644 §3.6).
#[tracing::instrument(name = "scim.groups.delete", skip_all)]
pub async fn delete(request: HttpRequest, path: Id, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "group.delete", "Group", Some(path.0));
    let result = try_delete(&request, &exchange).await;
    exchange.finish(result).await
}

async fn try_delete(request: &HttpRequest, exchange: &Exchange) -> Answer {
    may_write(&exchange.caller, Operation::Delete)?;
    let expected = expected(request);
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked.clone());
    let id = exchange.subject.id.clone().unwrap_or_default();
    exchange.commit(async move { scoped.delete_group(&id, expected, &asked).await }).await?;
    Ok((Reason::GroupDeleted, response::empty(StatusCode::NO_CONTENT, None)))
}

/// A removal by a filter other than `value eq` looks at every member, so one request may have a few of them only.
fn check_searches(steps: &[MemberStep]) -> Result<(), ScimError> {
    let searches = steps.iter().filter(|step| matches!(step, MemberStep::RemoveWhere(_))).count();
    if searches <= SEARCHES {
        return Ok(());
    }
    Err(ScimError::new(
        ErrorKind::InvalidValue,
        format!(
            "The request removes members by {searches} filters; at most {SEARCHES} are allowed. Name the members by value, or join the filters with or."
        ),
    )
    .about("members"))
}

async fn change(
    request: &HttpRequest,
    exchange: &mut Exchange,
    alter: impl Fn(&Document, &mut Asked) -> Result<GroupChange, DirectoryError> + Send + Sync + 'static,
) -> Result<GroupAnswer, Failure> {
    let expected = expected(request);
    let (scoped, mut asked) = (exchange.caller.scoped.clone(), exchange.asked.clone());
    let id = exchange.subject.id.clone().unwrap_or_default();
    let write = async move {
        let result = scoped.change_group(&id, expected, alter, &mut asked).await;
        Ok((result, asked))
    };
    let (result, asked): (Result<GroupAnswer, DirectoryError>, Asked) =
        exchange.commit(write).await?;
    exchange.asked = asked;
    Ok(result?)
}

/// Members' names are returned on request: `attributes=members.display`.
fn names(projection: &Projection) -> MemberNames {
    if projection.asks_for("members", "display") {
        MemberNames::Wanted
    } else {
        MemberNames::Unwanted
    }
}

/// The group as JSON, with its members only if they are wanted.
async fn render(
    exchange: &Exchange,
    group: &StoredGroup,
    projection: &Projection,
) -> Result<String, Failure> {
    let caller = &exchange.caller;
    let members = if projection.wants("members") {
        exchange.read(caller.scoped.members(&[&group.id], names(projection))).await?
    } else {
        Vec::new()
    };
    let of = &caller.tenant.schemas.group;
    Ok(response::group(group, &members, &caller.base_url, projection, of))
}

fn may_write(caller: &Caller, operation: Operation) -> Result<(), Refusal> {
    if !caller.tenant.groups {
        return Err(Refusal::new(
            Reason::GroupPushOff,
            "Groups are not provisioned for this account. Switch group push off in your identity provider, or ask for it to be switched on here.",
        ));
    }
    caller.may(Resource::Groups, operation)
}
