//! Where a peer is, and what a request's target becomes there.
//!
//! **Invariant**: a target reaches the peer as it was written: no part of it is decoded, folded or resolved.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// Where a peer is: scheme, host and port, and what stands before every path.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub(super) scheme: Scheme,
    authority: Authority,
    prefix: String,
}

/// The text is no base URL of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the base URL of a gateway is http or https, a host, perhaps a port and a path")]
pub struct GatewayError;

impl Gateway {
    /// Parses a base URL.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(url: &str) -> Result<Self, GatewayError> {
        let uri: Uri = url.parse().map_err(|_other| GatewayError)?;
        let parts = uri.into_parts();
        let path = parts.path_and_query.ok_or(GatewayError)?;
        let scheme = parts.scheme.ok_or(GatewayError)?;
        let authority = parts.authority.ok_or(GatewayError)?;
        let is_known = scheme == Scheme::HTTP || scheme == Scheme::HTTPS;
        if !is_known || path.query().is_some() || authority.as_str().contains('@') {
            return Err(GatewayError);
        }
        let prefix = path.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, prefix })
    }

    pub(super) fn uri(&self, target: &str) -> Option<Uri> {
        let path = if self.prefix.is_empty() {
            target.parse::<PathAndQuery>().ok()?
        } else {
            format!("{}{target}", self.prefix).parse().ok()?
        };
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        uri.path_and_query(path).build().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Gateway;

    #[test]
    fn a_target_reaches_the_peer_as_it_was_written() {
        let gateway = Gateway::parse("http://eu.internal:8080/").unwrap();
        for target in [
            "/scim/v2/Users?filter=userName eq",
            "/scim/v2/Users?filter=userName%20eq%20%22a%22",
            "/scim/v2/Users/\"a\"?filter=%ZZ{|}^`",
            "/scim/v2/Users/../Groups",
            "/scim/v2//Users/%2e%2e/a/?",
        ] {
            let uri = gateway.uri(target);
            match target.contains(' ') {
                true => assert!(uri.is_none(), "{target}"),
                false => {
                    let uri = uri.unwrap();
                    assert_eq!(uri.path_and_query().unwrap().as_str(), target);
                    assert_eq!(uri.authority().unwrap().as_str(), "eu.internal:8080");
                }
            }
        }
        let behind = Gateway::parse("https://internal/eu").unwrap();
        assert_eq!(behind.uri("/a?b").unwrap().to_string(), "https://internal/eu/a?b");
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for bad in ["", "eu", "ftp://eu", "https://", "/eu", "https://eu/?a", "https://a@eu/"] {
            assert!(Gateway::parse(bad).is_err(), "{bad}");
        }
    }
}
