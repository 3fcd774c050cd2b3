//! The provisioning log, what was tolerated, and the audit.
//!
//! **Invariant**: decisions are read where they are, in the tenant's region; the audit holds nothing about people.

use super::answer::Answer;
use super::call::Call;
use super::input::instant;
use super::problem::Problem;
use super::view::Page;
use directory::{DecisionQuery, DecisionRow};
use provisioning::Reason;
use scim_core::Quirk;
use serde::Serialize;
use serde_json::Value;
use tenant_registry::{AuditEntry, AuditQuery};
use utoipa::ToSchema;

/// What became of one operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionView {
    /// The id; ids are in the order of time.
    pub id: String,
    /// When the request came.
    #[schema(format = "date-time")]
    pub at: String,
    /// Such as `user.create`.
    pub operation: String,
    /// `done`, `unchanged`, `refused`, `read` or `noted`.
    pub outcome: String,
    /// The reason code.
    pub reason: String,
    /// Who has to act: `ok`, `mapping`, `licence`, `connection`, `conflict`, `policy` or `store`.
    pub class: Option<&'static str>,
    /// The HTTP status that was answered.
    pub status: u16,
    /// `User`, `Group` or another resource type.
    pub resource_type: String,
    /// The resource, if one is known.
    pub resource_id: Option<String>,
    /// The userName or displayName, as it was sent.
    pub subject: Option<String>,
    /// The attribute that a refusal is about.
    pub attribute: Option<String>,
    /// What the caller was told.
    pub detail: String,
    /// The attributes that changed.
    pub changed: Vec<String>,
    /// The attributes that were accepted and not used.
    pub ignored: Vec<String>,
    /// The deviations that were tolerated.
    pub quirks: Vec<String>,
    /// The id of the request.
    pub request_id: String,
    /// The id of the trace.
    pub trace_id: Option<String>,
    /// The client's family.
    pub client: String,
    /// The credential, or who acted.
    pub key_id: String,
    /// From the arrival of the request to the decision.
    pub duration_us: i64,
}

/// `GET /tenants/{tenant}/decisions`.
///
/// # Errors
/// As its row says.
pub async fn decisions(call: Call) -> Result<Answer, Problem> {
    let query = &call.query;
    let limit = query.limit();
    let class = query.text("class");
    let of_class = |reason: &&Reason| class.is_some_and(|class| reason.class().as_str() == class);
    let reasons = match query.text("reason") {
        Some(reason) => {
            let known = Reason::ALL.iter().find(|known| known.as_str() == reason);
            let Some(known) = known.filter(|known| class.is_none() || of_class(known)) else {
                // No decision has a reason that does not exist, or one of another class.
                return Ok(Answer::ok(&Page::<DecisionView>::whole(Vec::new())));
            };
            vec![known.as_str()]
        }
        None => Reason::ALL.iter().filter(of_class).map(|reason| reason.as_str()).collect(),
    };
    let asked = DecisionQuery {
        user: query.text("user").map(str::to_owned),
        key_id: query.text("token").map(|id| id.strip_prefix("tok_").unwrap_or(id).to_owned()),
        reasons,
        outcome: query.text("outcome").map(str::to_owned),
        request_id: query.text("request_id").map(str::to_owned),
        since: query.instant("since"),
        until: query.instant("until"),
        after: query.after().map(str::to_owned),
        limit: limit + 1,
    };
    let found = call.scoped()?.lately().decisions_page(&asked).await?;
    let page = Page::of(found, limit, |row| row.id.clone(), decision_view);
    Ok(Answer::ok(&page))
}

fn decision_view(row: DecisionRow) -> DecisionView {
    let reason = Reason::ALL.iter().find(|known| known.as_str() == row.reason);
    DecisionView {
        class: reason.map(|reason| reason.class().as_str()),
        at: instant(row.at),
        id: row.id,
        operation: row.operation,
        outcome: row.outcome,
        reason: row.reason,
        status: row.status,
        resource_type: row.resource_type,
        resource_id: row.resource_id,
        subject: row.subject,
        attribute: row.attribute,
        detail: row.detail,
        changed: row.changed,
        ignored: row.ignored,
        quirks: row.quirks,
        request_id: row.request_id,
        trace_id: row.trace_id,
        client: row.client,
        key_id: row.key_id,
        duration_us: row.duration_us,
    }
}

/// The words of the classes, for the query.
pub const CLASSES: &[&str] =
    &["ok", "mapping", "licence", "connection", "conflict", "policy", "store"];

/// A deviation from the RFCs that a client needed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuirkCount)]
pub struct QuirkView {
    /// Its id.
    #[schema(example = "Q-op-case")]
    pub quirk: String,
    /// The client's family.
    pub client: String,
    /// In how many operations.
    pub count: u64,
    /// When first.
    #[schema(format = "date-time")]
    pub first_at: String,
    /// When last.
    #[schema(format = "date-time")]
    pub last_at: String,
    /// What it deviates from.
    pub clause: Option<&'static str>,
    /// What it is.
    pub summary: Option<&'static str>,
    /// Whether the tenant tolerates it now.
    pub tolerated: bool,
}

/// `GET /tenants/{tenant}/conformance`.
///
/// # Errors
/// As its row says.
pub async fn quirks(call: Call) -> Result<Answer, Problem> {
    let tolerance = call.tenant()?.tolerance.clone();
    let mut counts = call.scoped()?.lately().quirk_counts().await?;
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.quirk.cmp(&b.quirk)));
    let view = |count: directory::QuirkCount| {
        let quirk = Quirk::parse(&count.quirk);
        QuirkView {
            clause: quirk.map(Quirk::clause),
            summary: quirk.map(Quirk::summary),
            tolerated: quirk.is_none_or(|quirk| tolerance.allows(quirk)),
            first_at: instant(count.first_at),
            last_at: instant(count.last_at),
            quirk: count.quirk,
            client: count.client,
            count: count.count,
        }
    };
    Ok(Answer::ok(&Page::whole(counts.into_iter().map(view).collect())))
}

/// One change of the registry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditView {
    /// The number of the change; numbers are in order.
    pub id: String,
    /// When.
    #[schema(format = "date-time")]
    pub at: String,
    /// Who.
    #[schema(example = "operator alice")]
    pub actor: String,
    /// What was done.
    #[schema(example = "tenant.change")]
    pub action: String,
    /// Whose it is; empty for what is of no tenant.
    pub tenant_id: String,
    /// Which thing: a slug, a key id, a plan.
    pub target: String,
    /// What it was and what it became; never a secret.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// `GET /audit`.
///
/// # Errors
/// As its row says.
pub async fn audit(call: Call) -> Result<Answer, Problem> {
    if call.operator.regions.is_some() {
        return Err(Problem::new(
            super::problem::Code::RegionForbidden,
            "The whole audit is for operators of all regions. Ask for that of one tenant.",
        ));
    }
    audit_of(&call, None).await
}

/// `GET /tenants/{tenant}/audit`.
///
/// # Errors
/// As its row says.
pub async fn tenant_audit(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant_id()?.clone();
    audit_of(&call, Some(tenant)).await
}

async fn audit_of(
    call: &Call,
    tenant: Option<tenant_registry::TenantId>,
) -> Result<Answer, Problem> {
    let query = &call.query;
    let limit = query.limit();
    let before = query.after().map(|text| {
        text.parse().map_err(|_no_number| {
            Problem::of_field(
                super::problem::Code::QueryInvalid,
                "after",
                "must be the next_cursor of the page before",
            )
        })
    });
    let asked = AuditQuery {
        tenant,
        actor: query.text("actor").map(str::to_owned),
        action: query.text("action").map(str::to_owned),
        since: query.instant("since"),
        until: query.instant("until"),
        before: before.transpose()?,
        limit: limit + 1,
    };
    let found = call.admin.registry.audit_page(&asked).await?;
    let page = Page::of(found, limit, |entry| entry.generation.to_string(), audit_view);
    Ok(Answer::ok(&page))
}

fn audit_view(entry: AuditEntry) -> AuditView {
    AuditView {
        id: entry.generation.to_string(),
        at: instant(entry.at),
        actor: entry.actor,
        action: entry.action,
        tenant_id: entry.tenant_id,
        target: entry.subject,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        request_id: entry.request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::CLASSES;
    use provisioning::Class;

    #[test]
    fn every_class_can_be_asked_for() {
        assert_eq!(Class::ALL.map(Class::as_str).as_slice(), CLASSES);
    }
}
