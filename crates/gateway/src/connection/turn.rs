//! Whose turn it is on a connection: that of the next request, or of an answer.

use super::body::Rest;
use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Turn {
    stage: Cell<Stage>,
    word: Cell<Word>,
    /// Whether nothing is read any more when the request is answered.
    is_last: Cell<bool>,
    /// Whether the library will say `100 Continue` for the request.
    is_continue_due: Cell<bool>,
    /// Who reads the connection.
    reader: RefCell<Option<Waker>>,
}

/// Whether a client waits for `100 Continue` before it sends the body of its request (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It does not, or has got its word.
    Spared,
    /// It does.
    Awaited,
    /// It does, and the body is to be read.
    Asked,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The next request may come. What is shown of it ends with every empty line behind its beginning, so that two heads are never
    /// shown at once. Those before it (RFC 9112 §2.2) end nothing.
    Open { has_begun: bool, is_line_empty: bool },
    /// A request is being answered, and this much of its body is still to come.
    Taken(Rest),
    /// The whole answer has been made, and perhaps sent; this much of the request's body is still to come, and to be passed over.
    Answered { rest: Rest, is_sent: bool },
}

impl Stage {
    const OPEN: Self = Self::Open { has_begun: false, is_line_empty: true };

    /// What it is when so much of a body is still to come behind an answer.
    fn behind(rest: Rest, is_sent: bool) -> Self {
        if is_sent && rest.is_over() { Self::OPEN } else { Self::Answered { rest, is_sent } }
    }
}

/// Bytes that may be read.
pub(super) struct Admitted {
    pub(super) count: usize,
    /// Whether a head may end with them; then no more may be read before it was decoded.
    pub(super) may_end_head: bool,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            stage: Cell::new(Stage::OPEN),
            is_last: Cell::new(false),
            word: Cell::new(Word::Spared),
            is_continue_due: Cell::new(false),
            reader: RefCell::new(None),
        }
    }
}

impl Turn {
    /// How many of these bytes may be read now.
    pub(super) fn admit(&self, bytes: &[u8]) -> Admitted {
        let all = |count| Admitted { count, may_end_head: false };
        match self.stage.get() {
            Stage::Open { mut has_begun, mut is_line_empty } => {
                let end = bytes.iter().position(|byte| match byte {
                    b'\n' => std::mem::replace(&mut is_line_empty, true) && has_begun,
                    b'\r' => false,
                    _ => {
                        (has_begun, is_line_empty) = (true, false);
                        false
                    }
                });
                self.stage.set(Stage::Open { has_begun, is_line_empty });
                match end {
                    Some(end) => Admitted { count: end + 1, may_end_head: true },
                    None => all(bytes.len()),
                }
            }
            Stage::Taken(rest) => {
                let (count, rest) = rest.take(bytes);
                self.stage.set(Stage::Taken(rest));
                if count > 0 {
                    // Who sends does not wait any more.
                    self.word.set(Word::Spared);
                }
                all(count)
            }
            Stage::Answered { rest, is_sent } => {
                let (count, rest) = rest.take(bytes);
                self.stage.set(Stage::behind(rest, is_sent));
                all(count)
            }
        }
    }

    /// Says that all that there is has been sent, and asks whether the next request may come.
    pub(super) fn next(&self) -> bool {
        if let Stage::Answered { rest, .. } = self.stage.get() {
            self.stage.set(Stage::behind(rest, true));
        }
        self.is_open()
    }

    /// Whether the last answer has been sent: the client is told that the connection ends.
    pub(super) fn is_over(&self) -> bool {
        self.is_last.get()
            && !matches!(self.stage.get(), Stage::Taken(_) | Stage::Answered { is_sent: false, .. })
    }

    /// Whether no request is being answered.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage.get(), Stage::Open { .. })
    }

    /// Who is to be woken when there is something to say.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut reader = self.reader.borrow_mut();
        if !reader.as_ref().is_some_and(|reader| reader.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
    }

    /// Whether `100 Continue` is to be said now.
    pub(super) fn is_asked(&self) -> bool {
        let is_asked = self.word.get() == Word::Asked;
        if is_asked {
            self.word.set(Word::Spared);
        }
        is_asked
    }

    /// Whether the first that the library says may be `100 Continue`.
    pub(super) fn is_continue_due(&self) -> bool {
        self.is_continue_due.replace(false)
    }

    /// An answer begins: there is no word before it any more.
    pub(super) fn speak(&self) {
        self.word.set(Word::Spared);
    }

    fn take(self: &Rc<Self>, head: &RequestHead) -> Taken {
        let rest = Rest::of(head.headers());
        self.stage.set(Stage::Taken(rest));
        self.is_continue_due.set(head.expect());
        let has_body = !rest.is_over();
        self.word.set(if head.expect() && has_body { Word::Awaited } else { Word::Spared });
        Taken(Rc::clone(self))
    }

    /// Somebody reads the body.
    fn ask(&self) {
        if self.word.get() == Word::Awaited {
            self.word.set(Word::Asked);
            if let Some(reader) = &*self.reader.borrow() {
                reader.wake_by_ref();
            }
        }
    }
}

/// A request that is being answered, until it is dropped.
struct Taken(Rc<Turn>);

impl Drop for Taken {
    fn drop(&mut self) {
        let rest = match self.0.stage.get() {
            Stage::Taken(rest) => rest,
            _ => Rest::NONE,
        };
        self.0.stage.set(Stage::Answered { rest, is_sent: false });
    }
}

/// The middleware, around everything else: from its head to the end of its answer's body, it is a request's turn.
///
/// # Errors
/// Those of the inner service.
pub(crate) async fn take_turn<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(turn) = request.conn_data::<Rc<Turn>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let taken = turn.take(request.head());
    let request_is_chunked = matches!(turn.stage.get(), Stage::Taken(Rest::Chunks(_)));
    if turn.word.get() == Word::Awaited {
        let (turn, mut payload) = (Rc::clone(&turn), request.take_payload());
        let asking = poll_fn(move |context| {
            turn.ask();
            payload.poll_next_unpin(context)
        });
        request.set_payload(Payload::Stream { payload: asking.boxed_local() });
    }
    let mut response = next.call(request).await?;
    if turn.word.get() == Word::Awaited {
        // Whether the body comes now is the client's choice, and nobody could tell it from the next request.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        // The library waits for the end of chunks that may never come.
        turn.is_last.set(request_is_chunked);
    }
    Ok(response.map_body(|_, body| BoxBody::new(Answer { body: body.boxed(), _taken: taken })))
}

/// The body of an answer.
struct Answer {
    body: BoxBody,
    _taken: Taken,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
