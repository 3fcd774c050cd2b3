//! Whether the client is still there while its request is elsewhere.
//!
//! **Invariant**: nothing is read from its connection, only looked at.

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use std::future::pending;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::time::sleep;

/// How long nobody looks: most answers come sooner, and looking costs as much as sending.
const PATIENCE: Duration = Duration::from_millis(250);

/// A second handle of the client's connection.
struct Held(OwnedFd);

/// Keeps a handle of a new connection, for as long as the connection is there.
pub(crate) fn hold(stream: &TcpStream, extensions: &mut Extensions) {
    if let Ok(handle) = stream.as_fd().try_clone_to_owned() {
        extensions.insert(Held(handle));
    }
}

/// Waits until the client ends its connection. The server itself notices that only when it writes. A client that sends
/// its next request already is there.
pub(super) async fn gone(request: &HttpRequest) {
    sleep(PATIENCE).await;
    let held = request.conn_data::<Held>().and_then(|held| held.0.try_clone().ok());
    let stream = held.and_then(|handle| TcpStream::from_std(handle.into()).ok());
    let Some(stream) = stream else { return pending().await };
    if let Ok(1..) = stream.peek(&mut [0]).await {
        pending::<()>().await;
    }
}
