//! As much of HTTP/1.1 (RFC 9112) as a load balancer's client side needs.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: String,
    pub(super) reason: String,
    pub(super) retry_after: String,
    pub(super) body: Vec<u8>,
    length: Option<usize>,
    is_chunked: bool,
    is_last: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Link {
    pub(super) async fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4 << 10) })
    }

    /// Whether the server has not ended it meanwhile.
    pub(super) fn is_open(&self) -> bool {
        let mut byte = [0];
        matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Sends a request and reads its answer; whether another may follow on this connection comes with it.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<(Answer, bool)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (mut answer, start) = loop {
            self.read().await?;
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break (parse(self.buffer.get(..head).unwrap_or_default())?, head + 4);
            }
        };
        if answer.is_chunked {
            answer.body = self.chunks(start).await?;
        } else if let Some(length) = answer.length {
            while self.buffer.len() < start + length {
                self.read().await?;
            }
            answer.body = self.buffer.get(start..start + length).unwrap_or_default().to_vec();
        } else if !matches!(answer.status, 204 | 304) {
            return Err(Error::new(ErrorKind::InvalidData, "no length"));
        }
        let goes_on = !answer.is_last;
        Ok((answer, goes_on))
    }

    async fn chunks(&mut self, start: usize) -> Result<Vec<u8>> {
        let bad = || Error::new(ErrorKind::InvalidData, "bad chunk");
        let (mut at, mut body) = (start, Vec::new());
        loop {
            let end = loop {
                let rest = self.buffer.get(at..).unwrap_or_default();
                if let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
                    break at + end;
                }
                self.read().await?;
            };
            let size = self.buffer.get(at..end).and_then(|text| std::str::from_utf8(text).ok());
            let size = size
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
                .ok_or_else(bad)?;
            let data = end + 2;
            while self.buffer.len() < data + size + 2 {
                self.read().await?;
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(self.buffer.get(data..data + size).unwrap_or_default());
            at = data + size + 2;
        }
    }

    async fn read(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "closed")),
            _ => Ok(()),
        }
    }
}

fn parse(head: &[u8]) -> Result<Answer> {
    let bad = |what: &'static str| Error::new(ErrorKind::InvalidData, what);
    let head = std::str::from_utf8(head).map_err(|_not_text| bad("bad head"))?;
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    let mut answer =
        Answer { status: status.ok_or_else(|| bad("no status"))?, ..Answer::default() };
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => answer.length = value.parse().ok(),
            "transfer-encoding" => answer.is_chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => answer.is_last = value.eq_ignore_ascii_case("close"),
            "etag" => value.clone_into(&mut answer.etag),
            "x-reason" => value.clone_into(&mut answer.reason),
            "retry-after" => value.clone_into(&mut answer.retry_after),
            _ => {}
        }
    }
    Ok(answer)
}
