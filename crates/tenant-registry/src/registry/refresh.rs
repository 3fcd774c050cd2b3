//! Reading what changed, and whether it may be used.
//!
//! **Invariant**: a refresh reads the generation before the rows, so that a snapshot is never older than the generation it
//! names; what it reads twice does no harm. A snapshot that raises a doubt is not used; it may end access, and never give it.

use super::pepper::{self, Keys};
use super::{REFRESH_PATIENCE, Refused, Registry, Standing, Turn, accept};
use crate::entity::generation;
use crate::error::RegistryError;
use crate::snapshot::Snapshot;
use crate::snapshot::doubt::{self, Doubt};
use sea_orm::EntityTrait;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How often the database is asked for credentials that nobody knows.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// How long a request waits for such a look.
const LOOK_PATIENCE: Duration = Duration::from_millis(50);

/// A look at the registry's database that is under way.
#[derive(Debug)]
pub struct Look(watch::Receiver<u64>);

impl Look {
    /// Waits for its end, and for 50 ms at most.
    pub async fn done(mut self) {
        if timeout(LOOK_PATIENCE, self.0.changed()).await.is_err() {
            tracing::debug!(
                "The registry's database was asked for an unknown credential, and took longer than a request waits."
            );
        }
    }
}

/// When somebody last asked for a look, and how many had ended then.
#[derive(Debug, Default)]
pub(super) struct LastLook(Option<(Instant, u64)>);

impl Registry {
    /// Reads what changed since the last time, and says whether anything did.
    ///
    /// # Errors
    /// When the database fails, and [`RegistryError::Doubtful`] when what it holds is not taken; the last snapshot stays in use.
    pub async fn refresh(&self) -> Result<bool, RegistryError> {
        let mut turn = self.shared.turn.lock().await;
        let outcome = match self.attach().await {
            // A connection that is silently dead must not keep everyone else waiting for what it does not say.
            Ok(()) => match timeout(REFRESH_PATIENCE, self.refresh_in(&mut turn)).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Err(RegistryError::Silent),
            },
            Err(error) => Err(error),
        };
        self.shared.standing.send_replace(Standing::after(&outcome));
        outcome
    }

    async fn refresh_in(&self, turn: &mut Turn) -> Result<bool, RegistryError> {
        let db = self.db()?;
        let asked = generation::Entity::find_by_id(generation::ONLY).one(db.reader());
        let row = db.watch(asked).await.inspect_err(|error| db.note(error));
        let generation = row.map_err(RegistryError::Database)?.map_or(0, |row| row.generation);
        let known = self.shared.snapshot.load_full();
        if generation == known.generation && !turn.reads_all {
            self.shared.refreshed_at.store(Arc::new(Instant::now()));
            return Ok(false);
        }
        let accepted_at = accept::word(db).await?;
        if let Some(refused) = &turn.refused
            && (refused.generation, refused.accepted_at) == (generation, accepted_at)
        {
            return Err(RegistryError::Doubtful(refused.doubt.clone()));
        }
        // A number smaller than the known one means that an older copy of the database was restored.
        let reads_all = turn.reads_all || generation < known.generation;
        let base = if reads_all { Snapshot::default() } else { Snapshot::clone(&known) };
        let mut next = self.newer_than(base, generation).await?;
        next.accepted_at = accepted_at;
        let keys = if reads_all { self.settled().await? } else { None };
        let doubt = self.doubt(&known, &next, reads_all, keys.as_ref());
        let is_accepted = accepted_at > known.accepted_at || !known.is_known();
        match doubt {
            Some(doubt) if !is_accepted => return Err(self.keep_known(turn, doubt, &next)),
            Some(doubt) => {
                tracing::warn!(doubt = %doubt, generation, "What the registry's database holds is taken in spite of a doubt: an operator accepted it, or nothing else is known.");
            }
            None => {}
        }
        if let Some(keys) = keys {
            self.shared.keys.store(Arc::new(keys));
        }
        *turn = Turn::default();
        self.put(next);
        self.shared.refreshed_at.store(Arc::new(Instant::now()));
        Ok(true)
    }

    fn doubt(
        &self,
        known: &Snapshot,
        next: &Snapshot,
        reads_all: bool,
        keys: Option<&Keys>,
    ) -> Option<Doubt> {
        let is_ours = keys.is_some_and(|keys| keys.check == self.shared.keys.load().check);
        let of_pepper = (reads_all && !is_ours).then_some(Doubt::OtherPepper);
        doubt::find(known, next, self.shared.options.regions.as_ref()).or(of_pepper)
    }

    async fn settled(&self) -> Result<Option<Keys>, RegistryError> {
        pepper::settled(self.db()?, self.shared.options.pepper.as_ref()).await
    }

    /// Keeps the known snapshot, but for what the other one has revoked: a token that was leaked ends, whatever else is wrong.
    fn keep_known(&self, turn: &mut Turn, doubt: Doubt, next: &Snapshot) -> RegistryError {
        let known = self.shared.snapshot.load();
        if let Some(without) = known.without_what_ended_in(next) {
            self.put(without);
        }
        self.shared.refusals.add(&doubt);
        turn.reads_all = true;
        let (generation, accepted_at) = (next.generation, next.accepted_at);
        turn.refused = Some(Refused { generation, accepted_at, doubt: doubt.clone() });
        RegistryError::Doubtful(doubt)
    }

    /// From now on this is what is known.
    fn put(&self, next: Snapshot) {
        let generation = next.generation;
        self.shared.snapshot.store(Arc::new(next));
        self.shared.generation.send_replace(generation);
        self.shared.puts.send_modify(|puts| *puts += 1);
    }

    /// Asks the database once for a credential that is not known here: it may have been made elsewhere a moment ago. Nothing
    /// is asked when that was done within the last second, for whatever credential, or when the database does not answer.
    #[must_use]
    pub fn look_again(&self) -> Option<Look> {
        if self.standing() != Standing::Current {
            return None;
        }
        let ended = self.shared.looks.subscribe();
        let count = *ended.borrow();
        let mut last = self.shared.last_look.lock().ok()?;
        match last.0 {
            Some((at, before)) if at.elapsed() < LOOK_PATIENCE && before == count => {}
            Some((at, _)) if at.elapsed() < LOOK_PAUSE => return None,
            _ => {
                last.0 = Some((Instant::now(), count));
                self.shared.asked.notify_one();
            }
        }
        Some(Look(ended))
    }
}
