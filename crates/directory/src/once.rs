//! Writes that are done once, however often they are asked for.
//!
//! A client that lost an answer asks again under the same key. The key's row is of the commit that holds the write, so it
//! is there exactly when the write is.
//!
//! **Invariant**: a repeated request is answered with the resource as the first one left it, whatever it has become since. The
//! key itself is kept as a hash.

use crate::decisions::Asked;
use crate::error::DirectoryError;
use crate::scope::{Scoped, instant, micros};
use crate::script::Script;
use crate::users::StoredUser;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Value};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;

/// How long a key is remembered.
const KEPT: Duration = Duration::from_hours(24);

/// What tells a repeated request from a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Hash of the caller, the endpoint and the key that the caller gave.
    pub key: [u8; 32],
    /// Hash of what was asked for.
    pub body: [u8; 32],
}

/// What a repeated request is answered with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) doc: String,
    pub(crate) version: u64,
    pub(crate) active: bool,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Kept {
    /// The user again.
    pub(crate) fn user(self) -> StoredUser {
        StoredUser {
            id: self.id,
            doc: self.doc,
            version: self.version,
            created_at: instant(self.created_at),
            updated_at: instant(self.updated_at),
            groups: None,
            active: self.active,
            manager: None,
            nests: false,
        }
    }
}

/// The time before which keys are forgotten.
pub(crate) fn forgotten(now: OffsetDateTime) -> i64 {
    micros(now - KEPT)
}

fn text(hash: [u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds the key's row to a script. Where it is there already, the script fails on the table's primary key.
pub(crate) fn record(script: &mut Script, asked: &Asked, once: &Once, kept: &Kept) {
    let (key, body) = (script.bind(text(once.key)), script.bind(text(once.body)));
    let answer = serde_json::to_string(kept).unwrap_or_default();
    let (id, answer) = (script.bind(kept.id.as_str()), script.bind(answer));
    let at = script.bind(micros(asked.now));
    let gate = script.gate();
    script.step(
        "once",
        format!(
            "INSERT INTO idempotency (tenant_id, key, body, resource_id, answer, at)
             SELECT $1, {key}, {body}, {id}, {answer}, {at} WHERE {gate}"
        ),
    );
}

impl Scoped {
    /// The resource as the same request left it before.
    ///
    /// # Errors
    /// [`DirectoryError::OnceReused`] when the key was another request's, or the store's failure.
    pub(crate) async fn remembered(
        &self,
        once: &Once,
        now: OffsetDateTime,
    ) -> Result<Option<StoredUser>, DirectoryError> {
        let sql =
            "SELECT body, answer FROM idempotency WHERE tenant_id = $1 AND key = $2 AND at >= $3";
        let values: Vec<Value> = vec![text(once.key).into(), forgotten(now).into()];
        let Some(row) = self.read_one(sql, values).await? else { return Ok(None) };
        let body: String = row.try_get_by_index(0)?;
        if body != text(once.body) {
            return Err(DirectoryError::OnceReused);
        }
        let answer: String = row.try_get_by_index(1)?;
        let kept: Kept = serde_json::from_str(&answer)
            .map_err(|error| DirectoryError::Store(DbErr::Json(error.to_string())))?;
        Ok(Some(kept.user()))
    }

    /// Makes room for a key that was used before, long ago.
    pub(crate) async fn forget(
        &self,
        transaction: &DatabaseTransaction,
        once: &Once,
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        let sql = "DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2 AND at < $3";
        let values: Vec<Value> = vec![text(once.key).into(), forgotten(now).into()];
        transaction.execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }
}
