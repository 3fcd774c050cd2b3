//! Right place, other node: a request whose region is elsewhere is sent there once, streamed both ways (decision 0023).
//!
//! **Invariant**: host and head decide, before a byte of the body is read. Of what passes nothing is logged, traced, cached or
//! stored but method, route, region, status and time. What was forwarded to here is answered here or refused.

mod body;
mod gone;
mod headers;
pub(crate) mod hop;
mod peers;
mod refused;

pub(crate) use gone::hold;
pub(crate) use hop::{Hop, receive};
pub use peers::Peers;

use crate::auth::caller::{context, host_of};
use crate::auth::client_address;
use crate::oauth::{self, OauthError};
use crate::scim::error::Failure;
use crate::state::State;
use crate::telemetry::http::Outcome;
use crate::telemetry::metrics;
use crate::telemetry::span::trace_context;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};
use body::Download;
use futures_util::FutureExt;
use hop::Passed;
use provisioning::Reason;
use region_router::peer::link::Turn;
use region_router::peer::{Asserted, Bound, Link, Outgoing, Unreachable};
use region_router::{Decision, Place, Region, decide};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tenant_registry::{BearerToken, Routing};

/// Seconds after which a peer that did not answer is worth another try.
const RETRY_AFTER: u64 = 5;

/// Where a request goes.
enum Course {
    /// To the routes, which also answer what is wrong with it.
    Here,
    /// To nobody.
    Refused(Failure),
    /// To a peer.
    Peer(Way),
}

/// To a peer, and how.
struct Way {
    state: web::Data<State>,
    link: Arc<Link>,
    /// The place that host and token name.
    place: Place,
    /// The region that the request goes to: that of the place, but where the tenant has left it.
    region: Region,
    key_id: String,
}

/// The middleware; within `observe`, and around everything that changes a path.
///
/// # Errors
/// Those of the inner service.
pub async fn forward<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match course(&request) {
        Course::Here => Ok(next.call(request).await?.map_into_left_body()),
        Course::Refused(failure) => {
            let request = request.into_parts().0;
            let response = refuse(failure, &request, None);
            Ok(ServiceResponse::new(request, response).map_into_right_body())
        }
        Course::Peer(way) => {
            let (request, payload) = request.into_parts();
            let response = match way.refuse_flood(&request) {
                Some(refused) => refused,
                None => way.take(&request, payload).await,
            };
            Ok(ServiceResponse::new(request, response).map_into_right_body())
        }
    }
}

fn course(request: &ServiceRequest) -> Course {
    let Some(state) = request.app_data::<web::Data<State>>() else { return Course::Here };
    let Some(place) = state.hosts.place(host_of(request.request())) else { return Course::Here };
    if context(request.request()).deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        return Course::Refused(refused::too_late());
    }
    // A token endpoint names its region by its host; which client asks is in the body.
    let is_token_request = is_token_request(request.path());
    let token = if is_token_request { None } else { token_of(request.headers()) };
    let token = token.filter(|token| *token.place() == place);
    let moved = token.as_ref().and_then(|token| state.registry.on_the_move(token));
    let home = Place {
        region: moved.map_or_else(|| place.region.clone(), |tenant| tenant.region.clone()),
        population: place.population,
    };
    if state.node.serves.contains(&home.region) || (token.is_none() && !is_token_request) {
        return Course::Here;
    }
    let owner = token.as_ref().and_then(|token| state.registry.owner(token));
    if request.request().extensions_of::<Hop>() {
        // While a tenant moves, whoever sent this may know better than this node does.
        let moves = owner.is_some_and(|owner| owner.tenant.moving.is_some());
        return Course::Refused(if moves { refused::moving() } else { refused::loops(&home) });
    }
    if owner.is_some_and(|owner| owner.tenant.routing == Routing::Strict) {
        let base_url = state.hosts.base_url(&home);
        return Course::Refused(if home.region == place.region {
            Failure::not_here(&home.region, &base_url)
        } else {
            Failure::moved(Reason::RegionNotHere, &home.region, &base_url)
        });
    }
    if !matches!(decide(&state.node, &home, &home), Decision::Peer(_)) {
        return Course::Here;
    }
    let Some(link) = state.peers.link(&home.region) else { return Course::Here };
    if request.request().passed(state.peers.name()) {
        return Course::Refused(refused::loops(&home));
    }
    let key_id = token.map_or_else(String::new, |token| token.key_id().to_owned());
    Course::Peer(Way { state: state.clone(), link, place, region: home.region, key_id })
}

/// What the extensions of a request tell of its way.
trait Extended {
    fn extensions_of<T: 'static>(&self) -> bool;
    fn passed(&self, name: &str) -> bool;
}

impl Extended for HttpRequest {
    fn extensions_of<T: 'static>(&self) -> bool {
        actix_web::HttpMessage::extensions(self).get::<T>().is_some()
    }

    fn passed(&self, name: &str) -> bool {
        let extensions = actix_web::HttpMessage::extensions(self);
        extensions.get::<Passed>().is_some_and(|passed| passed.has(name))
    }
}

fn is_token_request(path: &str) -> bool {
    path.trim_end_matches('/') == oauth::TOKEN_PATH
}

/// The token of a request, if it is one; what is wrong with any other the routes say.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<BearerToken> {
    let mut sent = headers.get_all(header::AUTHORIZATION);
    let first = sent.next()?;
    if sent.next().is_some() {
        return None;
    }
    BearerToken::parse_bytes(HeaderValue::as_bytes(first)).ok()
}

fn refuse(failure: Failure, request: &HttpRequest, region: Option<&Region>) -> HttpResponse {
    let reason = failure.refusal().reason.as_str();
    let outcome = outcome("refused", Some(reason), request, region);
    if !is_token_request(request.path()) {
        return failure.of_request(&context(request), request).respond(outcome);
    }
    let mut error =
        OauthError::request(failure.refusal().detail.clone()).status(failure.status_code());
    if failure.status_code() == StatusCode::SERVICE_UNAVAILABLE {
        error = error.retry_after(u32::try_from(RETRY_AFTER).unwrap_or(u32::MAX));
    }
    let mut response = error.respond();
    response.extensions_mut().insert(outcome);
    response
}

impl Way {
    fn address(&self, request: &HttpRequest) -> IpAddr {
        client_address(request, &self.state.config.server.trusted_proxies)
    }

    /// Of who asks for a token nothing is known here, and what it sends is read there: it is counted at both.
    fn refuse_flood(&self, request: &HttpRequest) -> Option<HttpResponse> {
        if !self.key_id.is_empty() {
            return None;
        }
        let error = oauth::check_rate(&self.state, self.address(request)).err()?;
        let reason = Some(Reason::RateLimited.as_str());
        let outcome = outcome("refused", reason, request, Some(&self.region));
        let mut response = error.respond();
        response.extensions_mut().insert(outcome);
        Some(response)
    }

    #[tracing::instrument(name = "gateway.forward", skip_all, fields(otel.kind = "client", peer.region = %self.region))]
    async fn take(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let context = context(request);
        let (upload, mut pump) = body::upload(request.headers(), payload);
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let host = self.state.hosts.host(&self.place);
        let outgoing =
            method(request.method()).zip(headers::value(host.as_bytes())).map(|(method, host)| {
                Outgoing {
                    method,
                    target,
                    host,
                    headers: headers::onward(
                        request.headers(),
                        &context.request_id,
                        &passed(request, self.state.peers.name()),
                    ),
                    upload,
                    whose: Some(self.key_id.as_str()).filter(|key_id| !key_id.is_empty()),
                    deadline: context.started + self.state.limits.request_timeout,
                }
            });
        let Some(outgoing) = outgoing else {
            return self.refused(Unreachable::Unwritable, request);
        };
        let bound = Bound {
            region: &self.region,
            method: request.method().as_str(),
            target,
            host: &host,
            key_id: &self.key_id,
        };
        let address = self.address(request);
        let trace_parent = trace_context();
        let sign = |left: Duration| {
            let asserted = Asserted { address, left, trace_parent: trace_parent.clone() };
            self.state.peers.sign(&bound, &asserted, self.state.clock.now().unix_timestamp())
        };
        let answer = {
            let mut gone = pin!(gone::gone(request));
            let mut sending = pin!(self.link.send(&outgoing, sign, |turn| self.turned(turn)));
            // The body is pushed while the answer is awaited; a peer may answer before it has all of it.
            poll_fn(|cx| {
                if pump.as_mut().is_some_and(|pump| pump.poll_unpin(cx).is_ready()) {
                    pump = None;
                }
                if let Poll::Ready(answer) = sending.as_mut().poll(cx) {
                    return Poll::Ready(answer);
                }
                // While a body is on its way, that tells whether the client is there.
                if pump.is_none() && gone.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(Unreachable::BrokenOff));
                }
                Poll::Pending
            })
            .await
        };
        match answer {
            Ok(answer) if !headers::is_of_a_gateway(&answer.head) => {
                self.refused(Unreachable::Failed, request)
            }
            Ok(answer) => {
                metrics::count_forward(&self.region, "answered");
                let mut response = headers::back(&answer.head).body(Download::new(answer, pump));
                let outcome = outcome("forwarded", None, request, Some(&self.region));
                response.extensions_mut().insert(outcome);
                response
            }
            Err(why) => self.refused(why, request),
        }
    }

    /// The place that the tenant has in its region.
    fn home(&self) -> Place {
        Place { region: self.region.clone(), population: self.place.population }
    }

    fn turned(&self, turn: Turn) {
        let region = &self.region;
        metrics::show_breaker(region, turn == Turn::Opened);
        match turn {
            Turn::Opened => {
                tracing::warn!(peer.region = %region, "a region's gateway does not answer");
            }
            Turn::Closed => {
                tracing::info!(peer.region = %region, "a region's gateway answers again");
            }
        }
    }

    fn refused(&self, why: Unreachable, request: &HttpRequest) -> HttpResponse {
        let region = &self.region;
        metrics::count_forward(region, word(why));
        let failure = refused::unreachable(why, region, || self.state.hosts.base_url(&self.home()));
        refuse(failure, request, Some(&self.region))
    }
}

/// What the line of the request says of it.
fn outcome(
    outcome: &'static str,
    reason: Option<&'static str>,
    request: &HttpRequest,
    region: Option<&Region>,
) -> Outcome {
    Outcome {
        route: crate::routes::template_of(request.path()),
        region: region.map(|region| region.as_str().to_owned()),
        tenant: None,
        operation: None,
        reason,
        outcome,
        quirks: 0,
    }
}

fn word(why: Unreachable) -> &'static str {
    match why {
        Unreachable::Open(_) => "open",
        Unreachable::Full => "full",
        Unreachable::Failed => "failed",
        Unreachable::Late => "late",
        Unreachable::BrokenOff => "broken_off",
        Unreachable::Unwritable => "unwritable",
    }
}

fn method(method: &Method) -> Option<reqwest::Method> {
    reqwest::Method::from_bytes(method.as_str().as_bytes()).ok()
}

/// The nodes that a request has passed, with this one.
fn passed(request: &HttpRequest, own: &str) -> String {
    let extensions = actix_web::HttpMessage::extensions(request);
    let before = extensions.get::<Passed>().map(Passed::to_via).unwrap_or_default();
    format!("{before}1.1 {own}")
}
