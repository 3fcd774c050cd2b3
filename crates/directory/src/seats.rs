//! The counters behind the rules: how many users, groups and used seats a tenant has.
//!
//! **Invariant**: a seat is taken, and compared with the limit, in the transaction that makes or reactivates a user.

use crate::error::DirectoryError;
use crate::scope::{Scoped, applied};
use crate::script::Script;
use migrations::Engine;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

/// Slots over which a tenant's counters are spread: a slot is locked until its commit is synced, and writes that
/// fall on different slots do not wait for each other.
const SLOTS: u64 = 64;

/// What one write adds to the counters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delta {
    pub(crate) users: i64,
    pub(crate) seats: i64,
    pub(crate) groups: i64,
    /// Resources deleted or brought back.
    pub(crate) removed: i64,
}

/// A tenant's counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) users: u64,
    pub(crate) seats: u64,
    pub(crate) groups: u64,
    /// How many resources were ever deleted or brought back.
    pub(crate) removed: u64,
}

/// How many people and groups a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// People, active or not.
    pub users: u64,
    /// People who take a seat.
    pub active: u64,
    /// Groups.
    pub groups: u64,
}

/// The statement that makes a tenant's slots, where they are not there.
pub(crate) fn make_slots() -> String {
    let slots: Vec<String> = (0..SLOTS).map(|slot| format!("($1, {slot}, 0, 0, 0, 0)")).collect();
    format!(
        "INSERT INTO tallies (tenant_id, slot, users, seats, groups, removed) VALUES {}
         ON CONFLICT (tenant_id, slot) DO NOTHING",
        slots.join(", ")
    )
}

/// The slot of a tenant's counters that a resource is counted in.
fn slot_of(id: &str) -> i64 {
    let sum = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    i64::try_from(sum % SLOTS).unwrap_or_default()
}

/// Adds the counters' step to a script.
pub(crate) fn count(script: &mut Script, id: &str, delta: Delta) {
    let slot = script.bind(slot_of(id));
    let (users, seats) = (script.bind(delta.users), script.bind(delta.seats));
    let (groups, removed) = (script.bind(delta.groups), script.bind(delta.removed));
    let gate = script.gate();
    // A slot that is not there yet is made: a step that changes nothing would leave the script half done.
    script.step(
        "tally",
        format!(
            "INSERT INTO tallies (tenant_id, slot, users, seats, groups, removed)
             SELECT $1, {slot}, {users}, {seats}, {groups}, {removed} WHERE {gate}
             ON CONFLICT (tenant_id, slot) DO UPDATE SET users = tallies.users + excluded.users, seats = tallies.seats + excluded.seats,
                 groups = tallies.groups + excluded.groups, removed = tallies.removed + excluded.removed"
        ),
    );
}

/// The condition that a seat is free, for the first step of a script that takes one.
pub(crate) fn free(script: &mut Script, limit: u64) -> String {
    let limit = script.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    format!("(SELECT coalesce(sum(seats), 0) FROM tallies WHERE tenant_id = $1) < {limit}")
}

impl Scoped {
    /// How many people and groups there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tally(&self) -> Result<Tally, DirectoryError> {
        let Totals { users, seats, groups, removed: _ } = self.totals().await?;
        Ok(Tally { users, active: seats, groups })
    }

    /// Commits a script that takes a seat of a limited number.
    ///
    /// On PostgreSQL the ledger is locked first, by a statement of its own: the count of the next statement is then
    /// the latest, and it stays true until the commit. The one writer of SQLite needs no lock.
    pub(crate) async fn commit_seated(
        &self,
        build: impl Fn() -> Script,
        decision_id: &str,
    ) -> Result<bool, DirectoryError> {
        if self.engine() == Engine::Sqlite {
            return self.commit(build(), decision_id).await;
        }
        let mut tries = self.tries();
        loop {
            match self.attempt(self.try_seated(build(), decision_id)).await {
                Err(error) if tries.again(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_seated(&self, script: Script, decision_id: &str) -> Result<bool, DirectoryError> {
        let transaction = self.begin().await?;
        self.lock_ledger(&transaction).await?;
        let done = applied(transaction.query_one_raw(script.statement()).await?)?;
        self.conclude(transaction, decision_id).await?;
        Ok(done)
    }

    /// Holds the ledger of a tenant whose seats are limited, on PostgreSQL. Whoever takes it takes it first.
    pub(crate) async fn lock_ledger(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.engine() == Engine::Postgres && self.tenant().seats.is_some() {
            let lock = "SELECT slot FROM tallies WHERE tenant_id = $1 ORDER BY slot FOR UPDATE";
            transaction.query_all_raw(self.statement(lock, Vec::new())).await?;
        }
        Ok(())
    }

    pub(crate) async fn totals(&self) -> Result<Totals, DirectoryError> {
        let sql = "SELECT CAST(coalesce(sum(users), 0) AS BIGINT), CAST(coalesce(sum(seats), 0) AS BIGINT),
                   CAST(coalesce(sum(groups), 0) AS BIGINT), CAST(coalesce(sum(removed), 0) AS BIGINT) FROM tallies WHERE tenant_id = $1";
        let row = self.read_one(sql, Vec::new()).await?;
        let number = |index: usize| -> Result<u64, DirectoryError> {
            let value: i64 = row.as_ref().map_or(Ok(0), |row| row.try_get_by_index(index))?;
            Ok(u64::try_from(value).unwrap_or_default())
        };
        Ok(Totals { users: number(0)?, seats: number(1)?, groups: number(2)?, removed: number(3)? })
    }
}
