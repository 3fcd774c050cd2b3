//! A collector of traces that keeps every byte it is sent (OTLP over HTTP, protobuf).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// What came, request by request: head and body.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    requests: Arc<Mutex<Vec<Export>>>,
}

/// One request.
struct Export {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// One span, as far as tests look at it.
#[derive(Debug, Clone)]
pub(crate) struct SpanSeen {
    pub(crate) trace_id: String,
    pub(crate) name: String,
    pub(crate) is_root: bool,
    pub(crate) id: String,
    pub(crate) parent: String,
    /// What other systems said of the trace.
    pub(crate) state: Vec<u8>,
    /// The traces that it links to.
    pub(crate) links: Vec<String>,
    /// The names of its attributes.
    pub(crate) attributes: Vec<String>,
}

impl Collector {
    /// Listens on a port of the system's choice.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Self::default();
        let (kept, tasks) = (collector.clone(), TaskTracker::new());
        tasks.clone().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tasks.spawn(async move { kept.serve(stream).await });
            }
        });
        (collector, address)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            while let Some((head, body, rest)) = request(&bytes) {
                self.requests.lock().unwrap().push(Export { head, body });
                bytes = rest;
                let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
            let mut chunk = vec![0; 16_384];
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Every byte that came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let requests = self.requests.lock().unwrap();
        requests.iter().flat_map(|one| [one.head.as_slice(), &one.body].concat()).collect()
    }

    /// Every span that came.
    pub(crate) fn spans(&self) -> Vec<SpanSeen> {
        let mut spans = Vec::new();
        for one in self.requests.lock().unwrap().iter() {
            // ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans.
            for resource in fields(&one.body, 1) {
                for scope in fields(&resource, 2) {
                    for span in fields(&scope, 2) {
                        spans.push(SpanSeen::read(&span));
                    }
                }
            }
        }
        spans
    }
}

impl SpanSeen {
    fn read(span: &[u8]) -> Self {
        let hex = |bytes: &Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let first = |number| fields(span, number).first().cloned().unwrap_or_default();
        let parent = hex(&first(4));
        Self {
            trace_id: hex(&first(1)),
            id: hex(&first(2)),
            state: first(3),
            is_root: parent.is_empty(),
            parent,
            name: text(&first(5)),
            attributes: fields(span, 9).iter().map(|pair| text(&fields(pair, 1)[0])).collect(),
            links: fields(span, 13).iter().map(|link| hex(&fields(link, 1)[0])).collect(),
        }
    }
}

/// The first whole request: its head, its body, what follows.
fn request(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?
        .trim()
        .parse()
        .unwrap();
    let all = bytes.get(..end + length)?;
    Some((all[..end].to_vec(), all[end..].to_vec(), bytes[end + length..].to_vec()))
}

/// The length-delimited fields of a protobuf message with this number.
fn fields(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let key = varint(message, &mut at);
        match key & 7 {
            0 => drop(varint(message, &mut at)),
            1 => at += 8,
            2 => {
                let length = usize::try_from(varint(message, &mut at)).unwrap();
                if key >> 3 == number {
                    found.push(message[at..at + length].to_vec());
                }
                at += length;
            }
            5 => at += 4,
            kind => panic!("wire type {kind}"),
        }
    }
    found
}

fn varint(message: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = message[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
