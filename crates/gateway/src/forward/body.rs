//! Bodies, out and back, piece by piece.
//!
//! **Invariant**: nothing is collected: whoever is slow makes the other side wait.

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, StreamExt};
use region_router::peer::{Answer, Feed, Interrupted, Upload};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What moves a body from the client to the peer; it has to be polled beside whatever the body is for.
pub(super) type Pump = LocalBoxFuture<'static, ()>;

/// The body of a request, and what moves it, if there is one.
pub(super) fn upload(headers: &HeaderMap, payload: Payload) -> (Upload, Option<Pump>) {
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = announced.and_then(|text| text.parse().ok()).filter(|_| !is_chunked);
    if length.unwrap_or_default() == 0 && !is_chunked {
        return (Upload::none(), None);
    }
    let (upload, feed) = Upload::fed(length);
    (upload, Some(pump(payload, feed).boxed_local()))
}

async fn pump(mut payload: Payload, feed: Feed) {
    while let Some(piece) = payload.next().await {
        // A feed that is dropped before its end breaks the body off.
        let Ok(piece) = piece else { return };
        if !feed.add(piece).await {
            return;
        }
    }
    feed.end().await;
}

/// The answer's body on its way to the client.
pub(super) struct Download {
    answer: Answer,
    /// A peer may answer while the client still sends.
    pump: Option<Pump>,
}

impl Download {
    pub(super) fn new(answer: Answer, pump: Option<Pump>) -> Self {
        Self { answer, pump }
    }
}

impl MessageBody for Download {
    type Error = Interrupted;

    fn size(&self) -> BodySize {
        match (self.answer.head.status.as_u16(), self.answer.length()) {
            (204 | 304, _) => BodySize::None,
            (_, Some(length)) => BodySize::Sized(length),
            (_, None) => BodySize::Stream,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Interrupted>>> {
        let this = self.get_mut();
        if this.pump.as_mut().is_some_and(|pump| pump.poll_unpin(context).is_ready()) {
            this.pump = None;
        }
        this.answer.poll_piece(context)
    }
}
