//! Leaving: what becomes of memberships when a member is deleted.

use crate::change::{self, Change};
use crate::decisions::Asked;
use crate::error::DirectoryError;
use crate::scope::{Scoped, micros, new_id};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use std::collections::HashSet;

/// Holds the groups that a member is in, in the order of their ids, and with them `own`, a group itself.
///
/// What is given back is for [`leave_groups`]: nothing on SQLite, whose one writer holds everything.
pub(crate) async fn hold_parents(
    scoped: &Scoped,
    transaction: &DatabaseTransaction,
    member_id: &str,
) -> Result<Option<HashSet<String>>, DirectoryError> {
    let lock = scoped.row_lock();
    if lock.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT id FROM groups WHERE tenant_id = $1 AND (id = $2 OR id IN (
             SELECT group_id FROM members WHERE tenant_id = $1 AND member_id = $2)) ORDER BY id{lock}"
    );
    let rows = transaction.query_all_raw(scoped.statement(sql, vec![member_id.into()])).await?;
    let held = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(Some(held))
}

/// Takes a resource out of its groups; each group gets a new version, and a change that says so. The resource is held,
/// so that it enters no group meanwhile; one that it entered before, and that is not among the `held`, has to be held
/// in its turn: then all is done again.
pub(crate) async fn leave_groups(
    scoped: &Scoped,
    transaction: &DatabaseTransaction,
    member_id: &str,
    held: Option<&HashSet<String>>,
    asked: &Asked,
) -> Result<(), DirectoryError> {
    let groups =
        "SELECT group_id FROM members WHERE tenant_id = $1 AND member_id = $2 ORDER BY group_id";
    let rows = transaction.query_all_raw(scoped.statement(groups, vec![member_id.into()])).await?;
    for row in rows {
        let group_id: String = row.try_get_by_index(0)?;
        if held.is_some_and(|held| !held.contains(&group_id)) {
            return Err(DirectoryError::Contended);
        }
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
