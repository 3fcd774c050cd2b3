//! From a method, a path and a caller to an answer.
//!
//! **Invariant**: class, rights, query, versions and repetitions are looked at here, once, for every endpoint; a write runs
//! to its end whatever becomes of the caller.

use super::Admin;
use super::access::Access;
use super::answer::Answer;
use super::call::{Call, Facts};
use super::endpoint::{Endpoint, Keeps, Method};
use super::input::{DRY_RUN, Query};
use super::operator::Operator;
use super::problem::{Code, Problem};
use super::routes::endpoints;
use crate::shared::{Claim, Claimed};
use actix_web::http::header::HeaderValue;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tenant_registry::{Once, RegistryError, Tenant};
use time::OffsetDateTime;
use tracing::Instrument;

/// What is asked, beside who asks.
pub struct Request {
    /// The method, as HTTP writes it.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent.
    pub query: String,
    /// The header `If-Match`.
    pub if_match: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What is known of it.
    pub facts: Facts,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key of idempotency opens the answer that is kept for it, and a body may hold anything.
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Where a path and a method lead.
#[derive(Debug)]
pub enum Found {
    /// To an endpoint, with the values in the path.
    Endpoint(&'static Endpoint, Vec<(&'static str, String)>),
    /// To a path that takes other methods.
    Others(String),
    /// Nowhere.
    Nothing,
}

/// Looks for an endpoint.
#[must_use]
pub fn find(method: &str, path: &str) -> Found {
    // No id and no name of ours needs an escape, so what has one is nobody's.
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    if !path.bytes().all(is_plain) {
        return Found::Nothing;
    }
    let method = if method == "HEAD" { "GET" } else { method };
    let mut others = Vec::new();
    for endpoint in endpoints() {
        if let Some(values) = endpoint.matches(path) {
            if endpoint.method.as_str() == method {
                return Found::Endpoint(endpoint, values);
            }
            others.push(endpoint.method.as_str());
            if endpoint.method == Method::Get {
                others.push("HEAD");
            }
        }
    }
    if others.is_empty() { Found::Nothing } else { Found::Others(others.join(", ")) }
}

/// 404 or 405 for what [`find`] did not find.
#[must_use]
pub fn nowhere(others: Option<String>) -> Problem {
    match others {
        None => Problem::new(
            Code::PathUnknown,
            "There is nothing at this path. /openapi.json lists what there is.",
        ),
        Some(allow) => Problem {
            allow: Some(allow.clone()),
            ..Problem::new(Code::MethodNotAllowed, format!("The path takes {allow}."))
        },
    }
}

/// Does what is asked.
///
/// # Errors
/// What the endpoint's row lists.
pub async fn dispatch(
    admin: &Arc<Admin>,
    operator: Operator,
    (endpoint, path): (&'static Endpoint, Vec<(&'static str, String)>),
    request: Request,
) -> Result<Answer, Problem> {
    let now = request.facts.now;
    operator.check(endpoint.access)?;
    let query = Query::read(&request.query, endpoint)?;
    let tenant = tenant(admin, &operator, endpoint, &path).await?;
    let expected = expected(endpoint, request.if_match.as_deref())?;
    if endpoint.body.is_none() && request.body.iter().any(|b| !b.is_ascii_whitespace()) {
        return Err(Problem::new(Code::BodyMalformed, "This takes no body."));
    }
    let key = idempotency_key(endpoint, request.idempotency_key.as_deref())?;
    let scope = key.map(|key| {
        format!(
            "{} {:?} {:?} {} {}?{}\0{key}",
            operator.issuer,
            operator.role,
            operator.regions,
            operator.subject,
            request.path,
            request.query
        )
    });
    let mut turn = scope.as_ref().map(|scope| Turn::take(admin, scope)).transpose()?;
    let (mut once, mut directory_once) = (None, None);
    match (endpoint.keeps, &scope) {
        (Keeps::Registry | Keeps::RegistryAfterDirectory, Some(scope)) => {
            let found = admin.registry.once(scope, key.unwrap_or_default(), &request.body);
            if let Some(answer) = remembered(admin, &found, now).await? {
                return Ok(answer);
            }
            once = Some(found);
        }
        (Keeps::Directory, Some(scope)) => {
            directory_once = Some(directory::Once {
                key: sha256(scope.as_bytes()),
                body: sha256(&request.body),
            });
        }
        (_, None) => {}
    }
    if let Some(turn) = &mut turn {
        turn.claim().await?;
    }
    let call = Call {
        dry_run: query.is(DRY_RUN.name),
        admin: Arc::clone(admin),
        operator,
        endpoint,
        facts: request.facts,
        query,
        expected,
        once: once.clone(),
        directory_once,
        path,
        body: request.body,
        tenant,
    };
    match (run(admin, endpoint, call, turn).await, once) {
        // Another node has answered the same request since it was looked for.
        (Err(problem), Some(once)) if problem.code == Code::IdempotencyKeyReused => {
            remembered(admin, &once, now).await?.ok_or(problem)
        }
        (done, _) => done,
    }
}

async fn run(
    admin: &Admin,
    endpoint: &'static Endpoint,
    call: Call,
    turn: Option<Turn>,
) -> Result<Answer, Problem> {
    let span = tracing::info_span!("admin.call", admin.operation = endpoint.id);
    let work = (endpoint.handler)(call).instrument(span);
    // For as long as the work lasts, whatever becomes of the caller.
    let work = async move {
        let _turn = turn;
        work.await
    };
    let patience = admin.config.limits.request_timeout;
    let slow = || {
        Problem::new(
            Code::RegistryUnavailable,
            "It took too long. What was begun is finished; look before you repeat it.",
        )
        .retry_after(5)
    };
    if !endpoint.method.is_mutating() {
        return tokio::time::timeout(patience, work).await.map_err(|_elapsed| slow())?;
    }
    let task = admin.tasks.spawn_on(tokio::time::timeout(patience * 2, work), &admin.runtime);
    match tokio::time::timeout(patience, task).await {
        Ok(Ok(Ok(done))) => done,
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => Err(slow()),
    }
}

/// A look into the registry, within the time of a call.
async fn within<T>(
    admin: &Admin,
    look: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, Problem> {
    let patience = admin.config.database.acquire_timeout;
    match tokio::time::timeout(patience, look).await {
        Ok(found) => Ok(found?),
        Err(_elapsed) => Err(RegistryError::Silent.into()),
    }
}

/// The tenant in the path, where the caller may see it; another one is as unknown as one that is not there.
async fn tenant(
    admin: &Admin,
    operator: &Operator,
    endpoint: &Endpoint,
    path: &[(&'static str, String)],
) -> Result<Option<Arc<Tenant>>, Problem> {
    let named = path.iter().find(|(name, _)| *name == "tenant");
    let Some((_, named)) = named else {
        // An administrator of a tenant is let into nothing that is not the tenant's.
        debug_assert!(!matches!(endpoint.access, Access::Tenant(_)), "{}", endpoint.path);
        return Ok(None);
    };
    // People and their log are in the region: a registry that is gone does not hide them.
    let known = match endpoint.keeps {
        Keeps::Directory if !endpoint.method.is_mutating() => admin.registry.known_tenant(named),
        Keeps::Directory | Keeps::RegistryAfterDirectory | Keeps::Registry => None,
    };
    let found = match known {
        Some(tenant) => Some(tenant),
        None => within(admin, admin.registry.find_tenant(named)).await?.map(Arc::new),
    };
    match found.filter(|tenant| operator.sees(tenant)) {
        Some(tenant) => Ok(Some(tenant)),
        None => Err(Problem::not_found("tenant")),
    }
}

/// The version in `If-Match` (RFC 9110 §13.1.1): one entity tag, or `*`.
fn expected(endpoint: &Endpoint, header: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = header.map(str::trim) else { return Ok(None) };
    if !endpoint.method.is_mutating() {
        return Ok(None);
    }
    if !endpoint.is_versioned {
        let detail = "is not taken here: what is made has no version before";
        return Err(Problem::of_field(Code::HeaderInvalid, "If-Match", detail));
    }
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix("W/").unwrap_or(text);
    let number = number.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match number.and_then(|number| number.parse().ok()) {
        Some(version) => Ok(Some(version)),
        None => Err(Problem::of_field(
            Code::HeaderInvalid,
            "If-Match",
            "must be one ETag as an answer gave it, such as \"42\", or *",
        )),
    }
}

fn idempotency_key<'a>(
    endpoint: &Endpoint,
    header: Option<&'a str>,
) -> Result<Option<&'a str>, Problem> {
    let Some(key) = header else { return Ok(None) };
    if endpoint.method != Method::Post {
        return Err(Problem::of_field(
            Code::HeaderInvalid,
            "Idempotency-Key",
            "is for POST alone; the other methods can be repeated as they are",
        ));
    }
    let fits = (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(Some(key));
    }
    Err(Problem::of_field(
        Code::HeaderInvalid,
        "Idempotency-Key",
        "must be 1 to 255 visible ASCII characters, best a random UUID",
    ))
}

async fn remembered(
    admin: &Admin,
    once: &Once,
    now: OffsetDateTime,
) -> Result<Option<Answer>, Problem> {
    let kept = admin.registry.remembered(once, now).await?;
    Ok(kept.and_then(|kept| Answer::from_bytes(&kept.body)))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(slot, byte)| *slot = *byte);
    out
}

/// The turn of one idempotency key: on this node, and on the others of the region while Redis answers. Who gets a turn that
/// another has as well finds the answer in the store.
struct Turn {
    admin: Arc<Admin>,
    scope: String,
    claim: Option<Claim>,
}

impl Turn {
    fn take(admin: &Arc<Admin>, scope: &str) -> Result<Self, Problem> {
        let scope = scope.to_owned();
        let mut in_flight =
            admin.in_flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !in_flight.insert(scope.clone()) {
            return Err(Self::taken());
        }
        drop(in_flight);
        Ok(Self { admin: Arc::clone(admin), scope, claim: None })
    }

    async fn claim(&mut self) -> Result<(), Problem> {
        let Some(shared) = &self.admin.shared else { return Ok(()) };
        let patience = self.admin.config.limits.request_timeout;
        match shared.claim("turn", &[&self.scope], patience).await {
            Ok(claim) => self.claim = Some(claim),
            Err(Claimed) => return Err(Self::taken()),
        }
        Ok(())
    }

    fn taken() -> Problem {
        Problem::new(
            Code::IdempotencyInFlight,
            "The first request with this Idempotency-Key is not answered yet. Repeat this one in a moment.",
        )
        .retry_after(1)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut in_flight =
            self.admin.in_flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        in_flight.remove(&self.scope);
    }
}

/// An entity tag.
#[must_use]
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}
