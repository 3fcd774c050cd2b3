//! A peer that does what a test says, byte by byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// What a peer does with a request whose head it has read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Does {
    /// Answers 200 with an empty list.
    Answer,
    /// Answers this, as somebody who is no gateway.
    Say(&'static str),
    /// Ends the connection.
    HangUp,
    /// Says nothing until the other side ends the connection.
    Wait,
}

/// A peer, and what it was sent.
#[derive(Clone, Default)]
pub(super) struct Peer {
    heads: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<usize>>,
}

impl Peer {
    pub(super) async fn start(does: Does) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = Self::default();
        let (kept, tasks) = (peer.clone(), TaskTracker::new());
        tasks.clone().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tasks.spawn(async move { kept.serve(stream, does).await });
            }
        });
        (peer, address)
    }

    async fn serve(&self, mut stream: TcpStream, does: Does) {
        while let Some(head) = head(&mut stream).await {
            self.heads.lock().unwrap().push(head);
            match does {
                Does::Answer => {
                    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/scim+json\r\ncontent-length: 2\r\nx-hop: 1\r\nconnection: x-hop\r\n\r\n{}";
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                Does::Say(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                Does::HangUp => return,
                Does::Wait => {
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest).await.ok();
                    *self.ended.lock().unwrap() += 1;
                    return;
                }
            }
        }
    }

    /// The heads of the requests that came.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Requests that the other side gave up.
    pub(super) fn ended(&self) -> usize {
        *self.ended.lock().unwrap()
    }
}

/// Reads one head, in small letters.
pub(super) async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(bytes).unwrap().to_ascii_lowercase())
}
