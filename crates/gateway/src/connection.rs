//! A client's connection, as the server library reads it: one request at a time.
//!
//! The library reads ahead: it decodes the next request of a connection while the last one is being answered, and frames
//! an answer by the method and version of whichever head it has *decoded* last (`actix_http::h1::Codec`). A HEAD that was
//! sent behind a GET took the body from the GET's answer, and a GET behind a HEAD gave the HEAD's answer a body.
//!
//! It also says `100 Continue` to whoever waits for it as soon as it has the head, and nobody can ask it not to. It is not
//! passed on; the connection says it when the request's body is read (RFC 9110 §10.1.1).
//!
//! **Invariant**: from the end of a request to the last byte of its answer the library is shown nothing of what follows
//! (RFC 9112 §9.3.2: in order). No byte that a client sends is changed, added, or taken away: all that is decided here is
//! when it is read.

mod body;
mod refusal;
mod turn;

use actix_web::rt::net::TcpStream;
use actix_web::web::BytesMut;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
pub(crate) use turn::{Turn, take_turn};

/// The word that a client may wait for before it sends a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A connection that gives its requests out one by one.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    turn: Rc<Turn>,
    /// What has come, and has to wait.
    held: BytesMut,
    /// What the connection itself has to say, before anything else.
    own: BytesMut,
    /// Whether a head may have been given out that the library has not decoded.
    is_undecoded: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let (held, own) = (BytesMut::new(), BytesMut::new());
        Self { stream, turn: Rc::default(), held, own, is_undecoded: false }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Whose turn it is; for the requests of this connection.
    pub(crate) fn turn(&self) -> Rc<Turn> {
        Rc::clone(&self.turn)
    }

    /// How many of these bytes may be read now.
    fn admit(&mut self, bytes: &[u8]) -> usize {
        if self.is_undecoded {
            return 0;
        }
        let admitted = self.turn.admit(bytes);
        self.is_undecoded = admitted.may_end_head;
        admitted.count
    }

    /// Says what the connection itself has to say.
    fn poll_own(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.turn.is_asked() {
            self.own.extend_from_slice(CONTINUE);
        }
        while !self.own.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.own))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            drop(self.own.split_to(written));
        }
        Poll::Ready(Ok(()))
    }

    /// Gives out what was held.
    fn release(&mut self, context: &Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_undecoded {
            // The library decodes what it has whenever there is nothing more to read.
            self.is_undecoded = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let held = std::mem::take(&mut self.held);
        let shown = held.get(..out.remaining().min(held.len())).unwrap_or_default();
        let count = self.admit(shown);
        self.held = held;
        if count == 0 {
            return Poll::Pending;
        }
        out.put_slice(&self.held.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.turn.is_over() {
            return Poll::Ready(Ok(()));
        }
        this.turn.remember(context.waker());
        if !this.held.is_empty() {
            return this.release(context, out);
        }
        let before = out.filled().len();
        // Read even if nothing may be given out: it tells that the client is gone.
        let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, out) else {
            this.is_undecoded = false;
            return Poll::Pending;
        };
        read?;
        let came = out.filled().get(before..).unwrap_or_default();
        if came.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let count = this.admit(came);
        this.held.extend_from_slice(came.get(count..).unwrap_or_default());
        out.set_filled(before + count);
        if count == 0 {
            return this.release(context, out);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_own(context))?;
        if this.turn.is_continue_due() && bytes.starts_with(CONTINUE) {
            return Poll::Ready(Ok(CONTINUE.len()));
        }
        if this.turn.is_open()
            && let Some(refusal) = refusal::answer(bytes)
        {
            // Nobody is being answered: the library speaks for itself, and then ends the connection.
            this.own.extend_from_slice(refusal.as_bytes());
            return Poll::Ready(Ok(bytes.len()));
        }
        this.turn.speak();
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_own(context))?;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        // The library flushes when it has written all that it has of an answer.
        if (this.turn.next() && !this.held.is_empty()) || this.turn.is_over() {
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_own(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
