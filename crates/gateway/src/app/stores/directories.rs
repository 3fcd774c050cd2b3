//! The stores that are open on this node, by region and shard.
//!
//! **Invariant**: what a tenant's rows are reached through is chosen by the tenant's region and shard, and by nothing of a
//! request.

use directory::Directory;
use region_router::Region;
use std::collections::BTreeMap;
use std::sync::Arc;
use tenant_registry::Tenant;

/// The open stores of this node. Clones are the same stores.
#[derive(Debug, Clone, Default)]
pub struct Directories(Arc<BTreeMap<Region, BTreeMap<String, Directory>>>);

impl Directories {
    /// The store of a tenant, if it is here.
    #[must_use]
    pub fn of(&self, tenant: &Tenant) -> Option<&Directory> {
        self.at(&tenant.region, &tenant.shard)
    }

    /// A shard of a region, if it is here.
    #[must_use]
    pub fn at(&self, region: &Region, shard: &str) -> Option<&Directory> {
        self.0.get(region)?.get(shard)
    }

    /// Every store, in the order of regions and shards.
    pub fn iter(&self) -> impl Iterator<Item = (&Region, &str, &Directory)> {
        self.0.iter().flat_map(|(region, shards)| {
            shards.iter().map(move |(shard, directory)| (region, shard.as_str(), directory))
        })
    }

    /// Whether a store of the region is here.
    #[must_use]
    pub fn serves(&self, region: &Region) -> bool {
        self.0.contains_key(region)
    }

    /// The regions of which a store is here.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.0.keys()
    }
}

impl FromIterator<Directory> for Directories {
    fn from_iter<I: IntoIterator<Item = Directory>>(directories: I) -> Self {
        let mut by_region: BTreeMap<Region, BTreeMap<String, Directory>> = BTreeMap::new();
        for directory in directories {
            let shards = by_region.entry(directory.region().clone()).or_default();
            shards.insert(directory.shard().to_owned(), directory);
        }
        Self(Arc::new(by_region))
    }
}

/// How a store is called where it is one of several: its region, and its shard unless it is the first.
#[must_use]
pub fn label(region: &Region, shard: &str) -> String {
    if shard == crate::config::FIRST_SHARD {
        region.to_string()
    } else {
        format!("{region}/{shard}")
    }
}
