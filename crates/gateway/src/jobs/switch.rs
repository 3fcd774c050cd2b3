//! Finishing switches, and undoing them: whoever is in the population that is left is deactivated, and then the switch ends.
//!
//! **Invariant**: a switch ends when nobody in the population that is left is active. What one run leaves undone the next one
//! does; one person who cannot be deactivated keeps no other from it.

use super::{JobError, repeat, tenants};
use crate::state::State;
use actix_web::web;
use directory::{Action, Asked, DirectoryError, Run, Scoped, Start, Want};
use scim_core::{Condition, Filter, FilterLimits, Notes, Tolerance};
use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tenant_registry::{Actor, By, RegistryError, Tenant};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(15);
/// After this long no node takes anybody into what is left: they have all heard of it.
const SETTLED: Duration = Duration::from_secs(10);
/// People that are looked at together.
const PAGE: u64 = 200;

/// Of which people it was told that they cannot be deactivated: once each.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashSet<String>>);

/// Looks for switches to end whenever the registry has changed, until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let (done, told) = (AtomicI64::new(-1), Told::default());
    let look = async || {
        let generation = *state.registry.generations().borrow();
        if done.load(Ordering::Relaxed) != generation
            && finish(&state, &told, state.clock.now()).await
        {
            done.store(generation, Ordering::Relaxed);
        }
    };
    repeat(&stop, EVERY, look).await;
}

/// Ends every switch that is to be finished or undone; whether none is left.
pub async fn finish(state: &State, told: &Told, now: OffsetDateTime) -> bool {
    let all = match tenants(state, None).await {
        Ok(all) => all,
        Err(error) => {
            let error = migrations::causes(&error);
            tracing::warn!(error, "switches could not be read; the next run tries again");
            return false;
        }
    };
    let mut done = true;
    for tenant in all {
        let id = tenant.id.clone();
        match finish_one(state, told, tenant, now).await {
            Ok(ended) => done &= ended,
            Err(error) => {
                done = false;
                let error = migrations::causes(&error);
                tracing::warn!(tenant.id = %id, error, "a switch could not be ended; the next run goes on");
            }
        }
    }
    done
}

/// Whether there is nothing left to be done for a tenant.
async fn finish_one(
    state: &State,
    told: &Told,
    tenant: Tenant,
    now: OffsetDateTime,
) -> Result<bool, JobError> {
    let Some(population) = tenant.switch.and_then(|switch| switch.emptied()) else {
        return Ok(true);
    };
    let Some(directory) = state.directories.of(&tenant) else { return Ok(true) };
    if tenant.state.is_gone() {
        return Ok(true);
    }
    if now < tenant.updated_at + SETTLED {
        return Ok(false);
    }
    let tenant = Arc::new(tenant);
    let left = directory.within_population(&tenant, population);
    let rows = deactivate(&left, &tenant, told, now).await?;
    if left.tally().await?.active > 0 {
        return Ok(false);
    }
    let by = By::new(Actor::System("switch"), now);
    match state.registry.end_switch(&tenant.id, &by).await {
        Ok(pending) => {
            let ended = Arc::new(pending.commit().await?);
            // Whoever could not read the registry all the time does not know that nobody is to be written here any more.
            directory.within_population(&ended, population).fence(now).await?;
            tracing::info!(tenant.id = %tenant.id, rows, "a switch of population is ended");
            Ok(true)
        }
        // Another node ended it.
        Err(RegistryError::SwitchConflict) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Deactivates everyone of a population, page by page; how many.
async fn deactivate(
    left: &Scoped,
    tenant: &Tenant,
    told: &Told,
    now: OffsetDateTime,
) -> Result<u64, DirectoryError> {
    let request_id = directory::new_id(now);
    let condition = are_active(tenant)?;
    let mut rows = 0;
    let mut start = Start::First;
    loop {
        let want = Want {
            condition: Some(&condition),
            order: None,
            start,
            limit: PAGE,
            base: "",
            groups: false,
            now,
        };
        let page = left.users(&want).await?;
        for user in &page.resources {
            let asked = asked(&request_id, now);
            match left.act(&user.id, "", Action::Deactivate, Run::default(), &asked).await {
                Ok(_) => rows += 1,
                // It was deleted meanwhile.
                Err(DirectoryError::NotFound) => {}
                // The store takes part, and this person alone is in the way.
                Err(
                    error @ (DirectoryError::Scim(_)
                    | DirectoryError::Refused(_)
                    | DirectoryError::VersionMismatch
                    | DirectoryError::Contended
                    | DirectoryError::Store(_)),
                ) => told.tell(tenant, &user.id, &error),
                Err(error) => return Err(error),
            }
        }
        let Some(next) = page.next else { return Ok(rows) };
        start = Start::After(next);
    }
}

fn are_active(tenant: &Tenant) -> Result<Condition, DirectoryError> {
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filter = Filter::parse("active eq true", &FilterLimits::default(), &tolerance, &mut notes)?;
    Ok(filter.bind(&tenant.schemas.user, &tolerance, &mut notes)?)
}

impl Told {
    /// Tells that a person cannot be deactivated, unless it was told before.
    fn tell(&self, tenant: &Tenant, user: &str, error: &DirectoryError) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(format!("{} {user}", tenant.id)) {
            let error = migrations::causes(error);
            tracing::warn!(
                tenant.id = %tenant.id, resource.id = user, error,
                "somebody cannot be deactivated, which keeps a switch from its end; the next run tries again"
            );
        }
    }
}

fn asked(request_id: &str, now: OffsetDateTime) -> Asked {
    Asked {
        operation: "user.deactivate",
        request_id: request_id.to_owned(),
        trace_id: None,
        client: "muster".to_owned(),
        key_id: "system:switch".to_owned(),
        started: Instant::now(),
        now,
        notes: Notes::default(),
        part: None,
    }
}
