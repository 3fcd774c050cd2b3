//! From a request's head to the tenant that may act: where, then who, before a byte of the body is read.
//!
//! **Invariant**: host, token and registry snapshot decide, in memory and at once. A [`Caller`] in a handler's signature
//! is the authorization; its scope comes from the credential alone.

use super::client::{Client, recognise};
use crate::scim::error::Failure;
use crate::state::State;
use crate::telemetry::http::RequestContext;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use directory::{Asked, Scoped};
use provisioning::{Profile, Reason, Refusal};
use region_router::{Decision, Place, Why, decide};
use scim_core::{Notes, Quirk, Tolerance};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;
use tenant_registry::{
    AuthFailure, BearerToken, Credential, Operation, Resource, Tenant, TenantState,
};

/// Who calls: one tenant's credential, at the tenant's own place.
pub struct Caller {
    /// What the process holds.
    pub state: web::Data<State>,
    /// Whose credential it is.
    pub tenant: Arc<Tenant>,
    /// The credential.
    pub credential: Arc<Credential>,
    /// The tenant's view of its region's store.
    pub scoped: Scoped,
    /// The place that host and token name.
    pub place: Place,
    /// The base URL, from configuration.
    pub base_url: String,
    /// The template of the route that was taken.
    pub route: &'static str,
    /// The request's id and when it came.
    pub context: RequestContext,
    /// What the request's head tells of the client.
    pub client: Client,
    /// Which deviations the tenant tolerates.
    pub tolerance: Tolerance,
    notes: Notes,
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Caller {
    /// Finds out who calls.
    ///
    /// # Errors
    /// The host is unknown (404), the token is missing, malformed, of another place, unknown, expired or revoked (401),
    /// the region is not here (421), or the tenant may not act (403).
    #[tracing::instrument(name = "gateway.caller.identify", skip_all)]
    pub fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let context = context(request);
        Self::identify(request, &context).map_err(|failure| failure.of_request(&context, request))
    }

    fn identify(request: &HttpRequest, context: &RequestContext) -> Result<Self, Failure> {
        let state = request
            .app_data::<web::Data<State>>()
            .ok_or_else(|| Failure::new(Reason::StoreUnavailable, "The service is starting."))?
            .clone();
        let host = place_of(request, &state)?;
        let token = token_of(request)?;
        let place = match decide(&state.node, &host, token.place()) {
            Decision::Here => host,
            Decision::Peer(region) | Decision::Refuse(Why::NotHere(region)) => {
                return Err(Failure::not_here(&region, &state.hosts.base_url(&host)));
            }
            Decision::Refuse(Why::WrongPlace { correct }) => {
                return Err(wrong_place(&state, &host, &correct));
            }
        };
        let now = state.clock.now();
        let authenticated = state
            .registry
            .authenticate(&token, now)
            .map_err(|failure| refuse_token(&state, request, context, &token, failure))?;
        let tenant = authenticated.tenant;
        let directory = state
            .directories
            .get(&place.region)
            .ok_or_else(|| Failure::not_here(&place.region, &state.hosts.base_url(&place)))?;
        let mut notes = token.quirks();
        let query = request.uri().query();
        // The base URL itself may be written with a slash.
        let is_slashed = context.is_slashed && !crate::routes::is_base(request);
        if is_slashed || query.is_some_and(|query| query.is_empty() || query.ends_with('&')) {
            notes.met(Quirk::TrailingSeparator);
        }
        let caller = Self {
            scoped: directory.within(&tenant),
            base_url: state.hosts.base_url(&place),
            route: crate::routes::template(request),
            context: context.clone(),
            client: Client::of(user_agent(request), query),
            tolerance: tenant.tolerance.clone(),
            credential: authenticated.credential,
            state,
            tenant,
            place,
            notes,
        };
        match check_tenant(&caller.tenant, request).and_then(|()| check_head(&caller)) {
            Ok(()) => Ok(caller),
            Err(refusal) => {
                caller.scoped.note_refusal(&caller.asked("request"), &refusal);
                Err(match refusal.reason.status() {
                    401 => Failure::unauthorized(refusal.reason, refusal.detail),
                    _ => refusal.into(),
                })
            }
        }
    }

    /// What every decision of this request carries.
    #[must_use]
    pub fn asked(&self, operation: &'static str) -> Asked {
        Asked {
            operation,
            request_id: self.context.request_id.clone(),
            trace_id: self.context.trace_id.clone(),
            client: self.client.family(&self.notes).to_owned(),
            key_id: self.credential.key_id.clone(),
            started: self.context.started,
            now: self.state.clock.now(),
            notes: self.notes.clone(),
            part: None,
        }
    }

    /// The rules of the tenant's product.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        Profile::of(self.tenant.profile)
    }

    /// Whether the token's scopes cover an operation.
    ///
    /// # Errors
    /// Refused as `scope_missing`, naming what the token may do.
    pub fn may(&self, resource: Resource, operation: Operation) -> Result<(), Refusal> {
        if self.credential.scopes.allows(resource, operation) {
            return Ok(());
        }
        Err(Refusal::new(
            Reason::ScopeMissing,
            format!(
                "The token \"{}\" is not allowed to do this: its scopes are {}. Create a token with the scope that is missing.",
                self.credential.name, self.credential.scopes
            ),
        ))
    }
}

/// The request's id and start, also when the middleware that makes them is not there.
pub(crate) fn context(request: &HttpRequest) -> RequestContext {
    request.extensions().get::<RequestContext>().cloned().unwrap_or_else(|| RequestContext {
        request_id: String::new(),
        trace_id: None,
        started: Instant::now(),
        is_slashed: false,
    })
}

fn place_of(request: &HttpRequest, state: &State) -> Result<Place, Failure> {
    // An absolute request target names the host in place of the header (RFC 9112 §3.2.2).
    let host = request
        .uri()
        .host()
        .or_else(|| request.headers().get(header::HOST).and_then(|value| value.to_str().ok()))
        .unwrap_or_default();
    state.hosts.place(host).ok_or_else(|| {
        let known: Vec<String> =
            state.hosts.all().iter().map(|place| state.hosts.base_url(place)).collect();
        Failure::new(
            Reason::HostUnknown,
            format!("This host serves no SCIM. The base URLs are {}.", known.join(", ")),
        )
    })
}

fn token_of(request: &HttpRequest) -> Result<BearerToken, Failure> {
    // Not a list (RFC 9110 §5.3): whoever looks at the other one of two would see another caller.
    if request.headers().get_all(header::AUTHORIZATION).nth(1).is_some() {
        return Err(Failure::unauthorized(
            Reason::TokenOverlong,
            "The request has two Authorization headers. Enter the token once, and no other authentication.",
        ));
    }
    let sent = request.headers().get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    BearerToken::parse_bytes(sent.unwrap_or_default())
        .map_err(|fault| Failure::unauthorized(fault.reason(), fault.detail()))
}

/// A token that is not good any more is refused in its tenant's log too, where its administrator looks.
fn refuse_token(
    state: &State,
    request: &HttpRequest,
    context: &RequestContext,
    token: &BearerToken,
    failure: AuthFailure,
) -> Failure {
    let refusal = Refusal::from(failure);
    let notes = token.quirks();
    if let Some(owner) = state.registry.owner(token)
        && let Some(directory) = state.directories.get(&token.place().region)
    {
        let asked = Asked {
            operation: "request",
            request_id: context.request_id.clone(),
            trace_id: context.trace_id.clone(),
            client: recognise(user_agent(request), request.uri().query(), &notes).to_owned(),
            key_id: token.key_id().to_owned(),
            started: context.started,
            now: state.clock.now(),
            notes,
            part: None,
        };
        directory.within(&owner.tenant).note_refusal(&asked, &refusal);
    }
    Failure::unauthorized(refusal.reason, refusal.detail)
}

fn user_agent(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok())
}

fn wrong_place(state: &State, host: &Place, correct: &Place) -> Failure {
    let reason = match (host.region == correct.region, host.population == correct.population) {
        (false, true) => Reason::TokenWrongRegion,
        (true, _) => Reason::TokenWrongPopulation,
        (false, false) => Reason::TokenWrongPlace,
    };
    if !state.hosts.knows(&correct.region) {
        // The token's checksum holds, but no such region exists here: nothing more can be told.
        return Failure::unauthorized(
            Reason::TokenUnknown,
            "This token is not known here. Create a new token and paste it whole.",
        );
    }
    let base_url = state.hosts.base_url(correct);
    let detail = format!(
        "This token belongs to the {} population in region {}, and this host serves {} in region {}. Use {base_url} as the base URL in your identity provider.",
        correct.population, correct.region, host.population, host.region
    );
    Failure::unauthorized(reason, detail).correct_base_url(&base_url)
}

/// What a strict tenant refuses before the body is read.
fn check_head(caller: &Caller) -> Result<(), Refusal> {
    let refused = caller.notes.quirks().find(|quirk| !caller.tolerance.allows(*quirk));
    match refused {
        None => Ok(()),
        Some(Quirk::BareToken) => Err(Refusal::new(
            Reason::TokenSchemeMissing,
            "The token was sent without the word Bearer, and this tenant is strict about that (Q-bare-token). Put Bearer and \
             a space in front of the token in your identity provider.",
        )),
        Some(quirk) => Err(Refusal::new(
            Reason::SyntaxInvalid,
            format!(
                "The URL ends in a separator with nothing behind it, and this tenant is strict about that ({}). Take it off.",
                quirk.id()
            ),
        )),
    }
}

fn check_tenant(tenant: &Tenant, request: &HttpRequest) -> Result<(), Refusal> {
    let named = request.match_info().get("tenant");
    if named.is_some_and(|named| named != tenant.slug && named != tenant.id.as_str()) {
        return Err(Refusal::new(
            Reason::TenantMismatch,
            "The tenant in this path is not the one that the token belongs to. Use the base URL that was shown with the token.",
        ));
    }
    match tenant.state {
        TenantState::Active => Ok(()),
        TenantState::Suspended | TenantState::Closed | TenantState::Purged => Err(Refusal::new(
            Reason::TenantSuspended,
            format!(
                "Provisioning is suspended for this account. Nothing was changed. Ask {} to resume it.",
                tenant.seat_contact
            ),
        )),
    }
}
