//! `/Users` (RFC 7644 §3.3 to §3.6).

use super::answer::{Answered, Body};
use super::error::Failure;
use super::exchange::Exchange;
use super::list::{Search, Wanted, none};
use super::members::Shown;
use super::operation::{Order, patch_limits};
use super::precondition::Preconditions;
use super::response;
use crate::auth::Caller;
use actix_web::http::StatusCode;
use directory::{Asked, DirectoryError, Listing, StoredUser, UserAnswer};
use provisioning::{Profile, Reason};
use scim_core::{
    Attributes, Document, ErrorKind, Notes, PatchRequest, Projection, ResourceType, ScimError,
    Tolerance, User,
};
use serde_json::Value;
use std::sync::Arc;
use tenant_registry::{Operation, Resource};

type Answer = Result<Answered, Failure>;

/// Makes a user (RFC 7644 §3.3).
///
/// # Errors
/// What the schema, the tenant's profile or the directory refuses.
#[tracing::instrument(name = "scim.users.create", skip_all)]
pub async fn create(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, body, .. } = order;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    exchange.subject.name = body.get("userName").and_then(Value::as_str).map(str::to_owned);
    let (mut user, notes) = parse(&body, &schemas.user, &exchange.caller.tolerance)?;
    exchange.asked.notes.absorb(notes);
    if user.document().get("active").is_none() {
        // RFC 7643 §4.1.1 leaves the default open; every identity provider means an active user.
        user.document_mut().set("active", Value::Bool(true));
    }
    admit(exchange.caller.profile(), &user, &schemas.user, &mut exchange.asked)?;
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked());
    let answer = exchange.commit(async move { scoped.create_user(&user, &asked).await }).await?;
    exchange.subject.id = Some(answer.user.id.clone());
    let status = StatusCode::CREATED;
    Ok(shown(exchange, &answer.user, answer.reason, status, projection.as_ref()))
}

/// Reads a user (RFC 7644 §3.4.1).
///
/// # Errors
/// 404, 412, or the directory's failure.
#[tracing::instrument(name = "scim.users.get", skip_all)]
pub async fn get(exchange: &mut Exchange, order: Order) -> Answer {
    let caller = &exchange.caller;
    let id = exchange.subject.id.as_deref().unwrap_or_default();
    let user = exchange.read(caller.scoped.user(id, &caller.base_url)).await?;
    // The version is that of the user's own attributes: what else the answer shows may have changed without it.
    let is_own = user.groups.is_none() && user.manager.is_none();
    if order.conditions.is_held(user.version)? && is_own {
        exchange.note_read(Reason::NotModified, "");
        let status = StatusCode::NOT_MODIFIED;
        return Ok(shown(exchange, &user, Reason::NotModified, status, None));
    }
    exchange.note_read(Reason::UserRead, "");
    Ok(shown(exchange, &user, Reason::UserRead, StatusCode::OK, order.projection.as_ref()))
}

/// Lists users (RFC 7644 §3.4.2).
///
/// # Errors
/// What the directory refuses.
#[tracing::instrument(name = "scim.users.list", skip_all)]
pub(super) async fn list(exchange: &Exchange, search: &Search) -> Result<Listing<Shown>, Failure> {
    let Some(one) = &search.users else { return Ok(none()) };
    let want = search.want(one, exchange);
    let Listing { total, resources, next, previous } =
        exchange.read(exchange.caller.scoped.users(&want)).await?;
    let resources = resources
        .iter()
        .filter_map(|user| rendered(exchange, user, Some(one)).map(Shown::Text))
        .collect();
    Ok(Listing { total, resources, next, previous })
}

/// A user of a list, as far as users are asked for.
pub(super) fn rendered(
    exchange: &Exchange,
    user: &StoredUser,
    one: Option<&Wanted>,
) -> Option<String> {
    let Caller { base_url, tenant, .. } = &*exchange.caller;
    Some(response::user(user, base_url, &one?.projection, &tenant.schemas.user))
}

/// Replaces a user's attributes (RFC 7644 §3.5.1).
///
/// # Errors
/// What the schema, the tenant's profile or the directory refuses.
#[tracing::instrument(name = "scim.users.replace", skip_all)]
pub async fn replace(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, conditions, body } = order;
    exchange.subject.name = body.get("userName").and_then(Value::as_str).map(str::to_owned);
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let (user, notes) = parse(&body, &schemas.user, &exchange.caller.tolerance)?;
    exchange.asked.notes.absorb(notes);
    let alter = move |old: &Document, _: &mut Asked| {
        Ok(with_active(user.clone().replacing(old, &schemas.user)?, old))
    };
    change(exchange, conditions, projection.as_ref(), alter).await
}

/// Changes a user (RFC 7644 §3.5.2).
///
/// # Errors
/// What the PATCH, the schema, the tenant's profile or the directory refuses.
#[tracing::instrument(name = "scim.users.patch", skip_all)]
pub async fn patch(exchange: &mut Exchange, order: Order) -> Answer {
    let Order { projection, conditions, body } = order;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let limits = patch_limits(&exchange.caller.state.limits);
    let tolerance = exchange.caller.tolerance.clone();
    let patch = PatchRequest::parse(&body, &limits, &tolerance, &mut exchange.asked.notes)?;
    patch.check_id(exchange.subject.id.as_deref().unwrap_or_default())?;
    let alter = move |old: &Document, asked: &mut Asked| {
        let notes = &mut asked.notes;
        let result = patch.apply(old, &schemas.user, &tolerance, notes)?;
        if result.get("active").is_none() {
            notes.ignored("active");
        }
        Ok(with_active(User::from_document(result, &tolerance, notes)?, old))
    };
    change(exchange, conditions, projection.as_ref(), alter).await
}

/// Deletes a user (RFC 7644 §3.6).
///
/// # Errors
/// 404, 412, or the directory's failure.
#[tracing::instrument(name = "scim.users.delete", skip_all)]
pub async fn delete(exchange: &mut Exchange, order: Order) -> Answer {
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked());
    let id = exchange.subject.id.clone().unwrap_or_default();
    let location = location(exchange, &id);
    let allowed = move |version| order.conditions.allow(version);
    exchange.commit(async move { scoped.delete_user(&id, allowed, &asked).await }).await?;
    Ok(Answered {
        reason: Reason::UserDeleted,
        status: StatusCode::NO_CONTENT,
        version: None,
        location: Some(location),
        body: None,
    })
}

/// A PUT that says nothing of `active`, and a PATCH that takes it away, leave it: nobody is reactivated by an omission,
/// and there is always an answer to whether a person may use the product (RFC 7643 §4.1.1).
fn with_active(mut user: User, old: &Document) -> User {
    if user.document().get("active").is_none()
        && let Some(active) = old.get("active")
    {
        user.document_mut().set("active", active.clone());
    }
    user
}

async fn change(
    exchange: &mut Exchange,
    conditions: Preconditions,
    projection: Option<&Projection>,
    alter: impl Fn(&Document, &mut Asked) -> Result<User, DirectoryError> + Send + Sync + 'static,
) -> Answer {
    let caller = &exchange.caller;
    let profile = caller.profile();
    let largest = caller.state.limits.body_bytes;
    let only_active = caller.may(Resource::Users, Operation::Update).err();
    let (schemas, client) = (Arc::clone(&caller.tenant.schemas), caller.client);
    let alter = move |old: &Document, asked: &mut Asked| {
        let user = alter(old, asked)?;
        if let Some(refusal) = &only_active {
            let changed = user.document().changed_since(old, &schemas.user);
            if changed.iter().any(|name| name != "active") {
                return Err(refusal.clone().into());
            }
        }
        admit(profile, &user, &schemas.user, asked)?;
        check_size(user.document(), largest)?;
        client.sign(asked);
        Ok(user)
    };
    let (scoped, mut asked) = (caller.scoped.clone(), exchange.asked());
    let (id, base) = (exchange.subject.id.clone().unwrap_or_default(), caller.base_url.clone());
    let allowed = move |version| conditions.allow(version);
    let write = async move {
        let result = scoped.change_user(&id, &base, allowed, alter, &mut asked).await;
        Ok((result, asked))
    };
    let (result, asked): (Result<UserAnswer, DirectoryError>, Asked) =
        exchange.commit(write).await?;
    exchange.asked = asked;
    let answer = result?;
    Ok(shown(exchange, &answer.user, answer.reason, StatusCode::OK, projection))
}

/// The answer about one user, which shows it as far as somebody looks.
fn shown(
    exchange: &Exchange,
    user: &StoredUser,
    reason: Reason,
    status: StatusCode,
    projection: Option<&Projection>,
) -> Answered {
    let Caller { base_url, tenant, .. } = &*exchange.caller;
    let show = |projection| response::user(user, base_url, projection, &tenant.schemas.user);
    Answered {
        reason,
        status,
        version: Some(user.version),
        location: Some(location(exchange, &user.id)),
        body: projection.map(|projection| Body::Text(show(projection))),
    }
}

fn location(exchange: &Exchange, id: &str) -> String {
    format!("{}/Users/{id}", exchange.caller.base_url)
}

#[tracing::instrument(name = "scim.user.parse", skip_all)]
fn parse(
    body: &Attributes,
    of: &ResourceType,
    tolerance: &Tolerance,
) -> Result<(User, Notes), ScimError> {
    User::parse(body, of, tolerance)
}

/// Judges a user by the tenant's profile, and notes the attributes that the product does not use.
#[tracing::instrument(name = "provisioning.user.admit", skip_all)]
fn admit(
    profile: &Profile,
    user: &User,
    of: &ResourceType,
    asked: &mut Asked,
) -> Result<(), DirectoryError> {
    let admission = profile.admit(user, of)?;
    for name in admission.ignored {
        asked.notes.ignored(name);
    }
    Ok(())
}

/// A user that grew by one PATCH after the other is held to the size that one body may have.
fn check_size(document: &Document, limit: usize) -> Result<(), ScimError> {
    let bytes = document.to_text().len();
    if bytes <= limit {
        return Ok(());
    }
    Err(ScimError::new(
        ErrorKind::InvalidValue,
        format!(
            "The user would be {bytes} bytes large; at most {limit} are allowed. Remove values that are not needed."
        ),
    ))
}
