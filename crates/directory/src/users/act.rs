//! What an operator does to a person: deactivate, restore, unlink.
//!
//! **Invariant**: an action is decided under the locks of its write, and a dry run is the same write, rolled back.

use super::restore::{self, Buried};
use super::write::{self, UserChange};
use super::{StoredUser, UserAnswer, columns, stored};
use crate::commit::TRIES;
use crate::decisions::{self, Asked};
use crate::error::{DirectoryError, Fault};
use crate::once::{self, Kept, Once};
use crate::scope::{Scoped, applied, instant, micros, new_id};
use crate::script::Script;
use provisioning::{Reason, conflict};
use scim_core::{Document, Notes, Tolerance, User};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;

/// What is done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The person may use the product no longer, which frees a seat.
    Deactivate,
    /// An inactive person becomes active; a deleted one comes back under the same id, as it was deleted, without its
    /// groups.
    Restore,
    /// The identity provider's id is taken away, so that it decides anew whom it means.
    Unlink,
}

/// How an action is to be done.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Nothing is written: the answer tells what would be.
    pub dry: bool,
    /// The version that the user must have; a deleted one has that of its deletion.
    pub expected: Option<u64>,
    /// What a repeated request is known by.
    pub once: Option<Once>,
}

impl Action {
    /// The change and the reason of an action that does something to a user who is there.
    fn said(self) -> (&'static str, Reason) {
        match self {
            Self::Deactivate => ("user.deactivated", Reason::UserDeactivated),
            Self::Restore => ("user.reactivated", Reason::UserRestored),
            Self::Unlink => ("user.updated", Reason::UserUnlinked),
        }
    }

    /// Whether a user who is there is already so.
    fn is_done(self, user: &StoredUser, document: &Document) -> bool {
        match self {
            Self::Deactivate => !user.active,
            Self::Restore => user.active,
            Self::Unlink => document.get("externalId").is_none(),
        }
    }

    fn alter(self, document: &mut Document) {
        match self {
            Self::Deactivate => document.set("active", Value::Bool(false)),
            Self::Restore => document.set("active", Value::Bool(true)),
            Self::Unlink => document.set("externalId", Value::Null),
        }
    }
}

/// An action as it was asked for.
struct Errand<'a> {
    base: &'a str,
    action: Action,
    run: Run,
    asked: &'a Asked,
}

/// What a repetition is answered with, where nothing was to be done.
fn kept(user: &StoredUser) -> Kept {
    Kept {
        id: user.id.clone(),
        doc: user.doc.clone(),
        version: user.version,
        active: user.active,
        created_at: micros(user.created_at),
        updated_at: micros(user.updated_at),
    }
}

/// A stored document as a user. What it was accepted with is not asked again: the tenant may have become strict.
fn parsed(document: Document) -> Result<User, DirectoryError> {
    Ok(User::from_document(document, &Tolerance::default(), &mut Notes::default())?)
}

impl Scoped {
    /// Does something to a user that its identity provider did not ask for.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::VersionMismatch`], [`DirectoryError::OnceReused`], a taken name
    /// before no seat, or the store's failure.
    #[tracing::instrument(name = "directory.user.act", skip_all)]
    pub async fn act(
        &self,
        id: &str,
        base: &str,
        action: Action,
        run: Run,
        asked: &Asked,
    ) -> Result<UserAnswer, DirectoryError> {
        let errand = Errand { base, action, run, asked };
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            if let Some(once) = &errand.run.once
                && let Some(user) = self.remembered(once, asked.now).await?
            {
                return Ok(UserAnswer { user, reason: action.said().1, is_repeated: true });
            }
            match self.attempt(self.try_act(id, &errand)).await {
                Err(error) if tries.again(&error).await => {}
                // The fence may be one that this node knows to be out of date; when it stands indeed, entering says so.
                Err(DirectoryError::Fenced) if entries < TRIES => {
                    self.enter(asked.now).await?;
                }
                // Between the look for the deleted user and that for the user it may have been deleted.
                Err(DirectoryError::NotFound) if action == Action::Restore && entries == 1 => {}
                // The key's row came meanwhile, with the write that it tells of.
                Err(DirectoryError::Store(source))
                    if Fault::of(&source) == Fault::Taken && entries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_act(&self, id: &str, errand: &Errand<'_>) -> Result<UserAnswer, DirectoryError> {
        let transaction = self.begin().await?;
        // The ledger, then the user: the order of all who take both.
        self.lock_ledger(&transaction).await?;
        if let Some(once) = &errand.run.once {
            self.forget(&transaction, once, errand.asked.now).await?;
        }
        // The deleted first: whoever brings the same one back at the same time is waited for, and then it is there.
        let buried = match errand.action {
            Action::Restore => self.buried(&transaction, id).await?,
            Action::Deactivate | Action::Unlink => None,
        };
        let lock = self.row_lock();
        let columns = columns(self.engine(), Some("$3"));
        let sql =
            format!("SELECT {columns} FROM users u WHERE u.tenant_id = $1 AND u.id = $2{lock}");
        let statement = self.statement(sql, vec![id.into(), errand.base.into()]);
        let row = transaction.query_one_raw(statement).await?;
        match (row.as_ref().map(stored).transpose()?, buried) {
            (Some(user), _) => self.act_on(transaction, user, errand).await,
            (None, Some(buried)) => self.bring_back(transaction, buried, errand).await,
            (None, None) => Err(DirectoryError::NotFound),
        }
    }

    /// What is left of a deleted user, held.
    async fn buried(
        &self,
        transaction: &DatabaseTransaction,
        id: &str,
    ) -> Result<Option<Buried>, DirectoryError> {
        let lock = match self.row_lock() {
            "" => "",
            lock => &format!("{lock} OF t"),
        };
        let sql = format!(
            "SELECT t.doc, t.version, t.subject_key, t.role, t.active, coalesce((SELECT c.at FROM changes c
                 WHERE c.tenant_id = $1 AND c.resource_type = 'User' AND c.resource_id = $2 AND c.seq = 1), t.deleted_at)
             FROM tombstones t WHERE t.tenant_id = $1 AND t.resource_type = 'User' AND t.id = $2{lock}"
        );
        let row = transaction.query_one_raw(self.statement(sql, vec![id.into()])).await?;
        let Some(row) = row else { return Ok(None) };
        let doc: String = row.try_get_by_index(0)?;
        let version: i64 = row.try_get_by_index(1)?;
        let role: Option<String> = row.try_get_by_index(3)?;
        let active: Option<i64> = row.try_get_by_index(4)?;
        let mut user = parsed(Document::stored(&doc)?)?;
        let active = active.map_or_else(|| user.active(), |active| active != 0);
        user.document_mut().set("active", Value::Bool(active));
        Ok(Some(Buried {
            id: id.to_owned(),
            active,
            user,
            key: row.try_get_by_index(2)?,
            role: role.unwrap_or_else(|| self.tenant().role_of(self.population()).to_owned()),
            version: u64::try_from(version).unwrap_or_default(),
            created_at: instant(row.try_get_by_index(5)?),
        }))
    }

    async fn act_on(
        &self,
        transaction: DatabaseTransaction,
        before: StoredUser,
        errand: &Errand<'_>,
    ) -> Result<UserAnswer, DirectoryError> {
        let Errand { base, action, run, asked } = errand;
        if run.expected.is_some_and(|version| version != before.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        let old = Document::stored(&before.doc)?;
        let mut new = old.clone();
        action.alter(&mut new);
        let mut change =
            UserChange::between(before, &old, parsed(new)?, &self.tenant().schemas.user);
        let decision = new_id(asked.now);
        if action.is_done(&change.before, &old) {
            let mut script = self.script();
            if let Some(once) = &run.once {
                once::record(&mut script, asked, once, &kept(&change.before));
            }
            decisions::record(&mut script, asked, &decision, &change.unchanged());
            self.finish(transaction, script, None, errand, &decision).await?;
            let user = self.with_indirect(change.before, base).await?;
            return Ok(UserAnswer { user, reason: Reason::UserUnchanged, is_repeated: false });
        }
        change.said = Some(action.said());
        let script = write::update_once(self, &change, run.once.as_ref(), asked, &decision);
        let seat = (change.seats > 0).then_some(&change.user);
        self.finish(transaction, script, seat, errand, &decision).await?;
        Ok(self.answer(change, base, asked.now).await)
    }

    async fn bring_back(
        &self,
        transaction: DatabaseTransaction,
        buried: Buried,
        errand: &Errand<'_>,
    ) -> Result<UserAnswer, DirectoryError> {
        let Errand { run, asked, .. } = errand;
        if run.expected.is_some_and(|version| version != buried.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        let holder = "SELECT 1 FROM users WHERE tenant_id = $1 AND user_name_key = $2";
        let holder = self.statement(holder, vec![buried.key.as_str().into()]);
        if transaction.query_one_raw(holder).await?.is_some() {
            return Err(conflict::name_taken_since(buried.user.name().as_written()).into());
        }
        let decision = new_id(asked.now);
        let script = restore::restore(self, &buried, run.once.as_ref(), asked, &decision);
        let seat = buried.active.then_some(&buried.user);
        self.finish(transaction, script, seat, errand, &decision).await?;
        let manager = self.manager_of(buried.user.document(), &self.tenant().schemas.user).await;
        let user = StoredUser {
            doc: buried.user.document().to_text(),
            id: buried.id,
            version: buried.version + 1,
            created_at: buried.created_at,
            updated_at: asked.now,
            groups: None,
            active: buried.active,
            manager,
            nests: false,
        };
        Ok(UserAnswer { user, reason: Reason::UserRestored, is_repeated: false })
    }

    /// Runs a script under the locks that its transaction holds, and commits, or in a dry run takes it back. `seat` is
    /// who would take one.
    async fn finish(
        &self,
        transaction: DatabaseTransaction,
        script: Script,
        seat: Option<&User>,
        errand: &Errand<'_>,
        decision: &str,
    ) -> Result<(), DirectoryError> {
        let outcome = transaction.query_one_raw(script.statement()).await.and_then(applied);
        if matches!(outcome, Ok(true)) && !errand.run.dry {
            return self.conclude(transaction, decision).await;
        }
        transaction.rollback().await?;
        if outcome? {
            return Ok(());
        }
        self.enter(errand.asked.now).await?;
        match seat {
            Some(user) => Err(self.no_seat(user).await?),
            None => Err(DirectoryError::Fenced),
        }
    }
}
