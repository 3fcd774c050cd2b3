//! Requests that no client library would send, over a plain connection.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes and reads until the whole answer is there, or fails after ten seconds.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before all is sent.
    stream.write_all(request).await.ok();
    answer(&mut stream).await
}

/// Reads one answer: its status, its head in lower case, its body.
pub(crate) async fn answer(stream: &mut TcpStream) -> (u16, String, String) {
    let reading = async {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = stream.read(&mut chunk).await.unwrap_or(0);
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |n| n.trim().parse().unwrap());
                if body.len() >= length || read == 0 {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return (status, head, body.to_owned());
                }
            }
            assert_ne!(read, 0, "the connection ended in the middle: {text:?}");
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("an answer in ten seconds")
}
