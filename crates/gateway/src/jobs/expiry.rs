//! Warning of tokens, and of secrets of OAuth clients, that end: 30, 14, 7 and 1 days before, in the audit and in the tenant's log.
//!
//! **Invariant**: each warning once, however many nodes give it. The log has it before the audit, which tells that it was
//! given: a node that dies in between leaves the warning to the next, and the log takes it once.

use super::{JobError, repeat};
use crate::state::State;
use actix_web::web;
use directory::Asked;
use provisioning::Reason;
use region_router::Population;
use scim_core::Notes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tenant_registry::{Actor, By, Expiring, ExpiringSecret, RegistryError, TenantId};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_hours(1);

/// Warns once an hour until stopped.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    repeat(&stop, EVERY, || warn(&state, state.clock.now())).await;
}

/// Warns of what ends soon at a time.
pub async fn warn(state: &State, now: OffsetDateTime) {
    match state.registry.expiring(now).await {
        Err(error) => unread(&error),
        Ok(soon) => {
            for expiring in soon {
                let outcome = warn_of_token(state, &expiring, now).await;
                told(&expiring.credential.tenant_id, outcome);
            }
        }
    }
    match state.registry.expiring_secrets(now).await {
        Err(error) => unread(&error),
        Ok(soon) => {
            for expiring in soon {
                let outcome = warn_of_secret(state, &expiring, now).await;
                told(&expiring.client.tenant_id, outcome);
            }
        }
    }
}

fn unread(error: &RegistryError) {
    let error = migrations::causes(error);
    tracing::warn!(
        error,
        "tokens and secrets that end soon could not be read; the next run tries again"
    );
}

fn told(tenant: &TenantId, outcome: Result<(), JobError>) {
    if let Err(error) = outcome {
        let error = migrations::causes(&error);
        tracing::warn!(tenant.id = %tenant, error, "the end of a token or a secret could not be announced; the next run tries again");
    }
}

async fn warn_of_token(
    state: &State,
    expiring: &Expiring,
    now: OffsetDateTime,
) -> Result<(), JobError> {
    let credential = &expiring.credential;
    let ending = Ending {
        what: "token",
        operation: "token.expiring",
        tenant: &credential.tenant_id,
        population: credential.population,
        key_id: &credential.key_id,
        id: &credential.key_id,
        named: (&credential.name, &credential.hint),
        expires_at: credential.expires_at,
        days: expiring.days,
        remedy: "Rotate it and enter the new one in your identity provider before then.",
    };
    if ending.note(state, now).await? {
        let by = By::new(Actor::System("expiry"), now);
        state.registry.warn_expiring(expiring, &by).await?.commit().await?;
    }
    Ok(())
}

async fn warn_of_secret(
    state: &State,
    expiring: &ExpiringSecret,
    now: OffsetDateTime,
) -> Result<(), JobError> {
    let (client, secret) = (&expiring.client, &expiring.secret);
    let ending = Ending {
        what: "secret of the OAuth client",
        operation: "secret.expiring",
        tenant: &client.tenant_id,
        population: client.population,
        key_id: &client.client_id,
        id: &secret.id,
        named: (&client.name, &secret.hint),
        expires_at: secret.expires_at,
        days: expiring.days,
        remedy: "Make a new secret and enter it in your identity provider before then; if another one is in use already, \
                 revoke this one.",
    };
    if ending.note(state, now).await? {
        let by = By::new(Actor::System("expiry"), now);
        state.registry.warn_expiring_secret(expiring, &by).await?.commit().await?;
    }
    Ok(())
}

/// What ends, and whose log says so.
struct Ending<'a> {
    what: &'static str,
    operation: &'static str,
    tenant: &'a TenantId,
    population: Population,
    /// Under what the log keeps it.
    key_id: &'a str,
    id: &'a str,
    /// What it is called, and its hint.
    named: (&'a str, &'a str),
    expires_at: OffsetDateTime,
    days: i64,
    remedy: &'static str,
}

impl Ending<'_> {
    /// Notes it in the tenant's log, if this node reaches it: the others leave the warning to one that does.
    async fn note(&self, state: &State, now: OffsetDateTime) -> Result<bool, JobError> {
        let Some(tenant) = state.registry.find_tenant(self.tenant.as_str()).await? else {
            return Ok(false);
        };
        // A log that is being moved takes no line.
        if tenant.is_frozen_by_move() {
            return Ok(false);
        }
        let Some(directory) = state.directories.of(&tenant) else { return Ok(false) };
        let asked = Asked {
            operation: self.operation,
            request_id: directory::new_id(now),
            trace_id: None,
            client: "muster".to_owned(),
            key_id: self.key_id.to_owned(),
            started: Instant::now(),
            now,
            notes: Notes::default(),
            part: None,
        };
        let at = self.expires_at.saturating_sub(time::Duration::days(self.days));
        let event = format!("{} {}", self.id, self.days);
        let scoped = directory.within_population(&Arc::new(tenant), self.population);
        scoped.note_event(&asked, Reason::TokenExpiring, (at, &event), &self.detail()).await?;
        Ok(true)
    }

    fn detail(&self) -> String {
        let within = match self.days {
            1 => "a day".to_owned(),
            days => format!("{days} days"),
        };
        let (what, (name, hint)) = (self.what, self.named);
        let (day, remedy) = (self.expires_at.date(), self.remedy);
        format!("The {what} \"{name}\" ({hint}) ends on {day} UTC, within {within}. {remedy}")
    }
}
