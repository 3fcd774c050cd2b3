//! The scripts that write users.

use super::emails::{add_emails, change_emails, emails};
use super::manager::{self, StoredManager};
use super::{StoredUser, UserAnswer};
use crate::change::{self, Change};
use crate::decisions::{self, Asked, Verdict};
use crate::error::DirectoryError;
use crate::members::{hold_parents, leave_groups};
use crate::once::{self, Kept, Once};
use crate::scope::{Scoped, applied, instant, micros, new_id};
use crate::script::Script;
use crate::seats::{self, Delta};
use provisioning::Reason;
use provisioning::seats::{SeatChange, needs_seat};
use scim_core::{Document, ResourceType, User};
use sea_orm::ConnectionTrait;
use serde_json::Value;
use time::OffsetDateTime;

/// What a PUT or PATCH makes of a user.
#[derive(Debug)]
pub(super) struct UserChange {
    pub(super) before: StoredUser,
    pub(super) user: User,
    /// Names of the attributes that differ; none means that nothing is written.
    pub(super) changed: Vec<String>,
    /// Seats taken (1), freed (-1) or neither.
    pub(super) seats: i64,
    /// What is said of it, where that is not told by what changed.
    pub(super) said: Option<(&'static str, Reason)>,
    active: bool,
    emails_before: Vec<String>,
}

impl UserChange {
    pub(super) fn between(
        before: StoredUser,
        old: &Document,
        mut user: User,
        of: &ResourceType,
    ) -> Self {
        let said = user.document().get("active").and_then(Value::as_bool);
        let active = said.unwrap_or(before.active);
        // What is stored and answered is what is in force.
        user.document_mut().set("active", Value::Bool(active));
        let changed = user.document().changed_since(old, of);
        let seats = match needs_seat(Some(before.active), active) {
            SeatChange::Take => 1,
            SeatChange::Free => -1,
            SeatChange::None => 0,
        };
        let emails_before = if changed.iter().any(|name| name.starts_with("emails")) {
            emails(&old.search(of))
        } else {
            Vec::new()
        };
        Self { before, user, changed, seats, said: None, active, emails_before }
    }

    fn kind(&self) -> (&'static str, Reason) {
        self.said.unwrap_or(match self.seats {
            1 => ("user.reactivated", Reason::UserReactivated),
            -1 => ("user.deactivated", Reason::UserDeactivated),
            _ => ("user.updated", Reason::UserUpdated),
        })
    }

    /// The decision that nothing was to be changed.
    pub(super) fn unchanged(&self) -> Verdict<'_> {
        Verdict {
            outcome: "unchanged",
            reason: Reason::UserUnchanged,
            status: 200,
            resource_type: "User",
            resource_id: Some(&self.before.id),
            subject: Some(self.user.name().as_written()),
            attribute: None,
            detail: "",
            changed: &[],
        }
    }

    /// Whether the manager is another one than before.
    pub(super) fn has_other_manager(&self) -> bool {
        self.changed.iter().any(|name| name.contains("manager"))
    }

    pub(super) fn answer(self, manager: Option<StoredManager>, now: OffsetDateTime) -> UserAnswer {
        let reason = self.kind().1;
        let user = StoredUser {
            doc: self.user.document().to_text(),
            version: self.before.version + 1,
            updated_at: now,
            active: self.active,
            manager,
            ..self.before
        };
        UserAnswer { user, reason, is_repeated: false }
    }
}

pub(super) fn insert(
    scoped: &Scoped,
    id: &str,
    user: &User,
    asked: &Asked,
    decision: &str,
) -> Script {
    let mut script = scoped.script();
    let mut guard = script.fence(scoped.tenant().epoch);
    if let Some(limit) = scoped.tenant().seats.filter(|_| user.active()) {
        guard = format!("{guard} AND {}", seats::free(&mut script, limit));
    }
    let document = user.document();
    let of = &scoped.tenant().schemas.user;
    let search = document.search(of);
    let keys = emails(&search);
    let columns = [
        script.bind(id),
        script.bind(user.name().key()),
        script.bind(user.external_id().map(str::to_owned)),
        script.bind(user.display_name().unwrap_or_else(|| user.name().as_written())),
        script.bind(i64::from(user.active())),
        script.bind(scoped.tenant().role_of(scoped.population())),
        script.bind(document.to_text()),
        script.bind(manager::key(&search)),
        script.bind_json(Value::Object(search).to_string()),
    ]
    .join(", ");
    let at = script.bind(micros(asked.now));
    script.step(
        "main",
        format!(
            "INSERT INTO users (tenant_id, id, user_name_key, external_id, display, active, role, doc, manager_key, search, version, created_at, updated_at)
             SELECT $1, {columns}, 1, {at}, {at} WHERE {guard}"
        ),
    );
    let seats = i64::from(user.active());
    seats::count(&mut script, id, Delta { users: 1, seats, ..Delta::default() });
    add_emails(&mut script, id, &keys);
    let names = document.attribute_names(of);
    let change = Change {
        resource_type: "User",
        resource_id: id,
        seq: 1,
        kind: "user.created",
        changed: &names,
        data: document.to_text(),
    };
    change::record(&mut script, asked, decision, change);
    let verdict = Verdict {
        outcome: "done",
        reason: Reason::UserCreated,
        status: 201,
        resource_type: "User",
        resource_id: Some(id),
        subject: Some(user.name().as_written()),
        attribute: None,
        detail: "",
        changed: &names,
    };
    decisions::record(&mut script, asked, decision, &verdict);
    script
}

pub(super) fn update(
    scoped: &Scoped,
    change: &UserChange,
    asked: &Asked,
    decision: &str,
) -> Script {
    update_once(scoped, change, None, asked, decision)
}

/// An update, and with it the key that it is known by when it is asked for again.
pub(super) fn update_once(
    scoped: &Scoped,
    change: &UserChange,
    once: Option<&Once>,
    asked: &Asked,
    decision: &str,
) -> Script {
    let mut script = scoped.script();
    let mut guard = script.fence(scoped.tenant().epoch);
    if let Some(limit) = scoped.tenant().seats.filter(|_| change.seats > 0) {
        guard = format!("{guard} AND {}", seats::free(&mut script, limit));
    }
    let of = &scoped.tenant().schemas.user;
    write_row(&mut script, change, &guard, asked.now, of);
    let id = change.before.id.as_str();
    if change.seats != 0 {
        seats::count(&mut script, id, Delta { seats: change.seats, ..Delta::default() });
    }
    if change.changed.iter().any(|name| name.starts_with("emails")) {
        let after = emails(&change.user.document().search(of));
        change_emails(&mut script, id, &change.emails_before, &after);
    }
    let (kind, reason) = change.kind();
    let row = Change {
        resource_type: "User",
        resource_id: id,
        seq: change.before.version + 1,
        kind,
        changed: &change.changed,
        data: change.user.document().to_text(),
    };
    change::record(&mut script, asked, decision, row);
    if let Some(once) = once {
        let kept = Kept {
            id: change.before.id.clone(),
            doc: change.user.document().to_text(),
            version: change.before.version + 1,
            active: change.active,
            created_at: micros(change.before.created_at),
            updated_at: micros(asked.now),
        };
        once::record(&mut script, asked, once, &kept);
    }
    let verdict = Verdict {
        outcome: "done",
        reason,
        status: 200,
        resource_type: "User",
        resource_id: Some(id),
        subject: Some(change.user.name().as_written()),
        attribute: None,
        detail: "",
        changed: &change.changed,
    };
    decisions::record(&mut script, asked, decision, &verdict);
    script
}

fn write_row(
    script: &mut Script,
    change: &UserChange,
    guard: &str,
    now: OffsetDateTime,
    of: &ResourceType,
) {
    let user = &change.user;
    let document = user.document();
    let id = script.bind(change.before.id.as_str());
    let version = script.bind(i64::try_from(change.before.version).unwrap_or(i64::MAX));
    let key = script.bind(user.name().key());
    let external_id = script.bind(user.external_id().map(str::to_owned));
    let display = script.bind(user.display_name().unwrap_or_else(|| user.name().as_written()));
    let active = script.bind(i64::from(change.active));
    let doc = script.bind(document.to_text());
    let search = document.search(of);
    let manager = script.bind(manager::key(&search));
    let search = script.bind_json(Value::Object(search).to_string());
    let at = script.bind(micros(now));
    script.step(
        "main",
        format!(
            "UPDATE users SET user_name_key = {key}, external_id = {external_id}, display = {display}, active = {active},
                    doc = {doc}, manager_key = {manager}, search = {search}, version = version + 1, updated_at = {at}
             WHERE tenant_id = $1 AND id = {id} AND version = {version} AND {guard}"
        ),
    );
}

/// Deletes in one transaction that holds the user's row first: a membership that is being added at the same time
/// is either seen and removed, or finds no user.
pub(super) async fn delete(
    scoped: &Scoped,
    id: &str,
    expected: &impl Fn(u64) -> bool,
    asked: &Asked,
) -> Result<(), DirectoryError> {
    let transaction = scoped.begin().await?;
    let lock = scoped.row_lock();
    // The ledger, then the groups, then the user: the order of all who take more than one of them.
    scoped.lock_ledger(&transaction).await?;
    let held = hold_parents(scoped, &transaction, id).await?;
    let sql = format!(
        "SELECT doc, version, created_at, user_name_key, active, role FROM users WHERE tenant_id = $1 AND id = $2{lock}"
    );
    let row = transaction.query_one_raw(scoped.statement(sql, vec![id.into()])).await?;
    let Some(row) = row else { return Err(DirectoryError::NotFound) };
    let version: i64 = row.try_get_by_index(1)?;
    let active: i64 = row.try_get_by_index(4)?;
    let user = StoredUser {
        id: id.to_owned(),
        doc: row.try_get_by_index(0)?,
        version: u64::try_from(version).unwrap_or_default(),
        created_at: instant(row.try_get_by_index(2)?),
        updated_at: asked.now,
        groups: None,
        active: active != 0,
        manager: None,
        nests: false,
    };
    if !expected(user.version) {
        return Err(DirectoryError::VersionMismatch);
    }
    leave_groups(scoped, &transaction, id, held.as_ref(), asked).await?;
    let emails = "DELETE FROM user_emails WHERE tenant_id = $1 AND user_id = $2";
    transaction.execute_raw(scoped.statement(emails, vec![id.into()])).await?;
    let key: String = row.try_get_by_index(3)?;
    let decision = new_id(asked.now);
    let role: String = row.try_get_by_index(5)?;
    let script = remove(scoped, &user, (&key, &role), asked, &decision)?;
    if !applied(transaction.query_one_raw(script.statement()).await?)? {
        return Err(DirectoryError::Fenced);
    }
    scoped.conclude(transaction, &decision).await
}

fn remove(
    scoped: &Scoped,
    user: &StoredUser,
    (key, role): (&str, &str),
    asked: &Asked,
    decision: &str,
) -> Result<Script, DirectoryError> {
    let mut script = scoped.script();
    let guard = script.fence(scoped.tenant().epoch);
    let id = script.bind(user.id.as_str());
    script
        .step("main", format!("DELETE FROM users WHERE tenant_id = $1 AND id = {id} AND {guard}"));
    seats::count(
        &mut script,
        &user.id,
        Delta { users: -1, seats: -i64::from(user.active), removed: 1, groups: 0 },
    );
    let (key, doc) = (script.bind(key), script.bind(user.doc.as_str()));
    let (role, active) = (script.bind(role), script.bind(i64::from(user.active)));
    let version = script.bind(i64::try_from(user.version + 1).unwrap_or(i64::MAX));
    let at = script.bind(micros(asked.now));
    let gate = script.gate();
    script.step(
        "tombstone",
        format!(
            "INSERT INTO tombstones (tenant_id, resource_type, id, subject_key, doc, version, deleted_at, role, active)
             SELECT $1, 'User', {id}, {key}, {doc}, {version}, {at}, {role}, {active} WHERE {gate}"
        ),
    );
    let change = Change {
        resource_type: "User",
        resource_id: &user.id,
        seq: user.version + 1,
        kind: "user.deleted",
        changed: &[],
        data: user.doc.clone(),
    };
    change::record(&mut script, asked, decision, change);
    let document = Document::stored(&user.doc)?;
    let verdict = Verdict {
        outcome: "done",
        reason: Reason::UserDeleted,
        status: 204,
        resource_type: "User",
        resource_id: Some(&user.id),
        subject: document.text("userName"),
        attribute: None,
        detail: "",
        changed: &[],
    };
    decisions::record(&mut script, asked, decision, &verdict);
    Ok(script)
}
