//! `/Groups` (RFC 7644 §3.3 to §3.6).
//!
//! A tenant without group push answers lookups as if it had no groups, since Entra takes a 404 on `/Groups` for a wrong
//! URL (idp-wire, section 1, row 11), and refuses writes.

use super::answer::{Answered, Body};
use super::error::Failure;
use super::exchange::Exchange;
use super::list::{Search, Wanted, none};
use super::members::{GroupText, Shown, names};
use super::operation::{Order, patch_limits};
use super::precondition::Preconditions;
use super::response;
use crate::auth::Caller;
use actix_web::http::StatusCode;
use directory::{
    Asked, DirectoryError, GroupAnswer, GroupChange, Listing, MemberText, StoredGroup, StoredMember,
};
use provisioning::Reason;
use scim_core::{Document, ErrorKind, Group, MemberStep, PatchRequest, Projection, ScimError};
use serde_json::Value;
use std::sync::Arc;

/// Removals of members by filter that one request may hold.
const SEARCHES: usize = 10;

/// Members that a list reads for all its groups at once, at most.
const MEMBERS_AT_ONCE: usize = 5_000;

type Answer = Result<Answered, Failure>;

/// Makes a group (RFC 7644 §3.3).
///
/// # Errors
/// What the schema or the directory refuses.
#[tracing::instrument(name = "scim.groups.create", skip_all)]
pub async fn create(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, body, .. } = order;
    exchange.subject.name = body.get("displayName").and_then(Value::as_str).map(str::to_owned);
    let Caller { tenant, tolerance, state, .. } = &*exchange.caller;
    let (group, members, notes) =
        Group::parse(&body, &tenant.schemas.group, tolerance, state.limits.members)?;
    exchange.asked.notes.absorb(notes);
    let members = members.unwrap_or_default();
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked());
    let answer =
        exchange.commit(async move { scoped.create_group(&group, &members, &asked).await }).await?;
    exchange.subject.id = Some(answer.group.id.clone());
    let status = StatusCode::CREATED;
    shown(exchange, &answer.group, answer.reason, status, projection.as_ref()).await
}

/// Reads a group (RFC 7644 §3.4.1).
///
/// # Errors
/// 404, 412, or the directory's failure.
#[tracing::instrument(name = "scim.groups.get", skip_all)]
pub async fn get(exchange: &mut Exchange, order: Order) -> Answer {
    let id = exchange.subject.id.as_deref().unwrap_or_default();
    let group = exchange.read(exchange.caller.scoped.group(id)).await?;
    if order.conditions.is_held(group.version)? {
        exchange.note_read(Reason::NotModified, "");
        let status = StatusCode::NOT_MODIFIED;
        return shown(exchange, &group, Reason::NotModified, status, None).await;
    }
    let (reason, projection) = (Reason::GroupRead, order.projection.as_ref());
    let answer = shown(exchange, &group, reason, StatusCode::OK, projection).await?;
    exchange.note_read(Reason::GroupRead, "");
    Ok(answer)
}

/// Lists groups (RFC 7644 §3.4.2).
///
/// # Errors
/// What the directory refuses.
#[tracing::instrument(name = "scim.groups.list", skip_all)]
pub(super) async fn list(exchange: &Exchange, search: &Search) -> Result<Listing<Shown>, Failure> {
    let caller = &exchange.caller;
    let Some(one) = search.groups.as_ref().filter(|_| caller.tenant.groups) else {
        return Ok(none());
    };
    let want = search.want(one, exchange);
    let Listing { total, resources, next, previous } =
        exchange.read(caller.scoped.groups(&want)).await?;
    let groups: Vec<&StoredGroup> = resources.iter().collect();
    let resources = rendered(exchange, &groups, Some(one)).await?;
    Ok(Listing { total, resources, next, previous })
}

/// The groups of a list, as far as groups are asked for, with their members if those are wanted.
pub(super) async fn rendered(
    exchange: &Exchange,
    groups: &[&StoredGroup],
    one: Option<&Wanted>,
) -> Result<Vec<Shown>, Failure> {
    let Some(Wanted { projection, .. }) = one else { return Ok(Vec::new()) };
    let Caller { base_url, tenant, scoped, .. } = &*exchange.caller;
    let mut members = Vec::new();
    if projection.wants("members") {
        let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
        let names = names(projection);
        match exchange.read(scoped.members(&ids, names, MEMBERS_AT_ONCE)).await? {
            Some(few) => members = few,
            // They are read when the client has taken what comes before them.
            None => return Ok(groups.iter().map(|group| Shown::Group((*group).clone())).collect()),
        }
    }
    let render = |group: &&StoredGroup| {
        let own = of_group(&members, &group.id);
        Shown::Text(response::group(group, own, base_url, projection, &tenant.schemas.group))
    };
    Ok(groups.iter().map(render).collect())
}

/// The members of one group among those of several, which lie a group at a time.
fn of_group<'a>(members: &'a [StoredMember], id: &str) -> &'a [StoredMember] {
    let start = members.partition_point(|member| member.group_id.as_str() < id);
    let end = members.partition_point(|member| member.group_id.as_str() <= id);
    members.get(start..end).unwrap_or_default()
}

/// Replaces a group's attributes, and its members if the body names any (RFC 7644 §3.5.1).
///
/// # Errors
/// What the schema or the directory refuses.
#[tracing::instrument(name = "scim.groups.replace", skip_all)]
pub async fn replace(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, conditions, body } = order;
    exchange.subject.name = body.get("displayName").and_then(Value::as_str).map(str::to_owned);
    let Caller { tenant, tolerance, state, .. } = &*exchange.caller;
    let schemas = Arc::clone(&tenant.schemas);
    let (group, members, notes) =
        Group::parse(&body, &schemas.group, tolerance, state.limits.members)?;
    exchange.asked.notes.absorb(notes);
    // A body without `members` says nothing of them; an empty list empties the group.
    let steps: Vec<MemberStep> = members
        .map(|add| MemberStep::Change { clear: true, add, remove: Vec::new() })
        .into_iter()
        .collect();
    let alter = move |old: &Document, _: &mut Asked| {
        let group = group.clone().replacing(old, &schemas.group)?;
        Ok(GroupChange { group, members: steps.clone() })
    };
    let answer = change(exchange, conditions, alter).await?;
    let status = StatusCode::OK;
    shown(exchange, &answer.group, answer.reason, status, projection.as_ref()).await
}

/// Changes a group (RFC 7644 §3.5.2).
///
/// # Errors
/// What the PATCH, the schema or the directory refuses.
#[tracing::instrument(name = "scim.groups.patch", skip_all)]
pub async fn patch(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, conditions, body } = order;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let limits = patch_limits(&exchange.caller.state.limits);
    let tolerance = exchange.caller.tolerance.clone();
    let notes = &mut exchange.asked.notes;
    let patch = PatchRequest::parse(&body, &limits, &tolerance, notes)?;
    let own_id = exchange.subject.id.as_deref().unwrap_or_default();
    let (patch, members) = patch.split_members(own_id, &tolerance, notes)?;
    check_searches(&members)?;
    let client = exchange.caller.client;
    let alter = move |old: &Document, asked: &mut Asked| {
        let notes = &mut asked.notes;
        let result = patch.apply(old, &schemas.group, &tolerance, notes)?;
        let group = Group::from_document(result, &tolerance, notes)?;
        client.sign(asked);
        Ok(GroupChange { group, members: members.clone() })
    };
    let answer = change(exchange, conditions, alter).await?;
    // Microsoft advises against a body unless it is asked for: it would hold all members.
    let projection = projection.filter(Projection::is_explicit);
    let status = if projection.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
    shown(exchange, &answer.group, answer.reason, status, projection.as_ref()).await
}

/// Deletes a group (RFC 7644 §3.6).
///
/// # Errors
/// 404, 412, or the directory's failure.
#[tracing::instrument(name = "scim.groups.delete", skip_all)]
pub async fn delete(exchange: &mut Exchange, order: Order) -> Answer {
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked());
    let id = exchange.subject.id.clone().unwrap_or_default();
    let location = location(exchange, &id);
    let allowed = move |version| order.conditions.allow(version);
    exchange.commit(async move { scoped.delete_group(&id, allowed, &asked).await }).await?;
    Ok(Answered {
        reason: Reason::GroupDeleted,
        status: StatusCode::NO_CONTENT,
        version: None,
        location: Some(location),
        body: None,
    })
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
    exchange: &mut Exchange,
    conditions: Preconditions,
    alter: impl Fn(&Document, &mut Asked) -> Result<GroupChange, DirectoryError> + Send + Sync + 'static,
) -> Result<GroupAnswer, Failure> {
    let (scoped, mut asked) = (exchange.caller.scoped.clone(), exchange.asked());
    let id = exchange.subject.id.clone().unwrap_or_default();
    let allowed = move |version| conditions.allow(version);
    let write = async move {
        let result = scoped.change_group(&id, allowed, alter, &mut asked).await;
        Ok((result, asked))
    };
    let (result, asked): (Result<GroupAnswer, DirectoryError>, Asked) =
        exchange.commit(write).await?;
    exchange.asked = asked;
    Ok(result?)
}

/// The answer about one group, which shows it as far as somebody looks; members are read only if they are wanted.
async fn shown(
    exchange: &Exchange,
    group: &StoredGroup,
    reason: Reason,
    status: StatusCode,
    projection: Option<&Projection>,
) -> Answer {
    let Caller { base_url, tenant, scoped, .. } = &*exchange.caller;
    let mut body = None;
    if let Some(projection) = projection {
        let mut members = MemberText::default();
        if projection.wants("members") {
            members = exchange.read(scoped.member_text(&group.id, names(projection))).await?;
        }
        let of = &tenant.schemas.group;
        let text = GroupText::new(group, members, base_url, projection, of);
        body = Some(Body::Group(Box::new(text)));
    }
    let location = Some(location(exchange, &group.id));
    Ok(Answered { reason, status, version: Some(group.version), location, body })
}

fn location(exchange: &Exchange, id: &str) -> String {
    format!("{}/Groups/{id}", exchange.caller.base_url)
}
