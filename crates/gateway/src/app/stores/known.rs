//! Whether a store is the one that the registry knows.
//!
//! **Invariant**: a database that is not the one in which a region's people are is not served from: they would be there a second
//! time. While the registry does not answer nobody can say, and what is configured is believed.

use super::{label, store_key};
use crate::clock::Clock;
use anyhow::bail;
use directory::Directory;
use tenant_registry::{By, Home, Registry, RegistryError};

/// What the registry says of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is the one, or the first.
    Same,
    /// It is another.
    Other,
    /// It does not answer.
    Unsaid,
}

impl Known {
    /// Asks the registry, which knows the store from now on if it knew none.
    pub(crate) async fn of(registry: &Registry, directory: &Directory) -> Self {
        let (place, now) = (place(directory), Clock.now());
        Self::said(registry.knows_store(&place, directory.id(), now).await, directory)
    }

    /// Asks the registry, and leaves it as it is.
    pub(crate) async fn look(registry: &Registry, directory: &Directory) -> Self {
        Self::said(registry.may_be_store(&place(directory), directory.id()).await, directory)
    }

    fn said(said: Result<bool, RegistryError>, directory: &Directory) -> Self {
        match said {
            Ok(true) => Self::Same,
            Ok(false) => Self::Other,
            Err(error) => {
                let store = label(directory.region(), directory.shard());
                let error = migrations::causes(&error);
                tracing::warn!(
                    store,
                    error,
                    "whether a store is the one that the registry knows cannot be asked; it is believed to be"
                );
                Self::Unsaid
            }
        }
    }

    /// Nothing, unless the store is another one.
    ///
    /// # Errors
    /// When it is.
    pub(crate) fn or_refuse(self, directory: &Directory) -> anyhow::Result<()> {
        match self {
            Self::Same | Self::Unsaid => Ok(()),
            Self::Other => bail!("{}", refusal(directory)),
        }
    }
}

/// What is said of a store that is another one.
pub(super) fn refusal(directory: &Directory) -> String {
    let (region, shard) = (directory.region(), directory.shard());
    let (label, key) = (label(region, shard), store_key(region, shard));
    format!(
        "the database in {key} is not the one that the registry knows as the store of {label}, and the people of its tenants are not in it: check {key} (a copy that was restored from a backup is known again). If this is the one from now on, say so: muster registry accept --store {label}"
    )
}

/// An operator's word that a store is the one of its place.
///
/// # Errors
/// When the registry fails.
pub(crate) async fn accept(
    registry: &Registry,
    directory: &Directory,
) -> Result<(), RegistryError> {
    let by = By::cli(Clock.now());
    registry.accept_store(&place(directory), directory.id(), &by).await?.commit().await
}

fn place(directory: &Directory) -> Home {
    Home { region: directory.region().clone(), shard: directory.shard().to_owned() }
}
