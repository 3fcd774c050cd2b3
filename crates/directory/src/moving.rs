//! Taking all that there is of a tenant from one store to another: between shards or regions, between SQLite and PostgreSQL in
//! any direction.
//!
//! The order is the caller's, who keeps it in the registry: [`Transfer::prepare`] while the tenant is written as ever,
//! [`Transfer::catch_up`] until little is left, [`Transfer::freeze`], [`Transfer::finish`], [`Transfer::compare`]; then the
//! registry changes the home, and [`Transfer::arm`], [`Transfer::retire`], [`Transfer::carry_rest`] and, when nobody will
//! want the way back, [`Transfer::purge_source`]. Each can be done again, by this process or another one.
//!
//! What changes while rows are copied is found by the outbox. Its rows are copied before what they are about, so that a row
//! that is in both stores is of a change that is in the copy; and looked for from a while before, so that one whose
//! transaction began early and ended late is found.
//!
//! **Invariant**: the source is read, and written only where its fence is. The target is written only while this mover's mark
//! stands there, so that of two movers one comes to an end. No error, span or log holds what a row holds.

mod catch_up;
mod compare;
mod fences;
mod rows;
mod table;

pub use compare::{Comparison, Difference, Differs, TableCount};

use crate::error::DirectoryError;
use crate::scope::{Scoped, first_id};
use crate::store::Directory;
use migrations::Engine;
use region_router::Population;
use rows::{Pager, Range, Work};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use table::{DECISIONS, QUIRK_COUNTS, TABLES, TALLIES, Table};
use tenant_registry::Tenant;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

/// How far back changes are looked for: longer than any transaction takes, and than clocks of two nodes differ.
pub(crate) const MARGIN: Duration = Duration::from_secs(120);

/// One end of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the tenant comes from.
    Source,
    /// Where it goes.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

impl Side {
    pub(crate) fn failed(self) -> impl FnOnce(DbErr) -> MoveError {
        move |error| MoveError::Store { side: self, source: error.into() }
    }
}

/// Why a step of a move was not done.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store failed; the same step may be done again.
    #[error("the {side} store failed")]
    Store {
        /// Which one.
        side: Side,
        /// In which way.
        #[source]
        source: DirectoryError,
    },
    /// Another mover's mark stands at the target.
    #[error("another mover has taken over")]
    Superseded,
    /// The target holds the tenant as its home, or its data was purged there.
    #[error("the target store is not free for this tenant")]
    TargetInUse,
    /// The source is not the tenant's home, or a later fence stands there.
    #[error("the source store is not this tenant's home any more")]
    NotHome,
    /// Transactions that began before the fence have not ended.
    #[error(
        "{0} older transactions at the source do not end, or are another role's, which this one may not look into: run it as the role of the nodes, or grant it pg_read_all_stats"
    )]
    Busy(usize),
    /// A store has columns that this program does not know, or lacks some that it does.
    #[error(
        "table {table} of the {side} store is of another version: bring both stores and this program to the same one"
    )]
    OtherSchema {
        /// Which store.
        side: Side,
        /// Which table.
        table: &'static str,
    },
}

/// How many rows of a table went at one end, and how many are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// The table.
    pub table: &'static str,
    /// How many there were.
    pub before: u64,
    /// How many there are.
    pub after: u64,
}

/// Told the table and how many of its rows were copied, now and then.
pub type Told<'a> = &'a (dyn Fn(&'static str, u64) + Send + Sync);

/// A move of one tenant, in both its populations.
#[derive(Debug)]
pub struct Transfer {
    from: Directory,
    to: Directory,
    tenant: Arc<Tenant>,
    /// What stands at the target while this one fills it.
    mark: String,
    claimed: OnceCell<()>,
}

impl Transfer {
    /// A move of the tenant as it is in the registry now.
    #[must_use]
    pub fn new(from: Directory, to: Directory, tenant: Arc<Tenant>) -> Self {
        let mark = format!("arriving:{}", uuid::Uuid::new_v4().simple());
        Self { from, to, tenant, mark, claimed: OnceCell::new() }
    }

    /// Empties the target of this tenant, then copies all that the source has of it. How many rows.
    ///
    /// # Errors
    /// The stores' failures; [`MoveError::TargetInUse`], [`MoveError::OtherSchema`], [`MoveError::Superseded`].
    #[tracing::instrument(name = "directory.move.prepare", skip_all)]
    pub async fn prepare(&self, told: Told<'_>) -> Result<u64, MoveError> {
        self.claim().await?;
        let mut copied = 0;
        for population in Population::ALL {
            self.wipe(population).await?;
            for table in TABLES {
                copied += self.copy_table(population, table, told).await?;
            }
        }
        Ok(copied)
    }

    /// Takes back what was copied: the target is as if nothing had been. Only when the registry has given the move up, and with
    /// the tenant as it is since: its epoch tells this move's copy from that of another.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    #[tracing::instrument(name = "directory.move.abandon", skip_all)]
    pub async fn abandon(&self) -> Result<(), MoveError> {
        let work = async {
            self.claim_copy(self.tenant.epoch).await?;
            for population in Population::ALL {
                self.wipe(population).await?;
            }
            self.unmark().await
        };
        // The source may not be at hand, and the target stands in its place.
        work.await.map_err(|error| match error {
            MoveError::Store { source, .. } => MoveError::Store { side: Side::Target, source },
            MoveError::OtherSchema { table, .. } => {
                MoveError::OtherSchema { side: Side::Target, table }
            }
            error => error,
        })
    }

    /// The last rows, while the source is frozen: what changed since, the counters, and whatever else is not the same number of
    /// rows at both ends. How many rows were written. Decisions made after `frozen_at` are left to [`Self::carry_rest`].
    ///
    /// # Errors
    /// As [`Self::prepare`].
    #[tracing::instrument(name = "directory.move.finish", skip_all)]
    pub async fn finish(
        &self,
        since: OffsetDateTime,
        frozen_at: OffsetDateTime,
    ) -> Result<u64, MoveError> {
        let mut written = self.catch_up(since).await?;
        for population in Population::ALL {
            for table in TABLES {
                let range = until(table, frozen_at);
                let counts = [Side::Source, Side::Target];
                let always = [TALLIES.name, QUIRK_COUNTS.name, table::IDEMPOTENCY.name];
                let mut is_other = always.contains(&table.name);
                if !is_other {
                    let [from, to] = counts.map(|side| self.count(side, population, table, &range));
                    is_other = from.await? != to.await?;
                }
                if is_other {
                    written += self.mend(population, table, range).await?;
                }
            }
        }
        Ok(written)
    }

    /// Brings along what was noted at the old home after it was frozen: reads, and refusals of writes. After [`Self::retire`]
    /// that is all there is. How many rows.
    ///
    /// # Errors
    /// The stores' failures.
    #[tracing::instrument(name = "directory.move.carry_rest", skip_all)]
    pub async fn carry_rest(&self, frozen_at: OffsetDateTime) -> Result<u64, MoveError> {
        let mut carried = 0;
        for population in Population::ALL {
            let (from, to) =
                (self.scope(Side::Source, population), self.scope(Side::Target, population));
            let range = Range { after: Some(first_id(frozen_at - MARGIN)), ..Range::default() };
            let mut pages = Pager::new(&from, Side::Source, &DECISIONS, range);
            loop {
                let rows = pages.next().await?;
                if rows.is_empty() {
                    break;
                }
                let writer = to.directory().database().writer();
                let inserted = rows::insert(&to, writer, &DECISIONS, &rows).await;
                carried += inserted.map_err(Side::Target.failed())?;
            }
        }
        Ok(carried)
    }

    /// Deletes what the old home still has of the tenant; of each table how many rows there were and are. Its fence stays.
    ///
    /// # Errors
    /// [`MoveError::NotHome`] unless it was retired; the store's failures. What was deleted stays deleted and counted.
    #[tracing::instrument(name = "directory.move.purge_source", skip_all)]
    pub async fn purge_source(&self) -> Result<Vec<Purged>, MoveError> {
        let both = self.scopes(Side::Source);
        for from in &both {
            let sql = "SELECT 1 FROM tenants WHERE tenant_id = $1 AND state = 'moved'";
            let row = from.read_one(sql, Vec::new()).await.map_err(Side::Source.failed())?;
            row.ok_or(MoveError::NotHome)?;
        }
        let purged = self.from.empty(&both).await;
        let purged = purged.map_err(|source| MoveError::Store { side: Side::Source, source })?;
        let mut proof = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let before = purged.get(table.name).copied().unwrap_or_default();
            let mut after = 0;
            for population in Population::ALL {
                after += self.count(Side::Source, population, table, &Range::default()).await?;
            }
            proof.push(Purged { table: table.name, before, after });
        }
        Ok(proof)
    }

    pub(crate) fn side(&self, side: Side) -> &Directory {
        match side {
            Side::Source => &self.from,
            Side::Target => &self.to,
        }
    }

    fn scope(&self, side: Side, population: Population) -> Scoped {
        self.side(side).within_population(&self.tenant, population)
    }

    fn scopes(&self, side: Side) -> [Scoped; 2] {
        Population::ALL.map(|population| self.scope(side, population))
    }

    /// When the population's rows were made at the source; when the tenant was, where it has none.
    async fn created_at(&self, population: Population) -> Result<i64, MoveError> {
        let from = self.scope(Side::Source, population);
        let sql = "SELECT created_at FROM tenants WHERE tenant_id = $1";
        let row = from.read_one(sql, Vec::new()).await.map_err(Side::Source.failed())?;
        let made = crate::scope::micros(self.tenant.created_at);
        row.map_or(Ok(made), |row| row.try_get_by_index(0)).map_err(Side::Source.failed())
    }

    /// Deletes the target's rows of a population.
    async fn wipe(&self, population: Population) -> Result<(), MoveError> {
        let to = self.scope(Side::Target, population);
        for table in TABLES {
            let mut pages = Pager::new(&to, Side::Target, table, Range::default());
            loop {
                let rows = pages.next().await?;
                if rows.is_empty() {
                    break;
                }
                let keys: Vec<_> = rows.iter().map(|row| table.key_of(row).to_vec()).collect();
                self.write(&to, &[Work::Delete(table, &keys)]).await?;
            }
        }
        Ok(())
    }

    async fn copy_table(
        &self,
        population: Population,
        table: &'static Table,
        told: Told<'_>,
    ) -> Result<u64, MoveError> {
        let (from, to) =
            (self.scope(Side::Source, population), self.scope(Side::Target, population));
        let mut pages = Pager::new(&from, Side::Source, table, Range::default());
        let mut copied = 0;
        loop {
            let rows = pages.next().await?;
            if rows.is_empty() {
                return Ok(copied);
            }
            copied += self.write(&to, &[Work::Insert(table, &rows)]).await?;
            told(table.name, copied);
        }
    }

    /// How many rows of a table there are.
    async fn count(
        &self,
        side: Side,
        population: Population,
        table: &Table,
        range: &Range,
    ) -> Result<u64, MoveError> {
        let scoped = self.scope(side, population);
        let mut sql = format!("SELECT count(*) FROM {} WHERE tenant_id = $1", table.name);
        let mut values = Vec::new();
        if let Some(until) = &range.until {
            let first = table.key_names().next().unwrap_or("id");
            sql.push_str(&format!(" AND {first} < $2"));
            values.push(until.as_str().into());
        }
        let row = scoped.read_one(&sql, values).await.map_err(side.failed())?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(side.failed())?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Makes sure that both stores have the columns that this program copies, and no others.
    async fn check_columns(&self) -> Result<(), MoveError> {
        for side in [Side::Source, Side::Target] {
            let directory = self.side(side);
            for table in TABLES {
                let sql = match directory.engine() {
                    Engine::Sqlite => {
                        format!("SELECT name FROM pragma_table_info('{}')", table.name)
                    }
                    Engine::Postgres => format!(
                        "SELECT column_name::text FROM information_schema.columns
                         WHERE table_schema = current_schema() AND table_name = '{}'",
                        table.name
                    ),
                };
                let statement =
                    Statement::from_string(crate::script::backend(directory.engine()), sql);
                let rows = directory.database().reader().query_all_raw(statement).await;
                let names: BTreeSet<String> = rows
                    .map_err(side.failed())?
                    .iter()
                    .map(|row| row.try_get_by_index(0))
                    .collect::<Result<_, _>>()
                    .map_err(side.failed())?;
                let known = table.columns.iter().map(|(name, _)| (*name).to_owned());
                let known: BTreeSet<String> = known.chain(["tenant_id".to_owned()]).collect();
                if names != known {
                    return Err(MoveError::OtherSchema { side, table: table.name });
                }
            }
        }
        Ok(())
    }
}

/// Decisions are made at the source until it is left; those of before the freeze are all there.
fn until(table: &Table, frozen_at: OffsetDateTime) -> Range {
    let is_log = table.name == DECISIONS.name;
    let until = is_log.then(|| first_id(frozen_at - MARGIN));
    Range { until, ..Range::default() }
}
