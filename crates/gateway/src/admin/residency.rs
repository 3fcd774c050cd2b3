//! Which stores hold a tenant's data (requirements N15), and what a purge left behind: nothing.
//!
//! **Invariant**: the region is read from each store when it is asked, not from the configuration.

use super::answer::Answer;
use super::call::Call;
use super::input::instant;
use super::problem::{Code, Problem};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Seconds after which a store that was away is worth another try.
const RETRY_AFTER: u32 = 5;
/// The table that says whether a tenant may be written: it holds an id, and nothing about people.
const FENCE: &str = "tenants";

/// Where a tenant's data is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Residency)]
pub struct ResidencyView {
    /// Whose data.
    pub tenant_id: String,
    /// The region that is its home.
    pub home_region: String,
    /// The store of that region.
    pub home_shard: String,
    /// Every store of this node.
    pub stores: Vec<StoreView>,
    /// Regions whose stores are not on this node: ask a node of each.
    pub not_here: Vec<String>,
    /// Whether the data is in its home region alone, as far as this node's stores tell.
    pub is_home_alone: bool,
}

/// What one store holds of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Store)]
pub struct StoreView {
    /// The region that the node is configured to find there.
    pub region: String,
    /// The region that the store itself names.
    pub region_tag: String,
    /// The shard that the node is configured to find there.
    pub shard: String,
    /// The shard that the store itself names.
    pub shard_tag: String,
    /// Whether both agree.
    pub is_tag_right: bool,
    /// The database.
    #[schema(example = "postgres")]
    pub engine: String,
    /// Rows, by table.
    pub rows: BTreeMap<String, u64>,
    /// Rows in all.
    pub total_rows: u64,
}

/// `GET /tenants/{tenant}/residency`.
///
/// # Errors
/// As its row says.
pub async fn read(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    if call.admin.directories.missing().next().is_some() {
        // What cannot be asked may hold something.
        return Err(Problem::new(
            Code::StoreUnavailable,
            "A store of this node does not answer at the moment, and what it holds is not known. Try again later.",
        )
        .retry_after(RETRY_AFTER));
    }
    let mut stores = Vec::new();
    for (region, shard, directory) in call.admin.directories.iter() {
        let found = directory.residency(tenant).await?;
        let rows: BTreeMap<String, u64> =
            found.tables.iter().map(|(table, rows)| ((*table).to_owned(), *rows)).collect();
        stores.push(StoreView {
            region: region.to_string(),
            shard: shard.to_owned(),
            is_tag_right: found.region_tag == region.as_str() && found.shard_tag == shard,
            region_tag: found.region_tag,
            shard_tag: found.shard_tag,
            engine: found.engine.to_owned(),
            total_rows: rows.values().sum(),
            rows,
        });
    }
    let home = tenant.region.as_str();
    let regions = call.admin.config.regions.iter().map(|settings| &settings.region);
    let not_here = regions.filter(|region| !call.admin.directories.serves(region));
    let is_home = |store: &StoreView| {
        store.region == home && store.shard == tenant.shard && store.is_tag_right
    };
    // What is left where a tenant was before is its id and that it moved: nothing is written there any more.
    let is_empty =
        |store: &StoreView| store.total_rows == store.rows.get(FENCE).copied().unwrap_or_default();
    let is_home_alone = stores.iter().all(|store| is_home(store) || is_empty(store));
    let view = ResidencyView {
        tenant_id: tenant.id.to_string(),
        home_region: home.to_owned(),
        home_shard: tenant.shard.clone(),
        not_here: not_here.map(ToString::to_string).collect(),
        stores,
        is_home_alone,
    };
    Ok(Answer::ok(&view))
}

/// What a purge deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Manifest)]
pub struct ManifestView {
    /// Whose data it was.
    pub tenant_id: String,
    /// Where it was.
    pub region: String,
    /// When the last of it was deleted.
    #[schema(format = "date-time")]
    pub purged_at: String,
    /// Rows deleted, by table.
    pub rows: BTreeMap<String, u64>,
}

/// `GET /tenants/{tenant}/manifest`.
///
/// # Errors
/// As its row says.
pub async fn manifest(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant_id()?;
    let found = call.admin.registry.manifest(tenant).await?;
    let manifest = found.ok_or_else(|| Problem::not_found("manifest: the tenant is not purged"))?;
    let view = ManifestView {
        tenant_id: tenant.to_string(),
        region: manifest.region.to_string(),
        purged_at: instant(manifest.at),
        rows: manifest.tables,
    };
    Ok(Answer::ok(&view))
}
