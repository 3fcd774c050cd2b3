//! One operation on one resource, whether a request of its own asks for it or a bulk request does.
//!
//! **Invariant**: what may be done is judged before the body is read; what is done is a function of an [`Order`].

use super::answer::Answered;
use super::body::{self, Allowed};
use super::error::Failure;
use super::exchange::Exchange;
use super::precondition::Preconditions;
use super::query::Query;
use super::{groups, users};
use crate::auth::Caller;
use crate::config::Limits;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use provisioning::Reason;
use scim_core::{Attributes, PatchLimits, Projection, ResourceType, Schemas};
use tenant_registry::{Operation, Resource};

/// Seconds after which a tenant that is frozen may be another: an operator looks at it meanwhile.
const THAWED_AFTER_SECONDS: u32 = 60;
/// Seconds after which a tenant that moves may have arrived.
const MOVED_AFTER_SECONDS: u32 = 5;

/// The kinds of resource that clients provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// People.
    User,
    /// Groups of them.
    Group,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// POST (RFC 7644 §3.3).
    Create,
    /// GET (RFC 7644 §3.4.1).
    Read,
    /// PUT (RFC 7644 §3.5.1).
    Replace,
    /// PATCH (RFC 7644 §3.5.2).
    Patch,
    /// DELETE (RFC 7644 §3.6).
    Delete,
}

/// What one operation asks for, beside its verb and the id.
#[derive(Debug, Default)]
pub struct Order {
    /// The attributes that the answer shows; `None` when nobody looks at a body.
    pub projection: Option<Projection>,
    /// The versions that it is for.
    pub conditions: Preconditions,
    /// The resource, or the PATCH.
    pub body: Attributes,
}

impl Kind {
    /// The name of the resource type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Its path below the base URL.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// Its schema, for a tenant.
    #[must_use]
    pub fn of(self, schemas: &Schemas) -> &ResourceType {
        match self {
            Self::User => &schemas.user,
            Self::Group => &schemas.group,
        }
    }
}

impl Verb {
    /// The name of the operation in decisions, logs and metrics.
    #[must_use]
    pub fn name(self, kind: Kind) -> &'static str {
        match (kind, self) {
            (Kind::User, Self::Create) => "user.create",
            (Kind::User, Self::Read) => "user.get",
            (Kind::User, Self::Replace) => "user.replace",
            (Kind::User, Self::Patch) => "user.patch",
            (Kind::User, Self::Delete) => "user.delete",
            (Kind::Group, Self::Create) => "group.create",
            (Kind::Group, Self::Read) => "group.get",
            (Kind::Group, Self::Replace) => "group.replace",
            (Kind::Group, Self::Patch) => "group.patch",
            (Kind::Group, Self::Delete) => "group.delete",
        }
    }
}

/// The handler of an operation on a resource.
pub async fn serve(
    verb: Verb,
    kind: Kind,
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, verb.name(kind), kind.name(), id_of(&request));
    let result = match read(verb, kind, &request, payload, &mut exchange).await {
        Ok(order) => run(verb, kind, &mut exchange, order).await,
        Err(failure) => Err(failure),
    };
    exchange.finish(result).await
}

/// Runs an operation that [`permit`] allows.
///
/// # Errors
/// What the operation refuses.
pub async fn run(
    verb: Verb,
    kind: Kind,
    exchange: &mut Exchange,
    order: Order,
) -> Result<Answered, Failure> {
    match (kind, verb) {
        (Kind::User, Verb::Create) => users::create(exchange, order).await,
        (Kind::User, Verb::Read) => users::get(exchange, order).await,
        (Kind::User, Verb::Replace) => users::replace(exchange, order).await,
        (Kind::User, Verb::Patch) => users::patch(exchange, order).await,
        (Kind::User, Verb::Delete) => users::delete(exchange, order).await,
        (Kind::Group, Verb::Create) => groups::create(exchange, order).await,
        (Kind::Group, Verb::Read) => groups::get(exchange, order).await,
        (Kind::Group, Verb::Replace) => groups::replace(exchange, order).await,
        (Kind::Group, Verb::Patch) => groups::patch(exchange, order).await,
        (Kind::Group, Verb::Delete) => groups::delete(exchange, order).await,
    }
}

/// Whether the caller may do this at all.
///
/// # Errors
/// Refused as what [`Caller::may_write_groups`], [`Caller::may`] and [`Caller::may_write`] say.
pub fn permit(caller: &Caller, verb: Verb, kind: Kind) -> Result<(), Failure> {
    if kind == Kind::Group && verb != Verb::Read {
        caller.may_write_groups()?;
    }
    let operation = match (verb, kind) {
        (Verb::Create, _) => Operation::Create,
        (Verb::Read, _) => Operation::Read,
        // A token may be good for `active` alone; what the change touches is looked at when it is known.
        (Verb::Replace | Verb::Patch, Kind::User) => Operation::Deactivate,
        (Verb::Replace | Verb::Patch, Kind::Group) => Operation::Update,
        (Verb::Delete, _) => Operation::Delete,
    };
    let resource = match kind {
        Kind::User => Resource::Users,
        Kind::Group => Resource::Groups,
    };
    caller.may(resource, operation)?;
    if verb == Verb::Read {
        return Ok(());
    }
    caller.may_write().map_err(|refusal| {
        let seconds = match refusal.reason {
            Reason::TenantMoving => MOVED_AFTER_SECONDS,
            _ => THAWED_AFTER_SECONDS,
        };
        Failure::from(refusal).with(header::RETRY_AFTER, seconds.to_string())
    })
}

async fn read(
    verb: Verb,
    kind: Kind,
    request: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Result<Order, Failure> {
    permit(&exchange.caller, verb, kind)?;
    let mut order = Order { conditions: Preconditions::of(request), ..Order::default() };
    if verb != Verb::Delete {
        let of = kind.of(&exchange.caller.tenant.schemas);
        order.projection = Some(Query::of(request)?.projection(of)?);
    }
    if matches!(verb, Verb::Create | Verb::Replace | Verb::Patch) {
        let allowed = Allowed::usual(&exchange.caller.state.limits);
        order.body = body::read(request, payload, &allowed, exchange).await?;
    }
    Ok(order)
}

/// The id in the path. Any text is one: an id of another form is simply nobody's (404).
fn id_of(request: &HttpRequest) -> Option<String> {
    let id = request.match_info().get("id")?;
    // PostgreSQL has no text with U+0000 in it, so nobody's id has either. A token that was put here is nobody's id, and
    // must not be in the log of decisions.
    let is_nobodys = id.contains('\0') || looks_secret(id);
    Some(if is_nobodys { String::new() } else { id.to_owned() })
}

/// Whether a text has the beginning of a secret of ours in it.
pub(crate) fn looks_secret(text: &str) -> bool {
    ["mst_", "mat_", "mcs_"].iter().any(|prefix| text.contains(prefix))
}

pub(super) fn patch_limits(limits: &Limits) -> PatchLimits {
    PatchLimits {
        operations: limits.patch_operations,
        members: limits.members,
        filter: limits.filter,
    }
}
