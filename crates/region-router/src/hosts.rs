//! The hosts of this deployment: which place each names, and what its base URL is.
//!
//! **Invariant**: two places never share a host, and no text of a request ever enters a URL made here.

use crate::population::Population;
use crate::region::Region;
use std::fmt;

/// The label of the host that holds the admin API and the operator console.
const ADMIN_LABEL: &str = "admin";
/// The path of every SCIM base URL (the guides of the products print it; RFC 7644 §3.13 has the version in the path).
const SCIM_PATH: &str = "/scim/v2";

/// A region and a population: what a host names, and what a token names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Where the data lives.
    pub region: Region,
    /// Who is provisioned.
    pub population: Population,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.region, self.population)
    }
}

/// Every known host, both ways.
#[derive(Debug, Clone)]
pub struct Hosts {
    scheme: String,
    port: Option<u16>,
    admin: String,
    known: Vec<(String, Place)>,
}

/// Why a set of hosts cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostsError {
    /// The domain is not made of host name labels.
    #[error("{0:?} is not a domain name")]
    Domain(String),
    /// The scheme is neither of the two.
    #[error("{0:?} is not http or https")]
    Scheme(String),
    /// The prefix would not give a host name.
    #[error("the host prefix {prefix:?} of region {region} does not begin a host name")]
    Prefix {
        /// The region that has it.
        region: Region,
        /// The prefix as given.
        prefix: String,
    },
    /// Two places, or a place and the admin API, would share a host.
    #[error("the host {0} is named twice")]
    Taken(String),
    /// There is nothing to serve.
    #[error("no region is named")]
    NoRegion,
}

impl Hosts {
    /// The hosts of a domain: for every region its prefix followed by each population's label.
    ///
    /// # Errors
    /// When a part is no host name, or two places would share one.
    pub fn new(
        domain: &str,
        scheme: &str,
        port: Option<u16>,
        regions: Vec<(Region, String)>,
    ) -> Result<Self, HostsError> {
        let domain = normal(domain);
        if !domain.split('.').all(is_label) {
            return Err(HostsError::Domain(domain));
        }
        if scheme != "http" && scheme != "https" {
            return Err(HostsError::Scheme(scheme.to_owned()));
        }
        if regions.is_empty() {
            return Err(HostsError::NoRegion);
        }
        let admin = format!("{ADMIN_LABEL}.{domain}");
        let mut known: Vec<(String, Place)> = Vec::with_capacity(regions.len() * 2);
        for (region, prefix) in regions {
            for population in Population::ALL {
                let label = format!("{}{}", prefix.to_ascii_lowercase(), population.host_label());
                if !is_label(&label) {
                    return Err(HostsError::Prefix { region, prefix });
                }
                let host = format!("{label}.{domain}");
                let place = Place { region: region.clone(), population };
                let taken = known.iter().any(|(other, at)| *other == host || *at == place);
                if taken || host == admin {
                    return Err(HostsError::Taken(host));
                }
                known.push((host, place));
            }
        }
        Ok(Self { scheme: scheme.to_owned(), port, admin, known })
    }

    /// The place a `Host` header names: in any case, with any port, with or without the root's dot; nothing else.
    #[must_use]
    pub fn place(&self, host_header: &str) -> Option<Place> {
        let name = host_name(host_header)?;
        let (_, place) = self.known.iter().find(|(host, _)| host.eq_ignore_ascii_case(name))?;
        Some(place.clone())
    }

    /// The host name of a place. For a region that is not configured it is empty, which no request can name.
    #[must_use]
    pub fn host(&self, place: &Place) -> String {
        self.known
            .iter()
            .find(|(_, known)| known == place)
            .map(|(host, _)| host.clone())
            .unwrap_or_default()
    }

    /// Scheme, host and port: `http://eu-app.localhost:8080`.
    #[must_use]
    pub fn origin(&self, place: &Place) -> String {
        self.origin_of(&self.host(place))
    }

    /// The SCIM base URL: `http://eu-app.localhost:8080/scim/v2`.
    #[must_use]
    pub fn base_url(&self, place: &Place) -> String {
        format!("{}{SCIM_PATH}", self.origin(place))
    }

    /// Whether a `Host` header names the admin API.
    #[must_use]
    pub fn is_admin(&self, host_header: &str) -> bool {
        host_name(host_header).is_some_and(|name| name.eq_ignore_ascii_case(&self.admin))
    }

    /// Where the admin API lives: `http://admin.localhost:8080`.
    #[must_use]
    pub fn admin_base_url(&self) -> String {
        self.origin_of(&self.admin)
    }

    /// Every place that has a host, regions in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> Vec<Place> {
        self.known.iter().map(|(_, place)| place.clone()).collect()
    }

    /// Whether the region is configured anywhere.
    #[must_use]
    pub fn knows(&self, region: &Region) -> bool {
        self.known.iter().any(|(_, place)| place.region == *region)
    }

    fn origin_of(&self, host: &str) -> String {
        let implied = match self.scheme.as_str() {
            "https" => 443,
            _ => 80,
        };
        match self.port {
            Some(port) if port != implied => format!("{}://{host}:{port}", self.scheme),
            _ => format!("{}://{host}", self.scheme),
        }
    }
}

fn normal(domain: &str) -> String {
    domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase()
}

/// A label of a host name (RFC 1123 §2.1).
fn is_label(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name in a `Host` header (RFC 9110 §7.2: a host, then perhaps a colon and a port of digits, which may be empty).
fn host_name(header: &str) -> Option<&str> {
    let name = match header.split_once(':') {
        None => header,
        Some((name, port)) => {
            if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            name
        }
    };
    // A fully qualified name may end with the root's dot (RFC 3986 §3.2.2); one dot, not two.
    Some(name.strip_suffix('.').unwrap_or(name))
}
