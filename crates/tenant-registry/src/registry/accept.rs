//! An operator's word that what the registry's database holds is right, whatever the nodes knew before.
//!
//! **Invariant**: it is a change like any other, with its audit row. A node follows a word that is newer than the last one that
//! it has followed, so that a restored copy does not bring its own along.

use super::{Pending, Registry, pepper};
use crate::by::By;
use crate::entity::{micros, secret};
use crate::error::RegistryError;
use migrations::Database;
use serde_json::json;

/// What was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The generation of the word.
    pub generation: i64,
    /// How many tenants there are.
    pub tenants: usize,
    /// How many credentials and OAuth clients.
    pub credentials: usize,
}

/// The last word of an operator; 0 where there is none.
pub(super) async fn word(db: &Database) -> Result<i64, RegistryError> {
    let word = pepper::find(db, secret::ACCEPTED).await?;
    Ok(word.and_then(|word| word.parse().ok()).unwrap_or(0))
}

impl Registry {
    /// Says that what the database holds is to be taken by every node.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "registry.accept", skip_all)]
    pub async fn accept(&self, by: &By) -> Result<Pending<Accepted>, RegistryError> {
        let change = self.begin(by).await?;
        pepper::put(&change, secret::ACCEPTED, &micros(change.at).to_string()).await?;
        let (tenants, credentials) = self.shared.snapshot.load().counts();
        let accepted = Accepted { generation: change.generation, tenants, credentials };
        let detail = json!({ "tenants": tenants, "credentials": credentials });
        change.done(("registry.accept", None, "registry"), detail, accepted).await
    }
}
