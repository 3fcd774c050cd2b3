//! A plain change of members in one statement: people come and go by their ids, and nothing else changes.
//!
//! What comes and goes is found where the rows are, under the lock of the group's row, so the statement costs what it
//! names. It does nothing where the case is not plain: then the steps of a transaction do it, or say why not.
//!
//! **Invariant**: number, change row, event and decision are those that the steps would write.

use crate::commit::Committed;
use crate::decisions::{self, Asked, Verdict};
use crate::error::DirectoryError;
use crate::groups::StoredGroup;
use crate::scope::{Scoped, micros, new_id};
use crate::script::{Script, list_of, one_of};
use migrations::Engine;
use provisioning::Reason;
use scim_core::{MemberKind, MemberStep};
use sea_orm::Statement;

/// What the statement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtOnce {
    /// Members came or went; the group has this version.
    Changed(u64),
    /// All is as it was asked for; the group has this version.
    Unchanged(u64),
    /// It is in the store, but the connection was lost before it said as what.
    Stored,
    /// It is not for this statement.
    NotPlain,
}

/// Who is to come and to go.
struct Plain<'a> {
    clear: bool,
    add: Vec<&'a str>,
    remove: Vec<&'a str>,
}

impl<'a> Plain<'a> {
    /// The one step of people that a change consists of, if it does.
    fn of(steps: &'a [MemberStep]) -> Option<Self> {
        let [MemberStep::Change { clear, add, remove }] = steps else { return None };
        if add.iter().any(|member| member.kind == Some(MemberKind::Group)) {
            return None;
        }
        // Sorted, so that the change tells them in order; each is named once.
        let mut add: Vec<&str> = add.iter().map(|member| member.id.as_str()).collect();
        add.sort_unstable();
        add.dedup();
        let mut remove: Vec<&str> = remove.iter().map(String::as_str).collect();
        remove.sort_unstable();
        remove.dedup();
        Some(Self { clear: *clear, add, remove })
    }
}

impl Scoped {
    /// Changes the members of a group whose attributes stay as they are in `before`.
    pub(crate) async fn change_at_once(
        &self,
        before: &StoredGroup,
        name: &str,
        steps: &[MemberStep],
        asked: &Asked,
    ) -> Result<AtOnce, DirectoryError> {
        let Some(plain) = Plain::of(steps) else { return Ok(AtOnce::NotPlain) };
        let decision = new_id(asked.now);
        let statement = match self.engine() {
            Engine::Sqlite => self.sqlite(before, name, &plain, asked, &decision),
            Engine::Postgres => self.postgres(before, name, &plain, asked, &decision),
        };
        Ok(match self.commit_number(statement, &decision).await? {
            Committed::Number(0) => AtOnce::NotPlain,
            Committed::Number(version) if version > 0 => AtOnce::Changed(version.unsigned_abs()),
            Committed::Number(version) => AtOnce::Unchanged(version.unsigned_abs()),
            Committed::Found => AtOnce::Stored,
        })
    }

    fn postgres(
        &self,
        before: &StoredGroup,
        name: &str,
        plain: &Plain<'_>,
        asked: &Asked,
        decision: &str,
    ) -> Statement {
        let engine = Engine::Postgres;
        let mut script = self.script();
        let fence = script.fence(self.tenant().epoch);
        let group = script.bind(before.id.as_str());
        let doc = script.bind(before.doc.as_str());
        let at = script.bind(micros(asked.now));
        let event = script.bind(decision);
        let (request_id, actor) =
            (script.bind(asked.request_id.as_str()), script.bind(asked.key_id.as_str()));
        // The group's row first: whoever takes a group and people takes them in this order.
        let mut sql = format!(
            "WITH g AS (SELECT * FROM groups WHERE tenant_id = $1 AND id = {group} AND doc = {doc} AND {fence} FOR UPDATE)"
        );
        if plain.add.is_empty() {
            sql.push_str(
                ", may AS (SELECT 1 FROM g), came AS (SELECT NULL::text AS member_id WHERE FALSE)",
            );
        } else {
            let add = script.bind(list_of(engine, &plain.add));
            let count = script.bind(i64::try_from(plain.add.len()).unwrap_or(i64::MAX));
            let one_of = one_of(engine, "u.id", &add);
            sql.push_str(&format!(
                ", found AS (SELECT u.id FROM users u WHERE u.tenant_id = $1 AND {one_of} AND EXISTS (SELECT 1 FROM g) ORDER BY u.id FOR KEY SHARE),
                 may AS (SELECT 1 FROM g WHERE (SELECT count(*) FROM found) = {count}),
                 came AS (INSERT INTO members (tenant_id, group_id, member_id, kind)
                     SELECT $1, {group}, found.id, 'User' FROM found WHERE EXISTS (SELECT 1 FROM may)
                     ON CONFLICT (tenant_id, group_id, member_id) DO NOTHING RETURNING member_id)"
            ));
        }
        match plain.leaving(&mut script) {
            None => sql.push_str(", gone AS (SELECT NULL::text AS member_id WHERE FALSE)"),
            Some(leaving) => sql.push_str(&format!(
                ", gone AS (DELETE FROM members m WHERE m.tenant_id = $1 AND m.group_id = {group} AND {leaving} AND EXISTS (SELECT 1 FROM may) RETURNING m.member_id)"
            )),
        }
        let (done, unchanged) = verdicts(&before.id, name);
        let decided = decisions::either(
            &mut script,
            asked,
            decision,
            (&done, &unchanged),
            "EXISTS (SELECT 1 FROM main)",
        );
        // As an insertion that meets the row: it changes the row that `g` holds, which an UPDATE would look for with the
        // eyes of a statement that began before the last one ended.
        sql.push_str(&format!(
            ", main AS (INSERT INTO groups (tenant_id, id, display_key, external_id, display, doc, search, version, created_at, updated_at)
                 SELECT g.tenant_id, g.id, g.display_key, g.external_id, g.display, g.doc, g.search, g.version, g.created_at, {at} FROM g
                 WHERE EXISTS (SELECT 1 FROM came) OR EXISTS (SELECT 1 FROM gone)
                 ON CONFLICT (tenant_id, id) DO UPDATE SET version = groups.version + 1, updated_at = excluded.updated_at RETURNING version),
             change AS (INSERT INTO changes (tenant_id, resource_type, resource_id, seq, at, kind, changed, data, request_id, actor)
                 SELECT $1, 'Group', {group}, main.version, {at}, 'group.members_changed', 'members',
                     left({doc}, -1) || ',\"members\":' || json_build_object(
                         'added', (SELECT coalesce(json_agg(came.member_id ORDER BY came.member_id), '[]') FROM came),
                         'removed', (SELECT coalesce(json_agg(gone.member_id ORDER BY gone.member_id), '[]') FROM gone))::text || '}}',
                     {request_id}, {actor} FROM main RETURNING 1),
             event AS (INSERT INTO outbox (tenant_id, id, resource_type, resource_id, seq, at)
                 SELECT $1, {event}, 'Group', {group}, main.version, {at} FROM main RETURNING 1),
             decision AS (INSERT INTO decisions ({columns}) SELECT $1, {decided} WHERE EXISTS (SELECT 1 FROM may) RETURNING 1)
             SELECT coalesce((SELECT version FROM main), (SELECT -g.version FROM g WHERE EXISTS (SELECT 1 FROM decision)), 0)",
            columns = decisions::COLUMNS
        ));
        script.text(&sql)
    }

    fn sqlite(
        &self,
        before: &StoredGroup,
        name: &str,
        plain: &Plain<'_>,
        asked: &Asked,
        decision: &str,
    ) -> Statement {
        let mut script = self.script();
        let fence = script.fence(self.tenant().epoch);
        let group = script.bind(before.id.as_str());
        let doc = script.bind(before.doc.as_str());
        let head = script.bind(before.doc.strip_suffix('}').unwrap_or_default());
        let at = script.bind(micros(asked.now));
        let event = script.bind(decision);
        let (request_id, actor) =
            (script.bind(asked.request_id.as_str()), script.bind(asked.key_id.as_str()));
        let (mut there, mut differs) = (String::from("TRUE"), Vec::new());
        let (mut came, mut gone) = (String::from("'[]'"), String::from("'[]'"));
        let mut writes = String::new();
        let did = format!("EXISTS (SELECT 1 FROM outbox WHERE tenant_id = $1 AND id = {event})");
        if let Some(leaving) = plain.leaving(&mut script) {
            differs.push(format!("EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = $1 AND m.group_id = {group} AND {leaving})"));
            gone = format!(
                "(SELECT json_group_array(k.member_id) FROM (SELECT m.member_id FROM members m WHERE m.tenant_id = $1 AND m.group_id = {group} AND {leaving} ORDER BY m.member_id) k)"
            );
            let leaving = leaving.replace("m.member_id", "member_id");
            writes.push_str(&format!(
                "DELETE FROM members WHERE tenant_id = $1 AND group_id = {group} AND {leaving} AND {did}; "
            ));
        }
        if !plain.add.is_empty() {
            let add = script.bind(list_of(Engine::Sqlite, &plain.add));
            let count = script.bind(i64::try_from(plain.add.len()).unwrap_or(i64::MAX));
            there = format!(
                "(SELECT count(*) FROM json_each({add}) a CROSS JOIN users u ON u.tenant_id = $1 AND u.id = a.value) = {count}"
            );
            let new = format!(
                "json_each({add}) a WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = $1 AND m.group_id = {group} AND m.member_id = a.value)"
            );
            differs.push(format!("EXISTS (SELECT 1 FROM {new})"));
            came = format!("(SELECT json_group_array(a.value) FROM {new})");
            writes.push_str(&format!(
                "INSERT INTO members (tenant_id, group_id, member_id, kind) SELECT $1, {group}, a.value, 'User' FROM json_each({add}) a
                 WHERE {did} ON CONFLICT (tenant_id, group_id, member_id) DO NOTHING; "
            ));
        }
        let differs = if differs.is_empty() { "FALSE".to_owned() } else { differs.join(" OR ") };
        let (done, unchanged) = verdicts(&before.id, name);
        let decided =
            decisions::either(&mut script, asked, decision, (&done, &unchanged), "changes() > 0");
        // The change row is written before the memberships, which tell what comes and goes.
        let sql = format!(
            "SAVEPOINT step;
             UPDATE groups SET version = version + 1, updated_at = {at}
                 WHERE tenant_id = $1 AND id = {group} AND doc = {doc} AND {fence} AND {there} AND ({differs});
             INSERT INTO changes (tenant_id, resource_type, resource_id, seq, at, kind, changed, data, request_id, actor)
                 SELECT $1, 'Group', g.id, g.version, {at}, 'group.members_changed', 'members',
                     {head} || ',\"members\":' || json_object('added', json({came}), 'removed', json({gone})) || '}}', {request_id}, {actor}
                 FROM groups g WHERE g.tenant_id = $1 AND g.id = {group} AND changes() > 0;
             INSERT INTO outbox (tenant_id, id, resource_type, resource_id, seq, at)
                 SELECT $1, {event}, 'Group', g.id, g.version, {at} FROM groups g WHERE g.tenant_id = $1 AND g.id = {group} AND changes() > 0;
             INSERT INTO decisions ({columns}) SELECT $1, {decided} WHERE changes() > 0 OR (EXISTS (
                 SELECT 1 FROM groups WHERE tenant_id = $1 AND id = {group} AND doc = {doc}) AND {fence} AND {there});
             {writes}RELEASE step;
             SELECT coalesce((SELECT seq FROM outbox WHERE tenant_id = $1 AND id = {event}),
                 (SELECT -g.version FROM groups g WHERE g.tenant_id = $1 AND g.id = {group} AND EXISTS (
                     SELECT 1 FROM decisions WHERE tenant_id = $1 AND id = {event})), 0)",
            columns = decisions::COLUMNS
        );
        script.text(&sql)
    }
}

impl Plain<'_> {
    /// The condition on `members m` of those who are to go.
    fn leaving(&self, script: &mut Script) -> Option<String> {
        let engine = script.engine();
        if self.clear {
            let keep = script.bind(list_of(engine, &self.add));
            return Some(format!("NOT ({})", one_of(engine, "m.member_id", &keep)));
        }
        if self.remove.is_empty() {
            return None;
        }
        let remove = script.bind(list_of(engine, &self.remove));
        Some(super::member_among(engine, "m.member_id", &remove, self.remove.len()))
    }
}

/// The two that a change of members can come to.
fn verdicts<'a>(id: &'a str, name: &'a str) -> (Verdict<'a>, Verdict<'a>) {
    let unchanged = crate::groups::unchanged(id, name);
    let done = Verdict {
        outcome: "done",
        reason: Reason::MembersChanged,
        changed: crate::groups::ONLY_MEMBERS.as_slice(),
        ..unchanged.clone()
    };
    (done, unchanged)
}
