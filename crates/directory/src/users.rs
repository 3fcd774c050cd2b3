//! Users: one transaction per operation.
//!
//! **Invariant**: a user's row, its change, its outbox row, its decision and its seat are of one commit.

mod act;
mod belonging;
pub(crate) mod emails;
pub(crate) mod manager;
mod refused;
mod restore;
mod write;

pub use act::{Action, Run};
pub use manager::StoredManager;

use crate::commit::TRIES;
use crate::decisions::Asked;
use crate::error::DirectoryError;
use crate::scope::{Scoped, applied, instant, new_id};
use migrations::Engine;
use provisioning::Reason;
use scim_core::{Document, User};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde_json::Value;
use time::OffsetDateTime;

/// How often a change is tried without a lock; when others changed the same user meanwhile as often, it takes its turn.
const UNLOCKED: usize = 2;

/// A user as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredUser {
    /// The id that the service gave.
    pub id: String,
    /// The document: a JSON object without `id` and `meta`.
    pub doc: String,
    /// How often it was written; also the number of its last change.
    pub version: u64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// The groups it is in, as a JSON array; `None` when in none.
    pub groups: Option<String>,
    /// Whether it may use the product. The document says the same.
    pub active: bool,
    /// The manager, where it is a user of the tenant.
    pub manager: Option<StoredManager>,
    /// Whether there are groups that it is in indirectly, which `groups` does not tell yet.
    pub(crate) nests: bool,
}

/// A user after an operation, and what became of the operation.
#[derive(Debug)]
pub struct UserAnswer {
    /// The user as it is now.
    pub user: StoredUser,
    /// The reason code of the decision.
    pub reason: Reason,
    /// Whether the same request was answered so before, and nothing was done now.
    pub is_repeated: bool,
}

/// The columns of a [`StoredUser`]; `base` is the bound place of the base URL.
pub(crate) fn columns(engine: Engine, base: Option<&str>) -> String {
    let groups = base.map_or_else(
        || "NULL, CAST(0 AS BIGINT)".to_owned(),
        |base| belonging::groups_of(engine, base),
    );
    let manager = manager::COLUMN;
    format!("u.id, u.doc, u.version, u.created_at, u.updated_at, {groups}, u.active, {manager}")
}

/// A row of [`columns`].
pub(crate) fn stored(row: &QueryResult) -> Result<StoredUser, DbErr> {
    let version: i64 = row.try_get_by_index(2)?;
    let active = row.try_get_by_index::<i64>(7)? != 0;
    Ok(StoredUser {
        id: row.try_get_by_index(0)?,
        doc: with_active(row.try_get_by_index(1)?, active)?,
        version: u64::try_from(version).unwrap_or_default(),
        created_at: instant(row.try_get_by_index(3)?),
        updated_at: instant(row.try_get_by_index(4)?),
        groups: row.try_get_by_index(5)?,
        nests: row.try_get_by_index::<i64>(6)? != 0,
        active,
        manager: manager::read(row.try_get_by_index::<Option<String>>(8)?.as_deref()),
    })
}

/// A stored document that says what the column says: rows of earlier versions may lack `active`, when a client had
/// removed it.
fn with_active(doc: String, active: bool) -> Result<String, DbErr> {
    // Names are stored in order, and there are few before this one.
    if doc.starts_with("{\"active\":") {
        return Ok(doc);
    }
    let stored = Document::stored(&doc);
    let mut document = stored.map_err(|error| DbErr::Custom(error.to_string()))?;
    if document.get("active").is_some() {
        return Ok(doc);
    }
    document.set("active", Value::Bool(active));
    Ok(document.to_text())
}

impl Scoped {
    /// The user with this id.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], or the store's failure.
    #[tracing::instrument(name = "directory.user.read", skip_all)]
    pub async fn user(&self, id: &str, base: &str) -> Result<StoredUser, DirectoryError> {
        let columns = columns(self.engine(), Some("$3"));
        let sql = format!("SELECT {columns} FROM users u WHERE u.tenant_id = $1 AND u.id = $2");
        let row = self.read_one(&sql, vec![id.into(), base.into()]).await?;
        let user = row.as_ref().map(stored).transpose()?.ok_or(DirectoryError::NotFound)?;
        self.with_indirect(user, base).await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// Refused as `user_name_taken` before `seats_exhausted`; otherwise the store's failure.
    #[tracing::instrument(name = "directory.user.create", skip_all)]
    pub async fn create_user(
        &self,
        user: &User,
        asked: &Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        let id = asked.id();
        match self.insert_user(&id, user, asked).await {
            Ok(true) => {}
            Ok(false) => {
                // Nothing was written: the tenant is new here, or fenced, or full.
                self.enter(asked.now).await?;
                if !self.insert_user(&id, user, asked).await? {
                    return Err(self.why_not_created(user).await?);
                }
            }
            Err(error) => return Err(error),
        }
        let stored = StoredUser {
            id,
            doc: user.document().to_text(),
            version: 1,
            created_at: asked.now,
            updated_at: asked.now,
            groups: None,
            active: user.active(),
            manager: self.manager_of(user.document(), &self.tenant().schemas.user).await,
            nests: false,
        };
        self.count_quirks(asked);
        Ok(UserAnswer { user: stored, reason: Reason::UserCreated, is_repeated: false })
    }

    /// Changes a user by a pure function of what is stored, if its version fits `expected`.
    ///
    /// `alter` may be called again when others changed the user meanwhile.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::VersionMismatch`], what `alter` refuses, a taken name, no seat,
    /// or the store's failure.
    #[tracing::instrument(name = "directory.user.change", skip_all)]
    pub async fn change_user(
        &self,
        id: &str,
        base: &str,
        expected: impl Fn(u64) -> bool,
        alter: impl Fn(&Document, &mut Asked) -> Result<User, DirectoryError>,
        asked: &mut Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        let answer = self.try_change_user(id, base, &expected, &alter, asked).await?;
        self.count_quirks(asked);
        Ok(answer)
    }

    async fn try_change_user(
        &self,
        id: &str,
        base: &str,
        expected: &impl Fn(u64) -> bool,
        alter: &impl Fn(&Document, &mut Asked) -> Result<User, DirectoryError>,
        asked: &mut Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        let notes = asked.notes.clone();
        for _ in 0..UNLOCKED {
            asked.notes = notes.clone();
            let before = self.user(id, base).await?;
            if !expected(before.version) {
                return Err(DirectoryError::VersionMismatch);
            }
            let old = Document::stored(&before.doc)?;
            let user = alter(&old, asked)?;
            let change =
                write::UserChange::between(before, &old, user, &self.tenant().schemas.user);
            if change.changed.is_empty() {
                return self.leave_user(change, base, asked).await;
            }
            if self.update_user(&change, asked).await? {
                return Ok(self.answer(change, base, asked.now).await);
            }
            self.why_not_changed(&change, asked.now).await?;
        }
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            asked.notes = notes.clone();
            match self.attempt(self.try_change_locked(id, base, expected, alter, asked)).await {
                Err(error) if tries.again(&error).await => {}
                // The fence may be one that this node knows to be out of date; when it stands indeed, entering says so.
                Err(DirectoryError::Fenced) if entries < TRIES => {
                    self.enter(asked.now).await?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Changes a user under the lock of its row: whoever else changes it waits.
    async fn try_change_locked(
        &self,
        id: &str,
        base: &str,
        expected: &impl Fn(u64) -> bool,
        alter: &impl Fn(&Document, &mut Asked) -> Result<User, DirectoryError>,
        asked: &mut Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        let transaction = self.begin().await?;
        // The order of all who take both: the ledger, then the user.
        self.lock_ledger(&transaction).await?;
        let lock = self.row_lock();
        let columns = columns(self.engine(), Some("$3"));
        let sql =
            format!("SELECT {columns} FROM users u WHERE u.tenant_id = $1 AND u.id = $2{lock}");
        let statement = self.statement(sql, vec![id.into(), base.into()]);
        let row = transaction.query_one_raw(statement).await?;
        let before = row.as_ref().map(stored).transpose()?.ok_or(DirectoryError::NotFound)?;
        if !expected(before.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        let old = Document::stored(&before.doc)?;
        let user = alter(&old, asked)?;
        let change = write::UserChange::between(before, &old, user, &self.tenant().schemas.user);
        if change.changed.is_empty() {
            // Its decision is written by the one writer, who waits for the connection that this transaction holds.
            transaction.rollback().await?;
            return self.leave_user(change, base, asked).await;
        }
        let decision = new_id(asked.now);
        let script = write::update(self, &change, asked, &decision);
        let outcome = transaction.query_one_raw(script.statement()).await.and_then(applied);
        match outcome.map_err(DirectoryError::from) {
            Ok(true) => {}
            Ok(false) if change.seats > 0 => {
                drop(transaction);
                return Err(self.no_seat(&change.user).await?);
            }
            Ok(false) => return Err(DirectoryError::Fenced),
            Err(error) => {
                drop(transaction);
                self.explain_taken(Err(error), &change.user).await?;
                return Err(DirectoryError::Contended);
            }
        }
        self.conclude(transaction, &decision).await?;
        Ok(self.answer(change, base, asked.now).await)
    }

    /// The user as the change left it.
    async fn answer(
        &self,
        change: write::UserChange,
        base: &str,
        now: OffsetDateTime,
    ) -> UserAnswer {
        let manager = if change.has_other_manager() {
            self.manager_of(change.user.document(), &self.tenant().schemas.user).await
        } else {
            change.before.manager.clone()
        };
        let mut answer = change.answer(manager, now);
        if answer.user.nests {
            // The write is done: where the store fails now, the answer tells the direct groups.
            drop(self.add_groups(std::slice::from_mut(&mut answer.user), base).await);
        }
        answer
    }

    /// Deletes a user for good: its name is free, it is in no group, and only its history stays.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::VersionMismatch`], or the store's failure.
    #[tracing::instrument(name = "directory.user.delete", skip_all)]
    pub async fn delete_user(
        &self,
        id: &str,
        expected: impl Fn(u64) -> bool,
        asked: &Asked,
    ) -> Result<(), DirectoryError> {
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            match self.attempt(write::delete(self, id, &expected, asked)).await {
                Err(error) if tries.again(&error).await => {}
                // The fence may be one that this node knows to be out of date; when it stands indeed, entering says so.
                Err(DirectoryError::Fenced) if entries < TRIES => {
                    self.enter(asked.now).await?;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        self.count_quirks(asked);
        Ok(())
    }

    async fn insert_user(
        &self,
        id: &str,
        user: &User,
        asked: &Asked,
    ) -> Result<bool, DirectoryError> {
        let decision = new_id(asked.now);
        let build = || write::insert(self, id, user, asked, &decision);
        let limited = self.tenant().seats.is_some() && user.active();
        let outcome = if limited {
            self.commit_seated(build, &decision).await
        } else {
            self.commit(build(), &decision).await
        };
        self.explain_taken(outcome, user).await
    }

    /// Writes down that a change changed nothing.
    async fn leave_user(
        &self,
        change: write::UserChange,
        base: &str,
        asked: &Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        self.decide(asked, &change.unchanged()).await?;
        let user = self.with_indirect(change.before, base).await?;
        Ok(UserAnswer { user, reason: Reason::UserUnchanged, is_repeated: false })
    }

    async fn update_user(
        &self,
        change: &write::UserChange,
        asked: &Asked,
    ) -> Result<bool, DirectoryError> {
        let decision = new_id(asked.now);
        let build = || write::update(self, change, asked, &decision);
        let limited = self.tenant().seats.is_some() && change.seats > 0;
        let outcome = if limited {
            self.commit_seated(build, &decision).await
        } else {
            self.commit(build(), &decision).await
        };
        self.explain_taken(outcome, &change.user).await
    }
}
