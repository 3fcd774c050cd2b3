//! Groups: one transaction per operation, under the lock of the group's row.
//!
//! **Invariant**: a change of members touches membership rows and the group's version, never a list of all members.

mod write;

use crate::commit::TRIES;
use crate::decisions::{Asked, Verdict, record as decide};
use crate::error::{DirectoryError, Fault};
use crate::members::{AtOnce, Tried, hold_parents, leave_groups};
use crate::scope::{Scoped, applied, instant, new_id};
use provisioning::{Reason, conflict};
use scim_core::{Document, Group, Member, MemberStep};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};
use std::sync::LazyLock;
use time::OffsetDateTime;

/// A group as the store holds it; its members are read apart.
#[derive(Debug, Clone)]
pub struct StoredGroup {
    /// The id that the service gave.
    pub id: String,
    /// The document: a JSON object without `id`, `meta` and `members`.
    pub doc: String,
    /// How often it was written; also the number of its last change.
    pub version: u64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// A group after an operation, and what became of the operation.
#[derive(Debug)]
pub struct GroupAnswer {
    /// The group as it is now.
    pub group: StoredGroup,
    /// The reason code of the decision.
    pub reason: Reason,
}

/// What a PUT or PATCH makes of a group's own attributes and of its members.
#[derive(Debug)]
pub struct GroupChange {
    /// The group's attributes after the change.
    pub group: Group,
    /// The steps over its members, in order.
    pub members: Vec<MemberStep>,
}

/// What a change of members alone changes.
pub(crate) static ONLY_MEMBERS: LazyLock<[String; 1]> = LazyLock::new(|| ["members".to_owned()]);

/// How many changes of others may come between a look at a group and its change, for a condition on its version.
const STEADY: u64 = 64;

/// The columns of a [`StoredGroup`].
pub(crate) const COLUMNS: &str = "g.id, g.doc, g.version, g.created_at, g.updated_at";

/// A row of [`COLUMNS`].
pub(crate) fn stored(row: &QueryResult) -> Result<StoredGroup, DbErr> {
    let version: i64 = row.try_get_by_index(2)?;
    Ok(StoredGroup {
        id: row.try_get_by_index(0)?,
        doc: row.try_get_by_index(1)?,
        version: u64::try_from(version).unwrap_or_default(),
        created_at: instant(row.try_get_by_index(3)?),
        updated_at: instant(row.try_get_by_index(4)?),
    })
}

impl Scoped {
    /// The group with this id.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], or the store's failure.
    #[tracing::instrument(name = "directory.group.read", skip_all)]
    pub async fn group(&self, id: &str) -> Result<StoredGroup, DirectoryError> {
        let sql = format!("SELECT {COLUMNS} FROM groups g WHERE g.tenant_id = $1 AND g.id = $2");
        let row = self.read_one(&sql, vec![id.into()]).await?;
        row.as_ref().map(stored).transpose()?.ok_or(DirectoryError::NotFound)
    }

    /// Makes a group with its first members.
    ///
    /// # Errors
    /// A taken displayName, a member that does not exist, or the store's failure.
    #[tracing::instrument(name = "directory.group.create", skip_all)]
    pub async fn create_group(
        &self,
        group: &Group,
        members: &[Member],
        asked: &Asked,
    ) -> Result<GroupAnswer, DirectoryError> {
        let id = asked.id();
        let mut held = Vec::new();
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            match self.attempt(self.try_create_group(&id, group, members, &held, asked)).await {
                Err(error) if tries.again(&error).await => {}
                // The tenant may be new here; when it is fenced indeed, entering says so.
                Err(DirectoryError::Fenced) if entries < TRIES => {
                    self.enter(asked.now).await?;
                }
                Err(error) => return Err(error),
                Ok(Tried::Nests(_)) if entries >= TRIES => return Err(DirectoryError::Contended),
                Ok(Tried::Nests(groups)) => held.extend(groups),
                Ok(Tried::Done(())) => break,
            }
        }
        self.count_quirks(asked);
        let group = StoredGroup {
            id,
            doc: group.document().to_text(),
            version: 1,
            created_at: asked.now,
            updated_at: asked.now,
        };
        Ok(GroupAnswer { group, reason: Reason::GroupCreated })
    }

    /// Changes a group by a pure function of what is stored, if its version fits `expected`.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::VersionMismatch`], what `alter` refuses, a taken name, a member
    /// that does not exist, or the store's failure.
    #[tracing::instrument(name = "directory.group.change", skip_all)]
    pub async fn change_group(
        &self,
        id: &str,
        expected: impl Fn(u64) -> bool,
        alter: impl Fn(&Document, &mut Asked) -> Result<GroupChange, DirectoryError>,
        asked: &mut Asked,
    ) -> Result<GroupAnswer, DirectoryError> {
        let notes = asked.notes.clone();
        if let Some(answer) = self.try_at_once(id, &expected, &alter, asked).await? {
            self.count_quirks(asked);
            return Ok(answer);
        }
        let mut held = Vec::new();
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            asked.notes = notes.clone();
            match self.attempt(self.try_change_group(id, &expected, &alter, &held, asked)).await {
                Err(error) if tries.again(&error).await => {}
                // The fence may be one that this node knows to be out of date; when it stands indeed, entering says so.
                Err(DirectoryError::Fenced) if entries < TRIES => {
                    self.enter(asked.now).await?;
                }
                Err(error) => return Err(error),
                Ok(Tried::Nests(_)) if entries >= TRIES => return Err(DirectoryError::Contended),
                Ok(Tried::Nests(groups)) => {
                    held.extend(groups);
                    held.push(id.to_owned());
                }
                Ok(Tried::Done(answer)) => {
                    self.count_quirks(asked);
                    return Ok(answer);
                }
            }
        }
    }

    /// Changes people's memberships alone, in one statement, if that is all there is to do.
    async fn try_at_once(
        &self,
        id: &str,
        expected: &impl Fn(u64) -> bool,
        alter: &impl Fn(&Document, &mut Asked) -> Result<GroupChange, DirectoryError>,
        asked: &mut Asked,
    ) -> Result<Option<GroupAnswer>, DirectoryError> {
        let before = self.group(id).await?;
        if !expected(before.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        // Others may change the members until the statement runs, and that is not to matter.
        let steady = (1..=STEADY).all(|more| expected(before.version.saturating_add(more)));
        let old = Document::stored(&before.doc)?;
        let change = alter(&old, asked)?;
        let of = &self.tenant().schemas.group;
        if !steady || !change.group.document().changed_since(&old, of).is_empty() {
            return Ok(None);
        }
        let name = change.group.display_name();
        if change.members.is_empty() {
            self.decide(asked, &unchanged(id, name)).await?;
            return Ok(Some(GroupAnswer { group: before, reason: Reason::GroupUnchanged }));
        }
        let reason = Reason::MembersChanged;
        Ok(match self.change_at_once(&before, name, &change.members, asked).await? {
            AtOnce::NotPlain => None,
            AtOnce::Unchanged(version) => {
                let group = if version == before.version { before } else { self.group(id).await? };
                Some(GroupAnswer { group, reason: Reason::GroupUnchanged })
            }
            AtOnce::Changed(version) => {
                let group = StoredGroup { version, updated_at: asked.now, ..before };
                Some(GroupAnswer { group, reason })
            }
            AtOnce::Stored => Some(GroupAnswer { group: self.group(id).await?, reason }),
        })
    }

    /// Deletes a group for good; its members outlive it.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::VersionMismatch`], or the store's failure.
    #[tracing::instrument(name = "directory.group.delete", skip_all)]
    pub async fn delete_group(
        &self,
        id: &str,
        expected: impl Fn(u64) -> bool,
        asked: &Asked,
    ) -> Result<(), DirectoryError> {
        let (mut entries, mut tries) = (0, self.tries());
        loop {
            entries += 1;
            match self.attempt(self.try_delete_group(id, &expected, asked)).await {
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

    async fn try_delete_group(
        &self,
        id: &str,
        expected: &impl Fn(u64) -> bool,
        asked: &Asked,
    ) -> Result<(), DirectoryError> {
        let transaction = self.begin().await?;
        self.lock_ledger(&transaction).await?;
        let held = hold_parents(self, &transaction, id).await?;
        let group = self.lock_group(&transaction, id).await?;
        if !expected(group.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        leave_groups(self, &transaction, id, held.as_ref(), asked).await?;
        let members = "DELETE FROM members WHERE tenant_id = $1 AND group_id = $2";
        transaction.execute_raw(self.statement(members, vec![id.into()])).await?;
        let decision = new_id(asked.now);
        let script = write::remove(self, &group, asked, &decision)?;
        if !applied(transaction.query_one_raw(script.statement()).await?)? {
            return Err(DirectoryError::Fenced);
        }
        self.conclude(transaction, &decision).await
    }

    async fn try_create_group(
        &self,
        id: &str,
        group: &Group,
        members: &[Member],
        held: &[String],
        asked: &Asked,
    ) -> Result<Tried<()>, DirectoryError> {
        let transaction = self.begin().await?;
        self.hold_groups(&transaction, held).await?;
        self.hold_users(&transaction, members).await?;
        let decision = new_id(asked.now);
        let script = write::insert(self, id, group, members, asked, &decision);
        let outcome = transaction.query_one_raw(script.statement()).await.and_then(applied);
        if !outcome.map_err(|error| taken(error, group))? {
            return Err(DirectoryError::Fenced);
        }
        if !members.is_empty()
            && let Tried::Nests(groups) = self.add_members(&transaction, id, members, held).await?
        {
            return Ok(Tried::Nests(groups));
        }
        self.conclude(transaction, &decision).await?;
        Ok(Tried::Done(()))
    }

    async fn lock_group(
        &self,
        transaction: &DatabaseTransaction,
        id: &str,
    ) -> Result<StoredGroup, DirectoryError> {
        let lock = self.row_lock();
        let sql =
            format!("SELECT {COLUMNS} FROM groups g WHERE g.tenant_id = $1 AND g.id = $2{lock}");
        let row = transaction.query_one_raw(self.statement(sql, vec![id.into()])).await?;
        row.as_ref().map(stored).transpose()?.ok_or(DirectoryError::NotFound)
    }

    async fn try_change_group(
        &self,
        id: &str,
        expected: &impl Fn(u64) -> bool,
        alter: &impl Fn(&Document, &mut Asked) -> Result<GroupChange, DirectoryError>,
        held: &[String],
        asked: &mut Asked,
    ) -> Result<Tried<GroupAnswer>, DirectoryError> {
        let transaction = self.begin().await?;
        self.hold_groups(&transaction, held).await?;
        let before = self.lock_group(&transaction, id).await?;
        if !expected(before.version) {
            return Err(DirectoryError::VersionMismatch);
        }
        let old = Document::stored(&before.doc)?;
        let change = alter(&old, asked)?;
        let delta = match self.apply_members(&transaction, id, &change.members, held).await? {
            Tried::Done(delta) => delta,
            Tried::Nests(groups) => return Ok(Tried::Nests(groups)),
        };
        let mut changed = change.group.document().changed_since(&old, &self.tenant().schemas.group);
        if !delta.is_empty() {
            changed.push("members".into());
        }
        let decision = new_id(asked.now);
        if changed.is_empty() {
            let mut script = self.script();
            let name = change.group.display_name();
            decide(&mut script, asked, &decision, &unchanged(&before.id, name));
            transaction.query_one_raw(script.statement()).await?;
            self.conclude(transaction, &decision).await?;
            let answer = GroupAnswer { group: before, reason: Reason::GroupUnchanged };
            return Ok(Tried::Done(answer));
        }
        let reason = reason(&changed);
        let script =
            write::update(self, &before, &change.group, &changed, &delta, asked, &decision);
        let outcome = transaction.query_one_raw(script.statement()).await.and_then(applied);
        if !outcome.map_err(|error| taken(error, &change.group))? {
            return Err(DirectoryError::Fenced);
        }
        self.conclude(transaction, &decision).await?;
        let group = StoredGroup {
            doc: change.group.document().to_text(),
            version: before.version + 1,
            updated_at: asked.now,
            ..before
        };
        Ok(Tried::Done(GroupAnswer { group, reason }))
    }
}

/// Whether a group's change is one of its members alone.
fn reason(changed: &[String]) -> Reason {
    match changed {
        [only] if only == "members" => Reason::MembersChanged,
        _ => Reason::GroupUpdated,
    }
}

pub(crate) fn unchanged<'a>(id: &'a str, name: &'a str) -> Verdict<'a> {
    Verdict {
        outcome: "unchanged",
        reason: Reason::GroupUnchanged,
        status: 200,
        resource_type: "Group",
        resource_id: Some(id),
        subject: Some(name),
        attribute: None,
        detail: "",
        changed: &[],
    }
}

/// A unique index of groups that refused is the name's: no other can.
fn taken(error: DbErr, group: &Group) -> DirectoryError {
    if Fault::of(&error) == Fault::Taken {
        return conflict::display_name_taken(group.display_name()).into();
    }
    error.into()
}
