//! Which databases hold the regions' people.
//!
//! **Invariant**: a region's store is the one that was opened first for it, until an operator says that it is another: an empty
//! database in its place would be a second home for people who have one.

use super::{Pending, Registry, pepper};
use crate::by::By;
use crate::entity::secret;
use crate::error::RegistryError;
use crate::moving::Home;
use serde_json::json;
use time::OffsetDateTime;

fn name(home: &Home) -> String {
    format!("{} {}/{}", secret::STORE, home.region, home.shard)
}

impl Registry {
    /// Whether a store is the one that is known at its place; the first that is asked for becomes it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn knows_store(
        &self,
        home: &Home,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<bool, RegistryError> {
        Ok(pepper::keep(self.db()?, &name(home), id, now).await? == id)
    }

    /// Whether a store may be the one of its place: it is the one that is known, or none is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_be_store(&self, home: &Home, id: &str) -> Result<bool, RegistryError> {
        let known = pepper::find(self.db()?, &name(home)).await?;
        Ok(known.is_none_or(|known| known == id))
    }

    /// Says that a store is from now on the one of its place.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "registry.accept_store", skip_all)]
    pub async fn accept_store(
        &self,
        home: &Home,
        id: &str,
        by: &By,
    ) -> Result<Pending<()>, RegistryError> {
        let change = self.begin(by).await?;
        pepper::put(&change, &name(home), id).await?;
        let detail = json!({ "region": home.region.as_str(), "shard": home.shard, "store": id });
        change.done(("registry.accept_store", None, "registry"), detail, ()).await
    }
}
