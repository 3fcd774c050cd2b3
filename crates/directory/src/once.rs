//! Writes that are done once, however often they are asked for.
//!
//! A client that lost an answer asks again under the same key. The key's row is of the commit that holds the write, so it
//! is there exactly when the write is.
//!
//! **Invariant**: hashes only; the answer to a repeated request is the resource as it is then, so nothing of it is kept.

use crate::decisions::Asked;
use crate::error::DirectoryError;
use crate::scope::{Scoped, micros};
use crate::script::Script;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Value};
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

/// The time before which keys are forgotten.
pub(crate) fn forgotten(now: OffsetDateTime) -> i64 {
    micros(now - KEPT)
}

fn text(hash: [u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds the key's row to a script. Where it is there already, the script fails on the table's primary key.
pub(crate) fn record(script: &mut Script, asked: &Asked, once: &Once, status: u16, id: &str) {
    let (key, body) = (script.bind(text(once.key)), script.bind(text(once.body)));
    let (status, id) = (script.bind(i64::from(status)), script.bind(id));
    let at = script.bind(micros(asked.now));
    let gate = script.gate();
    script.step(
        "once",
        format!(
            "INSERT INTO idempotency (tenant_id, key, body, status, resource_id, at)
             SELECT $1, {key}, {body}, {status}, {id}, {at} WHERE {gate}"
        ),
    );
}

impl Scoped {
    /// The id of the resource that the same request was about before.
    ///
    /// # Errors
    /// [`DirectoryError::OnceReused`] when the key was another request's, or the store's failure.
    pub(crate) async fn remembered(
        &self,
        once: &Once,
        now: OffsetDateTime,
    ) -> Result<Option<String>, DirectoryError> {
        let sql = "SELECT body, resource_id FROM idempotency WHERE tenant_id = $1 AND key = $2 AND at >= $3";
        let values: Vec<Value> = vec![text(once.key).into(), forgotten(now).into()];
        let Some(row) = self.read_one(sql, values).await? else { return Ok(None) };
        let body: String = row.try_get_by_index(0)?;
        if body != text(once.body) {
            return Err(DirectoryError::OnceReused);
        }
        Ok(Some(row.try_get_by_index(1)?))
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
