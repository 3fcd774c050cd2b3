//! What a request says of the way that it came: believed when a trusted gateway signed it, and otherwise nothing.
//!
//! **Invariant**: runs before anything looks at a request, and takes every such header off it.

use super::token_of;
use crate::auth::caller::host_of;
use crate::state::State;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, web};
use region_router::peer::{Bound, HOP_HEADER, NotTrusted};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// What begins the names of nodes in `Via` (RFC 9110 §7.6.3: a pseudonym).
pub(super) const PSEUDONYM: &str = "muster-";
/// Nodes in `Via` that are read; who names more has looped.
const MOST_PASSED: usize = 16;

/// What would let a client say from where, for whom or how long it asks. `X-Forwarded-For` stays: it counts as far as it
/// was written by trusted proxies (`auth::address`).
const STRIPPED: [&str; 9] = [
    HOP_HEADER,
    "baggage",
    "forwarded",
    "tracestate",
    "via",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// A request that a trusted gateway has forwarded.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// From where the client came.
    pub(crate) address: IpAddr,
    /// How long the other side waits.
    pub(crate) left: Duration,
    /// The other side's span.
    pub(crate) trace_parent: Option<String>,
}

/// The gateways that a request says it has passed: good for refusing a loop, and for nothing else.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed(Vec<String>);

impl Passed {
    fn of(headers: &HeaderMap) -> Self {
        let lists = headers.get_all("via").filter_map(|value| value.to_str().ok());
        let names = lists.flat_map(|list| list.split(',')).filter_map(|one| {
            let name = one.trim().strip_prefix("1.1 ")?;
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (name.starts_with(PSEUDONYM) && name.len() <= 64 && name.bytes().all(fits))
                .then(|| name.to_owned())
        });
        Self(names.take(MOST_PASSED).collect())
    }

    /// Whether a node of this name is among them, or there are more than there are regions.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.len() >= MOST_PASSED || self.0.iter().any(|passed| passed == name)
    }

    /// As the beginning of a header.
    pub(super) fn to_via(&self) -> String {
        self.0.iter().map(|name| format!("1.1 {name}, ")).collect()
    }
}

/// Takes off what a request says of its way, and gives what of it is to be believed.
pub(crate) fn receive(request: &mut ServiceRequest) -> Option<Hop> {
    let headers = request.headers();
    if !STRIPPED.iter().any(|name| headers.contains_key(*name)) {
        return None;
    }
    let passed = Passed::of(headers);
    let mut stated = headers.get_all(HOP_HEADER);
    let assertion = stated.next().filter(|_| stated.next().is_none()).cloned();
    for name in STRIPPED {
        request.headers_mut().remove(HeaderName::from_static(name));
    }
    if !passed.0.is_empty() {
        request.extensions_mut().insert(passed);
    }
    let state = request.app_data::<web::Data<State>>()?.clone();
    match verify(request, &assertion?, &state)? {
        Ok(hop) => {
            request.headers_mut().remove("x-forwarded-for");
            Some(hop)
        }
        Err(why) => {
            if state.limiter.is_news(&format!("hop {why}")) {
                let error = migrations::causes(&why);
                tracing::warn!(error, "a forwarded request is taken for a client's");
            }
            None
        }
    }
}

/// `None` where nobody is believed anyhow.
fn verify(
    request: &ServiceRequest,
    assertion: &HeaderValue,
    state: &State,
) -> Option<Result<Hop, NotTrusted>> {
    let trusted = state.peers.trusted()?;
    let place = state.hosts.place(host_of(request.request()))?;
    let token = token_of(request.headers());
    let host = state.hosts.host(&place);
    // Who forwards signs for the region that the tenant is in, as far as it has heard, whatever the host is called.
    let named = token.as_ref().filter(|token| *token.place() == place);
    let tenant = named.and_then(|token| state.registry.on_the_move(token));
    let moving = tenant.as_ref().and_then(|tenant| tenant.moving.as_ref());
    let homes = moving.map(|moving| [&moving.to.region, &moving.from.region]);
    let regions = std::iter::once(&place.region).chain(homes.into_iter().flatten());
    let now = state.clock.now().unix_timestamp();
    let mut verified = Err(NotTrusted::Malformed);
    for region in regions {
        let bound = Bound {
            region,
            method: request.method().as_str(),
            target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
            host: &host,
            key_id: token.as_ref().map_or("", |token| token.key_id()),
        };
        verified = assertion
            .to_str()
            .map_err(|_binary| NotTrusted::Malformed)
            .and_then(|text| trusted.verify(text, &bound, now));
        if !matches!(verified, Err(NotTrusted::Foreign)) {
            break;
        }
    }
    let verified = verified.and_then(|verified| {
        if state.peers.is_new(&verified, now) { Ok(verified) } else { Err(NotTrusted::Replayed) }
    });
    Some(verified.map(|verified| {
        let asserted = verified.asserted;
        Hop {
            address: asserted.address.to_canonical(),
            left: asserted.left,
            trace_parent: asserted.trace_parent,
        }
    }))
}

impl Hop {
    /// When the other side ends to wait, for a request that came then.
    pub(crate) fn deadline(&self, came: Instant) -> Instant {
        came + self.left
    }
}
