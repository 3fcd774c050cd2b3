//! Memberships: a row each.
//!
//! **Invariant**: adding one that is there and removing one that is not are no changes; a member must exist; the cost
//! is that of the change.

use crate::change::{self, Change};
use crate::decisions::Asked;
use crate::error::DirectoryError;
use crate::query::Translation;
use crate::scope::{Scoped, micros, new_id};
use crate::script::{list_of, one_of};
use migrations::Engine;
use provisioning::{Reason, Refusal};
use scim_core::{Condition, Member, MemberKind, MemberStep};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

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
    /// The members of these groups, a group at a time, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "directory.members.list", skip_all)]
    pub async fn members(
        &self,
        groups: &[&str],
        names: MemberNames,
    ) -> Result<Vec<StoredMember>, DirectoryError> {
        if groups.is_empty() {
            return Ok(Vec::new());
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
             WHERE m.tenant_id = $1 AND {} ORDER BY m.group_id, m.member_id",
            self.is_one_of("m.group_id", "$2")
        );
        let rows = self.read(sql, vec![self.id_list(groups)]).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredMember {
                    group_id: row.try_get_by_index(0)?,
                    id: row.try_get_by_index(1)?,
                    kind: row.try_get_by_index(2)?,
                    display: row.try_get_by_index(3)?,
                })
            })
            .collect()
    }

    /// Runs the steps over a group's members, in a transaction that holds the group's row.
    pub(crate) async fn apply_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        steps: &[MemberStep],
    ) -> Result<MemberDelta, DirectoryError> {
        let mut delta = MemberDelta::default();
        for step in steps {
            match step {
                MemberStep::Change { clear, add, remove } => {
                    if *clear {
                        let keep: Vec<&str> = add.iter().map(|m| m.id.as_str()).collect();
                        let gone = format!("NOT ({})", self.is_one_of("member_id", "$3"));
                        self.delete_members(
                            transaction,
                            group_id,
                            &gone,
                            self.id_list(&keep),
                            &mut delta,
                        )
                        .await?;
                    } else if !remove.is_empty() {
                        let ids: Vec<&str> = remove.iter().map(String::as_str).collect();
                        let gone = self.is_one_of("member_id", "$3");
                        self.delete_members(
                            transaction,
                            group_id,
                            &gone,
                            self.id_list(&ids),
                            &mut delta,
                        )
                        .await?;
                    }
                    for id in self.add_members(transaction, group_id, add).await? {
                        delta.add(id);
                    }
                }
                MemberStep::RemoveWhere(condition) => {
                    self.remove_where(transaction, group_id, condition, &mut delta).await?;
                }
            }
        }
        Ok(delta)
    }

    /// Adds members; the ids of those that were not members before.
    ///
    /// # Errors
    /// A refusal that names the ids that are nobody's.
    pub(crate) async fn add_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        members: &[Member],
    ) -> Result<Vec<String>, DirectoryError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        if members.iter().any(|member| member.id == group_id) {
            return Err(refuse("A group cannot be a member of itself.".into()));
        }
        let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        let mut added = Vec::with_capacity(ids.len());
        for (table, kind, of_kind) in
            [("users", "User", MemberKind::User), ("groups", "Group", MemberKind::Group)]
        {
            let ids: Vec<&str> = members
                .iter()
                .filter(|member| member.kind.is_none_or(|kind| kind == of_kind))
                .map(|member| member.id.as_str())
                .collect();
            added.extend(self.insert_members(transaction, group_id, (table, kind), &ids).await?);
            if added.len() == members.len() {
                return Ok(added);
            }
        }
        self.refuse_unknown(transaction, group_id, &ids).await?;
        Ok(added)
    }

    /// Adds those of the ids that a table has. They cannot be deleted until this transaction ends, and are taken in
    /// the order of ids, so that two requests that add the same wait for each other and do not lock each other out.
    async fn insert_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        (table, kind): (&str, &str),
        ids: &[&str],
    ) -> Result<Vec<String>, DirectoryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let one_of = self.is_one_of("id", "$3");
        let lock = match self.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR KEY SHARE",
        };
        let sql = format!(
            "INSERT INTO members (tenant_id, group_id, member_id, kind)
             SELECT $1, $2, found.id, '{kind}' FROM (
                 SELECT id FROM {table} WHERE tenant_id = $1 AND {one_of} ORDER BY id{lock}) found
             WHERE TRUE ON CONFLICT (tenant_id, group_id, member_id) DO NOTHING RETURNING member_id"
        );
        let values = vec![group_id.into(), self.id_list(ids)];
        let rows = transaction.query_all_raw(self.statement(sql, values)).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// Refuses if one of the ids is no member although it was added: then it is nobody's.
    async fn refuse_unknown(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        ids: &[&str],
    ) -> Result<(), DirectoryError> {
        let one_of = self.is_one_of("member_id", "$3");
        let sql = format!(
            "SELECT member_id FROM members WHERE tenant_id = $1 AND group_id = $2 AND {one_of}"
        );
        let values = vec![group_id.into(), self.id_list(ids)];
        let rows = transaction.query_all_raw(self.statement(sql, values)).await?;
        let present = rows
            .iter()
            .map(|row| row.try_get_by_index::<String>(0))
            .collect::<Result<HashSet<_>, _>>()?;
        let missing: Vec<&str> =
            ids.iter().filter(|id| !present.contains(**id)).copied().take(5).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(refuse(format!(
            "No user or group of this tenant has the id {}, or it is of another type than was said. Provision the member first, then add it with the id from that answer.",
            missing.join(", ")
        )))
    }

    async fn delete_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        which: &str,
        value: Value,
        delta: &mut MemberDelta,
    ) -> Result<(), DirectoryError> {
        let sql = format!(
            "DELETE FROM members WHERE tenant_id = $1 AND group_id = $2 AND {which} RETURNING member_id"
        );
        let statement = self.statement(sql, vec![group_id.into(), value]);
        for row in transaction.query_all_raw(statement).await? {
            delta.remove(row.try_get_by_index(0)?);
        }
        Ok(())
    }

    async fn remove_where(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        condition: &Condition,
        delta: &mut MemberDelta,
    ) -> Result<(), DirectoryError> {
        let mut translation = Translation::members(self.engine(), vec![group_id.into()]);
        let condition = translation.condition(condition);
        let sql = format!(
            "DELETE FROM members WHERE tenant_id = $1 AND group_id = $2 AND member_id IN (
                 SELECT m.member_id FROM members m WHERE m.tenant_id = $1 AND m.group_id = $2 AND {condition})
             RETURNING member_id"
        );
        let statement = self.statement(sql, translation.into_values());
        for row in transaction.query_all_raw(statement).await? {
            delta.remove(row.try_get_by_index(0)?);
        }
        Ok(())
    }

    /// That a column is one of a list of ids; see [`one_of`].
    pub(crate) fn is_one_of(&self, column: &str, place: &str) -> String {
        one_of(self.engine(), column, place)
    }

    /// The list for [`Self::is_one_of`].
    pub(crate) fn id_list(&self, ids: &[&str]) -> Value {
        list_of(self.engine(), ids)
    }
}

fn refuse(detail: String) -> DirectoryError {
    Refusal { reason: Reason::MemberUnknown, attribute: Some("members".into()), detail }.into()
}

/// Takes a resource out of its groups; each group gets a new version, and a change that says so.
pub(crate) async fn leave_groups(
    scoped: &Scoped,
    transaction: &DatabaseTransaction,
    member_id: &str,
    asked: &Asked,
) -> Result<(), DirectoryError> {
    let groups =
        "SELECT group_id FROM members WHERE tenant_id = $1 AND member_id = $2 ORDER BY group_id";
    let rows = transaction.query_all_raw(scoped.statement(groups, vec![member_id.into()])).await?;
    for row in rows {
        let group_id: String = row.try_get_by_index(0)?;
        let bump = "UPDATE groups SET version = version + 1, updated_at = $3
                    WHERE tenant_id = $1 AND id = $2 RETURNING version";
        let values = vec![group_id.as_str().into(), micros(asked.now).into()];
        let bumped = transaction.query_one_raw(scoped.statement(bump, values)).await?;
        let Some(bumped) = bumped else { continue };
        let version: i64 = bumped.try_get_by_index(0)?;
        let mut script = scoped.script();
        let (group, member) = (script.bind(group_id.as_str()), script.bind(member_id));
        script.step(
            "main",
            format!(
                "DELETE FROM members WHERE tenant_id = $1 AND group_id = {group} AND member_id = {member}"
            ),
        );
        let change = Change {
            resource_type: "Group",
            resource_id: &group_id,
            seq: u64::try_from(version).unwrap_or_default(),
            kind: "group.members_changed",
            changed: &["members".to_owned()],
            data: json!({ "added": [], "removed": [member_id] }).to_string(),
        };
        change::record(&mut script, asked, &new_id(asked.now), change);
        transaction.query_one_raw(script.statement()).await?;
    }
    Ok(())
}
