//! `[hosting]`: how the hosts are named to the world.

use super::regions::RegionSettings;
use super::values::Values;
use region_router::{Hosts, HostsError};

/// How the hosts are named to the world.
#[derive(Debug, Clone)]
pub struct Hosting {
    /// The domain under which the hosts live.
    pub domain: String,
    /// The scheme of the URLs that are given out.
    pub public_scheme: String,
    /// The port of the URLs that are given out; absent, it is the one that is listened on.
    pub public_port: Option<u16>,
    /// A page for administrators, named in `/ServiceProviderConfig`.
    pub documentation_uri: Option<String>,
}

impl Hosting {
    /// The hosts, given the port that is listened on.
    ///
    /// # Errors
    /// Never for a configuration that was read: [`read`] made them once.
    pub fn hosts(&self, bound: u16, regions: &[RegionSettings]) -> Result<Hosts, HostsError> {
        let regions = regions.iter().map(|r| (r.region.clone(), r.host_prefix.clone())).collect();
        let port = self.public_port.unwrap_or(bound);
        Hosts::new(&self.domain, &self.public_scheme, Some(port), regions)
    }
}

pub(super) fn read(values: &mut Values, regions: &[RegionSettings]) -> Hosting {
    let is_web = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let hosting = Hosting {
        domain: values.text("hosting.domain").unwrap_or_else(|| "localhost".to_owned()),
        public_scheme: values
            .parsed("hosting.public_scheme", "http or https", |text| {
                ["http", "https"].contains(&text).then(|| text.to_owned())
            })
            .unwrap_or_else(|| "http".to_owned()),
        public_port: values.parsed("hosting.public_port", "a port from 1 to 65535", |text| {
            text.parse().ok().filter(|port| *port != 0)
        }),
        documentation_uri: values.parsed(
            "hosting.documentation_uri",
            "a URL that begins with https:// or http://",
            |text| is_web(text).then(|| text.to_owned()),
        ),
    };
    if let Err(error) = hosting.hosts(1, regions) {
        let key = match &error {
            HostsError::Domain(_) | HostsError::NoRegion => "hosting.domain".to_owned(),
            HostsError::Scheme(_) => "hosting.public_scheme".to_owned(),
            HostsError::Prefix { region, .. } => format!("regions.{region}.host_prefix"),
            HostsError::Taken(_) => shared_prefix(regions),
        };
        values.problem(&key, error.to_string());
    }
    hosting
}

/// The key of the later of two regions that have the same prefix.
fn shared_prefix(regions: &[RegionSettings]) -> String {
    let mut seen = std::collections::BTreeSet::new();
    let twice = regions.iter().find(|region| !seen.insert(region.host_prefix.to_ascii_lowercase()));
    twice
        .or(regions.last())
        .map_or_else(String::new, |r| format!("regions.{}.host_prefix", r.region))
}
