//! Attempts whose credential is not good: noted in the log of the tenant that it looks to be of, where its administrator
//! looks (requirements N3).
//!
//! **Invariant**: the answer does not depend on whether anybody was found. Of one credential and one reason there is one line a
//! minute, so that who has only a hint cannot fill a log.

use super::client::recognise;
use crate::state::State;
use crate::telemetry::http::RequestContext;
use actix_web::HttpRequest;
use actix_web::http::header;
use directory::Asked;
use provisioning::Refusal;
use region_router::Place;
use scim_core::Notes;
use std::sync::Arc;
use tenant_registry::Tenant;

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
