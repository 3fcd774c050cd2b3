//! The stores of this node, by region and shard: those that are open, and those that will be once they answer.
//!
//! **Invariant**: what a tenant's rows are reached through is chosen by the tenant's region and shard, and by nothing of a
//! request.

use directory::Directory;
use region_router::Region;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tenant_registry::Tenant;

/// The stores of this node. Clones are the same stores.
#[derive(Debug, Clone, Default)]
pub struct Directories(Arc<BTreeMap<Region, BTreeMap<String, OnceLock<Directory>>>>);

impl Directories {
    /// Room for these stores, none of which is open.
    pub fn of_names(names: impl IntoIterator<Item = (Region, String)>) -> Self {
        let mut by_region: BTreeMap<Region, BTreeMap<String, OnceLock<Directory>>> =
            BTreeMap::new();
        for (region, shard) in names {
            by_region.entry(region).or_default().insert(shard, OnceLock::new());
        }
        Self(Arc::new(by_region))
    }

    /// Puts an open store where there is room for it and none yet; whether that was so.
    pub fn put(&self, directory: Directory) -> bool {
        let room = self.0.get(directory.region()).and_then(|shards| shards.get(directory.shard()));
        room.is_some_and(|room| room.set(directory).is_ok())
    }

    /// The stores that are not open yet.
    pub fn missing(&self) -> impl Iterator<Item = (&Region, &str)> {
        self.0.iter().flat_map(|(region, shards)| {
            let closed = shards.iter().filter(|(_, directory)| directory.get().is_none());
            closed.map(move |(shard, _)| (region, shard.as_str()))
        })
    }

    /// The store of a tenant, if it is here and open.
    #[must_use]
    pub fn of(&self, tenant: &Tenant) -> Option<&Directory> {
        self.at(&tenant.region, &tenant.shard)
    }

    /// A shard of a region, if it is here and open.
    #[must_use]
    pub fn at(&self, region: &Region, shard: &str) -> Option<&Directory> {
        self.0.get(region)?.get(shard)?.get()
    }

    /// Every open store, in the order of regions and shards.
    pub fn iter(&self) -> impl Iterator<Item = (&Region, &str, &Directory)> {
        self.0.iter().flat_map(|(region, shards)| {
            let open =
                shards.iter().filter_map(|(shard, directory)| Some((shard, directory.get()?)));
            open.map(move |(shard, directory)| (region, shard.as_str(), directory))
        })
    }

    /// Whether a store of the region is here, open or not.
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
        let directories: Vec<Directory> = directories.into_iter().collect();
        let named = |one: &Directory| (one.region().clone(), one.shard().to_owned());
        let all = Self::of_names(directories.iter().map(named));
        for directory in directories {
            all.put(directory);
        }
        all
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
