//! Whose turn it is on a connection: that of the next request, or of an answer.

use super::body::Rest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Turn {
    stage: Cell<Stage>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The next request may come. What is shown of it ends with every empty line, so that two heads are never shown at once.
    Open { is_line_empty: bool },
    /// A request is being answered, and this much of its body is still to come.
    Taken(Rest),
    /// The whole answer has been made, and not yet sent.
    Answered,
}

/// Bytes that may be read.
pub(super) struct Admitted {
    pub(super) count: usize,
    /// Whether a head may end with them; then no more may be read before it was decoded.
    pub(super) may_end_head: bool,
}

impl Default for Turn {
    fn default() -> Self {
        Self { stage: Cell::new(Stage::Open { is_line_empty: true }) }
    }
}

impl Turn {
    /// How many of these bytes may be read now.
    pub(super) fn admit(&self, bytes: &[u8]) -> Admitted {
        let all = |count| Admitted { count, may_end_head: false };
        match self.stage.get() {
            Stage::Open { mut is_line_empty } => {
                let end = bytes.iter().position(|byte| match byte {
                    b'\n' => std::mem::replace(&mut is_line_empty, true),
                    b'\r' => false,
                    _ => {
                        is_line_empty = false;
                        false
                    }
                });
                self.stage.set(Stage::Open { is_line_empty });
                match end {
                    Some(end) => Admitted { count: end + 1, may_end_head: true },
                    None => all(bytes.len()),
                }
            }
            Stage::Taken(rest) => {
                let (count, rest) = rest.take(bytes);
                self.stage.set(Stage::Taken(rest));
                all(count)
            }
            Stage::Answered => all(0),
        }
    }

    /// Says that all that there is has been sent, and asks whether the next request may come.
    pub(super) fn next(&self) -> bool {
        if matches!(self.stage.get(), Stage::Answered) {
            self.stage.set(Stage::Open { is_line_empty: true });
        }
        matches!(self.stage.get(), Stage::Open { .. })
    }

    fn take(self: &Rc<Self>, head: &RequestHead) -> Taken {
        self.stage.set(Stage::Taken(Rest::of(head.headers())));
        Taken(Rc::clone(self))
    }
}

/// A request that is being answered, until it is dropped.
struct Taken(Rc<Turn>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.stage.set(Stage::Answered);
    }
}

/// The middleware, around everything else: from its head to the end of its answer's body, it is a request's turn.
///
/// # Errors
/// Those of the inner service.
pub(crate) async fn take_turn<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(turn) = request.conn_data::<Rc<Turn>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let taken = turn.take(request.head());
    let response = next.call(request).await?;
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
