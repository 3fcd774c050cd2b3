//! Queries, asked by GET (RFC 7644 §3.4.2) or by `POST …/.search` (RFC 7644 §3.4.3), over one resource type or all.
//!
//! **Invariant**: both are the same query, with the same answer.

use super::answer::Answered;
use super::body::{self, Allowed};
use super::discovery;
use super::error::Failure;
use super::exchange::Exchange;
use super::list::{Search, Wanted};
use super::members::Shown;
use super::operation::{Kind, Verb, permit};
use super::query::Query;
use super::{groups, users};
use crate::auth::Caller;
use actix_web::{HttpRequest, HttpResponse, web};
use directory::{Found, Listing, StoredGroup, WantAll};
use provisioning::Reason;
use scim_core::SearchRequest;

/// What a query is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// One resource type, at its endpoint.
    One(Kind),
    /// All of them, at the root.
    All,
}

/// A query by GET.
pub async fn query(over: Over, request: HttpRequest, caller: Caller) -> HttpResponse {
    let mut exchange = begin(over, caller);
    let result = try_query(over, &request, &mut exchange).await;
    exchange.finish(result).await
}

/// A query by POST.
pub async fn search(
    over: Over,
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = begin(over, caller);
    let result = try_search(over, &request, payload, &mut exchange).await;
    exchange.finish(result).await
}

/// `GET /scim/v2`. With a parameter of RFC 7644 §3.4.2 it is a query over everything (§3.4.2.1); without one it
/// describes the token, which is what people see who try the URL that they were given.
pub async fn root(request: HttpRequest, caller: Caller) -> HttpResponse {
    match Query::of(&request) {
        Ok(asked) if asked.search() == SearchRequest::default() => discovery::root(caller).await,
        _ => query(Over::All, request, caller).await,
    }
}

fn begin(over: Over, caller: Caller) -> Exchange {
    let (operation, resource_type) = match over {
        Over::One(Kind::User) => ("user.list", "User"),
        Over::One(Kind::Group) => ("group.list", "Group"),
        Over::All => ("resource.list", "Resource"),
    };
    Exchange::begin(caller, operation, resource_type, None)
}

async fn try_query(
    over: Over,
    request: &HttpRequest,
    exchange: &mut Exchange,
) -> Result<Answered, Failure> {
    let kinds = kinds(over, &exchange.caller)?;
    let asked = Query::of(request)?.search();
    list(over, &kinds, &asked, exchange).await
}

async fn try_search(
    over: Over,
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Result<Answered, Failure> {
    let kinds = kinds(over, &exchange.caller)?;
    let allowed = Allowed::usual(&exchange.caller.state.limits);
    let body = body::read(request, payload, &allowed, exchange).await?;
    let (tolerance, notes) = (&exchange.caller.tolerance, &mut exchange.asked.notes);
    let asked = SearchRequest::parse(&body, tolerance, notes)?;
    list(over, &kinds, &asked, exchange).await
}

/// The resource types that the query is over: of all, those that the caller may read.
fn kinds(over: Over, caller: &Caller) -> Result<Vec<Kind>, Failure> {
    let all = match over {
        Over::One(kind) => vec![kind],
        Over::All => vec![Kind::User, Kind::Group],
    };
    let mut refused = None;
    let mut may = |kind: &Kind| {
        permit(caller, Verb::Read, *kind).map_err(|failure| refused = Some(failure)).is_ok()
    };
    let allowed: Vec<Kind> = all.into_iter().filter(&mut may).collect();
    match refused {
        Some(failure) if allowed.is_empty() => Err(failure),
        _ => Ok(allowed),
    }
}

async fn list(
    over: Over,
    kinds: &[Kind],
    asked: &SearchRequest,
    exchange: &mut Exchange,
) -> Result<Answered, Failure> {
    let search = Search::of(asked, kinds, exchange)?;
    let (reason, listing) = match over {
        Over::One(Kind::User) => (Reason::UsersListed, users::list(exchange, &search).await?),
        Over::One(Kind::Group) => (Reason::GroupsListed, groups::list(exchange, &search).await?),
        Over::All => (Reason::ResourcesListed, everything(exchange, &search).await?),
    };
    let found = match listing.total {
        Some(total) => format!("{total} found"),
        None => format!("{} on this page", listing.resources.len()),
    };
    exchange.note_read(reason, &found);
    Ok(Answered::list(reason, search.respond(listing, exchange)?))
}

/// Users and groups in one list.
#[tracing::instrument(name = "scim.everything.list", skip_all)]
async fn everything(exchange: &Exchange, search: &Search) -> Result<Listing<Shown>, Failure> {
    let caller = &exchange.caller;
    let want = WantAll {
        users: search.users.as_ref().map(Wanted::narrowed),
        groups: search.groups.as_ref().map(Wanted::narrowed),
        start: search.start.clone(),
        limit: search.limit,
        base: &caller.base_url,
        memberships: search.users.as_ref().is_some_and(|one| one.projection.wants("groups")),
        now: exchange.asked.now,
    };
    let Listing { total, resources, next, previous } =
        exchange.read(caller.scoped.everything(&want)).await?;
    let of_groups: Vec<&StoredGroup> = resources
        .iter()
        .filter_map(|found| if let Found::Group(group) = found { Some(group) } else { None })
        .collect();
    let mut groups =
        groups::rendered(exchange, &of_groups, search.groups.as_ref()).await?.into_iter();
    let resources = resources
        .iter()
        .filter_map(|found| match found {
            Found::User(user) => {
                users::rendered(exchange, user, search.users.as_ref()).map(Shown::Text)
            }
            Found::Group(_) => groups.next(),
        })
        .collect();
    Ok(Listing { total, resources, next, previous })
}
