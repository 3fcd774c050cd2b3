//! A change that is made once its answer is.
//!
//! **Invariant**: what is dropped is not made, and what is committed is known here when the commit returns. A commit whose
//! answer is lost is looked for before anything is said about it.

use super::{Registry, answers};
use crate::audit::AuditEntry;
use crate::entity;
use crate::error::RegistryError;
use crate::once::{Once, Remembered};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};
use std::fmt;
use std::ops::Deref;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;

/// How often a lost commit is looked for.
const LOOKS: usize = 5;
/// How long it takes from one look to the next.
const PAUSE: Duration = Duration::from_millis(200);

/// A change in its transaction, and what it makes. Dropped, it is not made.
///
/// Every other change waits for it: render the answer, and nothing else, before it is committed.
#[must_use = "a change that is not committed is not made"]
pub struct Pending<T> {
    value: T,
    /// Nothing where nothing changes and nothing is to be remembered.
    open: Option<Open>,
}

pub(super) struct Open {
    pub(super) registry: Registry,
    pub(super) transaction: DatabaseTransaction,
    /// Given back after the transaction's end.
    pub(super) turn: OwnedMutexGuard<()>,
    /// Nothing where nothing changes.
    pub(super) entry: Option<AuditEntry>,
    pub(super) once: Option<Once>,
    pub(super) at: OffsetDateTime,
}

impl<T: fmt::Debug> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("value", &self.value)
            .field("changed", &self.changed())
            .finish_non_exhaustive()
    }
}

impl<T> Deref for Pending<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Pending<T> {
    pub(super) fn unchanged(value: T) -> Self {
        Self { value, open: None }
    }

    pub(super) fn open(value: T, open: Open) -> Self {
        Self { value, open: Some(open) }
    }

    /// Whether committing it changes anything.
    pub fn changed(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.entry.is_some())
    }

    /// Makes the change, and makes it known: here at once, elsewhere by Redis or by their asking.
    ///
    /// # Errors
    /// When the database fails; [`RegistryError::Uncertain`] when it does not say whether the change was made.
    pub async fn commit(self) -> Result<T, RegistryError> {
        self.end(None).await
    }

    /// The same, and remembers the answer for the request's key, where it has one.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_with(self, answer: &Remembered) -> Result<T, RegistryError> {
        self.end(Some(answer)).await
    }

    /// Leaves everything as it is.
    pub async fn discard(self) -> T {
        if let Some(open) = self.open
            && let Err(error) = open.transaction.rollback().await
        {
            // Without its COMMIT it is not made, whether or not the database heard of it.
            tracing::debug!(error = %error, "A change of the registry could not be rolled back.");
        }
        self.value
    }

    async fn end(self, answer: Option<&Remembered>) -> Result<T, RegistryError> {
        let Self { value, open } = self;
        let Some(Open { registry, transaction, turn, entry, once, at }) = open else {
            return Ok(value);
        };
        if let (Some(once), Some(answer)) = (&once, answer) {
            answers::keep(&transaction, once, answer, at).await?;
        }
        let Some(entry) = entry else {
            // Only the answer is new: no node needs to read anything.
            lower_generation(&transaction).await.map_err(RegistryError::Database)?;
            transaction.commit().await.map_err(RegistryError::Database)?;
            return Ok(value);
        };
        if let Err(lost) = transaction.commit().await {
            registry.look_for(&entry, lost).await?;
        }
        drop(turn);
        if let Err(error) = registry.refresh().await {
            tracing::warn!(error = %error, "The registry changed, and could not be read again yet.");
        }
        registry.announce(entry.generation).await;
        Ok(value)
    }
}

impl Registry {
    /// Whether a change was made of which only the beginning is known.
    async fn look_for(&self, entry: &AuditEntry, lost: DbErr) -> Result<(), RegistryError> {
        for _ in 0..LOOKS {
            match self.was_made(entry).await {
                Ok(true) => {
                    tracing::warn!(error = %lost, "The answer to a commit was lost; the change was made.");
                    return Ok(());
                }
                Ok(false) => return Err(RegistryError::Database(lost)),
                Err(error) => {
                    tracing::debug!(error = %error, "A lost commit could not be looked for yet.");
                    sleep(PAUSE).await;
                }
            }
        }
        Err(RegistryError::Uncertain(lost))
    }

    async fn was_made(&self, entry: &AuditEntry) -> Result<bool, RegistryError> {
        // Who has the lock knows that the lost transaction has ended one way or the other.
        let (transaction, _) = self.lock().await?;
        let row = entity::audit::Entity::find_by_id(entry.generation)
            .one(&transaction)
            .await
            .map_err(RegistryError::Database)?;
        transaction.rollback().await.map_err(RegistryError::Database)?;
        Ok(row.map(entity::audit::Model::read).transpose()?.as_ref() == Some(entry))
    }
}

async fn lower_generation(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    use entity::generation::{Column, Entity, ONLY};
    Entity::update_many()
        .col_expr(Column::Generation, Expr::col(Column::Generation).sub(1))
        .filter(Column::Id.eq(ONLY))
        .exec(transaction)
        .await?;
    Ok(())
}
