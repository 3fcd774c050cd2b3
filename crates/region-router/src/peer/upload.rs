//! The body of a request on its way to a peer: a few pieces at a time.
//!
//! **Invariant**: no more than [`PIECES`] pieces wait here; a client that sends faster than the peer takes is made to wait.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Pieces that wait for the peer to take them.
const PIECES: usize = 4;

const UNTOUCHED: u8 = 0;
const BEGUN: u8 = 1;
const ENDED: u8 = 2;
const BROKEN: u8 = 3;

/// A body; its clones are the same one, so that a request can be sent again as long as nothing was taken of it.
#[derive(Debug, Clone)]
pub struct Upload(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pieces: Mutex<Option<mpsc::Receiver<Option<Bytes>>>>,
    length: Option<u64>,
    taken: AtomicU64,
    state: AtomicU8,
}

/// Where its pieces come from. A body whose feed goes away before [`Feed::end`] is broken off.
#[derive(Debug)]
pub struct Feed(mpsc::Sender<Option<Bytes>>);

impl Feed {
    /// Adds a piece, when there is room for it; `false` when nobody wants more.
    pub async fn add(&self, piece: Bytes) -> bool {
        self.0.send(Some(piece)).await.is_ok()
    }

    /// Says that this was all.
    pub async fn end(self) {
        // Nobody may be there to hear it, which is as well.
        self.0.send(None).await.ok();
    }
}

/// The client broke its body off.
#[derive(Debug, thiserror::Error)]
#[error("the client broke its request off")]
pub struct BrokenOff;

impl Upload {
    /// A request without a body.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(Shared {
            pieces: Mutex::new(None),
            length: Some(0),
            taken: AtomicU64::new(0),
            state: AtomicU8::new(UNTOUCHED),
        }))
    }

    /// A body of a length, if that is known, and its feed.
    #[must_use]
    pub fn fed(length: Option<u64>) -> (Self, Feed) {
        let (sender, receiver) = mpsc::channel(PIECES);
        let (taken, state) = (AtomicU64::new(0), AtomicU8::new(UNTOUCHED));
        let shared = Shared { pieces: Mutex::new(Some(receiver)), length, taken, state };
        (Self(Arc::new(shared)), Feed(sender))
    }

    /// Whether nothing was taken of it, so that it can be sent again.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.state() == UNTOUCHED
    }

    /// Whether the client broke it off.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.state() == BROKEN
    }

    /// Whether the client still sends: then it is no fault of the peer that there is no answer.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state() == BEGUN
    }

    fn state(&self) -> u8 {
        self.0.state.load(Ordering::Acquire)
    }

    fn mark(&self, state: u8) {
        self.0.state.store(state, Ordering::Release);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let mut pieces = self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(receiver) = pieces.as_mut() else { return Poll::Ready(None) };
        if self.is_untouched() {
            self.mark(BEGUN);
        }
        let Poll::Ready(piece) = receiver.poll_recv(context) else { return Poll::Pending };
        match piece {
            Some(Some(bytes)) => {
                let taken = self.0.taken.fetch_add(bytes.len() as u64, Ordering::AcqRel);
                // Who knows the length does not ask for an end behind it.
                if self.0.length == Some(taken + bytes.len() as u64) {
                    self.mark(ENDED);
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(None) => {
                self.mark(ENDED);
                *pieces = None;
                Poll::Ready(None)
            }
            None => {
                self.mark(BROKEN);
                *pieces = None;
                Poll::Ready(Some(Err(BrokenOff)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
