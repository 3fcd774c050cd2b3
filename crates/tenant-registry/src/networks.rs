//! From where a credential may be used.
//!
//! **Invariant**: no network is anywhere; a list that cannot be read is an error and never anywhere.

use ipnet::{IpNet, Ipv4Net};
use std::fmt;
use std::net::IpAddr;

/// Networks that one list may name.
const MOST: usize = 50;

/// Networks in the notation of RFC 4632 §3.1 and RFC 4291 §2.3; none of them is anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no network; write an address or a network such as 203.0.113.0/24 or 2001:db8::/32, at most 50"
)]
pub struct NetworksError(String);

impl Networks {
    /// Parses addresses and networks between commas or spaces. Nothing is anywhere.
    ///
    /// # Errors
    /// On the first word that is neither, and on more than 50.
    pub fn parse(text: &str) -> Result<Self, NetworksError> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let read = |word: &str| {
            let network = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
            network
                .map(|network: IpNet| canonical(network.trunc()))
                .map_err(|_neither| NetworksError(word.to_owned()))
        };
        let networks = words.map(read).collect::<Result<Vec<_>, _>>()?;
        match networks.get(MOST) {
            Some(one_more) => Err(NetworksError(one_more.to_string())),
            None => Ok(Self(networks)),
        }
    }

    /// Whether the address is in one of them. An IPv4 address that came as IPv6 (RFC 4291 §2.5.5.2) is taken for itself.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.is_empty() || self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether this is anywhere.
    #[must_use]
    pub fn are_anywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Each network, as it is written.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

/// A network of IPv4 addresses that are written as IPv6 (RFC 4291 §2.5.5.2) is one of IPv4: addresses are compared so.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let mapped = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    let four = mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    four.map_or(network, IpNet::V4)
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn a_list_says_from_where() {
        let networks = Networks::parse("203.0.113.7/24, 2001:db8::1").unwrap();
        assert_eq!(networks.to_string(), "203.0.113.0/24,2001:db8::1/128");
        for (address, is_in) in [
            ("203.0.113.200", true),
            ("::ffff:203.0.113.200", true),
            ("203.0.114.1", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
        ] {
            assert_eq!(networks.contain(address.parse().unwrap()), is_in, "{address}");
        }
        let mapped = Networks::parse("::ffff:198.51.100.0/120").unwrap();
        assert_eq!(mapped.to_string(), "198.51.100.0/24");
        assert!(Networks::default().contain("192.0.2.1".parse().unwrap()));
        for bad in ["x", "1.2.3.4/33", "1.2.3", &"1.2.3.4,".repeat(51)] {
            assert!(Networks::parse(bad).is_err(), "{bad}");
        }
    }
}
