//! From which address a request comes, behind proxies or not.
//!
//! **Invariant**: what a request says of its own address counts as far as it was said by proxies that are trusted, and no
//! further.

use crate::config::TrustedProxies;
use crate::forward::Hop;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: what a gateway of another region says that has forwarded the request, else the peer's, or, if that is a trusted proxy, the last of `X-Forwarded-For` that is none.
#[must_use]
pub fn client_address(request: &HttpRequest, trusted: &TrustedProxies) -> IpAddr {
    // A gateway of ours has found it out already.
    if let Some(hop) = request.extensions().get::<Hop>() {
        return hop.address;
    }
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let peer = peer.to_canonical();
    if !trusted.contain(peer) {
        return peer;
    }
    // Several headers are one list (RFC 9110 §5.3); each proxy adds the address that it was reached from at the end.
    let headers: Vec<&[u8]> =
        request.headers().get_all(X_FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    last_untrusted(peer, &headers, trusted)
}

fn last_untrusted(peer: IpAddr, headers: &[&[u8]], trusted: &TrustedProxies) -> IpAddr {
    let mut nearest = peer;
    for header in headers.iter().rev() {
        // Bytes that are no text are no address either.
        let Ok(header) = std::str::from_utf8(header) else { return nearest };
        for word in header.rsplit(',') {
            // Who wrote what cannot be read is not known, so what stands before it is nobody's word.
            let Some(address) = address_of(word.trim()) else { return nearest };
            nearest = address;
            if !trusted.contain(address) {
                return address;
            }
        }
    }
    nearest
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address_of(word: &str) -> Option<IpAddr> {
    let address = word.parse().ok().or_else(|| {
        let in_brackets = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        in_brackets.and_then(|word| word.parse().ok().map(IpAddr::V6))
    });
    let address = address.or_else(|| word.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::last_untrusted;
    use crate::config::TrustedProxies;

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_is_the_clients() {
        let trusted = TrustedProxies::parse(["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        let peer = "10.0.0.1".parse().unwrap();
        for (headers, client) in [
            (&[][..], "10.0.0.1"),
            (&["203.0.113.9"], "203.0.113.9"),
            // What the client wrote itself stands before what the proxy added.
            (&["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9,10.2.3.4"], "203.0.113.9"),
            (&["203.0.113.9", "10.2.3.4"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2a00::5]:4711"], "2a00::5"),
            (&["[2a00::5], [2001:db8::1]"], "2a00::5"),
            (&["2a00::5,2001:db8::1"], "2a00::5"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            // All are proxies: the one that is farthest.
            (&["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
            // Nobody knows who wrote what cannot be read.
            (&["203.0.113.9, unknown, 10.2.3.4"], "10.2.3.4"),
            (&["203.0.113.9, "], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&["203.0.113.9, 10.2.3.4:x"], "10.0.0.1"),
            (&["203.0.113.9, [203.0.113.9]"], "10.0.0.1"),
            (&["203.0.113.9, fe80::1%eth0"], "10.0.0.1"),
            (&["203.0.113.9", "256.1.1.1"], "10.0.0.1"),
        ] {
            let bytes: Vec<&[u8]> = headers.iter().map(|text| text.as_bytes()).collect();
            let found = last_untrusted(peer, &bytes, &trusted);
            assert_eq!(found.to_string(), client, "{headers:?}");
        }
        assert_eq!(last_untrusted(peer, &[b"203.0.113.9, \xff"], &trusted), peer);
    }
}
