//! What changed at the source since: found by the outbox, and copied again.
//!
//! **Invariant**: the outbox row of a change is put into the copy after what it is about, so that a mover that dies between the
//! two does it again.

use super::rows::{KEYS, Pager, Range, Work, decoded, rows_of, text_at};
use super::table::{
    CHANGES, Cell, DECISIONS, EMAILS, GROUPS, MEMBERS, OUTBOX, Row, TOMBSTONES, Table, USERS,
};
use super::{MARGIN, MoveError, Side, Transfer};
use crate::scope::{Scoped, first_id};
use crate::script::{list_of, one_of};
use migrations::Engine;
use region_router::Population;
use sea_orm::DbErr;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// Changes that are brought along together, at most.
const TOGETHER: usize = 2_000;
/// Where the outbox has its id, type and resource.
const ID: usize = 0;
const TYPE: usize = 1;
const RESOURCE: usize = 2;
const SEQ: usize = 3;

impl Transfer {
    /// Copies what changed since an instant, and a while before; how many changes there were. Zero, or few, means that little
    /// is left for [`Self::finish`].
    ///
    /// # Errors
    /// As [`Self::prepare`].
    #[tracing::instrument(name = "directory.move.catch_up", skip_all)]
    pub async fn catch_up(&self, since: OffsetDateTime) -> Result<u64, MoveError> {
        self.claim().await?;
        let mut changes = 0;
        for population in Population::ALL {
            let (from, to) =
                (self.scope(Side::Source, population), self.scope(Side::Target, population));
            changes += self.follow_outbox(&from, &to, since).await?;
            self.follow_log(&from, &to, since).await?;
        }
        Ok(changes)
    }

    async fn follow_outbox(
        &self,
        from: &Scoped,
        to: &Scoped,
        since: OffsetDateTime,
    ) -> Result<u64, MoveError> {
        let range = Range { after: Some(first_id(since - MARGIN)), ..Range::default() };
        let mut pages = Pager::new(from, Side::Source, &OUTBOX, range);
        let (mut missing, mut changes) = (Vec::new(), 0);
        loop {
            let rows = pages.next().await?;
            let is_end = rows.is_empty();
            missing.extend(new_at(to, rows).await?);
            if missing.len() >= TOGETHER || (is_end && !missing.is_empty()) {
                self.bring(from, to, &missing).await?;
                changes += missing.len();
                missing.clear();
            }
            if is_end {
                return Ok(u64::try_from(changes).unwrap_or_default());
            }
        }
    }

    /// Copies what some changes are about, then the changes' outbox rows.
    async fn bring(&self, from: &Scoped, to: &Scoped, outbox: &[Row]) -> Result<(), MoveError> {
        let of = |kind: &str| -> Vec<&str> {
            let rows = outbox.iter().filter(|row| text_at(row, TYPE) == Some(kind));
            let ids: BTreeSet<&str> = rows.filter_map(|row| text_at(row, RESOURCE)).collect();
            ids.into_iter().collect()
        };
        let (users, groups) = (of("User"), of("Group"));
        // All of them go before one comes: a name may have gone from one to another.
        for ids in users.chunks(KEYS) {
            let gone = [
                Work::DeleteOf(&USERS, "id", ids),
                Work::DeleteOf(&EMAILS, "user_id", ids),
                Work::DeleteOf(&MEMBERS, "member_id", ids),
            ];
            self.write(to, &gone).await?;
        }
        for ids in groups.chunks(KEYS) {
            self.write(to, &[Work::DeleteOf(&GROUPS, "id", ids)]).await?;
        }
        for ids in users.chunks(KEYS) {
            self.again(from, to, &USERS, ("id", ids)).await?;
            self.again(from, to, &EMAILS, ("user_id", ids)).await?;
            self.again(from, to, &MEMBERS, ("member_id", ids)).await?;
            self.history(from, to, ("User", ids), outbox).await?;
        }
        for ids in groups.chunks(KEYS) {
            self.again(from, to, &GROUPS, ("id", ids)).await?;
            self.history(from, to, ("Group", ids), outbox).await?;
        }
        // A group may be large, and one member of it new: what differs is written, and nothing else.
        for id in groups {
            let range = Range { of: Some(id.to_owned()), ..Range::default() };
            self.mend(from.population(), &MEMBERS, range).await?;
        }
        for rows in outbox.chunks(KEYS) {
            self.write(to, &[Work::Insert(&OUTBOX, rows)]).await?;
        }
        Ok(())
    }

    /// The rows of a few resources, which are not in the copy.
    async fn again(
        &self,
        from: &Scoped,
        to: &Scoped,
        table: &'static Table,
        which: (&'static str, &[&str]),
    ) -> Result<(), MoveError> {
        let rows = rows_of(from, table, which, None).await.map_err(Side::Source.failed())?;
        for some in rows.chunks(KEYS) {
            self.write(to, &[Work::Insert(table, some)]).await?;
        }
        Ok(())
    }

    /// What happened to a few resources of one kind since the copy was made, and what is left of those that were deleted.
    async fn history(
        &self,
        from: &Scoped,
        to: &Scoped,
        (kind, ids): (&'static str, &[&str]),
        outbox: &[Row],
    ) -> Result<(), MoveError> {
        let changes = changes_of(from, (kind, ids), outbox).await;
        let changes = changes.map_err(Side::Source.failed())?;
        for some in changes.chunks(KEYS) {
            self.write(to, &[Work::Insert(&CHANGES, some)]).await?;
        }
        let left = rows_of(from, &TOMBSTONES, ("id", ids), Some(kind)).await;
        let left = left.map_err(Side::Source.failed())?;
        let text = |text: &str| Cell::Text(text.to_owned());
        let keys: Vec<_> = ids.iter().map(|id| vec![text(kind), text(id)]).collect();
        self.write(to, &[Work::Delete(&TOMBSTONES, &keys)]).await?;
        for some in left.chunks(KEYS) {
            self.write(to, &[Work::Insert(&TOMBSTONES, some)]).await?;
        }
        Ok(())
    }

    /// Decisions are written once: those that are not in the copy come.
    async fn follow_log(
        &self,
        from: &Scoped,
        to: &Scoped,
        since: OffsetDateTime,
    ) -> Result<(), MoveError> {
        let range = Range { after: Some(first_id(since - MARGIN)), ..Range::default() };
        let mut pages = Pager::new(from, Side::Source, &DECISIONS, range);
        loop {
            let rows = pages.next().await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.write(to, &[Work::Insert(&DECISIONS, &rows)]).await?;
        }
    }
}

/// Those of the rows whose id is not at the target.
async fn new_at(to: &Scoped, rows: Vec<Row>) -> Result<Vec<Row>, MoveError> {
    let mut known = BTreeSet::new();
    for some in rows.chunks(KEYS) {
        let ids: Vec<&str> = some.iter().filter_map(|row| text_at(row, ID)).collect();
        let condition = one_of(to.engine(), "id", "$2");
        let sql = format!("SELECT id FROM outbox WHERE tenant_id = $1 AND {condition}");
        let found = to.read(sql, vec![list_of(to.engine(), &ids)]).await;
        for row in found.map_err(Side::Target.failed())? {
            let id: String = row.try_get_by_index(0).map_err(Side::Target.failed())?;
            known.insert(id);
        }
    }
    let is_new = |row: &Row| text_at(row, ID).is_some_and(|id| !known.contains(id));
    Ok(rows.into_iter().filter(is_new).collect())
}

/// The changes of a few resources of one kind from the first on that the outbox rows tell of.
async fn changes_of(
    from: &Scoped,
    (kind, ids): (&str, &[&str]),
    outbox: &[Row],
) -> Result<Vec<Row>, DbErr> {
    let mut first: BTreeMap<&str, i64> = BTreeMap::new();
    for row in outbox.iter().filter(|row| text_at(row, TYPE) == Some(kind)) {
        if let (Some(id), Some(Cell::Number(seq))) = (text_at(row, RESOURCE), row.get(SEQ))
            && ids.contains(&id)
        {
            let known = first.entry(id).or_insert(*seq);
            *known = (*known).min(*seq);
        }
    }
    let each = match from.engine() {
        Engine::Sqlite => "json_each($3) j ON c.resource_id = j.key AND c.seq >= j.value",
        Engine::Postgres => {
            "json_each_text($3::json) j ON c.resource_id = j.key AND c.seq >= j.value::bigint"
        }
    };
    let columns: Vec<String> =
        CHANGES.columns.iter().map(|(name, _)| format!("c.{name}")).collect();
    let sql = format!(
        "SELECT {} FROM changes c JOIN {each} WHERE c.tenant_id = $1 AND c.resource_type = $2",
        columns.join(", ")
    );
    let first = serde_json::to_string(&first).unwrap_or_default();
    decoded(&CHANGES, &from.read(sql, vec![kind.into(), first.into()]).await?)
}
