//! Memberships: a row each.
//!
//! **Invariant**: adding one that is there and removing one that is not are no changes; a member must exist; no group
//! is within itself; the cost is that of the change.

mod apply;
mod at_once;
mod leave;
mod nesting;
mod text;

pub(crate) use apply::Tried;
pub(crate) use at_once::AtOnce;
pub(crate) use leave::{hold_parents, leave_groups};
pub use text::{MemberLine, MemberText};

use crate::error::DirectoryError;
use crate::scope::Scoped;
use crate::script::{list_of, one_of, one_of_many};
use sea_orm::Value;
use std::collections::BTreeSet;

/// One member of a group.
#[derive(Debug, Clone)]
pub struct StoredMember {
    /// The group it is a member of.
    pub group_id: String,
    /// The member's id.
    pub id: String,
    /// `User` or `Group`.
    pub kind: String,
    /// The member's displayName, or userName, where it was wanted.
    pub display: Option<String>,
}

/// Whether the names of members are looked up: a read of every member's own row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberNames {
    /// They are.
    Wanted,
    /// The memberships alone are read.
    Unwanted,
}

/// The members that really came and went.
#[derive(Debug, Default)]
pub(crate) struct MemberDelta {
    pub(crate) added: BTreeSet<String>,
    pub(crate) removed: BTreeSet<String>,
}

impl MemberDelta {
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    fn add(&mut self, id: String) {
        if !self.removed.remove(&id) {
            self.added.insert(id);
        }
    }

    fn remove(&mut self, id: String) {
        if !self.added.remove(&id) {
            self.removed.insert(id);
        }
    }
}

impl Scoped {
    /// The members of these groups, a group at a time, in the order of their ids; nothing when they are more than `most`.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "directory.members.list", skip_all)]
    pub async fn members(
        &self,
        groups: &[&str],
        names: MemberNames,
        most: usize,
    ) -> Result<Option<Vec<StoredMember>>, DirectoryError> {
        if groups.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let (display, joins) = match names {
            MemberNames::Unwanted => ("NULL", ""),
            MemberNames::Wanted => (
                "coalesce(u.display, g.display)",
                "LEFT JOIN users u ON u.tenant_id = $1 AND u.id = m.member_id
                 LEFT JOIN groups g ON g.tenant_id = $1 AND g.id = m.member_id AND m.kind = 'Group'",
            ),
        };
        let sql = format!(
            "SELECT m.group_id, m.member_id, m.kind, {display} FROM members m {joins}
             WHERE m.tenant_id = $1 AND {} ORDER BY m.group_id, m.member_id LIMIT $3",
            self.is_one_of("m.group_id", "$2")
        );
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let rows = self.read(sql, vec![self.id_list(groups), limit.into()]).await?;
        if rows.len() > most {
            return Ok(None);
        }
        let members: Result<_, DirectoryError> = rows
            .iter()
            .map(|row| {
                Ok(StoredMember {
                    group_id: row.try_get_by_index(0)?,
                    id: row.try_get_by_index(1)?,
                    kind: row.try_get_by_index(2)?,
                    display: row.try_get_by_index(3)?,
                })
            })
            .collect();
        Ok(Some(members?))
    }

    /// That a column is one of a list of ids; see [`one_of`].
    pub(crate) fn is_one_of(&self, column: &str, place: &str) -> String {
        one_of(self.engine(), column, place)
    }

    /// That a member of one group is one of a list of `count` ids.
    pub(crate) fn is_among(&self, column: &str, place: &str, count: usize) -> String {
        member_among(self.engine(), column, place, count)
    }

    /// The list for [`Self::is_one_of`].
    pub(crate) fn id_list(&self, ids: &[&str]) -> Value {
        list_of(self.engine(), ids)
    }
}

/// That a member of one group is one of a list of `count` ids. A few are looked up in the index, however large the
/// group is; many are worth reading all of it.
fn member_among(engine: migrations::Engine, column: &str, place: &str, count: usize) -> String {
    const MANY: usize = 1_000;
    if count < MANY { one_of(engine, column, place) } else { one_of_many(engine, column, place) }
}
