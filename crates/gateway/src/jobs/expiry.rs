//! Warning of tokens that end: 30, 14, 7 and 1 days before, in the audit and in the tenant's log.
//!
//! **Invariant**: each warning once, however many nodes give it. The log has it before the audit, which tells that it was
//! given: a node that dies in between leaves the warning to the next, and the log takes it once.

use super::{JobError, repeat};
use crate::state::State;
use actix_web::web;
use directory::Asked;
use provisioning::Reason;
use scim_core::Notes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tenant_registry::{Actor, By, Expiring};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_hours(1);

/// Warns once an hour until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    repeat(&stop, EVERY, || warn(&state, state.clock.now())).await;
}

/// Warns of what ends soon at a time.
pub async fn warn(state: &State, now: OffsetDateTime) {
    let soon = match state.registry.expiring(now).await {
        Ok(soon) => soon,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(
                error,
                "tokens that end soon could not be read; the next run tries again"
            );
            return;
        }
    };
    for expiring in soon {
        if let Err(error) = warn_of(state, &expiring, now).await {
            let error: &dyn std::error::Error = &error;
            let tenant = &expiring.credential.tenant_id;
            tracing::warn!(tenant.id = %tenant, error, "the end of a token could not be announced; the next run tries again");
        }
    }
}

async fn warn_of(state: &State, expiring: &Expiring, now: OffsetDateTime) -> Result<(), JobError> {
    let credential = &expiring.credential;
    let Some(tenant) = state.registry.find_tenant(credential.tenant_id.as_str()).await? else {
        return Ok(());
    };
    // Only a node that reaches the tenant's log warns: the others leave it to that one.
    let Some(directory) = state.directories.get(&tenant.region) else { return Ok(()) };
    let asked = Asked {
        operation: "token.expiring",
        request_id: directory::new_id(now),
        trace_id: None,
        client: "muster".to_owned(),
        key_id: credential.key_id.clone(),
        started: Instant::now(),
        now,
        notes: Notes::default(),
        part: None,
    };
    let days = expiring.days;
    let event = (
        credential.expires_at.saturating_sub(time::Duration::days(days)),
        format!("{} {days}", credential.key_id),
    );
    let detail = detail(expiring);
    let scoped = directory.within_population(&Arc::new(tenant), credential.population);
    scoped.note_event(&asked, Reason::TokenExpiring, (event.0, &event.1), &detail).await?;
    let by = By::new(Actor::System("expiry"), now);
    state.registry.warn_expiring(expiring, &by).await?.commit().await?;
    Ok(())
}

fn detail(expiring: &Expiring) -> String {
    let credential = &expiring.credential;
    let within = match expiring.days {
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    format!(
        "The token \"{}\" ({}) ends on {} UTC, within {within}. Rotate it and enter the new one in your identity provider before then.",
        credential.name,
        credential.hint,
        credential.expires_at.date()
    )
}
