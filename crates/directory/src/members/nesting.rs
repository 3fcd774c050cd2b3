//! Groups within groups: who may become a member of whom.
//!
//! **Invariant**: an edge between groups is made by a transaction that holds the tenant's row first of all, then the
//! groups at both ends in the order of their ids: two edges cannot close a circle at once.

use crate::error::DirectoryError;
use crate::scope::Scoped;
use provisioning::{Reason, Refusal};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use std::collections::HashMap;

/// How many groups may lie within each other. Every read of a user walks them.
const DEPTH: i64 = 32;

impl Scoped {
    /// Holds what making edges needs: the tenant, then the groups.
    pub(crate) async fn hold_groups(
        &self,
        transaction: &DatabaseTransaction,
        groups: &[String],
    ) -> Result<(), DirectoryError> {
        let lock = self.row_lock();
        if groups.is_empty() || lock.is_empty() {
            return Ok(());
        }
        let tenant = format!("SELECT epoch FROM tenants WHERE tenant_id = $1{lock}");
        transaction.query_all_raw(self.statement(tenant, Vec::new())).await?;
        let ids: Vec<&str> = groups.iter().map(String::as_str).collect();
        let sql = format!(
            "SELECT id FROM groups WHERE tenant_id = $1 AND {} ORDER BY id{lock}",
            self.is_one_of("id", "$2")
        );
        transaction.query_all_raw(self.statement(sql, vec![self.id_list(&ids)])).await?;
        Ok(())
    }

    /// Which of the ids are groups'.
    pub(super) async fn groups_among(
        &self,
        transaction: &DatabaseTransaction,
        ids: &[&str],
    ) -> Result<Vec<String>, DirectoryError> {
        let sql = format!(
            "SELECT id FROM groups WHERE tenant_id = $1 AND {}",
            self.is_one_of("id", "$2")
        );
        let rows = transaction.query_all_raw(self.statement(sql, vec![self.id_list(ids)])).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    /// Refuses edges that would close a circle, or make a tower.
    pub(super) async fn check_nesting(
        &self,
        transaction: &DatabaseTransaction,
        group_id: &str,
        within: &[&str],
    ) -> Result<(), DirectoryError> {
        let above = "WITH RECURSIVE up(id, depth) AS (
                         SELECT g.id, 0 FROM groups g WHERE g.tenant_id = $1 AND g.id = $2
                         UNION
                         SELECT n.group_id, up.depth + 1 FROM up JOIN members n
                             ON n.tenant_id = $1 AND n.member_id = up.id AND n.kind = 'Group' WHERE up.depth < 33)
                     SELECT up.id, CAST(max(up.depth) AS BIGINT), max(g.display) FROM up
                     LEFT JOIN groups g ON g.tenant_id = $1 AND g.id = up.id GROUP BY up.id";
        let rows = transaction.query_all_raw(self.statement(above, vec![group_id.into()])).await?;
        let mut height = 0;
        let mut names: HashMap<String, String> = HashMap::new();
        for row in rows {
            height = height.max(row.try_get_by_index(1)?);
            let name: Option<String> = row.try_get_by_index(2)?;
            names.insert(row.try_get_by_index(0)?, name.unwrap_or_default());
        }
        if let Some((id, name)) = within.iter().find_map(|id| Some((id, names.get(*id)?))) {
            return Err(circle(id, name, *id == group_id));
        }
        let below = format!(
            "WITH RECURSIVE down(id, depth) AS (
                 SELECT g.id, 0 FROM groups g WHERE g.tenant_id = $1 AND {}
                 UNION
                 SELECT n.member_id, down.depth + 1 FROM down JOIN members n
                     ON n.tenant_id = $1 AND n.group_id = down.id AND n.kind = 'Group' WHERE down.depth < 33)
             SELECT CAST(coalesce(max(depth), 0) AS BIGINT) FROM down",
            self.is_one_of("g.id", "$2")
        );
        let row =
            transaction.query_one_raw(self.statement(below, vec![self.id_list(within)])).await?;
        let depth: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        if height + 1 + depth > DEPTH {
            return Err(refuse(format!(
                "Groups would lie {} deep within each other; at most {DEPTH} are kept. Take one of them out of the group it is in.",
                height + 1 + depth
            )));
        }
        Ok(())
    }
}

fn circle(id: &str, name: &str, itself: bool) -> DirectoryError {
    if itself {
        return refuse(
            "A group cannot be a member of itself. Take its own id out of its members.".into(),
        );
    }
    refuse(format!(
        "The group \"{name}\" ({id}) cannot be a member of this group, which is within it, directly or through other groups. Take this group out of \"{name}\" first, or leave \"{name}\" out."
    ))
}

fn refuse(detail: String) -> DirectoryError {
    Refusal { reason: Reason::MemberCycle, attribute: Some("members".into()), detail }.into()
}
