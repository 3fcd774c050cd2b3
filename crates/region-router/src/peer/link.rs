//! The way to one peer: connections, a limit and a breaker that no other peer shares.
//!
//! **Invariant**: a request is sent once; again only if no byte of it was sent, or if it only reads and has no body. Nobody
//! waits for a place.

use super::HOP_HEADER;
use super::breaker::Breaker;
use super::connect::Connector;
use super::gateway::Gateway;
use super::places::{Place, Places};
use super::tls::{PeerTls, TlsError};
use super::upload::Upload;
use crate::region::Region;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use http::uri::Scheme;
use http::{Method, Request};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use thread_local::ThreadLocal;
use tokio::time::{Sleep, sleep, timeout_at};

/// How long an idle connection is kept: shorter than a gateway keeps one, so that none is closed under a request.
const IDLE: Duration = Duration::from_secs(30);
/// How long a peer may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// What a hop takes of the time that is left.
const HOP: Duration = Duration::from_millis(50);
/// The longest pause before a request is sent again, in milliseconds.
const JITTER_MS: u64 = 50;
/// One request in so many may be sent again, and at most so many at once.
const RETRY_OF: u32 = 10;
const RETRIES: u32 = 10;

/// The way to one peer.
pub struct Link {
    region: Region,
    gateway: Gateway,
    connector: Connector,
    /// A pool a thread: a connection is driven by the thread that made it, and each request over another thread's would wake that
    /// one twice.
    clients: ThreadLocal<Client<Connector, Upload>>,
    places: Places,
    breaker: Breaker,
    /// Tenths of a retry.
    budget: AtomicU32,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("region", &self.region)
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

/// A request on its way out.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: Method,
    /// Path and query, as they came.
    pub target: &'a str,
    /// The host, as the configuration writes it.
    pub host: HeaderValue,
    /// The other headers.
    pub headers: HeaderMap,
    /// The body.
    pub upload: Upload,
    /// Who asks, as far as it is known: nobody takes all places. `None`: it is not known at all.
    pub whose: Option<&'a str>,
    /// When the client has to have its answer.
    pub deadline: Instant,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The breaker is open, for so long.
    #[error("the region's gateway has not answered lately")]
    Open(Duration),
    /// As many requests as may be are on their way.
    #[error("too many requests are on their way to the region's gateway")]
    Full,
    /// There was no connection, or it ended before the answer.
    #[error("the region's gateway cannot be reached")]
    Failed,
    /// There was no answer in time.
    #[error("the region's gateway did not answer in time")]
    Late,
    /// The client broke its request off.
    #[error("the client broke its request off")]
    BrokenOff,
    /// The request cannot be written for a peer.
    #[error("the request cannot be forwarded")]
    Unwritable,
}

/// What a request tells of the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The peer was not answering, and is again.
    Closed,
    /// The peer has stopped answering.
    Opened,
}

impl Link {
    /// A way to a region's gateway for so many requests at a time.
    ///
    /// # Errors
    /// When certificates cannot be read or used, which only a gateway behind TLS needs.
    pub fn new(
        region: Region,
        gateway: Gateway,
        connections: usize,
        tls: &PeerTls,
    ) -> Result<Self, TlsError> {
        let connector = Connector::new(gateway.scheme == Scheme::HTTPS, tls)?;
        Ok(Self {
            region,
            gateway,
            connector,
            clients: ThreadLocal::new(),
            places: Places::new(connections),
            breaker: Breaker::default(),
            budget: AtomicU32::new(RETRIES * RETRY_OF),
        })
    }

    fn client(&self) -> &Client<Connector, Upload> {
        self.clients.get_or(|| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(self.places.all())
                .build(self.connector.clone())
        })
    }

    /// Where it leads.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Whether the peer is not asked at the moment, but for a request a second.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.breaker.is_open()
    }

    /// Sends a request and waits for the head of its answer. `sign` makes the assertion for the time that is left; it is
    /// called for each time that the request is sent.
    ///
    /// # Errors
    /// When there is no answer. What the request tells of the breaker goes to `turned`.
    pub async fn send(
        &self,
        outgoing: &Outgoing<'_>,
        sign: impl Fn(Duration) -> Option<HeaderValue>,
        turned: impl Fn(Turn),
    ) -> Result<Answer, Unreachable> {
        self.breaker.enter(Instant::now()).map_err(Unreachable::Open)?;
        let place = self.places.take(outgoing.whose, Instant::now()).ok_or(Unreachable::Full)?;
        self.earn();
        let mut is_again = false;
        loop {
            let failure = match self.once(outgoing, &sign).await {
                Ok(answer) => {
                    if self.breaker.succeeded(Instant::now()) {
                        turned(Turn::Closed);
                    }
                    return Ok(Answer::new(answer, place));
                }
                Err(failure) => failure,
            };
            if failure.is_peers && self.breaker.failed(Instant::now()) {
                turned(Turn::Opened);
            }
            if is_again || !failure.may_be_sent_again || self.breaker.is_open() || !self.spend() {
                return Err(failure.why);
            }
            is_again = true;
            sleep(Duration::from_millis(rand::random_range(0..JITTER_MS))).await;
        }
    }

    async fn once(
        &self,
        outgoing: &Outgoing<'_>,
        sign: &impl Fn(Duration) -> Option<HeaderValue>,
    ) -> Result<http::Response<Incoming>, Failure> {
        let left = outgoing.deadline.saturating_duration_since(Instant::now());
        if left <= HOP {
            return Err(Failure::ours(Unreachable::Late));
        }
        let request = self
            .request(outgoing, sign(left - HOP))
            .ok_or_else(|| Failure::ours(Unreachable::Unwritable))?;
        let upload = &outgoing.upload;
        match timeout_at(outgoing.deadline.into(), self.client().request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) if upload.is_broken() => Err(Failure::ours(Unreachable::BrokenOff)),
            Ok(Err(error)) => {
                let reads = outgoing.method == Method::GET || outgoing.method == Method::HEAD;
                Err(Failure {
                    why: Unreachable::Failed,
                    is_peers: true,
                    may_be_sent_again: upload.is_untouched() && (error.is_connect() || reads),
                })
            }
            Err(_elapsed) => Err(Failure {
                why: Unreachable::Late,
                // A client that is still sending has not let the peer begin.
                is_peers: !upload.is_under_way(),
                may_be_sent_again: false,
            }),
        }
    }

    fn request(
        &self,
        outgoing: &Outgoing<'_>,
        assertion: Option<HeaderValue>,
    ) -> Option<Request<Upload>> {
        let mut request = Request::new(outgoing.upload.clone());
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = self.gateway.uri(outgoing.target)?;
        *request.headers_mut() = outgoing.headers.clone();
        request.headers_mut().insert(HOST, outgoing.host.clone());
        if let Some(assertion) = assertion {
            request.headers_mut().insert(HOP_HEADER, assertion);
        }
        Some(request)
    }

    /// Every request earns a tenth of a retry.
    fn earn(&self) {
        let add = |tenths: u32| Some((tenths + 1).min(RETRIES * RETRY_OF));
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok();
    }

    fn spend(&self) -> bool {
        let take = |tenths: u32| tenths.checked_sub(RETRY_OF);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

struct Failure {
    why: Unreachable,
    /// Whether it tells something of the peer.
    is_peers: bool,
    may_be_sent_again: bool,
}

impl Failure {
    fn ours(why: Unreachable) -> Self {
        Self { why, is_peers: false, may_be_sent_again: false }
    }
}

/// Status and headers of an answer.
pub type Head = http::response::Parts;

/// An answer, whose body comes piece by piece. It holds its place on the link until it is dropped.
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    body: Incoming,
    silence: Pin<Box<Sleep>>,
    is_waiting: bool,
    place: Place,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.head.status).finish_non_exhaustive()
    }
}

/// The answer ended in its middle.
#[derive(Debug, thiserror::Error)]
#[error("the answer of the region's gateway ended early")]
pub struct Interrupted;

impl Answer {
    fn new(response: http::Response<Incoming>, place: Place) -> Self {
        let (head, body) = response.into_parts();
        let silence = Box::pin(sleep(SILENCE));
        Self { head, body, silence, is_waiting: false, place }
    }

    /// How many bytes its body has, or would have, if it says so.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The next piece of the body.
    pub fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Interrupted>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.is_waiting = false;
                    self.place.moved(Instant::now());
                    // Trailers are not forwarded.
                    if let Ok(piece) = frame.into_data() {
                        return Poll::Ready(Some(Ok(piece)));
                    }
                }
                Poll::Ready(Some(Err(_broken))) => return Poll::Ready(Some(Err(Interrupted))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.silence.as_mut().reset(tokio::time::Instant::now() + SILENCE);
        }
        match self.silence.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Interrupted))),
            Poll::Pending => Poll::Pending,
        }
    }
}
