//! Answers to requests with a key of the client's, given again for a day.
//!
//! **Invariant**: an answer is written in the transaction of its change, and looked for under the lock of every change.

use super::Registry;
use crate::entity::answer::{ActiveModel, Column, Entity, Model};
use crate::entity::{micros, unreadable};
use crate::error::RegistryError;
use crate::once::{Once, Remembered};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use time::OffsetDateTime;

/// How long an answer is given again. It goes with the first request with a key that comes after that.
const KEPT: time::Duration = time::Duration::HOUR.saturating_mul(24);

impl Registry {
    /// A request with a key of the client's. `scope` is what the key is good for: caller, method and path.
    #[must_use]
    pub fn once(&self, scope: &str, key: &str, body: &[u8]) -> Once {
        Once::of(&self.shared.keys.load().pepper, scope, key, body)
    }

    /// The answer to this request, when it was answered within a day.
    ///
    /// # Errors
    /// [`RegistryError::OnceReused`] when the key was used for another request; when the database fails.
    pub async fn remembered(
        &self,
        once: &Once,
        now: OffsetDateTime,
    ) -> Result<Option<Remembered>, RegistryError> {
        look(self.db()?.reader(), once, now).await
    }
}

/// Fails with the answer when there is one.
pub(super) async fn refuse_another(
    transaction: &DatabaseTransaction,
    once: &Once,
    at: OffsetDateTime,
) -> Result<(), RegistryError> {
    Entity::delete_many()
        .filter(Column::CreatedAt.lt(micros(at.saturating_sub(KEPT))))
        .exec(transaction)
        .await
        .map_err(RegistryError::Database)?;
    match look(transaction, once, at).await? {
        Some(answer) => Err(RegistryError::Remembered(answer)),
        None => Ok(()),
    }
}

/// Keeps the answer, sealed.
pub(super) async fn keep(
    transaction: &DatabaseTransaction,
    once: &Once,
    answer: &Remembered,
    at: OffsetDateTime,
) -> Result<(), RegistryError> {
    let row = ActiveModel {
        lookup: Set(once.lookup.to_vec()),
        body: Set(once.body.to_vec()),
        status: Set(i64::from(answer.status)),
        answer: Set(once.seal(answer).ok_or(RegistryError::NoRandomness)?),
        created_at: Set(micros(at)),
    };
    Entity::insert(row)
        .exec_without_returning(transaction)
        .await
        .map_err(RegistryError::Database)?;
    Ok(())
}

async fn look(
    connection: &impl ConnectionTrait,
    once: &Once,
    now: OffsetDateTime,
) -> Result<Option<Remembered>, RegistryError> {
    let row = Entity::find_by_id(once.lookup.to_vec())
        .filter(Column::CreatedAt.gte(micros(now.saturating_sub(KEPT))))
        .one(connection)
        .await
        .map_err(RegistryError::Database)?;
    let Some(Model { body, status, answer, created_at, .. }) = row else { return Ok(None) };
    if body != once.body {
        return Err(RegistryError::OnceReused);
    }
    let status = u16::try_from(status).ok();
    let answer = status.and_then(|status| once.open(status, answer));
    answer.map(Some).ok_or_else(unreadable(
        "registry_answers",
        &format!("of {created_at}"),
        "answer",
    ))
}
