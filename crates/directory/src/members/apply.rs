//! The steps of a change of members, over rows, within one transaction.

use super::MemberDelta;
use crate::error::DirectoryError;
use crate::query::Translation;
use crate::scope::Scoped;
use migrations::Engine;
use provisioning::{Reason, Refusal};
use scim_core::{Condition, Member, MemberKind, MemberStep};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use std::collections::HashSet;

/// What a try came to.
#[derive(Debug)]
pub(crate) enum Tried<T> {
    /// It is done.
    Done(T),
    /// These groups are to become members, so they must be held, and the tenant before them: once more, with them.
    Nests(Vec<String>),
}

impl Scoped {
    /// Runs the steps over a group's members, in a transaction that holds the group's row.
    pub(crate) async fn apply_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        steps: &[MemberStep],
        held: &[String],
    ) -> Result<Tried<MemberDelta>, DirectoryError> {
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
                        let gone = self.is_among("member_id", "$3", ids.len());
                        self.delete_members(
                            transaction,
                            group_id,
                            &gone,
                            self.id_list(&ids),
                            &mut delta,
                        )
                        .await?;
                    }
                    match self.add_members(transaction, group_id, add, held).await? {
                        Tried::Done(added) => added.into_iter().for_each(|id| delta.add(id)),
                        Tried::Nests(groups) => return Ok(Tried::Nests(groups)),
                    }
                }
                MemberStep::RemoveWhere(condition) => {
                    self.remove_where(transaction, group_id, condition, &mut delta).await?;
                }
            }
        }
        Ok(Tried::Done(delta))
    }

    /// Adds members; the ids of those that were not members before. Groups are added only while they are `held`.
    ///
    /// # Errors
    /// A refusal that names the ids that are nobody's, or the group that would be within itself.
    pub(crate) async fn add_members(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        members: &[Member],
        held: &[String],
    ) -> Result<Tried<Vec<String>>, DirectoryError> {
        let of = |kind: MemberKind| -> Vec<&str> {
            let fits = move |member: &&Member| member.kind.is_none_or(|own| own == kind);
            members.iter().filter(fits).map(|member| member.id.as_str()).collect()
        };
        let users = of(MemberKind::User);
        let mut added =
            self.insert_members(transaction, group_id, ("users", "User"), &users).await?;
        if added.len() == members.len() {
            return Ok(Tried::Done(added));
        }
        let groups = self.groups_among(transaction, &of(MemberKind::Group)).await?;
        if !groups.is_empty() {
            // SQLite has one writer, who holds everything.
            let needs_hold = self.engine() == Engine::Postgres;
            if needs_hold && groups.iter().any(|id| id != group_id && !held.contains(id)) {
                return Ok(Tried::Nests(groups));
            }
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            self.check_nesting(transaction, group_id, &groups).await?;
            let more = self.insert_members(transaction, group_id, ("groups", "Group"), &groups);
            added.extend(more.await?);
        }
        if added.len() < members.len() {
            let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
            self.refuse_unknown(transaction, group_id, &ids).await?;
        }
        Ok(Tried::Done(added))
    }

    /// Holds the users that are to be members of a group that is being made, before anything that others wait for
    /// while they hold a user.
    pub(crate) async fn hold_users(
        &self,
        transaction: &DatabaseTransaction,
        members: &[Member],
    ) -> Result<(), DirectoryError> {
        if self.engine() == Engine::Sqlite || members.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        let sql = format!(
            "SELECT id FROM users WHERE tenant_id = $1 AND {} ORDER BY id FOR KEY SHARE",
            self.is_one_of("id", "$2")
        );
        transaction.query_all_raw(self.statement(sql, vec![self.id_list(&ids)])).await?;
        Ok(())
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
        let one_of = self.is_among("member_id", "$3", ids.len());
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
}

fn refuse(detail: String) -> DirectoryError {
    Refusal { reason: Reason::MemberUnknown, attribute: Some("members".into()), detail }.into()
}
