//! `muster migrate`.

use super::output::Output;
use crate::app::Stores;
use crate::app::stores::label;
use crate::config::Config;
use serde_json::json;
use tokio_util::task::TaskTracker;

/// Opening a store brings its schema up to date; then it is closed again.
pub(super) async fn migrate(config: &Config, output: Output) -> anyhow::Result<()> {
    let stores = Stores::open(config, &TaskTracker::new()).await?;
    let mut regions = Vec::new();
    for (region, shard, directory) in stores.directories.iter() {
        directory.close().await?;
        regions.push(label(region, shard));
    }
    let mut lines = vec!["the registry is up to date".to_owned()];
    lines
        .extend(regions.iter().map(|region| format!("the store of region {region} is up to date")));
    output.answer(&json!({ "registry": "up to date", "regions": regions }), &lines)
}
