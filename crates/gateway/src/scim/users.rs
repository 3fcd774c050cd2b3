//! `/Users` (RFC 7644 §3.3 to §3.6).

use super::body;
use super::error::Failure;
use super::exchange::Exchange;
use super::query::Query;
use super::response;
use crate::auth::Caller;
use crate::config::Limits;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use directory::{Asked, DirectoryError, Start, UserAnswer, Want};
use provisioning::{Profile, Reason};
use scim_core::etag::{if_match, if_none_match};
use scim_core::{
    Attributes, Condition, Document, ErrorKind, Filter, ListQuery, Notes, PatchLimits,
    PatchRequest, Projection, ResourceType, ScimError, Tolerance, User,
};
use serde_json::Value;
use std::sync::Arc;
use tenant_registry::{Operation, Resource};
use time::OffsetDateTime;

type Answer = Result<(Reason, HttpResponse), Failure>;

/// `POST /Users` (RFC 7644 §3.3).
#[tracing::instrument(name = "scim.users.create", skip_all)]
pub async fn create(request: HttpRequest, payload: web::Payload, caller: Caller) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "user.create", "User", None);
    let result = try_create(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_create(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    exchange.caller.may(Resource::Users, Operation::Create)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.user)?;
    let limits = &exchange.caller.state.limits;
    let body = body::read(request, payload, limits, &mut exchange.asked.notes).await?;
    exchange.subject.name = body.get("userName").and_then(Value::as_str).map(str::to_owned);
    let (mut user, notes) = parse(&body, &schemas.user, &exchange.caller.tolerance)?;
    exchange.asked.notes.absorb(notes);
    if user.document().get("active").is_none() {
        // RFC 7643 §4.1.1 leaves the default open; every identity provider means an active user.
        user.document_mut().set("active", Value::Bool(true));
    }
    admit(exchange.caller.profile(), &user, &schemas.user, &mut exchange.asked)?;
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked.clone());
    let answer = exchange.commit(async move { scoped.create_user(&user, &asked).await }).await?;
    exchange.subject.id = Some(answer.user.id.clone());
    let base = &exchange.caller.base_url;
    let location = format!("{base}/Users/{}", answer.user.id);
    let body = response::user(&answer.user, base, &projection, &schemas.user);
    let version = answer.user.version;
    Ok((answer.reason, response::one(StatusCode::CREATED, body, version, Some(&location))))
}

/// `GET /Users/{id}` (RFC 7644 §3.4.1).
#[tracing::instrument(name = "scim.users.get", skip_all)]
pub async fn get(request: HttpRequest, path: Id, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "user.get", "User", Some(path.0));
    let result = try_get(&request, &exchange).await;
    exchange.finish(result).await
}

async fn try_get(request: &HttpRequest, exchange: &Exchange) -> Answer {
    let Exchange { caller, subject, .. } = exchange;
    caller.may(Resource::Users, Operation::Read)?;
    let of = &caller.tenant.schemas.user;
    let projection = projection(request, of)?;
    let id = subject.id.as_deref().unwrap_or_default();
    let user = exchange.read(caller.scoped.user(id, &caller.base_url)).await?;
    // The version is that of the user's own attributes: what else the answer shows may have changed without it.
    if is_current(request, user.version)? && user.groups.is_none() {
        exchange.note_read(Reason::NotModified, "");
        return Ok((
            Reason::NotModified,
            response::empty(StatusCode::NOT_MODIFIED, Some(user.version)),
        ));
    }
    exchange.note_read(Reason::UserRead, "");
    let body = response::user(&user, &caller.base_url, &projection, of);
    Ok((Reason::UserRead, response::one(StatusCode::OK, body, user.version, None)))
}

/// `GET /Users` (RFC 7644 §3.4.2).
#[tracing::instrument(name = "scim.users.list", skip_all)]
pub async fn list(request: HttpRequest, caller: Caller) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "user.list", "User", None);
    let result = try_list(&request, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_list(request: &HttpRequest, exchange: &mut Exchange) -> Answer {
    exchange.caller.may(Resource::Users, Operation::Read)?;
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let search = Search::of(request, &schemas.user, exchange)?;
    let caller = &exchange.caller;
    let want = search.want(&caller.base_url, search.projection.wants("groups"), exchange.asked.now);
    let listing = exchange.read(caller.scoped.users(&want)).await?;
    let total = listing.total.unwrap_or_default();
    exchange.note_read(Reason::UsersListed, &format!("{total} found"));
    let resources: Vec<String> = listing
        .resources
        .iter()
        .map(|user| response::user(user, &caller.base_url, &search.projection, &schemas.user))
        .collect();
    let body = response::list(total, search.page.start_index, &resources);
    Ok((Reason::UsersListed, response::json(StatusCode::OK, body)))
}

/// `PUT /Users/{id}` (RFC 7644 §3.5.1).
#[tracing::instrument(name = "scim.users.replace", skip_all)]
pub async fn replace(
    request: HttpRequest,
    payload: web::Payload,
    path: Id,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "user.replace", "User", Some(path.0));
    let result = try_replace(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_replace(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.user)?;
    exchange.caller.may(Resource::Users, Operation::Deactivate)?;
    let limits = &exchange.caller.state.limits;
    let body = body::read(request, payload, limits, &mut exchange.asked.notes).await?;
    exchange.subject.name = body.get("userName").and_then(Value::as_str).map(str::to_owned);
    let (user, notes) = parse(&body, &schemas.user, &exchange.caller.tolerance)?;
    exchange.asked.notes.absorb(notes);
    let alter = move |old: &Document, _: &mut Asked| Ok(with_active(user.clone(), old));
    change(request, exchange, &projection, alter).await
}

/// `PATCH /Users/{id}` (RFC 7644 §3.5.2).
#[tracing::instrument(name = "scim.users.patch", skip_all)]
pub async fn patch(
    request: HttpRequest,
    payload: web::Payload,
    path: Id,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "user.patch", "User", Some(path.0));
    let result = try_patch(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_patch(
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Answer {
    let schemas = Arc::clone(&exchange.caller.tenant.schemas);
    let projection = projection(request, &schemas.user)?;
    exchange.caller.may(Resource::Users, Operation::Deactivate)?;
    let limits = &exchange.caller.state.limits;
    let notes = &mut exchange.asked.notes;
    let body = body::read(request, payload, limits, notes).await?;
    let tolerance = exchange.caller.tolerance.clone();
    let patch = PatchRequest::parse(&body, &patch_limits(limits), &tolerance, notes)?;
    patch.check_id(exchange.subject.id.as_deref().unwrap_or_default())?;
    let alter = move |old: &Document, asked: &mut Asked| {
        let notes = &mut asked.notes;
        let result = patch.apply(old, &schemas.user, &tolerance, notes)?;
        // A PATCH may remove `active`; the store then keeps the state that the user had.
        Ok(User::from_document(result, &tolerance, notes)?)
    };
    change(request, exchange, &projection, alter).await
}

/// A PUT that says nothing of `active` leaves it: nobody is reactivated by an omission.
fn with_active(mut user: User, old: &Document) -> User {
    if user.document().get("active").is_none()
        && let Some(active) = old.get("active")
    {
        user.document_mut().set("active", active.clone());
    }
    user
}

async fn change(
    request: &HttpRequest,
    exchange: &mut Exchange,
    projection: &Projection,
    alter: impl Fn(&Document, &mut Asked) -> Result<User, DirectoryError> + Send + Sync + 'static,
) -> Answer {
    let caller = &exchange.caller;
    let expected = expected(request);
    let profile = caller.profile();
    let largest = caller.state.limits.body_bytes;
    let only_active = caller.may(Resource::Users, Operation::Update).err();
    let schemas = Arc::clone(&caller.tenant.schemas);
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
        Ok(user)
    };
    let (scoped, mut asked) = (caller.scoped.clone(), exchange.asked.clone());
    let (id, base) = (exchange.subject.id.clone().unwrap_or_default(), caller.base_url.clone());
    let write = async move {
        let result = scoped.change_user(&id, &base, expected, alter, &mut asked).await;
        Ok((result, asked))
    };
    let (result, asked): (Result<UserAnswer, DirectoryError>, Asked) =
        exchange.commit(write).await?;
    exchange.asked = asked;
    let answer = result?;
    let caller = &exchange.caller;
    let of = &caller.tenant.schemas.user;
    let body = response::user(&answer.user, &caller.base_url, projection, of);
    Ok((answer.reason, response::one(StatusCode::OK, body, answer.user.version, None)))
}

/// `DELETE /Users/{id}` (RFC 7644 §3.6).
#[tracing::instrument(name = "scim.users.delete", skip_all)]
pub async fn delete(request: HttpRequest, path: Id, caller: Caller) -> HttpResponse {
    let exchange = Exchange::begin(caller, "user.delete", "User", Some(path.0));
    let result = try_delete(&request, &exchange).await;
    exchange.finish(result).await
}

async fn try_delete(request: &HttpRequest, exchange: &Exchange) -> Answer {
    exchange.caller.may(Resource::Users, Operation::Delete)?;
    let expected = expected(request);
    let (scoped, asked) = (exchange.caller.scoped.clone(), exchange.asked.clone());
    let id = exchange.subject.id.clone().unwrap_or_default();
    exchange.commit(async move { scoped.delete_user(&id, expected, &asked).await }).await?;
    Ok((Reason::UserDeleted, response::empty(StatusCode::NO_CONTENT, None)))
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

/// The id in the path. Any text is one: an id of another form is simply nobody's (404).
pub struct Id(pub String);

impl actix_web::FromRequest for Id {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let id = request.match_info().get("id").unwrap_or_default();
        // PostgreSQL has no text with U+0000 in it, so nobody's id has either.
        let id = if id.contains('\0') { String::new() } else { id.to_owned() };
        std::future::ready(Ok(Self(id)))
    }
}

/// What a list request asks for.
pub(super) struct Search {
    condition: Option<Condition>,
    pub(super) page: ListQuery,
    pub(super) projection: Projection,
}

impl Search {
    pub(super) fn of(
        request: &HttpRequest,
        of: &ResourceType,
        exchange: &mut Exchange,
    ) -> Result<Self, Failure> {
        let query = Query::of(request)?;
        let limits = &exchange.caller.state.limits;
        let (tolerance, notes) = (&exchange.caller.tolerance, &mut exchange.asked.notes);
        let condition = match query.get("filter") {
            Some(text) => Some(condition(text, of, limits, tolerance, notes)?),
            None => None,
        };
        let (start_index, count) = (query.get("startIndex"), query.get("count"));
        let page = ListQuery::parse(start_index, count, limits.page_default, limits.page_max)?;
        let projection =
            Projection::parse(query.get("attributes"), query.get("excludedAttributes"), of)?;
        Ok(Self { condition, page, projection })
    }

    pub(super) fn want<'a>(&'a self, base: &'a str, groups: bool, now: OffsetDateTime) -> Want<'a> {
        let (start, limit) = (Start::Offset(self.page.start_index - 1), self.page.count);
        Want { condition: self.condition.as_ref(), order: None, start, limit, base, groups, now }
    }
}

fn condition(
    text: &str,
    of: &ResourceType,
    limits: &Limits,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Condition, Failure> {
    let filter = Filter::parse(text, &limits.filter, tolerance, notes)?;
    Ok(filter.bind(of, tolerance, notes)?)
}

pub(super) fn projection(request: &HttpRequest, of: &ResourceType) -> Result<Projection, Failure> {
    let query = Query::of(request)?;
    Ok(Projection::parse(query.get("attributes"), query.get("excludedAttributes"), of)?)
}

pub(super) fn patch_limits(limits: &Limits) -> PatchLimits {
    PatchLimits {
        operations: limits.patch_operations,
        members: limits.members,
        filter: limits.filter,
    }
}

/// Whether the conditions of a write allow a change of this version (RFC 7644 §3.14, RFC 9110 §13.1).
pub(super) fn expected(request: &HttpRequest) -> impl Fn(u64) -> bool + Send + Sync + 'static {
    let wanted = text_header(request, &header::IF_MATCH);
    let unwanted = text_header(request, &header::IF_NONE_MATCH);
    move |version| {
        wanted.as_deref().is_none_or(|tags| if_match(tags, version))
            && unwanted.as_deref().is_none_or(|tags| if_none_match(tags, version))
    }
}

/// Whether the client says that it holds this version already.
///
/// # Errors
/// 412 when it insists on another one.
pub(super) fn is_current(request: &HttpRequest, version: u64) -> Result<bool, DirectoryError> {
    if text_header(request, &header::IF_MATCH).is_some_and(|tags| !if_match(&tags, version)) {
        return Err(DirectoryError::VersionMismatch);
    }
    let held = text_header(request, &header::IF_NONE_MATCH);
    Ok(held.is_some_and(|tags| !if_none_match(&tags, version)))
}

/// A header that is a list: its lines are one list (RFC 9110 §5.3).
fn text_header(request: &HttpRequest, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> =
        request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
