//! Finishing switches: whoever was left behind in the old population is deactivated, and then the switch ends.
//!
//! **Invariant**: a switch ends when nobody in the old population is active. What one run leaves undone the next one does.

use super::{JobError, repeat, tenants};
use crate::state::State;
use actix_web::web;
use directory::{Action, Asked, DirectoryError, Run, Scoped, Start, Want};
use scim_core::Notes;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tenant_registry::{Actor, By, RegistryError, Stage, Tenant, TenantState};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(15);
/// People that are looked at together.
const PAGE: u64 = 200;

/// Looks for switches to finish whenever the registry has changed, until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let done = AtomicI64::new(-1);
    let look = async || {
        let generation = *state.registry.generations().borrow();
        if done.load(Ordering::Relaxed) != generation && finish(&state, state.clock.now()).await {
            done.store(generation, Ordering::Relaxed);
        }
    };
    repeat(&stop, EVERY, look).await;
}

/// Finishes every switch that is to be finished; whether none is left.
pub async fn finish(state: &State, now: OffsetDateTime) -> bool {
    let all = match tenants(state, None).await {
        Ok(all) => all,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "switches could not be read; the next run tries again");
            return false;
        }
    };
    let mut done = true;
    for tenant in all {
        let id = tenant.id.clone();
        match finish_one(state, tenant, now).await {
            Ok(ended) => done &= ended,
            Err(error) => {
                done = false;
                let error: &dyn std::error::Error = &error;
                tracing::warn!(tenant.id = %id, error, "a switch could not be finished; the next run goes on");
            }
        }
    }
    done
}

/// Whether there is nothing left to be done for a tenant.
async fn finish_one(state: &State, tenant: Tenant, now: OffsetDateTime) -> Result<bool, JobError> {
    let Some(switch) = tenant.switch.filter(|switch| switch.stage == Stage::Finishing) else {
        return Ok(true);
    };
    let Some(directory) = state.directories.get(&tenant.region) else { return Ok(true) };
    if tenant.state == TenantState::Purged {
        return Ok(true);
    }
    let tenant = Arc::new(tenant);
    let left = directory.within_population(&tenant, switch.from);
    let rows = deactivate(&left, now).await?;
    if left.tally().await?.active > 0 {
        return Ok(false);
    }
    let by = By::new(Actor::System("switch"), now);
    match state.registry.end_switch(&tenant.id, &by).await {
        Ok(pending) => {
            pending.commit().await?;
            tracing::info!(tenant.id = %tenant.id, rows, "a switch of population is finished");
            Ok(true)
        }
        // Another node ended it.
        Err(RegistryError::SwitchConflict) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Deactivates everyone of a population, page by page; how many.
async fn deactivate(left: &Scoped, now: OffsetDateTime) -> Result<u64, DirectoryError> {
    let request_id = directory::new_id(now);
    let mut rows = 0;
    let mut start = Start::First;
    loop {
        let want =
            Want { condition: None, order: None, start, limit: PAGE, base: "", groups: false, now };
        let page = left.users(&want).await?;
        for user in page.resources.iter().filter(|user| user.active) {
            let asked = asked(&request_id, now);
            match left.act(&user.id, "", Action::Deactivate, Run::default(), &asked).await {
                Ok(_) => rows += 1,
                // It was deleted meanwhile.
                Err(DirectoryError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let Some(next) = page.next else { return Ok(rows) };
        start = Start::After(next);
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
