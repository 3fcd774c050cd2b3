//! Attempts whose credential is not good: what is answered, and the note in the log of the tenant that it looks to be of,
//! where its administrator looks (requirements N3).
//!
//! **Invariant**: the answer does not depend on whether anybody was found. Of one credential and one reason there is one line a
//! minute, so that who has only a hint cannot fill a log.

use super::client::recognise;
use crate::scim::error::Failure;
use crate::state::State;
use crate::telemetry::http::RequestContext;
use actix_web::HttpRequest;
use actix_web::http::header;
use directory::Asked;
use provisioning::{Reason, Refusal};
use region_router::Place;
use scim_core::Notes;
use std::sync::Arc;
use tenant_registry::{Authenticated, BearerToken, Tenant, TokenFault};

/// A request with a credential that is not good.
pub(crate) struct Attempt<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: &'a HttpRequest,
    pub(crate) context: &'a RequestContext,
    /// What was asked for.
    pub(crate) operation: &'static str,
    /// The credential that it looks to be.
    pub(crate) key_id: &'a str,
    /// What was odd about the way it was sent.
    pub(crate) notes: Notes,
}

impl Attempt<'_> {
    /// Notes it in a tenant's log, if that is kept on this node.
    pub(crate) fn note(&self, tenant: &Arc<Tenant>, place: &Place, refusal: &Refusal) {
        let Some(directory) = self.state.directories.of(tenant) else { return };
        if !self.state.limiter.is_news(&format!("{} {}", self.key_id, refusal.reason)) {
            return;
        }
        let asked = Asked {
            operation: self.operation,
            request_id: self.context.request_id.clone(),
            trace_id: self.context.trace_id.clone(),
            client: family(self.request, &self.notes).to_owned(),
            key_id: self.key_id.to_owned(),
            started: self.context.started,
            now: self.state.clock.now(),
            notes: self.notes.clone(),
            part: None,
        };
        directory.within_population(tenant, place.population).note_refusal(&asked, refusal);
    }
}

/// The family of a request's client.
pub(crate) fn family(request: &HttpRequest, notes: &Notes) -> &'static str {
    recognise(user_agent(request), request.uri().query(), notes)
}

pub(super) fn user_agent(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok())
}

/// A text that is no token is refused in the log of the tenant whose token it looks to be.
pub(super) fn refuse_text(
    state: &State,
    request: &HttpRequest,
    context: &RequestContext,
    fault: TokenFault,
) -> Failure {
    let sent = request.headers().get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    let text = String::from_utf8_lossy(sent.unwrap_or_default());
    let refusal = Refusal::from(fault);
    if let Some(Authenticated { tenant, credential }) = state.registry.recognise(&text) {
        let place = Place { region: tenant.region.clone(), population: credential.population };
        attempt(state, request, context, &credential.key_id).note(&tenant, &place, &refusal);
    }
    Failure::unauthorized(refusal.reason, refusal.detail)
}

/// A token that is not good any more, or not at this host, is refused in its tenant's log too.
pub(super) fn note_refused(
    state: &State,
    request: &HttpRequest,
    context: &RequestContext,
    token: &BearerToken,
    refusal: &Refusal,
) {
    let Some(Authenticated { tenant, credential }) = state.registry.owner(token) else { return };
    if tenant.state.is_gone() {
        return;
    }
    let mut attempt = attempt(state, request, context, &credential.key_id);
    attempt.notes = token.quirks();
    // Its administrator looks at the log of the population that there is now.
    let mut place = token.place().clone();
    if !tenant.serves(place.population) {
        place.population = tenant.population;
    }
    attempt.note(&tenant, &place, refusal);
}

pub(super) fn attempt<'a>(
    state: &'a State,
    request: &'a HttpRequest,
    context: &'a RequestContext,
    key_id: &'a str,
) -> Attempt<'a> {
    Attempt { state, request, context, operation: "request", key_id, notes: Notes::default() }
}

/// 401 with its challenge, or what the reason has.
pub(super) fn failure_of(refusal: Refusal) -> Failure {
    match refusal.reason.status() {
        401 => Failure::unauthorized(refusal.reason, refusal.detail),
        _ => refusal.into(),
    }
}

pub(super) fn unknown_token() -> Failure {
    Failure::unauthorized(
        Reason::TokenUnknown,
        "This token is not known here. Create a new token and paste it whole.",
    )
}

pub(super) fn wrong_place(
    state: &State,
    host: &Place,
    correct: &Place,
    token: &BearerToken,
) -> Failure {
    let reason = match (host.region == correct.region, host.population == correct.population) {
        (false, true) => Reason::TokenWrongRegion,
        (true, _) => Reason::TokenWrongPopulation,
        (false, false) => Reason::TokenWrongPlace,
    };
    if !state.hosts.knows(&correct.region) {
        // The token's checksum holds, but no such region exists here: nothing more can be told.
        return unknown_token();
    }
    let registry = &state.registry;
    let moved = registry.on_the_move(token).or_else(|| registry.moved_away(token));
    if let Some(tenant) = moved.filter(|tenant| tenant.region != correct.region) {
        let home = Place { region: tenant.region.clone(), population: correct.population };
        let base_url = state.hosts.base_url(&home);
        return Failure::moved(reason, &home.region, &base_url);
    }
    let base_url = state.hosts.base_url(correct);
    let detail = format!(
        "This token belongs to the {} population in region {}, and this host serves {} in region {}. Use {base_url} as the base URL in your identity provider.",
        correct.population, correct.region, host.population, host.region
    );
    Failure::unauthorized(reason, detail).correct_base_url(&base_url)
}
