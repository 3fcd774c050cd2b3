//! The scripts that write groups.

use super::StoredGroup;
use crate::change::{self, Change};
use crate::decisions::{self, Asked, Verdict};
use crate::error::DirectoryError;
use crate::members::MemberDelta;
use crate::scope::{Scoped, micros};
use crate::script::Script;
use crate::seats::{self, Delta};
use scim_core::{Document, Group, Member};
use serde_json::{Value, json};

pub(super) fn insert(
    scoped: &Scoped,
    id: &str,
    group: &Group,
    members: &[Member],
    asked: &Asked,
    decision: &str,
) -> Script {
    let mut script = scoped.script();
    let guard = script.fence(scoped.tenant().epoch);
    let document = group.document();
    let of = &scoped.tenant().schemas.group;
    let columns = [
        script.bind(id),
        script.bind(group.display_key()),
        script.bind(group.external_id().map(str::to_owned)),
        script.bind(group.display_name()),
        script.bind(document.to_text()),
        script.bind_json(document.search_text(of)),
    ]
    .join(", ");
    let at = script.bind(micros(asked.now));
    script.step(
        "main",
        format!(
            "INSERT INTO groups (tenant_id, id, display_key, external_id, display, doc, search, version, created_at, updated_at)
             SELECT $1, {columns}, 1, {at}, {at} WHERE {guard}"
        ),
    );
    seats::count(&mut script, id, Delta { groups: 1, ..Delta::default() });
    let mut names = document.attribute_names(of);
    if !members.is_empty() {
        names.push("members".into());
    }
    let change = Change {
        resource_type: "Group",
        resource_id: id,
        seq: 1,
        kind: "group.created",
        changed: &names,
        data: data(document, members.iter().map(|member| &member.id), []),
    };
    change::record(&mut script, asked, decision, change);
    let verdict = done(provisioning::Reason::GroupCreated, 201, id, group.display_name(), &names);
    decisions::record(&mut script, asked, decision, &verdict);
    script
}

/// Writes a group's new version; its members have been changed in the same transaction.
#[expect(clippy::too_many_arguments, reason = "each is a different thing, and there is one caller")]
pub(super) fn update(
    scoped: &Scoped,
    before: &StoredGroup,
    group: &Group,
    changed: &[String],
    delta: &MemberDelta,
    asked: &Asked,
    decision: &str,
) -> Script {
    let mut script = scoped.script();
    let guard = script.fence(scoped.tenant().epoch);
    let document = group.document();
    let id = script.bind(before.id.as_str());
    let version = script.bind(i64::try_from(before.version).unwrap_or(i64::MAX));
    let at = script.bind(micros(asked.now));
    let only_members = matches!(changed, [only] if only == "members");
    let attributes = if only_members {
        String::new()
    } else {
        let key = script.bind(group.display_key());
        let external_id = script.bind(group.external_id().map(str::to_owned));
        let display = script.bind(group.display_name());
        let doc = script.bind(document.to_text());
        let search = script.bind_json(document.search_text(&scoped.tenant().schemas.group));
        format!(
            "display_key = {key}, external_id = {external_id}, display = {display}, doc = {doc}, search = {search}, "
        )
    };
    script.step(
        "main",
        format!(
            "UPDATE groups SET {attributes}version = version + 1, updated_at = {at}
             WHERE tenant_id = $1 AND id = {id} AND version = {version} AND {guard}"
        ),
    );
    let (kind, reason) = if only_members {
        ("group.members_changed", provisioning::Reason::MembersChanged)
    } else {
        ("group.updated", provisioning::Reason::GroupUpdated)
    };
    let change = Change {
        resource_type: "Group",
        resource_id: &before.id,
        seq: before.version + 1,
        kind,
        changed,
        data: data(document, &delta.added, &delta.removed),
    };
    change::record(&mut script, asked, decision, change);
    let verdict = done(reason, 200, &before.id, group.display_name(), changed);
    decisions::record(&mut script, asked, decision, &verdict);
    script
}

pub(super) fn remove(
    scoped: &Scoped,
    group: &StoredGroup,
    asked: &Asked,
    decision: &str,
) -> Result<Script, DirectoryError> {
    let document = Document::stored(&group.doc)?;
    let name = document.text("displayName").unwrap_or_default();
    let mut script = scoped.script();
    let guard = script.fence(scoped.tenant().epoch);
    let id = script.bind(group.id.as_str());
    script
        .step("main", format!("DELETE FROM groups WHERE tenant_id = $1 AND id = {id} AND {guard}"));
    seats::count(&mut script, &group.id, Delta { groups: -1, removed: 1, ..Delta::default() });
    let (key, doc) = (script.bind(scim_core::fold(name)), script.bind(group.doc.as_str()));
    let version = script.bind(i64::try_from(group.version + 1).unwrap_or(i64::MAX));
    let at = script.bind(micros(asked.now));
    let gate = script.gate();
    script.step(
        "tombstone",
        format!(
            "INSERT INTO tombstones (tenant_id, resource_type, id, subject_key, doc, version, deleted_at)
             SELECT $1, 'Group', {id}, {key}, {doc}, {version}, {at} WHERE {gate}"
        ),
    );
    let change = Change {
        resource_type: "Group",
        resource_id: &group.id,
        seq: group.version + 1,
        kind: "group.deleted",
        changed: &[],
        data: group.doc.clone(),
    };
    change::record(&mut script, asked, decision, change);
    let verdict = done(provisioning::Reason::GroupDeleted, 204, &group.id, name, &[]);
    decisions::record(&mut script, asked, decision, &verdict);
    Ok(script)
}

fn done<'a>(
    reason: provisioning::Reason,
    status: u16,
    id: &'a str,
    name: &'a str,
    changed: &'a [String],
) -> Verdict<'a> {
    Verdict {
        outcome: "done",
        reason,
        status,
        resource_type: "Group",
        resource_id: Some(id),
        subject: Some(name),
        attribute: None,
        detail: "",
        changed,
    }
}

/// What the product is told: the attributes, and who came and went; never the whole list.
fn data<'a>(
    document: &Document,
    added: impl IntoIterator<Item = &'a String>,
    removed: impl IntoIterator<Item = &'a String>,
) -> String {
    let mut map = document.as_map().clone();
    let added: Vec<&String> = added.into_iter().collect();
    let removed: Vec<&String> = removed.into_iter().collect();
    map.insert("members".into(), json!({ "added": added, "removed": removed }));
    Value::Object(map).to_string()
}
