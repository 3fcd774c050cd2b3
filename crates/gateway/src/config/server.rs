//! `[server]`: the listener, its threads, and how it stops.

use super::values::Values;
use std::net::SocketAddr;
use std::time::Duration;

/// The listener for the four hosts and the admin API.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Threads that answer requests; 0 is one for each core.
    pub workers: usize,
    /// How long a stopping node still accepts, with `Connection: close`, while load balancers look elsewhere.
    pub drain_delay: Duration,
    /// How long requests in flight may take to end after that.
    pub shutdown_timeout: Duration,
}

pub(super) fn read(values: &mut Values) -> ServerSettings {
    let no_longer = Duration::from_mins(10);
    ServerSettings {
        listen: values.address("server.listen", SocketAddr::from(([127, 0, 0, 1], 8080))),
        workers: values.number("server.workers", 0, 0..=1024),
        drain_delay: values.span(
            "server.drain_delay",
            Duration::from_secs(1),
            Duration::ZERO..=no_longer,
        ),
        shutdown_timeout: values.span(
            "server.shutdown_timeout",
            Duration::from_secs(20),
            Duration::from_secs(1)..=no_longer,
        ),
    }
}
