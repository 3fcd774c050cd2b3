//! One request with a caller, from its operation's name to its decision and its answer.
//!
//! **Invariant**: a refusal is in the tenant's log before it is answered; a write is a task of the process, so a client
//! that hangs up does not cancel a commit.

use super::answer::Answered;
use super::error::Failure;
use crate::auth::Caller;
use crate::state::State;
use crate::telemetry::http::Outcome;
use crate::telemetry::metrics::count_quirks;
use actix_web::HttpResponse;
use directory::{Asked, DirectoryError, Refused};
use provisioning::{Class, Reason};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// What a request is about, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// `User`, `Group` or another resource type.
    pub resource_type: &'static str,
    /// The id in the URL.
    pub id: Option<String>,
    /// The name in the body.
    pub name: Option<String>,
}

/// A request with a caller.
pub struct Exchange {
    /// Who calls; the operations of a bulk request share it.
    pub caller: Arc<Caller>,
    /// What its decision carries.
    pub asked: Asked,
    /// What it is about.
    pub subject: Subject,
    /// How long its next access to the directory may take.
    pub patience: Duration,
}

impl Exchange {
    /// Begins an operation.
    #[must_use]
    pub fn begin(
        caller: impl Into<Arc<Caller>>,
        operation: &'static str,
        resource_type: &'static str,
        id: Option<String>,
    ) -> Self {
        let caller = caller.into();
        let asked = caller.asked(operation);
        let patience = caller.context.within(caller.state.limits.request_timeout);
        Self { caller, asked, subject: Subject { resource_type, id, name: None }, patience }
    }

    /// What the decision carries, with the client as far as it has shown itself by now.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let mut asked = self.asked.clone();
        self.caller.client.sign(&mut asked);
        asked
    }

    /// Runs a write as a task that is finished whatever becomes of the client.
    ///
    /// # Errors
    /// What the write refuses, or 503 when it takes too long; then it is still finished, and a repetition finds it done.
    pub async fn commit<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, DirectoryError>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.commit_within(self.patience, write).await
    }

    async fn commit_within<T: Send + 'static>(
        &self,
        patience: Duration,
        write: impl Future<Output = Result<T, DirectoryError>> + Send + 'static,
    ) -> Result<T, Failure> {
        let State { tasks, runtime, limits, .. } = &**self.caller.state;
        // A connection that is silently dead would keep the task, and its connection, for as long as TCP likes.
        let bounded = tokio::time::timeout(limits.request_timeout * 2, write.in_current_span());
        let task = tasks.spawn_on(bounded, runtime);
        match tokio::time::timeout(patience, task).await {
            Ok(Ok(Ok(result))) => Ok(result?),
            // The task panicked, or time is up.
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Err(too_slow()),
        }
    }

    /// Runs a read, within the time that a request may take.
    ///
    /// # Errors
    /// What the read refuses, or 503 when it takes too long.
    pub async fn read<T>(
        &self,
        read: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.patience, read).await {
            Ok(result) => Ok(result?),
            Err(_elapsed) => Err(too_slow()),
        }
    }

    /// Notes a read in the tenant's log.
    pub fn note_read(&self, reason: Reason, detail: &str) {
        let Subject { resource_type, id, .. } = &self.subject;
        self.caller.scoped.note_read(&self.asked(), reason, resource_type, id.as_deref(), detail);
    }

    /// Ends a request: the answer tells the request's line what became of it.
    pub async fn finish(self, result: Result<Answered, Failure>) -> HttpResponse {
        match self.settle(result).await {
            Ok(answered) => {
                let outcome = self.outcome(answered.reason);
                let mut response = answered.into_response();
                response.extensions_mut().insert(outcome);
                response
            }
            Err(failure) => {
                let outcome = self.outcome(failure.refusal().reason);
                failure.respond(outcome)
            }
        }
    }

    /// Ends an operation: its quirks are counted, and a refusal is written to the log before anybody is told.
    ///
    /// # Errors
    /// Those of the operation, with the request's id.
    pub async fn settle(&self, result: Result<Answered, Failure>) -> Result<Answered, Failure> {
        let notes = &self.asked.notes;
        count_quirks(notes, self.caller.client.family(notes));
        match result {
            Ok(answered) => Ok(answered),
            Err(failure) => Err(self.refuse(failure).await),
        }
    }

    /// Writes a refusal to the log, and names the request in it.
    pub async fn refuse(&self, failure: Failure) -> Failure {
        let failure = failure.named(&self.asked.request_id);
        failure.log_cause();
        self.remember(&failure).await;
        failure
    }

    /// Writes a refusal to the tenant's log, as a task, so that a client that hangs up does not take it out again. A store
    /// that just failed is not asked to remember that: the line of the request does.
    async fn remember(&self, failure: &Failure) {
        let refusal = failure.refusal().clone();
        let is_fence = matches!(refusal.reason, Reason::TenantFrozen | Reason::TenantMoving);
        let is_frozen = is_fence && self.caller.may_write().is_err();
        if refusal.reason.class() == Class::Store && !is_frozen {
            return;
        }
        // Was noted where it was counted, if it was the first of a minute.
        if refusal.reason == Reason::RateLimited {
            return;
        }
        let (scoped, asked) = (self.caller.scoped.clone(), self.asked());
        let Subject { resource_type, id, name } = self.subject.clone();
        let write = async move {
            let (resource_id, subject) = (id.as_deref(), name.as_deref());
            let refused = Refused { refusal: &refusal, resource_type, resource_id, subject };
            scoped.refuse(&asked, &refused).await
        };
        // However little time the operation has left.
        let patience = self.caller.state.limits.request_timeout;
        if let Err(failed) = self.commit_within(patience, write).await {
            let request_id = self.asked.request_id.as_str();
            tracing::error!(error = %failed, request_id, "a refusal could not be written to the log");
        }
    }

    /// What became of it, for the line of the request and the metrics.
    #[must_use]
    pub fn outcome(&self, reason: Reason) -> Outcome {
        let outcome = match reason {
            _ if reason.class() != Class::Ok => "refused",
            Reason::UserUnchanged | Reason::GroupUnchanged => "unchanged",
            Reason::UserRead
            | Reason::UsersListed
            | Reason::GroupRead
            | Reason::GroupsListed
            | Reason::ResourcesListed
            | Reason::DiscoveryRead
            | Reason::RootRead
            | Reason::NotModified => "read",
            _ => "done",
        };
        Outcome {
            route: self.caller.route,
            region: Some(self.caller.tenant.region.as_str().to_owned()),
            tenant: Some(self.caller.tenant.id.as_str().to_owned()),
            operation: Some(self.asked.operation),
            reason: Some(reason.as_str()),
            outcome,
            quirks: self.asked.notes.quirks().count(),
        }
    }
}

fn too_slow() -> Failure {
    Failure::new(
        Reason::RequestTimeout,
        "The directory took too long. What was begun is finished; send the same request again to see its result.",
    )
    .with(actix_web::http::header::RETRY_AFTER, "5")
}
