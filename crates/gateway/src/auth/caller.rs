//! From a request's head to the tenant that may act: where, then who, before a byte of the body is read.
//!
//! **Invariant**: host, token and registry snapshot decide, in memory and, but for a token that is not known, at once. A [`Caller`] in a handler's signature
//! is the authorization; its scope comes from the credential alone.

use super::address::client_address;
use super::client::Client;
use super::gates;
use super::rejected::{
    Attempt, attempt, failure_of, note_refused, refuse_text, unknown_token, user_agent, wrong_place,
};
use crate::rate_limit::{Rate, Standing};
use crate::scim::error::Failure;
use crate::state::State;
use crate::telemetry::http::RequestContext;
use crate::telemetry::metrics;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use directory::{Asked, Scoped};
use futures_util::future::{Either, LocalBoxFuture};
use provisioning::{Profile, Reason, Refusal};
use region_router::{Decision, Place, Why, decide};
use scim_core::{Notes, Quirk, Tolerance};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;
use tenant_registry::{BearerToken, Credential, Operation, Resource, Tenant, TokenFault};

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
    // Something waits only where rates are shared with other nodes, and where a token is not known here.
    type Future =
        Either<Ready<Result<Self, Failure>>, LocalBoxFuture<'static, Result<Self, Failure>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = match Self::find(request) {
            Ok(caller) => caller,
            Err(failure) => return Self::find_again(request, failure),
        };
        match Rate::of(caller.tenant.rate_limit, &caller.state.limits) {
            Some(_) if caller.state.limiter.is_shared() => {
                let request = request.clone();
                Either::Right(Box::pin(async move { caller.enter(&request).await }))
            }
            rate => {
                let standing = rate.map(|rate| (rate, caller.take(rate, 1)));
                Either::Left(ready(caller.admit(request, standing)))
            }
        }
    }
}

impl Caller {
    /// Finds out who calls, and whether it may.
    ///
    /// # Errors
    /// The host is unknown (404), the token is missing, malformed, of another place, unknown, expired or revoked (401),
    /// the region is not here (421), the tenant may not act (403), or it sends too many requests (429).
    pub async fn of(request: &HttpRequest) -> Result<Self, Failure> {
        Self::extract(request).await
    }

    /// Once more, where the token may have been made on another node a moment ago. It does not matter whether its key id is
    /// known: who tries tokens learns nothing from how long this takes.
    fn find_again(request: &HttpRequest, failure: Failure) -> <Self as FromRequest>::Future {
        let is_unknown = failure.refusal().reason == Reason::TokenUnknown;
        let state = request.app_data::<web::Data<State>>().filter(|_| is_unknown);
        let Some(look) = state.and_then(|state| state.registry.look_again()) else {
            return Either::Left(ready(Err(failure)));
        };
        let request = request.clone();
        Either::Right(Box::pin(async move {
            look.done().await;
            Self::find(&request)?.enter(&request).await
        }))
    }

    async fn enter(self, request: &HttpRequest) -> Result<Self, Failure> {
        let standing = match Rate::of(self.tenant.rate_limit, &self.state.limits) {
            Some(rate) if self.state.limiter.is_shared() => {
                Some((rate, self.take_shared(rate, 1).await))
            }
            rate => rate.map(|rate| (rate, self.take(rate, 1))),
        };
        self.admit(request, standing)
    }

    #[tracing::instrument(name = "gateway.caller.identify", skip_all)]
    fn find(request: &HttpRequest) -> Result<Self, Failure> {
        let context = context(request);
        Self::identify(request, &context).map_err(|failure| failure.of_request(&context, request))
    }

    fn identify(request: &HttpRequest, context: &RequestContext) -> Result<Self, Failure> {
        let state = request
            .app_data::<web::Data<State>>()
            .ok_or_else(|| Failure::new(Reason::StoreUnavailable, "The service is starting."))?
            .clone();
        let host = place_of(request, &state)?;
        let token = match token_of(request)? {
            Ok(token) => token,
            Err(fault) => return Err(refuse_text(&state, request, context, fault)),
        };
        let moved = state.registry.on_the_move(&token).filter(|_| *token.place() == host);
        let place = match decide(&state.node, &host, token.place()) {
            // The data is here, and the address is the one that it had before.
            _ if moved.is_some_and(|tenant| state.directories.serves(&tenant.region)) => host,
            Decision::Here => host,
            Decision::Peer(region) | Decision::Refuse(Why::NotHere(region)) => {
                return Err(Failure::not_here(&region, &state.hosts.base_url(&host)));
            }
            Decision::Refuse(Why::WrongPlace { correct }) => {
                let failure = wrong_place(&state, &host, &correct, &token);
                note_refused(&state, request, context, &token, failure.refusal());
                return Err(failure);
            }
        };
        let now = state.clock.now();
        let authenticated = state.registry.authenticate(&token, now).map_err(|failure| {
            if let Some(tenant) = state.registry.moved_away(&token) {
                return moved_away(
                    &attempt(&state, request, context, token.key_id()),
                    &tenant,
                    &place,
                );
            }
            let refusal = Refusal::from(failure);
            note_refused(&state, request, context, &token, &refusal);
            failure_of(refusal)
        })?;
        let tenant = authenticated.tenant;
        if tenant.state.is_gone() {
            // Nothing is left of it: no name, and no log to write to.
            return Err(unknown_token());
        }
        let directory =
            state.directories.of(&tenant).ok_or_else(|| store_missing(&state, &tenant, &place))?;
        let deadline = Instant::now() + context.within(state.limits.request_timeout);
        let mut notes = token.quirks();
        let query = request.uri().query();
        // The base URL itself may be written with a slash.
        let is_slashed = context.is_slashed && !crate::routes::is_base(request);
        if is_slashed || query.is_some_and(|query| query.is_empty() || query.ends_with('&')) {
            notes.met(Quirk::TrailingSeparator);
        }
        Ok(Self {
            scoped: directory.within_population(&tenant, place.population).until(deadline),
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
        })
    }

    /// Lets a caller in that is within its rate and whom no gate keeps out.
    fn admit(
        self,
        request: &HttpRequest,
        standing: Option<(Rate, Standing)>,
    ) -> Result<Self, Failure> {
        if let Some((rate, standing)) = standing {
            self.show(request, standing);
            self.within_rate(rate, standing)
                .map_err(|failure| failure.of_request(&self.context, request))?;
        }
        let address = client_address(request, &self.state.config.server.trusted_proxies);
        let named = request.match_info().get("tenant");
        let Err(refusal) = gates::enter(&self, named, address, self.state.clock.now()) else {
            let client = self.client.family(&self.notes);
            let now = self.state.clock.now();
            self.state.uses.note(&self.credential.key_id, &self.tenant.id, (now, client, address));
            return Ok(self);
        };
        self.scoped.note_refusal(&self.asked("request"), &refusal);
        Err(failure_of(refusal).of_tenant(&self).of_request(&self.context, request))
    }

    /// Takes the requests that a request counts as beside itself: the operations of a bulk request.
    ///
    /// # Errors
    /// When they are more than the tenant's rate has left; nothing is taken then.
    pub async fn count(&self, request: &HttpRequest, requests: usize) -> Result<(), Failure> {
        let Some(rate) = Rate::of(self.tenant.rate_limit, &self.state.limits) else {
            return Ok(());
        };
        let more = u32::try_from(requests).unwrap_or(u32::MAX).min(rate.burst()).saturating_sub(1);
        let standing = match more {
            0 => return Ok(()),
            more if self.state.limiter.is_shared() => self.take_shared(rate, more).await,
            more => self.take(rate, more),
        };
        self.show(request, standing);
        self.within_rate(rate, standing)
    }

    fn take(&self, rate: Rate, requests: u32) -> Standing {
        self.state.limiter.take(self.tenant.id.as_str(), rate, requests)
    }

    async fn take_shared(&self, rate: Rate, requests: u32) -> Standing {
        self.state.limiter.take_shared(self.tenant.id.as_str(), rate, requests).await
    }

    /// Leaves where the tenant stands for the headers of the answer.
    fn show(&self, request: &HttpRequest, standing: Standing) {
        if let Some(context) = request.extensions_mut().get_mut::<RequestContext>() {
            context.standing = Some(standing);
        }
    }

    /// A flood must not become one of rows: it is counted, and noted once a minute.
    fn within_rate(&self, rate: Rate, standing: Standing) -> Result<(), Failure> {
        let Some(seconds) = standing.retry_after else { return Ok(()) };
        metrics::count_rate_limited(&self.tenant.region);
        let refusal = Refusal::new(
            Reason::RateLimited,
            format!(
                "Too many requests: this account may send {} a second, and {} at once. Nothing was changed. Send the same request again in {seconds} s; identity providers do so by themselves.",
                rate.per_second(),
                rate.burst()
            ),
        );
        if self.state.limiter.is_news(self.tenant.id.as_str()) {
            self.scoped.note_refusal(&self.asked("request"), &refusal);
        }
        let failure = Failure::from(refusal).with(header::RETRY_AFTER, seconds.to_string());
        Err(failure.of_tenant(self))
    }

    /// The deviations that the head of the request has.
    pub(super) fn quirks(&self) -> impl Iterator<Item = Quirk> {
        self.notes.quirks()
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

    /// Whether the token's scopes and the tenant's allow list cover an operation.
    ///
    /// # Errors
    /// Refused as `scope_missing` or `operation_not_allowed`, naming what is allowed.
    pub fn may(&self, resource: Resource, operation: Operation) -> Result<(), Refusal> {
        gates::may(self, resource, operation)
    }

    /// Whether groups are provisioned for this tenant.
    ///
    /// # Errors
    /// Refused as `plan_without_groups` or `group_push_off`.
    pub fn may_write_groups(&self) -> Result<(), Refusal> {
        gates::may_write_groups(&self.tenant)
    }

    /// Whether the tenant is written at all at the moment.
    ///
    /// # Errors
    /// Refused as `tenant_moving` while its data is on its way to another store, and as `tenant_frozen` while it changes its
    /// population.
    pub fn may_write(&self) -> Result<(), Refusal> {
        gates::may_write(&self.tenant, self.place.population)
    }
}

/// The request's id and start, also when the middleware that makes them is not there.
pub(crate) fn context(request: &HttpRequest) -> RequestContext {
    request.extensions().get::<RequestContext>().cloned().unwrap_or_else(|| RequestContext {
        request_id: String::new(),
        trace_id: None,
        started: Instant::now(),
        is_slashed: false,
        has_empty_part: false,
        standing: None,
        deadline: None,
    })
}

/// The host that a request is for. An absolute request target names it in place of the header (RFC 9112 §3.2.2).
pub(crate) fn host_of(request: &HttpRequest) -> &str {
    let header = || request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    request.uri().host().or_else(header).unwrap_or_default()
}

fn place_of(request: &HttpRequest, state: &State) -> Result<Place, Failure> {
    state.hosts.place(host_of(request)).ok_or_else(|| {
        let known: Vec<String> =
            state.hosts.all().iter().map(|place| state.hosts.base_url(place)).collect();
        Failure::new(
            Reason::HostUnknown,
            format!("This host serves no SCIM. The base URLs are {}.", known.join(", ")),
        )
    })
}

fn token_of(request: &HttpRequest) -> Result<Result<BearerToken, TokenFault>, Failure> {
    // Not a list (RFC 9110 §5.3): whoever looks at the other one of two would see another caller.
    if request.headers().get_all(header::AUTHORIZATION).nth(1).is_some() {
        return Err(Failure::unauthorized(
            Reason::TokenOverlong,
            "The request has two Authorization headers. Enter the token once, and no other authentication.",
        ));
    }
    let sent = request.headers().get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    Ok(BearerToken::parse_bytes(sent.unwrap_or_default()))
}

/// The tenant's region is here, and its shard of it is not: a node that is not set up wholly, or not any more.
fn store_missing(state: &State, tenant: &Tenant, place: &Place) -> Failure {
    if !state.directories.serves(&tenant.region) {
        let home = Place { region: tenant.region.clone(), population: place.population };
        return Failure::not_here(&home.region, &state.hosts.base_url(&home));
    }
    state.admin.tell_missing(tenant);
    Failure::new(
        Reason::StoreUnavailable,
        "The directory does not answer at the moment. Nothing is lost; send the same request again later.",
    )
    .with(header::RETRY_AFTER, "5")
}

/// The tenant was at this address so long ago that nothing leads from here any more.
fn moved_away(attempt: &Attempt<'_>, tenant: &Arc<Tenant>, place: &Place) -> Failure {
    let home = Place { region: tenant.region.clone(), population: place.population };
    let base_url = attempt.state.hosts.base_url(&home);
    let failure = Failure::moved(Reason::TokenWrongRegion, &home.region, &base_url);
    attempt.note(tenant, &home, failure.refusal());
    failure
}
