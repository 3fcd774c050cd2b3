//! One connection that is kept: as much of HTTP/1.1 (RFC 9112) as both servers speak.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
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
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, length, start) = loop {
            self.read().await?;
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let (status, length) = parse(self.buffer.get(..head).unwrap_or_default())?;
                break (status, length, head + 4);
            }
        };
        while self.buffer.len() < start + length {
            self.read().await?;
        }
        let body = self.buffer.get(start..start + length).unwrap_or_default().to_vec();
        Ok(Answer { status, body })
    }

    async fn read(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

/// The status and the length of the body. Neither server sends chunks.
fn parse(head: &[u8]) -> Result<(u16, usize)> {
    let bad = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let head = std::str::from_utf8(head).map_err(|error| bad(&error.to_string()))?;
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| bad("no status"))?;
    let mut length = 0;
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_parse| bad("no length"))?;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(bad("chunks"));
        }
    }
    Ok((status, length))
}
