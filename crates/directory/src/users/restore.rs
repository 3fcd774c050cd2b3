//! The script that brings a deleted user back.
//!
//! **Invariant**: its id and its history go on: the number of this change follows that of the deletion.

use super::emails::{add_emails, emails};
use super::manager;
use crate::change::{self, Change};
use crate::decisions::{self, Asked, Verdict};
use crate::once::{self, Kept, Once};
use crate::scope::{Scoped, micros};
use crate::script::Script;
use crate::seats::{self, Delta};
use provisioning::Reason;
use scim_core::User;
use serde_json::Value;
use time::OffsetDateTime;

/// What is left of a deleted user.
#[derive(Debug)]
pub(super) struct Buried {
    pub(super) id: String,
    pub(super) user: User,
    /// The name in comparison form.
    pub(super) key: String,
    pub(super) role: String,
    pub(super) active: bool,
    /// The number of its deletion.
    pub(super) version: u64,
    pub(super) created_at: OffsetDateTime,
}

/// Makes a user of what is left of one: its id and its history go on, and its name is taken again.
pub(super) fn restore(
    scoped: &Scoped,
    buried: &Buried,
    once: Option<&Once>,
    asked: &Asked,
    decision: &str,
) -> Script {
    let mut script = scoped.script();
    let mut guard = script.fence(scoped.tenant().epoch);
    if let Some(limit) = scoped.tenant().seats.filter(|_| buried.active) {
        guard = format!("{guard} AND {}", seats::free(&mut script, limit));
    }
    let id = script.bind(buried.id.as_str());
    write_row(&mut script, scoped, buried, (&id, &guard), asked.now);
    let gate = script.gate();
    script.step(
        "tombstone",
        format!(
            "DELETE FROM tombstones WHERE tenant_id = $1 AND resource_type = 'User' AND id = {id} AND {gate}"
        ),
    );
    let seats = i64::from(buried.active);
    // It comes back among earlier ones, which moves positions as a deletion does.
    seats::count(&mut script, &buried.id, Delta { users: 1, seats, removed: 1, groups: 0 });
    let document = buried.user.document();
    let keys = emails(&document.search(&scoped.tenant().schemas.user));
    add_emails(&mut script, &buried.id, &keys);
    let change = Change {
        resource_type: "User",
        resource_id: &buried.id,
        seq: buried.version + 1,
        kind: "user.restored",
        changed: &[],
        data: document.to_text(),
    };
    change::record(&mut script, asked, decision, change);
    if let Some(once) = once {
        let kept = Kept {
            id: buried.id.clone(),
            doc: buried.user.document().to_text(),
            version: buried.version + 1,
            active: buried.active,
            created_at: micros(buried.created_at),
            updated_at: micros(asked.now),
        };
        once::record(&mut script, asked, once, &kept);
    }
    let verdict = Verdict {
        outcome: "done",
        reason: Reason::UserRestored,
        status: 200,
        resource_type: "User",
        resource_id: Some(&buried.id),
        subject: Some(buried.user.name().as_written()),
        attribute: None,
        detail: "",
        changed: &[],
    };
    decisions::record(&mut script, asked, decision, &verdict);
    script
}

fn write_row(
    script: &mut Script,
    scoped: &Scoped,
    buried: &Buried,
    (id, guard): (&str, &str),
    now: OffsetDateTime,
) {
    let document = buried.user.document();
    let search = document.search(&scoped.tenant().schemas.user);
    let columns = [
        id.to_owned(),
        script.bind(buried.key.as_str()),
        script.bind(buried.user.external_id().map(str::to_owned)),
        script.bind(buried.user.display_name().unwrap_or_else(|| buried.user.name().as_written())),
        script.bind(i64::from(buried.active)),
        script.bind(buried.role.as_str()),
        script.bind(document.to_text()),
        script.bind(manager::key(&search)),
        script.bind_json(Value::Object(search).to_string()),
        script.bind(i64::try_from(buried.version + 1).unwrap_or(i64::MAX)),
        script.bind(micros(buried.created_at)),
        script.bind(micros(now)),
    ]
    .join(", ");
    script.step(
        "main",
        format!(
            "INSERT INTO users (tenant_id, id, user_name_key, external_id, display, active, role, doc, manager_key, search, version, created_at, updated_at)
             SELECT $1, {columns} WHERE {guard}"
        ),
    );
}
