//! `POST /Bulk` (RFC 7644 §3.7): many operations, each as its own request would be done.
//!
//! **Invariant**: an operation is done whole or not at all, with its own scopes, its own decision and the status that
//! its own request would have had. Time that is used up leaves the rest undone and says so of each.

mod response;

use super::answer::Answered;
use super::body::{self, Allowed};
use super::error::Failure;
use super::exchange::Exchange;
use super::operation::{self, Kind, Order, Verb};
use super::precondition::Preconditions;
use crate::auth::Caller;
use crate::config::Limits;
use crate::telemetry::metrics;
use actix_web::{HttpRequest, HttpResponse, web};
use directory::{Part, new_id};
use provisioning::Reason;
use scim_core::bulk::{BulkOperation, Endpoint, Method, Named, Step, Task};
use scim_core::{Attributes, BulkLimits, BulkRequest, JsonLimits};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Levels of JSON around the body of an operation: the request, its list, the operation.
const WRAPPING: usize = 3;

/// `POST /Bulk`.
#[tracing::instrument(name = "scim.bulk", skip_all)]
pub async fn bulk(request: HttpRequest, payload: web::Payload, caller: Caller) -> HttpResponse {
    let mut exchange = Exchange::begin(caller, "bulk", "Bulk", None);
    let result = try_bulk(&request, payload, &mut exchange).await;
    exchange.finish(result).await
}

async fn try_bulk(
    http: &HttpRequest,
    payload: web::Payload,
    exchange: &mut Exchange,
) -> Result<Answered, Failure> {
    let limits = exchange.caller.state.limits.clone();
    if !is_offered(&limits) {
        return Err(Failure::new(
            Reason::NotImplemented,
            "Bulk is not offered, as /ServiceProviderConfig says. Send one request per resource.",
        ));
    }
    let body = body::read(http, payload, &allowed(&limits), exchange).await?;
    let within = BulkLimits {
        operations: number(limits.bulk_operations),
        array_values: limits.json.array_values,
    };
    let notes = &mut exchange.asked.notes;
    let request = BulkRequest::parse(&body, &within, &exchange.caller.tolerance, notes)?;
    drop(body);
    exchange.caller.count(http, request.operations.len()).await?;
    let run = Run::of(&request, exchange).run().await;
    let refused = run.values().filter(|result| result.is_err()).count();
    let detail = format!("{} operations, {refused} refused", run.len());
    exchange.note_read(Reason::BulkProcessed, &detail);
    let text = response::render(&request, &run, &exchange.caller.base_url);
    Ok(Answered::document(Reason::BulkProcessed, text))
}

/// Whether there are bulk requests at all.
pub(super) fn is_offered(limits: &Limits) -> bool {
    limits.bulk_operations > 0 && limits.bulk_payload_bytes > 0
}

/// The lists of a bulk body are limited by its operations and, within each, by [`BulkLimits`]: what is too long is to
/// be told as that.
fn allowed(limits: &Limits) -> Allowed {
    let bytes = number(limits.bulk_payload_bytes);
    Allowed {
        bytes,
        json: JsonLimits { depth: limits.json.depth + WRAPPING, array_values: bytes },
        advice: "That is maxPayloadSize of /ServiceProviderConfig. Send the operations in several requests.",
    }
}

fn number(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// What became of each operation that was tried, by its index.
type Results = BTreeMap<usize, Result<Answered, Failure>>;

/// A bulk request being done.
struct Run<'a> {
    request: &'a BulkRequest,
    caller: &'a Arc<Caller>,
    /// The ids of what is made, given ahead (RFC 7644 §3.7.1: so that resources can name each other).
    ids: Vec<String>,
    deadline: Instant,
    results: Results,
}

impl<'a> Run<'a> {
    fn of(request: &'a BulkRequest, exchange: &'a Exchange) -> Self {
        let id = |operation: &BulkOperation| match &operation.task {
            Ok(Task { named: Named::New, .. }) => new_id(exchange.asked.now),
            _ => String::new(),
        };
        Self {
            request,
            caller: &exchange.caller,
            ids: request.operations.iter().map(id).collect(),
            deadline: Instant::now() + exchange.patience,
            results: Results::new(),
        }
    }

    async fn run(mut self) -> Results {
        for step in self.request.order() {
            self.step(&step).await;
            if self.is_enough() {
                break;
            }
        }
        self.results
    }

    async fn step(&mut self, step: &Step) {
        for index in &step.unresolvable {
            let failure = Failure::new(
                Reason::BulkReferenceFailed,
                "The operation is part of a circle of groups that are members of each other, or names one that is. Such groups cannot be kept; make them without these members.",
            );
            self.settle(*index, Err(failure)).await;
        }
        for index in &step.operations {
            if self.is_enough() {
                break;
            }
            self.operate(*index).await;
        }
        if step.operations.len() > 1 {
            self.take_back(step).await;
        }
    }

    /// RFC 7644 §3.7: after `failOnErrors` errors the rest is not tried.
    fn is_enough(&self) -> bool {
        let errors = || self.results.values().filter(|result| result.is_err()).count();
        self.request.fail_on_errors.is_some_and(|limit| errors() >= limit)
    }

    async fn operate(&mut self, index: usize) {
        let Some(operation) = self.request.operations.get(index) else { return };
        let result = match &operation.task {
            Ok(task) => return self.perform(index, task).await,
            Err(error) => Err(error.clone().into()),
        };
        self.settle(index, result).await;
    }

    async fn perform(&mut self, index: usize, task: &Task) {
        let mut exchange = self.exchange(index);
        let result = self.try_perform(task, &mut exchange).await;
        let result = exchange.settle(result).await;
        self.keep(index, &exchange, result);
    }

    async fn try_perform(&self, task: &Task, exchange: &mut Exchange) -> Result<Answered, Failure> {
        if exchange.patience.is_zero() {
            return Err(Failure::new(
                Reason::RequestTimeout,
                "The time of the bulk request was used up before this operation. It was not begun; send it again.",
            ));
        }
        if let Some(failed) = task.needs().find(|need| self.has_failed(*need)) {
            return Err(self.unmet(failed));
        }
        let (verb, kind) = (verb(task), kind(task));
        operation::permit(self.caller, verb, kind)?;
        let body = self.request.data(task, &self.ids);
        check_size(&body, &self.caller.state.limits)?;
        let conditions = Preconditions { wanted: task.version.clone(), unwanted: None };
        // RFC 7644 §3.7: the answer of what was done may be left out; version and location say what a client needs.
        let order = Order { projection: None, conditions, body };
        operation::run(verb, kind, exchange, order).await
    }

    /// Whether an operation was tried and not done.
    fn has_failed(&self, index: usize) -> bool {
        self.results.get(&index).is_some_and(Result::is_err)
    }

    fn unmet(&self, index: usize) -> Failure {
        let named = self.request.operations.get(index).and_then(|o| o.bulk_id.as_deref());
        let name: String = named.unwrap_or_default().chars().take(120).collect();
        Failure::new(
            Reason::BulkReferenceFailed,
            format!(
                "The operation names bulkId {name}, whose operation was not done. Nothing was changed by this one; send both again when that one is right."
            ),
        )
    }

    /// Deletes again what names something that was not made after all, so that an operation that is answered with an
    /// error has left nothing. Only users that name each other come here, and nothing else relies on them yet.
    async fn take_back(&mut self, step: &Step) {
        let is_done = |run: &Self, index: usize| run.results.get(&index).is_some_and(Result::is_ok);
        let find = |run: &Self| {
            step.operations.iter().copied().filter(|index| is_done(run, *index)).find_map(|index| {
                let task = run.request.operations.get(index)?.task.as_ref().ok()?;
                let unmet = task.needs().find(|need| *need != index && !is_done(run, *need))?;
                Some((index, unmet))
            })
        };
        while let Some((index, unmet)) = find(self) {
            let mut exchange = self.exchange(index);
            // Also when the time is up.
            exchange.patience = self.caller.state.limits.request_timeout;
            let failure = self.unmet(unmet);
            let Some(id) = self.ids.get(index).cloned() else { return };
            let (scoped, asked) = (self.caller.scoped.clone(), exchange.asked());
            let task = self.request.operations.get(index).and_then(|o| o.task.as_ref().ok());
            let is_user = task.is_some_and(|task| task.endpoint == Endpoint::Users);
            let delete = async move {
                if is_user {
                    scoped.delete_user(&id, |_| true, &asked).await
                } else {
                    scoped.delete_group(&id, |_| true, &asked).await
                }
            };
            let result = match exchange.commit(delete).await {
                Ok(()) => exchange.refuse(failure).await,
                // It stays, so what was answered is true.
                Err(failed) => {
                    exchange.refuse(failed).await;
                    return;
                }
            };
            self.keep(index, &exchange, Err(result));
        }
    }

    async fn settle(&mut self, index: usize, result: Result<Answered, Failure>) {
        let exchange = self.exchange(index);
        let result = exchange.settle(result).await;
        self.keep(index, &exchange, result);
    }

    fn keep(&mut self, index: usize, exchange: &Exchange, result: Result<Answered, Failure>) {
        let reason = match &result {
            Ok(answered) => answered.reason,
            Err(failure) => failure.refusal().reason,
        };
        metrics::operated(&exchange.outcome(reason));
        self.results.insert(index, result);
    }

    /// The exchange of one operation: as of a request of its own, within the time that is left.
    fn exchange(&self, index: usize) -> Exchange {
        let task = self.request.operations.get(index).and_then(|o| o.task.as_ref().ok());
        let caller = Arc::clone(self.caller);
        let mut exchange = match task {
            Some(task) => {
                let (verb, kind) = (verb(task), kind(task));
                let id = (verb != Verb::Create).then(|| self.id(task));
                Exchange::begin(caller, verb.name(kind), kind.name(), id)
            }
            None => Exchange::begin(caller, "bulk.operation", "Bulk", None),
        };
        exchange.asked.started = std::time::Instant::now();
        exchange.asked.part = Some(Part {
            number: index + 1,
            of: self.request.operations.len(),
            id: self.ids.get(index).cloned().unwrap_or_default(),
        });
        exchange.patience = self.deadline.saturating_duration_since(Instant::now());
        exchange
    }

    fn id(&self, task: &Task) -> String {
        match &task.named {
            Named::New => String::new(),
            Named::Id(id) => id.clone(),
            Named::MadeBy(index) => self.ids.get(*index).cloned().unwrap_or_default(),
        }
    }
}

fn verb(task: &Task) -> Verb {
    match task.method {
        Method::Post => Verb::Create,
        Method::Put => Verb::Replace,
        Method::Patch => Verb::Patch,
        Method::Delete => Verb::Delete,
    }
}

fn kind(task: &Task) -> Kind {
    match task.endpoint {
        Endpoint::Users => Kind::User,
        Endpoint::Groups => Kind::Group,
    }
}

/// The data of an operation is held to what its own body could be.
fn check_size(body: &Attributes, limits: &Limits) -> Result<(), Failure> {
    if number(limits.bulk_payload_bytes) <= limits.body_bytes {
        return Ok(());
    }
    let bytes = serde_json::to_string(body.as_map()).map_or(0, |text| text.len());
    if bytes <= limits.body_bytes {
        return Ok(());
    }
    Err(Failure::new(
        Reason::BodyTooLarge,
        format!(
            "The data of the operation is larger than {} bytes. Send fewer members in one operation.",
            limits.body_bytes
        ),
    ))
}
