//! The groups that a user is in: those that list it, and those that list one of these (RFC 7643 §4.1.2).
//!
//! **Invariant**: each group once, as `direct` when it lists the user itself. A walk ends also where groups should go
//! round in a circle, which no write lets them.

use super::StoredUser;
use crate::error::DirectoryError;
use crate::scope::Scoped;
use migrations::Engine;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The groups that list the user `u`, as a JSON list or null, and whether one of them is within others: 1 or 0. Most
/// tenants have no groups within groups, and pay a look for each group instead of a walk.
pub(super) fn groups_of(engine: Engine, base: &str) -> String {
    let parts = format!(
        "'value', g.id, '$ref', {base} || '/Groups/' || g.id, 'display', g.display, 'type', 'direct'"
    );
    let list = match engine {
        Engine::Sqlite => format!("nullif(json_group_array(json_object({parts})), '[]')"),
        Engine::Postgres => format!("json_agg(json_build_object({parts}) ORDER BY g.id)::text"),
    };
    format!(
        "(SELECT {list} FROM members m JOIN groups g ON g.tenant_id = $1 AND g.id = m.group_id
          WHERE m.tenant_id = $1 AND m.member_id = u.id),
         CAST(CASE WHEN EXISTS (SELECT 1 FROM members m JOIN members n ON n.tenant_id = $1 AND n.member_id = m.group_id AND n.kind = 'Group'
             WHERE m.tenant_id = $1 AND m.member_id = u.id) THEN 1 ELSE 0 END AS BIGINT)"
    )
}

impl Scoped {
    /// Gives a user read alone the groups that it is in indirectly, where there are any.
    pub(super) async fn with_indirect(
        &self,
        mut user: StoredUser,
        base: &str,
    ) -> Result<StoredUser, DirectoryError> {
        if user.nests {
            self.add_groups(std::slice::from_mut(&mut user), base).await?;
            user.nests = false;
        }
        Ok(user)
    }

    /// Gives each user of a page the groups it is in.
    pub(crate) async fn add_groups(
        &self,
        users: &mut [StoredUser],
        base: &str,
    ) -> Result<(), DirectoryError> {
        if users.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
        let sql = format!(
            "WITH RECURSIVE up(member_id, id, near) AS (
                 SELECT m.member_id, m.group_id, 1 FROM members m WHERE m.tenant_id = $1 AND {}
                 UNION
                 SELECT up.member_id, n.group_id, 0 FROM up JOIN members n ON n.tenant_id = $1 AND n.member_id = up.id AND n.kind = 'Group')
             SELECT k.member_id, g.id, g.display, CAST(k.near AS BIGINT)
             FROM (SELECT up.member_id, up.id, max(up.near) AS near FROM up GROUP BY up.member_id, up.id) k
             JOIN groups g ON g.tenant_id = $1 AND g.id = k.id ORDER BY k.member_id, g.id",
            self.is_one_of("m.member_id", "$2")
        );
        let rows = self.read(sql, vec![self.id_list(&ids)]).await?;
        let mut groups: HashMap<String, Vec<Value>> = HashMap::new();
        for row in rows {
            let (member, id): (String, String) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let display: String = row.try_get_by_index(2)?;
            let near: i64 = row.try_get_by_index(3)?;
            let kind = if near == 1 { "direct" } else { "indirect" };
            let reference = format!("{base}/Groups/{id}");
            groups.entry(member).or_default().push(json!({
                "value": id, "$ref": reference, "display": display, "type": kind,
            }));
        }
        for user in users {
            user.groups = groups.remove(&user.id).map(|list| Value::from(list).to_string());
        }
        Ok(())
    }
}
