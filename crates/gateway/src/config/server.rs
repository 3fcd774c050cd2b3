//! `[server]`: the listener, its threads, and how it stops.

use super::values::Values;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
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
    /// Whose word for the address of a client is taken.
    pub trusted_proxies: TrustedProxies,
}

/// The networks of the proxies in front of the process; none of them is nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks.
    ///
    /// # Errors
    /// With the first word that is neither.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let read = |word: &'a str| {
            let network = word.parse().ok();
            network
                .or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))
                .map(|network: IpNet| network.trunc())
                .ok_or(word)
        };
        Ok(Self(words.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Whether the address is one of theirs.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
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
        trusted_proxies: trusted_proxies(values),
    }
}

fn trusted_proxies(values: &mut Values) -> TrustedProxies {
    let key = "server.trusted_proxies";
    let words = values.words(key).unwrap_or_default();
    TrustedProxies::parse(words.iter().map(String::as_str)).unwrap_or_else(|word| {
        let expected = "must name addresses and networks such as 10.0.0.0/8 or 2001:db8::1";
        values.problem(key, format!("{expected}, and {word:?} is neither"));
        TrustedProxies::default()
    })
}
