//! Whether what the registry says now can follow what it said before.
//!
//! **Invariant**: pure. A doubt is about losing what is known; what is new and whole raises none.

use super::Snapshot;
use region_router::Region;
use std::collections::BTreeSet;

/// As many may be missing without a doubt: a row that cannot be read, or that somebody deleted by hand.
const HANDFUL: usize = 5;

/// Why what the registry's database holds is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Its number of changes is smaller than before.
    #[error("its generation is {next}, and {known} is known")]
    GenerationBack {
        /// What is known.
        known: i64,
        /// What the database says.
        next: i64,
    },
    /// Most tenants are gone.
    #[error("{missing} of {known} tenants are missing")]
    TenantsMissing {
        /// How many are known.
        known: usize,
        /// How many of them are not there.
        missing: usize,
    },
    /// Most credentials or OAuth clients of tenants that are not purged are gone.
    #[error("{missing} of {known} credentials are missing")]
    CredentialsMissing {
        /// How many are known.
        known: usize,
        /// How many of them are not there.
        missing: usize,
    },
    /// A tenant came to a region that is not configured here.
    #[error("tenant {tenant} is in region {region}, which is not configured here")]
    UnknownRegion {
        /// Its id.
        tenant: String,
        /// Where it is said to be.
        region: Region,
    },
    /// The fence of a tenant was lowered.
    #[error("the epoch of tenant {tenant} is {next}, and {known} is known")]
    EpochBack {
        /// Its id.
        tenant: String,
        /// What is known.
        known: i64,
        /// What the database says.
        next: i64,
    },
    /// A row is as it was before its last known change: a revocation may be undone by it.
    #[error("{row} is as it was before its last known change")]
    RowBack {
        /// The tenant's id, the key id or the client's id.
        row: String,
    },
    /// Its tokens are hashed under another key.
    #[error("its tokens are hashed with another pepper")]
    OtherPepper,
}

impl Doubt {
    /// Every word of [`Self::word`].
    pub const WORDS: [&str; 7] = [
        "generation_back",
        "tenants_missing",
        "credentials_missing",
        "unknown_region",
        "epoch_back",
        "row_back",
        "other_pepper",
    ];

    /// One word, for a metric.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::GenerationBack { .. } => "generation_back",
            Self::TenantsMissing { .. } => "tenants_missing",
            Self::CredentialsMissing { .. } => "credentials_missing",
            Self::UnknownRegion { .. } => "unknown_region",
            Self::EpochBack { .. } => "epoch_back",
            Self::RowBack { .. } => "row_back",
            Self::OtherPepper => "other_pepper",
        }
    }
}

/// The first reason not to put `next` in the place of `known`. With `regions`, a tenant may come to these only.
pub(crate) fn find(
    known: &Snapshot,
    next: &Snapshot,
    regions: Option<&BTreeSet<Region>>,
) -> Option<Doubt> {
    if next.generation < known.generation {
        return Some(Doubt::GenerationBack { known: known.generation, next: next.generation });
    }
    missing_tenants(known, next)
        .or_else(|| missing_credentials(known, next))
        .or_else(|| regions.and_then(|regions| unknown_region(known, next, regions)))
        .or_else(|| tenant_back(known, next))
        .or_else(|| credential_back(known, next))
}

fn too_many(missing: usize, known: usize) -> bool {
    missing > HANDFUL && missing * 2 > known
}

/// The row of a purged tenant stays, so that none ever goes.
fn missing_tenants(known: &Snapshot, next: &Snapshot) -> Option<Doubt> {
    let missing = known.tenants.keys().filter(|id| !next.tenants.contains_key(*id)).count();
    let known = known.tenants.len();
    too_many(missing, known).then_some(Doubt::TenantsMissing { known, missing })
}

/// Those of a purged tenant go with it.
fn missing_credentials(known: &Snapshot, next: &Snapshot) -> Option<Doubt> {
    let stays = |id| next.tenants.get(id).is_none_or(|tenant| !tenant.state.is_gone());
    let tokens = known
        .credentials
        .iter()
        .filter(|(_, kept)| stays(&kept.tenant_id))
        .map(|(key_id, _)| next.credentials.contains_key(key_id));
    let clients = known
        .clients
        .iter()
        .filter(|(_, kept)| stays(&kept.tenant_id))
        .map(|(key_id, _)| next.clients.contains_key(key_id));
    let (known, missing) = tokens
        .chain(clients)
        .fold((0, 0), |(known, missing), is_there| (known + 1, missing + usize::from(!is_there)));
    too_many(missing, known).then_some(Doubt::CredentialsMissing { known, missing })
}

fn unknown_region(known: &Snapshot, next: &Snapshot, regions: &BTreeSet<Region>) -> Option<Doubt> {
    let tenant = next.tenants.values().find(|tenant| {
        let before = known.tenants.get(&tenant.id).map(|before| &before.region);
        !regions.contains(&tenant.region) && before != Some(&tenant.region)
    })?;
    Some(Doubt::UnknownRegion { tenant: tenant.id.to_string(), region: tenant.region.clone() })
}

fn tenant_back(known: &Snapshot, next: &Snapshot) -> Option<Doubt> {
    known.tenants.values().find_map(|before| {
        let now = next.tenants.get(&before.id)?;
        let tenant = || before.id.to_string();
        if now.epoch < before.epoch {
            return Some(Doubt::EpochBack {
                tenant: tenant(),
                known: before.epoch,
                next: now.epoch,
            });
        }
        (now.version < before.version).then(|| Doubt::RowBack { row: tenant() })
    })
}

fn credential_back(known: &Snapshot, next: &Snapshot) -> Option<Doubt> {
    let token = known.credentials.iter().find_map(|(key_id, before)| {
        let now = next.credentials.get(key_id)?;
        (now.version < before.version).then(|| before.id())
    });
    let client = || {
        known.clients.iter().find_map(|(key_id, before)| {
            let now = next.clients.get(key_id)?;
            (now.version < before.version).then(|| before.client_id.clone())
        })
    };
    token.or_else(client).map(|row| Doubt::RowBack { row })
}

#[cfg(test)]
mod tests;
